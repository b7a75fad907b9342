"""What values of a rule can be.

Knows CEL's types, and which of a model's types is which. Must not know operators or functions.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeAlias

from rhtmx_codegen import model
from rhtmx_codegen.model import Kind

__all__ = [
    "BOOL",
    "BYTES",
    "DOUBLE",
    "DURATION",
    "ENUM",
    "INT",
    "MASK",
    "NULL",
    "RULES",
    "STRING",
    "TIMESTAMP",
    "TYPE",
    "UINT",
    "UNKNOWN",
    "Span",
    "ThisType",
    "Type",
    "holds",
    "list_of",
    "map_of",
    "span_of",
    "type_of_field",
    "type_of_this",
    "type_of_value",
]

Span: TypeAlias = tuple[int, int]
"""The least and the greatest that a whole number can be."""

ThisType: TypeAlias = model.Field | model.Type | model.Message
"""What `this` is: a field's value, one value, or a whole message."""


@dataclass(frozen=True, slots=True)
class Type:
    """The type of a value.

    Attributes:
        name: `bool`, `int`, `list`, `message` …
        of: of what: the items of a list; the keys and values of a map.
        message: the full name of a message.
        absent: the value can be `None`: an absent message, an absent wrapper.
        dynamic: the rule says `dyn(…)`.
        span: the least and the greatest that a whole number of it can be, if less than 64 bits.
    """

    name: str
    of: tuple[Type, ...] = ()
    message: str = ""
    absent: bool = False
    dynamic: bool = False
    span: Span | None = field(default=None, compare=False)

    def __str__(self) -> str:
        """As a rule's author would say it, `list(int)`."""
        if self.of:
            return f"{self.name}({', '.join(map(str, self.of))})"
        return self.message or self.name

    @property
    def bare(self) -> Type:
        """The same, where it is not absent, and without `dyn`."""
        return replace(self, absent=False, dynamic=False)


BOOL = Type("bool")
INT = Type("int")
UINT = Type("uint")
DOUBLE = Type("double")
STRING = Type("string")
BYTES = Type("bytes")
TIMESTAMP = Type("timestamp")
DURATION = Type("duration")
NULL = Type("null")
ENUM = Type("enum")  # an int, unless its word is one that this program does not know
MASK = Type("google.protobuf.FieldMask")
RULES = Type("rules")  # a message of options, known when the rule is compiled
TYPE = Type("type")
UNKNOWN = Type("unknown")  # what [] is a list of

_WIDE = {"int": (-(2**63), 2**63 - 1), "uint": (0, 2**64 - 1)}
_INT32 = replace(INT, span=(-(2**31), 2**31 - 1))
_UINT32 = replace(UINT, span=(0, 2**32 - 1))
_KINDS = {
    Kind.STRING: STRING,
    Kind.BOOL: BOOL,
    Kind.BYTES: BYTES,
    **dict.fromkeys((Kind.INT32, Kind.SINT32, Kind.SFIXED32), _INT32),
    **dict.fromkeys((Kind.UINT32, Kind.FIXED32), _UINT32),
    **dict.fromkeys((Kind.INT64, Kind.SINT64, Kind.SFIXED64), INT),
    **dict.fromkeys((Kind.UINT64, Kind.FIXED64), UINT),
    Kind.FLOAT: DOUBLE,
    Kind.DOUBLE: DOUBLE,
    Kind.ENUM: ENUM,
    Kind.TIMESTAMP: TIMESTAMP,
    Kind.DURATION: DURATION,
    Kind.ANY: Type("google.protobuf.Any"),
    Kind.FIELD_MASK: MASK,
    Kind.VALUE: Type("google.protobuf.Value"),
    Kind.STRUCT: Type("google.protobuf.Struct"),
    Kind.LIST_VALUE: Type("google.protobuf.ListValue"),
}


def list_of(item: Type) -> Type:
    """Return the type of a list.

    Args:
        item: of what.
    """
    return Type("list", (item,))


def map_of(key: Type, value: Type) -> Type:
    """Return the type of a map.

    Args:
        key: of its keys.
        value: of its values.
    """
    return Type("map", (key, value))


def type_of_value(value: model.Type) -> Type:
    """Return the type of one value that is there.

    Args:
        value: of the model.
    """
    if value.kind is Kind.MESSAGE:
        return Type("message", message=value.name)
    return _KINDS[value.kind]


def type_of_field(field: model.Field) -> Type:
    """Return the type of a field as one reads it from its message.

    Args:
        field: of the model. An absent one can be `None` where that shows: a message or a wrapper.
    """
    if field.repeated or field.map_key:
        return type_of_this(field)
    value = type_of_value(field.type)
    return replace(value, absent=field.type.wrapper or value.name == "message")


def type_of_this(this: ThisType) -> Type:
    """Return the type of `this`, which is there when a rule is judged.

    Args:
        this: what the rule is written on.
    """
    if isinstance(this, model.Message):
        return Type("message", message=this.full_name)
    if isinstance(this, model.Type):
        return type_of_value(this)
    if this.map_key:
        return map_of(type_of_value(this.map_key), type_of_value(this.type))
    value = type_of_value(this.type)
    return list_of(value) if this.repeated else value


def span_of(value: Type) -> Span:
    """Return how small and great a whole number can be.

    Args:
        value: its type, `int` or `uint`.
    """
    return value.span or _WIDE[value.name]


def holds(whole: Type, part: Type) -> bool:
    """Tell whether a type is another one, or a list or map with it inside.

    Args:
        whole: where to look.
        part: for what.
    """
    return whole.bare == part or any(holds(each, part) for each in whole.of)
