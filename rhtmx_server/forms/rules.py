"""Single rules for one text: lengths, numbers, patterns, choices, addresses.

Knows how to judge one string and to say in words what is wrong with it. Must
not know forms, messages, or anything that waits: every rule is a pure function.

A rule returns `None` for a value that it accepts, else the reason.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import product
from typing import TypeAlias

from email_validator import EmailNotValidError, validate_email

from rhtmx.patterns.pattern import compile_pattern
from rhtmx.patterns.problems import NotRegularError, PatternError
from rhtmx.schema.formats import is_web_url

__all__ = [
    "BOUNDS",
    "Check",
    "email",
    "max_length",
    "min_length",
    "number",
    "one_of",
    "pattern",
    "url",
]

Check: TypeAlias = Callable[[str], str | None]
"""One rule: returns what is wrong with the value, or `None`."""

_NUMERAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WHOLE_NUMERAL = re.compile(r"[+-]?[0-9]+")
_NUMERAL_LENGTH = 100  # more digits are no number that a person typed
_EMAIL_LENGTH = 254  # RFC 5321, 4.5.3.1.3: a path has 256 octets, "<" and ">" included
_CHOICES_SHOWN = 10
_FLAGS = {re.IGNORECASE: "i", re.MULTILINE: "m", re.DOTALL: "s"}

BOUNDS: Mapping[str, tuple[Callable[[Decimal, Decimal], bool], str]] = {
    "ge": (lambda value, bound: value >= bound, "must be {} or more"),
    "gt": (lambda value, bound: value > bound, "must be more than {}"),
    "le": (lambda value, bound: value <= bound, "must be {} or less"),
    "lt": (lambda value, bound: value < bound, "must be less than {}"),
}
"""The bounds of a number: what holds, and what is said where it does not."""


def min_length(least: int) -> Check:
    """Check for at least `least` characters.

    Characters are Unicode code points, which is what `len` counts. An accent
    typed as a character of its own counts, as does each part of a joined emoji.
    """
    _check_length("min_length", least)

    def check(value: str) -> str | None:
        if len(value) >= least:
            return None
        return f"is too short: {_characters(len(value))}, at least {least} needed"

    return check


def max_length(most: int) -> Check:
    """Check for at most `most` characters, counted as `min_length` does."""
    _check_length("max_length", most)

    def check(value: str) -> str | None:
        if len(value) <= most:
            return None
        return f"is too long: {_characters(len(value))}, at most {most} allowed"

    return check


def _check_length(name: str, length: object) -> None:
    if not isinstance(length, int) or isinstance(length, bool) or length < 0:
        raise ValueError(f"{name}: a whole number from 0 on expected, got {length!r}")


def _characters(count: int) -> str:
    return "1 character" if count == 1 else f"{count} characters"


def number(
    kind: type[int] | type[float] = float, bounds: Mapping[str, object] | None = None
) -> Check:
    """Check that the value is a number, within bounds.

    Takes ASCII digits with a point, as JSON and HTML do; space around it is
    ignored. Compared as decimals: no bound is off by a rounding.

    Args:
        kind: `int` for whole numbers, `float` for any.
        bounds: by name: `ge`, `gt`, `le`, `lt`.

    Raises:
        ValueError: `kind` is another type, a bound is not a finite number, or no number is within
            them.
    """
    if kind not in (int, float):
        raise ValueError(f"type: int or float expected, got {kind!r}")
    numeral = _WHOLE_NUMERAL if kind is int else _NUMERAL
    not_a_number = "is not a whole number" if kind is int else "is not a number"
    tests = [
        (BOUNDS[name][0], _bound(name, bound), BOUNDS[name][1].format(bound))
        for name, bound in (bounds or {}).items()
    ]
    _check_bounds(bounds or {}, kind)

    def check(value: str) -> str | None:
        parsed = _decimal(value.strip(), numeral)
        if parsed is None:
            return not_a_number
        for holds, bound, error in tests:
            if not holds(parsed, bound):
                return error
        return None

    return check


def _decimal(text: str, numeral: re.Pattern[str]) -> Decimal | None:
    if len(text) > _NUMERAL_LENGTH or not numeral.fullmatch(text) or not math.isfinite(float(text)):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond anything
        return None


def _check_bounds(bounds: Mapping[str, object], kind: type) -> None:
    lows = {name: _bound(name, bounds[name]) for name in ("ge", "gt") if name in bounds}
    highs = {name: _bound(name, bounds[name]) for name in ("le", "lt") if name in bounds}
    for (low, least), (high, most) in product(lows.items(), highs.items()):
        nothing = least > most or (least == most and (low, high) != ("ge", "le"))
        if kind is int:  # as far apart as 3 and 4, they have no whole number between them
            nothing = _first_whole(least, low == "gt") > -_first_whole(-most, high == "lt")
        if nothing:
            what = "no whole number" if kind is int else "nothing"
            raise ValueError(
                f"{low} {bounds[low]} leaves {what} below {high} {bounds[high]}: nothing would be "
                "valid"
            )


def _first_whole(least: Decimal, above: bool) -> int:
    """The least whole number from a bound on, or above it."""
    return math.floor(least) + 1 if above else math.ceil(least)


def _bound(name: str, bound: object) -> Decimal:
    if isinstance(bound, (int, float, Decimal)) and not isinstance(bound, bool):
        # By its text: `Decimal(0.1)` is the nearest double, and 0.1 itself would be below it.
        exact = Decimal(str(bound))
        if exact.is_finite():
            return exact
    raise ValueError(f"{name}: a finite number expected, got {bound!r}")


def pattern(expression: str | re.Pattern[str]) -> Check:
    r"""Check that the whole value matches a pattern in the syntax of RE2.

    It takes one look at each character, whatever strangers send. `\d`, `\w` and `\s` are ASCII:
    letters of all languages are `\p{L}`, digits `\p{Nd}`. Of a compiled expression, its text and
    its flags for case, lines and dots count.

    Raises:
        ValueError: it is no such pattern, with the reason and the place; for what no pattern can
            say, write a validator.
    """
    text, flags = _expression(expression)
    try:
        compiled = compile_pattern(text, whole=True, flags=flags)
    except NotRegularError as reason:
        raise ValueError(f"pattern {text!r}: {reason}: write a validator for it") from None
    except PatternError as reason:
        raise ValueError(f"pattern {text!r}: {reason}") from None

    def check(value: str) -> str | None:
        return None if compiled.matches(value) else "does not have the expected form"

    return check


def _expression(given: object) -> tuple[str, str]:
    """The text of a pattern, and its flags as RE2 calls them."""
    if isinstance(given, str):
        return given, ""
    if not isinstance(given, re.Pattern) or not isinstance(given.pattern, str):
        raise ValueError(f"pattern: a text expected, got {given!r}")
    if given.flags & re.VERBOSE:
        raise ValueError(
            f"pattern {given.pattern!r}: re.VERBOSE is unknown: write it without space and comments"
        )
    return given.pattern, "".join(name for flag, name in _FLAGS.items() if given.flags & flag)


def one_of(choices: Sequence[str]) -> Check:
    """Check that the value is one of `choices`, letter by letter.

    Raises:
        ValueError: `choices` is empty, one string, or holds anything but strings.
    """
    if isinstance(choices, str) or not choices or not all(isinstance(c, str) for c in choices):
        raise ValueError(f"one_of: a list of strings expected, got {choices!r}")
    # Looked up, not searched: a list of countries is asked about at each key.
    allowed = frozenset(choices)
    more = ", …" if len(choices) > _CHOICES_SHOWN else ""
    error = f"must be one of: {', '.join(list(choices)[:_CHOICES_SHOWN])}{more}"

    def check(value: str) -> str | None:
        return None if value in allowed else error

    return check


def email(value: str) -> str | None:
    """Check that the value is an email address that could receive mail from anywhere.

    By the rules of the `email-validator` package, without asking DNS. Space
    around it is ignored, as an HTML email input does.
    """
    address = value.strip()
    if len(address) <= _EMAIL_LENGTH:
        try:
            validate_email(address, check_deliverability=False)
        except EmailNotValidError:
            pass
        else:
            return None
    return "is not an email address"


def url(value: str) -> str | None:
    """Check that the value is an absolute `http` or `https` address. Space around it is ignored."""
    return None if is_web_url(value.strip()) else "is not a web address (http:// or https://)"
