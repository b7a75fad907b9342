"""Goes the six walks of `docs/architecture.md`, and says how long each is and where it turns back.

    python -m tests.house.walks                       # the table, and each call that it counts
    python -m tests.house.walks push --calls          # one walk, call by call
    python -m tests.house.walks --tree ../old --flat  # another checkout, without rooms

How it is counted stands at the head of `walk.py`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.house.walks.walk import Walk
from tests.house.walks.walks import WALKS, walk

ROOT = Path(__file__).parents[3]


def main(arguments: Sequence[str]) -> int:
    """Print what was asked for."""
    options = _options(arguments)
    if options.tree is not None:
        command, environ = elsewhere(options.tree, arguments)
        return subprocess.run(command, env=environ, check=False).returncode
    gone = {name: walk(name, flat=options.flat) for name in options.walks or WALKS}
    print(table(gone))
    for name, each in gone.items():
        print(f"\n{name}: " + " -> ".join(room.rpartition("/")[2] for room in each.path))
        for call in each.entries:
            print(f"  enters a room: {call}")
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


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.house.walks", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("walks", nargs="*", metavar="WALK", help=", ".join(WALKS))
    parser.add_argument("--calls", action="store_true", help="print every call")
    parser.add_argument("--flat", action="store_true", help="each module is a room of its own")
    parser.add_argument("--tree", type=Path, help="the checkout to look at; this one if left out")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.walks if name not in WALKS]:
        parser.error(f"no walk {', '.join(unknown)}: there are {', '.join(WALKS)}")
    return options


def elsewhere(tree: Path, arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The command that does it with the code of another checkout, and its environment.

    `tests` is a package that lies in both: what the other one lacks of it is taken from here.
    """
    path = [tree.resolve(), tree.resolve() / "clients" / "python", ROOT]
    rest = [each for each in arguments if each not in ("--tree", str(tree))]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))}
    return [sys.executable, "-P", "-m", "tests.house.walks", *rest], environ


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
