"""Values that are known before any record is: the constants of a rule's options.

Knows protobuf's messages of options. Must not know what a rule does with them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rhtmx_codegen.cel.build import constant
from rhtmx_codegen.cel.refusal import NotInSubset
from rhtmx_codegen.cel.tree import Constant
from rhtmx_codegen.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    INT,
    MASK,
    RULES,
    STRING,
    TIMESTAMP,
    UINT,
    UNKNOWN,
    Type,
    list_of,
)

__all__ = ["NOTHING", "Known", "constant_of", "known_field", "known_has", "option"]

NOTHING = object()
"""There is no `rule`."""

_KINDS = {
    **dict.fromkeys((3, 5, 15, 16, 17, 18), INT),
    **dict.fromkeys((4, 6, 7, 13), UINT),
    **dict.fromkeys((1, 2), DOUBLE),
    8: BOOL,
    9: STRING,
    12: BYTES,
    14: INT,
}
_MESSAGES = {
    "google.protobuf.Timestamp": TIMESTAMP,
    "google.protobuf.Duration": DURATION,
    "google.protobuf.FieldMask": MASK,
}
_WRAPPERS = {
    f"google.protobuf.{name}Value": type_
    for name, type_ in (
        *(("Bool", BOOL), ("Bytes", BYTES), ("String", STRING), ("Double", DOUBLE)),
        *(("Float", DOUBLE), ("Int32", INT), ("Int64", INT), ("UInt32", UINT), ("UInt64", UINT)),
    )
}
_PLAIN: tuple[tuple[type, Type], ...] = (
    (bool, BOOL),
    (int, INT),
    (float, DOUBLE),
    (str, STRING),
    (bytes, BYTES),
)


@dataclass(frozen=True, slots=True)
class Known:
    """A constant whose type is known, too: an int of Python can be an `int` or a `uint`.

    Attributes:
        type: of CEL.
        value: as at run time: nanoseconds for times.
    """

    type: Type
    value: Any


def option(message: Any, field: Any) -> Known:
    """Return what an option says, for `rule` of `compile_rule`.

    Args:
        message: such as `buf.validate.StringRules`, of any pool.
        field: its descriptor, of a field or of an extension.
    """
    value = message.Extensions[field] if field.is_extension else getattr(message, field.name)
    type_ = _type_of(field)
    if field.is_repeated:
        return Known(list_of(type_), [_as_value(each) for each in value])
    return Known(type_, _as_value(value))


def constant_of(value: object) -> Constant:
    """Return `rule` or `rules` as a constant.

    Args:
        value: a `Known`, a message of options, or a plain value, whose integers are `int`.

    Raises:
        NotInSubset: it is none of these.
    """
    if isinstance(value, Known):
        return constant(value.type, value.value)
    for kind, type_ in _PLAIN:
        if isinstance(value, kind):
            return constant(type_, value)
    if hasattr(value, "DESCRIPTOR"):
        name = value.DESCRIPTOR.full_name
        return constant(_type_of_message(name), _as_value(value))
    if isinstance(value, Iterable):
        items = [constant_of(each) for each in value]
        return constant(
            list_of(items[0].type.bare if items else UNKNOWN), [item.value for item in items]
        )
    raise NotInSubset(f"a rule's option cannot be {type(value).__name__}")


def known_field(rules: Any, name: str, offset: int) -> Constant:
    """Return a field of a message of options.

    Args:
        rules: the message.
        name: of its field.
        offset: where it is read.

    Raises:
        NotInSubset: it has none of this name.
    """
    found = option(rules, _descriptor(rules, name, offset))
    return constant(found.type, found.value)


def known_has(rules: Any, name: str, offset: int) -> Constant:
    """Return whether a field of a message of options is set.

    Args:
        rules: the message.
        name: of its field.
        offset: where it is asked.

    Raises:
        NotInSubset: it has none of this name.
    """
    field = _descriptor(rules, name, offset)
    return constant(BOOL, any(field.number == each.number for each, _value in rules.ListFields()))


def _descriptor(rules: Any, name: str, offset: int) -> Any:
    field = rules.DESCRIPTOR.fields_by_name.get(name)
    if field is None:
        raise NotInSubset(f"{rules.DESCRIPTOR.name} has no field {name}", offset)
    return field


def _type_of(field: Any) -> Type:
    if field.message_type:
        return _type_of_message(field.message_type.full_name)
    return _KINDS[field.type]


def _type_of_message(name: str) -> Type:
    return _MESSAGES.get(name) or _WRAPPERS.get(name, RULES)


def _as_value(value: Any) -> Any:
    name = value.DESCRIPTOR.full_name if hasattr(value, "DESCRIPTOR") else ""
    if name in _WRAPPERS:
        return value.value
    if _MESSAGES.get(name) in {TIMESTAMP, DURATION}:
        return value.seconds * 10**9 + value.nanos
    return list(value.paths) if name == "google.protobuf.FieldMask" else value
