from __future__ import annotations

from codegen.model import Schema
from codegen.typescript_read import emit_read


def test_a_field_is_known_by_number_and_wire_type(schema: Schema) -> None:
    text = emit_read(schema)
    assert "    if (tag === 10) to.entity = from.text();\n" in text
    assert "    else if (tag === 24) to.action = from.spelled(CHANGE_ACTION);\n" in text


def test_what_protobuf_leaves_out_has_its_zero_value(schema: Schema) -> None:
    assert 'to = { type: "subscribe", entities: [] }' in emit_read(schema)
    assert 'to = { epoch: "", version: 0 }' in emit_read(schema)


def test_a_message_that_comes_twice_adds_to_itself(schema: Schema) -> None:
    assert "to.change = from.message(readChangeLog, to.change);" in emit_read(schema)


def test_every_message_passes_over_what_it_does_not_know(schema: Schema) -> None:
    assert emit_read(schema).count("from.skip(tag);") == len(schema.wire_messages)
