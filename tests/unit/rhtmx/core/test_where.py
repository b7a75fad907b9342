"""Facts about `rhtmx.core.where`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rhtmx.core.where import where_of
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.values.json_value import from_json

EQUAL = [("1", "1.0"), ("1", "10e-1"), ("0", "-0.0"), ("100", "1e2"), ('"a"', '"\\u0061"')]
DIFFERENT = [("1", '"1"'), ("1", "true"), ("0", "false"), ('""', "null"), ("1", "[1]"), ("1", "2")]


def matches(asked: str, stored: str) -> bool:
    where = where_of({"f": json.loads(asked)}, "orders")
    assert where is not None
    data = f' {{"g": 1, "f": {stored}}}'.encode()
    by_text = where.has_text(data)
    assert where.has(from_json(data)) is by_text
    return by_text


@pytest.mark.parametrize(("one", "other"), EQUAL)
def test_what_is_equal_as_json_is_one_value(one: str, other: str) -> None:
    assert matches(one, other)
    assert matches(other, one)
    assert where_of({"f": json.loads(one)}, "o") == where_of({"f": json.loads(other)}, "o")


@pytest.mark.parametrize(("asked", "stored"), DIFFERENT)
def test_what_differs_as_json_is_another_value(asked: str, stored: str) -> None:
    assert not matches(asked, stored)


@pytest.mark.parametrize("data", [b"null", b"7", b'["f"]', b'"f"', b"{}", b'{"f":{}}', None])
def test_a_record_without_a_value_is_in_no_part(data: bytes | None) -> None:
    where = where_of({"f": ["", 0, False]}, "orders")
    assert where is not None
    assert not where.has_text(data)
    assert not where.has(from_json(data))


def test_a_list_means_any_of_its_values_and_fields_are_all_meant() -> None:
    where = where_of({"customer": ["7", 8], "open": True}, "orders")
    assert where is not None
    assert where.has({"customer": "7", "open": True})
    assert where.has({"customer": 8.0, "open": True})
    assert not where.has({"customer": "8", "open": True})
    assert not where.has({"customer": "7", "open": 1})


def test_one_part_has_one_text_however_it_is_written() -> None:
    one = where_of({"b": [True, "x", 2, 10**30, "x", 2.0], "a": (1,)}, "orders")
    other = where_of({"a": 1.0, "b": ("x", 10**30, 2, True)}, "orders")
    assert one == other
    assert one is not None
    assert one.text == '{"a":1,"b":[true,2,1000000000000000000000000000000,"x"]}'
    assert where_of(json.loads(one.text), "orders") == one


@pytest.mark.parametrize("values", [None, {}])
def test_nothing_asked_for_is_the_whole_entity(values: dict[str, Any] | None) -> None:
    assert where_of(values, "orders") is None


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"f": None}, "'f'"),
        ({"f": {"g": 1}}, "'f'"),
        ({"f": [["7"]]}, "'f'"),
        ({"f": []}, "at least one"),
        ({"f": float("nan")}, "'f'"),
        ({"f": float("inf")}, "'f'"),
        ({"f": -float("inf")}, "'f'"),
        ({"f": "\ud800"}, "where"),
        ({"": 1}, "name"),
        ({1: 1}, "name"),
        ([("f", 1)], "field and value"),
    ],
)
def test_what_no_entity_is_divided_by_is_refused_by_name(values: Any, word: str) -> None:
    with pytest.raises(RhtmxError, match=rf"where of 'orders'.*{word}|{word}.*'orders'") as caught:
        where_of(values, "orders")
    assert caught.value.code is ErrorCode.BAD_MESSAGE
