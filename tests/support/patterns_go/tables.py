"""Writes what Go knows of characters: `python -m tests.support.patterns_go.tables`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from rhtmx.patterns import compact
from tests.support.patterns_go.go import run

__all__ = ["TARGET", "module"]

TARGET = Path(__file__).parents[3] / "clients/python/rhtmx/patterns/unicode_data.py"
_WIDTH = 96

_HEAD = '''"""What Unicode says of characters: general categories, scripts, simple case folding.

Holds data, as texts of `compact`; `properties` and `folding` read them. Written by
`python -m tests.support.patterns_go.tables`; do not edit.
"""

__all__ = ["CATEGORIES", "CATEGORY_RUNS", "ORBITS", "SCRIPTS", "SCRIPT_RUNS", "VERSION"]
'''


def module() -> str:
    """The text of the module, from what Go says."""
    known = json.loads(run("tables.go"))
    parts = [_HEAD, f'VERSION = "{known["version"]}"\n"""The version of Unicode."""\n']
    for names, runs, what in (
        ("CATEGORIES", "CATEGORY_RUNS", "categories"),
        ("SCRIPTS", "SCRIPT_RUNS", "scripts"),
    ):
        order = sorted({each["name"] for each in known[what]} - {""})
        parts.append(_text(names, " ".join(order), f"The names of the {what}."))
        numbers = compact.text(_runs(known[what], order))
        doc = "From U+0000 on: how many characters, less 1, are in which of them; 0: in none."
        parts.append(_text(runs, numbers, doc))
    doc = "Characters that differ in case only: distances, each group ended by 0."
    parts.append(_text("ORBITS", compact.text(_orbits(known["orbits"])), doc))
    return "\n".join(parts)


def _runs(runs: list[dict[str, Any]], order: list[str]) -> Iterator[int]:
    for each in runs:
        yield each["length"] - 1
        yield order.index(each["name"]) + 1 if each["name"] else 0


def _orbits(orbits: list[list[int]]) -> Iterator[int]:
    first = 0
    for orbit in orbits:
        yield orbit[0] - first
        yield from (after - before for before, after in pairwise(orbit))
        yield 0
        first = orbit[0]


def _text(name: str, text: str, doc: str) -> str:
    assert not {'"', "\\"} & set(text)
    lines = "\n".join(
        f'    "{text[start : start + _WIDTH - 4]}"' for start in range(0, len(text), _WIDTH - 4)
    )
    return f'{name} = (\n{lines}\n)\n"""{doc}"""\n'


if __name__ == "__main__":
    TARGET.write_text(module(), encoding="utf-8")
    sys.stdout.write(f"{TARGET}: written\n")
