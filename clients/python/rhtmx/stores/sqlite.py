"""What a client keeps, in an SQLite file.

Knows tables, transactions and what can go wrong with a file. Must not know what
the rows are for.

One process has the file at a time. It is locked for as long as it is open, and
written through a rollback journal, not a write-ahead log: the SQLite that many
Pythons bring along (3.7 to 3.51.2) can damage a file whose log is reset by two
connections at once. `synchronous=FULL`: what was stored survives a power cut.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import TypeAlias

from rhtmx.core.storage_ops import AddWrite, Image, Op
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.stores import rows

__all__ = ["VERSION", "SqliteStore"]

VERSION = 4
"""Of the tables; in the file's `user_version`."""

_APPLICATION = 0x72687478
"""`rhtx`, in the file's `application_id`: a database of someone else is left alone."""

_FIRST = f"""
PRAGMA application_id = {_APPLICATION};
CREATE TABLE client (id TEXT NOT NULL, last INTEGER NOT NULL) STRICT;
CREATE TABLE entities (
    name TEXT PRIMARY KEY, epoch TEXT NOT NULL, version INTEGER NOT NULL, grain TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE records (
    entity TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, data BLOB,
    PRIMARY KEY (entity, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE queue (
    id TEXT PRIMARY KEY, seq INTEGER NOT NULL, message BLOB NOT NULL, epoch TEXT,
    since REAL NOT NULL, settled BLOB
) STRICT;
CREATE TABLE refused (
    id TEXT PRIMARY KEY, message BLOB NOT NULL, code TEXT NOT NULL, text TEXT NOT NULL,
    details BLOB, since REAL NOT NULL, epoch TEXT
) STRICT;
"""

_PARTS = """
ALTER TABLE entities ADD COLUMN scope TEXT;
CREATE TABLE parts (
    entity TEXT NOT NULL, part TEXT NOT NULL, epoch TEXT NOT NULL, version INTEGER NOT NULL,
    grain TEXT NOT NULL, scope TEXT, PRIMARY KEY (entity, part)
) STRICT, WITHOUT ROWID;
"""

_BUILDS_ON = "ALTER TABLE queue ADD COLUMN builds_on TEXT"

_STEPS = (_FIRST, "ALTER TABLE client ADD COLUMN secret TEXT", _PARTS, _BUILDS_ON)
"""Step n makes version n out of the one before. Add steps, never change one."""


