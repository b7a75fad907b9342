"""Whatever is written past the transports, by them, or in parts: each reader gets frames in order.

Readers that take much, little or nothing, and ask for pongs meanwhile, of a server whose sockets
hold little. Each reads as strictly as the library does.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import socket
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvloop
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side, State

from rhtmx_server import App, Config
from rhtmx_server.delivery import io_uring
from tests.support.waiting import eventually
from tests.unit.rhtmx_server.transports.sockets import REQUEST, frame, text

LIMITS = Config(port=0, messages_per_second=0, bytes_per_second=0, outbox=64 * 1024)
ROUNDS = 400
READERS = 8
RECORDS = 5
SOME = 16 * 1024
"""Bytes that a socket holds, more or less."""

Loop = Callable[[], asyncio.AbstractEventLoop]


class Reader:
    """A client that reads when it likes."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url)
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOME)
        self._socket.setblocking(False)
        self._protocol = Protocol(Side.CLIENT, state=State.OPEN)
        self._unsaid = b""
        self._pings: deque[bytes] = deque()
        self._last = 0
        self.versions: dict[str, int] = {}
        self.awake = True

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        address = self._address.hostname, self._address.port
        await loop.sock_connect(self._socket, address)
        await loop.sock_sendall(self._socket, REQUEST)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += await loop.sock_recv(self._socket, 1)
        self.say(text(b'{"type":"subscribe","entities":["tasks"]}'))

    def close(self) -> None:
        self._socket.close()

    def say(self, said: bytes = b"") -> None:
        self._unsaid += said
        with contextlib.suppress(BlockingIOError):
            while self._unsaid:
                self._unsaid = self._unsaid[self._socket.send(self._unsaid) :]

    def ping(self, data: bytes) -> None:
        self._pings.append(data)
        self.say(frame(Opcode.PING, data))

    def read(self, size: int) -> None:
        with contextlib.suppress(BlockingIOError):
            self._protocol.receive_data(self._socket.recv(size))
        if self._protocol.parser_exc is not None:
            raise self._protocol.parser_exc
        for each in self._protocol.events_received():
            assert isinstance(each, Frame)
            if each.opcode is Opcode.PONG:
                assert bytes(each.data) == self._pings.popleft()
            elif each.opcode is Opcode.TEXT:
                self._take(json.loads(bytes(each.data)))

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "change":
            change = message["change"]
            assert change["version"] > self._last
            self._last = self.versions[change["entity_id"]] = change["version"]

    def has(self, versions: dict[str, int]) -> bool:
        """Whether it has all of it, and all of its pongs."""
        self.say()
        self.read(1 << 20)
        return self.versions == versions and not self._pings


class Counted:
    """Counts what is written past the transports, and what of it did not go out at once."""

    def __init__(self, app: App) -> None:
        self._hub = app._running.services.hub
        self._inner = self._hub.send_each
        self.writes = self.short = 0
        self._hub.send_each = self

    def __call__(self, descriptors: Sequence[int], data: bytes) -> Sequence[tuple[int, int]]:
        short = self._inner(descriptors, data)
        self.writes += len(descriptors)
        self.short += len(short)
        return short


async def play(chance: random.Random, config: Config) -> Counted:
    async with App(store="memory://", config=config, undeclared=True) as app:
        counted, tasks = Counted(app), app.collection("tasks")
        readers = [Reader(app.url) for _ in range(READERS)]
        for reader in readers:
            await reader.open()
        await eventually(lambda: len(app._running.connections()) == READERS)
        links = [each._link for each in app._running.connections()]
        for link in links:
            held = link._transport.get_extra_info("socket")  # type: ignore[attr-defined]
            held.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOME)
        versions: dict[str, int] = {}
        for _ in range(ROUNDS):
            for reader in readers:
                reader.say()
                doing = chance.random()
                if doing < 0.05:
                    reader.awake = not reader.awake
                elif doing < 0.1:
                    reader.ping(chance.randbytes(chance.choice([0, 5, 125])))
                elif reader.awake:
                    reader.read(chance.choice([100, SOME, 1 << 20, 1 << 20]))
            chance.choice(links).ping()
            key, size = str(chance.randrange(RECORDS)), chance.choice([10, 300, 3000, 9000])
            await tasks.set(key, {"text": "x" * size})
            stored = await tasks.get(key)
            assert stored is not None
            versions[key] = stored.version
        await eventually(lambda: all(reader.has(versions) for reader in readers))
        for reader in readers:
            reader.close()
    return counted


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize("ring", [True, False], ids=["ring", "one by one"])
@pytest.mark.parametrize("seed", range(2))
def test_each_reader_gets_whole_frames_in_order_and_misses_nothing(
    monkeypatch: pytest.MonkeyPatch, loop: Loop, ring: bool, seed: int
) -> None:
    monkeypatch.setattr(io_uring, "FEW", 0)
    with asyncio.Runner(loop_factory=loop) as runner:
        config = replace(LIMITS, io_uring=ring)
        counted = runner.run(play(random.Random(seed), config))
    assert counted.writes > ROUNDS
    assert counted.short > READERS
