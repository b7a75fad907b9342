"""Turns states into the table of a pattern: each once, numbered as the table wants it.

Knows states and tables. Must not know what the states stood for, nor how tables are written.
"""

from __future__ import annotations

from collections.abc import Sequence

from rhtmx.patterns.alphabet import Alphabet
from rhtmx.patterns.minimal import same
from rhtmx.patterns.problems import Effort
from rhtmx.patterns.subsets import States
from rhtmx.patterns.table import Table

__all__ = ["table"]


def table(states: States, effort: Effort) -> Table:
    """The smallest table that says what some states say."""
    set_of = same(states.rows, states.ends, effort)
    examples = {each: state for state, each in reversed(list(enumerate(set_of)))}
    rows = {each: [set_of[to] for to in states.rows[state]] for each, state in examples.items()}
    ends = {each for each, state in examples.items() if states.ends[state]}
    # The two that are never left have the first number and the last, though none be there.
    lost, won = _left_never(rows, ends)
    found = [each for each in _in_order(rows, set_of[0]) if each not in (lost, won)]
    rejecting = [each for each in found if each not in ends]
    order = [lost, *rejecting, *[each for each in found if each in ends], won]
    numbers = {each: number for number, each in enumerate(order) if each is not None}
    numbered = [[numbers[to] for to in rows[each]] for each in order[1:-1] if each is not None]
    starts, classes, columns = _classes(states.alphabet, numbered)
    return Table(
        accepting=1 + len(rejecting),
        start=numbers[set_of[0]],
        starts=starts,
        classes=classes,
        rows=[
            [0] * len(columns),
            *([row[each] for each in columns] for row in numbered),
            [len(order) - 1] * len(columns),
        ],
    )


def _left_never(rows: dict[int, list[int]], ends: set[int]) -> tuple[int | None, int | None]:
    """The states that are never left: that of failure, and that of success."""
    lost = won = None
    for each, row in rows.items():
        if set(row) == {each}:
            if each in ends:
                won = each
            else:
                lost = each
    return lost, won


def _in_order(rows: dict[int, list[int]], start: int) -> list[int]:
    """All states, those first that are reached first: a chain has numbers that follow."""
    order = {start: None}
    ahead = [start]
    for each in ahead:
        for to in rows[each]:
            if to not in order:
                order[to] = None
                ahead.append(to)
    return ahead


def _classes(
    alphabet: Alphabet, rows: Sequence[Sequence[int]]
) -> tuple[list[int], list[int], list[int]]:
    """Put the classes together that lead to the same everywhere.

    Returns:
        Where stretches begin, of which class each is, and one old class for each new one.
    """
    alike: dict[tuple[int, ...], int] = {}
    new = [
        alike.setdefault(tuple(row[each] for row in rows), len(alike))
        for each in range(alphabet.count)
    ]
    starts: list[int] = []
    classes: list[int] = []
    for start, old in zip(alphabet.starts, alphabet.classes, strict=True):
        if not classes or classes[-1] != new[old]:
            starts.append(start)
            classes.append(new[old])
    return starts, classes, [new.index(number) for number in range(len(alike))]
