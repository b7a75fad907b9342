from __future__ import annotations

from codegen.model import Schema
from codegen.typescript_write import emit_write


def test_a_zero_value_is_left_out_where_a_field_is_never_absent(schema: Schema) -> None:
    text = emit_write(schema)
    assert "  to.text(1, from.entity || undefined);\n" in text
    assert "  to.int(6, from.seq);\n" in text


def test_every_field_of_every_message_is_written(schema: Schema) -> None:
    text = emit_write(schema)
    for message in schema.wire_messages:
        body = text.split(f"const write{message.name}: ")[1].split("};")[0]
        for field in message.fields:
            assert f"from.{field.name}" in body, f"{message.name}.{field.name}"


def test_every_case_has_its_number_in_the_envelope(schema: Schema) -> None:
    text = emit_write(schema)
    for case in schema.cases:
        assert f"  {case.name}: [{case.number}, write{case.message}],\n" in text
