from __future__ import annotations

from types import SimpleNamespace

import msgspec
import pytest

from rhtmx.errors import RhtmxError
from rhtmx.wire import fields


def test_a_float_without_a_fraction_is_an_integer() -> None:
    assert fields.integral(1000.0) == 1000
    assert isinstance(fields.integral(1000.0), int)
    with pytest.raises(ValueError, match="not an integer"):
        fields.integral(1.5)


def test_a_required_value_must_be_there_to_be_written() -> None:
    with pytest.raises(ValueError, match="change is required"):
        fields.absent("change")


def test_a_parsed_value_is_written_as_it_was_in_canonical_text() -> None:
    assert fields.plain_value({"a": [1, "ä"]}) == '{"a":[1,"ä"]}'.encode()
    assert fields.plain_value("") == b'""'
    assert fields.plain_value(None) is None
    assert fields.plain_value(fields.NULL) is None


@pytest.mark.parametrize("value", [{"__proto__": 1}, [{"constructor": 1}], {"prototype": 1}])
def test_a_parsed_value_that_is_not_certainly_safe_is_a_value_error(value: object) -> None:
    with pytest.raises(ValueError, match="not certainly safe"):
        fields.plain_value(value)


def test_a_number_of_309_digits_is_not_certainly_safe() -> None:
    assert fields.plain_value(10**307) == b"1" + b"0" * 307
    with pytest.raises(ValueError, match="not certainly safe"):
        fields.plain_value(10**308)


def test_a_value_as_it_was_written_is_not_touched() -> None:
    assert fields.raw_value(msgspec.Raw(b'{ "a": 1 }')) == b'{ "a": 1 }'
    assert fields.raw_value(msgspec.Raw(b"null")) is None
    assert fields.raw_value(fields.NULL) is None


@pytest.mark.parametrize("key", ["__proto__", "constructor", "prototype"])
def test_a_forbidden_key_of_a_parsed_map_is_a_value_error(key: str) -> None:
    assert fields.plain_key("users") == "users"
    with pytest.raises(ValueError, match="a forbidden key"):
        fields.plain_key(key)


def test_a_missing_field_is_named() -> None:
    with pytest.raises(RhtmxError, match=r"^change\.change: required, but missing$"):
        fields.missing("change", "change")


@pytest.mark.parametrize("value", [2**53, -(2**53), 2**63 - 1, -(2**63)])
def test_an_integer_that_javascript_cannot_hold_is_refused(value: int) -> None:
    with pytest.raises(RhtmxError, match=r"^sync\.since: an integer from"):
        fields.in_range(value, "sync", "since")


@pytest.mark.parametrize("value", [0, 2**53 - 1, -(2**53) + 1])
def test_an_integer_that_javascript_can_hold_passes(value: int) -> None:
    assert fields.in_range(value, "sync", "since") == value


def test_an_unknown_enum_names_those_that_are_known() -> None:
    with pytest.raises(RhtmxError, match=r"^a\.b: one of x, y expected, got 9$"):
        fields.refuse_enum({1: "x", 2: "y"}, 9, "a", "b")


def test_an_embedded_value_is_checked_and_named() -> None:
    assert fields.embedded(b'{"a":1}', "push", "data") == b'{"a":1}'
    assert fields.embedded(b"null", "push", "data") is None
    assert fields.embedded(b" null ", "push", "data") is None
    with pytest.raises(RhtmxError, match=r"^push\.data: not valid JSON"):
        fields.embedded(b"", "push", "data")


def test_a_time_out_of_range_is_named() -> None:
    stamp = SimpleNamespace(seconds=0, nanos=-1)
    with pytest.raises(RhtmxError, match=r"^a\.b: a time expected, got nanoseconds out of range$"):
        fields.time(stamp, "a", "b")


def test_a_forbidden_key_of_a_map_is_named() -> None:
    assert fields.check_map_key("users", "subscribe", "since") == "users"
    with pytest.raises(RhtmxError, match=r"^subscribe\.since: the key 'prototype'"):
        fields.check_map_key("prototype", "subscribe", "since")
