"""Compares generated judges of random schemas with each other, and with protovalidate.

    python -m tests.support.schema_judges --python /path/to/python-with-protovalidate

Each schema has random fields and rules; of each there are random values near the edges of its
rules. Judges are the generated Python, the generated TypeScript in Node and in Chromium, and
protovalidate. Every difference is made as small as can be, and printed; the exit code is 1 if there
is one. `--bugs` looks instead whether bugs of the run time would be noticed.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from rhtmx_codegen.problems import SchemaError
from tests.support.programs import TYPESCRIPT
from tests.support.random_schemas import values
from tests.support.random_schemas.bugs import hunted
from tests.support.random_schemas.generate import application
from tests.support.random_schemas.judges import Case, Judges, disagreement
from tests.support.random_schemas.long import long_cases
from tests.support.random_schemas.shrinking import shrunk

__all__ = ["Result", "campaign", "main"]

_BATCH = 25
MOST_MILLISECONDS = 20.0
"""What a value of 64 KiB may take."""
_SHOWN = 8


@dataclass(slots=True)
class Result:
    """What came of a campaign.

    Attributes:
        judged: values.
        violations: that our Python found.
        erring: values of which a rule could not be judged.
        differences: what judges disagree about, made small.
        wrong: values of which they disagree.
        refused: how often codegen refused a rule, by the reason.
        codes: how often each rule was broken.
    """

    judged: int = 0
    violations: int = 0
    erring: int = 0
    differences: list[str] = field(default_factory=list)
    wrong: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)


def campaign(
    judges: Judges,
    *,
    schemas: int,
    values_each: int,
    seed: int,
    until_first: bool = False,
    shrink: bool = True,
) -> Result:
    """Judge values of random schemas.

    Args:
        judges: who judges.
        schemas: how many.
        values_each: values of each.
        seed: of chance.
        until_first: stop at the first difference.
        shrink: make differences small.
    """
    result, seen = Result(), set[str]()
    for start in range(0, schemas, _BATCH):
        random = Random(f"{seed} {start}")
        batch = [application(random, number) for number in range(min(_BATCH, schemas - start))]
        judges.load(batch, result.refused)
        now = judges.now
        cases = [
            Case(each, values.message(random, each, now), random.randrange(3))
            for each in batch
            for _ in range(values_each)
        ]
        found = list(_differences(judges, cases, result))
        if until_first and found:
            result.differences.append(found[0][1])
            break
        for case, why in _first_of_each(found, seen):
            if shrink and len(result.differences) < _SHOWN:
                result.differences.append(_shown(judges, case, why))
            elif not shrink:
                result.differences.append(why)
        sys.stderr.write(f"\r{start + len(batch)} schemas, {result.wrong} differ")
        sys.stderr.flush()
    sys.stderr.write("\n")
    return result


def _differences(
    judges: Judges, cases: Sequence[Case], result: Result
) -> Iterator[tuple[Case, str]]:
    """Each case of which judges disagree, and why; what was judged is counted."""
    for case, said in zip(cases, judges.ask(cases), strict=True):
        result.judged += 1
        ours = said["python"]
        if not isinstance(ours, str):
            result.violations += len(ours)
            result.erring += any(words.startswith("cannot be judged") for _, _, words in ours)
            result.codes.update(code for _, code, _ in ours)
        why = disagreement(said)
        if why:
            result.wrong += 1
            yield case, why


def _first_of_each(found: Sequence[tuple[Case, str]], seen: set[str]) -> Iterator[tuple[Case, str]]:
    """One case of each sort: of a schema, one of each rule."""
    for case, why in found:
        sort = f"{case.application.package}"
        if sort not in seen:
            seen.add(sort)
            yield case, why
    seen.clear()


def _shown(judges: Judges, case: Case, why: str) -> str:
    def disagree(other: Case) -> bool:
        try:
            refused = Counter[str]()
            judges.load([other.application], refused)
            return not refused and bool(disagreement(judges.ask([other])[0]))
        except (SchemaError, AssertionError, KeyError):
            return False

    least = shrunk(case, disagree)
    judges.load([least.application], Counter())
    said = judges.ask([least])[0]
    declared = "\n    ".join(
        line
        for text in least.application.files().values()
        for line in text.splitlines()
        if not line.startswith(("syntax", "package", "import", "enum"))
    )
    answers = "\n    ".join(f"{name}: {answer}" for name, answer in said.items())
    return f"{why}\n    {declared}\n    {least.text()}\n    {answers}"


def slowest(judges: Judges, *, schemas: int, seed: int) -> list[tuple[float, str, str]]:
    """How long our judges take for values of 64 KiB, the slowest first.

    Args:
        judges: who judges.
        schemas: how many.
        seed: of chance.

    Returns:
        Milliseconds, the judge, and the field with its rules.
    """
    found: list[tuple[float, str, str]] = []
    for start in range(0, schemas, _BATCH):
        random = Random(f"{seed} {start}")
        batch = [application(random, number) for number in range(min(_BATCH, schemas - start))]
        judges.load(batch, Counter())
        cases = [case for each in batch for case in long_cases(each, random, judges.now)]
        for case, took in zip(cases, judges.milliseconds(cases), strict=True):
            (name,) = case.value
            line = next(each for each in case.application.root.fields if each.name == name).line()
            found += [(each, judge, line) for judge, each in took.items()]
    return sorted(found, reverse=True)


def _print_slowest(found: Sequence[tuple[float, str, str]]) -> int:
    texts = [each for each in found if not each[2].startswith(("repeated ", "map<"))]
    for kind, some in (("texts and bytes", texts), ("lists and maps, too", found)):
        for took, judge, line in some[:6]:
            print(f"{took:6.1f} ms {judge}: {line}")  # noqa: T201
        over = sum(took > MOST_MILLISECONDS for took, _, _ in some)
        print(f"{kind}: {len(some)} measured, {over} over {MOST_MILLISECONDS} ms")  # noqa: T201
    return 1 if found[0][0] > MOST_MILLISECONDS else 0


def _hunt(protovalidate: str, seed: int) -> int:
    noticed: dict[str, bool] = {}
    for name, place, seen in hunted(protovalidate, seed):
        noticed[name] = noticed.get(name, True) and seen
        print(f"{'noticed' if seen else 'NOT NOTICED'}: {name} ({place})", flush=True)  # noqa: T201
    print(f"{sum(noticed.values())} of {len(noticed)} noticed")  # noqa: T201
    return 0 if all(noticed.values()) else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default="", help="one that has protovalidate; without: ours")
    parser.add_argument("--schemas", type=int, default=1_000)
    parser.add_argument("--values", type=int, default=100, help="of each schema")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-browser", action="store_true")
    parser.add_argument("--typescript", type=Path, default=TYPESCRIPT / "src")
    parser.add_argument("--until-first", action="store_true")
    parser.add_argument("--bugs", action="store_true", help="look for bugs that are put in")
    parser.add_argument("--long", action="store_true", help="measure values of 64 KiB")
    given = parser.parse_args(arguments)
    if given.bugs:
        return _hunt(given.python, given.seed)
    began = time.monotonic()
    chromium = "" if given.no_browser else shutil.which("chromium") or ""
    with tempfile.TemporaryDirectory(prefix="judges_") as folder:
        judges = Judges(
            Path(folder),
            typescript=given.typescript,
            chromium=chromium,
            protovalidate=given.python,
        )
        if given.long:
            took = slowest(judges, schemas=given.schemas, seed=given.seed)
            judges.close()
            return _print_slowest(took)
        result = campaign(
            judges,
            schemas=given.schemas,
            values_each=given.values,
            seed=given.seed,
            until_first=given.until_first,
        )
        judges.close()
    _print(result)
    print(f"{time.monotonic() - began:.0f} s, seed {given.seed}")  # noqa: T201
    return 1 if result.wrong else 0


def _print(result: Result) -> None:
    for each in result.differences:
        print(each)  # noqa: T201
    print(  # noqa: T201
        f"{result.judged} values, {result.violations} violations of {len(result.codes)} rules, "
        f"{result.erring} with a rule that errs; {result.wrong} values differ"
    )
    print(f"refused: {result.refused.total()}")  # noqa: T201
    for reason, count in result.refused.most_common(12):
        print(f"  {count} {reason}")  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
