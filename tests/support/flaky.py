"""A proxy as bad as a network can be over TCP: it cuts, delays and stalls, where a seed says.

Who connects is named in the URL, `?user=ada`, so that all that a user is told can be looked at;
a peer that names nobody is nobody's. What the server sends is looked at as it comes from the
server, before any delay. Knows bytes. Must not know what they mean.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from random import Random
from typing import cast
from urllib.parse import urlsplit

__all__ = ["KINDS", "Flaky"]

KINDS = frozenset({"cut", "stall", "delay"})
"""What it does to connections."""

_USER = re.compile(rb"^GET [^ ]*[?&]user=(\w+)")
_ROOM = 65_536
"""Bytes that wait in the proxy before it reads no more from that side."""

_TURNS = 3
"""Turns of the loop after which what is in the kernel has been read."""

Look = Callable[[str, int, bytes], None]
"""Looks at what the server sends: to whom, on which connection, what."""


class Flaky:
    """See the head of the file.

    Args:
        upstream: the server's address, with its port.
        random: says what happens to each connection.
        look: looks at what the server sends.

    Attributes:
        whole: whether it does nothing bad to new connections, nor goes on with it.
        happened: how often it has cut, delayed and stalled.
    """

    def __init__(self, upstream: str, random: Random, look: Look) -> None:
        parts = urlsplit(upstream if "//" in upstream else f"//{upstream}")
        assert parts.hostname is not None
        assert parts.port is not None
        self.host, self.upstream, self.path = parts.hostname, parts.port, parts.path
        self.random = random
        self.look = look
        self.whole = True
        self.happened: Counter[str] = Counter()
        self.count = 0
        self.links: set[Link] = set()
        self._port = 0

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Flaky]:
        """Listen on a free port."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _End(Link(self), "up"), "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for link in list(self.links):
                link.cut()

    @property
    def address(self) -> str:
        """Where peers connect that name nobody."""
        return f"127.0.0.1:{self._port}"

    def url(self, user: str) -> str:
        """Where a user connects."""
        return f"ws://{self.address}{self.path}?user={user}"

    def heal(self) -> None:
        """Do nothing bad any more, to no connection."""
        self.whole = True
        for link in list(self.links):
            link.heal()

    async def drained(self, user: str) -> None:
        """Wait until all that the server has sent to a user so far has been looked at."""
        for link in self.links:
            if link.user == user:
                link.heal()
        for _ in range(_TURNS):
            await asyncio.sleep(0)


class Link:
    """One connection through the proxy, and what becomes of it."""

    def __init__(self, proxy: Flaky) -> None:
        self.proxy = proxy
        self.user = ""
        self.number = proxy.count = proxy.count + 1
        self.ends: dict[str, asyncio.Transport] = {}
        self._waiting: dict[str, bytearray] = {"up": bytearray(), "down": bytearray()}
        self._held: dict[str, asyncio.TimerHandle] = {}
        self._passed: Counter[str] = Counter()
        self._connecting: asyncio.Task[None] | None = None
        self._plan()

    def _plan(self) -> None:
        random = self.proxy.random
        # First what has never happened: where few connect, chance alone may take long.
        never = [each for each in _WHAT if each in KINDS - self.proxy.happened.keys()]
        self.what = "whole" if self.proxy.whole else random.choice(never or _WHAT)
        self.way = random.choice(["up", "down"])
        # As often within the first ten bytes as within the last ten thousand.
        self.offset = int(math.exp(random.uniform(0, math.log(20_000))))
        self.seconds = random.choice([0.05, 0.5, 2.0])

    def opened(self) -> None:
        """Somebody has connected: so does the proxy."""
        self.proxy.links.add(self)
        self._connecting = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        loop, proxy = asyncio.get_running_loop(), self.proxy
        try:
            await loop.create_connection(lambda: _End(self, "down"), proxy.host, proxy.upstream)
        except OSError:  # the server is away
            self.cut()
            return
        self._pass("up")

    def came(self, way: str, data: bytes) -> None:
        """Bytes have come from one side, for the other one."""
        if way == "up" and not self.user and (found := _USER.match(data)):
            self.user = found[1].decode()
        if way == "down":
            self.proxy.look(self.user, self.number, data)
        self._waiting[way] += data
        if len(self._waiting[way]) > _ROOM:
            self.ends[way].pause_reading()
        self._pass(way)

    def _pass(self, way: str) -> None:
        """Hand on what may be handed on now."""
        sink = self.ends.get("down" if way == "up" else "up")
        if sink is None or way in self._held or sink.is_closing():
            return
        waiting = self._waiting[way]
        if self.what != "whole" and way == self.way:
            left = max(0, self.offset - self._passed[way])
            self._write(way, sink, waiting[:left])
            if waiting:
                self._happen(way)
        else:
            self._write(way, sink, waiting[:])

    def _write(self, way: str, sink: asyncio.Transport, data: bytearray) -> None:
        if data:
            sink.write(bytes(data))
            del self._waiting[way][: len(data)]
            self._passed[way] += len(data)
        self.ends[way].resume_reading()

    def _happen(self, way: str) -> None:
        """The place has come at which something happens to it."""
        self.proxy.happened[self.what] += 1
        if self.what == "cut":
            self.cut()
            return
        seconds = self.seconds if self.what == "stall" else self.seconds / 20
        # The next time a little further on.
        self.offset = self._passed[way] + (len(self._waiting[way]) if self.what == "delay" else 500)
        loop = asyncio.get_running_loop()
        self._held[way] = loop.call_later(seconds, self._let, way)

    def _let(self, way: str) -> None:
        held = self._held.pop(way, None)
        if held is not None:
            held.cancel()
        self._pass(way)

    def heal(self) -> None:
        """Nothing bad happens to it any more."""
        self.what = "whole"
        for way in ("up", "down"):
            if way in self._held:
                self._let(way)

    def cut(self) -> None:
        """End it without a word, as when a cable is pulled."""
        self.proxy.links.discard(self)
        for held in self._held.values():
            held.cancel()
        self._held = {way: held for way, held in self._held.items() if not held.cancelled()}
        for end in self.ends.values():
            end.abort()
        if self._connecting is not None and self._connecting is not asyncio.current_task():
            self._connecting.cancel()

    def closed(self, way: str) -> None:
        """One side has ended. What it has sent is handed on, if nothing bad happens to it."""
        sink = self.ends.get("down" if way == "up" else "up")
        if self._waiting[way] and self.what == "whole" and sink is not None:
            sink.write(bytes(self._waiting[way]))
        if sink is not None:
            sink.close()
        self.proxy.links.discard(self)
        for held in self._held.values():
            held.cancel()


_WHAT = ("whole", "cut", "cut", "stall", "delay")


class _End(asyncio.Protocol):
    """One end of a connection. What comes from it goes `way`."""

    def __init__(self, link: Link, way: str) -> None:
        self._link = link
        self._way = way

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._link.ends[self._way] = cast(asyncio.Transport, transport)
        if self._way == "up":
            self._link.opened()

    def data_received(self, data: bytes) -> None:
        self._link.came(self._way, data)

    def connection_lost(self, error: Exception | None) -> None:
        self._link.closed(self._way)
