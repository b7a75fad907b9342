"""The parts of divided entities, as SQL: who is in them, and who has left.

Knows the tables. Must not know fields and values, nor transactions: every function
takes a cursor and works within whatever the caller has begun.

`members` has one row for each record in each part, which leads to the record, and
one for each that has left, which names it. A record's own row lists the parts that it
is in: so its rows are found by (part, version), and whether it is still in some part
that a reader asked for is read off the record.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from heapq import merge
from itertools import islice
from typing import TypeAlias

import apsw
import msgspec

from rhtmx.messages import ChangeAction
from rhtmx_server.model import Departure, Key, PartRow, Record
from rhtmx_server.stores.paging import BATCH_BYTES, cut
from rhtmx_server.stores.rows import Row, record_of
from rhtmx_server.stores.sqlite import versions
from rhtmx_server.stores.sqlite.retention import CHUNK

__all__ = [
    "Known",
    "Places",
    "begin_dividing",
    "declared_of",
    "divide_some",
    "divided_entities",
    "end_dividing",
    "find_places",
    "forget_some",
    "last_parts",
    "move",
    "read_in",
]

PartIds: TypeAlias = dict[tuple[str, str], int]
"""(entity, part) and its row id."""

Places: TypeAlias = dict[Key, tuple[int, bytes]]
"""A record, its version, and the column with the parts that it is in."""

_MOST_KEPT = 10_000
"""Parts whose row ids are kept for the next transaction: about 2 MB."""


@dataclass(slots=True)
class Known:
    """What a writer need not read: an update that keeps its parts reads nothing of them.

    Args:
        ids: of parts. Void once parts were forgotten, or a transaction failed.
        places: of the records that this transaction has read and that are in parts.
        rows: the row ids and versions of the records that it has read.
        left: the rows of `versions` that are stale by what it has written.
    """

    ids: PartIds = field(default_factory=dict)
    places: Places = field(default_factory=dict)
    rows: dict[Key, tuple[int, int]] = field(default_factory=dict)
    left: list[versions.StaleRow] = field(default_factory=list)


_PART = "SELECT entity, part, id FROM parts WHERE entity = ? AND part = ?"
_ADD_PART = "INSERT INTO parts(entity, part) VALUES (?, ?) RETURNING id"
_PLACE = """
    SELECT entity, entity_id, version, parts FROM records
    WHERE entity = ? AND entity_id = ? AND parts IS NOT NULL"""
_STAY = "UPDATE members SET version = ? WHERE part = ? AND version = ?"
_LEAVE = """
    UPDATE members SET version = ?, record = NULL, entity_id = ?, time = ?
    WHERE part = ? AND version = ?"""
# SQLite 3.54 would walk through the whole part.
_FORGET_LEFT = "DELETE FROM members INDEXED BY departures WHERE entity_id = ? AND part = ?"
_ENTER = """
    INSERT INTO members(part, version, record)
    VALUES (?, ?, (SELECT id FROM records WHERE entity = ? AND entity_id = ?))"""
_VISIT = "INSERT INTO members(part, version, entity_id, time) VALUES (?, ?, ?, ?)"
_SET_PARTS = "UPDATE records SET parts = ? WHERE entity = ? AND entity_id = ?"

_ROWS = """
    SELECT version, part, record, entity_id, time FROM members
    WHERE part = ? AND version > ? AND version <= ? ORDER BY version LIMIT ?"""
_STATE = "SELECT id, version, action, parts FROM records WHERE entity = ? AND entity_id = ?"
_LAST_PARTS = """
    SELECT parts.part
    FROM members INDEXED BY departures CROSS JOIN parts ON parts.id = members.part
    WHERE entity_id = ?2 AND version = ?3 AND entity = ?1"""
_LEFT_LATER = "SELECT part FROM members WHERE entity_id = ? AND version > ?"
# `CROSS JOIN` keeps the order, which is that of the versions.
_RECORDS = """
    SELECT entity, entity_id, version, action, data, client_id, time, {}, entered, NULL
    FROM json_each(?) AS wanted CROSS JOIN records ON records.id = wanted.value"""
_WITH_CLOCKS = _RECORDS.format("clocks")
_PLAIN = _RECORDS.format("NULL")

_DIVIDED = "divided:"
"""Under this and the entity's name `meta` has how it is divided, after an `=`; or nothing
while that is under way."""
_FIRST_PART = "SELECT id FROM parts WHERE entity = ? LIMIT 1"
_FORGET_SOME = """
    DELETE FROM members WHERE part = ?1 AND version IN
      (SELECT version FROM members WHERE part = ?1 LIMIT ?2)"""
_UNDIVIDED = versions.select("entity_id, records.version, time, data", "action <> 3")

_ids_to_json = msgspec.json.Encoder().encode
_ids_from_json = msgspec.json.Decoder(list[int]).decode


@lru_cache(maxsize=_MOST_KEPT)
def _inside(parts: bytes) -> frozenset[int]:
    """The row ids of parts in the column of a record: most records have few different ones."""
    return frozenset(_ids_from_json(parts))


def find_places(cursor: apsw.Cursor, rows: Collection[PartRow], known: Known) -> None:
    """Find where records stand, before they are written.

    Args:
        cursor: in a transaction.
        rows: as `BatchWrites.parts`.
        known: is completed.
    """
    places = known.places
    missing = {key for row in rows if (key := (row.entity, row.entity_id)) not in places}
    if missing:
        for entity, entity_id, version, parts in cursor.executemany(_PLACE, missing):
            places[entity, entity_id] = version, parts


_OUTSIDE = (0, b"[]")


def move(cursor: apsw.Cursor, rows: Collection[PartRow], known: Known) -> None:
    """Write what parts records are in now, and which they have left.

    Args:
        cursor: in a transaction that has written the records.
        rows: as `BatchWrites.parts`.
        known: as `find_places` left it.
    """
    places = known.places
    ids = _known_ids(cursor, rows, known)
    stay: list[Row] = []
    moving: list[PartRow] = []
    for row in rows:
        version, parts = places.get((row.entity, row.entity_id), _OUTSIDE)
        part = ids[row.entity, row.part]
        if row.left or part not in _inside(parts):
            moving.append(row)
        else:
            stay.append((row.version, part, version))
    # Before what enters: a row may take the place of one that has moved on.
    _run(cursor, _STAY, stay)
    if moving:
        _leave_and_enter(cursor, moving, known)
        _keep_inside(cursor, moving, rows, ids)


def _leave_and_enter(cursor: apsw.Cursor, rows: Collection[PartRow], known: Known) -> None:
    # Plain numbers, sorted by what is done with them: each statement is prepared once.
    leave: list[Row] = []
    forget: list[Row] = []
    enter: list[Row] = []
    visited: list[Row] = []
    for row in rows:
        key, part = (row.entity, row.entity_id), known.ids[row.entity, row.part]
        version, parts = known.places.get(key, _OUTSIDE)
        if part in _inside(parts):
            leave.append((row.version, row.entity_id, row.time, part, version))
            continue
        forget.append((row.entity_id, part))
        if row.left:
            visited.append((part, row.version, row.entity_id, row.time))
        else:
            enter.append((part, row.version, *key))
    _run(cursor, _LEAVE, leave)
    _run(cursor, _FORGET_LEFT, forget)
    _run(cursor, _VISIT, visited)
    _run(cursor, _ENTER, enter)


def _keep_inside(
    cursor: apsw.Cursor, moving: Iterable[PartRow], rows: Iterable[PartRow], ids: PartIds
) -> None:
    """Keep in the row of each record that has moved what parts it is in now."""
    inside: dict[Key, list[int]] = {(row.entity, row.entity_id): [] for row in moving}
    for row in rows:
        of = inside.get((row.entity, row.entity_id))
        if of is not None and not row.left:
            of.append(ids[row.entity, row.part])
    cursor.executemany(_SET_PARTS, [(_column(of), *key) for key, of in inside.items()])


def _column(ids: list[int]) -> bytes | None:
    return _ids_to_json(sorted(ids)) if ids else None


def _run(cursor: apsw.Cursor, statement: str, rows: Collection[Row]) -> None:
    if rows:
        cursor.executemany(statement, rows)


def _known_ids(cursor: apsw.Cursor, rows: Iterable[PartRow], known: Known) -> PartIds:
    """The row ids of the parts of these rows: of those that are not known they are read."""
    ids = known.ids
    missing = {part for row in rows if (part := (row.entity, row.part)) not in ids}
    if missing:
        if len(ids) > _MOST_KEPT:
            ids.clear()
            missing = {(row.entity, row.part) for row in rows}
        ids.update(_part_ids(cursor, missing, add=True))
    return ids


def _part_ids(cursor: apsw.Cursor, parts: Collection[tuple[str, str]], *, add: bool) -> PartIds:
    """Find the row ids of parts; `add`: make those that are missing."""
    ids: PartIds = {
        (entity, part): id_ for entity, part, id_ in cursor.executemany(_PART, list(parts))
    }
    if add and len(ids) < len(parts):
        for new in parts:
            if new not in ids:
                ids[new] = cursor.execute(_ADD_PART, new).get
    return ids


def read_in(
    cursor: apsw.Cursor,
    entity: str,
    parts: Collection[str],
    after: int,
    upto: int,
    limit: int,
    *,
    clocks: bool,
) -> list[Record | Departure]:
    """One page of what happened to some parts of an entity, in version order.

    In more than one statement: the caller sees to it that they see the same.
    """
    asked = {(entity, part) for part in parts}
    ids = frozenset(_part_ids(cursor, asked, add=False).values())
    rows = _rows_of(cursor, ids, after, upto, limit)
    found = list(islice(_happened(cursor, entity, ids, rows), limit))
    wanted = _ids_to_json([one for one in found if isinstance(one, int)]).decode()
    # In one statement, and read no further than the page goes: `cut` stops it.
    records = map(record_of, cursor.execute(_WITH_CLOCKS if clocks else _PLAIN, (wanted,)))
    return cut(next(records) if isinstance(one, int) else one for one in found)


def _rows_of(
    cursor: apsw.Cursor, parts: Collection[int], after: int, upto: int, limit: int
) -> Iterator[Row]:
    """Find the rows of `members` of these parts, in version order.

    A few of each part at a time: a page of many parts takes no more than it shows.
    """
    chunk = min(limit, 2 + 2 * limit // max(1, len(parts)))
    first: dict[int, list[Row]] = {part: [] for part in parts}
    for row in cursor.executemany(_ROWS, [(part, after, upto, chunk) for part in parts]):
        first[row[1]].append(row)
    return merge(*(_rows_from(cursor, rows, upto, chunk) for rows in first.values() if rows))


def _rows_from(cursor: apsw.Cursor, rows: list[Row], upto: int, chunk: int) -> Iterator[Row]:
    """Go on with one part after its first rows."""
    while rows:
        yield from rows
        if len(rows) < chunk:
            return
        version, part, *_ = rows[-1]
        rows = cursor.execute(_ROWS, (part, version, upto, chunk)).fetchall()


def _happened(
    cursor: apsw.Cursor, entity: str, parts: frozenset[int], rows: Iterator[Row]
) -> Iterator[int | Departure]:
    """What the rows say to a reader of these parts: records by their row, and those that left."""
    told = 0
    for version, _, record, entity_id, time in rows:
        if version == told:
            continue  # the same record, in another part
        one = record or _left(cursor, Departure(entity, entity_id, version, time), parts)
        if one is not None:
            yield one
            told = version


def _left(
    cursor: apsw.Cursor, departure: Departure, parts: frozenset[int]
) -> int | Departure | None:
    """How a record left these parts: its tombstone's row, a departure; `None` for not now."""
    key = (departure.entity, departure.entity_id)
    id_, version, action, inside = cursor.execute(_STATE, key).fetchone() or (0, 0, 0, None)
    if len(parts) > 1:  # of one part, a record has one row
        if inside and not parts.isdisjoint(_ids_from_json(inside)):
            return None
        later = cursor.execute(_LEFT_LATER, (departure.entity_id, departure.version))
        if any(part in parts for (part,) in later.fetchall()):
            return None
    if version == departure.version and action == ChangeAction.DELETE:
        return int(id_)
    return departure


