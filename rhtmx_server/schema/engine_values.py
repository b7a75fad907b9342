"""Values as rules have them, as protobuf messages. Pure.

Knows what each kind of value is in both. Must not know rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format

__all__ = ["UnknownWordError", "fill"]

_SECOND = 1_000_000_000
_MESSAGE = 11
"""`FieldDescriptor.TYPE_MESSAGE`."""


class UnknownWordError(Exception):
    """A value is a word of an enum that the schema does not have: it has no number."""


def fill(message: Any, values: Mapping[str, Any]) -> None:
    """Set fields of a message.

    Args:
        message: of a class whose descriptor is that of the values' table.
        values: by the names of the fields; `None` for absent.

    Raises:
        UnknownWordError: a word of an enum has no number.
    """
    for name, value in values.items():
        if value is not None:
            _set(message, message.DESCRIPTOR.fields_by_name[name], value)


def _set(message: Any, field: Any, value: Any) -> None:
    held = getattr(message, field.name)
    if isinstance(value, dict) and _is_map(field):
        inner = field.message_type.fields_by_name["value"]
        for key, each in value.items():
            if inner.type == _MESSAGE:
                _write(held[key], each)
            else:
                held[key] = _single(each, inner)
    elif isinstance(value, list) and field.is_repeated:
        for each in value:
            if field.type == _MESSAGE:
                _write(held.add(), each)
            else:
                held.append(_single(each, field))
    elif field.type == _MESSAGE:
        held.SetInParent()
        _write(held, value)
    else:
        setattr(message, field.name, _single(value, field))


def _is_map(field: Any) -> bool:
    return field.type == _MESSAGE and bool(field.message_type.GetOptions().map_entry)


def _single(value: Any, field: Any) -> Any:
    if field.enum_type is not None and isinstance(value, str):
        raise UnknownWordError(value)
    return value


def _write(message: Any, value: Any) -> None:
    """Give a message within another its value."""
    name = message.DESCRIPTOR.full_name
    if name in ("google.protobuf.Timestamp", "google.protobuf.Duration"):
        _write_time(message, value)
    elif name in ("google.protobuf.Value", "google.protobuf.Struct", "google.protobuf.ListValue"):
        json_format.ParseDict(value, message)
    elif name == "google.protobuf.Any":
        message.type_url = value["@type"]
    elif name == "google.protobuf.FieldMask":
        message.paths.extend(value)
    elif not isinstance(value, Mapping):
        message.value = value  # of a wrapper
    else:
        fill(message, value)


def _write_time(message: Any, nanoseconds: int) -> None:
    seconds, rest = divmod(abs(nanoseconds), _SECOND)
    if nanoseconds < 0 and message.DESCRIPTOR.name == "Timestamp":
        seconds, rest = divmod(nanoseconds, _SECOND)
    elif nanoseconds < 0:  # both parts of a duration have its sign
        seconds, rest = -seconds, -rest
    message.seconds, message.nanos = seconds, rest
