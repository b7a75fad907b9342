"""What an application wrote from its own SQL takes effect once, whatever becomes of the servers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rhtmx.errors import RhtmxError
from rhtmx_server.leadership import Leadership
from rhtmx_server.model import Granularity, HistoryEntry
from rhtmx_server.ports import BatchNeeds, BatchWrites, Snapshot
from rhtmx_server.sql_writes import EVERYTHING
from rhtmx_server.stores.postgres import PostgresStore
from tests.contract.builders import record
from tests.fault.cut_connections import Proxy, in_front_of
from tests.support.application import Application
from tests.support.nodes import Spread
from tests.support.postgres import Postgres
from tests.support.process import ServerProcess, serving
from tests.support.sockets import PATIENCE, raw

KILLS = int(os.environ.get("RHTMX_KILLS", "5"))
CUTS = int(os.environ.get("RHTMX_CUTS", "60"))
"""As many as are wanted, for a campaign."""

BYTES = 1000
"""About as many as a commit sends."""


@pytest.fixture
def place(postgres: Postgres) -> str:
    return postgres.place()


class Shop:
    """Writes, in each transaction a record of two entities; some are rolled back.

    Args:
        application: by which.
        seed: of what it does.

    Attributes:
        written: how many transactions are committed.
    """

    def __init__(self, application: Application, seed: int = 0) -> None:
        self._application = application
        self._chance = random.Random(seed)
        self.written = 0

    async def write(self, count: int) -> None:
        for _ in range(count):
            transaction = self._application.transaction()
            await transaction.start()
            name = f"{id(self)} {self.written}"
            await self._application.call(f"push('orders', '{name}', '1')")
            await self._application.call(f"push_fields('carts', '{name}', '{{\"a\": 1}}')")
            if self._chance.random() < 0.2:
                await transaction.rollback()
            else:
                await transaction.commit()
                self.written += 1

    async def is_applied(self) -> bool:
        """Whether nothing waits, and nothing was rejected."""
        assert await self._application.rows("SELECT FROM {}.rejected") == []
        return not await self._application.rows("SELECT FROM {}.outbox LIMIT 1")

    async def applied(self) -> None:
        async with asyncio.timeout(PATIENCE):
            while not await self.is_applied():
                pass

    async def heads(self) -> dict[str, int]:
        """How many versions there are: each write makes one."""
        rows = await self._application.rows(
            "SELECT entity, max(upto) AS upto FROM {}.log GROUP BY entity"
        )
        return {row["entity"]: row["upto"] for row in rows}


async def test_a_server_that_is_killed_loses_nothing_and_doubles_nothing(
    place: str, tmp_path: Path
) -> None:
    tables = PostgresStore(place)
    await tables.open()
    await tables.close()
    async with Application.at(place) as application:
        shop, chance = Shop(application), random.Random(1)
        for _ in range(KILLS):
            async with serving("--store", place, folder=tmp_path) as server:
                await shop.write(chance.randrange(5, 60))
                await server.kill()
        async with serving("--store", place, folder=tmp_path):
            await shop.applied()
        assert await shop.heads() == {"orders": shop.written, "carts": shop.written}


def leads(server: ServerProcess) -> bool:
    with urllib.request.urlopen(f"{server.http}/metrics") as answer:
        return "\nrhtmx_leads 1.0" in answer.read().decode()


async def test_when_the_leader_is_killed_another_one_goes_on_where_it_was(
    place: str, tmp_path: Path
) -> None:
    shared = ("--store", place, "--bus", "notify:")
    async with contextlib.AsyncExitStack() as stack:
        servers = [
            await stack.enter_async_context(serving(*shared, folder=tmp_path)) for _ in range(2)
        ]
        shop = Shop(await stack.enter_async_context(Application.at(place)))
        async with asyncio.timeout(PATIENCE):
            while not (leading := [s for s in servers if await asyncio.to_thread(leads, s)]):
                pass
        (leader,) = leading
        (other,) = [each for each in servers if each is not leader]
        reader = await stack.enter_async_context(raw(other.url))
        await reader.ask({"type": "hello", "client_id": "reader"}, "welcome")
        await reader.send({"type": "subscribe", "entities": ["orders", "carts"]})
        await reader.settle()
        await shop.write(50)
        await reader.until("change")
        await leader.kill()
        await shop.write(50)
        # Its lease would end in ten seconds.
        await shop._application.run("DELETE FROM {}.meta WHERE key = 'leader'")
        await shop.applied()
        assert await shop.heads() == {"orders": shop.written, "carts": shop.written}
        told: list[Any] = []
        while len(told) < 2 * shop.written:
            await reader.until("change")
            told = [m["change"] for m in reader.log if m["type"] == "change"]
        assert len({(each["entity"], each["entity_id"]) for each in told}) == len(told)


async def test_two_that_take_themselves_for_the_leader_apply_each_write_once(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Leadership, "__call__", lambda self: True)
    async with Spread(place, 3), contextlib.AsyncExitStack() as stack:
        shops = [
            Shop(await stack.enter_async_context(Application.at(place)), seed) for seed in range(3)
        ]
        await asyncio.gather(*(shop.write(60) for shop in shops))
        await shops[0].applied()
        written = sum(shop.written for shop in shops)
        assert await shops[0].heads() == {"orders": written, "carts": written}


def through(proxy: Proxy, url: str) -> str:
    """The same database, by way of the proxy."""
    head, _, rest = url.partition("?host=")
    return f"{head}?host={proxy.folder}&{rest.partition('&')[2]}"


def applying(ids: list[int]) -> tuple[BatchNeeds, Callable[[Snapshot], BatchWrites]]:
    """What counts the rows that are there, in one record."""

    def decide(snapshot: Snapshot) -> BatchWrites:
        if not snapshot.sql_rows:
            return BatchWrites()
        before = snapshot.records.get(("tasks", "1"))
        count = int((before.data if before else None) or b"0") + len(snapshot.sql_rows)
        version = snapshot.heads["tasks"].version + 1
        made = record("1", version, b"%d" % count)
        return BatchWrites(
            records=[made],
            heads={"tasks": version},
            history=[HistoryEntry(made, Granularity.RECORDS, previous=version - 1)],
            sql_rows=snapshot.sql_rows,
        )

    return BatchNeeds(records=[("tasks", "1")], sql_rows=ids), decide


async def test_a_connection_that_is_cut_while_rows_are_applied_applies_them_once(
    postgres: Postgres, place: str
) -> None:
    chance = random.Random(7)
    async with in_front_of(postgres.folder) as proxy, Application.at(place) as application:
        store = PostgresStore(through(proxy, place), shared=True)
        await store.open()
        for _ in range(CUTS):
            await application.call("push('tasks', '1', '1')")
            look = await store.sql_look(EVERYTHING)
            page = await store.sql_page(look.transactions, 500)
            proxy.arm(chance.randint(0, BYTES), downward=chance.random() < 0.7)
            with contextlib.suppress(RhtmxError):
                await store.commit(*applying([each.id for each in page.writes]))
            proxy.disarm()
        assert proxy.cuts > CUTS / 4
        look = await store.sql_look(EVERYTHING)
        page = await store.sql_page(look.transactions, 500)
        await store.commit(*applying([each.id for each in page.writes]))
        found = await store.record("tasks", "1")
        assert found is not None
        assert found.data == b"%d" % CUTS
        await store.close()
