"""Puts small bugs into the modules that decide, and says which of them no test notices.

    python -m tests.mutants                 # every module
    python -m tests.mutants merge cursor    # some

`mutmut` makes the bugs and runs the tests, in a copy of the tree: each bug meets only
the module's own tests, of those the ones that come through the changed function. It
leaves class bodies, tables and decorated functions as they are. A bug that survives
is either noticed by a new test or stands in `survivors.md` with the reason.

Ends with 1 if fewer than nine of ten bugs of a module are noticed, or one survives
that is not listed, or one is listed that does not survive.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LISTED = Path(__file__).with_name("survivors.md")
WANTED = 0.9

SERVER, CLIENT = "tests/unit/rhtmx_server", "tests/unit/rhtmx"
MODULES: dict[str, tuple[str, tuple[str, ...]]] = {
    "merge": (
        "rhtmx_server/trackers/merge.py",
        (f"{SERVER}/trackers/test_merge.py", f"{SERVER}/trackers/test_merge_properties.py"),
    ),
    "batch": ("rhtmx_server/batch.py", (f"{SERVER}/test_batch.py",)),
    "cursor": ("rhtmx_server/cursor.py", (f"{SERVER}/test_cursor.py",)),
    "feed": (
        "rhtmx_server/feed.py",
        (f"{SERVER}/test_feed.py", f"{SERVER}/test_feed_properties.py"),
    ),
    "session": ("rhtmx_server/session.py", (f"{SERVER}/test_session.py",)),
    "queue": ("rhtmx/queue.py", (f"{CLIENT}/test_queue.py",)),
    "replica": ("rhtmx/replica.py", (f"{CLIENT}/test_replica.py",)),
    "overlay": ("rhtmx/overlay.py", (f"{CLIENT}/test_overlay.py",)),
}
"""Each module that decides, and the tests that are its own."""

NOTICED = ("killed", "timeout")
"""What mutmut says of a bug that a test noticed."""

CONFIG = """
[tool.mutmut]
source_paths = ["src"]
only_mutate = ["src/{path}"]
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = ["-p", "no:cacheprovider"]
use_git_change_detection = false
timeout_constant = 20.0
"""
"""A test that waits for ever has noticed: after 20 s, as less proves nothing on a busy machine."""

ENTRY = re.compile(
    r"^- `(?P<function>[^`]+)`: (?P<reason>.+?)\n\s*```diff\n(?P<diff>.+?)```", re.M | re.S
)


@dataclass(frozen=True, slots=True)
class Bug:
    """One change of one function.

    Args:
        module: its short name.
        function: the function, with its class.
        before: the lines that are gone, without their indentation.
        after: the lines that came.
    """

    module: str
    function: str
    before: tuple[str, ...]
    after: tuple[str, ...]

    def __str__(self) -> str:
        gone = (f"  - {line}\n" for line in self.before)
        come = (f"  + {line}\n" for line in self.after)
        return f"{self.module}: {self.function}\n{''.join([*gone, *come])}"


def main() -> int:
    names = _options()
    complaints: list[str] = []
    with tempfile.TemporaryDirectory(prefix="rhtmx-mutants-") as folder:
        tree = Path(folder)
        _plant(tree)
        for name in names:
            complaints += _judge(name, *_run(tree, name))
    print("\n".join(complaints) or "every bug that survived is listed")
    return 1 if complaints else 0


def listed(text: str) -> Iterator[Bug]:
    """The bugs of a page like `survivors.md`: each has a reason, and stands under its module."""
    for section in re.split(r"^## ", text, flags=re.M)[1:]:
        module, _, rest = section.partition("\n")
        for entry in ENTRY.finditer(rest):
            yield Bug(module.strip(), entry["function"], *_sides(entry["diff"].splitlines()))


def _options() -> list[str]:
    parser = argparse.ArgumentParser(prog="nox -s mutants --", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=", ".join(MODULES))
    names: list[str] = parser.parse_args().modules
    unknown = [name for name in names if name not in MODULES]
    if unknown:
        parser.error(f"no module {', '.join(unknown)}: there are {', '.join(MODULES)}")
    return names or list(MODULES)


def _plant(tree: Path) -> None:
    """Copy what the tests need, both packages under `src`: mutmut knows no other places."""
    waste = shutil.ignore_patterns("__pycache__", "node_modules")
    for package in (ROOT / "rhtmx_server", ROOT / "clients" / "python" / "rhtmx"):
        shutil.copytree(package, tree / "src" / package.name, ignore=waste)
    shutil.copytree(ROOT / "tests", tree / "tests", ignore=waste)


def _run(tree: Path, name: str) -> tuple[Counter[str], list[Bug]]:
    """How many bugs came to which end, and those that survived."""
    path, tests = MODULES[name]
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    ours = 'pythonpath = ["clients/python", "."]'
    if ours not in settings:
        raise RuntimeError(f"pyproject.toml: {ours} expected")
    settings = settings.replace(ours, 'pythonpath = ["src", "."]')
    config = CONFIG.format(path=path, tests=json.dumps(tests))
    (tree / "pyproject.toml").write_text(settings + config, encoding="utf-8")
    shutil.rmtree(tree / "mutants", ignore_errors=True)
    _mutmut(tree, "run")
    ends = dict(
        line.strip().rsplit(": ", 1)
        for line in _mutmut(tree, "results", "--all", "true").split("\n")
        if ": " in line
    )
    alive = [_bug(tree, name, each) for each, end in ends.items() if end not in NOTICED]
    return Counter(ends.values()), alive


def _mutmut(tree: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "mutmut", *arguments]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout


def _bug(tree: Path, module: str, name: str) -> Bug:
    """What mutmut calls `package.module.xǁClassǁmethod__mutmut_3`, or `x_function`."""
    mangled = name.rpartition(".")[2].partition("__mutmut_")[0]
    function = mangled[1:].strip("ǁ").replace("ǁ", ".") if "ǁ" in mangled else mangled[2:]
    diff = _mutmut(tree, "show", name).splitlines()
    lines = [line for line in diff if not line.startswith(("---", "+++"))]
    return Bug(module, function, *_sides(lines))


def _sides(diff: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The lines that are gone, and those that came."""
    gone, come = (
        tuple(line.strip()[1:].strip() for line in diff if line.strip().startswith(sign))
        for sign in "-+"
    )
    return gone, come


def _judge(name: str, ends: Counter[str], alive: list[Bug]) -> Iterator[str]:
    """Print the score of a module; what is wrong with it."""
    noticed, all_ = sum(ends[end] for end in NOTICED), sum(ends.values())
    share = noticed / all_
    print(f"{name}: {noticed} of {all_} noticed ({share:.1%}), {len(alive)} survived", flush=True)
    known = [bug for bug in listed(LISTED.read_text(encoding="utf-8")) if bug.module == name]
    if share < WANTED:
        yield f"{name}: at least {WANTED:.0%} expected to be noticed"
    for bug in alive:
        if bug not in known:
            yield f"survived, and is not listed:\n{bug}"
    for bug in known:
        if bug not in alive:
            yield f"listed, and does not survive any more:\n{bug}"


if __name__ == "__main__":
    sys.exit(main())
