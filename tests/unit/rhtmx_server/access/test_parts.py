"""Facts about `rhtmx_server.access.parts`."""

from __future__ import annotations

import json
from decimal import Context, Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhtmx_server.access.parts import WHOLE, Part, Partitions, reader_of, spelling


@pytest.mark.parametrize(
    ("text", "spelt"),
    [
        ("1", "1"),
        ("1.0", "1"),
        ("10e-1", "1"),
        ("1E0", "1"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("0e5", "0"),
        ("0.10", "0.1"),
        ("100", "1E+2"),
        ("1e2", "1E+2"),
        ("9007199254740993", "9007199254740993"),
        ("12345678901234567890123456789012345", "12345678901234567890123456789012345"),
        ('"1"', '"1"'),
        ('"\\u0061"', '"a"'),
        ('"\\/"', '"/"'),
        ('"é"', '"é"'),
        ('"\\u00e9"', '"é"'),
        ('""', '""'),
        (" true ", "true"),
        ("false", "false"),
        ("null", None),
        ("[1]", None),
        ('{"a":1}', None),
        ("", None),
        ('"' + "x" * 253 + '"', '"' + "x" * 253 + '"'),
        ('"' + "x" * 254 + '"', None),
        ('"' + "é" * 127 + '"', None),
        ("1" * 256, None),
        ("1e400", "1E+400"),
        ("1e9999999", None),
        ("1e99999999999999999999", None),
        ("1e-9999999", "0"),
    ],
)
def test_a_value_has_one_spelling_or_none(text: str, spelt: str | None) -> None:
    assert spelling(text.encode()) == spelt


@given(
    st.one_of(
        st.text(max_size=40), st.booleans(), st.decimals(allow_nan=False, allow_infinity=False)
    )
)
def test_a_spelling_is_json_of_the_same_value_and_is_spelt_like_itself(value: Any) -> None:
    text = str(value) if isinstance(value, Decimal) else json.dumps(value)
    spelt = spelling(text.encode())
    if spelt is not None:
        back = json.loads(spelt, parse_float=Decimal, parse_int=Decimal)
        assert back == value
        assert spelling(spelt.encode()) == spelt


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3), st.integers(0, 3))
def test_numbers_that_are_equal_are_spelt_alike(number: Decimal, shift: int) -> None:
    other = f"{number.scaleb(shift, Context(prec=500))}e-{shift}"
    assert spelling(str(number).encode()) == spelling(other.encode())


def test_only_the_fields_that_are_asked_for_are_read() -> None:
    read = reader_of(["team", "a b", "f0"])
    data = b' {"x": [1, {"team": 2}], "team": "red", "a b": 1.0, "f0": null, "f1": "no"}'
    assert read(data) == {"team": '"red"', "a b": "1"}


@pytest.mark.parametrize("data", [None, b"null", b"[]", b'"team"', b"7", b"{}"])
def test_data_without_fields_has_no_values(data: bytes | None) -> None:
    assert reader_of(["team"])(data) == {}


def test_a_part_is_spelt_as_the_object_of_its_fields_in_order() -> None:
    assert Part.of({"b": 1, "a": "x"}).key == '{"a":"x","b":1}'
    assert Part.of({'"': '"'}).key == '{"\\"":"\\""}'
    assert WHOLE.key == "{}"


@pytest.mark.parametrize("value", [None, [], {}, ["x"], "x" * 300])
def test_a_part_has_no_other_values(value: Any) -> None:
    with pytest.raises(ValueError, match="team: a text, a number or a boolean"):
        Part.of({"team": value})


def test_a_record_is_in_a_part_if_all_of_its_values_agree() -> None:
    part = Part.of({"team": "red", "open": True})
    assert part.has({"team": '"red"', "open": "true", "more": "1"})
    assert not part.has({"team": '"red"', "open": "false"})
    assert not part.has({"team": '"red"'})
    assert WHOLE.has({})


def test_two_parts_have_in_common_what_both_ask_for() -> None:
    red, opened = Part.of({"team": "red"}), Part.of({"open": True})
    assert red.within(opened) == Part.of({"team": "red", "open": True})
    assert red.within(WHOLE) == WHOLE.within(red) == red
    assert red.within(red) == red
    assert red.within(Part.of({"team": "blue"})) is None
    assert red.within(Part.of({"team": "blue", "open": True})) is None


def test_a_record_is_in_one_part_of_each_partition_at_most() -> None:
    teams = Partitions([["team"], ["team", "status"]])

    def keys(**data: Any) -> list[str]:
        return [part.key for part in teams.parts_of(msgspec.json.encode(data))]

    assert keys(team="red", status="open") == [
        '{"team":"red"}',
        '{"status":"open","team":"red"}',
    ]
    assert keys(team="red") == ['{"team":"red"}']
    assert keys(status="open") == []
    assert keys(team=None, status="open") == []
    assert keys(team=["red"]) == []
    assert teams.parts_of(None) == []


def test_only_parts_of_a_partition_can_be_read_alone() -> None:
    teams = Partitions([["team", "status"]])
    assert teams.reach(WHOLE)
    assert teams.reach(Part.of({"status": 1, "team": 2}))
    assert not teams.reach(Part.of({"team": 2}))


@pytest.mark.parametrize("declared", [[[]], [["a", "a"]], [["a"], ["a"]], [["a", "b"], ["b", "a"]]])
def test_a_partition_that_makes_no_sense_is_refused(declared: list[list[str]]) -> None:
    with pytest.raises(ValueError, match="partition"):
        Partitions(declared)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ('{"team": "red", "status": "open"}', None),
        ('{"team": "red"}', None),
        ('{"team": null, "status": null }', None),
        ("{}", None),
        ("[1]", None),
        ("7", None),
        (None, None),
        ('{"team": ["red"]}', "team"),
        ('{"team": {}, "status": "open"}', "team"),
        ('{"team": "red", "status": [] }', "status"),
        ('{"team": "' + "x" * 254 + '"}', "team"),
        ('{"x": [1], "team": 7}', None),
    ],
)
def test_a_value_that_no_part_can_have_is_found(data: str | None, field: str | None) -> None:
    teams = Partitions([["team"], ["team", "status"]])
    assert teams.misfit(None if data is None else data.encode()) == field
