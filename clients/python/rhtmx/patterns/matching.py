"""Decides whether a pattern matches, with its table.

Knows tables. Must not know patterns: where they are compiled already, this is all there is to load.

The time is that of one look for each character, whatever the pattern and whatever the text.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cache

from rhtmx.patterns.table import Table, read

__all__ = ["matches"]


def matches(table: str, text: str) -> bool:
    """Whether a pattern matches somewhere in a text.

    Args:
        table: that of a compiled pattern.
        text: what is looked at, code point by code point.

    Example:
        >>> from rhtmx.patterns.pattern import compile_pattern
        >>> matches(compile_pattern("b+").table, "abc")
        True
    """
    return _machine(table).matches(text)


@cache
def _machine(table: str) -> _Machine:
    return _Machine(read(table))


class _Machine:
    """A table that is read, and the classes of the characters that it has seen."""

    def __init__(self, table: Table) -> None:
        self._accepting = table.accepting
        self._start = table.start
        self._rows = table.rows
        self._last = len(table.rows) - 1
        self._pages = _Pages(table)

    def matches(self, text: str) -> bool:
        state, rows, pages, last = self._start, self._rows, self._pages, self._last
        if state in (0, last):
            return state > 0
        for point in map(ord, text):
            state = rows[state][pages[point >> 8][point & 255]]
            if state == 0 or state == last:
                return state > 0
        return state >= self._accepting


class _Pages(dict[int, list[int]]):
    """The classes of characters, 256 at a time, worked out when the first of them is seen."""

    def __init__(self, table: Table) -> None:
        super().__init__()
        self._starts = [*table.starts, 1 << 21]
        self._classes = table.classes
        self._whole = [[each] * 256 for each in range(len(table.rows[0]))]

    def __missing__(self, number: int) -> list[int]:
        start, end = number << 8, (number + 1) << 8
        at = bisect_right(self._starts, start) - 1
        if self._starts[at + 1] >= end:  # all of one class, as most are
            page = self._whole[self._classes[at]]
        else:
            page = []
            while start < end:
                at, begun = at + 1, start
                start = min(self._starts[at], end)
                page += [self._classes[at - 1]] * (start - begun)
        self[number] = page
        return page
