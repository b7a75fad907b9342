"""Arithmetic on whole numbers, times and doubles.

Knows when a result fits without a check, so that a plain operator is exact. Must not know syntax.
"""

from __future__ import annotations

import operator as python_operator
from dataclasses import replace

from rhtmx_codegen.cel.build import call, operation, operator
from rhtmx_codegen.cel.pieces import Level
from rhtmx_codegen.cel.tree import Form, Node
from rhtmx_codegen.cel.types import DOUBLE, DURATION, INT, TIMESTAMP, UINT, Span, Type, span_of

__all__ = ["SAFE", "arithmetic", "fits", "negated", "time_arithmetic"]

SAFE: Span = (-(2**53) + 1, 2**53 - 1)
"""The whole numbers that a number of TypeScript has exactly."""

_WIDE = {INT: (-(2**63), 2**63 - 1), UINT: (0, 2**64 - 1)}
_CHECKS = {INT: call("int", errs=True), UINT: call("uint", errs=True)}
_SIGNS = {
    "+": operator("{0:sum} + {1:term}", "{0:sum} + {1:term}", Level.SUM, python_operator.add),
    "-": operator("{0:sum} - {1:term}", "{0:sum} - {1:term}", Level.SUM, python_operator.sub),
    "*": operator("{0:term} * {1:unary}", "{0:term} * {1:unary}", Level.TERM, python_operator.mul),
}
_BIG = {
    "+": replace(_SIGNS["+"], typescript="s.celAdd({0}, {1})", typescript_level=Level.ATOM),
    "-": replace(_SIGNS["-"], typescript="s.celSubtract({0}, {1})", typescript_level=Level.ATOM),
    "*": replace(_SIGNS["*"], typescript="s.celMultiply({0}, {1})", typescript_level=Level.ATOM),
}
_DIVISIONS = {"/": call("quotient", 2), "%": call("remainder", 2)}
_EXACT_TYPESCRIPT = {
    "/": ("Math.trunc({0:term} / {1:unary})", Level.ATOM),
    "%": ("{0:term} % {1:unary}", Level.TERM),
}
_EXACT_PYTHON = {
    "/": ("{0:term} // {1:unary}", Level.TERM),
    "%": ("{0:term} % {1:unary}", Level.TERM),
}
_NEGATED = Form(
    "-{0:atom}", "0 - {0:term}", python_operator.neg, Level.UNARY, typescript_level=Level.SUM
)
_NEGATED_BIG = replace(_NEGATED, typescript="s.celSubtract(0, {0})", typescript_level=Level.ATOM)
_NEGATED_DOUBLE = operator("-{0:atom}", "-{0:atom}", Level.UNARY, python_operator.neg)
_DIVIDED = replace(
    call("divide", 2), typescript="{0:term} / {1:unary}", typescript_level=Level.TERM
)
_TIME_CHECKS = {TIMESTAMP: call("timestamp", errs=True), DURATION: call("duration", errs=True)}
_TIMES: dict[tuple[str, Type, Type], Type] = {
    ("+", TIMESTAMP, DURATION): TIMESTAMP,
    ("+", DURATION, TIMESTAMP): TIMESTAMP,
    ("+", DURATION, DURATION): DURATION,
    ("-", TIMESTAMP, DURATION): TIMESTAMP,
    ("-", TIMESTAMP, TIMESTAMP): DURATION,
    ("-", DURATION, DURATION): DURATION,
}


def fits(span: Span, within: Span) -> bool:
    """Tell whether all of a span is within another one.

    Args:
        span: the least and the greatest.
        within: likewise.
    """
    return within[0] <= span[0] and span[1] <= within[1]


def arithmetic(sign: str, left: Node, right: Node) -> Node | None:
    """Return two numbers of one type, added and so on; `None` if CEL has no such thing.

    Args:
        sign: `+`, `-`, `*`, `/` or `%`.
        left: of type int, uint or double.
        right: of the same type.
    """
    if left.type.bare == DOUBLE:
        form = _DIVIDED if sign == "/" else _SIGNS.get(sign)
        return operation(form, DOUBLE, left, right) if form else None
    if sign in _DIVISIONS:
        return _divided(sign, left, right)
    type_ = left.type.bare
    one, other = span_of(left.type), span_of(right.type)
    span = _spanned(sign, one, other)
    exact = all(fits(each, SAFE) for each in (one, other, span))
    return _checked(_SIGNS[sign] if exact else _BIG[sign], type_, span, left, right)


def negated(node: Node) -> Node | None:
    """Return a number with the other sign; `None` for what CEL cannot negate.

    Args:
        node: a number.
    """
    if node.type.bare == DOUBLE:
        return operation(_NEGATED_DOUBLE, DOUBLE, node)
    if node.type.bare != INT:
        return None
    low, high = span_of(node.type)
    exact = fits((low, high), SAFE)
    return _checked(_NEGATED if exact else _NEGATED_BIG, INT, (-high, -low), node)


def time_arithmetic(sign: str, left: Node, right: Node) -> Node | None:
    """Return two times added or subtracted; `None` if CEL has no such thing.

    Args:
        sign: `+` or `-`.
        left: a timestamp or a duration.
        right: likewise.
    """
    result = _TIMES.get((sign, left.type.bare, right.type.bare))
    if result is None:
        return None
    return operation(_TIME_CHECKS[result], result, operation(_SIGNS[sign], result, left, right))


def _checked(form: Form, type_: Type, span: Span, *parts: Node) -> Node:
    wide = _WIDE[type_]
    kept = replace(type_, span=(max(span[0], wide[0]), min(span[1], wide[1])))
    found = operation(form, kept, *parts)
    return found if fits(span, wide) else operation(_CHECKS[type_], kept, found)


def _spanned(sign: str, one: Span, other: Span) -> Span:
    if sign == "+":
        return one[0] + other[0], one[1] + other[1]
    if sign == "-":
        return one[0] - other[1], one[1] - other[0]
    products = [a * b for a in one for b in other]
    return min(products), max(products)


def _divided(sign: str, left: Node, right: Node) -> Node:
    one, other = span_of(left.type), span_of(right.type)
    errs = other[0] <= 0 <= other[1] or (one[0] == -(2**63) and other[0] <= -1 <= other[1])
    form = replace(_DIVISIONS[sign], errs=errs)
    if not errs and fits(one, SAFE) and fits(other, SAFE):
        template, level = _EXACT_TYPESCRIPT[sign]
        form = replace(form, typescript=template, typescript_level=level)
    if not errs and one[0] >= 0 and other[0] > 0:
        template, level = _EXACT_PYTHON[sign]
        form = replace(
            form,
            python=template,
            level=level,
            typescript_level=form.typescript_level or Level.ATOM,
        )
    most = max(abs(each) for each in (other if sign == "%" else one))
    bound = min(most, max(abs(one[0]), abs(one[1])))
    kept = replace(left.type.bare, span=(0 if one[0] >= 0 and other[0] >= 0 else -bound, bound))
    return operation(form, kept, left, right)
