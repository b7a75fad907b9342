"""The command: measures what it is told to, prints tables, writes JSON."""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import sys
import time
from importlib import metadata
from pathlib import Path

from benchmarks.registry import NAMES
from benchmarks.support.figures import Scale
from benchmarks.support.processes import CORES, be_the_load

PACKAGES = ("websockets", "uvloop", "msgspec", "protobuf", "betterproto2", "apsw", "socketify")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--rounds", type=int, default=5, help="ours and the peers in turn (5)")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes, to see that it runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the figures go")
    options = parser.parse_args()
    unknown = set(options.names) - set(NAMES)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}: there are {', '.join(NAMES)}")
    be_the_load()
    scale = Scale(1 if options.smoke else options.rounds, options.smoke)
    benchmarks: dict[str, object] = {}
    report = {
        "machine": machine(),
        "rounds": scale.rounds,
        "smoke": scale.smoke,
        "benchmarks": benchmarks,
    }
    for name in options.names or NAMES:
        started = time.perf_counter()
        tables = importlib.import_module(f"benchmarks.{name}").run(scale)
        for table in tables:
            if table.printed:
                print(table.as_text(), flush=True)
        print(f"({name}: {time.perf_counter() - started:.0f} s)\n", flush=True)
        benchmarks[name] = [table.as_json() for table in tables]
        if options.json:
            options.json.write_text(json.dumps(report, indent=1) + "\n")


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    model = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
    return {
        "cpu": model,
        "cores": len(CORES),
        "system": platform.platform(),
        "python": sys.version.split()[0],
        "packages": {name: version(name) for name in PACKAGES},
    }


def version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


main()
