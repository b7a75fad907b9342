"""Emits the protocol as a document of AsyncAPI 3.0, which the server shows to other programs.

Knows how messages look as JSON, and who sends them. Must not know any file, nor the schema of an
application: the server adds that.
"""

from __future__ import annotations

import json
from typing import Any, TypeAlias

from codegen.model import Case, Direction, Enum, Field, Kind, Label, Message, Schema

__all__ = ["emit_asyncapi"]

_Part: TypeAlias = dict[str, Any]

_CHANNEL = "socket"
_ADDRESS = "/api/ws"
_DESCRIPTION = (
    "Live data, field sync and form validation over one WebSocket. A frame is one message: a JSON "
    "object whose `type` says which. docs/protocol.md has the order of messages, and the binary "
    "form."
)
_TYPES: dict[Kind, _Part] = {
    Kind.STRING: {"type": "string"},
    Kind.BOOL: {"type": "boolean"},
    Kind.INT32: {"type": "integer"},
    Kind.INT64: {"type": "integer"},
    Kind.BYTES: {"type": "string", "contentEncoding": "base64"},
    Kind.JSON: {},
    Kind.TIME: {"type": "string", "format": "date-time"},
}
# What the server does with what is sent.
_ACTIONS = {
    Direction.CLIENT: ("receive",),
    Direction.SERVER: ("send",),
    Direction.BOTH: ("receive", "send"),
}


def emit_asyncapi(schema: Schema) -> str:
    """Emit the document, as JSON.

    Args:
        schema: of the protocol.
    """
    cases = {case.message: case for case in schema.cases}
    document = {
        "asyncapi": "3.0.0",
        "info": {"title": "rhtmx", "version": f"1+{schema.hash}", "description": _DESCRIPTION},
        "defaultContentType": "application/json",
        "channels": {
            _CHANNEL: {
                "address": _ADDRESS,
                "title": "The WebSocket",
                "messages": {
                    each.name: {"$ref": f"#/components/messages/{each.name}"}
                    for each in schema.cases
                },
                "bindings": {"ws": {"method": "GET"}},
            }
        },
        "operations": {
            name: operation for case in schema.cases for name, operation in _operations(case)
        },
        "components": {
            "messages": {case.name: _message(case) for case in schema.cases},
            "schemas": {
                each.name: _definition(schema, each, cases.get(each.name))
                for each in schema.wire_messages
            },
        },
    }
    return json.dumps(document, indent=1) + "\n"


def _operations(case: Case) -> list[tuple[str, _Part]]:
    actions = _ACTIONS.get(case.direction, ())
    return [
        (case.name if len(actions) == 1 else f"{action}_{case.name}", _operation(case, action))
        for action in actions
    ]


def _operation(case: Case, action: str) -> _Part:
    channel = {"$ref": f"#/channels/{_CHANNEL}"}
    found: _Part = {
        "action": action,
        "channel": channel,
        "summary": _line(case.comment),
        "messages": [_in_channel(case.name)],
    }
    if case.answer:
        found["reply"] = {"channel": channel, "messages": [_in_channel(case.answer)]}
    return found


def _in_channel(name: str) -> _Part:
    return {"$ref": f"#/channels/{_CHANNEL}/messages/{name}"}


def _message(case: Case) -> _Part:
    return {
        "name": case.name,
        "summary": _line(case.comment),
        "payload": {"$ref": f"#/components/schemas/{case.message}"},
    }


def _definition(schema: Schema, message: Message, case: Case | None) -> _Part:
    properties: _Part = {} if case is None else {"type": {"const": case.name}}
    required = [] if case is None else ["type"]
    for field in message.fields:
        properties[field.name] = _property(schema, field)
        required += [field.name] if field.mandatory else []
    found: _Part = {
        "type": "object",
        "description": _line(message.comment),
        "properties": properties,
    }
    return {**found, "required": required} if required else found


def _property(schema: Schema, field: Field) -> _Part:
    one = _one(schema, field)
    if field.label is Label.REPEATED:
        one = {"type": "array", "items": one}
    elif field.label is Label.MAP:
        one = {"type": "object", "additionalProperties": one}
    if not field.mandatory:
        one = _nullable(one)
    # Nothing is seen beside a reference in the edition of JSON Schema that AsyncAPI builds on.
    beside = {"allOf": [one]} if "$ref" in one else one
    return {**beside, "description": _line(field.comment)}


def _one(schema: Schema, field: Field) -> _Part:
    if field.kind is Kind.MESSAGE:
        return {"$ref": f"#/components/schemas/{field.type_name}"}
    if field.kind is Kind.ENUM:
        return _enum(schema.enum(field.type_name))
    return dict(_TYPES[field.kind])


def _enum(enum: Enum) -> _Part:
    return {"type": "string", "enum": [value.spelling for value in enum.spelled]}


def _nullable(one: _Part) -> _Part:
    """The same, or null, which is as if it was not there."""
    if not one:
        return one
    if "$ref" in one or "enum" in one:
        return {"anyOf": [one, {"type": "null"}]}
    return {**one, "type": [one["type"], "null"]}


def _line(comment: str) -> str:
    return " ".join(comment.split())
