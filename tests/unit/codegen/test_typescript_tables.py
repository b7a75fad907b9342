from __future__ import annotations

from codegen.model import Schema
from codegen.typescript_tables import emit_tables


def test_the_hash_is_that_of_the_schema(schema: Schema) -> None:
    assert f'export const SCHEMA_HASH = "{schema.hash}";' in emit_tables(schema)


def test_every_enum_value_but_zero_has_its_number(schema: Schema) -> None:
    text = emit_tables(schema)
    for each in schema.wire_enums:
        for value in each.spelled:
            assert f"  {value.spelling}: {value.number},\n" in text


def test_every_error_code_has_its_row(schema: Schema) -> None:
    text = emit_tables(schema)
    assert "  bad_message: { grpc: 3, close: 4500, retryable: false },\n" in text
    for value in schema.enum("ErrorCode").spelled:
        assert f"  {value.spelling}: {{ grpc: " in text
