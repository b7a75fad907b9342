"""A proxy that cuts a connection after an exact number of bytes.

What is cut is named in the URL that a client connects to: `?cut=up-17` ends its
first connection when 17 bytes have gone up to the server behind the handshake,
`?cut=down-17` when as many have come down. Every later connection of that URL
is left whole. `?cut=none-NAME` is never cut, and counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

_HEAD_END = b"\r\n\r\n"
_PLAN = re.compile(rb"[?&]cut=(up|down|none)-(\w+)")


class Proxy:
    """See the head of the file.

    Attributes:
        url: where clients connect to, without a plan.
        passed: how many bytes went up and down behind the handshake, by plan
            and direction, over all its connections.
        cut: the plans whose connection was cut.
    """

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        assert parts.port is not None
        self._host, self._port, self._path = parts.hostname, parts.port, parts.path
        self.url = ""
        self.passed: Counter[tuple[str, str]] = Counter()
        self.cut: set[str] = set()
        self._connections: set[asyncio.Task[None]] = set()

    def plan(self, direction: str, offset: int | str) -> str:
        """The URL of a client whose first connection is cut there."""
        return f"{self.url}?cut={direction}-{offset}"

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Proxy]:
        """Listen on a free port."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        self.url = f"ws://127.0.0.1:{port}{self._path}"
        try:
            yield self
        finally:
            server.close()
            for task in self._connections:
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        below, above = await asyncio.open_connection(self._host, self._port)
        try:
            head = await reader.readuntil(_HEAD_END)
            above.write(head)
            writer.write(await below.readuntil(_HEAD_END))
            found = _PLAN.search(head)
            assert found is not None, "a client of the proxy names its plan in the URL"
            direction, name = found[1].decode(), found[2].decode()
            plan = f"{direction}-{name}"
            first = plan not in self.cut and direction != "none"
            self.cut.add(plan)
            ways = {"up": (reader, above), "down": (below, writer)}
            async with asyncio.TaskGroup() as both:
                for way, (source, sink) in ways.items():
                    allowed = int(name) if first and way == direction else None
                    both.create_task(self._carry(plan, way, source, sink, allowed))
        except* (OSError, asyncio.IncompleteReadError, _Cut):
            pass
        finally:
            # Both at once and without a word, as when a cable is pulled.
            writer.transport.abort()
            above.transport.abort()

    async def _carry(
        self,
        plan: str,
        way: str,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        allowed: int | None,
    ) -> None:
        gone = 0
        while allowed is None or gone < allowed:
            data = await source.read(65_536 if allowed is None else allowed - gone)
            if not data:
                break
            gone += len(data)
            self.passed[plan, way] += len(data)
            sink.write(data)
            await sink.drain()
        raise _Cut


class _Cut(Exception):  # noqa: N818 (no error: the end of one connection)
    """One way has ended, so both do."""
