"""The macros of CEL as loops of both languages.

Knows how `all`, `exists`, `exists_one`, `filter` and `map` are written. Must not know types.
"""

from __future__ import annotations

from dataclasses import dataclass

from rhtmx_codegen.cel.pieces import Level, Piece
from rhtmx_codegen.cel.tree import Names, Node, Variable
from rhtmx_codegen.cel.types import Type

__all__ = ["Loop"]

_PYTHON_HELPERS = {"all": "_s.cel_all", "exists": "_s.cel_exists"}
_TYPESCRIPT_HELPERS = {"all": "s.celAll", "exists": "s.celExists"}


@dataclass(frozen=True, slots=True)
class Loop:
    """One macro.

    Attributes:
        kind: `all`, `exists`, `exists_one`, `filter` or `map`.
        over: the list, or the map whose keys it goes through.
        variable: its variable.
        body: what is asked or made of each.
        only: which ones are taken, in `map` of three parts.
    """

    type: Type
    kind: str
    over: Node
    variable: Variable
    body: Node
    only: Node | None = None

    @property
    def errs(self) -> bool:
        """It can err if a part can."""
        return any(part.errs for part in self.parts)

    @property
    def parts(self) -> tuple[Node, ...]:
        """What it goes through, and what is asked of each."""
        return (self.over, self.body) if self.only is None else (self.over, self.only, self.body)

    def python(self, names: Names) -> Piece:
        """Return a comprehension, or a call where an error can be absorbed."""
        name, over, body = self.variable.name, self.over.python(names), self.body.python(names)
        if self.body.errs and self.kind in _PYTHON_HELPERS:
            call = f"{_PYTHON_HELPERS[self.kind]}({over}, lambda {name}: {body})"
            return Piece(call, Level.ATOM)
        each = f"for {name} in {over:or}"
        if self.kind == "exists_one":
            return Piece(f"sum({body:or} {each}) == 1", Level.COMPARE)
        if self.kind == "filter":
            return Piece(f"[{name} {each} if {body:or}]", Level.ATOM)
        if self.kind == "map":
            only = f" if {self.only.python(names):or}" if self.only else ""
            return Piece(f"[{body:or} {each}{only}]", Level.ATOM)
        return Piece(f"{'all' if self.kind == 'all' else 'any'}({body:or} {each})", Level.ATOM)

    def typescript(self, names: Names) -> Piece:
        """Return a call with a function."""
        over, body = self.over.typescript(names), self.body.typescript(names)
        if self.over.type.name == "map":
            over = Piece(f"[...{over:atom}.keys()]", Level.ATOM)
        begin = f"({self.variable.in_typescript}: any) => "
        if self.body.errs and self.kind in _TYPESCRIPT_HELPERS:
            return Piece(f"{_TYPESCRIPT_HELPERS[self.kind]}({over}, {begin}{body})", Level.ATOM)
        if self.kind == "exists_one":
            return Piece(f"{over:atom}.filter({begin}{body}).length === 1", Level.COMPARE)
        if self.only:
            over = Piece(f"{over:atom}.filter({begin}{self.only.typescript(names)})", Level.ATOM)
        method = {"all": "every", "exists": "some"}.get(self.kind, self.kind)
        return Piece(f"{over:atom}.{method}({begin}{body})", Level.ATOM)
