"""How a record looks from outside: log entries, and JSON for error details.

Knows records and messages. Must not know who asks, or why.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rhtmx.messages import ChangeAction, ChangeLog, FieldAction, FieldChangeLog
from rhtmx_server.model import Record
from rhtmx_server.times import to_datetime
from rhtmx_server.trackers import json_text as jsontext
from rhtmx_server.trackers.state import clocks_of, fields_of

__all__ = ["change_log", "field_logs", "record_json", "title"]

_SPELLING = {
    ChangeAction.CREATE: "create",
    ChangeAction.UPDATE: "update",
    ChangeAction.DELETE: "delete",
}
_SHOWN = 40  # characters of a name that an error message repeats at most


def title(entity: str, entity_id: str) -> str:
    """Return a record's name, short enough for an error message.

    Example:
        >>> title("users", "1")
        'users/1'
    """
    return f"{entity[:_SHOWN]}/{entity_id[:_SHOWN]}"


def change_log(record: Record) -> ChangeLog:
    """Return the record as the log entry of its last commit."""
    return ChangeLog(
        entity=record.entity,
        entity_id=record.entity_id,
        action=record.action,
        data=record.data,
        version=record.version,
        client_id=record.client_id,
        created_at=to_datetime(record.time),
    )


def field_logs(record: Record) -> list[FieldChangeLog]:
    """Return the fields that a record has, by name, each as it was last written."""
    fields = fields_of(record)
    clocks = clocks_of(record, fields)
    return [
        FieldChangeLog(
            entity=record.entity,
            entity_id=record.entity_id,
            field=name,
            value=jsontext.value(fields[name]),
            action=FieldAction.UPDATE,
            version=clocks[name].version,
            client_id=clocks[name].client_id,
            timestamp=to_datetime(clocks[name].timestamp),
        )
        for name in sorted(fields)
    ]


def record_json(record: Record, *, fields: Sequence[str] = ()) -> bytes:
    """Return the record as a `ChangeLog` in the JSON form, its data as it is.

    Args:
        record: the record.
        fields: names to put beside it, as `fields`.
    """
    view: dict[str, object] = {
        "entity": record.entity,
        "entity_id": record.entity_id,
        "action": _SPELLING[record.action],
        "data": jsontext.raw(record.data),
        "version": record.version,
    }
    if record.client_id is not None:
        view["client_id"] = record.client_id
    view["created_at"] = to_datetime(record.time)
    if fields:
        view["fields"] = fields
    return msgspec.json.encode(view)
