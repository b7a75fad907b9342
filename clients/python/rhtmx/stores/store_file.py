"""Whether the file of a store is still the one that was opened, and holds what was put there.

Knows files by what the system knows them by, and one table of its own. Must not know what else
is in the file.

Whoever has a file open is told nothing when it is deleted, when another one takes its name, or when
a backup is copied over it. SQLite, which has locked it, reads nothing again that it has read once:
it would go on in a file that nobody finds, or mix two states of one.

So each transaction puts another random text down, the seal. A file that lacks the last one holds an
older state, or something else. That is looked up in the file itself, past SQLite.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from typing import TypeAlias

from rhtmx.errors import ErrorCode, RhtmxError

__all__ = ["StoreFile"]

_SIZE = 16
"""Bytes of a seal."""


class StoreFile:
    """The file of an open database, which this process has locked.

    It makes the table of the seal, where there is none: an older program need not know that.

    Args:
        name: what the program calls the file, for errors.
        db: a connection to it, in a transaction that has locked it.
    """

    def __init__(self, name: str, db: sqlite3.Connection) -> None:
        self._name = name
        db.execute("CREATE TABLE IF NOT EXISTS seal (text BLOB NOT NULL) STRICT")
        if (sealed := db.execute("SELECT text FROM seal").fetchone()) is None:
            db.execute("INSERT INTO seal VALUES (?)", sealed := (secrets.token_bytes(_SIZE),))
        (self._seal,) = sealed
        self._pending = self._seal
        (page,) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'seal'").fetchone()
        (self._page_size,) = db.execute("PRAGMA page_size").fetchone()
        self._offset = (page - 1) * self._page_size
        self._overwritten = False
        self._path: str | None = None
        _, _, in_file = db.execute("PRAGMA database_list").fetchone()
        if in_file:
            self._path = os.path.abspath(name)  # a program may go to another folder
            self._inode = _inode(self._path)
            # Open as long as the database is: POSIX drops all locks of a file that this process
            # has, as soon as it closes one descriptor of it.
            self._file = open(self._path, "rb", buffering=0)  # noqa: SIM115 (see `close`)

    def seal(self, db: sqlite3.Connection) -> None:
        """Have the file differ from all copies made before. Within a transaction."""
        if self._pending == self._seal:  # else the last one may be in the file all the same
            self._pending = secrets.token_bytes(_SIZE)
        db.execute("UPDATE seal SET text = ?", (self._pending,))

    def committed(self) -> None:
        """What was put down is in the file."""
        self._seal = self._pending

    def lost(self) -> RhtmxError | None:
        """Why nothing may be stored: nobody would find it, or it does not fit what is there."""
        if self._path is None:
            return None
        if _inode(self._path) != self._inode:
            return self._failed(
                "was deleted, moved or replaced while it was open: put it back, or start this "
                "program again"
            )
        # For good: by now SQLite may have read of the other content what it had not read before.
        self._overwritten = self._overwritten or not self._is_sealed()
        if self._overwritten:
            return self._failed(
                "was overwritten by another program while it was open: nothing is stored in it any "
                "more: start this program again"
            )
        return None

    def close(self) -> None:
        """Let go of it: after SQLite has."""
        if self._path is not None:
            self._file.close()

    def _is_sealed(self) -> bool:
        try:
            self._file.seek(self._offset)
            page = self._file.read(self._page_size) or b""
            # The second is there if a commit has failed after all was written.
            return self._seal in page or self._pending in page
        except OSError:  # a disk that cannot be read: SQLite finds that out, too
            return True

    def _failed(self, what: str) -> RhtmxError:
        return RhtmxError(ErrorCode.STORAGE_FAILED, f"the store '{self._name}' {what}")


_Inode: TypeAlias = tuple[int, int]
"""Device and number: what stays the same when a file gets another name."""


def _inode(path: str) -> _Inode | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
