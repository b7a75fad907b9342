"""The program's own reads and writes beside clients: over real sockets, on each store."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import rhtmx
from rhtmx_server import App, Config, ErrorCode, Grant, Request, RhtmxError
from rhtmx_server.access import claim
from tests.support.waiting import eventually

GRANTS = {
    "ada": Grant("ada", claims={"team": "red"}),
    "bob": Grant("bob", claims={"team": "blue"}),
    "cleo": Grant("cleo", claims={"team": ["red", "blue"]}),
}


async def test_a_client_sees_what_the_program_writes_and_the_program_what_a_client_writes(
    app: App,
) -> None:
    orders = app.collection("orders")
    async with rhtmx.connect(app.url) as client:
        mine = client.collection("orders")
        async with mine.changes() as told, orders.changes() as stream:
            await orders.set("1", {"goods": "tea", "count": 1})
            assert (await anext(told)).data == {"goods": "tea", "count": 1}
            await mine.patch("1", {"count": rhtmx.Increment(2)})
            row = await orders.get("1")
            assert row is not None
            assert row.data == {"goods": "tea", "count": 3}
            assert row.client_id == client.client_id
            found = [await anext(stream)]
            if found[-1].version < row.version:  # else both were there already
                found.append(await anext(stream))
            assert found[-1].data == row.data
            await mine.delete("1")
            assert (await anext(stream)).action == "delete"
            assert await orders.all() == []


async def test_threads_write_while_clients_and_a_stream_read_and_nothing_is_lost(app: App) -> None:
    last: dict[str, Any] = {}

    async def follow() -> None:
        async for change in app.collection("orders").changes(since=0):
            last[change.entity_id] = change.data

    def write(number: int) -> None:
        orders = app.sync.collection("orders", timeout=60)
        for value in range(5):
            orders.set(str(number), {"n": value})
        orders.patch("sum", {"n": rhtmx.Increment(1)})

    def all_at_once() -> None:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(write, range(20)))

    following = asyncio.create_task(follow())
    async with rhtmx.connect(app.url) as client:
        await asyncio.to_thread(all_at_once)
        expected = {**{str(each): {"n": 4} for each in range(20)}, "sum": {"n": 20}}
        await eventually(lambda: last == expected)
        assert {each.entity_id: each.data for each in await client.sync("orders")} == expected
        rows = await asyncio.to_thread(app.sync.collection("orders").all)
        assert {row.id: row.data for row in rows} == expected
    following.cancel()


def build(store: str) -> App:
    async def known(request: Request) -> Grant:
        return GRANTS[request.token]

    app = App(store=store, config=Config(port=0), authenticate=known)
    team = claim("team")
    app.entity("orders", partition=["team"]).access(read=team, create=team, update=team)
    return app


async def test_somebody_has_the_same_rights_by_the_program_as_by_a_socket(store: str) -> None:
    async with build(store) as app:
        hers = app.collection("orders", who=GRANTS["ada"])
        await hers.set("1", {"team": "red", "n": 1})
        async with rhtmx.connect(app.url, token="bob") as bob:
            await bob.collection("orders").set("2", {"team": "blue"})
            rows = [each.entity_id for each in await bob.sync("orders")]
            assert rows == [
                row.id for row in await app.collection("orders", who=GRANTS["bob"]).all()
            ]
            for write in (
                hers.set("3", {"team": "blue"}),
                bob.collection("orders").set("3", {"team": "red"}),
            ):
                with pytest.raises(RhtmxError) as caught:
                    await write
                assert caught.value.code is ErrorCode.FORBIDDEN
        async with rhtmx.connect(app.url, token="ada") as ada:
            history = await ada.collection("orders").history("1")
            assert [each.subject for each in history] == ["ada"]


async def test_a_record_that_a_client_moves_elsewhere_leaves_the_stream(store: str) -> None:
    async with build(store) as app:
        red = app.collection("orders", where={"team": "red"})
        await app.collection("orders").set("1", {"team": "red"})
        async with (
            red.changes(since=0) as stream,
            app.collection("orders", who=GRANTS["ada"]).changes(since=0) as hers,
            rhtmx.connect(app.url, token="cleo") as cleo,
        ):
            for each in (stream, hers):
                assert (await anext(each)).data == {"team": "red"}
            await cleo.collection("orders").patch("1", {"team": "blue"})
            for each in (stream, hers):
                change = await anext(each)
                assert (change.action, change.left, change.data) == ("delete", True, None)


async def test_a_position_counts_after_a_restart_and_beside_a_client(store: str) -> None:
    app = build(store)
    async with app:
        await app.collection("orders").set("1", {"team": "red"})
        stream = app.collection("orders", who=GRANTS["ada"]).changes(since=0)
        async for _ in stream:
            break
        position = stream.position
    async with app, rhtmx.connect(app.url, token="ada") as ada:
        await app.collection("orders").set("2", {"team": "red"})
        again = app.collection("orders", who=GRANTS["ada"]).changes(since=position)
        async for change in again:
            assert change.entity_id == "2"
            break
        async for change in ada.collection("orders").changes(since=position):
            assert change.entity_id == "2"  # of the same scope, so it counts for a client, too
            break
