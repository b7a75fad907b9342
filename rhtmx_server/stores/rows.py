"""Rows and the objects that they stand for.

Knows the columns. Must not know when they are read or written. Every row is a
plain tuple: that is what the driver takes and gives fastest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import msgspec

from rhtmx.messages import ChangeAction
from rhtmx_server.model import ClientRow, Clock, Granularity, HistoryEntry, Outcome, Record

__all__ = [
    "Row",
    "client_of",
    "entry_of",
    "outcome_of",
    "plain_records_of",
    "record_of",
    "row_of_client",
    "row_of_entry",
    "row_of_outcome",
    "row_of_record",
]

Row: TypeAlias = tuple[Any, ...]
"""One row, in the order of the columns in the schema, without the row id."""

# A look-up is five times as quick as the enum's own call.
_ACTIONS = {int(action): action for action in ChangeAction}
_GRANULARITIES = {
    int(each): each for each in (Granularity.RECORDS, Granularity.FIELDS, Granularity.BOTH)
}

_clocks_to_json = msgspec.json.Encoder().encode
_clocks_from_json = msgspec.json.Decoder(dict[str, Clock]).decode


def row_of_record(record: Record) -> Row:
    """The columns of `records`; the clocks as JSON."""
    return (
        record.entity,
        record.entity_id,
        record.version,
        int(record.action),
        record.data,
        record.client_id,
        record.time,
        # NULL where there are none: 2 bytes less in the row, and nothing to parse.
        _clocks_to_json(record.clocks) if record.clocks else None,
        record.entered or None,
        record.hidden,
    )


def record_of(row: Row) -> Record:
    """What a row of `records` holds, with its clocks and what is hidden of it."""
    entity, entity_id, version, action, data, client_id, time, clocks, entered, hidden = row
    return Record(
        entity,
        entity_id,
        version,
        _ACTIONS[action],
        data,
        client_id,
        time,
        _clocks_from_json(clocks) if clocks else {},
        entered or 0,
        hidden,
    )


def plain_records_of(entity: str, rows: Iterable[Row]) -> Iterator[Record]:
    """Make the records of one entity from their other columns, but for the clocks."""
    for entity_id, version, action, data, client_id, time in rows:
        yield Record(entity, entity_id, version, _ACTIONS[action], data, client_id, time)


def row_of_entry(entry: HistoryEntry) -> Row:
    """Make the row of a history entry."""
    record = entry.record
    return (
        record.entity,
        record.entity_id,
        record.version,
        int(record.action),
        record.data,
        record.client_id,
        record.time,
        int(entry.granularity),
        int(entry.lost),
        entry.previous,
    )


def entry_of(row: Row) -> HistoryEntry:
    """Make the history entry of a row."""
    *columns, form, lost, previous = row
    record = record_of((*columns, None, None, None))
    return HistoryEntry(record, _GRANULARITIES[form], bool(lost), previous)


def row_of_client(client: ClientRow) -> Row:
    """The columns of `clients`."""
    return (client.client_id, client.subject, client.last_seq, client.seen, client.secret)


def client_of(row: Row) -> ClientRow:
    """What a row of `clients` holds."""
    return ClientRow(*row)


def row_of_outcome(outcome: Outcome) -> Row:
    """The columns of `outcomes`, with the name of the client in the place of its row id."""
    return (
        outcome.client_id,
        outcome.seq,
        outcome.digest,
        outcome.reply,
        int(outcome.rejected),
    )


def outcome_of(row: Row) -> Outcome:
    """What a row of `outcomes` holds, the name of its client included."""
    client_id, seq, digest, reply, rejected = row
    return Outcome(client_id, seq, digest, reply, bool(rejected))
