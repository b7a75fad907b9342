from __future__ import annotations

from types import SimpleNamespace

import pytest

from rhtmx.errors import RhtmxError
from rhtmx.wire import fields


def test_a_float_without_a_fraction_is_an_integer() -> None:
    assert fields.integral(1000.0) == 1000
    assert isinstance(fields.integral(1000.0), int)
    with pytest.raises(ValueError, match="not an integer"):
        fields.integral(1.5)


def test_a_required_value_must_be_there_to_be_written() -> None:
    assert fields.required(0, "version") == 0
    with pytest.raises(ValueError, match="change is required"):
        fields.required(None, "change")


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
