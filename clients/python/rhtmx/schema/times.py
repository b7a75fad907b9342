"""Points in time and lengths of time: their text in JSON, and integers of nanoseconds.

Knows the two forms of text that JSON of Protobuf has, RFC 3339 and `1.5s`, and Python's own
types for them. Must not know the present time, fields, or rules.

Integers, because `datetime` and `timedelta` cut a text to microseconds: two times would be one.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

__all__ = [
    "MAX_DURATION",
    "MAX_TIMESTAMP",
    "MIN_DURATION",
    "MIN_TIMESTAMP",
    "from_datetime",
    "from_timedelta",
    "parse_duration",
    "parse_timestamp",
    "to_datetime",
    "to_timedelta",
    "write_duration",
    "write_timestamp",
]

_SECOND = 1_000_000_000
_MICROSECOND = 1_000
_DAY = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()

MIN_TIMESTAMP = -62_135_596_800 * _SECOND
"""0001-01-01T00:00:00Z, in nanoseconds since 1970."""

MAX_TIMESTAMP = 253_402_300_800 * _SECOND - 1
"""9999-12-31T23:59:59.999999999Z, in nanoseconds since 1970."""

MAX_DURATION = 315_576_000_001 * _SECOND - 1
"""315576000000.999999999s: ten thousand years, as `google.protobuf.Duration` has it."""

MIN_DURATION = -MAX_DURATION
"""The same, back in time."""

_TIMESTAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])"
    r"(?:\.([0-9]{1,9}))?(?:Z|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
)
_DURATION = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]{1,9}))?s")


def parse_timestamp(text: str) -> int | None:
    """Read a point in time: RFC 3339, of the years 1 to 9999.

    `T` and `Z` are capital letters, as in JSON of Protobuf; an offset may stand in place of the
    `Z`. Second 60 is none, not even where a leap second was.

    Args:
        text: the text as it is, with up to nine digits of a second.

    Returns:
        Nanoseconds since 1970, UTC; `None` for any other text.

    Example:
        >>> parse_timestamp("1970-01-01T01:00:00.5+01:00")
        500000000
    """
    parts = _TIMESTAMP.fullmatch(text)
    if not parts:
        return None
    day, hour, minute, second, fraction, sign, offset_hour, offset_minute = parts.groups()
    try:
        days = date.fromisoformat(day).toordinal() - _EPOCH_DAY
    except ValueError:  # the 30th of February, the year 0
        return None
    seconds = days * _DAY + int(hour) * 3600 + int(minute) * 60 + int(second)
    if sign:
        offset = int(offset_hour) * 3600 + int(offset_minute) * 60
        seconds += offset if sign == "-" else -offset
    nanoseconds = seconds * _SECOND + _nanoseconds(fraction)
    return nanoseconds if MIN_TIMESTAMP <= nanoseconds <= MAX_TIMESTAMP else None


def _nanoseconds(fraction: str | None) -> int:
    return int(fraction.ljust(9, "0")) if fraction else 0


def write_timestamp(nanoseconds: int) -> str:
    """Write a point in time as every writer does: with `Z`, and 0, 3, 6 or 9 digits of a second.

    Args:
        nanoseconds: since 1970, UTC.

    Raises:
        ValueError: it is not in the years 1 to 9999.

    Example:
        >>> write_timestamp(500_000_000)
        '1970-01-01T00:00:00.500Z'
    """
    if not MIN_TIMESTAMP <= nanoseconds <= MAX_TIMESTAMP:
        raise ValueError(f"a time of the years 1 to 9999 expected, got {nanoseconds} nanoseconds")
    seconds, rest = divmod(nanoseconds, _SECOND)
    # `strftime` would write the year 1 as "1".
    whole = (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()
    return f"{whole}{_fraction(rest)}Z"


def _fraction(nanoseconds: int) -> str:
    if not nanoseconds:
        return ""
    digits = f"{nanoseconds:09}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return f".{digits}"


def parse_duration(text: str) -> int | None:
    """Read a length of time: seconds with up to nine digits after the point, and an `s`.

    Args:
        text: the text as it is; a `-` before it goes back in time, and a `+` is none.

    Returns:
        Nanoseconds; `None` for any other text, and beyond ten thousand years.

    Example:
        >>> parse_duration("-1.5s")
        -1500000000
    """
    parts = _DURATION.fullmatch(text)
    if not parts:
        return None
    sign, seconds, fraction = parts.groups()
    nanoseconds = int(seconds) * _SECOND + _nanoseconds(fraction)
    if nanoseconds > MAX_DURATION:
        return None
    return -nanoseconds if sign else nanoseconds


def write_duration(nanoseconds: int) -> str:
    """Write a length of time as every writer does: with 0, 3, 6 or 9 digits after the point.

    Raises:
        ValueError: it is longer than ten thousand years.

    Example:
        >>> write_duration(-1_500_000_000)
        '-1.500s'
    """
    if not MIN_DURATION <= nanoseconds <= MAX_DURATION:
        raise ValueError(
            f"a duration of up to 315576000000 seconds expected, got {nanoseconds} nanoseconds"
        )
    seconds, rest = divmod(abs(nanoseconds), _SECOND)
    return f"{'-' if nanoseconds < 0 else ''}{seconds}{_fraction(rest)}s"


def to_datetime(nanoseconds: int) -> datetime:
    """Make a point in time a `datetime` in UTC, cut to its microsecond.

    Args:
        nanoseconds: since 1970, UTC.

    Raises:
        ValueError: it is not in the years 1 to 9999.
    """
    if not MIN_TIMESTAMP <= nanoseconds <= MAX_TIMESTAMP:
        raise ValueError(f"a time of the years 1 to 9999 expected, got {nanoseconds} nanoseconds")
    return _EPOCH + timedelta(microseconds=nanoseconds // _MICROSECOND)


def from_datetime(moment: datetime) -> int:
    """Make a `datetime` nanoseconds since 1970.

    Raises:
        ValueError: it has no time zone, so nobody knows when it is; or it is, in UTC, not in
            the years 1 to 9999.

    Example:
        >>> from_datetime(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
        1000000000
    """
    if moment.utcoffset() is None:
        raise ValueError(
            f"a datetime with a time zone expected, got {moment.isoformat()} without one: "
            "write datetime(…, tzinfo=UTC), or moment.astimezone() for the zone of this computer"
        )
    nanoseconds = from_timedelta(moment - _EPOCH)
    if not MIN_TIMESTAMP <= nanoseconds <= MAX_TIMESTAMP:
        raise ValueError(f"a time of the years 1 to 9999 in UTC expected, got {moment.isoformat()}")
    return nanoseconds


def to_timedelta(nanoseconds: int) -> timedelta:
    """Make a length of time a `timedelta`, cut to its microsecond, towards zero."""
    microseconds = abs(nanoseconds) // _MICROSECOND
    return timedelta(microseconds=-microseconds if nanoseconds < 0 else microseconds)


def from_timedelta(length: timedelta) -> int:
    """Make a `timedelta` nanoseconds.

    A `timedelta` may be longer than what `write_duration` takes.
    """
    seconds = length.days * _DAY + length.seconds
    return seconds * _SECOND + length.microseconds * _MICROSECOND
