"""The WebSocket door: takes sockets, and puts a connection on each.

Knows handshakes and what was negotiated in them. Must not know stores or
trackers, nor what a message means.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
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
from rhtmx_server.connections.checks import check_name
from rhtmx_server.connections.connection import Connection
from rhtmx_server.connections.services import Services
from rhtmx_server.delivery.link import Dialect
from rhtmx_server.encoding.framing import wire_limit
from rhtmx_server.encoding.wire_dialect import wire_dialect
from rhtmx_server.failures import stopping
from rhtmx_server.transports.answers import SERVER, refuse
from rhtmx_server.transports.arrivals import Arrival, Arrivals
from rhtmx_server.transports.bodies import BodySender
from rhtmx_server.transports.notices import Once
from rhtmx_server.transports.origin import Origins
from rhtmx_server.transports.requests import request_of_http
from rhtmx_server.transports.socket import Socket
from rhtmx_server.transports.socket_link import SocketLink

__all__ = ["SocketEndpoint", "WebSocketServer", "unified"]

log = logging.getLogger("rhtmx_server")

_WINDOW_BITS = 12
"""Compression window: 4 KiB. Changes are small, and every message starts anew."""

UNIFIED = "/api/ws"
"""The endpoint for everything."""

_BACKLOG = 4096
"""Sockets that wait to be accepted. asyncio's 100 makes a reconnect storm lose connections."""


@dataclass(frozen=True, slots=True)
class SocketEndpoint:
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


def wants_socket(request: Request) -> bool:
    """Whether a request asks for a WebSocket (RFC 6455 section 4.1)."""
    return any(
        protocol.strip().lower() == "websocket"
        for value in request.headers.get_all("Upgrade")
        for protocol in value.split(",")
    )


class WebSocketServer:
    """Takes sockets on one port, and answers plain HTTP on the same.

    Args:
        services: the server.
        endpoints: WebSocket paths.
        http: answers every other request.
        origins: say whose handshakes must not be accepted, and why.
    """

    def __init__(
        self,
        services: Services,
        endpoints: dict[str, SocketEndpoint],
        http: Callable[[Request, asyncio.BaseTransport], Awaitable[Response]],
        origins: Origins,
    ) -> None:
        self._services = services
        self._endpoints = endpoints
        self._http = http
        self._origins = origins
        self._server: Server | None = None
        self.sockets: set[Socket] = set()
        config = services.config
        self._arrivals = Arrivals(
            services.admission,
            config.handshake_timeout,
            partial(Socket, turns=services.turns, most=config.max_size),
            local=config.local,
        )
        self._paths = Once("paths")
        self._offers = Once("lists of subprotocols")

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
            create_connection=partial(Arrival, self._arrivals),  # type: ignore[arg-type]  # called
            process_request=self._request,
            process_response=self._response,
            select_subprotocol=self._subprotocol,
            # Its default keeps a window for each socket: what is offered stands in `extensions`.
            compression=None,
            extensions=self._extensions(),
            max_size=wire_limit(config.max_size),
            write_limit=config.outbox,
            backlog=_BACKLOG,
            # Its own would be a task for each socket: `upkeep.watch` looks after all of them.
            ping_interval=None,
            open_timeout=None,  # see `Arrivals` and `Sender`: they keep the time
            close_timeout=config.stop_timeout / 2,
            server_header=SERVER,
            logger=logging.getLogger("rhtmx_server.websockets"),
        )
        return int(next(iter(self._server.sockets)).getsockname()[1])

    def connections(self) -> list[Connection]:
        """Those whose handshake is over."""
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
            connection.close(ErrorCode.SHUTTING_DOWN, stopping().message)
        if self._server is None:
            return
        self._arrivals.close()
        waiters = [each.connection_lost_waiter for each in self._arrivals.sockets]
        if waiters:
            left = max(0.0, deadline - asyncio.get_running_loop().time())
            await asyncio.wait(waiters, timeout=left)
        for each in list(self._arrivals.sockets):
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

    async def _request(self, socket: ServerConnection, request: Request) -> Response | None:
        """Take a handshake, or answer whatever else it is."""
        path = _path(request)
        response: Response | None
        if path in self._endpoints and request.method == "GET" and not wants_socket(request):
            response = self._origins.explain(request.headers) or self._plain(path)
        elif path in self._endpoints:
            response = self._origins.refuse(request)
            if response is None:
                return None
        elif wants_socket(request):
            response = self._nothing_at(path)
        else:
            response = await self._http(request, socket.transport)
        self._response(socket, request, response)
        stalled = self._services.metrics.stalled.inc
        sender = BodySender(socket, self._services.config.stall_timeout, stalled)
        return await sender.send(request, response)

    def _plain(self, path: str) -> Response:
        """Answer a plain request; a page whose handshake failed may read it."""
        spoken = " or ".join(self._endpoints[path].subprotocols) or "no subprotocol"
        words = f"{path} takes a WebSocket, with {spoken}, and this is a plain request"
        headers = [("Upgrade", "websocket"), ("Access-Control-Allow-Origin", "*")]
        status = HTTPStatus.UPGRADE_REQUIRED
        return refuse(RhtmxError(ErrorCode.NOT_SUPPORTED, words), status, headers)

    def _nothing_at(self, path: str) -> Response:
        words = f"no WebSocket is taken at {path[:80]!r}: connect to {UNIFIED}"
        self._services.metrics.handshake_refused("path")
        self._paths.warn(path, f"a handshake was refused: {words}")
        return refuse(RhtmxError(ErrorCode.NOT_SUPPORTED, words))

    def _subprotocol(
        self, socket: ServerConnection, offered: Sequence[Subprotocol]
    ) -> Subprotocol | None:
        assert socket.request is not None
        path = _path(socket.request)
        known = self._endpoints[path].subprotocols
        chosen = next((name for name in offered if name in known), None)
        if chosen is None and offered:
            names = ", ".join(offered)
            self._offers.warn(
                f"{path} {names}",
                f"{path} speaks {', '.join(known) or 'no subprotocol'}, and a client offered "
                f"{names[:80]}: it gets none, and browsers may close such a socket (Chromium does)",
            )
        return chosen

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
        services = self._services
        asked = request_of_http(socket.request, socket.transport, "websocket")
        session = services.session(asked, locked=services.authenticate is not None)
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
            services.ended(session)


def _introduce(connection: Connection, query: str) -> None:
    """Take the client's id from the URL, for clients that say no `hello`."""
    client_id = parse_qs(query).get("client_id", [""])[0]
    if not client_id:
        return
    try:
        connection.session.client_id = check_name("?client_id=", client_id)
    except RhtmxError as error:
        connection.close(error.code, error.message)
