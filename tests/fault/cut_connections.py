"""A proxy in front of a PostgreSQL, which cuts a connection after an exact number of bytes."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

__all__ = ["Proxy", "in_front_of"]

_SOCKET = ".s.PGSQL.5432"


class Proxy:
    """See the head of the file.

    Args:
        folder: where its own socket is.
        behind: the folder with that of the server.

    Attributes:
        cuts: how many connections it has cut.
        down: nobody gets through, and nobody comes.
    """

    def __init__(self, folder: Path, behind: Path) -> None:
        self.folder = folder
        self._behind = behind
        self._left: int | None = None
        self._downward = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.cuts = 0
        self.down = False

    def arm(self, after: int, *, downward: bool) -> None:
        """Cut the connection that carries one byte more than so many in this direction.

        Args:
            after: bytes.
            downward: those that the server sends; else those that it is sent.
        """
        self._left, self._downward = after, downward

    def disarm(self) -> None:
        """Cut nothing any more."""
        self._left = None

    def cut_all(self) -> None:
        """Cut every connection that there is."""
        for each in list(self._writers):
            each.transport.abort()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        self._writers.add(writer)  # also that of a task which is cancelled before it begins
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def end(self) -> None:
        """Cut every connection, and wait until all is over."""
        self.cut_all()
        for each in self._tasks:
            each.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = {writer}
        try:
            if self.down:
                return
            try:
                below, above = await asyncio.open_unix_connection(str(self._behind / _SOCKET))
            except OSError:
                return
            ends.add(above)
            self._writers.add(above)
            up = asyncio.create_task(self._carry(reader, above, downward=False))
            down = asyncio.create_task(self._carry(below, writer, downward=True))
            try:
                await asyncio.wait([up, down], return_when=asyncio.FIRST_COMPLETED)
            finally:
                up.cancel()
                down.cancel()
        finally:
            self._writers -= ends
            for each in ends:
                each.transport.abort()

    async def _carry(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, downward: bool
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65536):
                if self._left is not None and downward == self._downward:
                    if len(data) > self._left:
                        sink.write(data[: self._left])
                        await sink.drain()
                        self._left, self.cuts = None, self.cuts + 1
                        return
                    self._left -= len(data)
                sink.write(data)
                await sink.drain()


@contextlib.asynccontextmanager
async def in_front_of(behind: Path) -> AsyncIterator[Proxy]:
    """A proxy that runs.

    Args:
        behind: the folder with the socket of the server.
    """
    with tempfile.TemporaryDirectory(prefix="px") as folder:
        proxy = Proxy(Path(folder), behind)
        server = await asyncio.start_unix_server(proxy.accept, str(Path(folder) / _SOCKET))
        try:
            yield proxy
        finally:
            server.close()
            await proxy.end()
