"""What a connection leaves behind: nothing."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from rhtmx_server import App
from tests.support.sockets import PATIENCE, raw


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("part", ["the socket", "its protocol", "the connection", "its feed"])
async def test_a_closed_connection_is_gone_without_the_garbage_collector(
    app: App, part: str
) -> None:
    gone = asyncio.Event()
    async with raw(app.url) as client:
        await client.send({"type": "subscribe", "entities": ["tasks"]})
        await client.push("tasks", "1", {"n": 1})
        await client.until("change")
        await app.changes.push("tasks", "1", {"n": 2})  # the committer remembers the last one
        (socket,) = app._running._websockets.sockets
        assert socket.connection is not None
        parts: dict[str, object] = {
            "the socket": socket,
            "its protocol": socket.protocol,
            "the connection": socket.connection,
            "its feed": socket.connection.feed,
        }
        weakref.finalize(parts[part], gone.set)
        del socket, parts
    async with asyncio.timeout(PATIENCE):
        await gone.wait()
