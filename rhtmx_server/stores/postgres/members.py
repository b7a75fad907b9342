"""The parts of divided entities, as SQL: who is in them, and who has left.

Knows the tables. Must not know fields and values, nor connections: every function takes a session.

`members` has one row for each record in each part that it is in, or has left.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from rhtmx_server.model import Departure, Record
from rhtmx_server.stores.paging import PAGE_BYTES, cut
from rhtmx_server.stores.postgres.retention import CHUNK
from rhtmx_server.stores.postgres.session import Session
from rhtmx_server.stores.rows import Row, record_of

__all__ = [
    "begin_dividing",
    "declared_of",
    "divide_some",
    "divided_entities",
    "end_dividing",
    "forget_some",
    "read_in",
]

_MOST_ROWS = 5000
"""Rows that are looked at for one page. Of many parts only the first few of each are, and the page
ends where one of them may have more."""

# Of a record that left several parts only the last time counts, and none while it is in another
# one: the rest is left out before the rows are counted, as a page that is not the last has some.
_IN = """
    WITH rows AS (
      SELECT m.*, count(*) OVER each AS number, max(m.version) OVER each AS last
      FROM unnest($2::text[]) AS p(part) CROSS JOIN LATERAL (
        SELECT entity, version, part, entity_id, time, gone FROM rhtmx.members AS x
        WHERE x.entity = $1 AND x.part = p.part AND x.version > $3 AND x.version <= $4
          AND x.version > 0
          AND NOT (x.gone AND EXISTS (
            SELECT FROM rhtmx.members AS o
            WHERE o.entity = $1 AND o.entity_id = x.entity_id AND o.part = ANY($2::text[])
              AND (NOT o.gone OR o.version > x.version)))
        ORDER BY x.version LIMIT $6
      ) AS m
      WINDOW each AS (PARTITION BY m.part)
    ),
    page AS (
      SELECT DISTINCT ON (version) entity, version, entity_id, time, gone FROM rows
      WHERE version <= coalesce((SELECT min(last) FROM rows WHERE number = $6), version)
      ORDER BY version LIMIT $5
    ),
    weighed AS (  -- the entity of the page: by a constant all of it may be read, and filtered
      SELECT page.version AS at, page.entity_id AS id, page.time AS left_at, r.*,
        sum(coalesce(octet_length(data), 0)) OVER (ORDER BY page.version)
          - coalesce(octet_length(data), 0) AS before
      FROM page LEFT JOIN rhtmx.records AS r ON r.entity = page.entity
        AND r.entity_id = page.entity_id AND r.version = page.version
        AND page.gone = (r.action = 3)
    )
    SELECT at, id, left_at, entity, entity_id, version, action, data, client_id, time,
      CASE WHEN $8 THEN clocks END, entered, NULL
    FROM weighed WHERE before <= $7 ORDER BY at"""

_DECLARED = "SELECT divided FROM rhtmx.entities WHERE entity = $1"
_DIVIDED = "SELECT entity FROM rhtmx.entities WHERE divided IS NOT NULL"
_BEGIN = """
    INSERT INTO rhtmx.entities(entity, divided) VALUES ($1, '?' || $2::text)
    ON CONFLICT (entity) DO UPDATE SET divided = excluded.divided"""
_FORGET_SOME = """
    WITH few AS (
      SELECT part, entity_id FROM rhtmx.members WHERE entity = $1 AND version > 0 LIMIT $2
    )
    DELETE FROM rhtmx.members USING few WHERE members.entity = $1
      AND members.part = few.part AND members.entity_id = few.entity_id"""
_UNDIVIDED = """
    SELECT entity_id, version, time, data FROM rhtmx.records
    WHERE entity = $1 AND version > $2 AND version > 0 AND action <> 3 ORDER BY version LIMIT $3"""
# Who writes a record meanwhile says where it is, and is right.
_ENTER = """
    INSERT INTO rhtmx.members(entity, part, entity_id, version, time, gone)
    SELECT $1, n.*, false FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[]) AS n
    ON CONFLICT DO NOTHING"""
_END = """
    UPDATE rhtmx.entities SET divided = '=' || $2::text, floor = coalesce((
      SELECT upto FROM rhtmx.log WHERE log.entity = $1 ORDER BY base DESC LIMIT 1
    ), 0)
    WHERE entity = $1"""
_END_WHOLE = "UPDATE rhtmx.entities SET divided = NULL WHERE entity = $1"


async def read_in(
    session: Session,
    entity: str,
    parts: Collection[str],
    after: int,
    upto: int,
    limit: int,
    *,
    clocks: bool,
) -> list[Record | Departure]:
    """One page of what happened to some parts of an entity, in version order."""
    each = limit if limit * len(parts) <= _MOST_ROWS else max(2, _MOST_ROWS // len(parts))
    asked = (entity, list(set(parts)), after, upto, limit, min(limit, each), PAGE_BYTES, clocks)
    return cut(_happened(entity, row) for row in await session.rows(_IN, *asked))


def _happened(entity: str, row: Row) -> Record | Departure:
    at, entity_id, left_at, *columns = row
    if columns[0] is None:
        return Departure(entity, entity_id, at, left_at)
    return record_of(tuple(columns))


async def divided_entities(session: Session) -> set[str]:
    """The entities that are divided, or are being."""
    return {row[0] for row in await session.rows(_DIVIDED)}


async def declared_of(session: Session, entity: str) -> str | None:
    """How an entity is divided; empty for not at all, `None` if that was never finished."""
    value: str | None = await session.value(_DECLARED, entity)
    if value is None:
        return ""
    return value[1:] if value.startswith("=") else None


async def begin_dividing(session: Session, entity: str, declared: str) -> None:
    """Note that the parts of an entity are not yet what was declared."""
    await session.run(_BEGIN, entity, declared)


async def end_dividing(session: Session, entity: str, declared: str) -> None:
    """Note that the parts of an entity are what was declared."""
    if declared:
        await session.run(_END, entity, declared)
    else:
        await session.run(_END_WHOLE, entity)


async def forget_some(session: Session, entity: str) -> bool:
    """Forget members of an entity, `CHUNK` at most; returns whether there may be more."""
    return await session.run(_FORGET_SOME, entity, CHUNK) == CHUNK


async def divide_some(
    session: Session,
    entity: str,
    after: int,
    parts_of: Callable[[bytes | None], Collection[str]],
) -> int | None:
    """Find the parts of some records of an entity, in version order.

    Args:
        session: with the database.
        entity: the collection.
        after: the version of the last one that was done; 0 to begin.
        parts_of: the parts of a record, by its data.

    Returns:
        The version of the last one that is done now; `None` when all of them are.
    """
    rows = await session.rows(_UNDIVIDED, entity, after, CHUNK)
    members = [
        (part, entity_id, version, time)
        for entity_id, version, time, data in rows
        for part in parts_of(data)
    ]
    if members:
        await session.run(_ENTER, entity, *zip(*members, strict=True))
    return rows[-1][1] if len(rows) == CHUNK else None
