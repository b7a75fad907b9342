"""Changes as the lines of a table.

Knows columns, and what fits into them. Must not know the terminal: its width,
its colours and the time zone are arguments.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

from rhtmx.cli.paint import Paint
from rhtmx.cli.text import cut, escape, json_text, pad, width
from rhtmx.values.changes import Change, FieldChange

__all__ = ["Table", "TableRow"]

_GAP = "  "
_COLOURS = {"create": "green", "update": "yellow", "delete": "red", "left": "red"}
_ACTION = 6
_TIME = 19
_CLIENT = 5
"""Columns of the start of a client's id, with the ellipsis."""

_WIDEST_PATH = 32
_WIDEST_DATA = 60
"""Beyond this a single long one does not move the columns of all that follow."""

_LEAST_DATA = 20
"""On a terminal that has less left for the data, the columns behind it give way."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """One change, each column as text.

    Attributes:
        version: place in the log.
        action: what happened.
        path: `entity/id`, or `entity/id.field`.
        data: what is there now, as JSON; empty after a delete.
        at: when.
        client: who, if known.
    """

    version: str
    action: str
    path: str
    data: str
    at: datetime
    client: str

    @classmethod
    def of(cls, change: Change | FieldChange) -> TableRow:
        """Make it from what a subscription yields."""
        path = f"{change.entity}/{change.entity_id}"
        if isinstance(change, Change):
            value, at = change.data, change.created_at
        else:
            value, at = change.value, change.timestamp
            path = path if change.left else f"{path}.{change.field}"
        return cls(
            str(change.version),
            "left" if change.left else change.action,
            escape(path),
            "" if change.action == "delete" else json_text(value),
            at,
            cut(escape(change.client_id or ""), _CLIENT),
        )


class Table:
    """Lays rows out, one at a time; columns grow with what was seen.

    Args:
        paint: the colours.
        zone: of the times; `None` is this machine's.
    """

    def __init__(self, paint: Paint, zone: tzinfo | None = None) -> None:
        self._paint = paint
        self._zone = zone
        self._version = 4
        self._path = 0
        self._data = 0

    def see(self, row: TableRow) -> None:
        """Make room for a row."""
        self._version = max(self._version, len(row.version))
        self._path = max(self._path, min(width(row.path), _WIDEST_PATH))
        self._data = max(self._data, min(width(row.data), _WIDEST_DATA))

    def line(self, row: TableRow, columns: int | None) -> str:
        """A row as a line.

        Args:
            row: the change.
            columns: of the terminal, to which it is cut; `None`: all of it.
        """
        self.see(row)
        path = row.path if columns is None else cut(row.path, _WIDEST_PATH)
        head = _GAP.join(
            (
                row.version.rjust(self._version),
                self._paint(_COLOURS[row.action], row.action.ljust(_ACTION)),
                pad(path, self._path),
            )
        )
        tail = [self._time(row.at), row.client]
        if columns is None:
            return self._join(head, pad(row.data, self._data), tail)
        room = columns - (self._version + _ACTION + self._path + 3 * len(_GAP))
        behind = [_TIME, _CLIENT]
        while behind and room - sum(behind) - len(_GAP) * len(behind) < _LEAST_DATA:
            behind.pop()
        room -= sum(behind) + len(_GAP) * len(behind)
        data = cut(row.data, max(room, 1))
        return self._join(head, pad(data, room) if behind else data, tail[: len(behind)])

    def _time(self, at: datetime) -> str:
        return at.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S")

    def _join(self, head: str, data: str, tail: list[str]) -> str:
        behind = [self._paint("dim", each) for each in tail if each]
        return _GAP.join([head, data, *behind]).rstrip()
