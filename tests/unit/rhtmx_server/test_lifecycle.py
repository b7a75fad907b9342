"""An app's server runs once at a time, and in one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.failures import WrongLoopError
from rhtmx_server.lifecycle import Lifecycle
from rhtmx_server.server import RunningServer


class Server:
    """Notes what it is told, and stops when it may."""

    def __init__(self, notes: list[str]) -> None:
        self.notes = notes
        self.started = False
        self.asgi: Any = object()
        self.may_stop = asyncio.Event()
        self.may_stop.set()

    async def start(self, *, listens: bool) -> str:
        await asyncio.sleep(0)
        self.notes.append("started")
        self.started = True
        return ""

    async def stop(self) -> None:
        await self.may_stop.wait()
        self.notes.append("stopped")

    def disconnect(self, subject: str) -> None:
        assert asyncio.get_running_loop()
        self.notes.append(f"disconnected {subject}")


class Life(Lifecycle):
    """One whose servers note what they are told."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[str] = []

    async def begin(self) -> Server:
        await self.start(lambda: cast(RunningServer, Server(self.notes)), listens=False)
        return cast(Server, self.server)


def disconnect(subject: str) -> Callable[[RunningServer], None]:
    return lambda server: server.disconnect(subject)


async def test_a_second_server_is_refused() -> None:
    life = Life()
    await life.begin()
    with pytest.raises(RuntimeError, match="running already"):
        await life.begin()


async def test_a_start_waits_until_the_last_server_has_stopped() -> None:
    life = Life()
    first = await life.begin()
    first.may_stop.clear()
    stopping = asyncio.create_task(life.stop())
    await asyncio.sleep(0)
    second = asyncio.create_task(life.begin())
    await asyncio.sleep(0)
    assert life.notes == ["started"], "two servers on one store would refuse each other"
    first.may_stop.set()
    await stopping
    await second
    assert life.notes == ["started", "stopped", "started"]


async def test_what_a_thread_wants_is_done_in_the_loop() -> None:
    life = Life()
    await life.begin()
    life.call(disconnect("ada"))
    assert life.notes[-1] == "disconnected ada", "at once, where it is called from there"
    await asyncio.to_thread(life.call, disconnect("bob"))
    await asyncio.sleep(0)
    assert life.notes[-1] == "disconnected bob"


async def test_another_loop_is_told_where_to_call() -> None:
    life = Life()
    server = await life.begin()

    async def elsewhere() -> None:
        asked: list[Callable[[], Any]] = [lambda: life.running, life.door]
        for ask in asked:
            with pytest.raises(WrongLoopError, match=r"app\.sync"):
                ask()
        with pytest.raises(WrongLoopError, match="another event loop"):
            await life.stop()

    await asyncio.to_thread(asyncio.run, elsewhere())
    assert life.door() is server.asgi


async def test_a_thread_may_hold_what_it_hands_to_the_loop() -> None:
    life = Life()
    await life.begin()
    assert await asyncio.to_thread(lambda: life.running) is life.server


async def test_without_a_server_nothing_is_done() -> None:
    life = Life()
    with pytest.raises(RhtmxError) as refused:
        await asyncio.to_thread(life.call, disconnect("ada"))
    assert refused.value.code is ErrorCode.SHUTTING_DOWN
    await life.stop()


def test_an_app_runs_in_one_loop_after_the_other() -> None:
    life = Life()

    async def once() -> None:
        await life.begin()
        await life.stop()

    asyncio.run(once())
    asyncio.run(once())
    assert life.notes == ["started", "stopped"] * 2
