"""What comes of a write or a question, as lines for a person.

Knows marks and words. Must not know programs that read: for them there are
`records`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import tzinfo

from rhtmx.cli.paint import Paint
from rhtmx.cli.text import escape, json_text, pad, width
from rhtmx.errors import Violation
from rhtmx.messages import Position
from rhtmx.values.changes import Change
from rhtmx.values.results import Conflict, FieldPushResult, FormValidation, PushResult, Validation

__all__ = ["form_verdict", "place", "pushed", "verdict", "violation"]

_WHOLE = "(form)"
"""Stands where a field's name does, for what is wrong with the form as a whole."""


_WHOLE_RECORD = "(record)"
"""And for a record."""


def place(at: Position) -> str:
    """A position as `--since` takes it."""
    scope = "" if at.scope is None else f"@{escape(at.scope)}"
    return f"{escape(at.epoch)}:{at.version}{scope}"


def pushed(
    result: PushResult | FieldPushResult, paint: Paint, zone: tzinfo | None = None
) -> Iterator[str]:
    """A write that is durable, and its conflicts.

    Args:
        result: what came of it.
        paint: the colours.
        zone: of the times; `None` is this machine's.
    """
    path = escape(f"{result.entity}/{result.entity_id}")
    told = [path] if result.version is None else [path, f"version {result.version}"]
    if result.duplicate:
        told.append("(had arrived before)")
    if result.prepared:
        told.append(f"(the server filled in {escape(', '.join(result.prepared))})")
    if isinstance(result, PushResult):
        yield f"{paint('green', '✓')} {'  '.join(told)}"
        return
    if result.clamped:
        told.append(f"({result.clamped} from the future, corrected)")
    yield f"{paint('green', '✓')} {'  '.join(told)}"
    for conflict in result.conflicts:
        yield _conflict(conflict, paint, zone)


def _conflict(conflict: Conflict, paint: Paint, zone: tzinfo | None) -> str:
    ours = _value(conflict.client_value, conflict.client_deleted)
    theirs = _value(conflict.server_value, conflict.server_deleted)
    at = conflict.server_timestamp.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    rule = f" ({conflict.strategy})" if conflict.strategy else ""
    lost = conflict.winner == "server"
    mark = paint("red", "✗") if lost else paint("yellow", "!")
    word = "lost against" if lost else "won over"
    place = conflict.field if conflict.key is None else f"{conflict.field}.{conflict.key}"
    return f"{mark} {escape(place)}  {ours} {word} {theirs} of {at}{rule}"


def _value(value: object, deleted: bool | None) -> str:
    """A value; where nobody can tell, null looks like a deletion."""
    return "nothing" if deleted or (deleted is None and value is None) else json_text(value)


def violation(where: Change, what: Violation, paint: Paint) -> str:
    """A rule that a record breaks."""
    path = f"{where.entity}/{where.entity_id}"
    told = [path, what.field or _WHOLE_RECORD, what.code, what.message]
    return f"{paint('red', '✗')} {'  '.join(map(escape, told))}"


def verdict(field: str, result: Validation, paint: Paint) -> str:
    """Whether one field is valid."""
    if result.valid:
        told = [f"{paint('green', '✓')} {escape(field)}"]
    else:
        told = [f"{paint('red', '✗')} {escape(field)}", escape(result.error or "is not valid")]
    if result.metadata is not None:
        told.append(paint("dim", json_text(result.metadata)))
    return "  ".join(told)


def form_verdict(entered: Iterable[str], result: FormValidation, paint: Paint) -> Iterator[str]:
    """Whether a form is valid, field by field: those entered, then what else is wrong.

    Args:
        entered: the fields that were given.
        result: what the server says.
        paint: the colours.
    """
    wrong: dict[str, list[str]] = {}
    for each in result.errors:
        wrong.setdefault(each.field, []).append(escape(each.error))
    fields = list(dict.fromkeys([*entered, *wrong]))
    names = {field: escape(field) or _WHOLE for field in fields}
    longest = max(map(width, names.values()), default=0)
    for field in fields:
        for reason in wrong.get(field, ()):
            yield f"{paint('red', '✗')} {pad(names[field], longest)}  {reason}"
        if field not in wrong:
            yield f"{paint('green', '✓')} {names[field]}"
    if not fields:
        mark, word = ("green", "✓") if result.valid else ("red", "✗")
        yield f"{paint(mark, word)} {_WHOLE}"
