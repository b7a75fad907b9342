"""The list of bugs that no test notices: it is whole, and about functions that there are."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.house.source import ROOT
from tests.mutants import python, typescript
from tests.mutants.bugs import LISTED, Bug, listed


def bugs(module: str) -> list[Bug]:
    return [bug for bug in listed(LISTED.read_text(encoding="utf-8")) if bug.module == module]


def functions(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.ClassDef):
            inner = (
                each
                for each in node.body
                if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
            )
            yield from (f"{node.name}.{each.name}" for each in inner)


def test_every_entry_is_read() -> None:
    text = LISTED.read_text(encoding="utf-8")
    entries = list(listed(text))
    assert len(entries) == text.count("```diff") > 0
    assert {entry.module for entry in entries} <= {*python.MODULES, *typescript.MODULES}


@pytest.mark.parametrize("name", python.MODULES)
def test_every_entry_is_about_a_line_of_its_function(name: str) -> None:
    path, tests = python.MODULES[name]
    source = ROOT / path if path.startswith("rhtmx_server") else ROOT / "clients/python" / path
    assert all((ROOT / test).exists() for test in tests)
    text = source.read_text(encoding="utf-8")
    lines = {line.strip() for line in text.splitlines()}
    known = set(functions(ast.parse(text)))
    for bug in bugs(name):
        assert bug.function in known
        assert set(bug.before) <= lines
        assert bug.after != bug.before


@pytest.mark.parametrize("name", typescript.MODULES)
def test_every_entry_is_about_a_line_of_its_typescript(name: str) -> None:
    path, tests = typescript.MODULES[name]
    client = ROOT / "clients" / "typescript"
    assert all((client / test).exists() for test in tests)
    lines = (client / path).read_text(encoding="utf-8").split("\n")
    for bug in bugs(name):
        starts = [at for at, line in enumerate(lines) if line.strip() == bug.before[0]]
        assert bug.function in [typescript.function_at(lines, at) for at in starts]
        assert bug.after != bug.before
