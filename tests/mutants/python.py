"""Bugs in the modules of the server and of the Python client, made by `mutmut`.

It makes the bugs and runs the tests, in a copy of the tree: each bug meets only the
module's own tests, of those the ones that come through the changed function. It leaves
class bodies, tables and decorated functions as they are.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests.mutants.bugs import Bug, End

__all__ = ["MODULES", "plant", "run"]

_SERVER, _CLIENT = "tests/unit/rhtmx_server", "tests/unit/rhtmx"
MODULES: dict[str, tuple[str, tuple[str, ...]]] = {
    "merge": (
        "rhtmx_server/trackers/merge.py",
        (f"{_SERVER}/trackers/test_merge.py", f"{_SERVER}/trackers/test_merge_properties.py"),
    ),
    "batch": ("rhtmx_server/writing/batch.py", (f"{_SERVER}/writing/test_batch.py",)),
    "cursor": ("rhtmx_server/delivery/cursor.py", (f"{_SERVER}/delivery/test_cursor.py",)),
    "subscriptions": (
        "rhtmx_server/delivery/subscriptions.py",
        (
            f"{_SERVER}/delivery/test_subscriptions.py",
            f"{_SERVER}/delivery/test_subscriptions_begin.py",
            f"{_SERVER}/delivery/test_subscriptions_rescope.py",
            f"{_SERVER}/delivery/test_subscriptions_scopes.py",
            f"{_SERVER}/delivery/test_subscriptions_properties.py",
        ),
    ),
    "direct": ("rhtmx_server/delivery/direct.py", (f"{_SERVER}/delivery/test_direct.py",)),
    "heads": ("rhtmx_server/transports/heads.py", (f"{_SERVER}/transports/test_heads.py",)),
    "openings": (
        "rhtmx_server/transports/openings.py",
        (f"{_SERVER}/transports/test_openings.py",),
    ),
    "versions": (
        "rhtmx_server/stores/sqlite/versions.py",
        (f"{_SERVER}/stores/sqlite/test_versions.py",),
    ),
    "files": ("rhtmx_server/mirror/files.py", (f"{_SERVER}/mirror/test_files.py",)),
    "session": ("rhtmx_server/connections/session.py", (f"{_SERVER}/connections/test_session.py",)),
    "write_queue": ("rhtmx/core/write_queue.py", (f"{_CLIENT}/core/test_write_queue.py",)),
    "replica": (
        "rhtmx/core/replica.py",
        (f"{_CLIENT}/core/test_replica.py", f"{_CLIENT}/core/test_held_records.py"),
    ),
    "held_records": (
        "rhtmx/core/held_records.py",
        (f"{_CLIENT}/core/test_held_records.py", f"{_CLIENT}/core/test_replica.py"),
    ),
    "overlay": ("rhtmx/core/overlay.py", (f"{_CLIENT}/core/test_overlay.py",)),
    "chunked_tuple": (
        "rhtmx/values/chunked_tuple.py",
        (f"{_CLIENT}/values/test_chunked_tuple.py",),
    ),
    "judge": ("rhtmx/schema/judge.py", (f"{_CLIENT}/schema/test_judge.py",)),
    "convert": ("rhtmx/schema/convert.py", (f"{_CLIENT}/schema/test_convert.py",)),
    "records": ("rhtmx_server/schema/records.py", (f"{_SERVER}/schema/test_records.py",)),
    "upcast": (
        "rhtmx_server/schema/upcast.py",
        (f"{_SERVER}/schema/test_upcast.py", f"{_SERVER}/schema/test_upcast_mutation.py"),
    ),
}
"""Each module that decides, and the tests that are its own."""

_NOTICED = ("killed", "timeout")
"""What mutmut says of a bug that a test noticed."""

_CONFIG = """
[tool.mutmut]
source_paths = ["src"]
only_mutate = ["src/{path}"]
also_copy = ["clients"]
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = ["-p", "no:cacheprovider"]
use_git_change_detection = false
timeout_constant = 20.0
"""
"""A test that waits for ever has noticed: after 20 s, as less proves nothing on a busy machine."""


def plant(root: Path, tree: Path) -> None:
    """Copy what the tests need, both packages under `src`: mutmut knows no other places."""
    waste = shutil.ignore_patterns("__pycache__", "node_modules")
    for package in (root / "rhtmx_server", root / "clients" / "python" / "rhtmx"):
        shutil.copytree(package, tree / "src" / package.name, ignore=waste)
    # The tests of schemas compile some, and compare what is generated with what is checked in.
    shutil.copytree(root / "rhtmx_codegen", tree / "src" / "rhtmx_codegen", ignore=waste)
    generated = Path("clients") / "typescript" / "tests" / "schema" / "judged.ts"
    (tree / generated).parent.mkdir(parents=True)
    shutil.copy(root / generated, tree / generated)
    shutil.copytree(root / "tests", tree / "tests", ignore=waste)
    settings = (root / "pyproject.toml").read_text(encoding="utf-8")
    ours = 'pythonpath = ["clients/python", "."]'
    if ours not in settings:
        raise RuntimeError(f"pyproject.toml: {ours} expected")
    settings = settings.replace(ours, 'pythonpath = ["src", "."]')
    (tree / "settings.toml").write_text(settings, encoding="utf-8")


def run(tree: Path, name: str) -> End:
    """Make all bugs of a module."""
    path, tests = MODULES[name]
    settings = (tree / "settings.toml").read_text(encoding="utf-8")
    config = _CONFIG.format(path=path, tests=json.dumps(tests))
    (tree / "pyproject.toml").write_text(settings + config, encoding="utf-8")
    shutil.rmtree(tree / "mutants", ignore_errors=True)
    _mutmut(tree, "run")
    ends = dict(
        line.strip().rsplit(": ", 1)
        for line in _mutmut(tree, "results", "--all", "true").split("\n")
        if ": " in line
    )
    alive = [_bug(tree, name, each) for each, end in ends.items() if end not in _NOTICED]
    return End(len(ends) - len(alive), alive)


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
    return Bug.of_diff(
        module, function, [line for line in diff if not line.startswith(("---", "+++"))]
    )
