"""What one of several nodes does for all of them: who that is, and how far it is. As SQL.

Knows the tables. Must not know what is done: every function takes a session.

Who leads has a lease, by the clock of the database, and renews it. A node that is frozen or cut off
loses it; what it does when it wakes up, somebody else may have done meanwhile. So what is done has
to bear that: hooks are called at least once.

`told` has for each entity up to which version hooks have been called, and `meta` when they were
last ready to be. An entity without a row was never told of: it begins with what was committed since
then; or, where hooks never were, with what comes.
"""

from __future__ import annotations

from collections.abc import Collection

from rhtmx_server.stores.postgres.session import Session

__all__ = ["begin_telling", "count_nodes", "is_led", "lead", "note_told", "resign"]

_NOW = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
_LEAD = f"""
    INSERT INTO rhtmx.meta VALUES ('leader', $1 || ' ' || ({_NOW} + $2)::text)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value
    WHERE split_part(meta.value, ' ', 1) = $1
      OR split_part(meta.value, ' ', 2)::bigint < {_NOW}"""  # noqa: S608 (of constants)
_HERE = f"""
    WITH gone AS (DELETE FROM rhtmx.nodes WHERE seen < {_NOW} - $2)
    INSERT INTO rhtmx.nodes VALUES ($1, {_NOW})
    ON CONFLICT (node) DO UPDATE SET seen = excluded.seen"""  # noqa: S608 (of constants)
_IS_LED = f"""
    SELECT EXISTS (
      SELECT FROM rhtmx.meta WHERE key = 'leader' AND split_part(value, ' ', 2)::bigint > {_NOW}
    )"""  # noqa: S608 (of constants)
_RESIGN = "DELETE FROM rhtmx.meta WHERE key = 'leader' AND split_part(value, ' ', 1) = $1"
_BEGIN = """
    INSERT INTO rhtmx.told
    SELECT entity, coalesce((
      SELECT max(upto) FROM rhtmx.log WHERE log.entity = entities.entity AND time <= coalesce(
        (SELECT value::bigint FROM rhtmx.meta WHERE key = 'told'), 9223372036854775807)
    ), 0) FROM rhtmx.entities WHERE $1::text[] IS NULL OR entity = ANY($1)
    ON CONFLICT DO NOTHING"""
_NOTE_TIME = f"""
    INSERT INTO rhtmx.meta VALUES ('told', ({_NOW})::text)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value"""  # noqa: S608 (of constants)
_NOTE = """
    INSERT INTO rhtmx.told SELECT $1, $2
    WHERE EXISTS (SELECT FROM rhtmx.meta WHERE key = 'epoch' AND value = $3)
    ON CONFLICT (entity) DO UPDATE SET upto = greatest(told.upto, excluded.upto)"""


async def lead(session: Session, name: str, micros: int) -> bool:
    """Lead for so long, unless somebody else does; whether this is so."""
    return await session.run(_LEAD, name, micros) == 1


async def count_nodes(session: Session, name: str, micros: int) -> int:
    """How many nodes have shown themselves within that time, this one among them."""
    await session.run(_HERE, name, micros)
    return int(await session.value("SELECT count(*) FROM rhtmx.nodes"))


async def is_led(session: Session) -> bool:
    """Whether some node leads: then there is one."""
    return bool(await session.value(_IS_LED))


async def resign(session: Session, name: str) -> None:
    """Lead no more, and be there no more."""
    await session.run(_RESIGN, name)
    await session.run("DELETE FROM rhtmx.nodes WHERE node = $1", name)


async def begin_telling(session: Session, entities: Collection[str] | None) -> dict[str, int]:
    """Up to which version hooks have been told of each entity; and note that they are ready now."""
    await session.run(_BEGIN, None if entities is None else list(entities))
    await session.run(_NOTE_TIME)
    return dict(await session.rows("SELECT * FROM rhtmx.told"))


async def note_told(session: Session, entity: str, version: int, epoch: str) -> None:
    """Note up to which version of an entity hooks have been told; of another epoch, nothing."""
    await session.run(_NOTE, entity, version, epoch)
