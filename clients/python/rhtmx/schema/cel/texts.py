"""Strings of a rule at run time, where Python's own methods are not enough.

Knows CEL's functions of strings and how it writes values. Must not know messages or rules.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from typing import Any

from rhtmx.patterns.matching import matches
from rhtmx.schema.cel.errors import CelError

__all__ = [
    "cel_char_at",
    "cel_fixed",
    "cel_index_of",
    "cel_last_index_of",
    "cel_lower_ascii",
    "cel_matches",
    "cel_replace",
    "cel_scientific",
    "cel_split",
    "cel_substring",
    "cel_text_bytes",
    "cel_text_double",
    "cel_text_list",
    "cel_trim",
    "cel_upper_ascii",
]

_UPPER = re.compile("[A-Z]+")
_LOWER = re.compile("[a-z]+")
_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_EDGES = re.compile(rf"\A[{_SPACE}]+|[{_SPACE}]+\Z")


def cel_char_at(text: str, at: int) -> str:
    """Return one character of a text, or an empty text right behind the last one.

    Args:
        text: the text.
        at: from 0.

    Raises:
        CelError: it is further outside.
    """
    if 0 <= at <= len(text):
        return text[at : at + 1]
    raise _outside(at)


def cel_substring(text: str, begin: int, end: int | None = None) -> str:
    """Return a piece of a text.

    Args:
        text: the text.
        begin: where, from 0.
        end: before which character; that of the text if it is not said.

    Raises:
        CelError: it is not within the text.
    """
    last = len(text) if end is None else end
    if 0 <= begin <= last <= len(text):
        return text[begin:last]
    raise _outside(begin if end is None else end)


def cel_index_of(text: str, part: str, at: int = 0) -> int:
    """Return where a part begins first, or -1.

    Args:
        text: the text.
        part: what to look for.
        at: from where on.

    Raises:
        CelError: that is not within the text.
    """
    if 0 <= at <= len(text):
        return text.find(part, at)
    raise _outside(at)


def cel_last_index_of(text: str, part: str, at: int | None = None) -> int:
    """Return where a part begins last, or -1.

    Args:
        text: the text.
        part: what to look for.
        at: where it may begin at the latest.

    Raises:
        CelError: that is not within the text.
    """
    if at is None:
        return text.rfind(part)
    if 0 <= at <= len(text):
        return text.rfind(part, 0, at + len(part))
    raise _outside(at)


def cel_lower_ascii(text: str) -> str:
    """Return a text with A to Z as a to z.

    Args:
        text: the text.
    """
    return _UPPER.sub(lambda found: found[0].lower(), text)


def cel_upper_ascii(text: str) -> str:
    """Return a text with a to z as A to Z.

    Args:
        text: the text.
    """
    return _LOWER.sub(lambda found: found[0].upper(), text)


def cel_replace(text: str, part: str, by: str, most: int = -1) -> str:
    """Return a text where a part is replaced.

    Args:
        text: the text.
        part: what to replace.
        by: with what.
        most: how often; below zero for all.
    """
    return text.replace(part, by, max(most, -1))


def cel_split(text: str, between: str, most: int = -1) -> list[str]:
    """Return the parts of a text.

    Args:
        text: the text.
        between: what is between two parts; empty for single characters.
        most: how many parts; below zero for all.
    """
    if most == 0:
        return []
    if between:
        return text.split(between, max(most - 1, -1) if most > 0 else -1)
    if most < 0 or most >= len(text):
        return list(text)
    return [*text[: most - 1], text[most - 1 :]]


def cel_trim(text: str) -> str:
    """Return a text without the spaces around it.

    Args:
        text: the text. What a space is does not depend on the version of Unicode.
    """
    return _EDGES.sub("", text)


def cel_text_bytes(value: bytes) -> str:
    """Return the text that bytes are.

    Args:
        value: UTF-8.

    Raises:
        CelError: it is none.
    """
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise CelError("the bytes are no text") from None


def cel_text_double(value: float) -> str:
    """Return a number as the shortest text that means it, as TypeScript writes it.

    Args:
        value: the number.
    """
    if not math.isfinite(value):
        return "NaN" if value != value else ("Infinity" if value > 0 else "-Infinity")
    if value == 0:
        return "0"
    digits, _, power = repr(abs(value)).partition("e")
    whole, _, rest = digits.partition(".")
    point = len(whole) + int(power or 0)
    figures = (whole + rest).lstrip("0")
    point -= len(whole + rest) - len(figures)
    figures = figures.rstrip("0")
    return ("-" if value < 0 else "") + _placed(figures, point)


def _placed(figures: str, point: int) -> str:
    if 0 < point <= 21:
        return (
            figures.ljust(point, "0")
            if len(figures) <= point
            else f"{figures[:point]}.{figures[point:]}"
        )
    if -6 < point <= 0:
        return f"0.{'0' * -point}{figures}"
    mantissa = figures[0] + (f".{figures[1:]}" if len(figures) > 1 else "")
    return f"{mantissa}e{point - 1:+}"


def cel_text_list(items: Iterable[Any], text: Callable[[Any], str]) -> str:
    """Return a list as `[1, 2]`.

    Args:
        items: its items.
        text: how one is written.
    """
    return f"[{', '.join(map(text, items))}]"


def cel_matches(text: str, table: str) -> bool:
    """Tell whether a pattern matches somewhere in a text.

    Args:
        text: the text.
        table: the pattern, compiled.
    """
    return matches(table, text)


def cel_fixed(value: float, digits: int) -> str:
    """Return a number with a fixed count of digits behind the point.

    Args:
        value: the number. A half is rounded to the even neighbour.
        digits: how many.
    """
    return f"{value:.{digits}f}" if math.isfinite(value) else cel_text_double(value)


def cel_scientific(value: float, digits: int) -> str:
    """Return a number as `1.5e+03`.

    Args:
        value: the number. A half is rounded to the even neighbour.
        digits: how many behind the point.
    """
    return f"{value:.{digits}e}" if math.isfinite(value) else cel_text_double(value)


def _outside(at: int) -> CelError:
    return CelError(f"{at} is outside of the text")
