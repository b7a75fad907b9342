"""WebSocket handshakes: which are accepted, and the connection that each begins.

Knows paths, origins and subprotocols. Must not know how a handshake is read or answered,
nor what a message means: the own port and ASGI have that each in its way.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qs

from websockets.http11 import Request, Response

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.wire import SUBPROTOCOLS, Format
from rhtmx_server.access.request import Request as Asked
from rhtmx_server.connections.checks import check_name
from rhtmx_server.connections.connection import Connection
from rhtmx_server.connections.services import Services
from rhtmx_server.delivery.link import Dialect, Link
from rhtmx_server.encoding.wire_dialect import wire_dialect
from rhtmx_server.transports.answers import refuse
from rhtmx_server.transports.heads import HeaderValues
from rhtmx_server.transports.notices import Once
from rhtmx_server.transports.origin import Origins

__all__ = [
    "UNIFIED",
    "Handshakes",
    "Negotiated",
    "SocketEndpoint",
    "path_of",
    "unified",
    "wants_socket",
]

UNIFIED = "/api/ws"
"""The endpoint for everything."""


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What was agreed on in a handshake.

    Args:
        subprotocol: that was chosen, if one was.
        bits: size of the compression window, 0 where messages are not compressed here.
    """

    subprotocol: str | None
    bits: int = 0


@dataclass(frozen=True, slots=True)
class SocketEndpoint:
    """One path on which WebSockets are taken.

    Args:
        name: as it appears in metrics.
        dialect: chooses the dialect of an accepted socket.
        accepted: is told of each socket before it is answered, and of its peer's address.
        headers: added to the handshake's response.
        subprotocols: those that a client may choose from here.
    """

    name: str
    dialect: Callable[[Services, Negotiated], Dialect]
    accepted: Callable[[Services, str], None] = lambda services, address: None
    headers: Sequence[tuple[str, str]] = ()
    subprotocols: Collection[str] = ()


def unified(services: Services, negotiated: Negotiated) -> Dialect:
    """The dialect of `/api/ws`: as negotiated, JSON where nothing was offered."""
    config = services.config
    subprotocol = negotiated.subprotocol
    spoken = SUBPROTOCOLS[subprotocol] if subprotocol else Format.JSON
    return wire_dialect(spoken, negotiated.bits, config.deflate_level, config.deflate_threshold)


def path_of(request: Request) -> str:
    """The path that is asked for, without the query."""
    return request.path.partition("?")[0]


def wants_socket(request: Request) -> bool:
    """Whether a request asks for a WebSocket (RFC 6455 section 4.1)."""
    return any(
        protocol.strip().lower() == "websocket"
        for value in request.headers.get_all("Upgrade")
        for protocol in value.split(",")
    )


class Handshakes:
    """Decides about handshakes, whatever they come on.

    Args:
        services: the server.
        endpoints: the paths.
        origins: say whose handshakes must not be accepted, and why.
    """

    def __init__(
        self, services: Services, endpoints: Mapping[str, SocketEndpoint], origins: Origins
    ) -> None:
        self._services = services
        self._endpoints = endpoints
        self._origins = origins
        self._paths = Once("paths")
        self._offers = Once("lists of subprotocols")

    def endpoint(self, path: str) -> SocketEndpoint | None:
        """What is at a path, if WebSockets are taken there."""
        return self._endpoints.get(path)

    def headers(self, path: str) -> Sequence[tuple[str, str]]:
        """What the response to a handshake has besides; nothing where there is no endpoint."""
        endpoint = self._endpoints.get(path)
        return () if endpoint is None else endpoint.headers

    def plain(self, request: Request, prefix: str = "") -> Response:
        """Answer a plain request for an endpoint; a page whose handshake failed may read it.

        Args:
            request: the request.
            prefix: the path under which an application has this server.
        """
        refused = self._origins.explain(request.headers)
        if refused is not None:
            return refused
        path = path_of(request)
        spoken = " or ".join(self._endpoints[path].subprotocols) or "no subprotocol"
        words = f"{prefix}{path} takes a WebSocket, with {spoken}, and this is a plain request"
        headers = [("Upgrade", "websocket"), ("Access-Control-Allow-Origin", "*")]
        status = HTTPStatus.UPGRADE_REQUIRED
        return refuse(RhtmxError(ErrorCode.NOT_SUPPORTED, words), status, headers)

    def fine(self, path: str, headers: HeaderValues) -> bool:
        """Whether a handshake is not refused. Nothing is counted: `refuse` has the words.

        Args:
            path: that it asks for, without the query.
            headers: of it.
        """
        return path in self._endpoints and self._origins.fine(headers)

    def refuse(self, request: Request, prefix: str = "") -> Response | None:
        """Return the response that refuses a handshake, `None` if it is fine.

        Args:
            request: the handshake.
            prefix: the path under which an application has this server.
        """
        path = path_of(request)
        if path in self._endpoints:
            return self._origins.refuse(request)
        words = f"no WebSocket is taken at {(prefix + path)[:80]!r}: connect to {prefix}{UNIFIED}"
        self._services.metrics.handshake_refused("path")
        self._paths.warn(path, f"a handshake was refused: {words}")
        return refuse(RhtmxError(ErrorCode.NOT_SUPPORTED, words))

    def subprotocol(self, path: str, offered: Sequence[str]) -> str | None:
        """Choose the first subprotocol that is spoken here; `None` where none is.

        Args:
            path: of an endpoint.
            offered: by the client, those that it prefers first.
        """
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

    @contextlib.contextmanager
    def connected(
        self, request: Request, asked: Asked, link: Link, negotiated: Negotiated
    ) -> Iterator[Connection]:
        """Put a connection on a link; inside of the block it is served, and then over.

        Args:
            request: the handshake, which was accepted.
            asked: what it says of the peer.
            link: its transport.
            negotiated: what was agreed on.
        """
        connection = self.begin(request.path, lambda: asked, asked.address, link, negotiated)
        try:
            yield connection
        finally:
            self.end(path_of(request), connection)

    def begin(
        self,
        target: str,
        asked: Callable[[], Asked],
        address: str,
        link: Link,
        negotiated: Negotiated,
    ) -> Connection:
        """Put a connection on a link; `end` has to follow.

        Args:
            target: what an accepted handshake has asked for: the path, with the query.
            asked: tells what the handshake says of the peer.
            address: of the peer.
            link: its transport.
            negotiated: what was agreed on.
        """
        path, _, query = target.partition("?")
        services, endpoint = self._services, self._endpoints[path]
        session = services.session(asked, locked=services.authenticate is not None)
        connection = Connection(services, session, endpoint.dialect(services, negotiated), link)
        endpoint.accepted(services, address)
        services.metrics.opened(endpoint.name)
        if query:
            _introduce(connection, query)
        return connection

    def end(self, path: str, connection: Connection) -> None:
        """Take note that a connection is over.

        Args:
            path: of its endpoint.
            connection: it.
        """
        self._services.metrics.closed(self._endpoints[path].name)
        self._services.ended(connection.session)


def _introduce(connection: Connection, query: str) -> None:
    """Take the client's id from the URL, for clients that say no `hello`."""
    client_id = parse_qs(query).get("client_id", [""])[0]
    if not client_id:
        return
    try:
        connection.session.client_id = check_name("?client_id=", client_id)
    except RhtmxError as error:
        connection.close(error.code, error.message)
