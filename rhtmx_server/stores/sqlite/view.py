"""A database that a server has open, as another process reads it: that server notices nothing.

Knows one connection that cannot write. Must not know locks of files, nor how records are written.

SQLite lets others read a database in WAL mode while it is written: each statement sees what was
committed before it began, and keeps nobody waiting. Nothing is kept here from one call to the next,
as another process writes.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import apsw

from rhtmx_server.model import Head, Record
from rhtmx_server.stores.sqlite import queries
from rhtmx_server.stores.sqlite.failures import failed, in_words
from rhtmx_server.stores.sqlite.file import FileOptions, connect_to_read, opening, prepare_reader
from rhtmx_server.stores.sqlite.schema import FORMAT, check_identity

__all__ = ["SqliteView"]

T = TypeVar("T")


class SqliteView:
    """What a server has stored in its file by now.

    Args:
        path: the file.
        options: how the file is treated.
    """

    def __init__(self, path: Path, options: FileOptions) -> None:
        self._path = path
        self._options = options
        self._connection: apsw.Connection | None = None

    async def open(self) -> None:
        """Open the file; it has to be of today's format.

        Raises:
            RhtmxError: `STORAGE_FAILED`, with what is wrong with the file and what to do.
        """
        path = self._path.resolve()
        with opening(path):
            connection = connect_to_read(path, self._options)
            try:
                check_identity(connection, str(path))
                _check_format(connection, path)
                prepare_reader(connection)
            except BaseException:
                connection.close()
                raise
        self._connection = connection

    async def close(self) -> None:
        """Close it. May be called twice."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def epoch(self) -> str:
        """Random id made with the store."""
        return self._query(queries.read_epoch)

    async def head(self, entity: str) -> Head:
        """Read the head of one entity."""
        return self._query(lambda cursor: queries.read_head(cursor, entity))

    async def since(
        self, entity: str, after: int, upto: int, limit: int, *, clocks: bool = True
    ) -> list[Record]:
        """At most `limit` records with `after < version <= upto`, in version order."""
        query = queries.read_since if clocks else queries.read_since_plain
        return self._query(lambda cursor: query(cursor, entity, after, upto, limit))

    async def record(self, entity: str, entity_id: str) -> Record | None:
        """One record, or its tombstone, or `None`."""
        return self._query(lambda cursor: queries.read_record(cursor, entity, entity_id))

    def _query(self, query: Callable[[apsw.Cursor], T]) -> T:
        if self._connection is None:
            raise failed("the server's database is closed")
        with in_words(self._connection), closing(self._connection.cursor()) as cursor:
            return query(cursor)


def _check_format(connection: apsw.Connection, path: Path) -> None:
    found = connection.pragma("user_version")
    if found != FORMAT:  # only whoever has the file to itself may bring it to another one
        raise failed(
            f"{path} has format {found} and a server of another version has it open: use the "
            f"rhtmx-server that runs there, this one reads format {FORMAT}"
        )
