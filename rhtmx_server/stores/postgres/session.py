"""One connection, as the rest of this room uses it.

Knows the driver. Must not know statements, but for the schema that they name.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, nullcontext
from functools import lru_cache
from typing import Any

import asyncpg

from rhtmx_server.stores.rows import Row

__all__ = ["Session", "in_schema"]


@lru_cache(maxsize=1000)
def in_schema(sql: str, schema: str) -> str:
    """Return SQL for another schema than `rhtmx`, which is the one that it is written for."""
    # In quotes: it may be a word of SQL.
    return sql if schema == "rhtmx" else sql.replace("rhtmx.", f'"{schema}".')


class Session:
    """Runs statements, each a transaction of its own unless one was begun.

    Args:
        connection: of the driver.
        schema: the schema that `rhtmx.` stands for.
        begun: whether all that it is used for is one transaction already.
    """

    def __init__(
        self, connection: asyncpg.Connection[Any] | Any, schema: str, *, begun: bool = False
    ) -> None:
        self._connection = connection
        self._schema = schema
        self._begun = begun

    def transaction(self) -> AbstractAsyncContextManager[object]:
        """Make one transaction of the statements within."""
        if self._begun:
            return nullcontext()
        transaction: AbstractAsyncContextManager[object] = self._connection.transaction()
        return transaction

    async def rows(self, sql: str, *arguments: object) -> list[Row]:
        """All rows of a statement."""
        found: list[Row] = await self._connection.fetch(in_schema(sql, self._schema), *arguments)
        return found

    async def row(self, sql: str, *arguments: object) -> Row | None:
        """The first row of a statement."""
        found = await self._connection.fetchrow(in_schema(sql, self._schema), *arguments)
        return None if found is None else tuple(found)

    async def value(self, sql: str, *arguments: object) -> Any:
        """The first column of the first row; `None` where there is no row."""
        return await self._connection.fetchval(in_schema(sql, self._schema), *arguments)

    async def run(self, sql: str, *arguments: object) -> int:
        """Run a statement; returns how many rows it touched, where it says so."""
        status: str = await self._connection.execute(in_schema(sql, self._schema), *arguments)
        last = status.rpartition(" ")[2]
        return int(last) if last.isdigit() else 0
