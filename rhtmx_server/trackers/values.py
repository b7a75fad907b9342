"""Records as the values that Python code beside the server gets: those of the client.

Knows records, and the client's types for what was read. Must not know who asks.
"""

from __future__ import annotations

from dataclasses import dataclass

from rhtmx.values.changes import Change, FieldChange
from rhtmx_server.model import HistoryEntry, Record
from rhtmx_server.trackers.views import change_log, field_logs

__all__ = ["HistoryChange", "change_of", "field_changes_of", "history_change"]


@dataclass(frozen=True, slots=True)
class HistoryChange(Change):
    """A commit, or a field write that lost, as the history keeps it.

    Attributes:
        lost: it was a write that lost: `data` is an object of the one field, and `action`
            is `DELETE` if it would have removed that.
    """

    lost: bool = False


def change_of(record: Record) -> Change:
    """Return the record as the change of its last commit."""
    return Change.of(change_log(record))


def field_changes_of(record: Record) -> dict[str, FieldChange]:
    """Return the fields that a record has, by name, each as it was last written."""
    return {log.field: FieldChange.of(log) for log in field_logs(record)}


def history_change(entry: HistoryEntry) -> HistoryChange:
    """The entry as Python code gets it, its data parsed."""
    change = change_of(entry.record)
    return HistoryChange(
        change.entity,
        change.entity_id,
        change.action,
        change.data,
        change.version,
        change.client_id,
        change.created_at,
        lost=entry.lost,
    )
