"""A door in front of a server: its pages, and the network that may fail.

Knows HTTP, as far as browsers speak it to a test. Must not know what is on a page. Everything
has one origin, so that the server takes the pages for its own; each site has a port, and so an
origin, of its own, so that what the pages of one test store is apart from that of the others.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

__all__ = ["Site"]

_WATCH = Path(__file__).with_name("watch.js").read_bytes()
_WATCHED = b'<head><script src="/watch.js"></script>'
_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"(?im)^content-length: (\d+)")
_CHOSEN = re.compile(rb"(?im)^sec-websocket-protocol: [^\r]*\r\n")


class Site:
    """See the head of the file.

    Args:
        upstream: where the server's WebSocket is.
        pages: path to content type and body; all else is asked of the server.

    Attributes:
        url: where the pages are.
        requested: what was asked for of `pages`, and what was posted, each in order.
        problems: what the pages said of errors (`watch.js`).
        chooses: whether the subprotocol that the server chose arrives at the browser.
    """

    def __init__(self, upstream: str, pages: Mapping[str, tuple[str, bytes]]) -> None:
        self._server = urlsplit(upstream)
        self._pages = {**pages, "/watch.js": ("text/javascript", _WATCH)}
        self._tasks: set[asyncio.Task[None]] = set()
        self._tunnels: set[asyncio.StreamWriter] = set()
        self._cut = False
        self.url = ""
        self.requested: list[str] = []
        self.posted: list[str] = []
        self.problems: list[str] = []
        self.chooses = True

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Site]:
        """Listen on a free port."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """End every WebSocket without a word, and let none through; pages still load."""
        self._cut = True
        for writer in self._tunnels:
            writer.transport.abort()

    def mend(self) -> None:
        """Let WebSockets through again."""
        self._cut = False

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(_HEAD_END)
            method, target = head.decode().split(" ", 2)[:2]
            if b"\r\nupgrade: websocket" in head.lower():
                await self._tunnel(head, reader, writer)
            elif method == "POST":
                found = _LENGTH.search(head)
                body = await reader.readexactly(int(found[1]) if found else 0)
                writer.write(self._posted(target, body.decode()))
            else:
                writer.write(await self._got(target, head))
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the browser has gone, or was cut off
        finally:
            writer.close()

    def _posted(self, target: str, body: str) -> bytes:
        if target == "/problem":
            self.problems.append(body)
            return _answer("text/plain", b"")
        self.posted.append(body)
        return _answer(*self._pages[urlsplit(target).path])

    async def _got(self, target: str, head: bytes) -> bytes:
        path = urlsplit(target).path
        if path in self._pages:
            self.requested.append(target)
            return _answer(*self._pages[path])
        reader, writer = await self._connect()
        try:
            writer.write(head)
            answer, _, body = (await reader.read()).partition(_HEAD_END)
        finally:
            writer.close()
        if b"text/html" in answer.lower():
            body = _watched(body)
            answer = _LENGTH.sub(b"Content-Length: %d" % len(body), answer)
        return answer + _HEAD_END + body

    async def _tunnel(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if self._cut:
            writer.transport.abort()
            return
        self._tunnels.add(writer)
        below, above = await self._connect()
        try:
            above.write(head)
            chosen = await below.readuntil(_HEAD_END)
            writer.write(chosen if self.chooses else _CHOSEN.sub(b"", chosen))
            ways = [_carry(reader, above), _carry(below, writer)]
            tasks = [asyncio.create_task(way) for way in ways]
            # As soon as one way has ended, both have.
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            self._tunnels.discard(writer)
            above.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self._server.hostname, self._server.port)


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65_536):
        sink.write(data)
        await sink.drain()


def _answer(content_type: str, body: bytes) -> bytes:
    if content_type.startswith("text/html"):
        body = _watched(body)
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + body


def _watched(body: bytes) -> bytes:
    return body.replace(b"<head>", _WATCHED, 1)
