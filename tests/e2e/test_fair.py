"""No peer holds the others up, whatever it sends, leaves unread or shuts down.

All of it on uvloop, as the command runs: it hands over up to 8 MiB at once, and raises where
asyncio's own loop is silent.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Coroutine
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
import uvloop
from websockets.frames import Frame, Opcode

from rhtmx.messages import Pong
from rhtmx_server import App, Change, Config, ErrorCode
from rhtmx_server.connections.connection import Connection
from tests.support.slow import slow_reader
from tests.support.sockets import Raw, raw
from tests.support.waiting import eventually

REQUEST = (
    "GET /api/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SIZE = 1_000_000
"""Bytes of a flood: less than what uvloop hands over at once."""

LIMITS = Config(port=0, messages_per_second=0, bytes_per_second=0)


def on_uvloop(scenario: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(asyncio.wait_for(scenario, 60))


def say(message: dict[str, Any]) -> bytes:
    return Frame(Opcode.TEXT, json.dumps(message).encode()).serialize(mask=True)


def control(opcode: Opcode, data: bytes = b"", *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


HELLO = say({"type": "hello", "client_id": "hostile"})
ENTITIES = [f"e{number}" for number in range(128)]
FIELD = {"type": "validate_field", "request_id": "r", "form": "f", "field": "x", "value": "1"}

FLOODS: dict[str, tuple[bytes, bytes]] = {
    "pings in JSON": (b"", say({"type": "ping"})),
    "what cannot be read": (b"", say({"type": "?"})),
    "pings": (b"", control(Opcode.PING)),
    "large pings": (b"", control(Opcode.PING, b"x" * 125)),
    "pongs": (b"", control(Opcode.PONG)),
    "a message without end": (control(Opcode.TEXT, fin=False), control(Opcode.CONT, fin=False)),
    "questions": (b"", say(FIELD)),
    "subscriptions": (HELLO, say({"type": "subscribe", "entities": ENTITIES})),
    "hello": (b"", HELLO),
    "syncs": (b"", say({"type": "sync", "entity": "e0", "since": 0})),
}
"""What comes first, and what comes again and again."""


@contextlib.asynccontextmanager
async def bare(app: App) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A socket that is not in the way of what is sent on it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(app.url).port)
    writer.write(REQUEST.encode())
    await reader.readuntil(b"\r\n\r\n")
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


@pytest.mark.parametrize("flood", FLOODS)
def test_who_sends_without_end_holds_nobody_up(flood: str) -> None:
    async def scenario() -> None:
        app = App(store="memory://", config=LIMITS)
        app.form("f").field("x", type=int)
        async with app, raw(app.url) as well_behaved:
            await well_behaved.settle()
            others = app._running.connections()
            async with bare(app) as (reader, writer):
                await eventually(lambda: len(app._running.connections()) == 2)
                (hostile,) = set(app._running.connections()) - set(others)
                handled = Handled(hostile)
                first, again = FLOODS[flood]
                sent = SIZE // len(again)
                writer.write(first + again * sent)
                drain = asyncio.create_task(swallow(reader))
                await eventually(lambda: handled.frames > 0)
                before = handled.frames
                for number in range(3):
                    await well_behaved.push("good", "1", number)
                    await well_behaved.settle()
                meanwhile = handled.frames - before
                drain.cancel()
        # Six exchanges take some dozens of turns. The flood, in one piece, is all of it.
        assert meanwhile < sent / 2

    on_uvloop(scenario())


class Handled:
    """How many frames of a connection the server has handled."""

    def __init__(self, connection: Connection) -> None:
        self.frames = 0
        self._receive, self._spend = connection.receive, connection.spend
        connection.receive = self._received  # type: ignore[method-assign]
        connection.spend = self._spent  # type: ignore[method-assign]

    def _received(self, data: bytes, text: bool) -> bool:
        self.frames += 1
        return self._receive(data, text)

    def _spent(self, size: int) -> None:
        self.frames += 1
        self._spend(size)


async def swallow(reader: asyncio.StreamReader) -> None:
    while await reader.read(1 << 20):
        pass


def test_a_reader_that_is_half_closed_costs_nobody_else_a_change(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> None:
        app = App(store="memory://", config=Config(port=0))
        told: list[int] = []

        @app.on_commit("e")
        async def note(change: Change) -> None:
            told.append(change.version)

        async with app, raw(app.url, max_size=None) as healthy:
            await subscribe(healthy)
            others = app._running.connections()
            async with slow_reader(app.url) as slow:
                slow.send({"type": "subscribe", "entities": ["e"]})
                await eventually(lambda: len(members(app)) == 2)
                (half,) = set(app._running.connections()) - set(others)
                while not 0 < half.waiting < 100_000:
                    await app.changes.push("e", "0", "x" * 50_000)  # until something stays unread
                slow.end()
                await eventually(lambda: half.outbox._write is not half._link.write)
                first = app._running.services.hub.position("e")
                assert len(members(app)) == 2, "its socket still has something to send"
                pushes = [app.changes.push("e", str(n), "x" * 30_000) for n in range(1, 21)]
                await asyncio.gather(*pushes)
                got = [
                    (await healthy.until("change"))["change"]["version"] for _ in range(first + 20)
                ]
                assert got == list(range(1, first + 21))
                await eventually(lambda: told == got)

    with caplog.at_level(logging.ERROR):
        on_uvloop(scenario())
    assert caplog.text == "", "this is ordinary trouble of the network"


def members(app: App) -> list[Any]:
    groups = app._running.services.hub._groups.get("e")
    return [member for group in (groups.all if groups else ()) for member in group.members]


async def subscribe(client: Raw) -> None:
    await client.send({"type": "subscribe", "entities": ["e"]})
    await client.settle()


def test_an_answer_that_is_due_when_its_socket_ends_is_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> None:
        app = App(store="memory://", config=Config(port=0, stop_timeout=0.1))
        async with app, raw(app.url) as other:
            await other.settle()
            others = app._running.connections()
            async with bare(app), bare(app), bare(app):
                await eventually(lambda: len(app._running.connections()) == 4)
                ended, dropped, closed = each = set(app._running.connections()) - set(others)
                for connection in each:
                    connection.send(Pong())
                cast(Any, ended._link)._socket.eof_received()
                dropped._link.abort()
                closed.close(ErrorCode.SHUTTING_DOWN, "bye")
                closed._link.abort()
                for connection in each:
                    connection.send(Pong())
                    connection._link.ping()
                    connection._link.pause()
                    connection._link.resume()
                    connection._link.close(4000, "bye")
                await eventually(lambda: len(app._running.connections()) == 1)

    with caplog.at_level(logging.ERROR):
        on_uvloop(scenario())
    assert caplog.text == ""
