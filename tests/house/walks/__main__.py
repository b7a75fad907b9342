"""Goes the six walks of `docs/architecture.md`, and says how long each is and where it turns back.

    python -m tests.house.walks                     # the table, and the turns back
    python -m tests.house.walks push --calls        # one walk, call by call
    python -m tests.house.walks --tree ../old --flat  # another checkout, without rooms

How it is counted stands at the head of `walk.py`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.house.walks.walk import Walk
from tests.house.walks.walks import WALKS, walk

ROOT = Path(__file__).parents[3]


def main() -> int:
    """Print what was asked for."""
    options = _options()
    if options.tree is not None:
        return _elsewhere(options.tree)
    gone = {name: walk(name, flat=options.flat) for name in options.walks or WALKS}
    print(table(gone))
    for name, each in gone.items():
        print(f"\n{name}: " + " -> ".join(room.rpartition("/")[2] for room in each.path))
        for call in each.turns_back:
            print(f"  turns back: {call}")
        for call in each.calls if options.calls else ():
            print(f"  {call}")
    return 0


def table(walks: Mapping[str, Walk]) -> str:
    """The table of the documentation."""
    rows = [
        f"| {name} | {len(each.modules)} | {len(each.path)} | {len(each.turns_back)} |"
        for name, each in walks.items()
    ]
    return "\n".join(["| walk | modules | rooms | turns back |", "|---|---|---|---|", *rows])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.house.walks", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("walks", nargs="*", metavar="WALK", help=", ".join(WALKS))
    parser.add_argument("--calls", action="store_true", help="print every call")
    parser.add_argument("--flat", action="store_true", help="each module is a room of its own")
    parser.add_argument("--tree", type=Path, help="the checkout to look at; this one if left out")
    options = parser.parse_args()
    if unknown := [name for name in options.walks if name not in WALKS]:
        parser.error(f"no walk {', '.join(unknown)}: there are {', '.join(WALKS)}")
    return options


def _elsewhere(tree: Path) -> int:
    """The same with the code of another checkout; `tests` is a package that lies in both."""
    path = [tree.resolve(), tree.resolve() / "clients" / "python", ROOT]
    arguments = [each for each in sys.argv[1:] if each not in ("--tree", str(tree))]
    command = [sys.executable, "-P", "-m", "tests.house.walks", *arguments]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))}
    return subprocess.run(command, env=environ, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
