"""Facts about `rhtmx.cli.text`."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhtmx.cli.text import cut, escape, json_text, pad, width

NASTY = "\x00\x1b\x7f\x85\x9b\u200b\u202e\u2028\u2066\ufeff\u00a0\U000e0001"


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from(NASTY))))
def test_what_is_escaped_can_be_printed(text: str) -> None:
    assert escape(text).isprintable()


@given(st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(list(NASTY)))
def test_escaped_json_is_the_same_json(text: str) -> None:
    value = {text: [text]}
    shown = json_text(value)
    assert shown.isprintable()
    assert json.loads(shown) == value


def test_what_can_be_printed_stays_as_it_is() -> None:
    assert escape("Wörk 日本 👍 \\n") == "Wörk 日本 👍 \\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a\nb", "a\\nb"), ("\x1b[2J", "\\u001b[2J"), ("\U000e0001", "\\udb40\\udc01")],
)
def test_what_a_terminal_would_obey_is_seen(text: str, shown: str) -> None:
    assert escape(text) == shown


@pytest.mark.parametrize(("text", "columns"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("", 0)])
def test_width_is_in_columns(text: str, columns: int) -> None:
    assert width(text) == columns


@given(st.text(alphabet="ab日本é\u0301"), st.integers(1, 12))
def test_a_cut_text_fits_and_says_that_it_is_cut(text: str, columns: int) -> None:
    short = cut(text, columns)
    assert width(short) <= columns
    if width(text) <= columns:
        assert short == text
    else:
        assert short.endswith("…")
        assert text.startswith(short[:-1])


def test_a_text_is_filled_up_to_its_columns() -> None:
    assert pad("日本", 6) == "日本  "
    assert pad("abcdef", 3) == "abcdef"
