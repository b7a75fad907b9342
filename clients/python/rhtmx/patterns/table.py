"""The table that a pattern becomes, and how it is written as one text.

Knows tables, and how they are read in either language. Must not know patterns.

The states are numbered so that a number says what it is worth: 0 has failed for good; the last one
has matched for good; and from `accepting` on, a text that ends here matches. The text is, as
numbers of `compact`:

- how many states and classes there are, the first accepting state, and where it begins;
- how many stretches of characters there are, and for each the distance from where the one before
  begins to where this one does, and its class;
- the rows but the first and the last, one after the other: pairs of a state, and how many more
  classes lead there. The state is 0 and 1 for the two ends, else 2 and how far it lies ahead of the
  state of the row, counted round about without the last one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from rhtmx.patterns import compact

__all__ = ["Table", "read", "write"]


@dataclass(frozen=True, slots=True)
class Table:
    """What decides whether a text matches.

    Attributes:
        accepting: the first state in which a text may end.
        start: the state before the first character.
        starts: where each stretch of characters begins.
        classes: of which class it is.
        rows: for each state, into which one each class leads.
    """

    accepting: int
    start: int
    starts: Sequence[int]
    classes: Sequence[int]
    rows: Sequence[Sequence[int]]


def write(table: Table) -> str:
    """Write a table as text."""
    return compact.text(_numbers(table))


def _numbers(table: Table) -> Iterator[int]:
    yield from (len(table.rows), len(table.rows[0]), table.accepting, table.start)
    yield len(table.starts)
    before = 0
    for start, number in zip(table.starts, table.classes, strict=True):
        yield start - before
        yield number
        before = start
    last = len(table.rows) - 1
    for state, row in enumerate(table.rows[1:-1], 1):
        for target, run in groupby(row):
            yield int(target > 0) if target in (0, last) else 2 + (target - state) % last
            yield len(list(run)) - 1


def read(written: str) -> Table:
    """Read what `write` has written."""
    given = iter(compact.numbers(written))
    count, width, accepting, start, stretches = (next(given) for _ in range(5))
    starts: list[int] = []
    classes: list[int] = []
    for _ in range(stretches):
        starts.append(next(given) + (starts[-1] if starts else 0))
        classes.append(next(given))
    last = count - 1
    rows = [[0] * width]
    for state in range(1, last):
        row: list[int] = []
        while len(row) < width:
            ahead, more = next(given), next(given)
            target = ahead * last if ahead < 2 else (state + ahead - 2) % last
            row += [target] * (more + 1)
        rows.append(row)
    return Table(accepting, start, starts, classes, [*rows, [last] * width])
