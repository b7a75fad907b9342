"""Facts about `rhtmx.schema.entered`."""

from __future__ import annotations

from typing import Any

import pytest

from rhtmx import schema as _s
from rhtmx.schema.entered import entered
from rhtmx.schema.text import TextError

LEVEL = _s.enum("Level", {"low": 1, "high": 2})


@pytest.mark.parametrize(
    ("kind", "texts", "value"),
    [
        (_s.STRING, [" a "], " a "),
        (_s.STRING, [""], None),
        (_s.STRING, [], None),
        (_s.UINT32, [" 007 "], 7),
        (_s.text_of(_s.INT64), ["9007199254740993"], "9007199254740993"),
        (_s.DOUBLE, [".5"], 0.5),
        (_s.BOOL, ["false", "on"], True),
        (LEVEL, ["high"], "high"),
        (_s.TIMESTAMP, ["2026-01-31T10:30:00+01:00"], "2026-01-31T09:30:00Z"),
        (_s.DURATION, ["1.5s"], "1.500s"),
        (_s.list_of(_s.INT32), ["1", "", "2"], [1, 2]),
        (_s.list_of(_s.INT32), [""], None),
    ],
)
def test_what_was_entered_is_a_value_of_its_kind(
    kind: _s.Kind, texts: list[str], value: Any
) -> None:
    assert entered(_s.field("a", kind), texts) == value


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        (_s.INT32, "1.5", "must be a whole number"),
        (_s.FLOAT, "1,5", "must be a number"),
        (LEVEL, "medium", "must be one of: low, high"),
        (_s.TIMESTAMP, "2026-01-31T10:30", "must have a time zone"),
    ],
)
def test_what_stands_for_no_value_is_refused_in_words(kind: _s.Kind, text: str, words: str) -> None:
    with pytest.raises(TextError, match=words):
        entered(_s.field("a", kind), [text])


def test_a_time_of_a_place_is_meant_by_its_clocks() -> None:
    at = _s.field("at", _s.TIMESTAMP)
    assert entered(at, ["2026-01-31T10:30"], offset_minutes=60) == "2026-01-31T09:30:00Z"
