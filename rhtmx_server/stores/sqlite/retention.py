"""Taking away what is old, in steps that are short.

Knows the tables and what may be forgotten when. Must not know transactions:
the caller makes one of each step, and lets others in between two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

import apsw

from rhtmx_server.horizon import StoredTimes
from rhtmx_server.stores.rows import Row
from rhtmx_server.stores.sqlite import versions

__all__ = [
    "CHUNK",
    "CollectStep",
    "forget_answers",
    "forget_clients",
    "forget_departures",
    "forget_history",
    "forget_tombstones",
    "note_horizon",
    "read_kept",
]

CHUNK = 500
"""Rows that one step takes away: about a millisecond or two."""

CollectStep: TypeAlias = Callable[[apsw.Cursor, int], int]
"""Forgets at most `CHUNK` things beyond a limit (a time in microseconds, or a number of
answers to keep); returns how many."""


_KEPT = """
    SELECT
      (SELECT value FROM meta WHERE key = 'horizon'),
      (SELECT min(time) FROM history),
      (SELECT min(time) FROM (
        SELECT min(time) AS time FROM records WHERE action = 3
        UNION ALL SELECT min(time) FROM members WHERE time IS NOT NULL
        UNION ALL SELECT min(seen) FROM clients))"""
"""Through indexes but for the clients: one that is written for each of their commits would cost
more than to look through them once an hour."""

_OLD_DEPARTURES = """
    SELECT members.part, version, entity
    FROM members CROSS JOIN parts ON parts.id = members.part
    WHERE time < ? ORDER BY time LIMIT ?"""


def read_kept(cursor: apsw.Cursor) -> StoredTimes:
    """Read the horizon, and the times of the oldest rows that may go."""
    horizon, history, others = cursor.execute(_KEPT).get
    return StoredTimes(None if horizon is None else int(horizon), history, others)


def note_horizon(cursor: apsw.Cursor, horizon: int) -> None:
    """Remember up to when old rows were judged."""
    cursor.execute(
        "INSERT INTO meta VALUES ('horizon', ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        (str(horizon),),
    )


def forget_history(cursor: apsw.Cursor, before: int) -> int:
    """Take the oldest entries away, by the time of their commit."""
    cursor.execute(
        "DELETE FROM history WHERE id IN "
        "(SELECT id FROM history WHERE time < ? ORDER BY time LIMIT ?)",
        (before, CHUNK),
    )
    return cursor.connection.changes()


def forget_tombstones(cursor: apsw.Cursor, before: int) -> int:
    """One step through the tombstones; raises the floors with it."""
    found: list[Row] = cursor.execute(
        "SELECT id, entity, version FROM records "
        "WHERE action = 3 AND time < ? ORDER BY time LIMIT ?",
        (before, CHUNK),
    ).fetchall()
    cursor.executemany("DELETE FROM records WHERE id = ?", [(id_,) for id_, _, _ in found])
    versions.forget(cursor, [(entity, version) for _, entity, version in found])
    _raise_floors(cursor, [(version, entity) for _, entity, version in found])
    return len(found)


def forget_departures(cursor: apsw.Cursor, before: int) -> int:
    """One step through the departures; raises the floors with it."""
    found: list[Row] = cursor.execute(_OLD_DEPARTURES, (before, CHUNK)).fetchall()
    cursor.executemany(
        "DELETE FROM members WHERE part = ? AND version = ?",
        [(part, version) for part, version, _ in found],
    )
    # Nothing else empties a part: whoever leaves it stays behind as a departure.
    cursor.executemany(
        "DELETE FROM parts WHERE id = ?1 AND NOT EXISTS (SELECT * FROM members WHERE part = ?1)",
        {(part,) for part, _, _ in found},
    )
    _raise_floors(cursor, [(version, entity) for _, version, entity in found])
    return len(found)


def _raise_floors(cursor: apsw.Cursor, gone: Iterable[tuple[int, str]]) -> None:
    # In the transaction of the deletes: a floor that was raised later would let a reader miss
    # them.
    cursor.executemany("UPDATE entities SET floor = max(floor, ?) WHERE entity = ?", gone)


def forget_clients(cursor: apsw.Cursor, before: int) -> int:
    """One step through the clients; their outcomes go with them."""
    found = cursor.execute(
        "SELECT id FROM clients WHERE seen < ? LIMIT ?", (before, CHUNK)
    ).fetchall()
    # By hand: foreign keys would be looked up at each write of an outcome.
    cursor.executemany("DELETE FROM outcomes WHERE client = ?", found)
    cursor.executemany("DELETE FROM clients WHERE id = ?", found)
    return len(found)


def forget_answers(cursor: apsw.Cursor, keep: int) -> int:
    """One step through the accepted outcomes that lie far behind their client's last one."""
    cursor.execute(
        "DELETE FROM outcomes WHERE id IN (SELECT outcomes.id FROM clients CROSS JOIN outcomes "
        "ON outcomes.client = clients.id AND outcomes.seq <= clients.last_seq - ? "
        "WHERE NOT outcomes.rejected LIMIT ?)",
        (keep, CHUNK),
    )
    return cursor.connection.changes()
