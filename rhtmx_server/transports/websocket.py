"""The WebSocket door: takes sockets, and puts a connection on each.

Knows handshakes and what was negotiated in them. Must not know stores or
trackers, nor what a message means.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.extensions.permessage_deflate import (
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.wire import SUBPROTOCOLS, Format
from rhtmx.wire.limits import MAX_NAME
from rhtmx_server.connection import Connection
from rhtmx_server.link import Dialect
from rhtmx_server.services import Services
from rhtmx_server.session import Limits, Session
from rhtmx_server.transports.framing import wire_dialect, wire_limit
from rhtmx_server.transports.socket import Socket
from rhtmx_server.transports.socket_link import SocketLink

__all__ = ["Endpoint", "WebSocketServer", "unified"]

log = logging.getLogger("rhtmx_server")

_WINDOW_BITS = 12
"""Compression window: 4 KiB. Changes are small, and every message starts anew."""

_BACKLOG = 4096
"""Sockets that wait to be accepted. asyncio's 100 makes a reconnect storm lose connections."""


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


def unified(services: Services, socket: Socket) -> Dialect:
    """The dialect of `/api/ws`: as negotiated, JSON where nothing was offered."""
    config = services.config
    bits = 0
    for extension in socket.protocol.extensions:
        if isinstance(extension, PerMessageDeflate):
            bits = extension.local_max_window_bits
    spoken = SUBPROTOCOLS[socket.subprotocol] if socket.subprotocol else Format.JSON
    return wire_dialect(spoken, bits, config.deflate_level, config.deflate_threshold)


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
        self._tcp: set[Socket] = set()

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
            create_connection=self._create,  # type: ignore[arg-type]  # called, no more
            process_request=self._request,
            process_response=self._response,
            select_subprotocol=self._subprotocol,
            compression=None,
            extensions=self._extensions(),
            max_size=wire_limit(config.max_size),
            write_limit=config.outbox,
            backlog=_BACKLOG,
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
        if self._server is None:
            return
        for each in list(self._tcp):
            if each.request is None:
                each.transport.abort()  # it has not even asked for anything
        waiters = [each.connection_lost_waiter for each in self._tcp]
        if waiters:
            left = max(0.0, deadline - asyncio.get_running_loop().time())
            await asyncio.wait(waiters, timeout=left)
        for each in list(self._tcp):
            each.transport.abort()
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

    def _create(self, *args: Any, **kwargs: Any) -> Socket:
        socket = Socket(*args, **kwargs)
        socket.turns = self._services.turns
        socket.most = self._services.config.max_size
        self._tcp.add(socket)
        socket.connection_lost_waiter.add_done_callback(lambda _: self._tcp.discard(socket))
        return socket

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
        locked = services.authenticate is not None
        session = Session(secrets.token_hex(8), limits, services.now(), locked=locked)
        link = SocketLink(socket)
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
