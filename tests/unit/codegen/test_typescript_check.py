from __future__ import annotations

from codegen.model import Schema
from codegen.typescript_check import emit_check


def test_every_field_of_every_message_is_checked(schema: Schema) -> None:
    text = emit_check(schema)
    for message in schema.wire_messages:
        body = text.split(f"const check{message.name}: ")[1].split("});")[0]
        for field in message.fields:
            assert f'"{field.name}"' in body, f"{message.name}.{field.name}"


def test_the_kind_of_a_field_chooses_its_check(schema: Schema) -> None:
    text = emit_check(schema)
    assert '  action: spelled(from, at, "action", CHANGE_ACTION),\n' in text
    assert '  fields: list(from, at, "fields", message, checkFieldUpdate),\n' in text
    assert '  values: optionalList(from, at, "values", message, checkFormFieldValue),\n' in text
    assert '  since: optional(from, at, "since", map, checkPosition),\n' in text
    assert '  data: json(from, at, "data"),\n' in text


def test_each_side_has_a_table_of_what_it_sends(schema: Schema) -> None:
    text = emit_check(schema)
    client = text.split("CHECK_CLIENT")[1].split("};")[0]
    assert "  push: checkPush,\n" in client
    assert "push_ack" not in client
