"""A proxy with a limit of its own: it ends a connection on a message that is too large.

Neither side is told what the limit is, as with a proxy of somebody else.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol


class Narrow:
    """See the head of the file.

    Args:
        upstream: the server's URL.
        most: bytes of a message.
        code: the close code.

    Attributes:
        url: where clients connect to.
        ended: how many connections it has ended.
    """

    def __init__(self, upstream: str, most: int, code: int) -> None:
        self.url = ""
        self.ended = 0
        self._upstream = upstream
        self._most = most
        self._code = code

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Narrow]:
        """Listen on a free port."""
        async with serve(self._serve, "127.0.0.1", 0, select_subprotocol=_first) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            self.url = f"ws://127.0.0.1:{port}{urlsplit(self._upstream).path}"
            yield self

    async def _serve(self, down: ServerConnection) -> None:
        protocols = None if down.subprotocol is None else [down.subprotocol]
        async with connect(self._upstream, subprotocols=protocols) as up:
            back = asyncio.create_task(self._back(up, down))
            with contextlib.suppress(ConnectionClosed):
                async for message in down:
                    if len(message) > self._most:
                        self.ended += 1
                        await down.close(self._code, "too large for me")
                        break
                    await up.send(message)
            back.cancel()

    async def _back(self, up: ClientConnection, down: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in up:
                await down.send(message)


def _first(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return offered[0] if offered else None
