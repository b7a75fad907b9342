"""Compares patterns with Go's `regexp`, in Python and in TypeScript.

`python -m tests.support.patterns_go.campaign --patterns 10000` runs a campaign.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from rhtmx.patterns.parser import parse
from rhtmx.patterns.pattern import Pattern, compile_pattern
from rhtmx.patterns.problems import PatternError
from rhtmx.patterns.tree import Node
from tests.support.patterns_go.generate import PROPERTIES, pattern, texts
from tests.support.patterns_go.go import run
from tests.support.programs import TYPESCRIPT, node

__all__ = ["MOST_MILLISECONDS", "Result", "campaign", "main"]

TEXTS = 24
"""Texts for each pattern."""

MOST_MILLISECONDS = 20.0
"""CPU that a text of 64 Ki characters may take."""

_LONG = 65_536
_LONG_EVERY = 20
_SOURCE = Path(__file__).parent / "matcher.ts"
_BATCH = 2_000

_OURS_ONLY = {
    "the pattern is too large": "the pattern is too large",
    "the pattern is nested too deep": "the pattern is nested too deep",
    r"\\p\{C\} differs between versions": r"\p{C}",
    r"\{,\d+\} is no repeat": "{,n}",
    "two groups are called ": "two groups of one name",
    # Go 1.25 takes them in any case.
    f"no category or script is called '(?!({'|'.join(PROPERTIES)})')": "a name in other letters",
}
"""Why we refuse what Go takes."""


@dataclass
class Result:
    """What came of a campaign.

    Attributes:
        counts: what happened how often.
        differences: what differs, in words.
        python: the most milliseconds that a long text took in Python.
        typescript: the same in TypeScript.
    """

    counts: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)
    python: float = 0.0
    typescript: float = 0.0

    def __str__(self) -> str:
        counts = "\n".join(f"{count:>9,}  {what}" for what, count in sorted(self.counts.items()))
        times = (
            f"{_LONG:,} characters take at most {self.python:.1f} ms in Python, "
            f"{self.typescript:.1f} ms in TypeScript"
        )
        return "\n".join([counts, times, *self.differences[:20], f"{len(self.differences)} differ"])


@dataclass
class _Case:
    """One pattern, and what we say of it."""

    text: str
    texts: list[str]
    long: list[str]
    ours: Pattern | None
    words: str


def campaign(patterns: int, seed: int) -> Result:
    """Compare some random patterns.

    Args:
        patterns: how many.
        seed: says which.
    """
    random, result = Random(seed), Result()
    with TemporaryDirectory(prefix="rhtmx-patterns-") as folder:
        built = _build(Path(folder))
        for start in range(0, patterns, _BATCH):
            count = min(_BATCH, patterns - start)
            _compare([_case(random, number) for number in range(count)], built, result)
    return result


def _build(folder: Path) -> list[str]:
    program, built = node("esbuild"), folder / "matcher.mjs"
    esbuild = TYPESCRIPT / "node_modules" / ".bin" / "esbuild"
    options = ("--bundle", "--platform=node", "--format=esm", "--log-level=warning")
    subprocess.run([str(esbuild), str(_SOURCE), *options, f"--outfile={built}"], check=True)
    return [program, str(built)]


def _case(random: Random, number: int) -> _Case:
    text = pattern(random)
    tree: Node | None = None
    ours: Pattern | None = None
    words = ""
    try:
        tree = parse(text)
        ours = compile_pattern(text)
    except PatternError as error:
        words = error.words
    given = texts(random, tree, TEXTS)
    long: list[str] = []
    if number % _LONG_EVERY == 0:  # some of them: one may be decided at its beginning
        some = ["".join(given), *random.sample(given, 4)]
        long = [((each or "a") * _LONG)[:_LONG] for each in some]
    return _Case(text, given, long, ours, words)


def _compare(cases: list[_Case], built: list[str], result: Result) -> None:
    go = _answers(run("matcher.go", _lines({"pattern": c.text, "texts": c.texts} for c in cases)))
    compiled = [each for each in cases if each.ours]
    asked = [
        {"table": c.ours.table, "texts": c.texts, "long": c.long[:1]} for c in compiled if c.ours
    ]
    done = subprocess.run(built, input=_lines(asked), capture_output=True, text=True, check=True)
    typescript = dict(zip(map(id, compiled), _answers(done.stdout), strict=True))
    for case, theirs in zip(cases, go, strict=True):
        if case.ours is None or theirs["refused"]:
            _refused(case, theirs["refused"], result)
        else:
            answer = typescript[id(case)]
            result.typescript = max(result.typescript, answer["milliseconds"])
            _judged(case, case.ours, theirs["verdicts"], answer["verdicts"], result)


def _lines(asked: Any) -> str:
    return "".join(json.dumps(each) + "\n" for each in asked)


def _answers(said: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said.split("\n") if line]


def _refused(case: _Case, theirs: str, result: Result) -> None:
    if theirs and case.ours is None:
        result.counts["patterns refused by both"] += 1
    elif theirs:
        result.differences.append(f"only Go refuses {case.text!r}: {theirs}")
    elif reasons := [words for found, words in _OURS_ONLY.items() if re.match(found, case.words)]:
        result.counts[f"patterns refused by us alone: {reasons[0]}"] += 1
    else:
        result.differences.append(f"only we refuse {case.text!r}: {case.words}")


def _judged(case: _Case, ours: Pattern, go: str, typescript: str, result: Result) -> None:
    python = "".join("01"[ours.matches(each)] for each in case.texts)
    result.counts["patterns compared"] += 1
    result.counts["verdicts"] += len(go)
    result.counts["verdicts that it matches"] += go.count("1")
    for text, *verdicts in zip(case.texts, go, python, typescript, strict=True):
        if len(set(verdicts)) > 1:
            said = dict(zip(("go", "python", "typescript"), verdicts, strict=True))
            result.differences.append(f"{case.text!r} on {text!r}: {said}")
    for text in case.long:
        result.counts["long texts"] += 1
        result.python = max(result.python, min(_cost(ours, text) for _ in range(3)))


def _cost(ours: Pattern, text: str) -> float:
    before = time.process_time()
    ours.matches(text)
    return 1000 * (time.process_time() - before)


def main() -> int:
    """Compare as many as the command says, and say what differs."""
    parser = argparse.ArgumentParser(prog="tests.support.patterns_go", description=__doc__)
    parser.add_argument("--patterns", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    given = parser.parse_args()
    sys.stdout.write(f"seed {given.seed}\n")
    result = campaign(given.patterns, given.seed)
    sys.stdout.write(f"{result}\n")
    slow = max(result.python, result.typescript) > MOST_MILLISECONDS
    return int(bool(result.differences) or slow)


if __name__ == "__main__":
    sys.exit(main())
