"""From protobuf's binary to the JSON form of a record, by the model of its message.

Knows both forms. Must not know rules.
"""

from __future__ import annotations

import math
from base64 import b64encode
from typing import Any

from rhtmx.schema import times
from rhtmx_codegen.model import Field, Kind, Message, Schema, Type

__all__ = ["json_form"]

_SECOND = 1_000_000_000
_IN_BASE64 = frozenset((Kind.BYTES,))


def json_form(
    value: Any, message: Message, schema: Schema, *, zeros: bool = False
) -> dict[str, Any]:
    """The JSON form of a message.

    Args:
        value: the message, as protobuf's library has it.
        message: its model.
        schema: where others are found.
        zeros: fields without presence are there even if they are zero.
    """
    form: dict[str, Any] = {}
    for field in message.fields:
        held = getattr(value, field.name)
        if field.map_key or field.repeated:
            if zeros or len(held):
                form[field.key] = _many(held, field, schema, zeros)
        elif field.presence:
            if value.HasField(field.name):
                form[field.key] = _one(held, field.type, schema, zeros)
        elif zeros or not _is_zero(held):
            form[field.key] = _one(held, field.type, schema, zeros)
    return form


def _is_zero(value: Any) -> bool:
    return not value and not (isinstance(value, float) and math.copysign(1, value) < 0)


def _many(held: Any, field: Field, schema: Schema, zeros: bool) -> Any:
    if field.map_key:
        return {_key(key): _one(held[key], field.type, schema, zeros) for key in held}
    return [_one(each, field.type, schema, zeros) for each in held]


def _key(key: Any) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)


def _one(value: Any, kind: Type, schema: Schema, zeros: bool) -> Any:
    if kind.wrapper:
        return _scalar(value.value, kind, schema)
    if kind.kind is Kind.MESSAGE:
        return json_form(value, schema.messages[kind.name], schema, zeros=zeros)
    return _scalar(value, kind, schema)


def _scalar(value: Any, kind: Type, schema: Schema) -> Any:
    if kind.kind is Kind.ENUM:
        words = {each.number: each.word for each in schema.enums[kind.name].values}
        return words.get(value, value)
    if kind.kind is Kind.BYTES:
        return b64encode(value).decode()
    if kind.kind is Kind.TIMESTAMP:
        return times.write_timestamp(value.seconds * _SECOND + value.nanos)
    if kind.kind is Kind.DURATION:
        return times.write_duration(value.seconds * _SECOND + value.nanos)
    if kind.kind is Kind.ANY:
        return {"@type": value.type_url, "value": b64encode(value.value).decode()}
    if kind.kind is Kind.FIELD_MASK:
        return ",".join(value.paths)
    if kind.kind in (Kind.FLOAT, Kind.DOUBLE) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return str(value) if kind.text else value
