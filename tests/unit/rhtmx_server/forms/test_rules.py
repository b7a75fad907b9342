"""Facts about `rhtmx_server.forms.rules`."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from rhtmx_server.forms.rules import (
    email,
    max_length,
    min_length,
    number,
    one_of,
    pattern,
    url,
)


def test_too_short_is_told_with_both_figures() -> None:
    assert min_length(10)("Hi") == "is too short: 2 characters, at least 10 needed"


def test_one_character_is_not_called_characters() -> None:
    assert min_length(2)("x") == "is too short: 1 character, at least 2 needed"


def test_too_long_is_told_with_both_figures() -> None:
    assert max_length(3)("four") == "is too long: 4 characters, at most 3 allowed"


def test_the_limit_itself_is_within_both_lengths() -> None:
    assert min_length(4)("four") is None
    assert max_length(4)("four") is None


def test_a_character_outside_the_basic_plane_counts_once() -> None:
    assert max_length(1)("\U0001f600") is None


@pytest.mark.parametrize("length", [-1, 1.5, "3", True, None])
def test_a_length_that_is_no_count_is_refused(length: Any) -> None:
    with pytest.raises(ValueError, match="a whole number from 0 on expected"):
        min_length(length)


@pytest.mark.parametrize("text", ["0", "-1", "+7", " 18 ", "007"])
def test_whole_numbers_are_integers(text: str) -> None:
    assert number(int)(text) is None


@pytest.mark.parametrize("text", ["1.0", "1e3", "1_000", "0x10", "٣", "", "-", "1 2", "9" * 101])
def test_anything_else_is_no_integer(text: str) -> None:
    assert number(int)(text) == "is not a whole number"


@pytest.mark.parametrize("text", ["0", ".5", "5.", "-1.25", "1e3", "1E-3"])
def test_decimals_and_exponents_are_numbers(text: str) -> None:
    assert number(float)(text) is None


@pytest.mark.parametrize(
    "text", ["nan", "inf", "-Infinity", "1e400", "1e-99999999999999999999", "1,5", "½", "."]
)
def test_what_is_not_finite_or_not_written_with_digits_is_no_number(text: str) -> None:
    assert number(float)(text) == "is not a number"


@pytest.mark.parametrize(
    ("bound", "good", "bad", "error"),
    [
        ("ge", "18", "17.999", "must be 18 or more"),
        ("gt", "18.001", "18", "must be more than 18"),
        ("le", "18", "18.001", "must be 18 or less"),
        ("lt", "17.999", "18", "must be less than 18"),
    ],
)
def test_each_bound_knows_its_edge(bound: Any, good: str, bad: str, error: str) -> None:
    check = number(float, {bound: 18})
    assert check(good) is None
    assert check(bad) == error


def test_a_bound_is_not_off_by_a_binary_rounding() -> None:
    assert number(float, {"le": 0.3})("0.3") is None
    assert number(float, {"lt": 0.3})("0.3") == "must be less than 0.3"
    assert number(float, {"le": Decimal("0.1")})("0.10000000000000000001") is not None


@pytest.mark.parametrize("bound", ["18", True, float("nan"), float("inf"), None])
def test_a_bound_that_is_no_number_is_refused(bound: Any) -> None:
    with pytest.raises(ValueError, match="ge: a finite number expected"):
        number(int, {"ge": bound})


@pytest.mark.parametrize("bounds", [{"ge": 18, "le": 3}, {"ge": 3, "lt": 3}, {"gt": 3, "le": 3.0}])
def test_bounds_with_nothing_between_them_are_refused(bounds: Any) -> None:
    with pytest.raises(ValueError, match=r"leaves nothing below .* nothing would be valid"):
        number(float, bounds)


@pytest.mark.parametrize(
    "bounds",
    [
        {"gt": 3, "lt": 4},
        {"gt": -4, "lt": -3},
        {"ge": 3.1, "le": 3.9},
        {"gt": 3, "le": Decimal("3.5")},
        {"ge": 18, "le": 3},
    ],
)
def test_bounds_with_no_whole_number_between_them_are_refused(bounds: Any) -> None:
    with pytest.raises(ValueError, match=r"leaves no whole number below .*: nothing would be"):
        number(int, bounds)


@pytest.mark.parametrize(
    "bounds",
    [{"ge": 3, "le": 3}, {"gt": 2, "lt": 4}, {"ge": 2.5, "lt": 3.5}, {"gt": 2.9, "le": 3}],
)
def test_a_number_may_be_bound_to_one_value(bounds: Any) -> None:
    assert number(int, bounds)("3") is None


def test_a_type_other_than_int_and_float_is_refused() -> None:
    with pytest.raises(ValueError, match="type: int or float expected"):
        number(str)  # type: ignore[arg-type]


def test_a_pattern_has_to_match_the_whole_value() -> None:
    check = pattern(r"\d{5}")
    assert check("12345") is None
    assert check("12345\n") == "does not have the expected form"
    assert check("123456") == "does not have the expected form"


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("(", r"pattern '(': ) is missing, at character 1"),
        ("a)(b", r"pattern 'a)(b': a ) without a (: write \) for the character, at character 2"),
        (
            r"\d+(?=x)",
            r"pattern '\\d+(?=x)': a pattern cannot look ahead, at character 4: "
            "write a validator for it",
        ),
        (
            re.compile("a b", re.VERBOSE),
            "pattern 'a b': re.VERBOSE is unknown: write it without space and comments",
        ),
        (re.compile(b"a"), "pattern: a text expected, got re.compile(b'a')"),
        (7, "pattern: a text expected, got 7"),
    ],
)
def test_a_pattern_that_is_none_is_refused_at_registration(expression: Any, words: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(words)}$"):
        pattern(expression)


def test_a_compiled_pattern_is_taken_with_its_flags() -> None:
    check = pattern(re.compile("a.^b", re.IGNORECASE | re.DOTALL | re.MULTILINE))
    assert check("A\nB") is None
    assert pattern(re.compile("a.^b"))("a\nb") == "does not have the expected form"


def test_letters_and_digits_of_a_pattern_are_ascii_unless_it_says_otherwise() -> None:
    assert pattern(r"\w\d")("\xe91") == "does not have the expected form"
    assert pattern(r"\p{L}\p{Nd}")("\xe9\u0663") is None


def test_no_value_holds_up_a_pattern() -> None:
    assert pattern("(a+)+")("a" * 50_000 + "!") == "does not have the expected form"


def test_one_of_tells_the_choices() -> None:
    check = one_of(["red", "green"])
    assert check("red") is None
    assert check("Red") == "must be one of: red, green"


def test_one_of_many_tells_only_the_first() -> None:
    error = one_of([str(n) for n in range(100)])("x")
    assert error == "must be one of: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …"


@pytest.mark.parametrize("choices", ["abc", [], [1, 2]])
def test_choices_that_are_no_list_of_strings_are_refused(choices: Any) -> None:
    with pytest.raises(ValueError, match="a list of strings expected"):
        one_of(choices)


@pytest.mark.parametrize("text", ["ada@example.com", " ada@example.com ", "ä@müller.de"])
def test_an_address_that_can_receive_mail_is_one(text: str) -> None:
    assert email(text) is None


@pytest.mark.parametrize(
    "text",
    ["nope", "a@localhost", "a@@b.com", "a b@c.com", "a@b.com\nBcc: c@d.com", "@", "a" * 255],
)
def test_anything_else_is_no_email_address(text: str) -> None:
    assert email(text) == "is not an email address"


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com",
        "http://localhost:3000/a?b=c#d",
        "HTTPS://EXAMPLE.COM",
        "https://[::1]:8443/",
        "https://müller.de/ü",
        "https://example.com.",
        f"https://{'a.' * 125}com/{'x' * 60_000}",
    ],
)
def test_absolute_http_addresses_are_urls(text: str) -> None:
    assert url(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "example.com",
        "ftp://example.com",
        "javascript:alert(1)",
        "https://",
        "https:///path",
        "https://exa mple.com",
        "https://example.com/\njavascript:",
        "https://example.com:99999",
        "https://example.com:0",
        "https://-a.com",
        "https://a..b",
        f"https://{'a.' * 126}com",
        f"https://{'a.' * 30_000}com",
        "https://[::1",
        'https://example.com/"><script>',
    ],
)
def test_anything_else_is_no_url(text: str) -> None:
    assert url(text) == "is not a web address (http:// or https://)"
