"""Transactions at every door: all of their writes or none, told together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any

import pytest

import rhtmx
from rhtmx import Increment
from rhtmx_server import App, Change, Config, ErrorCode, Grant, Request, RhtmxError
from rhtmx_server.access import claim
from tests.support.sockets import PATIENCE, raw

CANARY = "canary"


async def rejection(transaction: AbstractAsyncContextManager[Any]) -> RhtmxError:
    """Why it was rejected, at the end of its block."""
    with pytest.raises(RhtmxError) as caught:
        async with transaction:
            pass
    return caught.value


@pytest.fixture
async def app(store: str) -> AsyncIterator[App]:
    """A running server that takes any entity."""
    async with App(store=store, config=Config(port=0, grpc_port=0), undeclared=True) as app:
        yield app


async def test_the_program_writes_several_records_together(app: App) -> None:
    await app.changes.push("stock", "tea", {"left": 3})
    await app.changes.push("carts", "7", {})
    async with app.transaction(client_id="shop") as order:
        order.set("orders", "7", {"goods": "tea"})
        order.patch("stock", "tea", {"left": Increment(-1)})
        order.delete("carts", "7")
    assert [each.version for each in order.result.results] == [1, 2, 2]
    assert order.result.transaction
    stock, made = await app.changes.get("stock", "tea"), await app.changes.get("orders", "7")
    assert stock is not None
    assert made is not None
    assert (stock.data, made.data, made.client_id) == ({"left": 2}, {"goods": "tea"}, "shop")
    assert await app.changes.get("carts", "7") is None


async def test_one_write_of_the_program_that_is_rejected_rejects_all(app: App) -> None:
    await app.changes.push("orders", "7", {"goods": "milk"})
    order = app.transaction()
    order.patch("stock", "tea", {"left": Increment(-1)})
    order.set("orders", "7", {"goods": "tea"}, base_version=0)
    error = await rejection(order)
    assert error.code is ErrorCode.CONFLICT
    assert "transaction.writes[1] (orders/7)" in error.message
    assert await app.changes.get("stock", "tea") is None
    assert len(await app.history("stock")) == 0


async def test_one_without_a_write_does_nothing_at_every_door(app: App) -> None:
    async with (
        rhtmx.connect(app.url) as client,
        rhtmx.backend(app.grpc_address, client_id="till", client_secret="s") as trackers,
        asyncio.timeout(PATIENCE),
    ):
        for empty in (app.transaction(), client.transaction(), trackers.transaction()):
            async with empty:
                pass
            assert empty.result == rhtmx.TransactionResult("", (), duplicate=False)
        client.offline()
        with client.transaction() as waits_for_nothing:
            pass
        await waits_for_nothing.writing.stored()
        assert await waits_for_nothing.writing == empty.result
        assert len(client.queue) == 0
        for numbered in (app.transaction(client_id="shop", seq=1), trackers.transaction(seq=1)):
            error = await rejection(numbered)
            assert error.code is ErrorCode.BAD_MESSAGE, "else the server would miss the number"


async def test_a_numbered_one_of_the_program_takes_effect_once(app: App) -> None:
    numbered: Any = {"client_id": "shop", "seq": 1, "timestamp": datetime.now(UTC)}
    results = []
    for _ in range(2):
        async with app.transaction(**numbered) as one:
            one.patch("stock", "tea", {"left": Increment(5)})
            one.set("orders", "7", 1)
        results.append(one.result)
    first, again = results
    assert (first.duplicate, again.duplicate) == (False, True)
    assert (again.transaction, [each.version for each in again.results]) == (
        first.transaction, [1, 1],
    )  # fmt: skip


async def test_hooks_are_told_of_each_of_its_commits(store: str) -> None:
    app, told = App(store=store, config=Config(port=0), undeclared=True), asyncio.Queue[Change]()
    app.on_commit(told.put)
    async with app, asyncio.timeout(PATIENCE):
        async with app.transaction() as both:
            both.set("orders", "7", 1)
            both.set("lines", "7-1", 2)
        got = {(change.entity, change.data) for change in [await told.get(), await told.get()]}
    assert got == {("orders", 1), ("lines", 2)}


async def test_a_backend_writes_several_records_together_and_clients_see_it(app: App) -> None:
    async with (
        rhtmx.connect(app.url) as client,
        client.collection("orders") as orders,
        client.collection("stock") as stock,
        rhtmx.backend(app.grpc_address, client_id="till", client_secret="s") as trackers,
        asyncio.timeout(PATIENCE),
    ):
        await orders.synced()
        await stock.synced()
        async with trackers.transaction(seq=1) as order:
            order.set("orders", "7", {"goods": "tea"})
            order.patch("stock", "tea", {"left": Increment(-1)})
        for read, data in ((orders, {"goods": "tea"}), (stock, {"left": -1})):
            async for rows in read.subscribe():
                if rows:
                    assert [row.data for row in rows] == [data]
                    break
        assert [each.version for each in order.result.results] == [1, 1]


@pytest.mark.parametrize("door", ["program", "gRPC"])
async def test_a_live_reader_gets_all_of_it_and_then_its_end(app: App, door: str) -> None:
    async with raw(app.url) as reader, rhtmx.backend(app.grpc_address) as trackers:
        await reader.send({"type": "hello"})
        await reader.send({"type": "subscribe", "entities": ["orders", "lines"]})
        await reader.settle()
        async with app.transaction() if door == "program" else trackers.transaction() as order:
            order.set("orders", "7", {"goods": "tea"})
            order.set("lines", "7-1", {"order": "7"})
            order.set("notes", "1", "which nobody reads")
        messages = [await reader.receive() for _ in range(3)]
    assert sorted(each["type"] for each in messages[:2]) == ["change", "change"]
    assert {each["change"]["entity"] for each in messages[:2]} == {"orders", "lines"}
    name = order.result.transaction
    assert [each["change"]["transaction"] for each in messages[:2]] == [name, name]
    assert messages[2] == {"type": "transaction_complete", "transaction": name}


@pytest.mark.parametrize("path", ["/api/sync/ws", "/api/field-sync/ws"])
async def test_the_old_endpoints_do_not_have_it(app: App, path: str) -> None:
    write = {"entity": "orders", "entity_id": "7", "action": "update", "data": 1}
    async with raw(app.url.replace("/api/ws", path)) as client:
        await client.send({"type": "transaction", "writes": [write]})
        answer = await client.receive()
    assert answer["type"] == "error"
    assert await app.changes.get("orders", "7") is None


# Rights.


async def _team(request: Request) -> Grant:
    return Grant(request.token or "", claims={"team": (request.token or "").partition("-")[0]})


@pytest.fixture
async def divided(store: str) -> AsyncIterator[App]:
    """A server of two teams, who may each see and write what is their own."""
    app = App(store=store, config=Config(port=0, grpc_port=0), authenticate=_team)
    app.entity("tasks", partition=["team"]).access(all=claim("team"))
    app.entity("notes", partition=["team"]).access(all=claim("team"))
    async with app:
        yield app


async def test_a_write_to_what_is_another_teams_rejects_all_at_every_door(divided: App) -> None:
    await divided.changes.push("notes", "1", {"team": "blue", "text": CANARY})
    async with (
        rhtmx.backend(divided.grpc_address, token="red") as trackers,
        rhtmx.connect(divided.url, token="red") as client,
    ):
        for both in (trackers.transaction(), client.transaction()):
            both.set("tasks", "1", {"team": "red"})
            both.patch("notes", "1", {"text": "mine"})
            error = await rejection(both)
            assert error.code is ErrorCode.FORBIDDEN
            assert CANARY not in f"{error!r} {error.__dict__}"
            assert b'"index":1,"code":"forbidden"' in (error.details or b"")
    assert await divided.changes.get("tasks", "1") is None


async def test_of_a_transaction_each_reader_is_told_what_is_theirs(divided: App) -> None:
    async with (
        rhtmx.connect(divided.url, token="red") as red,
        rhtmx.connect(divided.url, token="blue") as blue,
        red.collection("tasks") as reds,
        blue.collection("tasks") as blues,
        asyncio.timeout(PATIENCE),
    ):
        await reds.synced()
        await blues.synced()
        async with divided.transaction() as both:
            both.set("tasks", "1", {"team": "red", "n": 1})
            both.set("tasks", "2", {"team": "blue", "n": 1})
            both.set("notes", "1", {"team": "blue", "n": 1})
        for mine, entity_id, other in ((reds, "1", "2"), (blues, "2", "1")):
            async for rows in mine.subscribe():
                if rows:
                    assert [row.id for row in rows] == [entity_id]
                    break
            assert mine.get(other) is None
