"""What PostgreSQL's errors mean to a person.

Knows the driver's exceptions and SQLSTATEs. Must not know what was being done. The words reach
clients: they hold no address and no SQL. The original stays the cause, for the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from rhtmx.errors import ErrorCode, RhtmxError

__all__ = ["FAILED", "LOST", "Overtaken", "failed", "in_words", "storage_error"]


class Overtaken(Exception):  # noqa: N818 (what happened to a batch)
    """Somebody else has written what a batch had looked at: it has to look again."""


_GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,  # a shutdown, or somebody has ended the connection
    asyncpg.CannotConnectNowError,
    ConnectionError,
    TimeoutError,
    asyncio.IncompleteReadError,
    OSError,
)

LOST: tuple[type[Exception], ...] = _GONE
"""After these it is not known whether a statement took effect."""

FAILED: tuple[type[Exception], ...] = (asyncpg.PostgresError, *_GONE)
"""All that the driver raises because of the database."""

_FULL = (
    "the server has no room left to store this: nothing was written and reading goes on, "
    "send it again later"
)
_WORDS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
    (
        asyncpg.ReadOnlySQLTransactionError,
        "the server's database can only be read (is it a standby?): nothing was written",
    ),
    (
        asyncpg.TooManyConnectionsError,
        "the server's database takes no more connections: send it again later",
    ),
    (
        (asyncpg.DataCorruptedError, asyncpg.IndexCorruptedError),
        "the server's database is damaged: it has to be restored from a backup",
    ),
    (
        asyncpg.InsufficientPrivilegeError,
        "the server may not do this in its database: its role needs the rights on its schema",
    ),
    (_GONE, "the server's database cannot be reached: nothing was acknowledged, send it again"),
)
_OTHER = "the server's database failed: nothing was acknowledged"


def failed(words: str) -> RhtmxError:
    """Make a `STORAGE_FAILED` error."""
    return RhtmxError(ErrorCode.STORAGE_FAILED, words)


def storage_error(error: BaseException) -> RhtmxError:
    """Put an error of the driver or of PostgreSQL into words.

    Args:
        error: what was raised.
    """
    if isinstance(error, asyncpg.DiskFullError):
        return RhtmxError(ErrorCode.STORAGE_FULL, _FULL)
    return failed(next((words for kind, words in _WORDS if isinstance(error, kind)), _OTHER))


@contextmanager
def in_words() -> Iterator[None]:
    """Raise what the driver raises as an `RhtmxError`."""
    try:
        yield
    except FAILED as error:
        raise storage_error(error) from error
