"""What a connection leaves behind: nothing."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from rhtmx_server import App
from tests.support.sockets import PATIENCE, raw
from tests.support.waiting import eventually


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize(
    "part", ["the socket", "its protocol", "the connection", "its subscriptions"]
)
async def test_a_closed_connection_is_gone_without_the_garbage_collector(
    app: App, part: str
) -> None:
    gone = asyncio.Event()
    async with raw(app.url) as client:
        await client.send({"type": "subscribe", "entities": ["tasks"]})
        await client.push("tasks", "1", {"n": 1})
        await client.until("change")
        await app.changes.push("tasks", "1", {"n": 2})  # the committer remembers the last one
        (socket,) = app._running._websockets._served
        assert socket.connection is not None
        parts: dict[str, object] = {
            "the socket": socket,
            "its protocol": socket.protocol,
            "the connection": socket.connection,
            "its subscriptions": socket.connection.subscriptions,
        }
        weakref.finalize(parts[part], gone.set)
        del socket, parts
    async with asyncio.timeout(PATIENCE):
        await gone.wait()


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("said", [b"", b"GET /api/ws HTTP/1.1\r\n", b"hello\r\n\r\n"])
async def test_a_connection_that_never_said_what_it_wants_is_gone_like_that(
    app: App, said: bytes
) -> None:
    gone = asyncio.Event()
    waiting = app._running._websockets._arrivals.waiting
    address = urlsplit(app.url)
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    await eventually(lambda: bool(waiting))
    (arrival,) = waiting
    weakref.finalize(arrival, gone.set)
    del arrival
    writer.write(said)
    writer.close()
    async with asyncio.timeout(PATIENCE):
        await gone.wait()


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("part", ["the socket", "its protocol"])
@pytest.mark.parametrize("path", ["/healthz", "/api/sync/tasks", "/api/ws", "/api/client.js"])
async def test_a_plain_request_leaves_nothing_behind(app: App, path: str, part: str) -> None:
    gone = asyncio.Event()
    waiting, sockets = app._running._websockets._arrivals.waiting, app._running._websockets
    address = urlsplit(app.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    await eventually(lambda: bool(waiting))
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await eventually(lambda: bool(sockets._arrivals.sockets))
    (socket,) = sockets._arrivals.sockets
    parts: dict[str, object] = {"the socket": socket, "its protocol": socket.protocol}
    weakref.finalize(parts[part], gone.set)
    del socket, parts
    await reader.read()
    writer.close()
    async with asyncio.timeout(PATIENCE):
        await gone.wait()
