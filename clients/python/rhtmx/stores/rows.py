"""What a client keeps, as rows of SQLite tables, and back.

Knows which op is which statement. Must not know files, or transactions.
Messages are kept in the wire's JSON form, so that a person can read them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from rhtmx.core.granularity import Granularity
from rhtmx.core.storage_ops import (
    AddWrite,
    DropRecord,
    DropRejection,
    DropWrite,
    HeldRecord,
    Image,
    Mutation,
    Op,
    PutRecord,
    PutRejection,
    PutWrite,
    SetIdentity,
    SetLast,
    SetPosition,
    Settled,
    StoredEntity,
    StoredRejection,
    StoredWrite,
)
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Position
from rhtmx.messages.tables import ERROR_CODE_SPELLINGS, ERROR_CODE_VALUES
from rhtmx.unknown_enum_values import spelled, unknown
from rhtmx.values.json_value import from_json
from rhtmx.wire import Format, decode, encode

__all__ = ["DamagedError", "NewerError", "add", "mend", "read", "write"]


class NewerError(ValueError):
    """A write is kept that a newer program has made."""


class DamagedError(ValueError):
    """A write cannot be read, in words that say which one."""


def read(db: sqlite3.Connection) -> Image:
    """Everything there is, also records that are damaged: see `mend`.

    Raises:
        NewerError: some of it is not understood.
        DamagedError: a write cannot be read.
    """
    ((client_id, last, secret),) = db.execute("SELECT id, last, secret FROM client").fetchall()
    image = Image(client_id, last, secret=secret)
    for name, epoch, version, grain, scope in db.execute("SELECT * FROM entities"):
        place = Position(epoch=epoch, version=version, scope=scope)
        image.entities[name] = StoredEntity(place, Granularity(grain))
    for name, where, epoch, version, grain, scope in db.execute("SELECT * FROM parts"):
        nowhere = StoredEntity(Position(epoch="", version=0), Granularity(grain))
        place = Position(epoch=epoch, version=version, scope=scope)
        image.entities.setdefault(name, nowhere).parts[where] = (place, Granularity(grain))
    for entity, entity_id, version, data in db.execute("SELECT * FROM records"):
        if entity in image.entities:
            image.entities[entity].records[entity_id] = HeldRecord(version, data)
    image.rows = sorted((_row(each) for each in db.execute("SELECT * FROM queue")), key=_order)
    image.rejected = [_refused(each) for each in db.execute("SELECT * FROM refused ORDER BY rowid")]
    return image


def mend(db: sqlite3.Connection, image: Image) -> Collection[str]:
    """Drop what is damaged of records: in the image, and in the tables. Within a transaction.

    The server has them: all records of the entity are read again, from the beginning. Until then
    the others are as they were.

    Returns:
        The entities that had some.
    """
    mended: list[str] = []
    for name, kept in image.entities.items():
        records = [each for each, held in kept.records.items() if not _is_json(held.data)]
        parts = [each for each in kept.parts if not _is_json(each.encode())]
        if not records and not parts:
            continue
        mended.append(name)
        for each in records:
            del kept.records[each]
            write(db, [DropRecord(name, each)])
        for part in parts:
            del kept.parts[part]
            db.execute("DELETE FROM parts WHERE entity = ? AND part = ?", (name, part))
        for where in ("", *kept.parts):
            position, granularity = kept.place(where)
            if position.epoch:
                anew = Position(epoch=position.epoch)
                kept.set_place(where, anew, granularity)
                write(db, [SetPosition(name, anew, granularity, where)])
    return mended


def add(db: sqlite3.Connection, each: AddWrite) -> int:
    """Number a write and store it."""
    (seq,) = db.execute("UPDATE client SET last = last + 1 RETURNING last").fetchone()
    row = each.row
    _put_row(db, replace(row, seq=seq, settled=None))
    if each.instead is not None:
        db.execute("DELETE FROM refused WHERE id = ?", (each.instead,))
    return int(seq)


def write(db: sqlite3.Connection, ops: Iterable[Op]) -> None:  # noqa: C901 (a case for each op)
    """Apply ops."""
    for op in ops:
        match op:
            case PutRecord(entity, entity_id, held):
                values = (entity, entity_id, held.version, held.data)
                db.execute("INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?)", values)
            case DropRecord(entity, entity_id):
                db.execute("DELETE FROM records WHERE entity = ? AND id = ?", (entity, entity_id))
            case SetPosition(entity, position, grain, where):
                named = (entity, where) if where else (entity,)
                place = (*named, position.epoch, position.version, grain.value, position.scope)
                db.execute(_SET_PART if where else _SET_ENTITY, place)
            case PutWrite(row):
                _put_row(db, row)
            case DropWrite(row_id):
                db.execute("DELETE FROM queue WHERE id = ?", (row_id,))
            case PutRejection(refused):
                _put_refused(db, refused)
            case DropRejection(refused_id):
                db.execute("DELETE FROM refused WHERE id = ?", (refused_id,))
            case SetLast(last):
                db.execute("UPDATE client SET last = ?", (last,))
            case SetIdentity(client_id, secret):
                db.execute("UPDATE client SET id = ?, secret = ?", (client_id, secret))


_SET_ENTITY = "INSERT OR REPLACE INTO entities VALUES (?, ?, ?, ?, ?)"
_SET_PART = "INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?)"


def _put_row(db: sqlite3.Connection, row: StoredWrite) -> None:
    settled = None
    if row.settled is not None:
        lost = {field: _text(value) for field, value in row.settled.lost.items()}
        told = [row.settled.version, row.settled.epoch, lost]
        if row.settled.prepared is not None:  # else as older programs read it
            told.append(_text(row.settled.prepared))
        settled = json.dumps(told).encode()
    kept = (row.id, row.seq, _message(row.message), row.epoch, row.since, settled, row.builds_on)
    db.execute("INSERT OR REPLACE INTO queue VALUES (?, ?, ?, ?, ?, ?, ?)", kept)


def _put_refused(db: sqlite3.Connection, refused: StoredRejection) -> None:
    values = (
        refused.id,
        _message(refused.message),
        _spelled(refused.code),
        refused.text,
        refused.details,
        refused.since,
        refused.epoch,
    )
    db.execute("INSERT OR REPLACE INTO refused VALUES (?, ?, ?, ?, ?, ?, ?)", values)


def _row(values: tuple[Any, ...]) -> StoredWrite:
    row_id, seq, message, epoch, since, kept, builds_on = values
    datetime.fromtimestamp(since, UTC)  # raises, if it is no time
    _require_json(row_id, "queue", message, kept)
    settled = None
    if kept is not None:
        version, of, lost, *more = json.loads(kept)
        texts = {name: None if each is None else each.encode() for name, each in lost.items()}
        settled = Settled(version, of, texts, more[0].encode() if more else None)
        _require_json(row_id, "queue", settled.prepared, *texts.values())
    return StoredWrite(row_id, seq, _mutation(message), epoch, since, settled, builds_on)


def _refused(values: tuple[Any, ...]) -> StoredRejection:
    row_id, message, code, text, details, since, epoch = values
    _require_json(row_id, "refused", message, details)
    known = ERROR_CODE_VALUES.get(code, ErrorCode.UNSPECIFIED)
    why = unknown(ErrorCode, code) if code and not known else known
    return StoredRejection(row_id, _mutation(message), why, text, details, since, epoch)


def _spelled(code: ErrorCode) -> str:
    """An error code as it is stored; one that is not known, too, and none as nothing."""
    return "" if code is ErrorCode.UNSPECIFIED else spelled(ERROR_CODE_SPELLINGS, code)


def _order(row: StoredWrite) -> tuple[bool, int, int]:
    """What is settled first, by its version; then what waits, by its number."""
    if row.settled is not None:
        return (False, row.settled.version, row.seq)
    return (True, row.seq, 0)


def _message(message: Mutation) -> bytes:
    return encode(message, Format.JSON)


def _mutation(data: bytes) -> Mutation:
    """Read a write, whole or not at all.

    The wire passes over what a newer program may have added, and betterproto2 keeps
    it nowhere. Sent like that, it would be another write under the number that it
    has: one that was sent already would take effect twice.
    """
    try:
        message = decode(data, Format.JSON)
    except RhtmxError as error:
        raise NewerError(error.message) from error
    if not isinstance(message, Mutation) or not _same(_message(message), data):
        raise NewerError("it says more than this program understands")
    return message


def _same(one: bytes, other: bytes) -> bool:
    """Whether two JSON texts say the same, to the digit."""
    if one == other:
        return True
    read = partial(json.loads, parse_int=str, parse_float=str)
    return bool(read(one) == read(other))


def _require_json(row_id: str, table: str, *texts: bytes | None) -> None:
    if not all(map(_is_json, texts)):
        raise DamagedError(
            f"the write {row_id!r} is damaged: delete its row from the table {table!r}, or move "
            "the file away, and a new one is made"
        )


def _is_json(text: bytes | None) -> bool:
    try:
        from_json(text)
    except ValueError:
        return False
    return True


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()
