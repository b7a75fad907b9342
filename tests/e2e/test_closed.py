"""What waits when a client is closed ends with it, and what is begun later does at once."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

import rhtmx
from rhtmx_server import App, Config
from tests.support.sockets import PATIENCE

ITERATIONS: dict[str, Callable[[rhtmx.Client], AsyncIterator[Any]]] = {
    "rows": lambda client: client.collection("tasks").subscribe(),
    "selected rows": lambda client: client.collection("tasks").subscribe(lambda row: False),
    "rows of another entity": lambda client: client.collection("notes").subscribe(),
    "changes": lambda client: aiter(client.collection("tasks").changes()),
    "changes from the start": lambda client: aiter(client.changes("tasks", since=0)),
    "field changes": lambda client: aiter(client.field_changes("fields")),
    "queues": lambda client: client.queues(),
    "rejections": lambda client: client.rejections(),
    "conflicts": lambda client: client.conflicts(),
}


async def end(iteration: AsyncIterator[Any]) -> rhtmx.ConnectionClosed:
    """How an iteration ends."""
    with pytest.raises(rhtmx.ConnectionClosed) as caught:
        async for _ in iteration:
            pass
    return caught.value


@pytest.fixture
async def app() -> AsyncIterator[App]:
    async with App(store="memory://", config=Config(port=0, grpc_port=0), undeclared=True) as app:
        yield app


@pytest.mark.parametrize("offline", [False, True])
@pytest.mark.parametrize("stored", [False, True])
async def test_every_iteration_of_a_closed_client_raises_that_it_was_closed(
    app: App, tmp_path: Path, stored: bool, offline: bool
) -> None:
    store = tmp_path / "client.db" if stored else None
    async with asyncio.timeout(PATIENCE), rhtmx.connect(app.url, store=store) as client:
        await client.collection("tasks").synced()
        if offline:
            client.offline()
        waiting = [asyncio.create_task(end(make(client))) for make in ITERATIONS.values()]
        await asyncio.sleep(0)
        await client.close()
        for told in await asyncio.gather(*waiting):
            assert told.message == "the client was closed"
        for make in ITERATIONS.values():
            assert (await end(make(client))).message == "the client was closed"
        assert [each.value async for each in client.states()] == ["closed"]


async def test_the_iterations_of_a_collection_that_is_closed_end_and_no_new_one_begins(
    app: App,
) -> None:
    async with asyncio.timeout(PATIENCE), rhtmx.connect(app.url) as client:
        tasks = client.collection("tasks")
        seen = [len(rows) async for rows in closing(tasks, tasks.subscribe())]
        assert seen == [0]
        with pytest.raises(rhtmx.RhtmxError, match="this collection of 'tasks' was closed"):
            await anext(tasks.subscribe())


async def closing(tasks: rhtmx.Collection, rows: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """Closes a collection as soon as its rows have come."""
    async for each in rows:
        yield each
        tasks.close()


async def test_what_a_closed_client_raises_does_not_grow_each_time(app: App) -> None:
    async with rhtmx.connect(app.url) as client:
        tasks = client.collection("tasks")
        await tasks.synced()
    lengths = []
    for _ in range(3):
        for call in (lambda: tasks.set("1", {}), lambda: client.sync("tasks")):
            with pytest.raises(rhtmx.ConnectionClosed) as caught:
                await call()
            lengths.append(len(traceback.extract_tb(caught.value.__traceback__)))
        lengths.append(len(traceback.extract_tb((await end(tasks.subscribe())).__traceback__)))
    assert lengths[:3] * 3 == lengths


async def test_a_watch_of_a_closed_backend_raises_that_it_was_closed(app: App) -> None:
    async with asyncio.timeout(PATIENCE), rhtmx.backend(app.grpc_address) as trackers:
        async with trackers.watch("tasks") as watch:
            waiting = asyncio.create_task(end(watch))
            await asyncio.sleep(0)
            await trackers.close()
            assert (await waiting).message == "the client was closed"
        for later in (trackers.watch("tasks", since=0), trackers.push_many([])):
            assert (await end(aiter(later))).message == "the client was closed"
