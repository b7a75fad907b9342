"""Puts small bugs into the modules that decide, and says which of them no test notices.

    python -m tests.mutants                 # every module, in both languages
    python -m tests.mutants merge write-queue.ts  # some

A bug that survives is either noticed by a new test or stands in `survivors.md` with the
reason.

Ends with 1 if fewer than nine of ten bugs of a module are noticed, or one survives
that is not listed, or one is listed that does not survive.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.mutants import python, typescript
from tests.mutants.bugs import LISTED, End, listed

ROOT = Path(__file__).parents[2]
WANTED = 0.9
MAKERS = (python, typescript)
MODULES = [name for maker in MAKERS for name in maker.MODULES]


def main() -> int:
    names = _options()
    complaints: list[str] = []
    for maker in MAKERS:
        own = [name for name in names if name in maker.MODULES]
        if not own:
            continue
        with tempfile.TemporaryDirectory(prefix="rhtmx-mutants-") as folder:
            tree = Path(folder)
            maker.plant(ROOT, tree)
            for name in own:
                complaints += _judge(name, maker.run(tree, name))
    print("\n".join(complaints) or "every bug that survived is listed")
    return 1 if complaints else 0


def _options() -> list[str]:
    parser = argparse.ArgumentParser(prog="nox -s mutants --", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=", ".join(MODULES))
    names: list[str] = parser.parse_args().modules
    unknown = [name for name in names if name not in MODULES]
    if unknown:
        parser.error(f"no module {', '.join(unknown)}: there are {', '.join(MODULES)}")
    return names or list(MODULES)


def _judge(name: str, end: End) -> Iterator[str]:
    """Print the score of a module; what is wrong with it."""
    noticed, all_ = end.noticed, end.noticed + len(end.alive)
    share = noticed / all_
    print(
        f"{name}: {noticed} of {all_} noticed ({share:.1%}), {len(end.alive)} survived", flush=True
    )
    known = [bug for bug in listed(LISTED.read_text(encoding="utf-8")) if bug.module == name]
    if share < WANTED:
        yield f"{name}: at least {WANTED:.0%} expected to be noticed"
    for bug in end.alive:
        if bug not in known:
            yield f"survived, and is not listed:\n{bug}"
    for bug in known:
        if bug not in end.alive:
            yield f"listed, and does not survive any more:\n{bug}"


if __name__ == "__main__":
    sys.exit(main())
