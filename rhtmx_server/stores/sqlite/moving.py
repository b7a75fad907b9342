"""All that a SQLite file holds, for a copy from it or into it.

Knows the tables. Must not know what a copy consists of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apsw

from rhtmx_server.model import ClientRow, Head, HistoryEntry, Outcome, PartRow, Record
from rhtmx_server.ports import BatchNeeds, BatchWrites
from rhtmx_server.stores.moving import StoreFacts
from rhtmx_server.stores.paging import BATCH_BYTES, cut
from rhtmx_server.stores.rows import client_of, outcome_of, record_of
from rhtmx_server.stores.sqlite import queries, versions
from rhtmx_server.stores.sqlite.store import SqliteStore

__all__ = ["SqliteMover"]

_RECORDS = versions.select(
    "records.entity, entity_id, records.version, action, data, client_id, time, clocks, entered, "
    "hidden"
)
_PARTS = """
    SELECT parts.part, coalesce(members.entity_id, records.entity_id), members.version,
      coalesce(members.time, records.time), members.record IS NULL
    FROM parts CROSS JOIN members ON members.part = parts.id
      LEFT JOIN records ON records.id = members.record
    WHERE parts.entity = ?1 AND parts.part >= ?2 AND (parts.part > ?2 OR members.version > ?3)
    ORDER BY parts.part, members.version LIMIT ?4"""
_CLIENTS = """
    SELECT client_id, subject, last_seq, seen, secret FROM clients
    WHERE client_id > ? ORDER BY client_id LIMIT ?"""
_OUTCOMES = """
    SELECT client_id, seq, digest, reply, rejected
    FROM clients CROSS JOIN outcomes ON outcomes.client = clients.id
    WHERE client_id >= ?1 AND (client_id > ?1 OR seq > ?2) ORDER BY client_id, seq LIMIT ?3"""
_SET = "INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"
_SET_HEAD = """
    INSERT INTO entities(entity, version, floor) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET version = excluded.version, floor = excluded.floor"""
_NOTE = "copy"
_DIVIDED = "divided:"


class SqliteMover:
    """See `Mover`.

    Args:
        store: open.
    """

    def __init__(self, store: SqliteStore) -> None:
        self.store = store

    async def facts(self) -> StoreFacts:
        """Read what it knows besides its rows."""

        def read(cursor: apsw.Cursor) -> StoreFacts:
            meta: dict[str, Any] = dict(cursor.execute("SELECT key, value FROM meta"))
            heads: list[Any] = cursor.execute(
                "SELECT entity, version, floor FROM entities"
            ).fetchall()
            horizon = meta.get("horizon")
            return StoreFacts(
                meta["epoch"],
                None if horizon is None else int(horizon),
                {entity: Head(version, floor) for entity, version, floor in heads},
                {
                    key.removeprefix(_DIVIDED): value
                    for key, value in meta.items()
                    if key.startswith(_DIVIDED)
                },
            )

        return await self.store.query(read)

    async def adopt(self, facts: StoreFacts) -> None:
        """Know what another store knew, and be it: takes the note away."""

        def write(cursor: apsw.Cursor) -> None:
            cursor.executemany(
                _SET_HEAD, [(name, head.version, head.floor) for name, head in facts.heads.items()]
            )
            cursor.executemany(
                _SET, [(_DIVIDED + name, words) for name, words in facts.divided.items()]
            )
            if facts.horizon is not None:
                cursor.execute(_SET, ("horizon", str(facts.horizon)))
            cursor.execute(_SET, ("epoch", facts.epoch))
            cursor.execute("DELETE FROM meta WHERE key = ?", (_NOTE,))

        await self.store.change(write)

    async def noted(self) -> str | None:
        """Read the note of a copy that is under way; `None` for none."""
        return await self.store.query(queries.read_copy_note)

    async def note(self, text: str) -> None:
        """Keep a note of a copy that is under way."""
        await self.store.change(lambda cursor: cursor.execute(_SET, (_NOTE, text)))

    async def take_history(self, entity: str, entries: Sequence[HistoryEntry]) -> None:
        """Add entries to the history of an entity, all of each version, which ends there then."""
        writes = BatchWrites(history=entries, heads={entity: entries[-1].record.version})
        await self.store.commit(BatchNeeds(), lambda _: writes)

    async def records(self, entity: str, after: int, limit: int) -> list[Record]:
        """At most `limit` records after a version, with all that is kept of them."""
        asked = entity, after, limit

        def read(cursor: apsw.Cursor) -> list[Record]:
            return cut(map(record_of, cursor.execute(_RECORDS, asked)), BATCH_BYTES)

        return await self.store.query(read)

    async def parts(self, entity: str, after: tuple[str, int], limit: int) -> list[PartRow]:
        """At most `limit` rows of parts after a part and a version."""
        rows = await self._rows(_PARTS, entity, *after, limit)
        return [
            PartRow(entity, part, entity_id, version, time, bool(left))
            for part, entity_id, version, time, left in rows
        ]

    async def clients(self, after: str, limit: int) -> list[ClientRow]:
        """At most `limit` clients after an id."""
        return [client_of(row) for row in await self._rows(_CLIENTS, after, limit)]

    async def outcomes(self, after: tuple[str, int], limit: int) -> list[Outcome]:
        """At most `limit` outcomes after the id of a client and a number."""
        return [outcome_of(row) for row in await self._rows(_OUTCOMES, *after, limit)]

    async def _rows(self, statement: str, *values: Any) -> list[Any]:
        return await self.store.query(lambda cursor: cursor.execute(statement, values).fetchall())
