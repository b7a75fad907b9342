"""Bugs in the modules of the TypeScript client, made by StrykerJS.

It makes the bugs and runs the tests, in a copy of the tree: each bug meets the module's
own tests and the scenarios that both languages share, of those the ones that come
through the changed code.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.mutants.bugs import Bug, End

__all__ = ["MODULES", "function_at", "plant", "run"]

MODULES: dict[str, tuple[str, tuple[str, ...]]] = {
    f"{name}.ts": (
        f"src/core/{name}.ts",
        (*(f"tests/core/{each}.test.ts" for each in tests), "tests/conformance/scenarios.test.ts"),
    )
    for name, tests in {
        "write-queue": ("write-queue",),
        "replica": ("replica", "streams-parts"),
        "overlay": ("overlay",),
        "conversation": ("session", "light-session"),
        "session": ("session",),
        "outgoing": ("session", "write-queue"),
        "session-output": ("session", "write-queue"),
        "storage-ops": ("storage-ops",),
    }.items()
}
"""Each module that decides, and the tests that are its own."""

_NOTICED = ("Killed", "Timeout", "CompileError", "RuntimeError")
"""What Stryker says of a bug that a test noticed, or that cannot even be loaded."""

_STRYKER = """
export default {{
  testRunner: "vitest",
  plugins: ["@stryker-mutator/vitest-runner"],
  vitest: {{ configFile: "vitest.mutants.ts", related: false }},
  mutate: ["{path}"],
  inPlace: true,
  reporters: ["json"],
  jsonReporter: {{ fileName: "mutation.json" }},
  coverageAnalysis: "perTest",
  timeoutMS: 20_000,
  allowEmpty: false,
}};
"""
"""In place, as the tests read files beside the package. Who waits for ever has noticed."""

_VITEST = """
import {{ defineConfig }} from "vitest/config";

export default defineConfig({{ test: {{ include: {tests}, testTimeout: 20_000 }} }});
"""

_MEMBER = re.compile(
    r"^(?:export )?(?:default )?(?:async )?function\*? (?P<function>\w+)"
    r"|^  (?:static |async |get |set |\*)*(?P<method>[#\w]+)(?:<[^(]*>)?\("
    r"|^(?:export )?(?:abstract )?class (?P<class>\w+)"
    r"|^  (?:readonly )?(?P<field>#?\w+)(?:: [^=]+)? = "
    r"|^(?:export )?const (?P<constant>\w+)"
)


def plant(root: Path, tree: Path) -> None:
    """Copy the client and the vectors; its packages are only linked."""
    waste = shutil.ignore_patterns("node_modules", "dist", "reports")
    client = Path("clients") / "typescript"
    shutil.copytree(root / client, tree / client, ignore=waste)
    (tree / client / "node_modules").symlink_to(root / client / "node_modules")
    shutil.copytree(root / "tests" / "vectors", tree / "tests" / "vectors")


def run(tree: Path, name: str) -> End:
    """Make all bugs of a module."""
    path, tests = MODULES[name]
    client = tree / "clients" / "typescript"
    (client / "stryker.config.mjs").write_text(_STRYKER.format(path=path), encoding="utf-8")
    vitest = _VITEST.format(tests=json.dumps(tests))
    (client / "vitest.mutants.ts").write_text(vitest, encoding="utf-8")
    command = ["npx", "stryker", "run"]
    done = subprocess.run(command, cwd=client, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    report = json.loads((client / "mutation.json").read_text(encoding="utf-8"))
    [file] = report["files"].values()
    mutants = [each for each in file["mutants"] if each["status"] != "Ignored"]
    alive = [each for each in mutants if each["status"] not in _NOTICED]
    bugs = [_bug(name, file["source"].split("\n"), each) for each in alive]
    return End(len(mutants) - len(alive), bugs)


def function_at(lines: list[str], number: int) -> str:
    """The function, method, field or constant that a line is in, with its class."""
    name, *around = _heads(lines[: number + 1])
    owner = next((each["class"] for each in around if each["class"]), None)
    own = next((own for own in name.groupdict().values() if own), "")
    return f"{owner}.{own}" if (name["method"] or name["field"]) and owner else own


def _heads(lines: list[str]) -> Iterator[re.Match[str]]:
    """The members that begin before the end of these lines, the nearest first."""
    return (found for line in reversed(lines) if (found := _MEMBER.match(line)))


def _bug(module: str, lines: list[str], mutant: dict[str, Any]) -> Bug:
    start, end = mutant["location"]["start"], mutant["location"]["end"]
    first, last = start["line"] - 1, end["line"] - 1
    before = lines[first : last + 1]
    text = before[0][: start["column"] - 1] + mutant["replacement"]
    after = (text + before[-1][end["column"] - 1 :]).split("\n")
    return Bug(
        module,
        function_at(lines, first),
        tuple(line.strip() for line in before),
        tuple(line.strip() for line in after),
    )
