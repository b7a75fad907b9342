"""All that a schema of a PostgreSQL database holds, for a copy from it or into it.

Knows the tables. Must not know what a copy consists of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from uuid import UUID, uuid4

from rhtmx_server.log_body import pack
from rhtmx_server.model import ClientRow, Head, HistoryEntry, Outcome, PartRow, Record
from rhtmx_server.ports import BatchWrites
from rhtmx_server.stores.moving import StoreFacts
from rhtmx_server.stores.paging import BATCH_BYTES
from rhtmx_server.stores.postgres import reading, retention, tables, writing
from rhtmx_server.stores.postgres.session import Session
from rhtmx_server.stores.postgres.store import PostgresStore
from rhtmx_server.stores.rows import Row, client_of, outcome_of, record_of

__all__ = ["PostgresMover"]

_RECORDS = """
    SELECT entity, entity_id, version, action, data, client_id, time, clocks, entered, hidden
    FROM (
      SELECT *, sum(weight) OVER (ORDER BY version) - weight AS before
      FROM (
        SELECT *, coalesce(octet_length(data), 0) + coalesce(octet_length(clocks), 0)
          + coalesce(octet_length(hidden), 0) AS weight
        FROM rhtmx.records
        WHERE entity = $1 AND version > $2 AND version > 0 ORDER BY version LIMIT $3
      ) AS page
    ) AS weighed
    WHERE before <= $4 ORDER BY version"""
_PARTS = """
    SELECT part, entity_id, version, time, gone FROM rhtmx.members
    WHERE entity = $1 AND (part, version) > ($2, $3) AND version > 0
    ORDER BY part, version LIMIT $4"""
_CLIENTS = """
    SELECT client_id, subject, last_seq, seen, secret FROM rhtmx.clients
    WHERE client_id > $1 ORDER BY client_id LIMIT $2"""
_OUTCOMES = """
    SELECT client_id, seq, digest, reply, rejected FROM rhtmx.outcomes
    WHERE (client_id, seq) > ($1, $2) ORDER BY client_id, seq LIMIT $3"""
# One that is being divided is to be divided anew: empty, as the other stores say it.
_DIVIDED = """
    SELECT entity, CASE WHEN divided LIKE '=%' THEN divided ELSE '' END FROM rhtmx.entities
    WHERE divided IS NOT NULL"""
_SET_ENTITIES = """
    INSERT INTO rhtmx.entities(entity, floor, divided)
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[])
    ON CONFLICT (entity) DO UPDATE SET floor = excluded.floor, divided = excluded.divided"""
# The history may end before the log does, where the newest entries are not kept.
_SET_ENDS = """
    INSERT INTO rhtmx.log(entity, base, upto, batch, time)
    SELECT n.entity, coalesce(newest.upto, 0), n.upto, $3, 0
    FROM unnest($1::text[], $2::bigint[]) AS n(entity, upto) LEFT JOIN LATERAL (
      SELECT upto FROM rhtmx.log WHERE log.entity = n.entity ORDER BY base DESC LIMIT 1
    ) AS newest ON true
    WHERE coalesce(newest.upto, 0) < n.upto"""
_ADD_ENTITY = "INSERT INTO rhtmx.entities(entity) VALUES ($1) ON CONFLICT DO NOTHING"
# As many as there were batches, or nearly: a row is forgotten by its time.
_ADD_ROWS = """
    INSERT INTO rhtmx.log(entity, base, upto, batch, time, body)
    SELECT * FROM unnest(
      $1::text[], $2::bigint[], $3::bigint[], $4::uuid[], $5::bigint[], $6::bytea[])"""
_NOBODY = UUID(int=0)


class PostgresMover:
    """See `Mover`.

    Args:
        store: open.
        new_batch: makes the name of a batch, never the same twice.
    """

    def __init__(self, store: PostgresStore, new_batch: Callable[[], UUID] = uuid4) -> None:
        self.store = store
        self._new_batch = new_batch

    async def facts(self) -> StoreFacts:
        """Read what it knows besides its rows."""

        async def read(session: Session) -> StoreFacts:
            return StoreFacts(
                self.store.epoch,
                (await retention.read_kept(session)).horizon,
                await reading.read_heads(session),
                dict(await session.rows(_DIVIDED)),
            )

        return await self.store.query(read)

    async def adopt(self, facts: StoreFacts) -> None:
        """Know what another store knew, and be it: takes the note away."""

        async def write(session: Session) -> None:
            names = sorted({*facts.heads, *facts.divided})
            floors = [facts.heads[name].floor if name in facts.heads else 0 for name in names]
            divided = [facts.divided.get(name) for name in names]
            async with session.transaction():
                await session.run(_SET_ENTITIES, names, floors, divided)
                ends = {name: head.version for name, head in facts.heads.items()}
                await session.run(_SET_ENDS, list(ends), list(ends.values()), _NOBODY)
                if facts.horizon is not None:
                    await retention.note_horizon(session, facts.horizon)
                await tables.write_epoch(session, facts.epoch)
                await tables.forget(session, tables.COPY_NOTE)

        await self.store.query(write)

    async def noted(self) -> str | None:
        """Read the note of a copy that is under way; `None` for none."""
        return await self.store.query(tables.read_copy_note)

    async def note(self, text: str) -> None:
        """Keep a note of a copy that is under way."""
        await self.store.query(lambda session: tables.write_meta(session, tables.COPY_NOTE, text))

    async def take_history(self, entity: str, entries: Sequence[HistoryEntry]) -> None:
        """Add entries to the history of an entity, all of each version, which ends there then."""
        lost = BatchWrites(history=[each for each in entries if each.lost])

        async def write(session: Session) -> None:
            async with session.transaction():
                base = (await reading.read_heads(session, entity)).get(entity, Head()).version
                rows: list[tuple[object, ...]] = []
                batch = self._new_batch()
                for time, group in groupby(entries, lambda each: each.record.time):
                    commits = [each for each in group if not each.lost]
                    if commits:
                        upto = commits[-1].record.version
                        rows.append((entity, base, upto, batch, time, pack(commits)))
                        base = upto
                # Of the last ones there may be nothing but what lost. It ends there all the same:
                # by that a copy that goes on knows what is there.
                last = entries[-1].record
                if base < last.version:
                    rows.append((entity, base, last.version, batch, last.time, None))
                await session.run(_ADD_ENTITY, entity)
                await session.run(_ADD_ROWS, *zip(*rows, strict=True))
                asked = writing.arguments(batch, None, lost, {}, {})
                await session.run(writing.PUT, *asked)

        await self.store.query(write)

    async def records(self, entity: str, after: int, limit: int) -> list[Record]:
        """At most `limit` records after a version, with all that is kept of them."""
        return [
            record_of(row) for row in await self._rows(_RECORDS, entity, after, limit, BATCH_BYTES)
        ]

    async def parts(self, entity: str, after: tuple[str, int], limit: int) -> list[PartRow]:
        """At most `limit` rows of parts after a part and a version."""
        return [PartRow(entity, *row) for row in await self._rows(_PARTS, entity, *after, limit)]

    async def clients(self, after: str, limit: int) -> list[ClientRow]:
        """At most `limit` clients after an id."""
        return [client_of(row) for row in await self._rows(_CLIENTS, after, limit)]

    async def outcomes(self, after: tuple[str, int], limit: int) -> list[Outcome]:
        """At most `limit` outcomes after the id of a client and a number."""
        return [outcome_of(row) for row in await self._rows(_OUTCOMES, *after, limit)]

    async def _rows(self, statement: str, *values: object) -> list[Row]:
        return await self.store.query(lambda session: session.rows(statement, *values))
