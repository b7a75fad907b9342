"""An application's schema as plain data: what rules and emitters read.

Knows messages, fields, enums and oneofs, each with its comment and its place. Must not know
protobuf's descriptors (`read` does), what a rule means (`rules` does), or what is emitted. The
options of a field or a message are kept as protobuf messages of the schema's own pool.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum as PythonEnum
from typing import Any

from rhtmx.schema.earlier_names import Rename, Retired
from rhtmx_codegen.problems import Location

__all__ = [
    "Enum",
    "EnumValue",
    "Field",
    "Kind",
    "Message",
    "Oneof",
    "Rename",
    "Retired",
    "Schema",
    "Type",
]


class Kind(PythonEnum):
    """What a single value is. The value is the word that rules of it begin with."""

    STRING = "string"
    BOOL = "bool"
    BYTES = "bytes"
    INT32 = "int32"
    SINT32 = "sint32"
    SFIXED32 = "sfixed32"
    UINT32 = "uint32"
    FIXED32 = "fixed32"
    INT64 = "int64"
    SINT64 = "sint64"
    SFIXED64 = "sfixed64"
    UINT64 = "uint64"
    FIXED64 = "fixed64"
    FLOAT = "float"
    DOUBLE = "double"
    ENUM = "enum"
    MESSAGE = "message"
    TIMESTAMP = "timestamp"
    DURATION = "duration"
    ANY = "any"
    FIELD_MASK = "field_mask"
    VALUE = "value"
    STRUCT = "struct"
    LIST_VALUE = "list_value"


@dataclass(frozen=True, slots=True)
class Type:
    """The type of a single value.

    Attributes:
        kind: what it is.
        name: the full name of its enum or message, else empty.
        wrapper: it is one of `google.protobuf.StringValue` and the like, with `kind` that of
            what is wrapped.
        text: an integer of 64 bits that JSON has as a string (`jstype = JS_STRING`).
    """

    kind: Kind
    name: str = ""
    wrapper: bool = False
    text: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message.

    Attributes:
        name: as written in the schema, `due_date`.
        key: its key in JSON: the name, or its `json_name` where the schema gives one.
        type: of one value: of an item of a list, of a value of a map.
        repeated: it is a list.
        map_key: the type of the keys, if it is a map.
        presence: it can be absent, which is something else than zero.
        oneof: the name of its oneof, else empty. Not set for `optional`.
        rules: `buf.validate.FieldRules`, or `None`.
        traits: `rhtmx.v1.FieldTraits`, or `None`.
        deprecated: it says so.
        comment: what the schema says of it, else empty.
        location: where it stands.
    """

    name: str
    key: str
    number: int
    type: Type
    repeated: bool
    map_key: Type | None
    presence: bool
    oneof: str
    rules: Any
    traits: Any
    deprecated: bool
    comment: str
    location: Location


@dataclass(frozen=True, slots=True)
class Oneof:
    """Fields of which one is set. `required` comes from `buf.validate.OneofRules`."""

    name: str
    fields: tuple[str, ...]
    required: bool
    comment: str
    location: Location


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        name: within its package, `Task`, or `Task.Step` for a nested one.
        full_name: with its package.
        file: where it is declared.
        rules: `buf.validate.MessageRules`, or `None`.
        entity: `rhtmx.v1.EntityOptions`, or `None`.
        form: `rhtmx.v1.FormOptions`, or `None`.
    """

    name: str
    full_name: str
    file: str
    fields: tuple[Field, ...]
    oneofs: tuple[Oneof, ...]
    rules: Any
    entity: Any
    form: Any
    comment: str
    location: Location


@dataclass(frozen=True, slots=True)
class EnumValue:
    """One value of an enum. `word` is its name in JSON, `in_progress`."""

    name: str
    number: int
    word: str
    comment: str
    location: Location


@dataclass(frozen=True, slots=True)
class Enum:
    """One enum. `name` is that within its package, as for messages. Two words may be one number."""

    name: str
    full_name: str
    file: str
    values: tuple[EnumValue, ...]
    comment: str
    location: Location


@dataclass(frozen=True, slots=True)
class Schema:
    """A whole schema.

    Attributes:
        messages: by full name: those of the files that are compiled, and all that they reach.
        enums: by full name, likewise.
        files: the files that are compiled, in order.
        version: of the schema, 1 if it says nothing.
        oldest: the oldest version whose writes are taken; 0 for any.
        descriptors: the serialised `FileDescriptorSet`, with all imports.
        renames: what `schema.lock` knows of keys that were renamed, in order; `lock.renames`
            finds it.
        retired: what it knows of other names; `retired.retired` finds it.
    """

    messages: dict[str, Message]
    enums: dict[str, Enum]
    files: tuple[str, ...]
    version: int
    oldest: int
    descriptors: bytes
    renames: tuple[Rename, ...] = ()
    retired: tuple[Retired, ...] = ()
