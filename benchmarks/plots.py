"""Plots of the growth figures, made from the JSON of a run.

python -m benchmarks growth --json figures.json
python -m benchmarks.plots figures.json docs/performance
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import growth

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Lines = dict[str, list[tuple[float, float, float, float]]]
"""By name of a line: x, median, low, high."""

WIDTH, PANEL_WIDTH, HEIGHT = 7.0, 6.0, 4.2
COLOURS = ("#1f5fa8", "#c2571a")
_CONNECTIONS = re.compile(r"([\d,]+) subscribers, +(\d+) a tick")
_RECORDS = re.compile(r"([\d,]+) records")


def draw(figures: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draw the figures of `growth`; returns the files."""
    tables = {table["title"]: table for table in figures["growth"]["tables"]}
    folder.mkdir(parents=True, exist_ok=True)
    pushes = {
        "per second of wall time": _by_records(tables[growth.PUSHES_WALL]),
        "per CPU second of the server": _by_records(tables[growth.PUSHES]),
    }
    return [
        _plot(
            folder / "growth-fan-out.png",
            _by_connections(tables[growth.FAN_OUT]),
            title="Fan-out: deliveries per CPU second as connections grow",
            x="subscribed connections",
            y="deliveries per CPU second",
        ),
        _plot(
            folder / "growth-pushes.png",
            {"": pushes},
            title="Durable pushes as the store grows (64 sockets, random keys)",
            x="records in the store",
            y="acknowledged pushes per second",
        ),
        _plot(
            folder / "growth-resume.png",
            {"": {"rhtmx": _by_records(tables[growth.RESUME])}},
            title="Resuming with 20 missed changes as the log grows",
            x="records in the log",
            y="CPU time per resume (µs)",
        ),
    ]


def _by_connections(table: Mapping[str, Any]) -> dict[str, Lines]:
    panels: dict[str, Lines] = {}
    for row in table["rows"]:
        found = _CONNECTIONS.match(row["case"])
        assert found is not None, row["case"]
        burst = int(found[2])
        panel = "1 change a tick" if burst == 1 else f"{burst} changes a tick"
        lines = panels.setdefault(panel, {})
        lines.setdefault(row["subject"], []).append(_point(found[1], row))
    return panels


def _by_records(table: Mapping[str, Any]) -> list[tuple[float, float, float, float]]:
    points = []
    for row in table["rows"]:
        found = _RECORDS.match(row["case"])
        assert found is not None, row["case"]
        points.append(_point(found[1], row))
    return points


def _point(x: str, row: Mapping[str, Any]) -> tuple[float, float, float, float]:
    return (float(x.replace(",", "")), row["median"], row["low"], row["high"])


def _plot(file: Path, panels: Mapping[str, Lines], *, title: str, x: str, y: str) -> Path:
    """Panels side by side, each with a scale of its own."""
    from matplotlib.figure import Figure  # only those who plot have to have it

    width = WIDTH if len(panels) == 1 else PANEL_WIDTH * len(panels)
    figure = Figure(figsize=(width, HEIGHT), layout="constrained", facecolor="white")
    figure.suptitle(title, fontsize=11)
    for number, (name, lines) in enumerate(panels.items(), 1):
        axes = figure.add_subplot(1, len(panels), number)
        _lines(axes, lines)
        axes.set_title(name, fontsize=10)
        axes.set_xlabel(f"{x} (logarithmic)")
        axes.set_ylabel(y)
    handles, names = figure.axes[0].get_legend_handles_labels()
    if len(names) > 1:
        figure.legend(handles, names, loc="outside lower center", ncols=len(names), frameon=False)
    figure.savefig(file, dpi=120)
    return file


def _lines(axes: Axes, lines: Lines) -> None:
    """Medians as lines, and what the rounds lay between as bars."""
    from matplotlib.ticker import FuncFormatter, NullLocator

    ticks: set[float] = set()
    for (name, points), colour in zip(lines.items(), COLOURS, strict=False):
        xs, medians, lows, highs = zip(*points, strict=True)
        below = [median - low for median, low in zip(medians, lows, strict=True)]
        above = [high - median for high, median in zip(highs, medians, strict=True)]
        axes.errorbar(xs, medians, [below, above], color=colour, marker="o", capsize=3, label=name)
        ticks.update(xs)
    axes.set_xscale("log")
    axes.set_xticks(sorted(ticks))
    axes.tick_params(labelsize=9)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_ylim(0, 1.1 * max(high for points in lines.values() for *_, high in points))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.grid(axis="y", color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    source, target = sys.argv[1:]
    for written in draw(json.loads(Path(source).read_text()), Path(target)):
        print(written)