def last_parts(cursor: apsw.Cursor, tombstones: Collection[Record]) -> dict[Key, frozenset[str]]:
    """The parts that deleted records were in when they were deleted; of those that were in any."""
    found: dict[Key, frozenset[str]] = {}
    for gone in tombstones:
        key = (gone.entity, gone.entity_id)
        # A delete takes a record out of all of its parts, by the version of the tombstone.
        left: list[Row] = cursor.execute(_LAST_PARTS, (*key, gone.version)).fetchall()
        if left:
            found[key] = frozenset(part for (part,) in left)
    return found


def divided_entities(cursor: apsw.Cursor) -> set[str]:
    """The entities that are divided, or are being."""
    rows = cursor.execute("SELECT key FROM meta WHERE key >= ? AND key < 'divided;'", (_DIVIDED,))
    return {key.removeprefix(_DIVIDED) for (key,) in rows}


def declared_of(cursor: apsw.Cursor, entity: str) -> str | None:
    """How an entity is divided; empty for not at all, `None` if that was never finished."""
    value = cursor.execute("SELECT value FROM meta WHERE key = ?", (_DIVIDED + entity,)).get
    if value is None:
        return ""
    return str(value[1:]) if value else None


def begin_dividing(cursor: apsw.Cursor, entity: str) -> None:
    """Note that the parts of an entity are not what anybody declared."""
    cursor.execute("INSERT OR REPLACE INTO meta VALUES (?, '')", (_DIVIDED + entity,))


