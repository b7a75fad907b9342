"""The walk that is in TypeScript: a write in the client, with a store, in Node.

Knows where the sources lie, and what they import. Must not know how calls are counted.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from tests.house.source import ROOT
from tests.house.walks.walk import Call, Place

__all__ = ["imports", "record", "room_of"]

_SOURCE = ROOT / "clients" / "typescript" / "src"
_IMPORT = re.compile(r'^(?:import|export) (?!type\b)[^"=]*?"(\./[^"]+|\.\./[^"]+)"', re.MULTILINE)
"""One that runs: types are gone by then."""


def record(source: Path = _SOURCE) -> list[Call]:
    """Record the walk.

    Args:
        source: where `index.ts` lies, which has `connect`.
    """
    script = Path(__file__).with_name("record.mjs")
    said = subprocess.run(
        ["node", script, source], stdout=subprocess.PIPE, check=True, timeout=60
    ).stdout
    return [
        Call(None if caller is None else _place(caller), _place(callee))
        for caller, callee in json.loads(said)
    ]


def imports() -> dict[str, set[str]]:
    """What each module imports, by their paths."""
    return {
        str(path.relative_to(_SOURCE)): {
            str((path.parent / each).resolve().relative_to(_SOURCE))
            for each in _IMPORT.findall(path.read_text(encoding="utf-8"))
        }
        for path in sorted(_SOURCE.rglob("*.ts"))
    }


def room_of(module: str) -> str:
    """The folder that a module lies in, and what lies beside the folders.

    >>> room_of("core/session.ts"), room_of("errors.ts"), room_of("index.ts")
    ('core', 'errors', 'the package')
    """
    room, inside, _ = module.partition("/")
    if inside:
        return room
    return "errors" if module == "errors.ts" else "the package"


def _place(name: str) -> Place:
    module, _, function = name.partition(":")
    return Place(module, function)
