"""Measures ours and the peers in turn; prints tables, and writes JSON where asked to."""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import time
from pathlib import Path
from typing import Any

from benchmarks.registry import NAMES
from benchmarks.support.figures import Scale
from benchmarks.support.machine import machine
from benchmarks.support.processes import be_the_load

FOLDER = Path(__file__).parent

ROUNDS = 5
"""How often each is measured, unless it says itself."""


def main() -> None:
    options = _options()
    be_the_load()
    for name in options.names or NAMES:
        benchmark = importlib.import_module(f"benchmarks.{name}")
        rounds = options.rounds or getattr(benchmark, "ROUNDS", ROUNDS)
        scale = Scale(1 if options.smoke else rounds, options.smoke, tuple(options.only))
        started = time.perf_counter()
        tables = benchmark.run(scale)
        for table in tables:
            if table.printed:
                print(table.as_text(), flush=True)
        print(f"({name}: {time.perf_counter() - started:.0f} s)\n", flush=True)
        run = {
            "machine": machine(),
            "rounds": scale.rounds,
            "smoke": scale.smoke,
            "tables": [table.as_json() for table in tables],
        }
        if options.json:
            _keep(options.json, name, run, only=bool(scale.only))
        if options.plots and name == "growth":
            importlib.import_module("benchmarks.plots").draw({name: run}, options.plots)


def _options() -> argparse.Namespace:
    width = max(map(len, NAMES))
    parser = argparse.ArgumentParser(
        prog="nox -s bench --",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="benchmarks:\n" + "\n".join(f"  {name:{width}}  {_about(name)}" for name in NAMES),
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="one of those below; without: all")
    parser.add_argument("--rounds", type=int, help="how often each is measured (5; hostile: 1)")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="CASE",
        help="hostile: this pattern; may be repeated",
    )
    parser.add_argument("--smoke", action="store_true", help="tiny sizes, to see that it runs")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="where the figures go; those of others stay"
    )
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="where growth is drawn")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in NAMES]
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}: there are {', '.join(NAMES)}")
    if options.rounds is not None and options.rounds < 1:
        parser.error(f"--rounds: a number from 1 on expected, got {options.rounds}")
    return options


def _about(name: str) -> str:
    """The first line of a benchmark's docstring; it is not imported for that."""
    tree = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    return (ast.get_docstring(tree) or "").partition("\n")[0]


def _keep(file: Path, name: str, run: dict[str, Any], *, only: bool) -> None:
    """Put figures into the file, in place of its last ones; if `only` some are new, of those."""
    figures = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    before = figures.get(name, {}).get("tables", ()) if only else ()
    new = {table["title"]: table for table in run["tables"]}
    kept = [_renewed(table, new.pop(table["title"], None)) for table in before]
    run["tables"] = [*kept, *new.values()]
    figures[name] = run
    file.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def _renewed(table: dict[str, Any], now: dict[str, Any] | None) -> dict[str, Any]:
    """A table with those of its rows measured again that were."""
    rows = {(row["case"], row["subject"]): row for row in table["rows"]}
    rows |= {(row["case"], row["subject"]): row for row in (now or {"rows": ()})["rows"]}
    return {**table, "rows": [*rows.values()]}


main()
