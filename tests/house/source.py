"""The project's own Python sources, parsed: what imports what, and what is in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "rhtmx": ROOT / "clients/python/rhtmx",
    "rhtmx_server": ROOT / "rhtmx_server",
    "rhtmx_codegen": ROOT / "rhtmx_codegen",
    "codegen": ROOT / "codegen",
}
GENERATED = ("rhtmx.messages", "rhtmx.wire.generated", "rhtmx_server.demo.schema")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def within(module: str, room: str) -> bool:
    """Whether a module is this room, or in it.

    >>> within("rhtmx_server.delivery.hub", "rhtmx_server"), within("rhtmx_server", "rhtmx")
    (True, False)
    """
    return module == room or module.startswith(f"{room}.")


@dataclass(frozen=True)
class Import:
    """One import: from which module, of which, where, and whether it ever runs."""

    module: str
    imported: str
    line: int
    only_types: bool

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.imported}"


@dataclass(frozen=True)
class Source:
    """One hand-written or generated module."""

    module: str
    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def generated(self) -> bool:
        return any(within(self.module, room) for room in GENERATED)

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())

    def functions(self) -> Iterator[Function]:
        for node in ast.walk(self.tree):
            if isinstance(node, Function):
                yield node

    def imports(self) -> Iterator[Import]:
        types_only = {
            id(inner)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
            for inner in ast.walk(node)
        }
        for node in ast.walk(self.tree):
            for imported in self._imported(node):
                assert isinstance(node, ast.Import | ast.ImportFrom)
                yield Import(self.module, imported, node.lineno, id(node) in types_only)

    def _imported(self, node: ast.AST) -> list[str]:
        if isinstance(node, ast.Import):
            return [alias.name for alias in node.names]
        if not isinstance(node, ast.ImportFrom):
            return []
        origin = node.module or ""
        if node.level:
            package = self.module if self.path.name == "__init__.py" else _parent(self.module)
            for _ in range(node.level - 1):
                package = _parent(package)
            origin = f"{package}.{origin}".rstrip(".")
        # `from package import module` imports the module, not only the package.
        names = [f"{origin}.{alias.name}" for alias in node.names]
        return [name if name in MODULES else origin for name in names]


def _parent(module: str) -> str:
    return module.rpartition(".")[0]


def _find() -> Iterator[Source]:
    for package, folder in PACKAGES.items():
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            module = ".".join([package, *parts]).removesuffix(".__init__")
            yield Source(module, path)


SOURCES = list(_find())
MODULES = {source.module: source for source in SOURCES}
WRITTEN = [source for source in SOURCES if not source.generated]
IMPORTS = [each for source in WRITTEN for each in source.imports()]