def end_dividing(cursor: apsw.Cursor, entity: str, declared: str) -> None:
    """Note that the parts of an entity are what was declared."""
    if declared:
        cursor.execute("UPDATE entities SET floor = version WHERE entity = ?", (entity,))
        cursor.execute(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)", (_DIVIDED + entity, "=" + declared)
        )
    else:
        cursor.execute("DELETE FROM meta WHERE key = ?", (_DIVIDED + entity,))


def forget_some(cursor: apsw.Cursor, entity: str) -> int:
    """Forget parts of an entity, `CHUNK` rows at most; returns how many."""
    gone = 0
    while gone < CHUNK:
        part = cursor.execute(_FIRST_PART, (entity,)).get
        if part is None:
            break
        cursor.execute(_FORGET_SOME, (part, CHUNK - gone))
        gone += cursor.connection.changes()
        if gone < CHUNK:
            cursor.execute("DELETE FROM parts WHERE id = ?", (part,))
            gone += 1
    return gone


def divide_some(
    cursor: apsw.Cursor,
    entity: str,
    after: int,
    parts_of: Callable[[bytes | None], Collection[str]],
) -> int | None:
    """Find the parts of some records of an entity, in version order.

    Args:
        cursor: in a transaction.
        entity: the collection.
        after: the version of the last one that was done; 0 to begin.
        parts_of: the parts of a record, by its data.

    Returns:
        The version of the last one that is done now; `None` when all of them are.
    """
    keys: list[str] = []
    rows: list[PartRow] = []
    weight = 0
    for entity_id, version, time, data in cursor.execute(_UNDIVIDED, (entity, after, CHUNK)):
        keys.append(entity_id)
        rows += (PartRow(entity, part, entity_id, version, time) for part in parts_of(data))
        after, weight = version, weight + len(data or b"")
        if len(rows) >= CHUNK or weight > BATCH_BYTES:
            break
    if not keys:
        return None
    known = Known()
    find_places(cursor, rows, known)  # what was written meanwhile is in its parts already
    move(cursor, rows, known)
    outside = set(keys).difference(row.entity_id for row in rows)
    cursor.executemany(_SET_PARTS, [(None, entity, entity_id) for entity_id in outside])
    return after
