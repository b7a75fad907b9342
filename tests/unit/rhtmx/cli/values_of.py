"""Changes and results to print."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rhtmx.api.open_conflict import OpenConflict
from rhtmx.core.conflict import ConflictSides
from rhtmx.values.changes import Change, FieldChange
from rhtmx.values.conflict_side import ConflictSide
from rhtmx.values.history import HistoryCommit
from rhtmx.values.results import Conflict, FieldPushResult

AT = datetime(2026, 11, 22, 10, 0, 1, tzinfo=UTC)


def change(**parts: Any) -> Change:
    """The change of the tour."""
    whole: dict[str, Any] = {
        "entity": "tasks",
        "entity_id": "7",
        "action": "create",
        "data": {"title": "Write it down"},
        "version": 41,
        "client_id": "cafe0123456789abcafe0123456789ab",
        "created_at": AT,
    }
    return Change(**{**whole, **parts})


def field_change(**parts: Any) -> FieldChange:
    whole: dict[str, Any] = {
        "entity": "tasks",
        "entity_id": "7",
        "field": "title",
        "action": "update",
        "value": "Write it down",
        "version": 41,
        "client_id": None,
        "timestamp": AT,
        "more": False,
    }
    return FieldChange(**{**whole, **parts})


def conflict(**parts: Any) -> Conflict:
    whole: dict[str, Any] = {
        "entity": "tasks",
        "entity_id": "7",
        "field": "title",
        "server_value": "theirs",
        "server_timestamp": AT,
        "client_value": "mine",
        "client_timestamp": AT,
        "version": 43,
        "winner": "server",
        "strategy": "last_write_wins",
    }
    return Conflict(**{**whole, **parts})


def merged(*conflicts: Conflict, **parts: Any) -> FieldPushResult:
    whole: dict[str, Any] = {
        "entity": "tasks",
        "entity_id": "7",
        "applied": 1,
        "conflicts": conflicts,
        "version": 43,
        "duplicate": False,
        "clamped": 0,
    }
    return FieldPushResult(**{**whole, **parts})


def commit(**parts: Any) -> HistoryCommit:
    whole: dict[str, Any] = {
        "entity": "tasks",
        "entity_id": "7",
        "action": "update",
        "data": {"title": "Write it up"},
        "version": 42,
        "changed": ("title", "note"),
        "client_id": "cafe0123456789ab",
        "subject": "ada",
        "created_at": AT,
    }
    return HistoryCommit(**{**whole, **parts})


def open_conflict(**parts: Any) -> OpenConflict:
    whole: dict[str, Any] = {
        "entity": "tasks",
        "entity_id": "7",
        "field": "title",
        "stored": ConflictSide(b'"theirs"', client_id="cafe0123456789ab", at=AT),
        "pushed": ConflictSide(b'"mine"', subject="ada", at=AT),
        "winner": "server",
        "version": 43,
        "strategy": "last_write_wins",
        "number": 12,
    }
    answerer: Any = None
    return OpenConflict(ConflictSides(**{**whole, **parts}), answerer)
