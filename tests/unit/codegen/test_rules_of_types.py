from __future__ import annotations

from collections.abc import Callable

import pytest

from codegen.model import Schema
from codegen.rules_of_types import (
    fields_of,
    options_fit_their_fields,
    types_have_a_json_form,
    words_can_be_new,
)


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        ("not_bytes = 2", "'not_bytes' is marked (json) but is string"),
        ("not_optional = 3", "'not_optional' is marked (json) but is not optional"),
        ("not_a_message = 4", "'not_a_message' is marked (required) but is not a single message"),
        ("many = 5", "'many' is marked (required) but is not a single message"),
        ("not_many = 6", "'not_many' is marked (omittable) but is neither repeated, nor a map"),
        ("raw = 7", "'raw' is bytes, which has no JSON form"),
        ("ratio = 8", "'ratio' of Broken is of a type that the wire does not have (double)"),
        ("small = 9", "'small' of Broken is of a type that the wire does not have (int32)"),
        ("by_number = 10", "'by_number' of Broken is of a type that the wire does not have"),
        ("chosen = 12", "'chosen' is in a oneof"),
        ("message Outer", "Outer.Inner is declared inside a message"),
        ("Word word = 14", "'word' of Broken is an enum: write it optional"),
        ("words = 15", "'words' of Broken is an enum: write it optional"),
        ("act = 1", "'act' of Outer is an enum: write it optional"),
    ],
)
def test_a_broken_rule_is_named_with_its_place(
    problems: list[str], place: Callable[[str], str], marker: str, words: str
) -> None:
    assert [line for line in problems if line.startswith(f"{place(marker)}: {words}")]


def test_the_real_schema_keeps_the_rules(schema: Schema) -> None:
    assert not [*options_fit_their_fields(schema), *types_have_a_json_form(schema)]
    assert not [*words_can_be_new(schema)]


def test_an_enum_that_may_be_left_out_can_have_new_words(
    problems: list[str], place: Callable[[str], str]
) -> None:
    assert not [line for line in problems if line.startswith(place("may_lack = 16"))]


def test_every_field_comes_once_with_its_message(schema: Schema) -> None:
    pairs = [(message.name, field.name) for message, field in fields_of(schema)]
    assert len(pairs) == sum(len(message.fields) for message in schema.messages)
    assert ("Push", "entity_id") in pairs
