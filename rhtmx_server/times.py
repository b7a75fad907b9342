"""Microseconds and `datetime`: the two forms of a point in time.

Knows how one becomes the other, exactly. Must not know the clock.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

__all__ = ["to_datetime", "to_micros"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


# All commits of a batch carry one time: 0.05 us instead of 1.1 us each.
@lru_cache(maxsize=256)
def to_datetime(micros: int) -> datetime:
    """Return microseconds since 1970 as a `datetime` in UTC.

    Raises:
        OverflowError: it lies outside the years 1 to 9999.

    Example:
        >>> to_datetime(1_500_000).isoformat()
        '1970-01-01T00:00:01.500000+00:00'
    """
    return _EPOCH + timedelta(microseconds=micros)


def to_micros(time: datetime) -> int:
    """Return a `datetime` as microseconds since 1970.

    Raises:
        ValueError: it has no zone, so that nobody knows when that was.

    Example:
        >>> to_micros(datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC))
        1500000
    """
    if time.tzinfo is None:
        raise ValueError("a time without a zone: give it one, as in datetime.now(UTC)")
    since = time - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
