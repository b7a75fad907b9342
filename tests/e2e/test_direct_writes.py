"""Changes written past the transports reach those whom they are for, whole and in order.

On both loops: a transport of uvloop closes its descriptor in another way than one of asyncio.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from rhtmx_server import App, Config
from rhtmx_server.connections.connection import Connection
from rhtmx_server.delivery.direct import send_each
from rhtmx_server.delivery.io_uring import fastest
from tests.support.sockets import Raw, raw
from tests.support.waiting import eventually

LIMITS = Config(port=0, messages_per_second=0, bytes_per_second=0, outbox=64 * 1024)

Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    def run(scenario: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(asyncio.wait_for(scenario, 60))

    return run


def connections(app: App) -> list[Connection]:
    return list(app._running.connections())


async def subscribed(peer: Raw) -> None:
    await peer.send({"type": "subscribe", "entities": ["tasks"]})
    await peer.settle()


def test_a_descriptor_that_another_socket_has_got_is_not_written_to(run: Run) -> None:
    async def scenario() -> None:
        app = App(store="memory://", config=LIMITS, undeclared=True)
        async with app, raw(app.url) as writer:
            await writer.settle()
            others = connections(app)
            async with raw(app.url) as gone:
                await subscribed(gone)
                await writer.push("tasks", "1", 1)
                await writer.settle()
                (lost,) = [each for each in connections(app) if each not in others]
                descriptor = lost.outbox.direct
                assert descriptor is not None
                lost.outbox.drop()
                assert lost.outbox.direct is None  # before the transport has closed anything
                await eventually(lambda: lost not in connections(app))
            # Its number goes to whoever comes next: to one who has asked for nothing.
            async with raw(app.url) as stranger:
                await stranger.settle()
                (new,) = [each for each in connections(app) if each not in others]
                assert new.outbox.direct == descriptor
                lost.outbox.put(b"for somebody else")
                lost.outbox.flush()
                await writer.push("tasks", "1", 2)
                await writer.settle()
                assert await stranger.settle() == []

    run(scenario())


def rings() -> int:
    """Descriptors of rings that this process has."""
    found = 0
    for each in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # the one by which the folder is read
            found += "io_uring" in os.readlink(f"/proc/self/fd/{each}")
    return found


@pytest.mark.skipif(fastest() is send_each, reason="no io_uring here")
async def test_a_ring_is_there_while_its_server_runs_and_no_longer() -> None:
    stopped = App(store="memory://", config=LIMITS)
    gc.collect()
    before = rings()
    gc.disable()  # what only it would find is not gone, however often a program starts servers
    try:
        async with stopped:
            assert rings() > before
        assert rings() == before
    finally:
        gc.enable()


@pytest.mark.parametrize("listens", [True, False], ids=["switched off", "mounted"])
async def test_where_no_ring_is_used_there_is_none(listens: bool) -> None:
    app = App(store="memory://", config=Config(port=0, io_uring=not listens))
    gc.collect()
    before = rings()
    await app._begin(listens)
    assert rings() == before
    await app.stop()
