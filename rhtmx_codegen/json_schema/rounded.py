"""Numbers that are rounded to 32 bits before they are judged, as bounds of numbers that are not.

Knows how a number is rounded: to the nearest, and of two to the even one. Must not know rules.

0.1 of 32 bits is more than 0.1; the number 0.1 of a record is rounded to it, and then is not less.
So the bound that is said is where rounding begins to reach the bound of the rule.
"""

from __future__ import annotations

import struct

__all__ = ["LARGEST", "at_least", "at_most", "equal", "less_than", "more_than"]

_FLOAT, _BITS = struct.Struct("<f"), struct.Struct("<I")
_SIGN = 0x8000_0000
_LAST = 0x7F7F_FFFF
"""The place of the largest number, counted from 0 on."""

_BEYOND = 2.0**128
"""What would be the next number."""


def at_least(bound: float) -> dict[str, float]:
    """What is rounded to this number or more.

    Args:
        bound: a number of 32 bits.

    Example:
        >>> at_least(1.0), at_least(0.10000000149011612)
        ({'minimum': 0.9999999701976776}, {'exclusiveMinimum': 0.09999999776482582})
    """
    place = _place(bound)
    return {_word("inimum", place): _middle(place - 1, place)}


def more_than(bound: float) -> dict[str, float]:
    """What is rounded to more than this number."""
    place = _place(bound) + 1
    return {_word("inimum", place): _middle(place - 1, place)}


def at_most(bound: float) -> dict[str, float]:
    """What is rounded to this number or less."""
    place = _place(bound)
    return {_word("aximum", place): _middle(place, place + 1)}


def less_than(bound: float) -> dict[str, float]:
    """What is rounded to less than this number."""
    place = _place(bound) - 1
    return {_word("aximum", place): _middle(place, place + 1)}


def equal(value: float) -> dict[str, float]:
    """What is rounded to this number."""
    return {**at_least(value), **at_most(value)}


def _word(rest: str, place: int) -> str:
    """The border itself is rounded to the number whose last bit is 0."""
    first = "m" if place % 2 == 0 else "exclusiveM"
    return f"{first}{rest}"


def _place(value: float) -> int:
    """How many numbers of 32 bits are between 0 and this one."""
    (bits,) = _BITS.unpack(_FLOAT.pack(value))
    return int(_SIGN - bits if bits & _SIGN else bits)


def _number(place: int) -> float:
    if abs(place) > _LAST:
        return _BEYOND if place > 0 else -_BEYOND
    (value,) = _FLOAT.unpack(_BITS.pack(abs(place)))
    return float(-value if place < 0 else value)


def _middle(place: int, following: int) -> float:
    # A number of 64 bits has room for it.
    return (_number(place) + _number(following)) / 2


LARGEST = _number(_LAST)
"""The largest number of 32 bits."""
