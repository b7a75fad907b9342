"""Facts about `rhtmx_server.trackers.json_text`."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhtmx_server.trackers import json_text as jsontext

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
)
json_values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=3), inner)
    ),
    max_leaves=8,
)


def compact(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def spread(value: object) -> bytes:
    """The same value, written as differently as JSON allows."""
    if isinstance(value, dict):
        value = dict(reversed(value.items()))
    return json.dumps(value, ensure_ascii=True, indent=2).encode()


def texts(data: bytes | None) -> dict[str, bytes]:
    return {name: bytes(text) for name, text in jsontext.split(data).items()}


def test_the_text_of_each_value_is_kept_to_the_byte() -> None:
    data = b'{ "a" : 1.50, "b":[ 1,\t2 ] ,"c":{"d": "\\u0041"},"e":12345678901234567890123 }'
    assert texts(data) == {
        "a": b"1.50",
        "b": b"[ 1,\t2 ]",
        "c": b'{"d": "\\u0041"}',
        "e": b"12345678901234567890123",
    }


def test_join_keeps_the_order_and_the_text_of_each_value() -> None:
    assert jsontext.join(jsontext.split(b'{"b": 1.50, "a": [ ]}')) == b'{"b":1.50,"a":[ ]}'


def test_join_writes_a_new_value_as_it_was_given() -> None:
    fields = jsontext.split(b'{"a":1}')
    fields["b"] = jsontext.raw(b"1e0")
    fields["c"] = jsontext.raw(None)
    assert jsontext.join(fields) == b'{"a":1,"b":1e0,"c":null}'


@pytest.mark.parametrize("data", [None, b"null", b"1", b'"{}"', b'[{"a":1}]', b"true"])
def test_what_is_no_object_has_no_fields(data: bytes | None) -> None:
    assert jsontext.split(data) == {}
    assert not jsontext.is_object(data)


@pytest.mark.parametrize("data", [b"{}", b' \n\t\r{"a":1} '])
def test_an_object_is_known_by_its_first_character(data: bytes) -> None:
    assert jsontext.is_object(data)


def test_null_is_none_in_messages() -> None:
    assert jsontext.value(jsontext.raw(None)) is None
    assert jsontext.value(jsontext.raw(b"0")) == b"0"


@given(json_values)
def test_the_way_a_value_is_written_does_not_count(value: object) -> None:
    assert jsontext.same(compact(value), spread(value))
    assert jsontext.canonical(compact(value)) == jsontext.canonical(spread(value))


@given(json_values, json_values)
def test_same_texts_are_exactly_those_with_one_value(one: object, other: object) -> None:
    def plain(value: object) -> str:
        # What Python keeps apart in text (1, 1.0, true) and JSON keeps apart too.
        return json.dumps(value, sort_keys=True)

    assert jsontext.same(compact(one), compact(other)) == (plain(one) == plain(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"1", b"true"),
        (b"0", b"false"),
        (b"0", b"null"),
        (b'"1"', b"1"),
        (b"9007199254740992", b"9007199254740993"),
        (b"123456789012345678901234567890", b"123456789012345678901234567891"),
        (b'{"a":true}', b'{"a":1}'),
        (b"[1,2]", b"[2,1]"),
    ],
)
def test_values_that_python_confuses_are_told_apart(one: bytes, other: bytes) -> None:
    assert not jsontext.same(one, other)
    assert jsontext.canonical(one) != jsontext.canonical(other)


@pytest.mark.parametrize(("one", "other"), [(b"1", b"1.0"), (b"0.0", b"-0.0")])
def test_numbers_of_one_value_differ_by_how_they_are_kept(one: bytes, other: bytes) -> None:
    assert not jsontext.same(one, other)
    assert jsontext.same(one, one)


def test_none_is_the_same_as_null() -> None:
    assert jsontext.same(None, b"null")
    assert not jsontext.same(None, b"0")


# Each as printed by JSON.stringify in Node 20.
@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("0.0", "0"),
        ("-0.0", "0"),
        ("1.0", "1"),
        ("-1.50", "-1.5"),
        ("1e2", "100"),
        ("0.0001", "0.0001"),
        ("1.5e-5", "0.000015"),
        ("1e-6", "0.000001"),
        ("-1e-6", "-0.000001"),
        ("1e-7", "1e-7"),
        ("1.25e-7", "1.25e-7"),
        ("1e15", "1000000000000000"),
        ("1e16", "10000000000000000"),
        ("-1.5e17", "-150000000000000000"),
        ("123456789012345680000.0", "123456789012345680000"),
        ("1e20", "100000000000000000000"),
        ("1e21", "1e+21"),
        ("-1.2e21", "-1.2e+21"),
        ("5e-324", "5e-324"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"),
    ],
)
def test_doubles_are_canonical_as_ecmascript_prints_them(text: str, printed: str) -> None:
    assert jsontext.canonical(text.encode()) == printed.encode()


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_canonical_double_reads_back_as_itself(number: float) -> None:
    canonical = float(jsontext.canonical(repr(number).encode()))
    assert canonical == number
    assert not math.isinf(canonical)


def test_an_integer_keeps_all_its_digits() -> None:
    digits = b"123456789012345678901234567890"
    assert jsontext.canonical(digits) == digits


def test_canonical_keys_are_in_the_byte_order_of_utf_8() -> None:
    # UTF-16 code units would put U+1F600 (D83D DE00) before U+FFFF.
    data = '{"\U0001f600":1,"\uffff":2,"a":3}'.encode()
    assert jsontext.canonical(data) == '{"a":3,"\uffff":2,"\U0001f600":1}'.encode()


@pytest.mark.parametrize("depth", range(5))
@pytest.mark.parametrize("levels", range(4))
def test_depth_counts_lists_and_objects_inside_each_other(depth: int, levels: int) -> None:
    lists = b"[" * depth + b"0" + b"]" * depth
    objects = b'{"a":' * depth + b"[]" + b"}" * depth
    assert jsontext.deeper_than(lists, levels) == (depth > levels)
    assert jsontext.deeper_than(objects, levels) == (depth + 1 > levels)


@pytest.mark.parametrize("data", [None, b'"[[[["', b'[["[[{{"],[]]', b'{"{":"["}'])
def test_brackets_side_by_side_or_in_strings_are_not_depth(data: bytes | None) -> None:
    assert not jsontext.deeper_than(data, 2)
