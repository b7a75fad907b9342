"""Transactions: all of a transaction or none, and nobody who reads ever sees a half."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, Literal

import pytest

import rhtmx
from rhtmx.api.client import Client
from rhtmx.core.early_news import EarlyNews
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server import App, Config
from tests.support.flaky import Flaky

COUNT = 100
GRAINS = ["records", "fields"]


@pytest.fixture
async def app(store: str) -> AsyncIterator[App]:
    app = App(store=store, config=Config(port=0, heartbeat=1.0))
    for entity in ("orders", "lines", "stock"):
        app.entity(entity)
    async with app:
        yield app


def the_pair(client: Client, grain: Literal["records", "fields"]) -> tuple[Any, Any]:
    return (
        client.collection("orders", granularity=grain),
        client.collection("lines", granularity=grain),
    )


def halves(orders: Any, lines: Any, ids: range = range(3)) -> Iterator[tuple[Any, Any]]:
    """What is shown of one and not of the other."""
    for number in map(str, ids):
        pair = [shown and shown.data["n"] for shown in (orders.get(number), lines.get(number))]
        if pair[0] != pair[1]:
            yield pair[0], pair[1]


@contextmanager
def looking(client: Client, orders: Any, lines: Any, seen: list[Any]) -> Iterator[None]:
    """Look after each message, which is more often than an application can."""
    session = client._runtime.session
    step = session.step

    def look(*args: Any, **more: Any) -> Any:
        result = step(*args, **more)
        seen.extend(halves(orders, lines))
        return result

    session.step = look  # type: ignore[method-assign]
    yield
    session.step = step  # type: ignore[method-assign]


async def write_pairs(client: Client, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Write orders, each with its line: three transactions at a time, which lie in one tick."""
    for n in range(1, COUNT + 1):
        for number in "012":
            with client.transaction() as both:
                both.patch("orders", number, {"n": n})
                both.set("lines", number, {"n": n})
        await both.writing
        if n % 10 == 0:
            meanwhile()


async def read_to_the_end(orders: Any, lines: Any) -> None:
    async for _ in orders.subscribe():
        if orders.get("0") and orders.get("0").data["n"] == COUNT:
            assert list(halves(orders, lines)) == []
            return


@pytest.mark.parametrize("grain", GRAINS)
async def test_who_reads_all_the_time_never_sees_half_of_one(
    app: App, grain: Literal["records", "fields"]
) -> None:
    seen: list[Any] = []
    async with rhtmx.connect(app.url) as writer, rhtmx.connect(app.url) as reader:
        orders, lines = the_pair(reader, grain)
        await orders.synced()
        await lines.synced()
        with looking(reader, orders, lines, seen):
            await write_pairs(writer)
            await read_to_the_end(orders, lines)
    assert seen == []


@pytest.mark.parametrize("grain", GRAINS)
async def test_not_even_over_a_network_that_is_cut_all_the_time(
    app: App, grain: Literal["records", "fields"], tmp_path: Path
) -> None:
    seen: list[Any] = []
    proxy = Flaky(app.url, Random(7), lambda *_: None)

    async with proxy.running(), rhtmx.connect(app.url) as writer:
        address = proxy.url("ada")
        async with rhtmx.connect(address, store=tmp_path / "kept.db") as reader:

            def cut() -> None:
                for link in list(proxy.links):
                    link.cut()
                reader.online()

            orders, lines = the_pair(reader, grain)
            await orders.synced()
            await lines.synced()
            with looking(reader, orders, lines, seen):
                await write_pairs(writer, cut)
                await read_to_the_end(orders, lines)
    assert seen == []
    assert proxy.count > 2, "it has connected again"


@pytest.mark.parametrize("test", ["all the time", "cut"])
async def test_a_client_that_shows_what_comes_when_it_comes_sees_halves(
    app: App, test: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the tests above find a client that shows transactions change by change."""
    monkeypatch.setattr(EarlyNews, "keeps", lambda self, entity, news: False)
    if test == "cut":
        reading = test_not_even_over_a_network_that_is_cut_all_the_time(app, "records", tmp_path)
    else:
        reading = test_who_reads_all_the_time_never_sees_half_of_one(app, "records")
    with pytest.raises(AssertionError, match=r"assert \[\("):
        await reading


async def test_it_is_made_offline_and_written_when_there_is_a_connection(app: App) -> None:
    async with rhtmx.connect(app.url) as client:
        orders, lines = the_pair(client, "records")
        await orders.synced()
        await lines.synced()
        client.offline()
        with client.transaction() as both:
            both.set("orders", "0", {"n": 1})
            both.patch("stock", "tea", {"left": rhtmx.Increment(-1)})
        assert orders.get("0").data == {"n": 1}
        (pending,) = client.queue
        assert (pending.action, [each.entity for each in pending.writes]) == (
            "transaction",
            ["orders", "stock"],
        )
        client.online()
        result = await both.writing
        assert [each.version for each in result.results] == [1, 1]
        stock = await app.changes.get("stock", "tea")
        assert stock is not None
        assert stock.data == {"left": -1}


async def test_one_write_that_is_rejected_rejects_all_and_each_reason_is_told(app: App) -> None:
    await app.changes.push("orders", "0", {"n": 0})
    async with rhtmx.connect(app.url) as client:
        both = client.transaction()
        both.set("lines", "0", {"n": 1})
        both.set("orders", "0", {"n": 1}, base_version=0)
        with both:
            pass
        with pytest.raises(RhtmxError, match=r"writes\[1\] \(orders/0\)") as caught:
            await both.writing
        assert caught.value.code is ErrorCode.CONFLICT
        (rejected,) = client.rejected
        assert [each.entity for each in rejected.writes] == ["lines", "orders"]
        assert await app.changes.get("lines", "0") is None
        with pytest.raises(RhtmxError, match=r"writes\[1\]"):
            await rejected.retry()
        await app.changes.delete("orders", "0")
        (rejected,) = client.rejected
        result = await rejected.retry()
        assert isinstance(result, rhtmx.TransactionResult)
        assert await app.changes.get("lines", "0") is not None


async def test_a_block_that_raises_writes_nothing(app: App) -> None:
    async with rhtmx.connect(app.url) as client:
        with pytest.raises(ZeroDivisionError):
            async with client.transaction() as both:
                both.set("lines", "0", {"n": 1 // 0})
        assert client.queue == ()
        assert await app.changes.get("lines", "0") is None


async def test_what_is_sent_again_takes_effect_once(app: App) -> None:
    """The answer is lost with the connection, each time that there is one."""
    async with rhtmx.connect(app.url) as client:
        for _ in range(20):
            with client.transaction() as both:
                both.patch("stock", "tea", {"left": rhtmx.Increment(1)})
                both.patch("orders", "0", {"count": rhtmx.Increment(1)})
            await asyncio.sleep(0)
            client.offline()
            client.online()
        await both.writing
        stock, order = await app.changes.get("stock", "tea"), await app.changes.get("orders", "0")
        assert stock is not None
        assert order is not None
        assert (stock.data, order.data) == ({"left": 20}, {"count": 20})
