"""What becomes of a database to which several servers write when connections to it are cut.

One server is behind a proxy, which cuts its connections after an exact number of bytes, and the
other one is always quicker: so the first one has to wait for its turn, and is cut in the
transaction in which it has it, too. `RHTMX_CUTS` runs a campaign.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import asyncpg
import pytest

from rhtmx.errors import RhtmxError
from rhtmx_server.model import Granularity, HistoryEntry
from rhtmx_server.ports import BatchNeeds, BatchWrites, Snapshot
from rhtmx_server.stores.postgres import PostgresStore
from rhtmx_server.stores.postgres.batches import BatchWriter
from rhtmx_server.stores.postgres.failures import failed
from tests.contract.builders import record
from tests.fault.counting import Counting, locked, through, wait_in_line
from tests.fault.cut_connections import Proxy, in_front_of
from tests.support.postgres import Postgres
from tests.support.sockets import PATIENCE

CUTS = int(os.environ.get("RHTMX_CUTS", "60"))
SEED = int(os.environ.get("RHTMX_SEED", "7"))

BYTES = 3000
"""About as many as a batch sends that waits for its turn, and more than it is sent."""

BATCHES = int(os.environ.get("RHTMX_BATCHES", "300"))
"""So many batches are written while an old snapshot is open."""


@pytest.fixture
async def proxy(postgres: Postgres) -> AsyncIterator[Proxy]:
    async with in_front_of(postgres.folder) as made:
        yield made


@contextlib.asynccontextmanager
async def opened(place: str) -> AsyncIterator[PostgresStore]:
    """One of several servers on a store."""
    store = PostgresStore(place, shared=True)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def try_to(count: Counting) -> None:
    """Count one more, or be told that it was not written."""
    with contextlib.suppress(RhtmxError):
        await count.one_more()


@pytest.mark.parametrize("numbered", [True, False])
async def test_what_two_servers_are_acknowledged_is_there_once_and_nothing_else_is(
    postgres: Postgres, proxy: Proxy, numbered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = 0
    take_turn = BatchWriter._take_turn

    async def counted(*asked: Any) -> None:
        nonlocal turns
        turns += 1
        await take_turn(*asked)

    monkeypatch.setattr(BatchWriter, "_take_turn", counted)
    chance, place = Random(SEED), postgres.place()
    async with opened(through(proxy, place)) as cut, opened(place) as whole:
        one = Counting(cut, numbered=numbered, client="one")
        other = Counting(whole, numbered=numbered, client="other")
        for _ in range(CUTS):
            await other.one_more()
            await one.one_more()  # on a connection that has prepared its statements
            proxy.arm(chance.randint(0, BYTES), downward=chance.random() < 0.5)
            await asyncio.gather(try_to(one), other.one_more(), other.one_more())
            proxy.disarm()
            assert await other.counted() == one.done + other.done
        entries = await whole.history("tasks", limit=one.done + other.done)
    assert [each.previous for each in entries] == [*range(one.done + other.done)]
    assert proxy.cuts > CUTS / 4
    assert turns > CUTS


async def test_who_takes_what_is_not_there_for_what_was_not_written_is_found_out(
    postgres: Postgres, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A control: the statement may be under way still."""

    async def only_look(writer: BatchWriter, batch: Any, asked: Any, *seen: Any) -> None:
        if not await writer._found_out(batch, *seen):
            raise failed("it is not there")

    monkeypatch.setattr(BatchWriter, "_decide_doubt", only_look)
    place = postgres.place()
    async with opened(through(proxy, place)) as store:
        counting = Counting(store, numbered=False)
        await counting.one_more()
        async with locked(postgres, place, "records"):
            writing = asyncio.create_task(counting.one_more())
            await wait_in_line(postgres, place, 1)
            proxy.cut_all()
            with pytest.raises(RhtmxError, match="it is not there"):
                await writing
        async with asyncio.timeout(PATIENCE):
            while await counting.counted() == counting.done:
                pass


class Writing:
    """Writes one record after the other, each once.

    Args:
        store: where.
    """

    def __init__(self, store: PostgresStore) -> None:
        self._store = store
        self._number = 0

    async def write(self, more: int) -> None:
        """Write so many batches."""
        for _ in range(more):
            self._number += 1
            await self._store.commit(
                BatchNeeds(records=[("tasks", str(self._number))]), self._decide
            )

    def _decide(self, seen: Snapshot) -> BatchWrites:
        version = seen.heads["tasks"].version + 1
        one = record(str(self._number), version)
        return BatchWrites(
            records=[one],
            heads={"tasks": version},
            history=[HistoryEntry(one, Granularity.RECORDS, previous=None)],
        )


async def pages_of(store: PostgresStore, connection: Any, schema: str) -> int:
    """How many pages have been looked at so far, in all tables of a schema and their indexes."""
    await store.query(lambda session: session.run("SELECT pg_stat_force_next_flush()"))
    return int(
        await connection.fetchval(
            "SELECT sum(heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit) "
            "FROM pg_statio_user_tables WHERE schemaname = $1",
            schema,
        )
    )


async def test_a_batch_looks_at_no_more_pages_while_an_old_snapshot_is_open(
    postgres: Postgres,
) -> None:
    """As that of a dump: nothing that was replaced since can be cleaned away."""
    place = postgres.place()
    schema = place.rpartition("=")[2]
    connection: Any = await asyncpg.connect(postgres.url())
    old: Any = await asyncpg.connect(postgres.url())
    async with opened(place) as store:
        writing = Writing(store)
        await writing.write(20)
        async with old.transaction(isolation="repeatable_read"):
            await old.fetchval("SELECT count(*) FROM pg_class")
            looked_at = []
            for _ in range(2):
                await writing.write(10)
                before = await pages_of(store, connection, schema)
                await writing.write(50)
                looked_at.append(await pages_of(store, connection, schema) - before)
                await writing.write(BATCHES)
    await connection.close()
    await old.close()
    assert looked_at[0] > 0
    assert looked_at[1] < 1.5 * looked_at[0]
