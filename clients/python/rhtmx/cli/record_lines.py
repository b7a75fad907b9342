"""What has become of a record, and what is open about it, as lines for a person.

Knows columns and words. Must not know programs that read: for them there are `records`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo
from typing import Any

from rhtmx.api.open_conflict import OpenConflict
from rhtmx.cli.paint import Paint
from rhtmx.cli.text import cut, escape, json_text, pad, width
from rhtmx.values.conflict_side import ConflictSide
from rhtmx.values.field_operations import FieldOperation
from rhtmx.values.history import FieldAuthor, HistoryCommit

__all__ = ["answered", "authors", "commits", "conflict"]

_COLOURS = {"create": "green", "update": "yellow", "delete": "red", "left": "red"}
_GAP = "  "
_WIDEST = 24
"""Columns of a user's name, or of a field's."""

_CLIENT = 5
"""Columns of the start of a client's id, with the ellipsis."""


def commits(
    told: Iterable[HistoryCommit], paint: Paint, columns: int | None, zone: tzinfo | None = None
) -> Iterator[str]:
    """The commits of a record, a line each: version, action, when, who, and what it wrote.

    Args:
        told: these.
        paint: the colours.
        columns: of the terminal; `None`: it is none, and nothing is cut.
        zone: of the times; `None` is this machine's.
    """
    rows = [(each, _who(each), _time(each.created_at, zone)) for each in told]
    longest = max((width(who) for _, who, _ in rows), default=0)
    for each, who, at in rows:
        version, action = str(each.version).rjust(4), "left" if each.left else each.action
        head = (version, action.ljust(6), at, pad(who, longest))
        written = _written(each)
        if columns is not None:
            written = cut(written, max(columns - width(_GAP.join((*head, ""))), 1))
        painted = (version, paint(_COLOURS[action], head[1]), paint("dim", at), head[3])
        yield _GAP.join((*painted, written)).rstrip()


def _written(commit: HistoryCommit) -> str:
    """What a commit wrote: the fields that it changed, or the whole record."""
    if commit.action == "delete":
        return ""
    data: Any = commit.data
    if commit.action == "create" or not commit.changed or not isinstance(data, dict):
        return json_text(data)
    values = {field: data[field] for field in commit.changed if field in data}
    gone = [f"-{escape(field)}" for field in commit.changed if field not in data]
    return _GAP.join([*([json_text(values)] if values else []), *gone])


def authors(told: Iterable[FieldAuthor], paint: Paint, zone: tzinfo | None = None) -> Iterator[str]:
    """Who wrote which field of a record, a line each: field, version, when, who."""
    rows = [(cut(escape(each.field), _WIDEST), str(each.version), each) for each in told]
    longest = max((width(field) for field, _, _ in rows), default=0)
    digits = max((len(version) for _, version, _ in rows), default=0)
    for field, version, each in rows:
        at = paint("dim", _time(each.timestamp, zone))
        yield _GAP.join((pad(field, longest), f"version {version.rjust(digits)}", at, _who(each)))


def conflict(what: OpenConflict, paint: Paint, zone: tzinfo | None = None) -> str:
    """An open conflict: what lost against what."""
    place = what.field or "(record)"
    place = place if what.key is None else f"{place}.{what.key}"
    sides = f"{_side(what.lost, zone)} lost against {_side(what.standing, zone)}"
    rule = f" ({what.strategy})" if what.strategy else ""
    return f"{paint('yellow', '!')} {_about(what)}  {escape(place)}  {sides}{escape(rule)}"


def answered(what: OpenConflict, paint: Paint) -> str:
    """A conflict that is open no more."""
    return f"{paint('green', '✓')} {_about(what)}  answered"


def _about(what: OpenConflict) -> str:
    return f"{escape(f'{what.entity}/{what.entity_id}')}  conflict {what.number}"


def _side(side: ConflictSide, zone: tzinfo | None) -> str:
    value = side.value
    said = escape(repr(value)) if isinstance(value, FieldOperation) else json_text(value)
    told = ["nothing" if side.deleted else said]
    if side.subject or side.client_id:
        told.append(f"by {_who(side)}")
    if side.at is not None:
        told.append(f"of {_time(side.at, zone)}")
    return " ".join(told)


def _who(what: HistoryCommit | FieldAuthor | ConflictSide) -> str:
    """Whoever it was: the user, else the start of the client's id."""
    if what.subject:
        return cut(escape(what.subject), _WIDEST)
    return cut(escape(what.client_id or "-"), _CLIENT)


def _time(at: datetime, zone: tzinfo | None) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
