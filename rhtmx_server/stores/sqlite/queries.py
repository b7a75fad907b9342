"""What is read and written, as SQL.

Knows the tables. Must not know transactions: every function takes a cursor and
works within whatever the caller has begun.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

import apsw

from rhtmx.messages import ChangeAction
from rhtmx_server.model import ClientRow, Head, HistoryEntry, Key, Record
from rhtmx_server.ports import BatchNeeds, BatchWrites, Snapshot
from rhtmx_server.record_page import CommitPage, HistoryPage, HistoryPosition
from rhtmx_server.stores.chain import steps_back, walk
from rhtmx_server.stores.paging import BATCH_BYTES, cut, cut_history
from rhtmx_server.stores.rows import (
    Row,
    client_of,
    entry_of,
    outcome_of,
    plain_records_of,
    record_of,
    row_of_client,
    row_of_entry,
    row_of_outcome,
    row_of_record,
)
from rhtmx_server.stores.sqlite import members, versions

__all__ = [
    "read_client",
    "read_commits",
    "read_copy_note",
    "read_epoch",
    "read_head",
    "read_heads",
    "read_history",
    "read_record",
    "read_since",
    "read_since_plain",
    "read_snapshot",
    "read_subjects",
    "write",
    "write_epoch",
]


def _line(statement: str) -> str:
    """Return a statement without needless spaces: for each row the driver reads all of its text."""
    return " ".join(statement.split())


_RECORD = """
    SELECT entity, entity_id, version, action, data, client_id, time, clocks, entered, hidden
    FROM records WHERE entity = ? AND entity_id = ?"""
_RECORD_TO_WRITE = _line(_RECORD.replace("hidden\n", "hidden, parts, id\n"))
# Pages are read for those who are told of records: what is hidden is not even read.
_SINCE = versions.select(
    "records.entity, entity_id, records.version, action, data, client_id, time, clocks, entered, "
    "NULL",
    "versions.version <= ?",
)
_SINCE_PLAIN = versions.select(
    "entity_id, records.version, action, data, client_id, time", "versions.version <= ?"
)
_ENTRIES = """
    SELECT id, entity, entity_id, version, action, data, client_id, time, form, lost, previous
    FROM history WHERE entity = ?1 AND {}
      AND (?4 IS NULL OR entity_id = ?4) AND (?5 IS NULL OR time <= ?5)"""
# In two parts: SQLite 3.54 searches for `(version, id) > (?, ?)` by the version alone, and
# walks through all of its entries for each page.
_HISTORY = (
    _ENTRIES.format("version = ?2 AND id > ?3")
    + " UNION ALL "
    + _ENTRIES.format("version > ?2")
    + " ORDER BY version, id LIMIT ?6"
)
# A commit is written before any write that lost against it: it is the first row of its version.
_COMMIT = """
    SELECT entity, entity_id, version, action, data, client_id, time, form, lost, previous
    FROM history WHERE entity = ? AND version = ? ORDER BY id LIMIT 1"""
_SUBJECT = "SELECT client_id, subject FROM clients WHERE client_id = ? AND subject != ''"
_HEADS = "SELECT entity, version, floor FROM entities"
_HEAD = "SELECT version, floor FROM entities WHERE entity = ?"
_CLIENT = "SELECT client_id, subject, last_seq, seen, secret FROM clients WHERE client_id = ?"
_KNOWN = "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'clients'"
_OUTCOME = """
    SELECT client_id, seq, digest, reply, rejected
    FROM outcomes JOIN clients ON clients.id = client WHERE client_id = ? AND seq = ?"""

_PUT_HEAD = """
    INSERT INTO entities(entity, version) VALUES (?, ?)
    ON CONFLICT DO UPDATE SET version = excluded.version"""
_PUT_RECORD = """
    INSERT INTO records(
      entity, entity_id, version, action, data, client_id, time, clocks, entered, hidden
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT(entity, entity_id) DO UPDATE SET
      version = excluded.version, action = excluded.action, data = excluded.data,
      client_id = excluded.client_id, time = excluded.time, clocks = excluded.clocks,
      entered = excluded.entered, hidden = excluded.hidden"""
_REPLACE_RECORD = _line("""
    UPDATE records SET
      version = ?, action = ?, data = ?, client_id = ?, time = ?, clocks = ?, entered = ?,
      hidden = ?
    WHERE id = ?""")
_PUT_ENTRY = _line("""
    INSERT INTO history(
      entity, entity_id, version, action, data, client_id, time, form, lost, previous
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""")
_PUT_CLIENT = """
    INSERT INTO clients(client_id, subject, last_seq, seen, secret) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET
      subject = excluded.subject, last_seq = excluded.last_seq, seen = excluded.seen,
      secret = excluded.secret"""
_PUT_OUTCOME = """
    INSERT INTO outcomes(client, seq, digest, reply, rejected)
    VALUES ((SELECT id FROM clients WHERE client_id = ?), ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET
      digest = excluded.digest, reply = excluded.reply, rejected = excluded.rejected"""
_FORGET_OUTCOMES = """
    DELETE FROM outcomes
    WHERE client = (SELECT id FROM clients WHERE client_id = ?) AND seq <= ?"""


def read_snapshot(
    cursor: apsw.Cursor, wanted: BatchNeeds, known: members.Known | None = None
) -> Snapshot:
    """Read what a batch has to see.

    Args:
        cursor: in a transaction.
        wanted: what of it.
        known: takes where the records stand, for `write` in the same transaction.
    """
    entities = {entity for entity, _ in wanted.records}
    heads = {entity: read_head(cursor, entity) for entity in entities}
    known = known or members.Known()
    known.places, known.rows = {}, {}
    records, tombstones, unread = _read_records(cursor, wanted.records, known)
    authors: Collection[str] = ()
    if wanted.more is not None:
        others, authors = wanted.more(records, None)
        if others:
            heads |= {entity: read_head(cursor, entity) for entity in {key[0] for key in others}}
            written = [key for key in others if heads[key[0]].version]
            more = _read_records(cursor, written, known)
            records |= more[0]
            tombstones, unread = [*tombstones, *more[1]], unread | more[2]
    ids = ((client_id,) for client_id in wanted.clients)
    clients = {row[0]: client_of(row) for row in _each(cursor, _CLIENT, ids)}
    # Numbers above the last one have no outcome yet: most need no look-up.
    last = {id_: clients[id_].last_seq if id_ in clients else 0 for id_ in wanted.clients}
    numbers = [(id_, seq) for id_, seq in wanted.outcomes if seq <= last.get(id_, seq)]
    outcomes = {(row[0], row[1]): outcome_of(row) for row in _each(cursor, _OUTCOME, numbers)}
    # Only a client that is new can be one too many.
    number = cursor.execute(_KNOWN).get if len(clients) < len(last) else 0
    if authors:
        others_rows = _each(cursor, _CLIENT, ((client_id,) for client_id in authors))
        clients |= {row[0]: client_of(row) for row in others_rows}
    last_parts = members.last_parts(cursor, tombstones) if tombstones else {}
    return Snapshot(records, heads, clients, outcomes, number, last_parts, unread)


def _read_records(
    cursor: apsw.Cursor, wanted: Iterable[Key], known: members.Known
) -> tuple[dict[Key, Record], Collection[Record], set[Key]]:
    """Read these records until they weigh enough; say which are deleted, and which are left."""
    keys, weight = iter(wanted), 0
    records: dict[Key, Record] = {}
    tombstones: list[Record] = []
    unread: set[Key] = set()

    def next_ones() -> Iterator[Key]:  # the driver asks for one when it is done with the last
        for key in keys:
            if weight > BATCH_BYTES:
                unread.update((key, *keys))
                return
            yield key

    for row in _each(cursor, _RECORD_TO_WRITE, next_ones()):
        key = row[0], row[1]
        records[key] = record = record_of(row[:10])
        known.rows[key] = row[11], record.version
        if row[10]:
            known.places[key] = row[2], row[10]
        if record.action is ChangeAction.DELETE:
            tombstones.append(record)
        weight += len(row[4] or b"") + len(row[7] or b"") + len(row[9] or b"")
    return records, tombstones, unread


def write(cursor: apsw.Cursor, writes: BatchWrites, known: members.Known | None = None) -> None:
    """Write what a batch decided.

    Args:
        cursor: in a transaction.
        writes: what.
        known: what was found out before, by `read_snapshot` of this transaction; is completed.
    """
    known = known or members.Known()
    if writes.parts:
        members.find_places(cursor, writes.parts, known)
    # `executemany` prepares a statement once, and is given tuples as they are made.
    cursor.executemany(_PUT_HEAD, writes.heads.items())
    _write_records(cursor, writes.records, known)
    if writes.parts:
        members.move(cursor, writes.parts, known)
    cursor.executemany(_PUT_ENTRY, map(row_of_entry, writes.history))
    # Clients before their outcomes, which are kept under the client's row id.
    cursor.executemany(_PUT_CLIENT, map(row_of_client, writes.clients))
    cursor.executemany(_PUT_OUTCOME, map(row_of_outcome, writes.outcomes))
    cursor.executemany(_FORGET_OUTCOMES, writes.confirmed.items())


def _write_records(cursor: apsw.Cursor, records: Iterable[Record], known: members.Known) -> None:
    """Write records, and where they are in the order of versions."""
    known.left = []
    places: list[Row] = []
    new: list[Row] = []

    # By its row what was read is replaced without a look into the index of the names.
    def replaced() -> Iterator[Row]:
        for record in records:
            row = row_of_record(record)
            found = known.rows.get(row[:2])
            if found is None:
                new.append(row)
            else:
                id_, before = found
                if before != row[2]:
                    known.left.append((row[0], before, row[2] - before))
                places.append((row[0], row[2], id_))
                yield *row[2:], id_

    cursor.executemany(_REPLACE_RECORD, replaced())
    versions.put(cursor, places)
    if new:
        last = versions.last_row(cursor)
        cursor.executemany(_PUT_RECORD, new)
        versions.put_new(cursor, last, [row[:2] for row in new])


def read_copy_note(cursor: apsw.Cursor) -> str | None:
    """Read the note of a copy into this file that is under way; `None` for none."""
    note: str | None = cursor.execute("SELECT value FROM meta WHERE key = 'copy'").get
    return note


def read_epoch(cursor: apsw.Cursor) -> str:
    """Read the store's epoch."""
    return str(cursor.execute("SELECT value FROM meta WHERE key = 'epoch'").get)


def write_epoch(cursor: apsw.Cursor, epoch: str) -> None:
    """Replace the store's epoch."""
    cursor.execute("UPDATE meta SET value = ? WHERE key = 'epoch'", (epoch,))


def read_heads(cursor: apsw.Cursor) -> dict[str, Head]:
    """The heads of all entities that were ever written."""
    rows: list[Row] = cursor.execute(_HEADS).fetchall()
    return {entity: Head(version, floor) for entity, version, floor in rows}


def read_since(cursor: apsw.Cursor, entity: str, after: int, upto: int, limit: int) -> list[Record]:
    """One page of records, in version order."""
    return cut(map(record_of, cursor.execute(_SINCE, (entity, after, upto, limit))))


def read_since_plain(
    cursor: apsw.Cursor, entity: str, after: int, upto: int, limit: int
) -> list[Record]:
    """One page of records without their clocks: 1.2 instead of 3.5 µs for each."""
    rows = cursor.execute(_SINCE_PLAIN, (entity, after, upto, limit))
    return cut(plain_records_of(entity, rows))


def read_record(cursor: apsw.Cursor, entity: str, entity_id: str) -> Record | None:
    """One record, or its tombstone."""
    row = cursor.execute(_RECORD, (entity, entity_id)).fetchone()
    return None if row is None else record_of(row)


def read_client(cursor: apsw.Cursor, client_id: str) -> ClientRow | None:
    """What is kept of a client, by its id."""
    row = cursor.execute(_CLIENT, (client_id,)).fetchone()
    return None if row is None else client_of(row)


def read_history(
    cursor: apsw.Cursor,
    entity: str,
    entity_id: str | None,
    after: HistoryPosition,
    until: int | None,
    limit: int,
) -> HistoryPage[HistoryEntry]:
    """Read one page of commits and lost writes, oldest first."""
    rows = cursor.execute(_HISTORY, (entity, *after, entity_id, until, limit))
    return cut_history(((row[0], entry_of(row[1:])) for row in rows), after)


def read_commits(
    cursor: apsw.Cursor,
    newest: Record,
    start: int | None,
    before: int | None,
    until: int | None,
    limit: int,
) -> CommitPage:
    """Read one page of the commits of a record, newest first."""

    def find(version: int) -> HistoryEntry | None:
        row = cursor.execute(_COMMIT, (newest.entity, version)).fetchone()
        if row is None or row[1] != newest.entity_id:
            return None
        entry = entry_of(row)
        return None if entry.lost else entry

    return walk(find, steps_back(newest, start=start, before=before, until=until, limit=limit))


def read_subjects(cursor: apsw.Cursor, client_ids: Iterable[str]) -> Mapping[str, str]:
    """Whose these clients are."""
    return dict(_each(cursor, _SUBJECT, ((each,) for each in client_ids)))


def read_head(cursor: apsw.Cursor, entity: str) -> Head:
    """Read the head of one entity; that of an empty log if it was never written."""
    row = cursor.execute(_HEAD, (entity,)).fetchone()
    return Head() if row is None else Head(*row)


def _each(
    cursor: apsw.Cursor, statement: str, keys: Iterable[tuple[str | int, ...]]
) -> Iterator[Row]:
    """Find the row of each key that has one. `statement` finds at most one row by key."""
    return iter(cursor.executemany(statement, keys))
