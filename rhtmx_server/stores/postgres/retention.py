"""Forgetting what is old, a chunk at a time, as SQL.

Knows the tables. Must not know when something is old: every function takes a session and a time.

Each step is one statement, so that whoever is told of a floor is told of what is gone with it.
Somebody may write a row while it is being forgotten: what makes it old is asked once more of the
row as it is then.
"""

from __future__ import annotations

from rhtmx_server.horizon import StoredTimes
from rhtmx_server.stores.postgres.session import Session

__all__ = [
    "CHUNK",
    "forget_answers",
    "forget_clients",
    "forget_departures",
    "forget_history",
    "forget_tombstones",
    "note_horizon",
    "read_kept",
]

CHUNK = 1000
"""Rows that one step forgets at most."""

_KEPT = """
    SELECT (SELECT value::bigint FROM rhtmx.meta WHERE key = 'horizon'),
      least((SELECT min(time) FROM rhtmx.log WHERE body IS NOT NULL),
            (SELECT min(time) FROM rhtmx.lost)),
      least((SELECT min(time) FROM rhtmx.records WHERE action = 3),
            (SELECT min(time) FROM rhtmx.members WHERE gone),
            (SELECT min(seen) FROM rhtmx.clients))"""
_NOTE_HORIZON = """
    INSERT INTO rhtmx.meta VALUES ('horizon', $1)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value"""
# The newest row of an entity says where it ends: of that one only the body goes.
_FORGET_BODIES = """
    WITH old AS (
      SELECT entity, base FROM rhtmx.log
      WHERE body IS NOT NULL AND time < $1 ORDER BY time LIMIT $2
    ),
    newest AS (
      SELECT old.entity, (
        SELECT max(base) FROM rhtmx.log WHERE log.entity = old.entity
      ) AS base FROM old GROUP BY old.entity
    ),
    emptied AS (
      UPDATE rhtmx.log SET body = NULL FROM old JOIN newest USING (entity, base)
      WHERE log.entity = old.entity AND log.base = old.base RETURNING 1
    ),
    gone AS (
      DELETE FROM rhtmx.log USING old JOIN newest USING (entity)
      WHERE log.entity = old.entity AND log.base = old.base AND old.base < newest.base RETURNING 1
    )
    SELECT (SELECT count(*) FROM emptied) + (SELECT count(*) FROM gone)"""
_FORGET_EMPTIED = """
    DELETE FROM rhtmx.log WHERE body IS NULL
      AND base < (SELECT max(base) FROM rhtmx.log AS newer WHERE newer.entity = log.entity)"""
_FORGET_LOST = """
    WITH old AS (
      SELECT entity, version, id FROM rhtmx.lost WHERE time < $1 ORDER BY time LIMIT $2
    ),
    gone AS (
      DELETE FROM rhtmx.lost USING old
      WHERE lost.entity = old.entity AND lost.version = old.version AND lost.id = old.id RETURNING 1
    )
    SELECT count(*) FROM gone"""
_RAISING = """raised AS (
      UPDATE rhtmx.entities SET floor = greatest(floor, highest.version)
      FROM (SELECT entity, max(version) AS version FROM gone GROUP BY entity) AS highest
      WHERE entities.entity = highest.entity
    )
    SELECT count(*) FROM gone"""
_FORGET_TOMBSTONES = (
    """
    WITH old AS (
      SELECT entity, entity_id FROM rhtmx.records
      WHERE action = 3 AND time < $1 ORDER BY time LIMIT $2
    ),
    gone AS (
      DELETE FROM rhtmx.records AS r USING old
      WHERE r.entity = old.entity AND r.entity_id = old.entity_id AND r.action = 3 AND r.time < $1
      RETURNING r.entity, r.version
    ),
    """  # noqa: S608 (of constants)
    + _RAISING
)
_FORGET_DEPARTURES = (
    """
    WITH old AS (
      SELECT entity, part, entity_id FROM rhtmx.members
      WHERE gone AND time < $1 ORDER BY time LIMIT $2
    ),
    gone AS (
      DELETE FROM rhtmx.members AS m USING old
      WHERE m.entity = old.entity AND m.part = old.part AND m.entity_id = old.entity_id
        AND m.gone AND m.time < $1
      RETURNING m.entity, m.version
    ),
    """  # noqa: S608 (of constants)
    + _RAISING
)
_FORGET_CLIENTS = """
    WITH old AS (SELECT client_id FROM rhtmx.clients WHERE seen < $1 LIMIT $2),
    gone AS (
      DELETE FROM rhtmx.clients AS c USING old
      WHERE c.client_id = old.client_id AND c.seen < $1 RETURNING c.client_id
    ),
    answers AS (
      DELETE FROM rhtmx.outcomes AS o USING gone WHERE o.client_id = gone.client_id
    )
    SELECT count(*) FROM gone"""
_FORGET_ANSWERS = """
    WITH old AS (
      SELECT o.client_id, o.seq FROM rhtmx.clients AS c JOIN rhtmx.outcomes AS o
        ON o.client_id = c.client_id AND o.seq <= c.last_seq - $1
      WHERE NOT o.rejected LIMIT $2
    ),
    gone AS (
      DELETE FROM rhtmx.outcomes AS o USING old
      WHERE o.client_id = old.client_id AND o.seq = old.seq RETURNING 1
    )
    SELECT count(*) FROM gone"""


async def read_kept(session: Session) -> StoredTimes:
    """Read the horizon, and the times of the oldest rows that may go."""
    row = await session.row(_KEPT)
    assert row is not None
    return StoredTimes(*row)


async def note_horizon(session: Session, horizon: int) -> None:
    """Remember up to when old rows were judged."""
    await session.run(_NOTE_HORIZON, str(horizon))


async def forget_history(session: Session, before: int) -> int:
    """Take the oldest commits and lost writes away; returns how many rows at most of a kind."""
    bodies: int = await session.value(_FORGET_BODIES, before, CHUNK)
    if bodies < CHUNK:
        await session.run(_FORGET_EMPTIED)
    lost: int = await session.value(_FORGET_LOST, before, CHUNK)
    return max(bodies, lost)


async def forget_tombstones(session: Session, before: int) -> int:
    """One step through the tombstones; raises the floors with it."""
    return int(await session.value(_FORGET_TOMBSTONES, before, CHUNK))


async def forget_departures(session: Session, before: int) -> int:
    """One step through the departures; raises the floors with it."""
    return int(await session.value(_FORGET_DEPARTURES, before, CHUNK))


async def forget_clients(session: Session, before: int) -> int:
    """One step through the clients; their outcomes go with them."""
    return int(await session.value(_FORGET_CLIENTS, before, CHUNK))


async def forget_answers(session: Session, keep: int) -> int:
    """One step through the accepted outcomes that lie far behind their client's last one."""
    return int(await session.value(_FORGET_ANSWERS, keep, CHUNK))