class SqliteStore:
    """A store in one SQLite file. Made without touching the file; `load` opens it.

    Args:
        path: the file; it is made if it is not there.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        self._db: sqlite3.Connection | None = None
        self._place: tuple[str, _Inode | None] | None = None

    def load(self) -> Image:
        """Open the file, and read everything.

        Raises:
            RhtmxError: `STORAGE_FAILED`, another process has it, it is no
                database of ours, or of a newer version, or cannot be opened;
                `STORAGE_FULL`, there is no room for it.
        """
        db = self._open()
        try:
            self._prepare(db)
            image = rows.read(db)
            self._place = self._place_of(db)
        except Exception as error:  # what is damaged may fail anywhere
            db.close()
            raise self._told(error, _DAMAGED) from error
        self._db = db
        return image

    def add(self, adds: Sequence[AddWrite], ops: Sequence[Op] = ()) -> list[int]:
        """Apply ops, then number and store new writes, in one transaction.

        Raises:
            RhtmxError: `STORAGE_FULL` or `STORAGE_FAILED`; then nothing of it was.
        """
        numbers: list[int] = []
        db = self._connection()
        try:
            db.execute("BEGIN IMMEDIATE")
            rows.write(db, ops)
            for each in adds:
                numbers.append(rows.add(db, each))
            self._check_place()
            db.execute("COMMIT")
        except Exception as error:
            with suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            raise self._told(error) from error
        return numbers

    def close(self) -> None:
        """Let go of the file."""
        db, self._db = self._db, None
        if db is not None:
            db.close()

    # Inside.

    def _place_of(self, db: sqlite3.Connection) -> tuple[str, _Inode | None] | None:
        """Where the file is, and what is there; none if it is in memory."""
        _, _, file = db.execute("PRAGMA database_list").fetchone()
        path = os.path.abspath(self.path)  # a program may go to another folder
        return (path, _inode(path)) if file else None

    def _check_place(self) -> None:
        """Refuse to write where nobody will find it: SQLite goes on in a file without a name."""
        if self._place is not None and _inode(self._place[0]) != self._place[1]:
            raise RhtmxError(
                ErrorCode.STORAGE_FAILED,
                f"the store '{self.path}' was deleted, moved or replaced while it was open: put it "
                "back, or start this program again",
            )

    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            raise RhtmxError(ErrorCode.STORAGE_FAILED, f"the store '{self.path}' is closed")
        return self._db

    def _open(self) -> sqlite3.Connection:
        try:
            # One thread at a time uses it, but not always the same one.
            return sqlite3.connect(
                self.path, timeout=0, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise self._told(error) from error

    def _prepare(self, db: sqlite3.Connection) -> None:
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("BEGIN EXCLUSIVE")  # from here on the file is ours alone
        (version,) = db.execute("PRAGMA user_version").fetchone()
        (application,) = db.execute("PRAGMA application_id").fetchone()
        (tables,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if tables and application != _APPLICATION:
            raise RhtmxError(
                ErrorCode.STORAGE_FAILED,
                f"'{self.path}' is a database of something else: name another file as store",
            )
        if version > VERSION:
            raise RhtmxError(
                ErrorCode.STORAGE_FAILED,
                f"'{self.path}' was written by a newer rhtmx (version {version} of its tables, "
                f"this one knows {VERSION}): update this program, or name another file",
            )
        for step in _STEPS[version:]:
            for statement in step.split(";"):
                db.execute(statement)
        if version < VERSION:  # a file that turns out not to be understood stays as it is
            db.execute(f"PRAGMA user_version = {VERSION}")
        if not tables:
            db.execute("INSERT INTO client (id, last) VALUES (?, 0)", (secrets.token_hex(16),))
        db.execute("COMMIT")
        with closing(db.execute("PRAGMA journal_mode = TRUNCATE")) as mode:
            mode.fetchone()

    def _told(self, error: Exception, otherwise: str | None = None) -> RhtmxError:
        """An error in words that say which file, and what to do.

        Args:
            error: what was raised.
            otherwise: the words for what SQLite has not raised.
        """
        if isinstance(error, RhtmxError):
            return error
        if isinstance(error, rows.NewerError):
            return RhtmxError(
                ErrorCode.STORAGE_FAILED,
                f"'{self.path}' holds a write that a newer rhtmx has made: update this program, "
                f"or name another file ({error})",
            )
        code = getattr(error, "sqlite_errorcode", None)
        primary = None if code is None else code & 0xFF
        if otherwise is None or isinstance(error, sqlite3.Error):
            otherwise = "it cannot be used: check that it is intact and its disk works"
        words = _WORDS.get(primary, otherwise)
        full = primary == sqlite3.SQLITE_FULL
        return RhtmxError(
            ErrorCode.STORAGE_FULL if full else ErrorCode.STORAGE_FAILED,
            f"the store '{self.path}': {words} ({error})",
        )


_Inode: TypeAlias = tuple[int, int]
"""Device and number: what stays the same when a file gets another name."""


def _inode(path: str) -> _Inode | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


_DAMAGED = "it is damaged: move it away, and a new one is made"

_WORDS: dict[int | None, str] = {
    sqlite3.SQLITE_FULL: "its disk is full: make room",
    sqlite3.SQLITE_BUSY: "another process has it open: end that one, or name another file",
    sqlite3.SQLITE_LOCKED: "another process has it open: end that one, or name another file",
    sqlite3.SQLITE_NOTADB: "it is no SQLite database: name another file",
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: does its folder exist, and may you write there?",
    sqlite3.SQLITE_READONLY: "it may only be read: allow this user to write it and its folder",
}
