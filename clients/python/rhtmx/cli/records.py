"""What comes of a command as JSON objects, one a line.

Knows the keys that programs read. Must not know how a person reads it.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, TypeAlias

from rhtmx.api.open_conflict import OpenConflict
from rhtmx.errors import Violation
from rhtmx.messages import Position
from rhtmx.values.changes import Change, FieldChange
from rhtmx.values.conflict_side import ConflictSide
from rhtmx.values.field_operations import FieldOperation
from rhtmx.values.history import FieldAuthor, HistoryCommit
from rhtmx.values.reset import Reset
from rhtmx.values.results import FieldPushResult, FormValidation, PushResult, Validation

__all__ = [
    "Record",
    "answered",
    "author",
    "change",
    "commit",
    "conflict",
    "position",
    "pushed",
    "reset",
    "verdict",
    "violation",
]

Record: TypeAlias = dict[str, Any]
"""One JSON object."""

_OPTIONAL = ("key", "server_deleted", "client_deleted", "server_client_id", "number")
"""What a conflict may lack."""

_ABOUT = (
    "entity",
    "entity_id",
    "number",
    "field",
    "key",
    "winner",
    "strategy",
    "base_version",
    "version",
)
"""What an open conflict says beside its two sides."""


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
    told = asdict(result)
    del told["receipt"]  # never asked for here
    return {"type": "form_validation_result", "form": form, **told}


def commit(what: HistoryCommit) -> Record:
    """A commit of a record."""
    record = asdict(what)
    record["changed"] = list(what.changed)
    record["created_at"] = _time(what.created_at)
    if not what.left:
        del record["left"]
    return {"type": "commit", **record}


def author(entity: str, entity_id: str, what: FieldAuthor) -> Record:
    """Who wrote a field."""
    record = asdict(what)
    record["timestamp"] = _time(what.timestamp)
    return {"type": "field_author", "entity": entity, "entity_id": entity_id, **record}


def conflict(what: OpenConflict) -> Record:
    """An open conflict, in the words of the protocol."""
    about = {name: getattr(what, name) for name in _ABOUT}
    known = {name: value for name, value in about.items() if value is not None}
    sides = {"stored": _side(what.stored), "pushed": _side(what.pushed)}
    return {"type": "conflict", **known, **sides}


def answered(what: OpenConflict) -> Record:
    """A conflict that is open no more."""
    about = {"entity": what.entity, "entity_id": what.entity_id, "number": what.number}
    return {"type": "conflict_answered", **about}


def violation(where: Change, what: Violation) -> Record:
    """A rule that a record breaks."""
    about = {"entity": where.entity, "entity_id": where.entity_id, "version": where.version}
    wrong = {"field": what.field, "code": what.code, "message": what.message}
    return {"type": "violation", **about, **wrong}


def _side(side: ConflictSide) -> Record:
    value = side.value
    told = {
        "value": value.operand if isinstance(value, FieldOperation) else value,
        "action": side.operation or ("delete" if side.deleted else "update"),
        "timestamp": None if side.at is None else _time(side.at),
        "client_id": side.client_id,
        "subject": side.subject,
    }
    return {name: each for name, each in told.items() if name == "value" or each is not None}


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
