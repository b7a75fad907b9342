"""What a field is in TypeScript: its type when it is read, created and edited, and its codec.

Knows kinds of values. Must not know how a module is put together.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from rhtmx_codegen.emit_fields import is_counter, is_set
from rhtmx_codegen.emit_names import Names
from rhtmx_codegen.model import Field, Kind, Type
from rhtmx_codegen.rules.typescript import words_name
from rhtmx_codegen.types import INTEGERS, LONG

__all__ = ["codec", "created", "edited", "key", "read", "text"]

_TYPES: Mapping[Kind, str] = {
    Kind.STRING: "string",
    Kind.BOOL: "boolean",
    Kind.BYTES: "Uint8Array",
    Kind.FLOAT: "number",
    Kind.DOUBLE: "number",
    Kind.TIMESTAMP: "s.Timestamp",
    Kind.DURATION: "s.Duration",
    Kind.ANY: "s.JsonObject",
    Kind.FIELD_MASK: "string",
    Kind.VALUE: "s.JsonValue",
    Kind.STRUCT: "s.JsonObject",
    Kind.LIST_VALUE: "readonly s.JsonValue[]",
}
_CODECS: Mapping[Kind, str] = {Kind.BYTES: "s.bytesCodec", Kind.FLOAT: "s.floatCodec"}


def key(name: str) -> str:
    """A name as the key of an object."""
    return name if name.isidentifier() and name.isascii() else text(name)


def text(value: str) -> str:
    """A text as TypeScript writes it."""
    return json.dumps(value, ensure_ascii=False)


def _single(type_: Type, names: Names, suffix: str) -> str:
    if type_.kind is Kind.MESSAGE and suffix:
        return names.free(names.of(type_.name) + suffix)
    if type_.kind in (Kind.MESSAGE, Kind.ENUM):
        return names.of(type_.name)
    if type_.kind in INTEGERS:
        return "bigint" if type_.text else "number"
    return _TYPES[type_.kind]


def _keys(type_: Type) -> str:
    """The type of the keys of a map, which are texts: a number would round those of 64 bits."""
    return "number" if type_.kind in INTEGERS and type_.kind not in LONG else "string"


def _of(each: Field, names: Names, suffix: str) -> str:
    one = _single(each.type, names, suffix)
    if each.map_key is not None:
        if each.map_key.kind is Kind.BOOL:
            return f"{{ readonly [key in `${{boolean}}`]?: {one} }}"
        return f"{{ readonly [key: {_keys(each.map_key)}]: {one} }}"
    if each.repeated:
        return f"readonly ({one})[]" if " " in one else f"readonly {one}[]"
    return one


def read(each: Field, names: Names) -> str:
    """The type of a field of a record that is read."""
    return _of(each, names, "")


def created(each: Field, names: Names) -> str:
    """The type of a field of a record that is created."""
    return _of(each, names, "New")


def edited(each: Field, names: Names) -> str:
    """What an edit takes for a field: a value, an operation that fits, null if it may go."""
    type_ = created(each, names)
    options = [type_, *_operations(each, names, type_)]
    if each.presence:
        options.append("null")
    return " | ".join(options)


def _operations(each: Field, names: Names, type_: str) -> list[str]:
    if each.map_key is not None:
        return ["s.OnMap<never>" if _is_other(each.type) else f"s.OnMap<{type_}>"]
    if each.repeated:
        if _is_other(each.type):
            return []
        return [f"s.{'OnSet' if is_set(each) else 'OnList'}<{_single(each.type, names, 'New')}>"]
    return _of_single(each)


def _of_single(each: Field) -> list[str]:
    if each.type.kind in INTEGERS:
        counter = "s.OnCounter" if is_counter(each) else "s.OnInteger"
        return ["s.OnDecimal" if each.type.text else counter]
    if each.type.kind in (Kind.FLOAT, Kind.DOUBLE):
        return ["s.OnNumber"]
    if each.type.kind is Kind.STRING:
        return ["s.OnDecimal" if is_counter(each) else "s.OnText"]
    return []


def _is_other(type_: Type) -> bool:
    """What is written of it is another thing than it is: operations send what they are given."""
    return type_.kind is Kind.MESSAGE or type_.text or type_.kind in _CODECS


def codec(each: Field, names: Names, *, words: bool = True) -> str:
    """How a field stands in JSON; empty if as it is in a record.

    Args:
        each: the field.
        names: of the schema.
        words: somebody else may have written numbers in the place of words.
    """
    one = _codec(each.type, names) if words or each.type.kind is not Kind.ENUM else ""
    many = "map" if each.map_key is not None else "list" if each.repeated else ""
    return f"/* @__PURE__ */ s.{many}Codec({one})" if one and many else one


def _codec(type_: Type, names: Names) -> str:
    if type_.kind is Kind.MESSAGE:
        return f"/* @__PURE__ */ s.recordCodec(() => {names.of(type_.name)})"
    if type_.text:
        return "s.bigintCodec"
    if type_.kind is Kind.ENUM:
        return f"/* @__PURE__ */ s.enumCodec({words_name(names.of(type_.name))})"
    return _CODECS.get(type_.kind, "")
