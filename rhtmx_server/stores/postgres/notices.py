"""What nodes tell each other of subjects, as SQL.

Knows the table. Must not know what a notice is for: every function takes a session.

A row that was begun earlier may be there later than one with a higher number: so a node looks
back a little, and remembers which it has seen.
"""

from __future__ import annotations

from rhtmx_server.stores.postgres.session import Session

__all__ = ["note", "read_notices"]

_KEPT = 24 * 3600 * 1_000_000
"""Microseconds for which a notice is kept: a node that was away for longer has no connections."""

_BACK = 60 * 1_000_000
"""Microseconds by which a node looks back."""

_NOW = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
_NOTE = f"""
    WITH old AS (DELETE FROM rhtmx.notices WHERE time < {_NOW} - $4)
    INSERT INTO rhtmx.notices(node, subject, ends, time) VALUES ($1, $2, $3, {_NOW})
    """  # noqa: S608 (of constants)
_READ = f"""
    SELECT {_NOW}, id, node, subject, ends
    FROM (SELECT 1) AS one LEFT JOIN rhtmx.notices ON time > $1 ORDER BY id
    """  # noqa: S608 (of constants)


async def note(session: Session, node: str, subject: str, *, ends: bool) -> None:
    """Note something for all nodes, and forget what is old."""
    await session.run(_NOTE, node, subject, ends, _KEPT)


async def read_notices(
    session: Session, since: int
) -> tuple[int, list[tuple[int, str, str, bool]]]:
    """What was noted since a time, or a little before.

    Args:
        session: with the database.
        since: what this has returned the last time; 0 at first.

    Returns:
        The time now, and number, node, subject and kind of each notice.
    """
    rows = await session.rows(_READ, max(0, since - _BACK))
    return rows[0][0], [row[1:] for row in rows if row[1] is not None]
