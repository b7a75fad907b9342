"""The laws of who imports whom in the TypeScript client, and of what only decides."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.house.source import ROOT
from tests.house.test_imports import circles

SOURCE = ROOT / "clients" / "typescript" / "src"
FILES = sorted(path for path in SOURCE.rglob("*.ts"))

MAY: dict[str, tuple[str, ...]] = {
    "messages": (),
    "wire": ("messages", "errors.ts"),
    "core": ("errors.ts", "messages", "wire"),
    "stores": ("core", "errors.ts"),
    "runtime": ("core", "errors.ts", "messages", "wire"),
    "schema": ("core", "errors.ts", "messages"),
    "api": ("core", "errors.ts", "forms", "messages", "runtime", "schema", "stores", "wire"),
    "htmx": ("api", "core", "errors.ts", "forms", "messages"),
    "forms": ("core", "errors.ts", "messages", "schema"),
    "react": ("api", "core", "errors.ts", "forms", "messages"),
}
"""Room → from where it may import, types included. Entries at the root may import all."""

OUTSIDE = re.compile(
    r"(?<![\w.])(?:fetch|WebSocket|setTimeout|setInterval|queueMicrotask|performance|crypto|"
    r"indexedDB|localStorage|navigator|document|window|BroadcastChannel|Promise)\s*[.(]|"
    r"\bnew (?:WebSocket|Promise|BroadcastChannel)\b|\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|"
    r"\basync\b|\bawait\b"
)
"""Clocks, chance, sockets, stores and the loop."""


def room(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0]


def code(path: Path) -> str:
    """A file without its comments."""
    return re.sub(r"/\*.*?\*/|^\s*//.*$", "", path.read_text(encoding="utf-8"), flags=re.S | re.M)


def imports(path: Path) -> list[Path]:
    found = re.findall(r'(?:from|import)\s*\(?"(\.[^"]+)"', code(path))
    return [(path.parent / each).resolve() for each in found]


@pytest.mark.parametrize("name", MAY)
def test_a_room_imports_only_from_where_it_may(name: str) -> None:
    broken = [
        f"{path.relative_to(SOURCE)} imports {target.relative_to(SOURCE)}"
        for path in FILES
        if room(path) == name
        for target in imports(path)
        if room(target) not in (name, *MAY[name])
    ]
    assert broken == []


def test_every_import_is_of_a_file_that_exists() -> None:
    assert len(FILES) > 60
    assert [target for path in FILES for target in imports(path) if not target.exists()] == []


def test_imports_run_one_way_types_included() -> None:
    names = {path: str(path.relative_to(SOURCE)) for path in FILES}
    assert circles({names[path]: {names[to] for to in imports(path)} for path in FILES}) == []


@pytest.mark.parametrize(
    "path", [each for each in FILES if room(each) == "core"], ids=lambda p: p.name
)
def test_what_decides_knows_no_clock_no_chance_no_socket_and_no_loop(path: Path) -> None:
    assert OUTSIDE.findall(code(path)) == []


def test_every_file_that_the_readme_names_exists() -> None:
    text = (SOURCE.parent / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w-]+\.ts)`", text.partition("## Work on this client")[2]))
    assert len(named) > 5
    assert named <= {path.name for path in FILES}
