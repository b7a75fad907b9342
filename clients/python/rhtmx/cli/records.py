"""What comes of a command as JSON objects, one a line.

Knows the keys that programs read. Must not know how a person reads it.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, TypeAlias

from rhtmx.core.events import Reset
from rhtmx.messages import Position
from rhtmx.values.changes import Change, FieldChange
from rhtmx.values.results import FieldPushResult, FormValidation, PushResult, Validation

__all__ = ["Record", "change", "position", "pushed", "reset", "verdict"]

Record: TypeAlias = dict[str, Any]
"""One JSON object."""

_OPTIONAL = ("key", "server_deleted", "client_deleted", "server_client_id", "number")
"""What a conflict may lack."""


def change(what: Change | FieldChange, at: Position | None) -> Record:
    """A change.

    Args:
        what: the change.
        at: where to resume after it, if that is known: holds its epoch.
    """
    record = asdict(what)
    time = "created_at" if isinstance(what, Change) else "timestamp"
    record[time] = _time(record[time])
    record["epoch"] = at.epoch if at is not None else None
    if not record["left"]:
        del record["left"]  # as it was before there were parts of entities
    kind = "change" if isinstance(what, Change) else "field_change"
    return {"type": kind, **record}


def reset(what: Reset) -> Record:
    """A stream begins anew; `position` is how far it had been read."""
    at = what.position
    read = None if at is None else {"epoch": at.epoch, "version": at.version}
    return {"type": "reset", "entity": what.entity, "position": read}


def position(entity: str, at: Position) -> Record:
    """Where to go on."""
    place = {"type": "position", "entity": entity, "epoch": at.epoch, "version": at.version}
    return place if at.scope is None else {**place, "scope": at.scope}


def pushed(result: PushResult | FieldPushResult) -> Record:
    """A write that is durable, with the conflicts that it had."""
    record = asdict(result)
    if not record["prepared"]:
        del record["prepared"]  # as on the wire
    if isinstance(result, PushResult):
        return {"type": "push_ack", **record}
    for conflict in record["conflicts"]:
        for time in ("server_timestamp", "client_timestamp"):
            conflict[time] = _time(conflict[time])
        for absent in [name for name in _OPTIONAL if conflict[name] is None]:
            del conflict[absent]
    return {"type": "field_push_ack", **record}


def verdict(form: str, result: Validation | FormValidation, field: str | None = None) -> Record:
    """Whether a form, or one field of it, is valid."""
    if isinstance(result, Validation):
        return {"type": "validation_result", "form": form, "field": field, **asdict(result)}
    return {"type": "form_validation_result", "form": form, **asdict(result)}


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
