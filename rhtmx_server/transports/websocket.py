"""The WebSocket door: takes sockets, and puts a connection on each.

Knows handshakes and what was negotiated in them. Must not know stores or
trackers, nor what a message means.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.extensions.permessage_deflate import (
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from rhtmx.errors import ErrorCode
from rhtmx_server.connections.connection import Connection
from rhtmx_server.connections.services import Services
from rhtmx_server.encoding.framing import wire_limit
from rhtmx_server.failures import stopping
from rhtmx_server.transports.answers import SERVER
from rhtmx_server.transports.arrivals import Arrival, Arrivals
from rhtmx_server.transports.bodies import BodySender
from rhtmx_server.transports.handshakes import Handshakes, Negotiated, path_of
from rhtmx_server.transports.requests import Remote, remote_of, request_of_http
from rhtmx_server.transports.socket import Socket
from rhtmx_server.transports.socket_link import SocketLink

__all__ = ["WebSocketServer"]

log = logging.getLogger("rhtmx_server")

_WINDOW_BITS = 12
"""Compression window: 4 KiB. Changes are small, and every message starts anew."""

_BACKLOG = 4096
"""Sockets that wait to be accepted. asyncio's 100 makes a reconnect storm lose connections."""


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
        handshakes: decide which sockets are taken.
        http: answers every other request.
    """

    def __init__(
        self,
        services: Services,
        handshakes: Handshakes,
        http: Callable[[Request, Remote], Awaitable[Response]],
    ) -> None:
        self._services = services
        self._handshakes = handshakes
        self._http = http
        self._server: Server | None = None
        self.sockets: set[Socket] = set()
        config = services.config
        self._arrivals = Arrivals(
            services.admission,
            config.handshake_timeout,
            partial(Socket, turns=services.turns, most=config.max_size),
            local=config.local,
        )

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
        at_endpoint = self._handshakes.endpoint(path_of(request)) is not None
        response: Response | None
        if at_endpoint and request.method == "GET" and not wants_socket(request):
            response = self._handshakes.plain(request)
        elif at_endpoint or wants_socket(request):
            response = self._handshakes.refuse(request)
            if response is None:
                return None
        else:
            response = await self._http(request, remote_of(socket.transport))
        self._response(socket, request, response)
        stalled = self._services.metrics.stalled.inc
        sender = BodySender(socket, self._services.config.stall_timeout, stalled)
        return await sender.send(request, response)

    def _subprotocol(
        self, socket: ServerConnection, offered: Sequence[Subprotocol]
    ) -> Subprotocol | None:
        assert socket.request is not None
        chosen = self._handshakes.subprotocol(path_of(socket.request), offered)
        return None if chosen is None else Subprotocol(chosen)

    def _response(
        self, socket: ServerConnection, request: Request, response: Response
    ) -> Response | None:
        endpoint = self._handshakes.endpoint(path_of(request))
        if endpoint is not None:
            for name, value in endpoint.headers:
                response.headers[name] = value
        return None

    async def _serve(self, socket: ServerConnection) -> None:
        assert isinstance(socket, Socket)
        request = socket.request
        assert request is not None
        asked = request_of_http(request, remote_of(socket.transport), "websocket")
        link, negotiated = SocketLink(socket), Negotiated(socket.subprotocol, _window_bits(socket))
        with self._handshakes.connected(request, asked, link, negotiated) as connection:
            self.sockets.add(socket)
            try:
                socket.attach(connection)
                await socket.wait_closed()
            finally:
                self.sockets.discard(socket)


def _window_bits(socket: Socket) -> int:
    """The size of the compression window that was agreed on; 0 for no compression."""
    bits = 0
    for extension in socket.protocol.extensions:
        if isinstance(extension, PerMessageDeflate):
            bits = extension.local_max_window_bits
    return bits
