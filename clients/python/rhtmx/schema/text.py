"""What a person entered into a field of a form, as the value that a record has in JSON.

Knows the texts that inputs of a page send, and the one way to read each. Must not know rules
(a number may still be too large), records, or which field it is.

The same in every client and in the server. Nothing here is by the language's own `int`, `float`
or `strip`: those take `1_000`, `nan` and the digits of any script, and another space.

An empty text, or one of nothing but space, is no value: `None`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from math import isfinite

from rhtmx.schema.times import (
    MAX_TIMESTAMP,
    MIN_TIMESTAMP,
    parse_duration,
    parse_timestamp,
    write_duration,
    write_timestamp,
)

__all__ = [
    "SPACE",
    "TextError",
    "to_bool",
    "to_bytes",
    "to_day",
    "to_duration",
    "to_float",
    "to_int",
    "to_timestamp",
    "to_word",
    "trim",
]

SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""What is cut from both ends of a text: the 25 letters that are White_Space in Unicode, and U+FEFF.

Python's `strip` takes U+001C to U+001F, too; JavaScript's `trim` has no U+0085.
"""

_LONGEST = 100  # more digits are no number that a person typed
_WHOLE = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LOCAL = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T([0-9]{2}:[0-9]{2})(:[0-9]{2}(?:\.[0-9]{1,9})?)?)?"
)
_BOOLEANS = {"on": True, "true": True, "false": False}
_WORDS_SHOWN = 10
_MINUTE = 60_000_000_000
_MOST_MINUTES = 24 * 60


class TextError(ValueError):
    """A text cannot be read as what its field holds.

    Args:
        words: why, in words for the user: what follows the name of the field.

    Attributes:
        words: the same.
    """

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


def trim(text: str) -> str:
    r"""Cut space from both ends of a text: what is in `SPACE`, and nothing else.

    Example:
        >>> trim("\u00a0 12\n")
        '12'
    """
    return text.strip(SPACE)


def to_int(text: str) -> int | None:
    """Read a whole number: ASCII digits, which may have a sign and zeros before them.

    `+5` is 5, `-0` is 0, `007` is 7. Neither `1.0`, `1e3`, `0x1f` nor `1_000` is one, and none
    has more than 100 digits.

    Raises:
        TextError: it is none.

    Example:
        >>> to_int(" 007 "), to_int("")
        (7, None)
    """
    entered = trim(text)
    if not entered:
        return None
    if len(entered) > _LONGEST or not _WHOLE.fullmatch(entered):
        raise TextError("must be a whole number")
    return int(entered)


def to_float(text: str) -> float | None:
    """Read a number: ASCII digits with a point, or with an exponent.

    `.5`, `1.` and `1e3` are numbers, and `-0` is 0. Neither `1,5`, `nan`, `inf` nor `1e999` is
    one, and none is longer than 100 letters.

    Raises:
        TextError: it is none.

    Example:
        >>> to_float(".5"), to_float("1e3")
        (0.5, 1000.0)
    """
    entered = trim(text)
    if not entered:
        return None
    if len(entered) <= _LONGEST and _NUMBER.fullmatch(entered):
        number = float(entered)
        if isfinite(number):
            return number + 0.0  # JSON has a -0.0 in Python, and none in JavaScript
    raise TextError("must be a number")


def to_bool(text: str | None) -> bool | None:
    """Read a checkbox, or a choice between true and false.

    Args:
        text: `on` or `true`, or `false`; `None` where the form has nothing of that name, as of
            a checkbox without its check: that is false. An empty text is no answer.

    Raises:
        TextError: it is another text.

    Example:
        >>> to_bool("on"), to_bool(None), to_bool("")
        (True, False, None)
    """
    if text is None:
        return False
    entered = trim(text)
    if not entered:
        return None
    if entered not in _BOOLEANS:
        raise TextError("must be true or false")
    return _BOOLEANS[entered]


def to_word(text: str, words: Collection[str]) -> str | None:
    """Read a choice of several words, letter by letter.

    Args:
        text: what was entered.
        words: those of the enum.

    Raises:
        TextError: it is none of them; their numbers are none, either.

    Example:
        >>> to_word("low", ["low", "high"])
        'low'
    """
    entered = trim(text)
    if not entered:
        return None
    if entered not in words:
        shown = ", ".join(list(words)[:_WORDS_SHOWN])
        raise TextError(f"must be one of: {shown}{', …' if len(words) > _WORDS_SHOWN else ''}")
    return entered


def to_timestamp(text: str, offset_minutes: int | None = None) -> str | None:
    """Read a point in time, and write it as a record has it: in UTC, with `Z`.

    Args:
        text: a whole time with its zone (RFC 3339), or what an input sends for a date and time
            of a place: `2026-11-29T15:00`, with seconds or without; a date alone is its midnight.
        offset_minutes: how far the clocks of that place are ahead of UTC, less than a day.
            `None`: no place is known, so a text must have its zone.

    Raises:
        TextError: it is no time, or one without a zone where no place is known, or it is, in
            UTC, not in the years 1 to 9999.
        ValueError: the offset is a day or more.

    Example:
        >>> to_timestamp("2026-11-29T15:00", offset_minutes=60)
        '2026-11-29T14:00:00Z'
    """
    if offset_minutes is not None and not -_MOST_MINUTES < offset_minutes < _MOST_MINUTES:
        raise ValueError(f"an offset of less than a day, in minutes, expected: {offset_minutes}")
    entered = trim(text)
    if not entered:
        return None
    moment = parse_timestamp(entered)
    return write_timestamp(_of_place(entered, offset_minutes) if moment is None else moment)


def _of_place(text: str, offset_minutes: int | None) -> int:
    parts = _LOCAL.fullmatch(text)
    day, time, second = parts.groups() if parts else ("", "", "")
    moment = parse_timestamp(f"{day}T{time or '00:00'}{second or ':00'}Z")
    if moment is None:
        raise TextError("must be a date and time")
    if offset_minutes is None:
        raise TextError("must have a time zone")
    moment -= offset_minutes * _MINUTE
    if not MIN_TIMESTAMP <= moment <= MAX_TIMESTAMP:
        raise TextError("must be in the years 1 to 9999")
    return moment


def to_day(text: str) -> str | None:
    """Read a date, as an input of a page sends it: `2026-11-29`, in the years 1 to 9999.

    Raises:
        TextError: it is none.
    """
    entered = trim(text)
    if not entered:
        return None
    if not _DATE.fullmatch(entered) or parse_timestamp(f"{entered}T00:00:00Z") is None:
        raise TextError("must be a date")
    return entered


def to_duration(text: str) -> str | None:
    """Read a length of time, and write it as a record has it: `1.5s` becomes `1.500s`.

    Raises:
        TextError: it is none, or it is longer than ten thousand years.
    """
    entered = trim(text)
    if not entered:
        return None
    length = parse_duration(entered)
    if length is None:
        raise TextError("must be a duration in seconds, such as 1.5s")
    return write_duration(length)


def to_bytes(text: str) -> None:
    """Refuse a text for bytes: no input sends them.

    Raises:
        TextError: the text is not empty.
    """
    if trim(text):
        raise TextError("cannot be entered as text")
