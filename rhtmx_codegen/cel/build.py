"""How nodes are put together: folded where all is known, coerced where one must be.

Knows nodes, and which values are what CEL calls a number. Must not know syntax or functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

from rhtmx.schema.cel import CelError, formats, numbers, texts, times
from rhtmx.schema.cel import logic as logic_helpers
from rhtmx_codegen.cel.pieces import Level
from rhtmx_codegen.cel.refusal import NotInSubset
from rhtmx_codegen.cel.tree import Choice, Constant, Form, Logic, Node, Operation
from rhtmx_codegen.cel.types import BOOL, ENUM, INT, NULL, UINT, UNKNOWN, Type, span_of

__all__ = [
    "HELPERS",
    "call",
    "choice",
    "common_type",
    "constant",
    "logic",
    "operation",
    "operator",
    "plain",
    "retyped",
]

HELPERS: dict[str, Callable[..., Any]] = {
    name: getattr(module, name)
    for module in (formats, logic_helpers, numbers, texts, times)
    for name in module.__all__
}
"""What generated code can call, by name: what folds constants here."""


def call(name: str, count: int = 1, *, errs: bool = False) -> Form:
    """Return the form of a call of a helper of `rhtmx.schema.cel`.

    Args:
        name: of the helper, without `cel_`.
        count: how many arguments.
        errs: it can err.
    """
    arguments = ", ".join(f"{{{at}}}" for at in range(count))
    camel = "".join(word.capitalize() for word in name.split("_"))
    apply = HELPERS[f"cel_{name}"]
    return Form(f"_s.cel_{name}({arguments})", f"s.cel{camel}({arguments})", apply, errs=errs)


def operator(
    python: str, typescript: str, level: Level, apply: Callable[..., Any] | None = None
) -> Form:
    """Return the form of an operator that binds alike in both languages.

    Args:
        python: its template.
        typescript: likewise.
        level: how tightly it binds.
        apply: what it does to constants.
    """
    return Form(python, typescript, apply, level)


def constant(type_: Type, value: Any) -> Constant:
    """Return a constant; a whole number knows how large it is.

    Args:
        type_: its type.
        value: its value.
    """
    if type_.bare in {INT, UINT}:
        return Constant(replace(type_, span=(value, value)), value)
    return Constant(type_, value)


def operation(form: Form, type_: Type, *parts: Node) -> Node:
    """Return an operation, or what it is worth if all its parts are constants.

    Args:
        form: how it is written.
        type_: of its value.
        parts: what it is done to.
    """
    errs = form.errs or any(part.errs for part in parts)
    if form.apply and all(isinstance(part, Constant) for part in parts):
        try:
            return constant(type_, form.apply(*(part.value for part in parts)))  # type: ignore[attr-defined]
        except CelError:
            return Operation(type_, form, parts, True)
    return Operation(type_, form, parts, errs)


def logic(sign: str, parts: Iterable[Node]) -> Node:
    """Return sides joined by `&&` or `||`, without those that are known.

    Args:
        sign: which.
        parts: the sides, all of type bool.
    """
    decides = sign == "||"
    sides: list[Node] = []
    for part in parts:
        if isinstance(part, Constant):
            if part.value is decides:
                return constant(BOOL, decides)
        elif isinstance(part, Logic) and part.sign == sign:
            sides += part.parts
        else:
            sides.append(part)
    if len(sides) < 2:
        return sides[0] if sides else constant(BOOL, not decides)
    return Logic(BOOL, sign, tuple(sides))


def choice(condition: Node, then: Node, otherwise: Node, offset: int) -> Node:
    """Return a choice, or its branch if the condition is known.

    Args:
        condition: of type bool.
        then: if it holds.
        otherwise: if not.
        offset: where the choice stands.

    Raises:
        NotInSubset: the branches are of two types.
    """
    type_ = common_type([then, otherwise], offset, "the two sides of ?:")
    if isinstance(condition, Constant):
        return then if condition.value else otherwise
    return Choice(type_, (condition, then, otherwise))


def plain(node: Node) -> Node:
    """Return a value that must be there to be worked with, and an enum as its number.

    Args:
        node: any value.
    """
    if node.type.absent and node.type.name != "message":
        node = operation(_PRESENT, replace(node.type, absent=False), node)
    if node.type.bare == ENUM:
        return operation(_KNOWN, _ENUM_NUMBER, node)
    return node


def retyped(node: Node, type_: Type) -> Node:
    """Return the same node with another type.

    Args:
        node: the node.
        type_: another one with the same values at run time.
    """
    changed: Node = replace(node, type=type_)  # type: ignore[type-var]
    return changed


def common_type(nodes: Sequence[Node], offset: int, where: str) -> Type:
    """Return the type that all nodes have.

    Args:
        nodes: some.
        offset: where they stand.
        where: what they are, for the words.

    Raises:
        NotInSubset: they have two.
    """
    return reduce(lambda one, other: _wider(one, other, offset, where), (n.type for n in nodes))


def _wider(one: Type, other: Type, offset: int, where: str) -> Type:
    if NULL in {one.bare, other.bare} and one.bare != other.bare:
        return replace(other if one.bare == NULL else one, absent=True)
    if one.name == other.name and one.of and other.of:
        pairs = zip(one.of, other.of, strict=True)
        return replace(one, of=tuple(_wider(*pair, offset, where) for pair in pairs))
    if UNKNOWN in {one.bare, other.bare}:
        return other if one.bare == UNKNOWN else one
    if one.bare != other.bare:
        raise NotInSubset(f"{where} are {one} and {other}, and must be of one type", offset)
    wider = replace(one, absent=one.absent or other.absent)
    if one.bare in {INT, UINT}:
        spans = [*span_of(one), *span_of(other)]
        return replace(wider, span=(min(spans), max(spans)))
    return wider


_PRESENT = call("present", errs=True)
_KNOWN = call("known", errs=True)
_ENUM_NUMBER = replace(INT, span=(-(2**31), 2**31 - 1))
