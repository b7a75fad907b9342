"""An application that has tables of its own in the database of a store, and writes from its SQL."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any, Self

import asyncpg

__all__ = ["Application"]


class Application:
    """One connection of it.

    Args:
        connection: of the driver.
        schema: that of the store.
    """

    def __init__(self, connection: Any, schema: str) -> None:
        self._connection = connection
        self._schema = schema

    @classmethod
    @contextlib.asynccontextmanager
    async def at(cls, place: str, role: str = "app") -> AsyncIterator[Self]:
        """Connect.

        Args:
            place: the URL of the store.
            role: as whom.
        """
        url, _, schema = place.partition("&schema=")
        connection = await asyncpg.connect(url, user=role)
        try:
            yield cls(connection, schema)
        finally:
            await connection.close()

    def transaction(self) -> Any:
        """Make one transaction of what is within."""
        return self._connection.transaction()

    async def call(self, function: str) -> None:
        """Call one of the store's functions, such as `delete('tasks', '1')`."""
        await self._connection.execute(f"SELECT {self._schema}.{function}")

    async def run(self, statement: str) -> None:
        """Run a statement, in which `{}` is the schema of the store."""
        await self._connection.execute(statement.replace("{}.", f"{self._schema}."))

    async def rows(self, statement: str, *arguments: object) -> list[Any]:
        """The rows of a statement; see `run`."""
        found: list[Any] = await self._connection.fetch(
            statement.replace("{}.", f"{self._schema}."), *arguments
        )
        return found
