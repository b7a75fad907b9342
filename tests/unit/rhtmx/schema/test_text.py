"""Facts about `rhtmx.schema.text`."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rhtmx.schema import text as reading
from rhtmx.schema.text import SPACE, TextError, to_float, to_int, to_timestamp, trim
from rhtmx.schema.times import parse_timestamp, write_timestamp

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "vectors" / "form_text.json").read_text()
)


def read(case: dict[str, Any]) -> Any:
    name = case["read"]
    function = trim if name == "trim" else getattr(reading, f"to_{name}")
    options = {key: case[key] for key in ("words", "offset_minutes") if key in case}
    return function(case["text"], **options)


@pytest.mark.parametrize("case", VECTORS, ids=lambda c: f"{c['read']} {ascii(c['text'])[:30]}")
def test_a_text_is_read_as_the_vector_says(case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(TextError) as refused:
            read(case)
        assert refused.value.words == str(refused.value) == case["error"]
        return
    value = read(case)
    if "digits" in case:
        assert (type(value), str(value)) == (int, case["digits"])
    else:
        assert value == case["value"]
        assert isinstance(value, bool) is isinstance(case["value"], bool)


def test_every_reader_has_vectors() -> None:
    readers = {name.removeprefix("to_") for name in reading.__all__ if name.islower()}
    assert {case["read"] for case in VECTORS} == readers


def test_space_is_white_space_of_unicode_and_the_mark_at_the_start_of_files() -> None:
    # White_Space is what `str.isspace` takes, without the four separators of ASCII.
    white = {chr(code) for code in range(0x110000) if chr(code).isspace()} - set("\x1c\x1d\x1e\x1f")
    assert set(SPACE) == white | {"\ufeff"}
    assert len(SPACE) == len(set(SPACE)) == 26


def test_a_zero_has_no_sign() -> None:
    assert str(to_float("-0")) == "0.0"


@given(st.integers())
def test_digits_are_read_as_the_number_that_they_write(number: int) -> None:
    assert to_int(str(number)) == number
    assert to_int(f"{number:+}") == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_as_it_is_written(number: float) -> None:
    assert to_float(repr(number)) == number


@given(st.text(alphabet=st.characters(categories=["Nd", "Nl", "No"]), min_size=1))
def test_digits_of_other_scripts_are_no_number(text: str) -> None:
    if not text.isascii():
        for function in (to_int, to_float):
            with pytest.raises(TextError):
                function(text)
    assert all(unicodedata.category(each).startswith("N") for each in text)


@given(st.integers(-(10**18), 10**18), st.integers(-1439, 1439))
def test_a_local_time_and_its_offset_are_a_moment(nanoseconds: int, offset: int) -> None:
    local = write_timestamp(nanoseconds)[:-1]
    found = to_timestamp(local, offset)
    assert found is not None
    assert parse_timestamp(found) == nanoseconds - offset * 60_000_000_000


@pytest.mark.parametrize("offset", [-1440, 1440, 10_000])
def test_an_offset_of_a_day_or_more_is_a_mistake_of_the_program(offset: int) -> None:
    with pytest.raises(ValueError, match="less than a day") as refused:
        to_timestamp("", offset)
    assert not isinstance(refused.value, TextError)
