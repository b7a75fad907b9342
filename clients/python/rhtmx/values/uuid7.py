"""Ids for new records: UUIDs of version 7 (RFC 9562, 5.7), which sort by the time of their making.

Knows their layout. Must not know the clock, nor where randomness comes from: both are arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

__all__ = ["uuid7"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62


def uuid7(now: datetime, random: Callable[[], float]) -> str:
    """A new id.

    Args:
        now: the time.
        random: gives a number from 0 to 1, 1 excluded, each time it is called.

    Example:
        >>> uuid7(datetime(2026, 1, 31, tzinfo=UTC), lambda: 0.0)
        '019c1159-7000-7000-8000-000000000000'
    """
    milliseconds = (now - _EPOCH) // _MILLISECOND
    first = int(random() * 2**12) << 64
    rest = int(random() * 2**31) << 31 | int(random() * 2**31)
    text = f"{milliseconds << 80 | _VERSION | first | _VARIANT | rest:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
