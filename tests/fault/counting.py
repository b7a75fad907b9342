"""Counts up in the database, and makes that wait: to be cut off, and be right at the end.

Knows what a batch is. Must not know who cuts it off.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import asyncpg

from rhtmx_server.model import ClientRow, Granularity, HistoryEntry
from rhtmx_server.ports import BatchNeeds, BatchWrites, Snapshot
from rhtmx_server.stores.postgres import PostgresStore
from tests.contract.builders import record
from tests.fault.cut_connections import Proxy
from tests.support.postgres import Postgres
from tests.support.sockets import PATIENCE
from tests.support.waiting import eventually

__all__ = ["Counting", "locked", "through", "wait_in_line"]


def through(proxy: Proxy, url: str) -> str:
    """The same database, by way of the proxy."""
    head, _, rest = url.partition("?host=")
    return f"{head}?host={proxy.folder}&{rest.partition('&')[2]}"


class Counting:
    """Counts up in one record, by a client that numbers its writes or does not.

    Args:
        store: where.
        numbered: whether the number of the client guards it, too.
        client: its id.

    Attributes:
        done: how often it was told that it is written.
    """

    def __init__(self, store: PostgresStore, *, numbered: bool, client: str = "c") -> None:
        self._store = store
        self._clients = [client] if numbered else []
        self.done = 0

    async def one_more(self) -> None:
        """Count one more."""
        wanted = BatchNeeds(records=[("tasks", "1")], clients=self._clients)
        await self._store.commit(wanted, self._decide)
        self.done += 1

    def _decide(self, seen: Snapshot) -> BatchWrites:
        version = seen.heads["tasks"].version + 1
        before = seen.records.get(("tasks", "1"))
        count = 1 if before is None else int(before.data or b"0") + 1
        one = record("1", version, b"%d" % count)
        last = [ClientRow(each, "", seen.clients[each].last_seq + 1, 0) for each in seen.clients]
        return BatchWrites(
            records=[one],
            heads={"tasks": version},
            history=[HistoryEntry(one, Granularity.RECORDS, previous=version - 1)],
            clients=last or [ClientRow(each, "", 1, 0) for each in self._clients],
        )

    async def counted(self) -> int:
        """What is there, once the store is: a cut may have hit the connection that has its lock."""
        await eventually(self._store.ready)
        found = await self._store.record("tasks", "1")
        return 0 if found is None else int(found.data or b"0")


@contextlib.asynccontextmanager
async def locked(postgres: Postgres, place: str, table: str) -> AsyncIterator[None]:
    """Nobody else gets at a table of a schema."""
    connection: Any = await asyncpg.connect(postgres.url())
    try:
        async with connection.transaction():
            schema = place.rpartition("=")[2]
            await connection.execute(f'LOCK TABLE "{schema}".{table} IN EXCLUSIVE MODE')
            yield
    finally:
        await connection.close()


async def wait_in_line(postgres: Postgres, place: str, number: int) -> None:
    """Wait until so many batches wait for somebody else in the database."""
    asked = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE wait_event_type = 'Lock' AND position($1 IN query) > 0"
    )
    connection: Any = await asyncpg.connect(postgres.url())
    async with asyncio.timeout(PATIENCE):
        while await connection.fetchval(asked, f'"{place.rpartition("=")[2]}".put') != number:
            pass
    await connection.close()
