"""What a client keeps, in an SQLite file.

Knows tables, transactions and what can go wrong with a file. Must not know what
the rows are for.

One process has the file at a time. It is locked for as long as it is open, and
written through a rollback journal, not a write-ahead log: the SQLite that many
Pythons bring along (3.7 to 3.51.2) can damage a file whose log is reset by two
connections at once. `synchronous=FULL`: what was stored survives a power cut.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

from rhtmx.core.storage_ops import AddWrite, Image, Op
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.stores import rows
from rhtmx.stores.store_file import StoreFile

__all__ = ["VERSION", "SqliteStore"]

log = logging.getLogger("rhtmx")

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
        self._file: StoreFile | None = None

    def load(self) -> Image:
        """Open the file, and read everything.

        Raises:
            RhtmxError: `STORAGE_FAILED`, another client has it, it is no
                database of ours, or of a newer version, or cannot be opened;
                `STORAGE_FULL`, there is no room for it.
        """
        self._db = self._open()
        try:
            self._prepare(self._db)
            image = rows.read(self._db)
            self._mend(self._db, image)
            return image
        except Exception as error:  # what is damaged may fail anywhere
            self.close()
            raise self._told(error, _DAMAGED) from error

    def add(self, adds: Sequence[AddWrite], ops: Sequence[Op] = ()) -> list[int]:
        """Apply ops, then number and store new writes, in one transaction.

        Raises:
            RhtmxError: `STORAGE_FULL` or `STORAGE_FAILED`; then nothing of it was.
        """
        numbers: list[int] = []
        db, file = self._connection()
        try:
            db.execute("BEGIN IMMEDIATE")
            rows.write(db, ops)
            for each in adds:
                numbers.append(rows.add(db, each))
            file.seal(db)
            if lost := file.lost():
                raise lost
            db.execute("COMMIT")
        except Exception as error:
            with suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            # What another program has written there looks like damage.
            raise self._told(file.lost() or error) from error
        file.committed()
        return numbers

    def close(self) -> None:
        """Let go of the file."""
        db, file = self._db, self._file
        self._db = self._file = None
        if db is not None:
            db.close()
        if file is not None:
            file.close()

    # Inside.

    def _connection(self) -> tuple[sqlite3.Connection, StoreFile]:
        if self._db is None or self._file is None:
            raise RhtmxError(ErrorCode.STORAGE_FAILED, f"the store '{self.path}' is closed")
        return self._db, self._file

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
        # Nothing of a transaction is in the file before it is committed: until then it is looked
        # whether the file is the one that it was.
        db.execute("PRAGMA cache_spill = OFF")
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
        self._file = StoreFile(self.path, db)
        db.execute("COMMIT")
        with closing(db.execute("PRAGMA journal_mode = TRUNCATE")) as mode:
            mode.fetchone()

    def _mend(self, db: sqlite3.Connection, image: Image) -> None:
        """Have one damaged record not take the others with it."""
        db.execute("BEGIN IMMEDIATE")
        mended = rows.mend(db, image)
        db.execute("COMMIT")
        for entity in mended:
            log.warning(
                "the store '%s': damaged records of %r were dropped: all of them are read again",
                self.path,
                entity,
            )

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
        if isinstance(error, rows.DamagedError):
            words = f"the store '{self.path}': {error}"
            return RhtmxError(ErrorCode.STORAGE_FAILED, words)
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


_IN_USE = "another client has it open, here or in another process: close it, or name another file"
_DAMAGED = "it is damaged: move it away, and a new one is made"

_WORDS: dict[int | None, str] = {
    sqlite3.SQLITE_FULL: "its disk is full: make room",
    sqlite3.SQLITE_BUSY: _IN_USE,
    sqlite3.SQLITE_LOCKED: _IN_USE,
    sqlite3.SQLITE_NOTADB: "it is no SQLite database: name another file",
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: does its folder exist, and may you write there?",
    sqlite3.SQLITE_READONLY: "it may only be read: allow this user to write it and its folder",
}
