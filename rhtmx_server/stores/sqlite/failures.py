"""What SQLite's errors mean to a person.

Knows result codes and operating system errors. Must not know what was being
done. The words reach clients: they hold no path and no SQL. The original stays
the cause, for the log.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from rhtmx.errors import ErrorCode, RhtmxError

__all__ = ["failed", "in_words", "storage_error"]

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})

_FULL = (
    "the server has no room left to store this: nothing was written and reading goes on, "
    "send it again later"
)
_WORDS: tuple[tuple[type[apsw.Error], str], ...] = (
    (apsw.BusyError, "another program keeps the server's database locked: send it again later"),
    (apsw.LockedError, "another program keeps the server's database locked: send it again later"),
    (apsw.CorruptError, "the server's database is damaged: it has to be restored from a backup"),
    (apsw.NotADBError, "the server's database is damaged: it has to be restored from a backup"),
    (apsw.ReadOnlyError, "the server's database has become read-only: nothing was written"),
    (apsw.IOError, "the server's disk failed to read or write: nothing was acknowledged"),
)
_OTHER = "the server's database failed: nothing was acknowledged"


def failed(words: str) -> RhtmxError:
    """Make a `STORAGE_FAILED` error."""
    return RhtmxError(ErrorCode.STORAGE_FAILED, words)


def storage_error(error: apsw.Error, system_errno: int) -> RhtmxError:
    """Put an error of SQLite into words.

    Args:
        error: what SQLite raised.
        system_errno: the operating system's last error on that connection.
    """
    out_of_space = isinstance(error, apsw.IOError) and system_errno in _NO_ROOM
    if isinstance(error, apsw.FullError) or out_of_space:
        return RhtmxError(ErrorCode.STORAGE_FULL, _FULL)
    return failed(next((words for kind, words in _WORDS if isinstance(error, kind)), _OTHER))


@contextmanager
def in_words(connection: apsw.Connection) -> Iterator[None]:
    """Raise what SQLite raises as an `RhtmxError`."""
    try:
        yield
    except apsw.Error as error:
        raise storage_error(error, connection.system_errno) from error
