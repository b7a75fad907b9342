"""An example of every message, for the protocol reference.

Knows values that a reader finds plausible, by field name. Must not know how the
reference looks.
"""

from __future__ import annotations

import json

from codegen.model import Field, Kind, Label, Message, Schema

__all__ = ["Json", "as_text", "example_frame", "example_json"]

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]

WIDTH = 88
EPOCH = "q8Xf2mVt"
SCHEMA = "0123456789abcdef"
RECORD: Json = {"name": "Ada", "email": "ada@example.com"}

VALUES: dict[str, Json] = {
    "action": "update",
    "applied": 1,
    "base_version": 42,
    "clamped": 0,
    "client_id": "cafe-1",
    "client_timestamp": "2026-11-22T10:00:00Z",
    "client_value": "Ada L.",
    "code": "unknown_form",
    "confirmed_seq": 6,
    "conflicts": 1,
    "data": RECORD,
    "details": None,
    "duplicate": False,
    "entities": ["users", "posts"],
    "entity": "users",
    "entity_id": "1",
    "epoch": EPOCH,
    "error": "already registered",
    "expires": "2026-11-22T11:00:00Z",
    "field": "email",
    "form": "signup",
    "form_instance": "signup-2",
    "heartbeat": 20000,
    "last_seq": 6,
    "left": False,
    "member": "j5aoc71iXFP_xIFY",
    "message": "no form 'sign-up': is it registered?",
    "message_bytes": 65536,
    "metadata": {"hint": "sign in instead?"},
    "more": False,
    "prepared": {"owner": "ada"},
    "request_id": "r1",
    "requests": 64,
    "reset": False,
    "retryable": False,
    "schema": SCHEMA,
    "scope": "6f1c0a9d3b5e7f21",
    "seq": 7,
    "server_value": "Ada Lovelace",
    "session_id": "s-5f2c",
    "since": 42,
    "state": {"name": "Ada"},
    "strategy": "last_write_wins",
    "subscriptions": 128,
    "token": "eyJhbGciOi...",
    "valid": False,
    "value": "ada@example.com",
    "version": 43,
    "watch": False,
    "where": {"users": {"team": "red"}},
    "winner": "server",
}
# Where the value that suits a name does not suit this message.
SPECIAL: dict[tuple[str, str], Json] = {
    ("FieldConflict", "field"): "name",
    ("Sync", "where"): {"team": "red"},
    ("SyncFields", "where"): {"team": "red"},
    ("SyncBegin", "where"): {"team": "red"},
    ("SyncComplete", "where"): {"team": "red"},
    ("SyncFieldsComplete", "where"): {"team": "red"},
    ("RoomClosed", "code"): "not_found",
    ("RoomClosed", "message"): "there is no '1' in 'users', or you may not read it",
    ("RoomMember", "id"): "j5aoc71iXFP_xIFY",
    ("RoomMember", "subject"): "ada",
    ("RoomMembers", "gone"): ["Wx_GNareF1kg2kvB"],
    ("RoomMessage", "data"): {"typing": True},
    ("FormFieldValue", "field"): "age",
    ("FormFieldValue", "value"): "36",
}
BY_KIND: dict[Kind, Json] = {
    Kind.BOOL: True,
    Kind.INT32: 1,
    Kind.INT64: 1,
    Kind.STRING: "text",
    Kind.JSON: None,
    Kind.TIME: "2026-11-22T10:00:01Z",
}


def example_frame(schema: Schema, case: str) -> dict[str, Json]:
    """Return the example of an envelope case in its JSON form."""
    name = next(each.message for each in schema.cases if each.name == case)
    return {"type": case, **example_json(schema, schema.message(name))}


def example_json(schema: Schema, message: Message) -> dict[str, Json]:
    """Return the example of a message as JSON, every field present."""
    return {
        field.name: SPECIAL.get((message.name, field.name), _value(schema, field))
        for field in message.fields
    }


def _value(schema: Schema, field: Field) -> Json:
    if field.kind is Kind.MESSAGE:
        inner: Json = example_json(schema, schema.message(field.type_name))
        if field.label is Label.REPEATED:
            return [inner]
        return {"users": inner} if field.label is Label.MAP else inner
    if field.kind is Kind.ENUM:
        spellings = [value.spelling for value in schema.enum(field.type_name).spelled]
        preferred = VALUES.get(field.name)
        return preferred if preferred in spellings else spellings[0]
    if field.name in VALUES:
        return VALUES[field.name]
    one = BY_KIND[field.kind]
    return [one] if field.label is Label.REPEATED else one


def as_text(value: Json, indent: str = "") -> str:
    """Write an example: on one line if it fits, else one member a line."""
    line = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(line) <= WIDTH or not isinstance(value, dict | list):
        return line
    inner = f"{indent}  "
    if isinstance(value, list):
        parts = [as_text(each, inner) for each in value]
    else:
        parts = [f"{json.dumps(key)}: {as_text(each, inner)}" for key, each in value.items()]
    opening, closing = "[]" if isinstance(value, list) else "{}"
    return f"{opening}\n{inner}" + f",\n{inner}".join(parts) + f"\n{indent}{closing}"
