"""Makes an automaton certain: each state is the set of steps that it may be in.

Knows states, and what a place asks of the characters around it. Must not know which states are
the same (`minimal` does), nor how the result is written.

What comes after a place is not known when it is reached: a state keeps the steps that ask for it,
with the kind of character before them, until the next character has come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from rhtmx.patterns.alphabet import Alphabet, alphabet
from rhtmx.patterns.automaton import MATCHED, Automaton
from rhtmx.patterns.problems import Effort
from rhtmx.patterns.properties import NEWLINE, WORD
from rhtmx.patterns.tree import PlaceKind

__all__ = ["States", "states"]


class _Beside(Enum):
    """What is before or after a place."""

    NOTHING = 0
    NEWLINE = 1
    WORD = 2
    OTHER = 3


_LINE = (_Beside.NOTHING, _Beside.NEWLINE)

_BEFORE: Mapping[PlaceKind, Callable[[_Beside], bool]] = {
    PlaceKind.TEXT_START: lambda before: before is _Beside.NOTHING,
    PlaceKind.LINE_START: lambda before: before in _LINE,
}
"""The places that ask only for what is before them."""

_AFTER: Mapping[PlaceKind, Callable[[_Beside, _Beside], bool]] = {
    PlaceKind.TEXT_END: lambda _, after: after is _Beside.NOTHING,
    PlaceKind.LINE_END: lambda _, after: after in _LINE,
    PlaceKind.WORD_EDGE: lambda before, after: (before is _Beside.WORD) != (after is _Beside.WORD),
    PlaceKind.NO_WORD_EDGE: lambda before, after: (
        (before is _Beside.WORD) == (after is _Beside.WORD)
    ),
}
"""The places that ask for what is after them, too."""


@dataclass(frozen=True, slots=True)
class States:
    """A certain automaton. It begins in state 0, and has all characters in classes.

    Attributes:
        alphabet: the classes.
        rows: for each state, into which one each class leads.
        ends: whether a text that ends in this state matches.
    """

    alphabet: Alphabet
    rows: list[list[int]]
    ends: list[bool]


@dataclass(frozen=True, slots=True)
class _State:
    """The steps that a state is in, and what was before them, where that matters."""

    steps: frozenset[int]
    before: _Beside = _Beside.OTHER


_WON = _State(frozenset((MATCHED,)))
"""It has matched, whatever comes."""


def states(given: Automaton, effort: Effort) -> States:
    """All states that an automaton can be in, wherever in a text it begins.

    Raises:
        PatternError: there are too many.
    """
    return _Subsets(given, effort).all()


class _Subsets:
    """Finds the states, from the first one on."""

    def __init__(self, given: Automaton, effort: Effort) -> None:
        self._given = given
        self._effort = effort
        special = [NEWLINE, WORD] if any(place is not None for place in given.places) else []
        self._alphabet = alphabet([*given.sets, *special], effort)
        self._beside = [_Beside.OTHER] * self._alphabet.count
        for beside, members in zip(
            (_Beside.NEWLINE, _Beside.WORD), self._alphabet.members[len(given.sets) :], strict=False
        ):
            for each in members:
                self._beside[each] = beside
        self._numbers: dict[_State, int] = {}
        self._order: list[_State] = []
        self._led: dict[tuple[frozenset[int], _Beside], int] = {}

    def all(self) -> States:
        """Find them all."""
        self._number(self._state({self._given.start}, _Beside.NOTHING))
        rows: list[list[int]] = []
        ends: list[bool] = []
        while len(rows) < len(self._order):
            state = self._order[len(rows)]
            self._effort.spend(self._alphabet.count)
            ends.append(MATCHED in self._resolved(state, _Beside.NOTHING))
            rows.append(self._row(state, len(rows)))
        return States(self._alphabet, rows, ends)

    def _number(self, state: _State) -> int:
        number = self._numbers.setdefault(state, len(self._order))
        if number == len(self._order):
            self._order.append(state)
        return number

    def _row(self, state: _State, number: int) -> list[int]:
        if state == _WON:
            return [number] * self._alphabet.count
        if not self._waits(state.steps):
            reached = self._reached(state.steps)
            return [self._led_to(reached[each], self._beside[each]) for each in self._classes()]
        row = [0] * self._alphabet.count
        for beside in set(self._beside):
            steps = self._resolved(state, beside)
            won = MATCHED in steps
            reached = self._reached(steps)
            for each in self._classes():
                if self._beside[each] is beside:
                    row[each] = self._number(_WON) if won else self._led_to(reached[each], beside)
        return row

    def _classes(self) -> range:
        return range(self._alphabet.count)

    def _waits(self, steps: Iterable[int]) -> bool:
        return any(self._given.places[each] is not None for each in steps)

    def _reached(self, steps: Iterable[int]) -> list[set[int]]:
        """Where each class leads from some steps."""
        reached: list[set[int]] = [set() for _ in self._classes()]
        for step in steps:
            symbol = self._given.symbols[step]
            if symbol >= 0:
                members = self._alphabet.members[symbol]
                self._effort.spend(len(members))
                for each in members:
                    reached[each].update(self._given.targets[step])
        return reached

    def _led_to(self, steps: set[int], before: _Beside) -> int:
        key = (frozenset(steps), before)
        found = self._led.get(key)
        if found is None:
            found = self._led[key] = self._number(self._state({*steps, self._given.start}, before))
        return found

    def _state(self, steps: set[int], before: _Beside) -> _State:
        """The state of some steps, as far as what is before them says."""
        closed = self._closed(steps, before, None)
        if MATCHED in closed:
            return _WON
        kept = frozenset(
            step
            for step in closed
            if self._given.symbols[step] >= 0 or self._given.places[step] in _AFTER
        )
        return _State(kept, before) if self._waits(kept) else _State(kept)

    def _resolved(self, state: _State, after: _Beside) -> Iterable[int]:
        """The steps of a state, now that what comes after it is known."""
        return self._closed(state.steps, state.before, after)

    def _closed(self, steps: Iterable[int], before: _Beside, after: _Beside | None) -> set[int]:
        """All steps that are reached without a character."""
        seen = set(steps)
        ahead = list(seen)
        while ahead:
            step = ahead.pop()
            if self._given.symbols[step] < 0 and self._passes(step, before, after):
                new = [each for each in self._given.targets[step] if each not in seen]
                seen.update(new)
                ahead += new
        self._effort.spend(len(seen))
        return seen

    def _passes(self, step: int, before: _Beside, after: _Beside | None) -> bool:
        place = self._given.places[step]
        if place is None:
            return True
        if place in _BEFORE:
            return _BEFORE[place](before)
        return after is not None and _AFTER[place](before, after)
