"""Twelve bugs of the run time that a campaign has to notice.

Each is a small change of a copy, in Python, in TypeScript, and in both, where only protovalidate
can tell. `python -m tests.support.schema_judges --bugs` looks for them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

__all__ = ["BUGS", "Bug", "Edit", "hunted"]

_ROOT = Path(__file__).parents[3]
_PYTHON = _ROOT / "clients" / "python" / "rhtmx"
_TYPESCRIPT = _ROOT / "clients" / "typescript" / "src"
_DIFFER = re.compile(r"; (\d+) values differ")


class Edit(NamedTuple):
    """A change of a file below `schema`."""

    file: str
    before: str
    after: str


class Bug(NamedTuple):
    """One bug; without edits of a language, that has no place where it could be."""

    name: str
    python: tuple[Edit, ...]
    typescript: tuple[Edit, ...]


def _edits(file: str, *changes: tuple[str, str]) -> tuple[Edit, ...]:
    return tuple(Edit(file, before, after) for before, after in changes)


_SIZES = (
    'if len(value) == wanted else Failure("len"',
    'if len(value) >= least\n        else Failure("min_len"',
    'if len(value) <= most else Failure("max_len"',
)
_UNITS = '(len(value) if isinstance(value, bytes) else len(value.encode("utf-16-le")) // 2)'
_OCTETS = "(len(value) if isinstance(value, bytes) else len(value.encode()))"
_SIZE = 'typeof value === "string" ? [...value].length : value.length'

BUGS = (
    Bug(
        "a length in UTF-16 units",
        _edits("checks.py", *((each, each.replace("len(value)", _UNITS)) for each in _SIZES)),
        _edits("checks.ts", (_SIZE, "value.length")),
    ),
    Bug(
        "an order by UTF-16 units",
        (),
        _edits("cel-logic.ts", ("return past || left - right", "return left - right")),
    ),
    Bug(
        "a division that rounds down",
        _edits(
            "cel/numbers.py",
            ("return whole if (one < 0) == (other < 0) else -whole", "return one // other"),
        ),
        _edits(
            "cel-numbers.ts",
            (
                "return whole(BigInt(one) / BigInt(other));",
                "return whole(BigInt(Math.floor(Number(one) / Number(other))));",
            ),
        ),
    ),
    Bug(
        "an error that is not absorbed",
        _edits("cel/logic.py", ("            failure = error", "            raise")),
        _edits("cel-logic.ts", ("failure = error;", "throw error;")),
    ),
    Bug(
        "no IPv4 address at the end of one of IPv6",
        _edits("formats.py", ("groups = _ipv4(end) if last else None", "groups = None")),
        _edits("formats.ts", ("last && ipv4(parts.at(-1)!)", "undefined as number[] | undefined")),
    ),
    Bug(
        "a length in bytes",
        _edits("checks.py", *((each, each.replace("len(value)", _OCTETS)) for each in _SIZES)),
        _edits(
            "checks.ts",
            (
                _SIZE,
                'typeof value === "string" ? new TextEncoder().encode(value).length : value.length',
            ),
        ),
    ),
    Bug(
        "−0 as zero",  # noqa: RUF001
        _edits(
            "judge.py",
            (
                "not value and not (value.__class__ is float and copysign(1.0, value) < 0)",
                "not value",
            ),
        ),
        _edits("judge.ts", ("Object.is(value, zero)", "value === zero")),
    ),
    Bug(
        "a sum that is not checked",
        _edits("cel/numbers.py", ("if _LEAST <= value <= _MOST:", "if True:")),
        _edits(
            "cel-numbers.ts", ("if (value >= LEAST && value < 2n ** 63n)", "if (value === value)")
        ),
    ),
    Bug(
        "a float that is not rounded",
        _edits("kinds.py", ("return _FLOAT.unpack(_FLOAT.pack(value))[0]", "return value")),
        _edits("kinds.ts", ("const rounded = Math.fround(value!);", "const rounded = value!;")),
    ),
    Bug(
        "presence ignored",
        _edits("judge.py", ("there = value is not None", "there = not is_zero(value or 0)")),
        _edits(
            "judge.ts", ("flags & PRESENCE ? value !== undefined : !isZero", "value && !isZero")
        ),
    ),
    Bug(
        "the key of a map without quotes",
        _edits("containers.py", ("_quoted(name) if key_kind is STRING else name", "name")),
        _edits("containers.ts", ("isText ? JSON.stringify(name) : name", "name")),
    ),
    Bug(
        "unique by identity",
        _edits(
            "checks.py",
            ("if len(set(value)) == len(value):", "if len({*map(id, value)}) == len(value):"),
        ),
        _edits("checks.ts", ('(typeof each === "object" ? String(each) : each)', "each")),
    ),
)
"""The bugs."""


def hunted(protovalidate: str, seed: int) -> Iterator[tuple[str, str, bool]]:
    """Look for each bug: its name, where it was put, and whether it was noticed.

    Args:
        protovalidate: the path of a Python that has it; without: bugs are in one language only.
        seed: of the campaigns.

    Raises:
        AssertionError: a campaign did not come to an end, or found a difference without a bug.
    """
    assert not _is_noticed((), (), protovalidate, seed), "there is a difference without any bug"
    for bug in BUGS:
        places = {"Python": (bug.python, ()), "TypeScript": ((), bug.typescript)}
        if protovalidate:
            places["both"] = (bug.python, bug.typescript)
        for place, (python, typescript) in places.items():
            if not (python or typescript) or (place == "both" and not (python and typescript)):
                continue
            yield bug.name, place, _is_noticed(python, typescript, protovalidate, seed)


def _is_noticed(
    python: Sequence[Edit], typescript: Sequence[Edit], protovalidate: str, seed: int
) -> bool:
    with TemporaryDirectory(prefix="bug_") as name:
        folder = Path(name)
        shutil.copytree(_PYTHON, folder / "rhtmx", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(_TYPESCRIPT, folder / "src")
        _change(folder / "rhtmx" / "schema", python)
        _change(folder / "src" / "schema", typescript)
        ended = subprocess.run(
            [
                *(sys.executable, "-m", "tests.support.schema_judges", "--until-first"),
                *("--schemas", "300", "--values", "40", "--seed", str(seed), "--no-browser"),
                *("--typescript", str(folder / "src"), "--python", protovalidate),
            ],
            env={**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{_ROOT}"},
            cwd=_ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    found = _DIFFER.search(ended.stdout)
    assert found, ended.stderr
    return found[1] != "0"


def _change(folder: Path, edits: Sequence[Edit]) -> None:
    for edit in edits:
        path = folder / edit.file
        text = path.read_text()
        assert text.count(edit.before) == 1, f"{edit.file} has not once {edit.before}"
        path.write_text(text.replace(edit.before, edit.after))
