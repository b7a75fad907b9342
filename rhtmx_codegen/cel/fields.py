"""Fields of messages: reading them, and asking whether they are set.

Knows what an absent field is worth, and how both languages say it. Must not know syntax.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rhtmx_codegen import model
from rhtmx_codegen.cel.build import call, operation, operator
from rhtmx_codegen.cel.pieces import Level
from rhtmx_codegen.cel.refusal import NotInSubset
from rhtmx_codegen.cel.tree import Form, Node
from rhtmx_codegen.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    ENUM,
    INT,
    MASK,
    STRING,
    TIMESTAMP,
    UINT,
    Type,
    list_of,
    type_of_field,
)

__all__ = ["has_field", "paths_of", "read_field"]

_ZEROS = {
    BOOL: ("False", "false"),
    INT: ("0", "0"),
    UINT: ("0", "0"),
    ENUM: ("0", "0"),
    DOUBLE: ("0.0", "0"),
    STRING: ('""', '""'),
    BYTES: ('b""', "new Uint8Array()"),
    TIMESTAMP: ("0", "0n"),
    DURATION: ("0", "0n"),
    MASK: ("[]", "[]"),
}
_EMPTY = {"list": ("[]", "[]"), "map": ("{}", "new Map()")}
_NOTHING = ("None", "undefined")


def _test(python: tuple[str, str], typescript: tuple[str, str]) -> Form:
    """Return the form of a test, given it and its opposite in both languages."""
    yes, no = (operator(*pair, Level.COMPARE) for pair in zip(python, typescript, strict=True))
    return replace(yes, opposite=no)


_IS_THERE = _test(
    ("{0:sum} is not None", "{0:sum} is None"), ("{0:sum} != null", "{0:sum} == null")
)
_IS_NOT_ZERO = _test(("{0:sum} != 0", "{0:sum} == 0"), ("{0:sum} !== 0", "{0:sum} === 0"))
_IS_NOT_EMPTY = _test(
    ("len({0}) > 0", "len({0}) == 0"), ("{0:atom}.length > 0", "{0:atom}.length === 0")
)
_HAS_ENTRIES = _test(
    ("len({0}) > 0", "len({0}) == 0"), ("{0:atom}.size > 0", "{0:atom}.size === 0")
)
_IS_SET: dict[Type, Form] = {
    INT: _IS_NOT_ZERO,
    UINT: _IS_NOT_ZERO,
    ENUM: _IS_NOT_ZERO,
    DOUBLE: replace(call("is_set"), typescript="!Object.is({0}, 0)", typescript_level=Level.UNARY),
    STRING: _test(('{0:sum} != ""', '{0:sum} == ""'), ('{0:sum} !== ""', '{0:sum} === ""')),
    BYTES: _IS_NOT_EMPTY,
}


def read_field(messages: Mapping[str, model.Message], of: Node, name: str, offset: int) -> Node:
    """Return a field of a message: its zero where it is absent.

    Args:
        messages: those of the schema.
        of: the message.
        name: of the field.
        offset: where it is read.

    Raises:
        NotInSubset: the message has no such field.
    """
    field = _field(messages, of, name, offset)
    type_ = type_of_field(field)
    form = _read(name, _default(type_), of.type.absent, field.presence and not type_.absent)
    return operation(form, type_, of)


def has_field(messages: Mapping[str, model.Message], of: Node, name: str, offset: int) -> Node:
    """Return `has(of.name)`.

    Args:
        messages: those of the schema.
        of: the message.
        name: of the field.
        offset: where it is asked.

    Raises:
        NotInSubset: the message has no such field.
    """
    field = _field(messages, of, name, offset)
    type_ = type_of_field(field)
    if type_.of:
        read = read_field(messages, of, name, offset)
        return operation(_HAS_ENTRIES if type_.name == "map" else _IS_NOT_EMPTY, BOOL, read)
    if field.presence or type_.absent or type_.bare not in _ZEROS:
        read = operation(
            _read(name, _NOTHING, of.type.absent, False), replace(type_, absent=True), of
        )
        return operation(_IS_THERE, BOOL, read)
    read = read_field(messages, of, name, offset)
    return read if type_.bare == BOOL else operation(_IS_SET[type_.bare], BOOL, read)


def paths_of(mask: Node, name: str, offset: int) -> Node:
    """Return the paths of a field mask.

    Args:
        mask: the mask.
        name: must be `paths`.
        offset: where it is read.

    Raises:
        NotInSubset: it is not.
    """
    if name != "paths":
        raise NotInSubset(f"a FieldMask has no field {name}", offset)
    return replace(mask, type=list_of(STRING))  # type: ignore[type-var]


def _field(messages: Mapping[str, model.Message], of: Node, name: str, offset: int) -> model.Field:
    message = messages[of.type.message]
    for field in message.fields:
        if field.name == name:
            return field
    raise NotInSubset(f"{message.name} has no field {name}", offset)


def _default(type_: Type) -> tuple[str, str]:
    if type_.name in _EMPTY:
        return _EMPTY[type_.name]
    return _NOTHING if type_.absent else _ZEROS.get(type_.bare, _NOTHING)


def _read(name: str, default: tuple[str, str], absent: bool, nullable: bool) -> Form:
    """Return the form of reading a field.

    Args:
        name: of the field.
        default: its zero, in both languages.
        absent: the message can be absent.
        nullable: the field can be `None`, and is then its default.
    """
    python, typescript = default
    link = "{0:atom}?." if absent else "{0:atom}."
    read = f'{{0:atom}}["{name}"]'
    or_default = typescript != "undefined" and (absent or nullable)
    shown = f"{link}{name} ?? {typescript}" if or_default else f"{link}{name}"
    if absent or (nullable and python == "0.0"):
        escaped = python.replace("{", "{{").replace("}", "}}")
        read = f'_s.cel_field({{0}}, "{name}", {escaped})'
    elif nullable:
        read = f"{read} or {python}"
    return Form(
        read,
        shown,
        level=Level.OR if nullable and not absent and python != "0.0" else Level.ATOM,
        typescript_level=Level.CHOICE if or_default else Level.ATOM,  # ?? and || want parentheses
        field=name,
    )
