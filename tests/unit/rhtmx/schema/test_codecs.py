"""Facts about `rhtmx.schema.codecs`."""

from __future__ import annotations

import math
import struct
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhtmx.schema import codecs as c
from rhtmx.schema.word import Word, words


class Priority(Word):
    __slots__ = ()


words(Priority, NONE=("none", 0), HIGH=("high", 2))


@pytest.mark.parametrize(
    ("codec", "json", "value"),
    [
        (c.TEXT, "é", "é"),
        (c.BOOL, True, True),
        (c.INTEGER, 7.0, 7),
        (c.INTEGER, 2**63, 2**63),
        (c.INTEGER_TEXT, "9007199254740993", 9007199254740993),
        (c.DOUBLE, 3, 3.0),
        (c.DOUBLE, "-Infinity", -math.inf),
        (c.FLOAT, 0.1, 0.1),
        (c.BYTES, "-_8", b"\xfb\xff"),
        (c.BYTES, "+/8=", b"\xfb\xff"),
        (c.TIME, "2026-01-31T10:00:00+01:00", datetime(2026, 1, 31, 9, tzinfo=UTC)),
        (c.TIME, "0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        (c.SPAN, "-1.5s", timedelta(seconds=-1.5)),
        (c.PATHS, "a,b.c", ["a", "b.c"]),
        (c.PATHS, "", []),
        (c.VALUE, {"any": [None]}, {"any": [None]}),
        (c.word_of(Priority), "high", Priority.HIGH),  # type: ignore[attr-defined]
        (c.word_of(Priority), 2, "high"),
        (c.word_of(Priority), 9, "9"),
        (c.word_of(Priority), "urgent", "urgent"),
        (c.list_of(c.BYTES), ["YQ=="], [b"a"]),
        (c.map_of(c.INTEGER, c.BOOL), {"-7": True}, {-7: True}),
        (c.map_of(c.BOOL, c.TEXT), {"true": "x"}, {True: "x"}),
    ],
)
def test_json_is_read_as_what_it_means(codec: c.Codec[Any], json: object, value: object) -> None:
    read = codec.read(json)
    assert read == value
    assert type(read) is type(value) or isinstance(read, Word)


@pytest.mark.parametrize(
    ("codec", "value", "json"),
    [
        (c.INTEGER_TEXT, 2**60, str(2**60)),
        (c.DOUBLE, 3, 3.0),
        (c.DOUBLE, math.nan, "NaN"),
        (c.FLOAT, -math.inf, "-Infinity"),
        (c.BYTES, bytearray(b"\xfb\xff"), "+/8="),
        (
            c.TIME,
            datetime(2026, 1, 31, 10, tzinfo=timezone(timedelta(hours=1))),
            "2026-01-31T09:00:00Z",
        ),
        (c.TIME, datetime(2026, 1, 31, 0, 0, 0, 1, UTC), "2026-01-31T00:00:00.000001Z"),
        (c.SPAN, timedelta(seconds=-1.5), "-1.500s"),
        (c.PATHS, ["a", "b.c"], "a,b.c"),
        (c.word_of(Priority), Priority("7"), 7),
        (c.word_of(Priority), Priority("urgent"), "urgent"),
        # Texts, which no number is written as.
        (c.word_of(Priority), Priority("07"), "07"),
        (c.word_of(Priority), Priority("-0"), "-0"),
        (c.word_of(Priority), Priority("99999999999"), "99999999999"),
        (c.map_of(c.BOOL, c.BYTES), {True: b"a"}, {"true": "YQ=="}),
        (c.map_of(c.INTEGER, c.TEXT), {7: "x"}, {"7": "x"}),
    ],
)
def test_values_are_written_as_json_has_them(
    codec: c.Codec[Any], value: object, json: object
) -> None:
    written = codec.write(value)
    assert written == json
    assert type(written) is type(json)


@pytest.mark.parametrize(
    ("codec", "value", "path"),
    [
        (c.TEXT, b"x", ""),
        (c.BOOL, 1, ""),
        (c.INTEGER, 1.0, ""),
        (c.INTEGER, True, ""),
        (c.DOUBLE, "NaN", ""),
        (c.DOUBLE, True, ""),
        (c.DOUBLE, 10**400, ""),
        (c.FLOAT, 1e39, ""),
        (c.BYTES, "YQ==", ""),
        (c.TIME, datetime(2026, 1, 31), ""),
        (c.TIME, "2026-01-31T00:00:00Z", ""),
        (c.TIME, datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))), ""),
        (c.TIME, datetime(9999, 12, 31, 23, tzinfo=timezone(-timedelta(hours=1))), ""),
        (c.SPAN, 1.5, ""),
        (c.SPAN, timedelta.max, ""),
        (c.OBJECT, [], ""),
        (c.LIST, {}, ""),
        (c.word_of(Priority), 2, ""),
        (c.list_of(c.TEXT), ("a",), ""),
        (c.list_of(c.TEXT), ["a", 1], "[1]"),
        (c.map_of(c.TEXT, c.INTEGER), [], ""),
        (c.map_of(c.TEXT, c.INTEGER), {"a b": "x"}, '["a b"]'),
        (c.map_of(c.INTEGER, c.TEXT), {"7": "x"}, "[7]"),
        (c.map_of(c.BOOL, c.INTEGER), {True: "x"}, "[true]"),
    ],
)
def test_what_a_field_cannot_be_is_not_written_and_told_with_its_path(
    codec: c.Codec[Any], value: object, path: str
) -> None:
    with pytest.raises(c.Misfit) as misfit:
        codec.write(value)
    assert misfit.value.path == path
    assert misfit.value.violation.message == f"must be {misfit.value.kind}"


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_number_of_32_bits_is_written_short_and_read_back_the_same(number: float) -> None:
    written = c.FLOAT.write(number)
    assert struct.pack("<f", written) == struct.pack("<f", number)
    assert float(f"{written:.9g}") == written


@given(st.datetimes(timezones=st.just(UTC)))
def test_each_time_comes_back(time: datetime) -> None:
    assert c.TIME.read(c.TIME.write(time)) == time


@given(st.timedeltas(timedelta(days=-3_650_000), timedelta(days=3_650_000)))
def test_each_duration_comes_back(span: timedelta) -> None:
    assert c.SPAN.read(c.SPAN.write(span)) == span


@pytest.mark.parametrize(
    ("codec", "text"),
    [
        (c.TIME, "2026-01-31T00:00:00.000000001Z"),
        (c.SPAN, "1.000000001s"),
        (c.SPAN, "-0.000000001s"),
    ],
)
def test_digits_beyond_microseconds_stay_until_somebody_makes_another_time_of_it(
    codec: c.Codec[Any], text: str
) -> None:
    read = codec.read(text)
    assert codec.write(read) == text
    later = read + timedelta(seconds=1)
    assert codec.write(later) != text
    assert "000000001" not in codec.write(later)


def test_the_keys_of_an_object_of_any_kind_are_texts() -> None:
    assert c.keys_of(c.OBJECT, ["a"]) == ["a"]
    assert c.keys_of(c.map_of(c.BOOL, c.TEXT), [True]) == ["true"]
    with pytest.raises(c.Misfit):
        c.keys_of(c.map_of(c.INTEGER, c.TEXT), ["a"])
