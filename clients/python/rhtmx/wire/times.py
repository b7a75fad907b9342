"""Points in time: RFC 3339 text, protobuf seconds and nanoseconds, `datetime`.

Knows the one rule of both formats: UTC, years 1 to 9999, microseconds; finer
digits are cut off. Must not know the clock.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

__all__ = ["fill_timestamp", "from_text", "from_timestamp", "to_utc"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# RFC 3339 section 5.6 with upper-case letters; nanoseconds are the finest that
# a protobuf Timestamp holds.
_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)

# The usual ones, in UTC, with every digit a zero: telling them so takes half as long.
_SHAPES = frozenset(
    f"0000-00-00T00:00:00{fraction}Z".encode()
    for fraction in ("", *("." + "0" * digits for digits in range(1, 10)))
)
_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")

_MAX_NANOS = 999_999_999


def from_text(text: str) -> datetime:
    """Read an RFC 3339 time with a zone.

    Raises:
        ValueError: it is not one, or lies outside the years 1 to 9999 in UTC.
    """
    if text[11:13] == "24":
        raise ValueError("not an RFC 3339 time")
    if text.encode().translate(_TO_ZERO) in _SHAPES:
        return datetime.fromisoformat(text)
    if _RFC_3339.fullmatch(text) is None:
        raise ValueError("not an RFC 3339 time")
    return to_utc(datetime.fromisoformat(text))


def from_timestamp(seconds: int, nanos: int) -> datetime:
    """Read the two numbers of a protobuf Timestamp.

    Raises:
        ValueError: the nanoseconds are not 0 to 999,999,999, or the time lies
            outside the years 1 to 9999.
    """
    if not 0 <= nanos <= _MAX_NANOS:
        raise ValueError("nanoseconds out of range")
    try:
        return _EPOCH + timedelta(0, seconds, nanos // 1000)
    except OverflowError:
        raise ValueError("time out of range") from None


def fill_timestamp(time: datetime, target: Any) -> None:
    """Write a time into a protobuf Timestamp.

    Raises:
        TypeError: the time has no zone.
    """
    since = time - _EPOCH
    target.seconds = since.days * 86_400 + since.seconds
    target.nanos = since.microseconds * 1000


def to_utc(time: datetime) -> datetime:
    """Express a time in UTC.

    Raises:
        ValueError: the time has no zone, or lies outside the years 1 to 9999.
    """
    if time.tzinfo is UTC:
        return time
    if time.tzinfo is None:
        raise ValueError("a time without a zone: give it one, as in datetime.now(UTC)")
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError("time out of range") from None
