"""The WebSocket door: sockets of the `websockets` library under connections.

Knows handshakes, frames and flow control. Must not know stores or trackers, nor
what a message means.

The library parses and guards the protocol. Two of its conveniences are not
used, because a server of many sockets cannot afford them: its receive queue
(a task switch for each message) and its `send`, `ping` and `close`, which wait
for a peer that does not read.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Error
from rhtmx.messages.tables import ERRORS
from rhtmx.wire import SUBPROTOCOLS, Format
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.extensions.permessage_deflate import (
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.typing import Subprotocol

from rhtmx_server.checks import MAX_NAME
from rhtmx_server.connection import Connection, Dialect
from rhtmx_server.services import Services
from rhtmx_server.session import Limits, Session
from rhtmx_server.transports.framing import wire_dialect

__all__ = ["Endpoint", "Socket", "WebSocketServer", "unified"]

log = logging.getLogger("rhtmx_server")

_WINDOW_BITS = 12
"""Compression window: 4 KiB. Changes are small, and every message starts anew."""

_PING = bytes((0x89, 0x00))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One path on which WebSockets are taken.

    Args:
        name: as it appears in metrics.
        dialect: chooses the dialect of an accepted socket.
        accepted: is told of each socket before it is answered.
        headers: added to the handshake's response.
        subprotocols: those that a client may choose from here.
    """

    name: str
    dialect: Callable[[Services, Socket], Dialect]
    accepted: Callable[[Services, Socket], None] = lambda services, socket: None
    headers: Sequence[tuple[str, str]] = ()
    subprotocols: Collection[str] = ()


class Socket(ServerConnection):
    """A `websockets` connection that hands frames over as they come in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connection: Connection | None = None
        self._early: list[Frame] = []
        self._parts: list[bytes] = []
        self._text = False
        self._fail = self.protocol.fail
        self.protocol.fail = self._explain_and_fail  # type: ignore[method-assign]

    # What the library calls.

    def process_event(self, event: Any) -> None:
        """Take a frame; the handshake and control frames go to the library."""
        if not isinstance(event, Frame):
            super().process_event(event)
        elif event.opcode is Opcode.TEXT or event.opcode is Opcode.BINARY:
            self._text = event.opcode is Opcode.TEXT
            self._take(event)
        elif event.opcode is Opcode.CONT:
            self._take(event)
        else:
            super().process_event(event)
            if self.connection is not None:
                self.connection.session.heard = self.loop.time()

    def pause_writing(self) -> None:
        """The peer has left too much unread."""
        super().pause_writing()
        if self.connection is not None:
            self.connection.overfull()

    def resume_writing(self) -> None:
        """It has read on."""
        super().resume_writing()
        if self.connection is not None:
            self.connection.drained_enough()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        if self.connection is not None:
            self.connection.lost()
        super().connection_lost(exc)

    def attach(self, connection: Connection) -> None:
        """Hand frames to `connection` from now on."""
        self.connection = connection
        early, self._early = self._early, []
        for frame in early:
            self._take(frame)

    # Inside.

    def _take(self, frame: Frame) -> None:
        connection = self.connection
        if connection is None:
            self._early.append(frame)
        elif frame.fin and not self._parts:
            connection.receive(bytes(frame.data), self._text)
        else:
            self._parts.append(bytes(frame.data))
            if frame.fin:
                parts, self._parts = self._parts, []
                connection.receive(b"".join(parts), self._text)

    def _explain_and_fail(self, code: int, reason: str = "") -> None:
        """Say in the protocol's own words that a message was too large."""
        connection = self.connection
        if code == CloseCode.MESSAGE_TOO_BIG and connection is not None:
            limit = connection.services.config.max_size
            message = Error(
                message=f"a message of at most {limit} bytes expected, got a larger one",
                code=ErrorCode.TOO_LARGE,
            )
            self.transport.write(connection.encoding.frame(message))
            code, reason = ERRORS[ErrorCode.TOO_LARGE].close_code, message.message
        self._fail(code, reason)


class SocketLink:
    """A socket as its connection sees it: nothing here waits for the peer.

    Args:
        socket: the socket.
        patience: seconds that a peer has to answer a close frame.
    """

    __slots__ = ("_patience", "_socket", "_transport")

    def __init__(self, socket: Socket, patience: float) -> None:
        self._socket = socket
        self._transport = socket.transport
        self._patience = patience

    def write(self, data: bytes) -> None:
        """Send ready-made frames."""
        if self._socket.protocol.state is State.OPEN:
            self._transport.write(data)

    def pause(self) -> None:
        """Stop receiving."""
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        """Go on receiving."""
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def ping(self) -> None:
        """Send a ping frame; whatever comes back is a sign of life."""
        self.write(_PING)

    def close(self, code: int, reason: str) -> None:
        """Send a close frame, and drop the socket if the peer does not answer."""
        if self._socket.protocol.state is State.OPEN:
            self._socket.protocol.send_close(code, reason[:120])
            self._socket.send_data()
            self.resume()  # the peer's close frame has to be received
            self._socket.loop.call_later(self._patience, self.abort)

    def abort(self) -> None:
        """Drop the socket now."""
        self._transport.abort()

    def waiting(self) -> int:
        """Bytes that were written and not sent yet."""
        return self._transport.get_write_buffer_size()


