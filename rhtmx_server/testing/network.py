"""The line between one client and the server, in memory: up, down, or cut.

Knows ASGI's events on the server's side, and what a client calls on its own; it carries the bytes
of messages between them. Must not know what they mean, nor who is at either end.

=======  =========================  ======================  ==================  ================
state    `dial`                     `drop`                  `down`              `up`
=======  =========================  ======================  ==================  ================
up       a line, if a server runs   up; the line is cut     down; likewise      up
down     `DialError`                down                    down                up
=======  =========================  ======================  ==================  ================
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close

from rhtmx.runtime.handshake import DialError
from rhtmx.wire import Format
from rhtmx_server.transports.asgi.events import AsgiEvent, AsgiScope, Receive, Send

__all__ = ["MemoryEndpoint", "MemoryLine", "Network", "Websocket"]

Websocket = Callable[[AsgiScope, Receive, Send], Awaitable[None]]
"""What serves a socket of ASGI."""

_PATH = "/api/ws"
_HOST = "localhost"
_PEER = ("127.0.0.1", 1)
_LOST = 1006
"""The close code of a connection that ended without one (RFC 6455, section 7.1.5)."""


class MemoryLine:
    """One connection.

    Args:
        serve: the server's side.
        scope: of the handshake.
        lose: asked for each message of the server whether the line is cut in its place.
    """

    def __init__(self, serve: Websocket, scope: AsgiScope, lose: Callable[[], bool]) -> None:
        self._lose = lose
        self._to_server: asyncio.Queue[AsgiEvent] = asyncio.Queue()
        self._to_client: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._accepted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._close: Close | None = None
        self._cut = False
        self._to_server.put_nowait({"type": "websocket.connect"})
        self._task = asyncio.create_task(self._serve(serve, scope))

    @property
    def transport(self) -> MemoryLine:
        """What is under it: itself."""
        return self

    async def opened(self) -> None:
        """Wait until the server has taken it, or not: `recv` says so."""
        await self._accepted

    # What the client calls.

    async def recv(self, decode: Literal[False] = False) -> bytes:
        """Wait for the next message.

        Raises:
            ConnectionClosedError: the connection has ended, or was cut.
        """
        if not (self._cut and self._to_client.empty()):
            message = await self._to_client.get()
            if message is not None:
                return message
        raise self._closed()

    async def send(self, message: bytes, *, text: bool) -> None:
        """Send a message.

        Raises:
            ConnectionClosedError: the connection has ended, or was cut.
        """
        if self._cut:
            raise self._closed()
        said: AsgiEvent = {"text": message.decode()} if text else {"bytes": message}
        self._to_server.put_nowait({"type": "websocket.receive", **said})

    async def close(self) -> None:
        """End it; returns when the server has seen that."""
        self._end(Close(1000, ""))
        await asyncio.wait([self._task])

    def abort(self) -> None:
        """Cut it: neither side hears a word, and what was on its way is lost."""
        while not self._to_client.empty():
            self._to_client.get_nowait()
        self._end(None)

    # What the server calls.

    async def _serve(self, serve: Websocket, scope: AsgiScope) -> None:
        try:
            await serve(scope, self._to_server.get, self._take)
        finally:
            if not self._accepted.done():
                self._accepted.set_result(None)
            self._end(self._close)

    async def _take(self, event: AsgiEvent) -> None:
        kind = event["type"]
        if kind == "websocket.accept":
            self._accepted.set_result(None)
        elif kind == "websocket.close":
            self._close = Close(event.get("code", 1000), event.get("reason") or "")
        elif self._cut or self._lose():
            self.abort()
            raise OSError("the line was cut")
        else:
            text = event.get("text")
            self._to_client.put_nowait(text.encode() if text is not None else event["bytes"])

    # Inside.

    def _end(self, close: Close | None) -> None:
        if not self._cut:
            self._cut, self._close = True, close
            code = _LOST if close is None else close.code
            self._to_server.put_nowait({"type": "websocket.disconnect", "code": code})
            self._to_client.put_nowait(None)

    def _closed(self) -> ConnectionClosedError:
        close = self._close
        return ConnectionClosedError(close, close, None if close is None else True)


class Network:
    """What is between one client and the server, for a test to break.

    `drop` and `down` cut without a word: neither side is told, as when a cable is pulled. What the
    client wrote waits in its queue, and what was on its way is lost.

    Args:
        server: what serves a socket now; `None` while no server runs.

    Attributes:
        is_up: whether a client can connect.
        came_up: called when it can again.
    """

    def __init__(self, server: Callable[[], Websocket | None]) -> None:
        self._server = server
        self.came_up: Callable[[], None] = lambda: None
        self.is_up = True
        self._losing = False
        self._line: MemoryLine | None = None

    def down(self) -> None:
        """Cut the connection, and have none be made until `up`."""
        self.is_up = False
        self.drop()

    def up(self, *, at_once: bool = True) -> None:
        """Let connections be made again.

        Args:
            at_once: the client is told, as a browser is when a cable is plugged in. Otherwise it
                tries when its time has come.
        """
        self.is_up = True
        if at_once:
            self.came_up()

    def drop(self) -> None:
        """Cut the connection. The client makes another one when its time has come."""
        if self._line is not None:
            self._line.abort()

    def drop_at_answer(self) -> None:
        """Cut the connection in place of the next message of the server: that one is lost.

        So a write takes effect, and its author does not hear of it: it is sent again, and must
        not take effect twice.
        """
        self._losing = True

    async def dial(self, scope: AsgiScope) -> MemoryLine:
        """Make a connection.

        Raises:
            DialError: the network is down, or no server runs.
        """
        serve = self._server()
        if not self.is_up or serve is None:
            why = "the server is not running" if self.is_up else "the network is down"
            raise DialError(f"cannot connect: {why} (in this test)", final=False, usual=True)
        self._line = line = MemoryLine(serve, scope, self._lose)
        await line.opened()
        return line

    def _lose(self) -> bool:
        losing, self._losing = self._losing, False
        return losing


class MemoryEndpoint:
    """Where a client connects to, through a network in memory.

    Args:
        network: the way.
        form: how messages are written.
        headers: of the handshake's request.
    """

    shown = "memory"
    open_timeout = 10.0

    def __init__(self, network: Network, form: Format, headers: Mapping[str, str]) -> None:
        self.format = form
        self._network = network
        self._headers = headers

    async def dial(self) -> MemoryLine:
        """Make one attempt.

        Raises:
            DialError: it failed.
        """
        given = {name.lower(): value for name, value in self._headers.items()}
        given.setdefault("host", _HOST)
        if "cookie" in given:  # as a browser does on a page of the server's own
            given.setdefault("origin", f"http://{_HOST}")
        scope: AsgiScope = {
            "type": "websocket",
            "http_version": "1.1",
            "scheme": "ws",
            "path": _PATH,
            "raw_path": _PATH.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
            "client": _PEER,
            "server": (_HOST, 80),
            "subprotocols": [self.format.subprotocol],
            "extensions": {},
        }
        return await self._network.dial(scope)
