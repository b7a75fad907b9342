"""Calls: functions, methods, and what only looks like one.

Knows which name is what. Must not know how the types of arguments decide (`functions` does).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from rhtmx.patterns.pattern import compile_pattern
from rhtmx.patterns.problems import PatternError
from rhtmx_codegen.cel import syntax
from rhtmx_codegen.cel.build import constant, operation, plain, retyped
from rhtmx_codegen.cel.durations import read_duration, read_timestamp, read_zone
from rhtmx_codegen.cel.formatting import formatted
from rhtmx_codegen.cel.functions import FUNCTIONS, JOINS, METHODS, UNIQUE, applied
from rhtmx_codegen.cel.macros import MACROS, macro
from rhtmx_codegen.cel.numbers import fits
from rhtmx_codegen.cel.refusal import NotInSubset
from rhtmx_codegen.cel.syntax import Syntax
from rhtmx_codegen.cel.times import ACCESSORS, accessor
from rhtmx_codegen.cel.tree import Constant, Matches, Node
from rhtmx_codegen.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    ENUM,
    INT,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    UNKNOWN,
    list_of,
    span_of,
)

__all__ = ["called"]

_UNIQUE_ITEMS = frozenset(
    {BOOL, INT, UINT, DOUBLE, STRING, BYTES, ENUM, TIMESTAMP, DURATION, UNKNOWN}
)
_Argument = TypeVar("_Argument")


class Checks(Protocol):
    """What a call needs of the checker."""

    def check(self, expression: Syntax) -> Node:
        """Return a checked expression."""

    def within(self, names: Mapping[str, Node]) -> Checks:
        """Return a checker that knows more variables."""

    def has(self, expression: Syntax, offset: int) -> Node:
        """Return what `has` of an expression means."""

    def field(self, of: Node, name: str, offset: int) -> Node:
        """Return a field of a value."""


def called(checker: Checks, call: syntax.Call) -> Node:
    """Return what a call means.

    Args:
        checker: checks its arguments.
        call: how it is written.

    Raises:
        NotInSubset: there is no such function, or not for these arguments.
    """
    if call.target is None:
        return _function(checker, call)
    if _is_namespace(call):
        raise _unknown(call)
    target = checker.check(call.target)
    if call.name in MACROS:
        return macro(checker, call, target)
    if call.name == "format":
        return _format(checker, call, target)
    arguments = [target, *(checker.check(each) for each in call.arguments)]
    special = _METHODS.get(call.name)
    if special:
        return special(call, [plain(each) for each in arguments])
    return _overloaded(METHODS, call, arguments)


def _function(checker: Checks, call: syntax.Call) -> Node:
    if call.name == "has":
        (expression,) = _exactly(1, call, call.arguments)
        return checker.has(expression, call.offset)
    arguments = [checker.check(each) for each in call.arguments]
    if call.name == "getField":
        return _get_field(checker, call, arguments)
    special = _FUNCTIONS.get(call.name)
    if special:
        return special(call, arguments)
    return _overloaded(FUNCTIONS, call, arguments)


def _overloaded(
    table: Mapping[str, tuple[object, ...]], call: syntax.Call, arguments: list[Node]
) -> Node:
    if call.name not in table:
        raise _unknown(call)
    arguments = [plain(each) for each in arguments]
    found = applied(table[call.name], arguments)  # type: ignore[arg-type]
    if found is None:
        of = ", ".join(str(each.type) for each in arguments)
        raise NotInSubset(f"there is no {call.name}() of {of or 'nothing'}", call.offset)
    return found


def _unknown(call: syntax.Call) -> NotInSubset:
    where = {call.name in METHODS: f": write x.{call.name}()", call.name in FUNCTIONS: ""}
    hint = where.get(True, "") if call.target is None else ""
    return NotInSubset(f"the function {_shown(call)}() is not compiled{hint}", call.offset)


def _shown(call: syntax.Call) -> str:
    return f"{call.target.name}.{call.name}" if _is_namespace(call) else call.name  # type: ignore[union-attr]


def _is_namespace(call: syntax.Call) -> bool:
    return isinstance(call.target, syntax.Name) and call.target.name in {
        "base64",
        "cel",
        "lists",
        "math",
        "optional",
        "proto",
        "regex",
        "sets",
        "strings",
    }


def _exactly(count: int, call: syntax.Call, arguments: Sequence[_Argument]) -> list[_Argument]:
    if len(arguments) != count:
        raise NotInSubset(f"{call.name}() has {len(arguments)} arguments", call.offset)
    return list(arguments)


def _text(node: Node, call: syntax.Call, what: str) -> str:
    if isinstance(node, Constant) and node.type.bare == STRING:
        return str(node.value)
    raise NotInSubset(f"{what} of {call.name}() must be a constant string", call.offset)


def _get_field(checker: Checks, call: syntax.Call, arguments: list[Node]) -> Node:
    of, name = _exactly(2, call, arguments)
    return checker.field(of, _text(name, call, "the name"), call.offset)


def _dyn(call: syntax.Call, arguments: list[Node]) -> Node:
    (value,) = _exactly(1, call, arguments)
    return retyped(value, replace(value.type, dynamic=True))


def _type(call: syntax.Call, arguments: list[Node]) -> Node:
    (value,) = _exactly(1, call, arguments)
    if value.type.absent or value.type.name == "message" or value.errs:
        raise NotInSubset(
            f"type() of {value.type} is not known when a rule is compiled", call.offset
        )
    return constant(TYPE, "int" if value.type.bare == ENUM else value.type.name)


def _whole(call: syntax.Call, arguments: list[Node]) -> Node:
    """Return `int()` or `uint()`: nothing but another type, where the number fits for sure."""
    (value,) = [plain(each) for each in _exactly(1, call, arguments)]
    type_ = INT if call.name == "int" else UINT
    if value.type.bare in {INT, UINT} and fits(span_of(value.type), span_of(type_)):
        return retyped(value, replace(value.type, name=type_.name, dynamic=False))
    return _overloaded(FUNCTIONS, call, [value])


def _duration(call: syntax.Call, arguments: list[Node]) -> Node:
    (value,) = _exactly(1, call, arguments)
    if value.type.bare != STRING:
        return _overloaded(FUNCTIONS, call, arguments)
    return constant(DURATION, read_duration(_text(value, call, "the text"), call.offset))


def _timestamp(call: syntax.Call, arguments: list[Node]) -> Node:
    (value,) = _exactly(1, call, arguments)
    if value.type.bare != STRING:
        return _overloaded(FUNCTIONS, call, arguments)
    return constant(TIMESTAMP, read_timestamp(_text(value, call, "the text"), call.offset))


def _matches(call: syntax.Call, arguments: list[Node]) -> Node:
    text, given = _exactly(2, call, arguments)
    pattern = _text(given, call, "the pattern")
    if text.type.bare != STRING:
        raise NotInSubset(f"there is no matches() of {text.type}", call.offset)
    try:
        compile_pattern(pattern)
    except PatternError as error:
        raise NotInSubset(
            f"the pattern {pattern!r} does not compile: {error}", call.offset
        ) from None
    return Matches(BOOL, pattern, (text,))


def _unique(call: syntax.Call, arguments: list[Node]) -> Node:
    (items,) = _exactly(1, call, arguments)
    if items.type.name != "list" or items.type.of[0].bare not in _UNIQUE_ITEMS:
        raise NotInSubset(f"there is no unique() of {items.type}", call.offset)
    return operation(UNIQUE, BOOL, items)


def _join(call: syntax.Call, arguments: list[Node]) -> Node:
    form = JOINS.get(len(arguments))
    if (
        form is None
        or arguments[0].type != list_of(STRING)
        or arguments[-1].type.bare
        not in {
            STRING,
            arguments[0].type,
        }
    ):
        raise NotInSubset("join() joins a list of strings by a string", call.offset)
    return operation(form, STRING, *arguments)


def _accessor(call: syntax.Call, arguments: list[Node]) -> Node:
    if arguments[0].type.bare != TIMESTAMP:
        return _overloaded(METHODS, call, arguments)
    zone = 0
    if len(arguments) > 1:
        _of, name = _exactly(2, call, arguments)
        zone = read_zone(_text(name, call, "the time zone"), call.offset)
    return accessor(call.name, arguments[0], zone)


def _format(checker: Checks, call: syntax.Call, target: Node) -> Node:
    text = _text(target, call, "the text")
    (given,) = _exactly(1, call, call.arguments)
    if isinstance(given, syntax.ListOf):  # its items may be of several types
        return formatted(text, [checker.check(each) for each in given.items], call.offset)
    values = checker.check(given)
    if isinstance(values, Constant) and values.type.name == "list":
        items = [constant(values.type.of[0], each) for each in values.value]
        return formatted(text, items, call.offset)
    raise NotInSubset("format() wants its values in brackets", call.offset)


_FUNCTIONS: dict[str, Callable[[syntax.Call, list[Node]], Node]] = {
    "dyn": _dyn,
    "int": _whole,
    "uint": _whole,
    "type": _type,
    "duration": _duration,
    "timestamp": _timestamp,
    "matches": lambda call, arguments: _matches(call, [plain(each) for each in arguments]),
}
_METHODS: dict[str, Callable[[syntax.Call, list[Node]], Node]] = {
    "matches": _matches,
    "unique": _unique,
    "join": _join,
    **dict.fromkeys(ACCESSORS, _accessor),
}
