"""The macros that go through a list or the keys of a map, and `has`.

Knows which parts each macro has. Must not know functions or operators.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from rhtmx_codegen.cel import syntax
from rhtmx_codegen.cel.build import constant, logic
from rhtmx_codegen.cel.loops import Loop
from rhtmx_codegen.cel.refusal import NotInSubset
from rhtmx_codegen.cel.tree import Constant, Node, Variable
from rhtmx_codegen.cel.types import BOOL, Type, list_of

__all__ = ["MACROS", "Checks", "macro"]

MACROS = frozenset({"all", "exists", "exists_one", "filter", "map"})
"""The macros by their names."""

_MOST_KNOWN = 200


class Checks(Protocol):
    """What a macro needs of the checker."""

    def check(self, expression: syntax.Syntax) -> Node:
        """Return a checked expression."""

    def within(self, names: Mapping[str, Node]) -> Checks:
        """Return a checker that knows more variables."""


def macro(checker: Checks, call: syntax.Call, over: Node) -> Node:
    """Return a macro.

    Args:
        checker: checks its parts.
        call: how it is written.
        over: what it goes through.

    Raises:
        NotInSubset: its parts are not those that it has.
    """
    kind = call.name
    name, bodies = _parts(call, kind)
    if over.type.name not in {"list", "map"}:
        raise NotInSubset(f"{call.name} goes through a list or a map, not {over.type}", call.offset)
    if over.type.name == "map" and kind in {"filter", "map"}:
        raise NotInSubset(f"{kind} of a map is not compiled: its keys have no order", call.offset)
    item = over.type.of[0]
    variable = Variable(item, f"{name}_", f"{name}_", over)
    known = _known(checker, over, kind, name, bodies)
    if known is not None:
        return known
    checked = [checker.within({name: variable}).check(body) for body in bodies]
    for body in checked if kind != "map" else checked[:-1]:
        if body.type.bare != BOOL:
            raise NotInSubset(f"{call.name} asks a question, not for {body.type}", call.offset)
    gives = {"map": list_of(checked[-1].type), "filter": list_of(item)}.get(kind, BOOL)
    only = checked[0] if len(checked) == 2 else None
    if isinstance(over, Constant) and not over.value:
        return constant(gives, {"all": True, "filter": [], "map": []}.get(kind, False))
    return Loop(gives, kind, over, variable, checked[-1], only)


def _parts(call: syntax.Call, kind: str) -> tuple[str, tuple[syntax.Syntax, ...]]:
    first, *rest = call.arguments or (None,)
    if not isinstance(first, syntax.Name):
        raise NotInSubset(f"{call.name} needs the name of a variable first", call.offset)
    if len(rest) > 1 and kind != "map" and isinstance(rest[0], syntax.Name):
        raise NotInSubset(
            f"{call.name} with two variables is not compiled: index by the first one", call.offset
        )
    if len(rest) not in ({1, 2} if kind == "map" else {1}):
        raise NotInSubset(f"{call.name} has another number of parts", call.offset)
    return first.name, tuple(rest)


def _known(
    checker: Checks, over: Node, kind: str, name: str, bodies: tuple[syntax.Syntax, ...]
) -> Node | None:
    """Return what a macro over a constant is worth, if all of it is known."""
    if not isinstance(over, Constant) or len(over.value) > _MOST_KNOWN:
        return None
    rows = []
    for value in over.value:
        inner = checker.within({name: constant(over.type.of[0], value)})
        row = [inner.check(body) for body in bodies]
        if not all(isinstance(each, Constant) for each in row):
            return None
        rows.append((value, [each.value for each in row], row[-1].type))  # type: ignore[attr-defined]
    return _worth(over, kind, rows) if rows else None


def _worth(over: Node, kind: str, rows: list[tuple[object, list[object], Type]]) -> Node:
    answers = [answer for _value, answer, _type in rows]
    if kind in {"all", "exists"}:
        sides = [constant(BOOL, answer[0]) for answer in answers]
        return logic("&&" if kind == "all" else "||", sides)
    if kind == "exists_one":
        return constant(BOOL, sum(answer[0] is True for answer in answers) == 1)
    if kind == "filter":
        return constant(over.type, [value for value, answer, _type in rows if answer[0]])
    kept = [answer[-1] for answer in answers if len(answer) == 1 or answer[0]]
    # The type of the first one, without what is known of its size.
    return constant(list_of(replace(rows[0][2].bare, span=None)), kept)
