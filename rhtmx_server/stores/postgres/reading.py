"""What is read for others than a batch, as SQL.

Knows the tables. Must not know connections: every function takes a session.

Pages are cut by the database to about what may be told at once, so that a page of large records
does not cross the network in vain.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from rhtmx_server.log_body import unpack, unpack_one
from rhtmx_server.model import (
    ClientRow,
    CommittedBatch,
    Head,
    HistoryEntry,
    LogRow,
    Record,
)
from rhtmx_server.record_page import HistoryPage, HistoryPosition
from rhtmx_server.stores.paging import BATCH_BYTES, PAGE_BYTES, cut, cut_history
from rhtmx_server.stores.postgres.session import Session
from rhtmx_server.stores.rows import client_of, plain_records_of, record_of

__all__ = [
    "count_clients",
    "read_client",
    "read_commit",
    "read_heads",
    "read_heads_of",
    "read_history",
    "read_log",
    "read_record",
    "read_since",
    "read_subjects",
]

_HEADS = """
    SELECT entity, upto, floor FROM rhtmx.entities CROSS JOIN LATERAL (
      SELECT upto FROM rhtmx.log WHERE log.entity = entities.entity ORDER BY base DESC LIMIT 1
    ) AS newest
    WHERE $1::text IS NULL OR entity = $1"""
_HEADS_OF = """
    SELECT entity, upto, coalesce(floor, 0)
    FROM unnest($1::text[]) AS each(entity) LEFT JOIN rhtmx.entities USING (entity)
      CROSS JOIN LATERAL (
        SELECT upto FROM rhtmx.log WHERE log.entity = each.entity ORDER BY base DESC LIMIT 1
      ) AS newest"""
_MOST_ROWS = 500
"""Rows of the log that are read at most: beyond that it takes less to read the records."""
_LOG = """
    SELECT entity, base, upto, batch, CASE WHEN weight <= $4 THEN body END FROM (
      SELECT log.*, sum(octet_length(body)) OVER (ORDER BY log.time, log.entity, log.base) AS weight
      FROM unnest($1::text[], $2::bigint[]) AS each(entity, position) CROSS JOIN LATERAL (
        SELECT * FROM rhtmx.log
        WHERE log.entity = each.entity AND log.base >= each.position ORDER BY base LIMIT $3
      ) AS log
    ) AS rows
    ORDER BY time, entity, base LIMIT $3"""
_SINCE = """
    SELECT {} FROM (
      SELECT *, sum(coalesce(octet_length(data), 0)) OVER (ORDER BY version)
        - coalesce(octet_length(data), 0) AS before
      FROM (
        SELECT * FROM rhtmx.records
        WHERE entity = $1 AND version > $2 AND version <= $3 AND version > 0
        ORDER BY version LIMIT $4
      ) AS page
    ) AS weighed
    WHERE before <= $5 ORDER BY version"""
_SINCE_ALL = _SINCE.format(
    "entity, entity_id, version, action, data, client_id, time, clocks, entered, NULL"
)
_SINCE_PLAIN = _SINCE.format("entity_id, version, action, data, client_id, time")
_RECORD = """
    SELECT entity, entity_id, version, action, data, client_id, time, clocks, entered, hidden
    FROM rhtmx.records WHERE entity = $1 AND entity_id = $2"""
_CLIENT = """
    SELECT client_id, subject, last_seq, seen, secret FROM rhtmx.clients WHERE client_id = $1"""
_SUBJECTS = """
    SELECT client_id, subject FROM rhtmx.clients
    WHERE client_id = ANY($1::text[]) AND subject <> ''"""
_BODIES = """
    SELECT upto, body FROM (
      SELECT base, upto, body,
        sum(octet_length(body)) OVER (ORDER BY base) - octet_length(body) AS before
      FROM (
        SELECT base, upto, body FROM rhtmx.log
        WHERE entity = $1 AND upto > $2 AND body IS NOT NULL AND base >= coalesce((
          SELECT base FROM rhtmx.log WHERE entity = $1 AND base <= $2 ORDER BY base DESC LIMIT 1
        ), 0)
        ORDER BY base LIMIT 100
      ) AS rows
    ) AS weighed
    WHERE before <= $3 ORDER BY base"""
_LOST = """
    SELECT version, id, body FROM rhtmx.lost
    WHERE entity = $1 AND (version, id) > ($2, $3) AND version <= $4
      AND ($5::text IS NULL OR entity_id = $5) AND ($6::bigint IS NULL OR time <= $6)
    ORDER BY version, id LIMIT $7"""
_BODY_AT = """
    SELECT body FROM rhtmx.log
    WHERE entity = $1 AND base < $2 AND upto >= $2 ORDER BY base DESC LIMIT 1"""


async def read_heads(session: Session, entity: str | None = None) -> dict[str, Head]:
    """The heads of all entities that were ever written, or of one of them."""
    return {name: Head(*head) for name, *head in await session.rows(_HEADS, entity)}


async def read_heads_of(session: Session, entities: Collection[str]) -> dict[str, Head]:
    """The heads of some entities; one that was never written has none."""
    return {name: Head(*head) for name, *head in await session.rows(_HEADS_OF, list(entities))}


async def read_log(
    session: Session, positions: Mapping[str, int]
) -> Sequence[CommittedBatch] | None:
    """What was committed in some entities after a version; `None` if it is too much, or gone."""
    asked = list(positions), list(positions.values()), _MOST_ROWS, BATCH_BYTES
    rows = await session.rows(_LOG, *asked)
    begins = {entity: base for entity, base, *_ in reversed(rows)}
    forgotten = any(base > positions[entity] for entity, base in begins.items())
    if forgotten or len(rows) == _MOST_ROWS:
        return None
    batches: dict[UUID, list[LogRow]] = {}
    bodiless: set[UUID] = set()
    for entity, base, upto, batch, body in rows:
        batches.setdefault(batch, []).append(LogRow(entity, base, upto, body))
        if body is None:
            bodiless.add(batch)
    # A part of a batch is not told: nobody would know what of a transaction is missing.
    for batch in bodiless:
        batches[batch] = [LogRow(each.entity, each.base, each.upto) for each in batches[batch]]
    return list(batches.values())


async def read_since(
    session: Session, entity: str, after: int, upto: int, limit: int, *, clocks: bool
) -> list[Record]:
    """One page of records, in version order."""
    asked = (entity, after, upto, limit, PAGE_BYTES)
    if clocks:
        return cut(map(record_of, await session.rows(_SINCE_ALL, *asked)))
    return cut(plain_records_of(entity, await session.rows(_SINCE_PLAIN, *asked)))


async def read_record(session: Session, entity: str, entity_id: str) -> Record | None:
    """One record, or its tombstone."""
    row = await session.row(_RECORD, entity, entity_id)
    return None if row is None else record_of(row)


async def read_client(session: Session, client_id: str) -> ClientRow | None:
    """What is kept of a client, by its id."""
    row = await session.row(_CLIENT, client_id)
    return None if row is None else client_of(row)


async def count_clients(session: Session) -> int:
    """How many clients are known."""
    return int(await session.value("SELECT count(*) FROM rhtmx.clients"))


async def read_subjects(session: Session, client_ids: Collection[str]) -> Mapping[str, str]:
    """Whose these clients are."""
    rows = await session.rows(_SUBJECTS, list(client_ids))
    return {row[0]: row[1] for row in rows}


async def read_commit(session: Session, newest: Record, version: int) -> HistoryEntry | None:
    """The commit of a record that has a version; `None` if it is not kept, or none of its."""
    body = await session.value(_BODY_AT, newest.entity, version)
    entries = [] if body is None else unpack(newest.entity, body)
    entry = next((each for each in entries if each.record.version == version), None)
    return entry if entry is not None and entry.record.entity_id == newest.entity_id else None


async def read_history(
    session: Session,
    entity: str,
    entity_id: str | None,
    after: HistoryPosition,
    until: int | None,
    limit: int,
) -> HistoryPage[HistoryEntry]:
    """Read one page of commits and lost writes, oldest first.

    In more than one statement: what is written never changes, and is forgotten from the beginning.
    """
    found: list[tuple[int, HistoryEntry]] = []
    position, read = after, after.version
    while len(found) < limit:
        bodies = await session.rows(_BODIES, entity, read, BATCH_BYTES)
        upto = bodies[-1][0] if bodies else _LAST
        for _, body in bodies:
            found += (
                (0, each)
                for each in unpack(entity, body)
                if each.record.version > read
                and entity_id in (None, each.record.entity_id)
                and (until is None or each.record.time <= until)
            )
        lost = await session.rows(_LOST, entity, *position, upto, entity_id, until, limit)
        found += ((id_, unpack_one(entity, body)) for _, id_, body in lost)
        if not bodies:
            break
        position, read = HistoryPosition(upto, _LAST), upto
    found.sort(key=lambda each: (each[1].record.version, each[0]))
    return cut_history(found[:limit], after)


_LAST = 2**63 - 1
