"""The JSON of the old protocols, made from the JSON of ours.

Knows by name and order the members that the old clients know. Must not know
how a message is written: it takes the wire's own JSON and leaves members out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import msgspec

from rhtmx import wire
from rhtmx.messages import Change, FieldChange
from rhtmx.wire import ServerMessage

__all__ = ["KEY", "Members", "join", "log_entry", "pick", "split", "told"]

KEY = "id"
"""The member under which the old clients keep a record's id."""

Members: TypeAlias = dict[str, msgspec.Raw]
"""The members of a JSON object, each with its value as text."""

_NULL = msgspec.Raw(b"null")

_LOG_ENTRY: Mapping[type[ServerMessage], Sequence[str]] = {
    Change: ("entity", "entity_id", "action", "data", "version", "client_id", "created_at"),
    FieldChange: (
        "entity",
        "entity_id",
        "field",
        "value",
        "action",
        "version",
        "client_id",
        "timestamp",
    ),
}

split = msgspec.json.Decoder(Members).decode
"""Take a JSON object apart without reading its values."""

join = msgspec.json.Encoder().encode
"""Put members together again."""


def pick(members: Mapping[str, msgspec.Raw], names: Sequence[str]) -> Members:
    """Return these members only, `null` for what is not there."""
    return {name: members.get(name, _NULL) for name in names}


def told(message: ServerMessage) -> bool:
    """Whether the old clients can take a message of ours.

    They keep records under the member `id`, and set it from `entity_id`. A field
    change of that name moves the record elsewhere, and its delete makes their
    browser refuse the whole batch that it comes with.
    """
    change = message.change if isinstance(message, FieldChange) else None
    return change is None or change.field != KEY


def log_entry(message: Change | FieldChange) -> Members:
    """Return the log entry inside a change as the old clients know it."""
    entry = split(split(wire.encode_json(message))["change"])
    return pick(entry, _LOG_ENTRY[type(message)])
