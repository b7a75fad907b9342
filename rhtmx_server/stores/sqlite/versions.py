"""Which record is at which version: what pages in version order go by.

Knows the table `versions`. Must not know what is read by it, nor transactions: every function
takes a cursor and works within whatever the caller has begun.

A record has a row there for the version that it has. When it is written again that row is stale:
who reads by the table takes a record only if it has the version that the row says. In an index
that SQLite keeps, the row would be deleted at once: one page more for each update, and with
random records each time another one. So stale rows are deleted later, in the order in which they
lie, where several of them share a page: of a million records that are updated at random, 8 to a
page (`nox -s bench -- growth` measures such updates).

A stale row costs a reader a look at a record. So not more than one row in `PART` is left stale,
and among the last n versions of an entity not more than n / 8, or `_FEW`: whoever has missed few
versions looks at few stale rows, also where the same hundred of a million records are written all
the time (`Stale` says how). Where there may be some, the file says so (`mark`). What a server that
was killed has left behind is found by a walk through the table (`sweep`), once in the life of the
next one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from heapq import heappop, heappush
from itertools import chain
from operator import itemgetter
from typing import Any, Final, TypeAlias

import apsw

__all__ = [
    "BEGINNING",
    "PART",
    "STEP",
    "Stale",
    "StaleRow",
    "VersionKey",
    "forget",
    "is_marked",
    "last_row",
    "mark",
    "put",
    "put_new",
    "select",
    "sweep",
    "unmark",
]

PART = 16
"""One row of so many may be stale."""

BEGINNING: Final = ("", 0)
"""Where a walk through the table begins."""

_FEW = 64
"""So many rows may always be stale."""

_FIRST_TIER = 11
"""Rows that lasted for fewer than two to the power of this many versions are in the first tier."""

STEP = 500
"""Rows that one step of `sweep` looks at: about a millisecond."""

VersionKey: TypeAlias = tuple[str, int]
"""An entity and a version: where a row lies."""

StaleRow: TypeAlias = tuple[str, int, int]
"""An entity, a version, and after how many versions of the entity the record had its next one."""

_PUT = """
    INSERT INTO versions(entity, version, record) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET record = excluded.record"""
_PUT_FOUND = """
    INSERT INTO versions SELECT entity, version, id FROM records WHERE {}
    ON CONFLICT DO UPDATE SET record = excluded.record"""
_PUT_AFTER = _PUT_FOUND.format("id > ?")
_PUT_NAMED = _PUT_FOUND.format("entity = ? AND entity_id = ?")
_FORGET = "DELETE FROM versions WHERE entity = ? AND version = ?"
_LAST = "SELECT max(id) FROM records"
_STEP = """
    SELECT versions.version, records.id IS NULL
    FROM versions LEFT JOIN records ON records.id = versions.record
      AND records.version = versions.version AND records.entity = versions.entity
    WHERE versions.entity = ? AND versions.version > ? ORDER BY versions.version LIMIT ?"""
_MARK = "INSERT OR IGNORE INTO meta VALUES ('stale', '')"
_UNMARK = "DELETE FROM meta WHERE key = 'stale'"
_MARKED = "SELECT count(*) FROM meta WHERE key = 'stale'"
_NEXT = "SELECT entity FROM versions WHERE entity > ? LIMIT 1"


def select(columns: str, condition: str = "TRUE") -> str:
    """The statement for a page of records of an entity after a version, at most so many.

    Stale rows lead to none.

    Args:
        columns: of `records`, its `entity` and `version` with the table's name.
        condition: on them or `versions.version`, with its bindings between the version and the
            number.
    """
    # `CROSS JOIN` keeps the order, which is that of the versions.
    return f"""
        SELECT {columns}
        FROM versions CROSS JOIN records ON records.id = versions.record
          AND records.version = versions.version AND records.entity = versions.entity
        WHERE versions.entity = ? AND versions.version > ? AND {condition}
        ORDER BY versions.version LIMIT ?"""  # noqa: S608 (of constants)


class Stale:
    """The stale rows that are known, in tiers: by how many versions each of them lasted.

    A tier has those that lasted about twice as long as those of the tier before it, and may have
    twice as many. A reader that has missed n versions meets no row that lasted for n or more: it
    would lie before what the reader has missed. So it meets the tiers up to that of n alone. In
    the last tier, that of the number of records, are all that lasted longer, too; they are limited
    by the number of all stale rows.

    Example:
        >>> stale = Stale()
        >>> stale.add([("tasks", n, 5) for n in range(1, 70)], records=9)
        >>> stale.take(records=9, most=2)
        [('tasks', 1, 5), ('tasks', 2, 5)]
    """

    def __init__(self) -> None:
        self._tiers: list[_Round] = []

    def __len__(self) -> int:
        return sum(map(len, self._tiers))

    def __iter__(self) -> Iterator[StaleRow]:
        return chain.from_iterable(self._tiers)

    def add(self, rows: Iterable[StaleRow], records: int) -> None:
        """Take note of some.

        Args:
            rows: which.
            records: how many records there are, or a few more.
        """
        last = _tier(records)
        self._tiers += (_Round() for _ in range(last + 1 - len(self._tiers)))
        for row in rows:
            self._tiers[min(last, _tier(row[2]))].add(row)

    def take(self, records: int, most: int) -> list[StaleRow]:
        """Take some out of it, if there are more than there may be.

        All of one tier, that which has most too many: the next ones of several would be on as many
        pages. So a tier may have some too many until it is its turn.

        Args:
            records: as of `add`.
            most: rows.
        """
        if not self._tiers:
            return []
        limited = self._tiers[: max(1, _tier(records))]
        surplus = [(len(tier) - (_FEW << number), tier) for number, tier in enumerate(limited)]
        largest = max(self._tiers, key=len)
        surplus.append((len(self) - max(_FEW, records // PART), largest))
        too_many, tier = max(surplus, key=itemgetter(0))
        return tier.take(min(too_many, most))


def _tier(versions: int) -> int:
    return max(0, versions.bit_length() - _FIRST_TIER)


class _Round:
    """Stale rows that are taken in the order in which they lie, round and round."""

    def __init__(self) -> None:
        self._at: StaleRow = (*BEGINNING, 0)
        self._ahead: list[StaleRow] = []
        self._behind: list[StaleRow] = []

    def __len__(self) -> int:
        return len(self._ahead) + len(self._behind)

    def __iter__(self) -> Iterator[StaleRow]:
        return chain(self._ahead, self._behind)

    def add(self, row: StaleRow) -> None:
        """Take note of one."""
        heappush(self._ahead if row > self._at else self._behind, row)

    def take(self, most: int) -> list[StaleRow]:
        """Take the next ones, so many at most, out of it."""
        taken: list[StaleRow] = []
        while len(taken) < most and len(self):
            if not self._ahead:
                self._ahead, self._behind = self._behind, []
            self._at = heappop(self._ahead)
            taken.append(self._at)
        return taken


def mark(cursor: apsw.Cursor) -> None:
    """Note in the file that there may be stale rows."""
    cursor.execute(_MARK)


def unmark(cursor: apsw.Cursor) -> None:
    """Note in the file that there are none."""
    cursor.execute(_UNMARK)


def is_marked(cursor: apsw.Cursor) -> bool:
    """Whether the file says that there may be stale rows."""
    return bool(cursor.execute(_MARKED).get)


def put(cursor: apsw.Cursor, places: Iterable[tuple[str, int, int]]) -> None:
    """Note at which version records are now, each with its entity and its row."""
    cursor.executemany(_PUT, places)


def last_row(cursor: apsw.Cursor) -> int:
    """The highest row id of a record: new ones get higher ones. 0 if there is none.

    So many records there are at most: fewer where some were forgotten.
    """
    return cursor.execute(_LAST).get or 0


def put_new(cursor: apsw.Cursor, after: int, names: Collection[tuple[str, str]]) -> None:
    """Note at which version records are now that were written without their row ids.

    Args:
        cursor: in a transaction.
        after: what `last_row` was before they were written.
        names: their entities and ids.
    """
    # One statement for all that are new: to be told each row id first costs more than the rows.
    cursor.execute(_PUT_AFTER, (after,))
    if cursor.connection.changes() < len(names):  # some were there before
        cursor.executemany(_PUT_NAMED, names)


def forget(cursor: apsw.Cursor, places: Collection[VersionKey]) -> None:
    """Delete stale rows."""
    cursor.executemany(_FORGET, places)


def sweep(cursor: apsw.Cursor, after: VersionKey) -> VersionKey | None:
    """Delete what is stale among the next rows.

    Args:
        cursor: in a transaction.
        after: where the step before has ended; `BEGINNING` for the first.

    Returns:
        Where this one has ended; `None` at the end of the table.
    """
    entity, version = after
    rows: list[Any] = cursor.execute(_STEP, (entity, version, STEP)).fetchall()
    if rows:
        forget(cursor, [(entity, version) for version, is_stale in rows if is_stale])
        return entity, rows[-1][0]
    following: str | None = cursor.execute(_NEXT, (entity,)).get
    return None if following is None else (following, 0)
