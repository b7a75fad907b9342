from __future__ import annotations

import pytest

from rhtmx.errors import ErrorCode
from rhtmx.wire.embedded_json import Pairs
from rhtmx.wire.refusal import bad_message, expected, out_of_range, show


def test_a_refusal_names_the_place_first() -> None:
    error = bad_message("push.data", "not valid JSON")
    assert (error.code, error.message) == (ErrorCode.BAD_MESSAGE, "push.data: not valid JSON")


def test_a_refusal_says_what_was_expected_and_what_came() -> None:
    error = expected("push_fields.fields[2].timestamp", "an RFC 3339 time", "yesterday")
    assert error.message == (
        "push_fields.fields[2].timestamp: an RFC 3339 time expected, got 'yesterday'"
    )


def test_an_integer_out_of_range_names_the_range() -> None:
    assert out_of_range("sync", "since", 2**60).message == (
        "sync.since: an integer from -9007199254740991 to 9007199254740991 expected, "
        "got 1152921504606846976"
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (5, "5"),
        (1.5, "1.5"),
        ("x", "'x'"),
        ([1], "a list"),
        (Pairs(), "an object"),
        ({}, "an object"),
    ],
)
def test_values_are_shown_in_the_words_of_json(value: object, shown: str) -> None:
    assert show(value) == shown


def test_long_input_is_cut() -> None:
    assert show("x" * 1000) == f"'{'x' * 37}...'"
    assert len(show(10**300)) == 40


def test_control_characters_and_half_surrogates_do_not_reach_a_log() -> None:
    assert show("a\r\nb\x1b[31m\ud800").isprintable()
