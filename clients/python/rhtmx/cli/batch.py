"""The lines of `rhtmx push --from`, as what is to be pushed.

Knows what may stand in a line. Must not know where lines come from.
"""

from __future__ import annotations

from rhtmx.cli.errors import USAGE, CommandError
from rhtmx.cli.requests import Push, PushMany
from rhtmx.cli.values import parse_json
from rhtmx.values.json_value import Json

__all__ = ["push"]

_SKIPPED = ("reset", "position")
"""Types of lines that `rhtmx sync --json` prints and that are no change."""

_KEYS = frozenset(("entity_id", "data", "action", "base_version"))
_OF_SYNC = frozenset(("type", "entity", "version", "epoch", "client_id", "created_at", "left"))
_ACTIONS = ("create", "update", "delete")


def push(request: PushMany, text: str, where: str) -> Push | None:
    """What one line asks for; `None` if it is empty, or no change.

    Args:
        request: where to and how.
        text: the line.
        where: its place, for the error.

    Raises:
        CommandError: it cannot be understood.
    """
    if not text.strip():
        return None
    line = parse_json(text, where)
    if not isinstance(line, dict):
        raise _wrong(where, "an object with entity_id and data expected")
    if line.get("type") in _SKIPPED:
        return None
    if line.get("type") == "field_change":
        raise _wrong(where, "a change of a whole record expected: use rhtmx sync without --fields")
    unknown = sorted(line.keys() - _KEYS - _OF_SYNC)
    if unknown:
        raise _wrong(
            where, f"unknown key {unknown[0]!r}: the known ones are {', '.join(sorted(_KEYS))}"
        )
    entity_id, action = line.get("entity_id"), line.get("action", "update")
    if not isinstance(entity_id, str):
        raise _wrong(where, "entity_id: a text expected")
    if action not in _ACTIONS:
        raise _wrong(where, f"action: one of {', '.join(_ACTIONS)} expected")
    delete = action == "delete"
    if not delete and "data" not in line:
        raise _wrong(where, "data is missing")
    if request.fields and (delete or not isinstance(line["data"], dict)):
        raise _wrong(where, "with --fields data has to be an object of fields")
    return Push(
        request.entity,
        entity_id,
        None if delete else line["data"],
        fields=request.fields,
        delete=delete,
        base_version=_version(line.get("base_version"), where),
    )


def _version(value: Json, where: str) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    raise _wrong(where, "base_version: a whole number from 0 on expected")


def _wrong(where: str, message: str) -> CommandError:
    return CommandError(f"{where}: {message}", USAGE)
