"""Makes states that no text can tell apart into one.

Knows rows of states. Must not know what the states stood for.

By Hopcroft's method: sets of states are split by where a class of characters leads them, and of
two halves only the smaller one has to be looked at again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from rhtmx.patterns.problems import Effort

__all__ = ["same"]


def same(rows: Sequence[Sequence[int]], ends: Sequence[bool], effort: Effort) -> list[int]:
    """For each state the number of its set: those of one set are the same.

    Args:
        rows: for each state, into which one each class leads.
        ends: whether a text that ends in this state matches.
        effort: counts what it costs.

    Example:
        >>> same([[1, 2], [1, 1], [2, 2]], [False, True, True], Effort())
        [0, 1, 1]
    """
    return _Partition(rows, ends, effort).split()


class _Partition:
    """The sets of states that are not told apart yet."""

    def __init__(self, rows: Sequence[Sequence[int]], ends: Sequence[bool], effort: Effort) -> None:
        self._effort = effort
        self._sources = _sources(rows)
        both = [{s for s, end in enumerate(ends) if end is which} for which in (False, True)]
        self._sets = [each for each in both if each]
        self._set_of = [0] * len(rows)
        for number, each in enumerate(self._sets):
            for state in each:
                self._set_of[state] = number
        smaller = min(range(len(self._sets)), key=lambda number: len(self._sets[number]))
        self._ahead = {smaller}

    def split(self) -> list[int]:
        """Split them until nothing tells any two states of a set apart."""
        while self._ahead:
            states = list(self._sets[self._ahead.pop()])
            for sources in self._sources:
                self._by([source for state in states for source in sources.get(state, ())])
            self._effort.spend(len(states) * len(self._sources) // 4)
        return self._set_of

    def _by(self, sources: Iterable[int]) -> None:
        """Split each set into those that lead here, and those that do not."""
        touched: defaultdict[int, set[int]] = defaultdict(set)
        for source in sources:
            touched[self._set_of[source]].add(source)
        for number, inside in touched.items():
            if len(inside) < len(self._sets[number]):
                self._divide(number, inside)

    def _divide(self, number: int, inside: set[int]) -> None:
        self._sets[number] -= inside
        new = len(self._sets)
        self._sets.append(inside)
        for state in inside:
            self._set_of[state] = new
        smaller = new if len(inside) <= len(self._sets[number]) else number
        self._ahead.add(new if number in self._ahead else smaller)


def _sources(rows: Sequence[Sequence[int]]) -> list[dict[int, list[int]]]:
    """For each class: from which states it leads to a state."""
    sources: list[dict[int, list[int]]] = [{} for _ in rows[0]]
    for source, row in enumerate(rows):
        for leads, target in zip(sources, row, strict=True):
            leads.setdefault(target, []).append(source)
    return sources
