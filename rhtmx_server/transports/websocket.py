"""The WebSocket door: takes sockets, and puts a connection on each.

Knows handshakes and what was negotiated in them. Must not know stores or
trackers, nor what a message means.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from websockets.asyncio.server import Server, ServerConnection
from websockets.extensions.permessage_deflate import (
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)
from websockets.http11 import Request, Response
from websockets.protocol import OPEN, Protocol

from rhtmx.errors import ErrorCode
from rhtmx_server.access.request import Request as Peer
from rhtmx_server.connections.connection import Connection
from rhtmx_server.connections.services import Services
from rhtmx_server.encoding.framing import wire_limit
from rhtmx_server.failures import stopping, unexpected
from rhtmx_server.transports.answers import SERVER
from rhtmx_server.transports.arrivals import Arrival, Arrivals
from rhtmx_server.transports.bodies import BodySender
from rhtmx_server.transports.handshakes import Handshakes, Negotiated, path_of, wants_socket
from rhtmx_server.transports.heads import read_head
from rhtmx_server.transports.openings import Judge, Openings
from rhtmx_server.transports.requests import Remote, address_of, request_of_head, request_of_http
from rhtmx_server.transports.socket import OpenProtocol, Socket
from rhtmx_server.transports.socket_link import SocketLink

__all__ = ["WebSocketServer"]

_library_log = logging.getLogger("rhtmx_server.websockets")

_WINDOW_BITS = 12
"""Compression window: 4 KiB. Changes are small, and every message starts anew."""

_BACKLOG = 4096
"""Sockets that wait to be accepted. asyncio's 100 makes a reconnect storm lose connections."""


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
        self._served: dict[Socket, tuple[str, Connection]] = {}
        config = services.config
        self._settings: dict[str, Any] = {
            "max_size": wire_limit(config.max_size),
            "logger": _library_log,
        }
        self._extensions = _extensions(config.deflate)
        self._openings = Openings(handshakes, self._judge(), services.clock)
        self._arrivals = Arrivals(
            services.admission,
            config.handshake_timeout,
            self._open,
            self._pass_on,
            self._over,
            local=config.local,
        )

    async def start(self) -> int:
        """Listen.

        Returns:
            The port, chosen by the system where 0 was asked for.

        Raises:
            OSError: the address cannot be used.
        """
        config, loop = self._services.config, asyncio.get_running_loop()

        async def listen() -> asyncio.Server:
            arrive = partial(Arrival, self._arrivals)
            return await loop.create_server(arrive, config.host, config.port, backlog=_BACKLOG)

        self._server = await Server(listen, self._shake_hands, _library_log)
        return int(next(iter(self._server.sockets)).getsockname()[1])

    def connections(self) -> list[Connection]:
        """Those whose handshake is over."""
        return [socket.connection for socket in self._served if socket.connection is not None]

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
        if waiters:
            await asyncio.wait(waiters)
        await self._server.wait_closed()

    def _judge(self) -> Judge:
        return Judge(self._handshakes, self._extensions, **self._settings)

    def _socket(self, protocol: Protocol) -> Socket:
        config = self._services.config
        return Socket(
            protocol,
            self._server,
            turns=self._services.turns,
            most=config.max_size,
            write_limit=config.outbox,
            # Its own would be a task for each socket: `upkeep.watch` looks after all of them.
            ping_interval=None,
            close_timeout=config.stop_timeout / 2,
        )

    # The usual way.

    def _open(self, transport: asyncio.Transport, head: bytes) -> Socket | None:
        """Open a socket, if its handshake is the usual one; otherwise nothing is done."""
        assert self._server is not None
        # Whoever wants to read what the library says of each step has it take them.
        if _library_log.isEnabledFor(logging.INFO) or not self._server.is_serving():
            return None
        opening = self._openings.accept(head)
        if opening is None:
            return None
        transport.write(opening.answer)
        protocol = OpenProtocol(**self._settings)
        protocol.extensions = list(opening.extensions)
        protocol.subprotocol = opening.subprotocol
        socket = self._socket(protocol)
        socket.open(transport)
        address = address_of(transport)
        self._begin(socket, opening.head.path, partial(_asked, head, address), address)
        return socket

    # The long way: by the library.

    def _pass_on(self, transport: asyncio.Transport) -> Socket:
        """Make a socket of a transport; what arrives there goes to the library."""
        socket = self._socket(self._judge())
        transport.set_protocol(socket)
        socket.connection_made(transport)
        return socket

    async def _shake_hands(self, socket: ServerConnection) -> None:
        assert isinstance(socket, Socket)
        assert self._server is not None
        try:
            await socket.handshake(self._request, self._response, SERVER)
            if socket.protocol.state is OPEN and socket.request is not None:
                address = address_of(socket.transport)
                asked = request_of_http(socket.request, Remote(address), "websocket")
                self._begin(socket, socket.request.path, lambda: asked, address)
            else:
                socket.transport.abort()
        except Exception:
            socket.transport.abort()  # the library has told it, or the peer is gone
        finally:
            self._server.handler_tasks.discard(asyncio.current_task())

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
            response = await self._http(request, Remote(address_of(socket.transport)))
        self._response(socket, request, response)
        stalled = self._services.metrics.stalled.inc
        sender = BodySender(socket, self._services.config.stall_timeout, stalled)
        return await sender.send(request, response)

    def _response(
        self, socket: ServerConnection, request: Request, response: Response
    ) -> Response | None:
        for name, value in self._handshakes.headers(path_of(request)):
            response.headers[name] = value
        return None

    # Both.

    def _begin(self, socket: Socket, target: str, asked: Callable[[], Peer], address: str) -> None:
        link, negotiated = SocketLink(socket), Negotiated(socket.subprotocol, _window_bits(socket))
        try:
            connection = self._handshakes.begin(target, asked, address, link, negotiated)
        except Exception as failure:
            unexpected(failure, "beginning a connection")
            socket.transport.abort()
            return
        self._served[socket] = target.partition("?")[0], connection
        socket.attach(connection)

    def _over(self, socket: Socket) -> None:
        """A socket is gone; maybe its handshake was never accepted."""
        path, connection = self._served.pop(socket, ("", None))
        if connection is not None:
            self._handshakes.end(path, connection)


def _extensions(deflate: bool) -> list[ServerPerMessageDeflateFactory]:
    if not deflate:
        return []
    # The library's default keeps a window for each socket.
    return [
        ServerPerMessageDeflateFactory(
            server_no_context_takeover=True,
            client_no_context_takeover=True,
            server_max_window_bits=_WINDOW_BITS,
        )
    ]


def _asked(said: bytes, address: str) -> Peer:
    """What a handshake says of its peer. Few ask, so that it is read again for them."""
    head = read_head(said)
    assert head is not None
    return request_of_head(head, address)


def _window_bits(socket: Socket) -> int:
    """The size of the compression window that was agreed on; 0 for no compression."""
    bits = 0
    for extension in socket.protocol.extensions:
        if isinstance(extension, PerMessageDeflate):
            bits = extension.local_max_window_bits
    return bits
