"""The official protobuf library's view of the schema, apart from our own glue.

Knows the schema by its descriptors and options only. Must not import anything
of the product: it is what the product is compared with.
"""

from __future__ import annotations

import json
from datetime import UTC
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

__all__ = ["envelope_class", "from_envelope", "message_class", "to_envelope"]

_TIME = "google.protobuf.Timestamp"


_FILES = (Path(__file__).parent / "schema.binpb").read_bytes()


def _load() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(_FILES).file:
        pool.Add(file)
    return pool


_POOL = _load()


def _class(full_name: str) -> Any:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(full_name))


def _options(name: str) -> dict[str, Any]:
    """Return the values of one of the schema's options by field or enum value."""
    for kind in ("FieldOptions", "EnumValueOptions"):
        _class(f"google.protobuf.{kind}")
    extension = _POOL.FindExtensionByName(f"rhtmx.v1.{name}")
    found = {}
    for file in _class("google.protobuf.FileDescriptorSet").FromString(_FILES).file:
        owners = [(each.name, each.field) for each in file.message_type]
        owners += [(each.name, each.value) for each in file.enum_type]
        for owner, parts in owners:
            for part in parts:
                if extension.containing_type == part.options.DESCRIPTOR:
                    found[f"{owner}.{part.name}"] = part.options.Extensions[extension]
    return found


_JSON = _options("json")
_OMITTABLE = _options("omittable")
_SPELLING = _options("spelling")


def message_class(name: str) -> Any:
    """Return the library's class of a message of the schema."""
    return _class(f"rhtmx.v1.{name}")


def envelope_class() -> Any:
    """Return the library's class of the envelope."""
    return message_class("Envelope")


def to_envelope(frame: dict[str, Any]) -> Any:
    """Build the library's envelope from the JSON form of a message."""
    envelope = envelope_class()()
    inner = getattr(envelope, frame["type"])
    inner.SetInParent()
    _fill(inner, frame)
    return envelope


def from_envelope(envelope: Any) -> dict[str, Any]:
    """Return the canonical JSON form of the library's envelope."""
    case = envelope.WhichOneof("message")
    return {"type": case, **_to_json(getattr(envelope, case))}


def _marked(options: dict[str, Any], field: Any) -> bool:
    return bool(options.get(f"{field.containing_type.name}.{field.name}"))


def _spelling(value: Any) -> str:
    return str(_SPELLING[f"{value.type.name}.{value.name}"])


def _is_map(field: Any) -> bool:
    return bool(field.message_type is not None and field.message_type.GetOptions().map_entry)


def _fill(message: Any, value: dict[str, Any]) -> None:
    for field in message.DESCRIPTOR.fields:
        given = value.get(field.name)
        if given is None:
            continue
        if _is_map(field):
            for key, item in given.items():
                _fill(getattr(message, field.name)[key], item)
        elif field.is_repeated and field.message_type is not None:
            for item in given:
                _fill(getattr(message, field.name).add(), item)
        elif field.is_repeated:
            getattr(message, field.name).extend(given)
        elif field.message_type is not None:
            _fill_message(getattr(message, field.name), field, given)
        else:
            setattr(message, field.name, _scalar(field, given))


def _fill_message(message: Any, field: Any, given: Any) -> None:
    message.SetInParent()
    if field.message_type.full_name == _TIME:
        message.FromJsonString(given)
    else:
        _fill(message, given)


def _scalar(field: Any, given: Any) -> Any:
    if field.enum_type is not None:
        return next(value.number for value in field.enum_type.values if _spelling(value) == given)
    if _marked(_JSON, field):
        return json.dumps(given, separators=(",", ":"), ensure_ascii=False).encode()
    return given


def _to_json(message: Any) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if _marked(_JSON, field):
            if message.HasField(field.name) or not _marked(_OMITTABLE, field):
                out[field.name] = json.loads(value) if message.HasField(field.name) else None
        elif field.is_repeated:
            if value or not _marked(_OMITTABLE, field):
                out[field.name] = _many_to_json(field, value)
        elif not field.has_presence or message.HasField(field.name):
            out[field.name] = _one_to_json(field, value)
    return out


def _many_to_json(field: Any, value: Any) -> Any:
    if _is_map(field):
        return {key: _to_json(item) for key, item in value.items()}
    return [_one_to_json(field, item) for item in value]


def _one_to_json(field: Any, value: Any) -> Any:
    if field.enum_type is not None:
        return _spelling(field.enum_type.values_by_number[value])
    if field.message_type is None:
        return value
    if field.message_type.full_name == _TIME:
        return _time(value)
    return _to_json(value)


def _time(timestamp: Any) -> str:
    return str(timestamp.ToDatetime(tzinfo=UTC).isoformat()).replace("+00:00", "Z")
