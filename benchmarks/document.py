"""Puts measured figures into the page about them.

python -m benchmarks --json docs/performance/figures.json
python -m benchmarks.document

The page is written by hand, but for what stands between these two lines: there
goes the table with that title of that benchmark.

    <!-- fan_out: Fan-out: deliveries per CPU second of the server -->
    <!-- end -->

`<!-- budgets -->` takes the table of the budgets, `<!-- versions -->` what was
installed.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.budgets import table as budgets_table
from benchmarks.support.figures import ratios, short

FOLDER = Path(__file__).parents[1] / "docs"
PAGE, FIGURES = FOLDER / "performance.md", FOLDER / "performance" / "figures.json"

_BUDGETS = re.compile(r"(<!-- budgets -->\n).*?(<!-- end -->)", re.DOTALL)
_VERSIONS = re.compile(r"(<!-- versions -->\n).*?(<!-- end -->)", re.DOTALL)
_PLACE = re.compile(r"(<!-- (\w+): ([^\n]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill(page: str, figures: Mapping[str, Any]) -> str:
    """Return the page with these figures in their places.

    Raises:
        KeyError, ValueError: there is no such benchmark, or no such table in it.
    """

    def table(place: re.Match[str]) -> str:
        start, benchmark, title, end = place.groups()
        return f"{start}\n{_table(figures[benchmark]['tables'], title)}\n{end}"

    budgets = "\n".join(budgets_table(figures)) + "\n" if _BUDGETS.search(page) else ""
    page = _BUDGETS.sub(lambda place: f"{place[1]}\n{budgets}\n{place[2]}", page)
    page = _VERSIONS.sub(lambda place: f"{place[1]}\n{_versions(figures)}\n{place[2]}", page)
    return _PLACE.sub(table, page)


def _versions(figures: Mapping[str, Any]) -> str:
    """What was installed, over all benchmarks."""
    found: dict[str, str] = {}
    for run in figures.values():
        found |= run["machine"]["versions"]
    listed = (f"{name} {version}" for name, version in sorted(found.items(), key=_by_name))
    return textwrap.fill(", ".join(listed) + ".", 100) + "\n"


def _by_name(item: tuple[str, str]) -> str:
    return item[0].lower()


def _table(tables: list[Mapping[str, Any]], title: str) -> str:
    (table,) = (each for each in tables if each["title"] == title)
    median = f"median, {table['unit']}" if table["unit"] else "median"
    lines = [
        f"| case | subject | {median} | low … high | ours ÷ this |",
        "|---|---|---:|---:|---:|",
    ]
    case = ""
    for row in table["rows"]:
        shown, case = "" if row["case"] == case else row["case"], row["case"]
        spread = f"{short(row['low'])} … {short(row['high'])}"
        ratio = ratios(row["ratio"]) if row["ratio"] else ""
        cells = (shown, row["subject"], short(row["median"]), spread, ratio)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(fill(PAGE.read_text(), json.loads(FIGURES.read_text())))
