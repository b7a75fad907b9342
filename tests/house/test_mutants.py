"""The list of bugs that no test notices: it is whole, and about functions that there are."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.house.source import ROOT
from tests.mutants.__main__ import LISTED, MODULES, listed


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
    assert len(list(listed(text))) == text.count("```diff") > 0


@pytest.mark.parametrize("name", MODULES)
def test_every_entry_is_about_a_line_of_its_function(name: str) -> None:
    path, tests = MODULES[name]
    source = ROOT / path if path.startswith("rhtmx_server") else ROOT / "clients/python" / path
    assert all((ROOT / test).exists() for test in tests)
    text = source.read_text(encoding="utf-8")
    lines = {line.strip() for line in text.splitlines()}
    known = set(functions(ast.parse(text)))
    for bug in listed(LISTED.read_text(encoding="utf-8")):
        if bug.module == name:
            assert bug.function in known
            assert set(bug.before) <= lines
            assert bug.after != bug.before
