"""Times that a rule writes as a text, such as `duration("1h30m")`.

Knows how CEL writes a duration and a fixed time zone. Must not know syntax.
"""

from __future__ import annotations

import re
from fractions import Fraction

from rhtmx.schema.times import parse_timestamp
from rhtmx_codegen.cel.refusal import NotInSubset

__all__ = ["read_duration", "read_timestamp", "read_zone"]

_UNITS = {
    "h": 3600 * 10**9,
    "m": 60 * 10**9,
    "s": 10**9,
    "ms": 10**6,
    "us": 10**3,
    "µs": 10**3,
    "ns": 1,
}
_PART = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|µs|ms|s|m|h)"
_DURATION = re.compile(rf"[+-]?(?:0|(?:{_PART})+)")
_NUMBER = re.compile(r"([0-9.]+)(ns|us|µs|ms|s|m|h)")
_ZONE = re.compile(r"([+-]?)([0-9]{1,2}):([0-9]{2})")
_LONGEST = 315576000000 * 10**9 + 999999999


def read_duration(text: str, offset: int) -> int:
    """Return the nanoseconds of a duration.

    Args:
        text: such as `-1h30m`, or `1.5s`.
        offset: where it stands.

    Raises:
        NotInSubset: it is none, or is too long.
    """
    if not _DURATION.fullmatch(text):
        raise NotInSubset(f'{text!r} is no duration, such as "1h30m"', offset)
    total = sum(int(Fraction(count) * _UNITS[unit]) for count, unit in _NUMBER.findall(text))
    if total > _LONGEST:
        raise NotInSubset(f"{text!r} is too long for a duration", offset)
    return -total if text.startswith("-") else total


def read_timestamp(text: str, offset: int) -> int:
    """Return the nanoseconds since 1970 of a time.

    Args:
        text: of RFC 3339.
        offset: where it stands.

    Raises:
        NotInSubset: it is none.
    """
    found = parse_timestamp(text)
    if found is None:
        raise NotInSubset(f"{text!r} is no time of RFC 3339, 2026-01-31T12:00:00Z", offset)
    return found


def read_zone(text: str, offset: int) -> int:
    """Return the minutes that a zone is east of Greenwich.

    Args:
        text: `UTC`, or such as `-08:00`.
        offset: where it stands.

    Raises:
        NotInSubset: it is a zone by its name, which a program may not know, or none.
    """
    if text in {"", "UTC"}:
        return 0
    found = _ZONE.fullmatch(text)
    if found is None:
        raise NotInSubset(
            f"the time zone {text!r} is not compiled: write UTC or a fixed offset, -08:00", offset
        )
    sign, hours, minutes = found.groups()
    return (int(hours) * 60 + int(minutes)) * (-1 if sign == "-" else 1)
