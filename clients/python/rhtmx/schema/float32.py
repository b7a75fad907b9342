"""Numbers of 32 bits among those of 64.

Knows how one is rounded and spelt. Must not know kinds of values.
"""

from __future__ import annotations

import struct
from typing import Final

__all__ = ["FLOAT_BITS", "shortest_float"]

FLOAT_BITS: Final = struct.Struct("<f")
"""Packs a number of 32 bits."""

_LARGEST = FLOAT_BITS.unpack(b"\xff\xff\x7f\x7f")[0]
_EXACT_DIGITS = 9
"""With so many, the text of a number of 32 bits is that of no other."""


def shortest_float(value: float) -> float:
    """The number with the fewest digits that is the same one when it is rounded to 32 bits.

    Args:
        value: a finite number.

    Raises:
        OverflowError: it is too large for 32 bits.

    Example:
        >>> shortest_float(0.10000000149011612)
        0.1
    """
    bits = FLOAT_BITS.pack(value)
    for digits in range(1, _EXACT_DIGITS):
        short = float(f"{value:.{digits}g}")
        if abs(short) <= _LARGEST and FLOAT_BITS.pack(short) == bits:
            return short
    return float(f"{value:.{_EXACT_DIGITS}g}")
