"""Facts about `rhtmx_server.transports.grpc.door`."""

from __future__ import annotations

import asyncio

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from tests.unit.rhtmx_server.connecting import Side
from tests.unit.rhtmx_server.transports.grpc.peers import door


async def test_calls_are_counted_by_method() -> None:
    side = Side()
    door(side).enter("Push")
    figure = side.services.metrics.registry.get_sample_value
    assert figure("rhtmx_grpc_calls_total", {"method": "Push"}) == 1


async def test_a_closed_door_takes_no_calls() -> None:
    opened = door(Side())
    opened.close()
    with pytest.raises(RhtmxError) as caught:
        opened.enter("Push")
    assert caught.value.code is ErrorCode.SHUTTING_DOWN


async def test_a_connection_is_looked_after_while_its_call_lasts() -> None:
    side = Side()
    opened = door(side)
    with opened.connected(side.connection):
        assert opened.connections == {side.connection}
        opened.close()
        assert side.link.paused
        await opened.end(0.0)
        assert side.link.closed == [(4000, "the server is stopping")]
    assert opened.connections == set()
    await opened.end(0.0)
    assert len(side.link.closed) == 1


async def test_ending_waits_for_the_calls() -> None:
    opened, over = door(Side()), asyncio.Event()

    async def call() -> None:
        opened.enter("Watch")
        with opened.lasting(over.set):
            await over.wait()

    task = asyncio.create_task(call())
    await asyncio.sleep(0)
    await opened.end(asyncio.get_running_loop().time() + 10)
    assert task.done()


async def test_ending_waits_for_nobody_beyond_its_deadline() -> None:
    opened = door(Side())

    async def call() -> None:
        opened.enter("History")
        await asyncio.Event().wait()

    task = asyncio.create_task(call())
    await asyncio.sleep(0)
    await opened.end(0.0)
    assert not task.done()
    task.cancel()