def unified(services: Services, socket: Socket) -> Dialect:
    """The dialect of `/api/ws`: as negotiated, JSON where nothing was offered."""
    config = services.config
    bits = 0
    for extension in socket.protocol.extensions:
        if isinstance(extension, PerMessageDeflate):
            bits = extension.local_max_window_bits
    format = SUBPROTOCOLS[socket.subprotocol] if socket.subprotocol else Format.JSON
    return wire_dialect(format, bits, config.deflate_level, config.deflate_threshold)


def _path(request: Request) -> str:
    return request.path.partition("?")[0]


class WebSocketServer:
    """Takes sockets on one port, and answers plain HTTP on the same.

    Args:
        services: the server.
        endpoints: WebSocket paths.
        http: answers every other request.
        refuse: says why a handshake must not be accepted, if so.
    """

    def __init__(
        self,
        services: Services,
        endpoints: dict[str, Endpoint],
        http: Callable[[Request], Awaitable[Response]],
        refuse: Callable[[Request], Response | None],
    ) -> None:
        self._services = services
        self._endpoints = endpoints
        self._http = http
        self._refuse = refuse
        self._server: Server | None = None
        self.sockets: set[Socket] = set()

    async def start(self) -> int:
        """Listen.

        Returns:
            The port, chosen by the system where 0 was asked for.

        Raises:
            OSError: the address cannot be used.
        """
        config = self._services.config
        self._server = await serve(
            self._serve,
            config.host,
            config.port,
            create_connection=Socket,
            process_request=self._request,
            process_response=self._response,
            select_subprotocol=self._subprotocol,
            compression=None,
            extensions=self._extensions(),
            max_size=config.max_size,
            max_queue=config.max_queue,
            write_limit=config.outbox,
            ping_interval=None,
            open_timeout=30,
            close_timeout=config.stop_timeout / 2,
            server_header="rhtmx",
            logger=logging.getLogger("rhtmx_server.websockets"),
        )
        return int(next(iter(self._server.sockets)).getsockname()[1])

    def connections(self) -> list[Connection]:
        """The connections that are open."""
        return [socket.connection for socket in self.sockets if socket.connection is not None]

    def stop_accepting(self) -> None:
        """Take no new sockets, and no more messages on those that are open."""
        if self._server is not None:
            self._server.close(close_connections=False)
        for connection in self.connections():
            connection.stop_reading()

    async def stop(self, deadline: float) -> None:
        """Tell every peer to reconnect, and drop those still there at `deadline`.

        Args:
            deadline: on the loop's clock.
        """
        for connection in self.connections():
            connection.close(ErrorCode.SHUTTING_DOWN, "the server is stopping")
        waiters = [socket.connection_lost_waiter for socket in self.sockets]
        if waiters:
            left = max(0.0, deadline - asyncio.get_running_loop().time())
            await asyncio.wait(waiters, timeout=left)
        for socket in list(self.sockets):
            socket.transport.abort()
        if self._server is not None:
            await self._server.wait_closed()

    def _extensions(self) -> list[ServerPerMessageDeflateFactory]:
        if not self._services.config.deflate:
            return []
        return [
            ServerPerMessageDeflateFactory(
                server_no_context_takeover=True,
                client_no_context_takeover=True,
                server_max_window_bits=_WINDOW_BITS,
            )
        ]

    async def _request(self, socket: ServerConnection, request: Request) -> Response | None:
        if _path(request) not in self._endpoints:
            return await self._http(request)
        return self._refuse(request)

    def _subprotocol(
        self, socket: ServerConnection, offered: Sequence[Subprotocol]
    ) -> Subprotocol | None:
        assert socket.request is not None
        known = self._endpoints[_path(socket.request)].subprotocols
        return next((name for name in offered if name in known), None)

    def _response(
        self, socket: ServerConnection, request: Request, response: Response
    ) -> Response | None:
        endpoint = self._endpoints.get(_path(request))
        if endpoint is not None:
            for name, value in endpoint.headers:
                response.headers[name] = value
        return None

    async def _serve(self, socket: ServerConnection) -> None:
        assert isinstance(socket, Socket)
        assert socket.request is not None
        endpoint = self._endpoints[_path(socket.request)]
        services, config = self._services, self._services.config
        limits = Limits(
            config.subscriptions, config.requests, config.bad_messages, config.heartbeat
        )
        session = Session(secrets.token_hex(8), limits, services.now())
        link = SocketLink(socket, config.stop_timeout / 2)
        connection = Connection(services, session, endpoint.dialect(services, socket), link)
        endpoint.accepted(services, socket)
        gauge = services.metrics.connections(endpoint.name)
        gauge.inc()
        self.sockets.add(socket)
        try:
            _introduce(connection, socket.request.path.partition("?")[2])
            socket.attach(connection)
            await socket.wait_closed()
        finally:
            self.sockets.discard(socket)
            gauge.dec()


def _introduce(connection: Connection, query: str) -> None:
    """Take the client's id from the URL, for clients that say no `hello`."""
    client_id = parse_qs(query).get("client_id", [""])[0]
    if not client_id:
        return
    if len(client_id.encode()) > MAX_NAME:
        error = RhtmxError(
            ErrorCode.BAD_MESSAGE, f"?client_id=: 1 to {MAX_NAME} bytes expected, got more"
        )
        connection.close(error.code, error.message)
        return
    connection.session.client_id = client_id
