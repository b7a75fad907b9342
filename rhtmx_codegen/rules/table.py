"""Tables of rules as plain data: what is between a schema's options and generated code.

Knows the shapes of tables. Must not know protobuf's options, nor a language.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from rhtmx_codegen.cel import Expression
from rhtmx_codegen.model import Field, Message, Type

__all__ = [
    "CelRow",
    "FieldTable",
    "KindTable",
    "MessageTable",
    "Nanoseconds",
    "OneofRow",
    "Row",
    "ValueRules",
    "Words",
]


class Nanoseconds(int):
    """A time or a duration: a number of its own in TypeScript."""


class Words(str):
    """The full name of an enum, in whose place its kind is written."""


@dataclass(frozen=True, slots=True)
class Row:
    """One standard rule.

    Attributes:
        check: the name of its check, as Python has it.
        arguments: its arguments: texts, bytes, numbers, or tuples of them.
    """

    check: str
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class CelRow:
    """One rule in CEL.

    Attributes:
        id: of the rule.
        words: what is said where it is broken; empty if it says so itself.
        expression: it, compiled.
    """

    id: str
    words: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class OneofRow:
    """How many of some fields are there.

    Attributes:
        name: of the oneof; empty for `buf.validate.MessageOneofRule`.
        fields: the names of the fields.
        required: one is there.
        present: those of the fields whose zero is there, too, since they can be absent.
    """

    name: str
    fields: tuple[str, ...]
    required: bool
    present: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ValueRules:
    """The rules of one value.

    Attributes:
        rows: they.
        required: it is there, and not zero.
        ignore_zero: zero is not judged.
        ignore: it is not judged at all.
    """

    rows: tuple[Row | CelRow, ...] = ()
    required: bool = False
    ignore_zero: bool = False
    ignore: bool = False


@dataclass(frozen=True, slots=True)
class KindTable:
    """What a value is.

    Attributes:
        type: of a single value.
        key: of the keys of a map.
        many: `list`, `map`, or empty.
        items: the rules of items, or of a map's values.
        keys: the rules of a map's keys.
        normalize: what is done with texts.
    """

    type: Type
    key: Type | None = None
    many: str = ""
    items: ValueRules = field(default_factory=ValueRules)
    keys: ValueRules = field(default_factory=ValueRules)
    normalize: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldTable:
    """One field.

    Attributes:
        field: of the schema.
        kind: of its value.
        rules: of its value.
        is_secret: it is, or something in the messages within it: no error says its value.
    """

    field: Field
    kind: KindTable
    rules: ValueRules
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class MessageTable:
    """One message.

    Attributes:
        message: of the schema.
        fields: in their order.
        rules: of the message as a whole.
        left: the rules that only `protovalidate` can judge, on the server: of each the name of its
            field, empty for the message as a whole, and its id.
    """

    message: Message
    fields: tuple[FieldTable, ...]
    rules: tuple[CelRow | OneofRow, ...]
    left: tuple[tuple[str, str], ...] = ()

    @property
    def server_rules(self) -> tuple[str, ...]:
        """The ids of the rules that only the server judges."""
        return tuple(dict.fromkeys(name for _, name in self.left))


Rule: TypeAlias = Row | CelRow | OneofRow
"""Any rule."""
