"""Equality, order and `in`.

Knows which of the two languages' operators mean what CEL's mean. Must not know syntax.
"""

from __future__ import annotations

import operator as python_operator
from dataclasses import replace
from typing import Any

from rhtmx_codegen.cel.build import call, constant, operation, operator, plain
from rhtmx_codegen.cel.numbers import SAFE, fits
from rhtmx_codegen.cel.pieces import Level
from rhtmx_codegen.cel.refusal import NotInSubset
from rhtmx_codegen.cel.tree import Constant, Form, Node
from rhtmx_codegen.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    ENUM,
    INT,
    NULL,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    UNKNOWN,
    Type,
    holds,
    span_of,
)

__all__ = ["NUMBERS", "compared", "contained", "key_of"]

NUMBERS = frozenset({INT, UINT, DOUBLE})
"""What CEL compares by value, whatever the type."""

_SCALARS = NUMBERS | {BOOL, STRING, TIMESTAMP, DURATION, ENUM}
_ORDERED = NUMBERS | {BOOL, STRING, BYTES, TIMESTAMP, DURATION}
_KINDS_OF_NUMBERS = NUMBERS | {ENUM}
_APPLY = {
    "==": python_operator.eq,
    "!=": python_operator.ne,
    "<": python_operator.lt,
    "<=": python_operator.le,
    ">": python_operator.gt,
    ">=": python_operator.ge,
}
_STRICT = {"==": "===", "!=": "!=="}
_IS_NULL = {
    "==": operator("{0:sum} is None", "{0:sum} == null", Level.COMPARE),
    "!=": operator("{0:sum} is not None", "{0:sum} != null", Level.COMPARE),
}


def compared(sign: str, left: Node, right: Node, offset: int) -> Node:
    """Return a comparison.

    Args:
        sign: `==`, `!=`, `<`, `<=`, `>` or `>=`.
        left: one side.
        right: the other one.
        offset: where the sign stands.

    Raises:
        NotInSubset: the two cannot be compared, or never are equal.
    """
    if sign not in _STRICT:
        return _ordered(sign, plain(left), plain(right), offset)
    if NULL in {left.type.bare, right.type.bare}:
        return _compared_with_null(sign, left, right, offset)
    if not _comparable(left.type, right.type):
        return _never_equal(sign, left, right, offset)
    if left.type.bare == TYPE:
        return constant(BOOL, _APPLY[sign](_value(left), _value(right)))
    other = _equality("!=" if sign == "==" else "==", left, right)
    return operation(replace(_equality(sign, left, right), opposite=other), BOOL, left, right)


def contained(left: Node, right: Node, offset: int) -> Node:
    """Return `left in right`.

    Args:
        left: what is looked for.
        right: a list, or a map whose keys are asked.
        offset: where `in` stands.

    Raises:
        NotInSubset: it never is in there, or `right` is neither.
    """
    if right.type.name == "map":
        return operation(_HAS_KEY, BOOL, key_of(right, left, offset), right)
    if right.type.name != "list":
        raise NotInSubset(f"in works on a list or a map, not on {right.type}", offset)
    item = right.type.of[0]
    if not _comparable(left.type, item):
        if left.type.dynamic and not (left.errs or right.errs):
            return constant(BOOL, False)
        raise NotInSubset(f"{left.type} never is in {right.type}", offset)
    if isinstance(right, Constant) and not right.value and not left.errs:
        return constant(BOOL, False)
    return operation(_membership(left.type, item), BOOL, left, right)


def key_of(entries: Node, key: Node, offset: int) -> Node:
    """Return a key, if it can be one of a map.

    Args:
        entries: the map.
        key: the key.
        offset: where it is asked for.

    Raises:
        NotInSubset: no key of the map is of this type.
    """
    key, wanted = plain(key), entries.type.of[0]
    if key.type.bare == wanted.bare or {key.type.bare, wanted.bare} == {INT, UINT}:
        return key
    raise NotInSubset(f"the keys of this map are {wanted}, not {key.type}", offset)


def _ordered(sign: str, left: Node, right: Node, offset: int) -> Node:
    one, other = left.type.bare, right.type.bare
    if one not in _ORDERED or not (one == other or {one, other} <= NUMBERS):
        raise NotInSubset(f"{sign} does not compare {left.type} with {right.type}", offset)
    python = f"{{0:sum}} {sign} {{1:sum}}"
    typescript = {
        STRING: f"s.celCompare({{0}}, {{1}}) {sign} 0",
        BYTES: f"s.celCompareBytes({{0}}, {{1}}) {sign} 0",
        BOOL: f"Number({{0}}) {sign} Number({{1}})",
    }.get(one, python)
    return operation(operator(python, typescript, Level.COMPARE, _APPLY[sign]), BOOL, left, right)


