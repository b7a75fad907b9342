"""From protobuf's types to kinds of values.

Knows protobuf's numbers and its own messages that JSON writes in another way. Must not know rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rhtmx_codegen.model import Kind, Type

__all__ = ["INTEGERS", "LONG", "NULL", "SINGLE", "type_of"]

NULL = "google.protobuf.NullValue"
"""The enum whose one value is `null` in JSON."""

_SCALARS: Mapping[int, Kind] = {
    1: Kind.DOUBLE,
    2: Kind.FLOAT,
    3: Kind.INT64,
    4: Kind.UINT64,
    5: Kind.INT32,
    6: Kind.FIXED64,
    7: Kind.FIXED32,
    8: Kind.BOOL,
    9: Kind.STRING,
    12: Kind.BYTES,
    13: Kind.UINT32,
    14: Kind.ENUM,
    15: Kind.SFIXED32,
    16: Kind.SFIXED64,
    17: Kind.SINT32,
    18: Kind.SINT64,
}
"""By the numbers of `FieldDescriptorProto.Type`."""

_WELL_KNOWN: Mapping[str, Kind] = {
    f"google.protobuf.{name}": kind
    for name, kind in {
        "Timestamp": Kind.TIMESTAMP,
        "Duration": Kind.DURATION,
        "Any": Kind.ANY,
        "FieldMask": Kind.FIELD_MASK,
        "Value": Kind.VALUE,
        "Struct": Kind.STRUCT,
        "ListValue": Kind.LIST_VALUE,
    }.items()
}
_WRAPPED: Mapping[str, Kind] = {
    f"google.protobuf.{name}Value": kind
    for name, kind in {
        "String": Kind.STRING,
        "Bool": Kind.BOOL,
        "Bytes": Kind.BYTES,
        "Int32": Kind.INT32,
        "UInt32": Kind.UINT32,
        "Int64": Kind.INT64,
        "UInt64": Kind.UINT64,
        "Float": Kind.FLOAT,
        "Double": Kind.DOUBLE,
    }.items()
}

LONG = frozenset((Kind.INT64, Kind.SINT64, Kind.SFIXED64, Kind.UINT64, Kind.FIXED64))
"""Integers of 64 bits."""

INTEGERS = LONG | {Kind.INT32, Kind.SINT32, Kind.SFIXED32, Kind.UINT32, Kind.FIXED32}
"""All integers."""

SINGLE = INTEGERS | {Kind.STRING, Kind.BOOL, Kind.ENUM}
"""What has one spelling in JSON, so that it can be compared and be in a set."""

_JS_STRING = 1


def type_of(node: Any) -> Type:
    """The type of a single value of a field.

    Args:
        node: a `FieldDescriptorProto`; of a map that of its keys or values.
    """
    name = node.type_name.removeprefix(".")
    if name in _WELL_KNOWN:
        return Type(_WELL_KNOWN[name], name)
    if name in _WRAPPED:
        return Type(_WRAPPED[name], name, wrapper=True)
    kind = _SCALARS.get(node.type, Kind.MESSAGE)
    return Type(kind, name, text=kind in LONG and node.options.jstype == _JS_STRING)
