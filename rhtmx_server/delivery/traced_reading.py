"""What a connection reads from the store until it is live, traced.

Knows the one task of a connection that reads, and the reading side of a store. Must not know
positions, nor what traces it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Hashable
from typing import Any, TypeAlias, cast

from rhtmx_server.delivery.page_reader import Page
from rhtmx_server.ports import Store
from rhtmx_server.tracing import Tracing

__all__ = ["CountedReads", "Spawn", "traced_spawn"]

Spawn: TypeAlias = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
"""Runs a coroutine as a task that ends with the connection."""


class CountedReads:
    """The store as one connection reads it: what it read is counted.

    Args:
        store: it.

    Attributes:
        entities: those that were read.
        records: how many; what has left a part counts, too.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.entities: set[str] = set()
        self.records = 0

    @property
    def store(self) -> Store:
        """The same, as a store: what does not read pages is the store's own."""
        return cast(Store, self)

    async def since(self, entity: str, *where: int, clocks: bool) -> Page:
        """See `Store`."""
        return self._counted(entity, await self._store.since(entity, *where, clocks=clocks))

    async def since_in(
        self, entity: str, scope: Collection[str], *where: int, clocks: bool
    ) -> Page:
        """See `Store`."""
        page = await self._store.since_in(entity, scope, *where, clocks=clocks)
        return self._counted(entity, page)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def _counted(self, entity: str, page: Page) -> Page:
        self.entities.add(entity)
        self.records += len(page)
        return page


def traced_spawn(tracing: Tracing, reader: Hashable, reads: CountedReads, spawn: Spawn) -> Spawn:
    """What runs the task that reads, each time as one span.

    Args:
        tracing: where to tell of it.
        reader: the connection.
        reads: counts what it reads. Does not know the connection: they would hold each other.
        spawn: runs a coroutine as a task that ends with the connection.
    """

    async def traced(reading: Coroutine[Any, Any, None]) -> None:
        reads.entities, reads.records = set(), 0
        with tracing.catch_up(reader) as span:
            try:
                await reading
            finally:
                span.note("rhtmx.entities", sorted(reads.entities))
                span.note("rhtmx.records", reads.records)

    return lambda reading: spawn(traced(reading))
