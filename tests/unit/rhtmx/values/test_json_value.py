"""Facts about `rhtmx.values.json_value`."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.values.json_value import from_json, to_json
from rhtmx.wire.limits import MAX_DEPTH

VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=8,
)


@given(VALUES)
def test_values_come_back_as_they_went(value: Any) -> None:
    assert from_json(to_json(value, "push.data")) == value


def test_null_is_none_both_ways() -> None:
    assert to_json(None, "push.data") is None
    assert from_json(None) is None


def test_integers_keep_every_digit() -> None:
    assert from_json(to_json(123456789012345678901234567890, "x")) == 123456789012345678901234567890


def test_text_is_written_as_it_is() -> None:
    assert to_json("Grüße", "push.data") == '"Grüße"'.encode()


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        -float("inf"),
        [10**309],
        {1, 2},
        object(),
        "\ud800",
        {"__proto__": 1},
    ],
)
def test_what_is_no_json_is_refused_with_its_place(value: object) -> None:
    with pytest.raises(RhtmxError, match=r"^push\.data") as caught:
        to_json(value, "push.data")
    assert caught.value.code is ErrorCode.BAD_MESSAGE


CIRCLE: dict[str, Any] = {}
CIRCLE["self"] = CIRCLE


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (object(), "push.data"),
        ({"title": "a", "due": object()}, "push.data.due"),
        ({"steps": [1, {"cost": float("nan")}]}, "push.data.steps[1].cost"),
        ({"steps": ("a", "\ud800")}, "push.data.steps[1]"),
        ({"a": {("a", "b"): 1}}, "push.data.a"),
        (CIRCLE, f"push.data{'.self' * MAX_DEPTH}"),
    ],
)
def test_the_error_names_the_place_within_the_value(value: Any, place: str) -> None:
    with pytest.raises(RhtmxError) as caught:
        to_json(value, "push.data")
    assert caught.value.message.startswith(f"{place}: a value that JSON can hold expected: ")


def test_what_is_nested_too_deeply_is_refused() -> None:
    value: list[Any] = []
    for _ in range(40):
        value = [value]
    with pytest.raises(RhtmxError, match="32"):
        to_json(value, "push.data")


def test_what_contains_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(RhtmxError):
        to_json(value, "push.data")
