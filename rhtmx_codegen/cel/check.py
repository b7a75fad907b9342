"""From what a rule says to what it means: names, types, operators and functions.

Knows which part of the subset checks which shape. Must not know how code is emitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rhtmx_codegen import model
from rhtmx_codegen.cel import calls, syntax
from rhtmx_codegen.cel.build import call as helper
from rhtmx_codegen.cel.build import choice, common_type, constant, logic, operation, plain
from rhtmx_codegen.cel.comparing import NUMBERS, compared, contained, key_of
from rhtmx_codegen.cel.fields import has_field, paths_of, read_field
from rhtmx_codegen.cel.functions import CONCATENATED, CONCATENATED_LISTS
from rhtmx_codegen.cel.numbers import arithmetic, negated, time_arithmetic
from rhtmx_codegen.cel.pieces import Level
from rhtmx_codegen.cel.refusal import NotInSubset
from rhtmx_codegen.cel.syntax import Syntax
from rhtmx_codegen.cel.tree import Constant, Form, Node, Operation, Sequence, Variable
from rhtmx_codegen.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    INT,
    MASK,
    NULL,
    RULES,
    STRING,
    TYPE,
    UINT,
    UNKNOWN,
    list_of,
    map_of,
)
from rhtmx_codegen.cel.values import known_field, known_has

__all__ = ["Checker"]

_LITERALS = {
    "bool": BOOL,
    "int": INT,
    "uint": UINT,
    "double": DOUBLE,
    "string": STRING,
    "bytes": BYTES,
    "null": NULL,
}
_TYPES = {
    **dict.fromkeys(("bool", "int", "uint", "double", "string", "bytes", "list", "map")),
    "null_type": "null",
    "google.protobuf.Timestamp": "timestamp",
    "google.protobuf.Duration": "duration",
}
_NOT = Form("not {0:not}", "!{0:unary}", None, Level.NOT, Level.UNARY)
_ITEM = helper("item", 2, errs=True)
_VALUE = helper("value", 2, errs=True)
_SURE_VALUE = Form("{0:atom}[{1}]", "{0:atom}.get({1})")
_HAS_KEY = Form(
    "{1:sum} in {0:sum}", "{0:atom}.has({1})", lambda m, key: key in m, Level.COMPARE, Level.ATOM
)


class Checker:
    """Checks expressions, given what their names mean.

    Args:
        schema: for messages and enums.
        names: variables, `this` among them.
    """

    def __init__(self, schema: model.Schema, names: Mapping[str, Node]) -> None:
        self._schema = schema
        self._names = names

    def within(self, names: Mapping[str, Node]) -> Checker:
        """Return a checker that knows more variables.

        Args:
            names: these.
        """
        return Checker(self._schema, {**self._names, **names})

    def check(self, expression: Syntax) -> Node:
        """Return what an expression means.

        Args:
            expression: any part of a rule.

        Raises:
            NotInSubset: it means nothing, or is left out.
        """
        checked: Node = getattr(self, f"_{type(expression).__name__.lower()}")(expression)
        return checked

    def has(self, expression: Syntax, offset: int) -> Node:
        """Return what `has(expression)` means.

        Args:
            expression: must end in the name of a field.
            offset: where `has` stands.

        Raises:
            NotInSubset: it does not.
        """
        if not isinstance(expression, syntax.Select):
            raise NotInSubset("has() wants a field, such as has(this.due)", offset)
        of, name = self.check(expression.of), expression.name
        if of.type.name == "message":
            return has_field(self._schema.messages, of, name, expression.offset)
        if of.type.bare == RULES and isinstance(of, Constant):
            return known_has(of.value, name, expression.offset)
        if of.type.name == "map" and of.type.of[0] == STRING:
            return operation(_HAS_KEY, BOOL, of, constant(STRING, name))
        raise NotInSubset(f"{of.type} has no field {name}", expression.offset)

    def field(self, of: Node, name: str, offset: int) -> Node:
        """Return a field of a value.

        Args:
            of: the value.
            name: of the field.
            offset: where it is read.

        Raises:
            NotInSubset: it has none of this name.
        """
        if of.type.name == "message":
            return read_field(self._schema.messages, of, name, offset)
        if of.type.bare == RULES and isinstance(of, Constant):
            return known_field(of.value, name, offset)
        if of.type.bare == MASK:
            return paths_of(of, name, offset)
        if of.type.name == "map" and of.type.of[0] == STRING:
            return operation(_VALUE, of.type.of[1], of, constant(STRING, name))
        raise NotInSubset(f"{of.type} has no field {name}, or none that is compiled", offset)

    def _literal(self, literal: syntax.Literal) -> Node:
        return constant(_LITERALS[literal.kind], literal.value)

    def _name(self, name: syntax.Name) -> Node:
        found = self._names.get(name.name) or self._global(name.name)
        if found is None:
            raise NotInSubset(f"there is nothing called {name.name}", name.offset)
        return found

    def _global(self, path: str) -> Node | None:
        """Return a type, or a value of an enum by its full name."""
        if path in _TYPES:
            return constant(TYPE, _TYPES[path] or path)
        enum, _, value = path.rpartition(".")
        for each in self._schema.enums[enum].values if enum in self._schema.enums else ():
            if each.name == value:
                return constant(INT, each.number)
        return None

    def _select(self, select: syntax.Select) -> Node:
        path = _path(select)
        if path and path.partition(".")[0] not in self._names:
            found = self._global(path)
            if found is not None:
                return found
        return self.field(self.check(select.of), select.name, select.offset)

    def _index(self, index: syntax.Index) -> Node:
        of, key = self.check(index.of), self.check(index.key)
        if of.type.name == "list":
            key = plain(key)
            if key.type.bare not in {INT, UINT}:
                raise NotInSubset(
                    f"a list has no item {key.type}, only whole numbers", index.offset
                )
            return operation(_ITEM, of.type.of[0], of, key)
        if of.type.name != "map":
            raise NotInSubset(f"{of.type} has no items to index", index.offset)
        known = isinstance(key, Variable) and key.over == of
        form = _SURE_VALUE if known else _VALUE
        return operation(form, of.type.of[1], of, key_of(of, key, index.offset))

    def _call(self, call: syntax.Call) -> Node:
        return calls.called(self, call)

    def _unary(self, unary: syntax.Unary) -> Node:
        of = plain(self.check(unary.of))
        if unary.sign == "-":
            found = negated(of)
            if found is None:
                raise NotInSubset(f"there is no - of {of.type}", unary.offset)
            return found
        if of.type.bare != BOOL:
            raise NotInSubset(f"there is no ! of {of.type}", unary.offset)
        if isinstance(of, Constant):
            return constant(BOOL, not of.value)
        if isinstance(of, Operation) and of.form.opposite:
            return operation(of.form.opposite, BOOL, *of.parts)
        return operation(_NOT, BOOL, of)

    def _binary(self, binary: syntax.Binary) -> Node:
        left, right = self.check(binary.left), self.check(binary.right)
        if binary.sign in {"&&", "||"}:
            return self._logic(binary, plain(left), plain(right))
        if binary.sign == "in":
            return contained(left, right, binary.offset)
        if binary.sign in {"==", "!=", "<", "<=", ">", ">="}:
            return compared(binary.sign, left, right, binary.offset)
        found = _calculated(binary.sign, plain(left), plain(right), binary.offset)
        if found is None:
            words = f"there is no {left.type} {binary.sign} {right.type}"
            if {left.type.bare, right.type.bare} <= NUMBERS:
                words += ": convert one with int(), uint() or double()"
            raise NotInSubset(words, binary.offset)
        return found

    def _logic(self, binary: syntax.Binary, left: Node, right: Node) -> Node:
        for side in (left, right):
            if side.type.bare != BOOL:
                raise NotInSubset(f"{binary.sign} joins bools, not {side.type}", binary.offset)
        return logic(binary.sign, (left, right))

    def _choice(self, asked: syntax.Choice) -> Node:
        condition = plain(self.check(asked.condition))
        if condition.type.bare != BOOL:
            raise NotInSubset(f"?: asks a bool, not {condition.type}", asked.offset)
        then, otherwise = self.check(asked.then), self.check(asked.otherwise)
        return choice(condition, then, otherwise, asked.offset)

    def _listof(self, items: syntax.ListOf) -> Node:
        parts = [plain(self.check(item)) for item in items.items]
        if not parts:
            return constant(list_of(UNKNOWN), [])
        type_ = list_of(common_type(parts, items.offset, "the items of a list").bare)
        if all(isinstance(part, Constant) for part in parts):
            return constant(type_, [_known(part) for part in parts])
        return Sequence(type_, tuple(parts))

    def _mapof(self, entries: syntax.MapOf) -> Node:
        keys = [self.check(key) for key, _value in entries.entries]
        values = [self.check(value) for _key, value in entries.entries]
        if not all(isinstance(each, Constant) for each in [*keys, *values]):
            raise NotInSubset("a map in a rule must be of constants", entries.offset)
        if not keys:
            return constant(map_of(UNKNOWN, UNKNOWN), {})
        type_ = map_of(
            common_type(keys, entries.offset, "the keys of a map").bare,
            common_type(values, entries.offset, "the values of a map").bare,
        )
        if type_.of[0] not in {BOOL, INT, UINT, STRING}:
            raise NotInSubset(f"{type_.of[0]} cannot be the key of a map", entries.offset)
        known = {_known(key): _known(value) for key, value in zip(keys, values, strict=True)}
        if len(known) < len(keys):
            raise NotInSubset("a map has one key twice", entries.offset)
        return constant(type_, known)


def _known(node: Node) -> Any:
    return node.value if isinstance(node, Constant) else None


def _calculated(sign: str, left: Node, right: Node, offset: int) -> Node | None:
    one, other = left.type.bare, right.type.bare
    if one == other and one in NUMBERS:
        return arithmetic(sign, left, right)
    if sign == "+" and one == other and one in CONCATENATED:
        return operation(CONCATENATED[one], one, left, right)
    if sign == "+" and one.name == other.name == "list":
        type_ = common_type([left, right], offset, "the lists")
        return operation(CONCATENATED_LISTS, replace(type_, dynamic=False), left, right)
    return time_arithmetic(sign, left, right)


def _path(expression: Syntax) -> str:
    """Return `a.b.c` if an expression is nothing but that, else an empty text."""
    if isinstance(expression, syntax.Name):
        return expression.name
    if not isinstance(expression, syntax.Select):
        return ""
    before = _path(expression.of)
    return f"{before}.{expression.name}" if before else ""