def _compared_with_null(sign: str, left: Node, right: Node, offset: int) -> Node:
    other = right if left.type.bare == NULL else left
    if other.type.bare == NULL:
        return constant(BOOL, sign == "==")
    if other.type.name == "message":
        raise NotInSubset("a message is compared with null, which it never is: use has()", offset)
    if other.type.absent:
        return operation(_IS_NULL[sign], BOOL, other)
    return _never_equal(sign, left, right, offset)


def _never_equal(sign: str, left: Node, right: Node, offset: int) -> Node:
    if (left.type.dynamic or right.type.dynamic) and not (left.errs or right.errs):
        return constant(BOOL, sign == "!=")
    raise NotInSubset(
        f"{left.type} and {right.type} never are equal"
        if left.type.bare != right.type.bare
        else f"values of {left.type} are not compared: compare their fields",
        offset,
    )


def _comparable(one: Type, other: Type) -> bool:
    if UNKNOWN in {one.bare, other.bare}:
        return True
    if one.name == other.name and one.of and len(one.of) == len(other.of):
        return all(map(_comparable, one.of, other.of))
    if {one.bare, other.bare} <= _KINDS_OF_NUMBERS:
        return True
    return one.bare == other.bare and (one.bare in _SCALARS or one.bare in {BYTES, TYPE})


def _value(node: Node) -> Any:
    return node.value if isinstance(node, Constant) else None


def _equality(sign: str, left: Node, right: Node) -> Form:
    one, other = left.type, right.type
    python, negation = f"{{0:sum}} {sign} {{1:sum}}", "not " if sign == "!=" else ""
    form = operator(python, f"{{0:sum}} {_STRICT[sign]} {{1:sum}}", Level.COMPARE, _APPLY[sign])
    if one.of:
        form = replace(
            form,
            typescript=f"{'!' if negation else ''}s.celEqual({{0}}, {{1}})",
            typescript_level=Level.UNARY if negation else Level.ATOM,
        )
        if holds(one, DOUBLE) or holds(other, DOUBLE):
            return replace(
                form,
                python=f"{negation}_s.cel_equal({{0}}, {{1}})",
                level=Level.NOT if negation else Level.ATOM,
                apply=None,
            )
    elif one.bare == BYTES and (one.absent or other.absent):
        return replace(
            form,
            typescript=f"{'!' if negation else ''}s.celEqual({{0}}, {{1}})",
            typescript_level=Level.UNARY if negation else Level.ATOM,
        )
    elif one.bare == BYTES:
        return replace(form, typescript=f"s.celCompareBytes({{0}}, {{1}}) {_STRICT[sign]} 0")
    elif not _alike(one, other):
        return replace(form, typescript=python)
    return form


def _alike(one: Type, other: Type) -> bool:
    """Tell whether equal values are one in TypeScript: 2^60 is a bigint, or a double."""
    if one.bare == other.bare or DOUBLE not in {one.bare, other.bare}:
        return True
    whole = other if one.bare == DOUBLE else one
    return whole.bare == ENUM or fits(span_of(whole), SAFE)


def _membership(left: Type, item: Type) -> Form:
    if holds(left, DOUBLE) or holds(item, DOUBLE):
        return _IS_IN
    return _IS_IN_EXACTLY if left.bare in _SCALARS else _IS_IN_DEEPLY


_IS_IN = call("in", 2)
_IS_IN_EXACTLY = Form(
    "{0:sum} in {1:sum}",
    "{1:atom}.includes({0})",
    lambda one, items: one in items,
    Level.COMPARE,
    Level.ATOM,
)
_IS_IN_EXACTLY = replace(
    _IS_IN_EXACTLY,
    opposite=Form(
        "{0:sum} not in {1:sum}",
        "!{1:atom}.includes({0})",
        lambda one, items: one not in items,
        Level.COMPARE,
        Level.UNARY,
    ),
)
_IS_IN_DEEPLY = replace(_IS_IN_EXACTLY, typescript="s.celIn({0}, {1})", opposite=None)
_HAS_KEY = replace(_IS_IN_EXACTLY, typescript="{1:atom}.has({0})", opposite=None)
