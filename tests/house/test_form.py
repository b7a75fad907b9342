"""The laws of form: sizes, docstrings, public names."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.house.source import WRITTEN, Source

MOST_LINES = 500
"""A file may have that many, if it is one thing."""
MOST_LINES_OF_FUNCTION = 50

LARGER_FUNCTIONS: dict[str, tuple[int, str]] = {}
"""`file:function` → lines it may have, and why."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@pytest.mark.parametrize("source", WRITTEN, ids=lambda source: source.name)
def test_a_file_is_small(source: Source) -> None:
    assert source.lines <= MOST_LINES


@pytest.mark.parametrize("source", WRITTEN, ids=lambda source: source.name)
def test_a_function_is_short(source: Source) -> None:
    long = []
    for function in source.functions():
        most, _ = LARGER_FUNCTIONS.get(
            f"{source.name}:{function.name}", (MOST_LINES_OF_FUNCTION, "")
        )
        if length(function) > most:
            long.append(f"{function.name}: {length(function)} lines")
    assert long == []


@pytest.mark.parametrize("source", WRITTEN, ids=lambda source: source.name)
def test_everything_public_has_a_docstring(source: Source) -> None:
    bare = [name for name, node in public(source.tree.body) if not ast.get_docstring(node)]
    assert bare == []
    assert ast.get_docstring(source.tree) is not None or not source.tree.body


@pytest.mark.parametrize("source", WRITTEN, ids=lambda source: source.name)
def test_a_module_opens_with_what_it_knows(source: Source) -> None:
    opening = ast.get_docstring(source.tree) or ""
    if source.path.name not in ("__init__.py", "__main__.py"):
        assert "Knows" in opening or "Holds" in opening


@pytest.mark.parametrize("source", WRITTEN, ids=lambda source: source.name)
def test_every_public_name_exists(source: Source) -> None:
    listed = exported(source.tree)
    assert sorted(set(listed)) == sorted(listed), "listed twice"
    assert set(listed) - set(defined(source.tree)) == set()


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring: words are not what makes it long."""
    last = function.end_lineno or function.lineno
    if ast.get_docstring(function):
        documentation = function.body[0]
        last -= (documentation.end_lineno or 0) - documentation.lineno + 1
    return last - function.lineno + 1


def public(body: list[ast.stmt], owner: str = "") -> Iterator[tuple[str, Definition]]:
    """What is public in a module or a public class, with its name."""
    for node in body:
        if isinstance(node, Definition) and not node.name.startswith("_") and not overload(node):
            yield f"{owner}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{node.name}.")


def overload(node: Definition) -> bool:
    """Whether it is one signature of several; the last one, which runs, says what it does."""
    return any("overload" in ast.unparse(each) for each in node.decorator_list)


def exported(tree: ast.Module) -> list[str]:
    """What `__all__` lists."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(_is_all(target) for target in node.targets):
            names: list[str] = ast.literal_eval(node.value)
            return names
    return []


def _is_all(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) and target.id == "__all__"


def defined(tree: ast.Module | ast.If | ast.Try) -> Iterator[str]:
    """Every name that a module has at its top level."""
    for node in tree.body:
        if isinstance(node, Definition):
            yield node.name
        elif isinstance(node, ast.If | ast.Try):
            yield from defined(node)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for each in (inner for target in targets for inner in ast.walk(target)):
                if isinstance(each, ast.Name):
                    yield each.id
