"""A pattern as an automaton that may be in several steps at once.

Knows steps and where they lead. Must not know how it is made certain.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rhtmx.patterns.ranges import Ranges
from rhtmx.patterns.tree import Characters, Choice, Node, Place, PlaceKind, Repeat, Sequence

__all__ = ["MATCHED", "Automaton", "automaton"]

MATCHED = 0
"""The step in which the pattern has matched."""


@dataclass(slots=True)
class Automaton:
    """Steps by number; each reads a character, or asks for a place, or leads on at once.

    Attributes:
        sets: the sets of characters that there are, each once.
        symbols: which of them a step reads; -1: none.
        places: which place a step asks for, if it does.
        targets: where a step leads.
        start: where it begins.
    """

    sets: list[Ranges] = field(default_factory=list)
    symbols: list[int] = field(default_factory=list)
    places: list[PlaceKind | None] = field(default_factory=list)
    targets: list[tuple[int, ...]] = field(default_factory=list)
    start: int = MATCHED

    def step(self, *targets: int, symbol: int = -1, place: PlaceKind | None = None) -> int:
        """Add a step: its number."""
        self.symbols.append(symbol)
        self.places.append(place)
        self.targets.append(targets)
        return len(self.symbols) - 1


def automaton(node: Node) -> Automaton:
    """The automaton of a pattern. It has about as many steps as the tree says."""
    builder = _Builder()
    builder.built.start = builder.build(node, builder.built.step())
    return builder.built


class _Builder:
    """Builds from the end to the beginning: each part knows what comes after it."""

    def __init__(self) -> None:
        self.built = Automaton()
        self._sets: dict[Ranges, int] = {}

    def build(self, node: Node, after: int) -> int:
        """Add the steps of a part; the first one."""
        match node:
            case Characters(ranges):
                return self.built.step(after, symbol=self._symbol(ranges))
            case Place(kind):
                return self.built.step(after, place=kind)
            case Sequence():
                for each in reversed(node.items):
                    after = self.build(each, after)
                return after
            case Choice():
                return self.built.step(*[self.build(each, after) for each in node.items])
            case Repeat():
                return self._repeat(node, after)

    def _symbol(self, ranges: Ranges) -> int:
        found = self._sets.setdefault(ranges, len(self._sets))
        if found == len(self.built.sets):
            self.built.sets.append(ranges)
        return found

    def _repeat(self, node: Repeat, after: int) -> int:
        times = node.least
        if node.most is None:
            again = self.built.step()
            first = self.build(node.item, again)
            self.built.targets[again] = (first, after)
            after = first if times else again  # once at least, or not at all
            times -= 1
        else:
            # x{2,5} is xx(x(x(x)?)?)?: it is in few steps at once.
            end = after
            for _ in range(node.most - node.least):
                after = self.built.step(self.build(node.item, after), end)
        for _ in range(times):
            after = self.build(node.item, after)
        return after
