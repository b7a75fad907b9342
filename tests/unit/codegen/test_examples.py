from __future__ import annotations

import json

import pytest

from codegen.examples import as_text, example_frame
from codegen.model import Schema
from rhtmx.wire import Format, decode, encode


def test_every_example_is_a_message_of_the_wire(schema: Schema) -> None:
    for case in schema.cases:
        frame = example_frame(schema, case.name)
        message = decode(json.dumps(frame).encode(), Format.JSON)
        assert json.loads(encode(message, Format.JSON)) == frame


def test_every_example_shows_every_field(schema: Schema) -> None:
    for case in schema.cases:
        fields = [field.name for field in schema.message(case.message).fields]
        assert list(example_frame(schema, case.name)) == ["type", *fields]


def test_an_example_that_fits_stays_on_one_line() -> None:
    assert as_text({"type": "ping"}) == '{"type": "ping"}'


@pytest.mark.parametrize("value", [{"a": ["x" * 50, "y" * 50]}, {"a": {"b": "x" * 90}}, []])
def test_a_long_example_is_the_same_value_on_more_lines(value: dict[str, object]) -> None:
    assert json.loads(as_text(value)) == value  # type: ignore[arg-type]


def test_a_long_example_is_broken_at_every_level_that_does_not_fit() -> None:
    assert as_text({"a": {"b": "x" * 90}, "c": 1}).splitlines() == [
        "{",
        '  "a": {',
        f'    "b": "{"x" * 90}"',
        "  },",
        '  "c": 1',
        "}",
    ]
