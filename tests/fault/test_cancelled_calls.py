"""A call that is cancelled, at whichever await, leaves its client usable and nothing behind."""

from __future__ import annotations

import asyncio
import os
import threading
import types
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import pytest

import rhtmx
from rhtmx_server import App, Config
from tests.support.sockets import PATIENCE
from tests.support.waiting import eventually

Call: TypeAlias = Callable[[rhtmx.Client], Coroutine[Any, Any, object]]

MOST_AWAITS = 40
"""No call waits so often."""

RHTMX = str(Path(rhtmx.__file__).parent)


@pytest.fixture
async def app() -> AsyncIterator[App]:
    """A running server."""
    app = App(store="memory://", config=Config(port=0))
    app.entity("tasks")
    app.form("signup").field("name", required=True)
    async with app:
        yield app


@types.coroutine
def cancelled_at(number: int, call: Coroutine[Any, Any, object]) -> Generator[Any, Any, bool]:
    """Run a call, and cancel its task as it waits for the n-th time; returns whether it did."""
    step: Callable[[], Any] = partial(call.send, None)
    waits = 0
    while True:
        try:
            awaited = step()
        except (StopIteration, asyncio.CancelledError):
            return waits > number
        if waits == number:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()  # it cancels what is awaited now
        waits += 1
        try:
            yield awaited
            step = partial(call.send, None)
        except BaseException as error:
            step = partial(call.throw, error)


async def cut(number: int, call: Coroutine[Any, Any, object]) -> bool:
    """The same in a task of its own, so that only the call is cancelled."""

    async def run() -> bool:
        return await cancelled_at(number, call)

    return await asyncio.create_task(run())


async def push(client: rhtmx.Client) -> None:
    await client.push("tasks", "1", {"n": 1})


async def stored(client: rhtmx.Client) -> None:
    await client.push_fields("tasks", "1", {"n": 2}).stored()


async def saved(client: rhtmx.Client) -> None:
    client.delete("tasks", "2")
    await client.saved()


async def transaction(client: rhtmx.Client) -> None:
    async with client.transaction() as both:
        both.set("tasks", "1", {"n": 1})
        both.set("tasks", "2", {"n": 1})


async def undo(client: rhtmx.Client) -> None:
    tasks = client.collection("tasks")
    result = await tasks.patch("1", {"n": rhtmx.Increment(1)})
    assert result.version
    await tasks.undo("1", result.version)


async def ask(client: rhtmx.Client) -> None:
    await client.validate_field("signup", "name", "ada")
    await client.validate_form("signup", {"name": "ada"}, live=True)
    client.close_form("signup")


async def synced(client: rhtmx.Client) -> None:
    async with client.collection("tasks") as tasks:
        await tasks.synced()


async def subscribe(client: rhtmx.Client) -> None:
    async with client.collection("tasks") as tasks:
        writing = tasks.patch("1", {"n": rhtmx.Increment(1)})
        async for rows in tasks.subscribe():
            if not any(row.pending for row in rows):
                break
        await writing


async def changes(client: rhtmx.Client) -> None:
    async for _ in client.changes("tasks", since=0):
        break


async def entered_changes(client: rhtmx.Client) -> None:
    async with client.changes("tasks") as stream:
        client.push("tasks", "1", {"n": 1})
        await anext(stream)


async def sync(client: rhtmx.Client) -> None:
    await client.sync("tasks")


async def queues(client: rhtmx.Client) -> None:
    client.push("tasks", "1", {"n": 1})
    async for queue in client.queues():
        if not queue:
            break


async def room(client: rhtmx.Client) -> None:
    async with client.room("tasks/1").joined({"name": "ada"}) as room:
        async for members in room.subscribe():
            if members:
                break


def tasks_of_clients() -> set[asyncio.Task[Any]]:
    return {each for each in asyncio.all_tasks() if RHTMX in repr(each)}  # where it runs


def leftovers() -> list[str]:
    """The tasks, threads and files of clients."""
    files = []
    for each in os.listdir("/proc/self/fd"):
        try:
            files.append(os.readlink(f"/proc/self/fd/{each}"))
        except OSError:
            continue  # the folder that is listed
    threads = [each.name for each in threading.enumerate() if "rhtmx-store" in each.name]
    databases = [each for each in files if "replica.db" in each]
    return [*map(str, tasks_of_clients()), *threads, *databases]


CALLS = (
    *(push, stored, saved, transaction, undo, ask, synced, subscribe, changes),
    *(entered_changes, sync, queues, room),
)


@pytest.mark.parametrize("call", CALLS)
async def test_a_client_goes_on_after_a_call_that_was_cancelled(
    app: App, tmp_path: Path, call: Call
) -> None:
    async with (
        asyncio.timeout(PATIENCE),
        rhtmx.connect(app.url, store=tmp_path / "replica.db") as client,
    ):
        await transaction(client)
        before = tasks_of_clients()
        for number in range(MOST_AWAITS):
            came_to_it = await cut(number, call(client))
            await push(client)
            await stored(client)
            if not came_to_it:
                break
        else:
            raise AssertionError("it waits more often than that")
        assert number, "it did not wait at all"
        await eventually(lambda: not client.queue)
        await synced(client)
        await sync(client)
        if call is not ask:  # whose form stays open
            await eventually(lambda: tasks_of_clients() <= before)
    await eventually(lambda: not leftovers())


async def close(client: rhtmx.Client, number: int) -> bool:
    await client.__aenter__()
    client.push("tasks", str(number), {"n": number})
    return await cut(number, client.close())


async def enter(client: rhtmx.Client, number: int) -> bool:
    return await cut(number, client.__aenter__())


@pytest.mark.parametrize("cut_short", [enter, close])
@pytest.mark.parametrize("kept", [False, True])
async def test_to_close_a_client_leaves_nothing_behind_wherever_it_was_cancelled(
    app: App,
    tmp_path: Path,
    cut_short: Callable[[rhtmx.Client, int], Coroutine[Any, Any, bool]],
    kept: bool,
) -> None:
    async with asyncio.timeout(PATIENCE):
        for number in range(MOST_AWAITS):
            client = rhtmx.connect(app.url, store=tmp_path / "replica.db" if kept else None)
            came_to_it = await cut_short(client, number)
            await client.close()
            await eventually(lambda: not leftovers())
            if not came_to_it:
                break
        assert number
        if kept and cut_short is close:
            async with rhtmx.connect(app.url, store=tmp_path / "replica.db") as client:
                await eventually(lambda: not client.queue)
                written = {change.entity_id for change in await client.sync("tasks")}
            assert written == {str(each) for each in range(number + 1)}
