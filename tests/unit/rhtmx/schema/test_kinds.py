"""Facts about `rhtmx.schema.kinds`: what reading gives. What it refuses, is in the vectors."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest

from rhtmx import schema as _s
from rhtmx.schema.kinds import UNREADABLE, Found, Kind


def read(kind: Kind, json: Any, found: Found = None) -> Any:
    return kind.read(json, "x", found, 0, {})


@pytest.mark.parametrize(
    ("kind", "json", "value"),
    [
        (_s.STRING, "a", "a"),
        (_s.BOOL, False, False),
        (_s.INT32, 1.0, 1),
        (_s.INT64, 1e2, 100),
        (_s.text_of(_s.INT64), "-9223372036854775808", -(2**63)),
        (_s.text_of(_s.UINT64), "18446744073709551615", 2**64 - 1),
        (_s.DOUBLE, 1, 1.0),
        (_s.FLOAT, 0.1, struct.unpack("<f", struct.pack("<f", 0.1))[0]),
        (_s.BYTES, "-_8", b"\xfb\xff"),
        (_s.TIMESTAMP, "1970-01-01T00:00:01Z", 10**9),
        (_s.DURATION, "-0.5s", -(10**9) // 2),
        (_s.FIELD_MASK, "a,b.c", ["a", "b.c"]),
        (_s.FIELD_MASK, "", []),
        (_s.VALUE, None, None),
        (_s.STRUCT, {"a": None}, {"a": None}),
        (_s.LIST_VALUE, [1], [1]),
        (_s.ANY, {"@type": "t", "x": 1}, {"@type": "t", "x": 1}),
        (_s.enum("P", {"low": 1}), "low", 1),
        (_s.enum("P", {"low": 1}), 1.0, 1),
        (_s.enum("P", {"low": 1}), 7, 7),
        (_s.enum("P", {"low": 1}), "new", "new"),
        (_s.list_of(_s.FLOAT), [1], [1.0]),
        (_s.map_of(_s.INT32, _s.STRING), {"-7": "a"}, {-7: "a"}),
        (_s.map_of(_s.BOOL, _s.INT32), {"true": 1.0}, {True: 1}),
    ],
)
def test_a_json_value_is_read_to_its_rule_value(kind: Kind, json: Any, value: Any) -> None:
    found = read(kind, json)
    assert found == value
    assert type(found) is type(value)


def test_a_double_keeps_the_sign_of_its_zero() -> None:
    assert math.copysign(1, read(_s.DOUBLE, -0.0)) == -1
    assert math.copysign(1, read(_s.FLOAT, -0.0)) == -1


@pytest.mark.parametrize("json", ["NaN", "Infinity", "-Infinity"])
def test_what_is_not_finite_is_read_and_refused(json: str) -> None:
    found: Found = []
    assert not math.isfinite(read(_s.DOUBLE, json, found))
    assert found is not None
    assert [each.code for each in found] == ["finite"]


def test_an_integer_that_no_double_holds_is_out_of_range() -> None:
    found: Found = []
    assert read(_s.DOUBLE, 10**400, found) is UNREADABLE
    assert found is not None
    assert [each.code for each in found] == ["range"]


def test_nothing_is_noted_of_what_is_only_read() -> None:
    assert read(_s.STRING, 1) is UNREADABLE
    assert read(_s.list_of(_s.INT32), ["x"]) is UNREADABLE
    assert repr(UNREADABLE) == "UNREADABLE"


def test_a_subclass_of_str_is_a_text() -> None:
    class Word(str):
        pass

    assert read(_s.STRING, Word("a")) == "a"


def test_of_two_words_of_one_number_the_first_is_shown() -> None:
    kind = _s.enum("P", {"low": 1, "small": 1, "high": 2})
    assert (read(kind, "small"), kind.show(1), kind.show(3)) == (1, "low", "3")


def test_a_message_within_has_every_declared_field() -> None:
    inner = _s.message(
        "Inner",
        _s.field("text", _s.STRING),
        _s.field("maybe", _s.INT32, presence=True),
        _s.field("many", _s.list_of(_s.STRING)),
        _s.field("named", _s.BOOL, key="other"),
    )
    kind = _s.message_of(lambda: inner)
    assert read(kind, {"other": True, "extra": 1}) == {
        "text": "",
        "maybe": None,
        "many": [],
        "named": True,
    }


def test_a_kind_is_shown_by_its_word() -> None:
    assert repr(_s.INT32) == "<Kind int32>"
