"""Sets of characters as sorted ranges of code points.

Knows code points. Must not know patterns, or what any character is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

__all__ = ["EVERY", "LAST", "Ranges", "complement", "ranges", "single"]

Ranges: TypeAlias = tuple[tuple[int, int], ...]
"""First and last code point of each range, sorted, with a gap between any two."""

LAST = 0x10FFFF
"""The last code point."""

EVERY: Ranges = ((0, LAST),)
"""All characters."""


def ranges(pairs: Iterable[tuple[int, int]]) -> Ranges:
    """Sort and merge ranges that may lie anyhow.

    Example:
        >>> ranges([(5, 9), (1, 2), (3, 6)])
        ((1, 9),)
    """
    merged: list[tuple[int, int]] = []
    for first, last in sorted(pairs):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)


def single(code_point: int) -> Ranges:
    """The set of one character."""
    return ((code_point, code_point),)


def complement(given: Ranges) -> Ranges:
    """All characters that are not in a set.

    Example:
        >>> complement(((0, 9), (11, 1114111)))
        ((10, 10),)
    """
    gaps = []
    start = 0
    for first, last in given:
        if first > start:
            gaps.append((start, first - 1))
        start = last + 1
    if start <= LAST:
        gaps.append((start, LAST))
    return tuple(gaps)
