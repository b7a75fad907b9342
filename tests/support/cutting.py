"""A way to a server that is cut after so many bytes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Literal
from urllib.parse import urlsplit

Way = Literal["up", "down"]


class Cutter:
    """Passes bytes on, until it has passed as many as it was told in one direction."""

    def __init__(self) -> None:
        self.url = ""
        self.cuts = 0
        self._left: dict[Way, int | None] = {"up": None, "down": None}
        self._writers: set[asyncio.StreamWriter] = set()

    def cut_after(self, way: Way, count: int) -> None:
        """Cut after so many more bytes in this direction."""
        self._left = {"up": None, "down": None, way: count}

    def leave_alone(self) -> None:
        """Cut nothing."""
        self._left = {"up": None, "down": None}

    async def pass_on(
        self, way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Pass one direction of a connection on."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while data := await reader.read(65536):
                left = self._left[way]
                writer.write(data if left is None else data[:left])
                if left is not None:
                    await writer.drain()
                    self._left[way] = left - min(left, len(data))
                    if left <= len(data):
                        self._cut()
                        return
        writer.close()

    def _cut(self) -> None:
        self.cuts += 1
        self.leave_alone()
        for each in self._writers:
            each.close()


@contextlib.asynccontextmanager
async def cutting(url: str) -> AsyncIterator[Cutter]:
    """A cutter in front of a server."""
    cutter, target = Cutter(), urlsplit(url)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(target.hostname, target.port)
        both = {writer, back}
        cutter._writers |= both
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(cutter.pass_on("up", reader, back))
                group.create_task(cutter.pass_on("down", there, writer))
        finally:
            cutter._writers -= both
            for each in both:
                each.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        cutter.url = f"ws://127.0.0.1:{port}{target.path}"
        yield cutter
