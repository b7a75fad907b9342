"""The law of privacy: what begins with `_` is its class's own, or its module's."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.source import WRITTEN, Source, within

ROOMS = ("rhtmx_server", "rhtmx_codegen", "rhtmx.patterns", "rhtmx.schema", "codegen")
"""Whose modules keep the law. The rest of the Python client, `rhtmx`, is the next one."""

GRPCLIB = "grpclib 0.4.9 and h2 have no public way to it; the version is pinned below 0.5"
DJANGO = "Django documents it: what a model has"
FOREIGN = {
    ("rhtmx_server.buses.nats", "_io_writer"): "nats-py 2.16 neither aborts, nor tells of TLS",
    ("rhtmx_server.mirror.django", "_meta"): DJANGO,
    ("rhtmx_server.mirror.django_tables", "_meta"): DJANGO,
    ("rhtmx_server.transports.arrivals", "_exception"): "websockets 17: it holds the frames alive",
    ("rhtmx_server.transports.grpc.calls", "_cancel_done"): GRPCLIB,
    ("rhtmx_server.transports.grpc.calls", "_send_initial_metadata_done"): GRPCLIB,
    ("rhtmx_server.transports.grpc.caller", "_method_name"): GRPCLIB,
    ("rhtmx_server.transports.grpc.calls", "_send_message_done"): GRPCLIB,
    ("rhtmx_server.transports.grpc.calls", "_stream"): GRPCLIB,
    ("rhtmx_server.transports.grpc.protocol", "_connection"): GRPCLIB,
}
"""Private parts of libraries: in which module, and why there is no other way."""


class Classes:
    """What each of our classes has of its own, and which are its bases."""

    def __init__(self, sources: list[Source]) -> None:
        self._own: dict[tuple[str, str], set[str]] = {}
        self._bases: dict[tuple[str, str], list[str]] = {}
        for source in sources:
            for node in ast.walk(source.tree):
                if isinstance(node, ast.ClassDef):
                    self._own[source.module, node.name] = set(_own(node))
                    self._bases[source.module, node.name] = [
                        ast.unparse(base).partition("[")[0].rpartition(".")[2]
                        for base in node.bases
                    ]

    def in_file(self, module: str) -> set[str]:
        return {name for place, name in self._own if place == module}

    def has(self, module: str, name: str, attribute: str) -> bool:
        return attribute in self._own.get((module, name), ())

    def inherited(self, module: str, name: str, attribute: str) -> bool:
        """Whether a class has this of a class of ours that is in another file."""
        for base in self._bases.get((module, name), ()):
            for place, other in self._own:
                if other == base and place != module and attribute in self._own[place, other]:
                    return True
            if self.inherited(module, base, attribute):
                return True
        return False


def _own(node: ast.ClassDef) -> Iterator[str]:
    """What a class defines, or sets on itself."""
    for inner in node.body:
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
            yield inner.name
        elif isinstance(inner, ast.AnnAssign):
            yield ast.unparse(inner.target)
        elif isinstance(inner, ast.Assign):
            yield from map(ast.unparse, inner.targets)
    for each in ast.walk(node):
        match each:
            case ast.Attribute(value, name, ast.Store()) if _itself(value):
                yield name


def _itself(node: ast.expr) -> bool:
    return ast.unparse(node) in ("self", "cls", "super()")


PUBLIC = ("_replace", "_asdict", "_fields", "_make")
"""What a named tuple offers to everybody: it leaves the plain names to its fields."""


def private(name: str) -> bool:
    """Whether a name is somebody's own; `_name_` is how an enum calls what is public."""
    return name.startswith("_") and not name.endswith("_") and name not in PUBLIC


def broken(source: Source, classes: Classes) -> list[str]:
    """Where a module takes what is another's own."""
    found: list[str] = []

    def walk(node: ast.AST, owner: str) -> None:
        if isinstance(node, ast.ClassDef):
            owner = node.name
        if isinstance(node, ast.ImportFrom):
            found.extend(
                f"{source.module}:{node.lineno} imports {alias.name} of {node.module}"
                for alias in node.names
                if private(alias.name)
            )
        if isinstance(node, ast.Attribute) and private(node.attr) and not allowed(node, owner):
            found.append(f"{source.module}:{node.lineno} {ast.unparse(node)}")
        for child in ast.iter_child_nodes(node):
            walk(child, owner)

    def allowed(node: ast.Attribute, owner: str) -> bool:
        if (source.module, node.attr) in FOREIGN:
            return True
        if classes.has(source.module, owner, node.attr):
            return True  # its own, also of another instance
        if _itself(node.value):
            return not classes.inherited(source.module, owner, node.attr)
        # A table below a class names what is in the class.
        return ast.unparse(node.value) in classes.in_file(source.module)

    walk(source.tree, "")
    return found


ALL = Classes(WRITTEN)


@pytest.mark.parametrize(
    "source",
    [each for each in WRITTEN if any(within(each.module, room) for room in ROOMS)],
    ids=lambda source: source.name,
)
def test_nobody_touches_what_is_another_s_own(source: Source) -> None:
    assert broken(source, ALL) == []


def test_the_exceptions_are_needed() -> None:
    used = {
        (source.module, node.attr)
        for source in WRITTEN
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute)
    }
    assert set(FOREIGN) <= used


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("def look(thing):\n    return thing._part", [2]),
        ("from rhtmx_server.app import App, _wall", [1]),
        ("from rhtmx_server.delivery import hub\nhub._name", [2]),
        ("class A(Base):\n    def look(self):\n        return self._secret", [3]),
        ("class A(B):\n    ...\nclass B(Base):\n    look = lambda self: self._secret", [4]),
        ("class A:\n    def look(self, b):\n        return self.b._part", [3]),
        ("class A:\n    def look(self, a):\n        self._n = 1\n        return a._n", []),
        ("class A:\n    def _go(self): ...\nTABLE = {1: A._go}", []),
        ("class A(Foreign):\n    def look(self):\n        return self._theirs", []),
        ("a.__doc__", []),
        ("word._name_", []),
        ("pair._replace(x=1)", []),
    ],
)
def test_a_breach_is_seen(tmp_path: Path, text: str, lines: list[int]) -> None:
    (tmp_path / "base.py").write_text("class Base:\n    def _secret(self): ...\n")
    (tmp_path / "one.py").write_text(textwrap.dedent(text))
    base, one = Source("base", tmp_path / "base.py"), Source("one", tmp_path / "one.py")
    found = [each.split()[0] for each in broken(one, Classes([base, one]))]
    assert found == [f"one:{line}" for line in lines]
