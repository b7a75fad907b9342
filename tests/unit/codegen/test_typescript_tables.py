from __future__ import annotations

import dataclasses

from codegen.model import Schema
from codegen.typescript_tables import emit_tables


def test_the_hash_is_that_of_the_schema(schema: Schema) -> None:
    assert f'export const SCHEMA_HASH = "{schema.hash}";' in emit_tables(schema)


def test_every_error_code_has_its_row_in_the_order_of_the_numbers(schema: Schema) -> None:
    text = emit_tables(schema)
    codes = schema.enum("ErrorCode")
    places = [text.index(f'"{value.spelling} ') for value in codes.spelled]
    assert places == sorted(places)
    turned = dataclasses.replace(codes, values=codes.values[::-1])
    other = dataclasses.replace(
        schema, enums=tuple(turned if each is codes else each for each in schema.enums)
    )
    assert emit_tables(other) == text


def test_a_row_is_as_short_as_its_error_code_allows(schema: Schema) -> None:
    text = emit_tables(schema)
    assert '    "bad_message 3 4500;" +\n' in text
    assert '    "unknown_entity 5;" +\n' in text
    assert '    "timeout 4 0 1;" +\n' in text
    assert '    "shutting_down 14 4000 1;" +\n' in text
    assert '    "not_found 5;" +\n' in text
