"""The state tables of the house, as data: what a module's docstring says happens next."""

from __future__ import annotations

import re
from types import ModuleType

NOTHING = "-"
"""What cannot happen."""


def state_table(module: ModuleType) -> dict[tuple[str, str], str]:
    """What follows, by state and event: the table whose first column is called `state`.

    A cell is one word for the next state, and may go on after a comma; `-` for what
    cannot happen.
    """
    lines = (module.__doc__ or "").splitlines()
    head = next(
        index
        for index, line in enumerate(lines)
        if line.startswith("state ") and lines[index - 1].startswith("=")
    )
    spans = [match.span() for match in re.finditer("=+", lines[head - 1])]
    starts = [start for start, _ in spans]

    def cells(line: str) -> list[str]:
        ends = [*starts[1:], None]
        return [
            line[start:end].replace("`", "").strip()
            for start, end in zip(starts, ends, strict=True)
        ]

    rows: list[list[str]] = []
    for line in lines[head + 2 :]:
        if line.startswith("="):
            break
        row = cells(line)
        if row[0]:
            rows.append(row)
        else:  # the cells of the row above go on
            rows[-1] = [
                f"{above} {more}".strip() for above, more in zip(rows[-1], row, strict=True)
            ]
    _, *events = cells(lines[head])
    return {
        (row[0], event): cell.partition(",")[0]
        for row in rows
        for event, cell in zip(events, row[1:], strict=True)
    }
