"""What an ASGI server brings, answered as on the own port.

Knows the order of ASGI's events in a handshake and in a request. Must not know who starts the
server, nor stores or trackers.

Nobody tells the server from where it can be reached: the host listens. So without `authenticate`,
and if it was not declared `open`, it serves this machine only, by the addresses of the peers and
by the names in `Host` and `Origin`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping

from websockets.http11 import Request, Response

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.connections.admission import Ticket, source
from rhtmx_server.connections.connection import Connection
from rhtmx_server.connections.services import Services
from rhtmx_server.connections.turns import SHARE, WHOLE
from rhtmx_server.failures import stopping
from rhtmx_server.transports.answers import ErrorResponse, refuse
from rhtmx_server.transports.asgi.bodies import ResponseSender
from rhtmx_server.transports.asgi.events import (
    DENIAL,
    FRAMES,
    AsgiScope,
    Receive,
    Send,
    Splitter,
    close_code,
    close_event,
    frames_event,
    headers_of_response,
    response_events,
    send_event,
    whole,
)
from rhtmx_server.transports.asgi.link import AsgiLink
from rhtmx_server.transports.asgi.scopes import (
    from_elsewhere,
    peer_of,
    remote_of_scope,
    request_of_scope,
)
from rhtmx_server.transports.asgi.shares import Shares
from rhtmx_server.transports.handshakes import Handshakes, Negotiated, SocketEndpoint, path_of
from rhtmx_server.transports.http import Http
from rhtmx_server.transports.origin import Origins
from rhtmx_server.transports.requests import request_of_http

__all__ = ["AsgiDoor", "refuse_request", "refuse_socket"]

_OPTION = 'Config(origins=["{}"])'
"""How an origin is allowed where there is no command line."""


class AsgiDoor:
    """Takes sockets and plain requests from the ASGI application that this server is mounted in.

    Args:
        services: the server.
        endpoints: WebSocket paths.
        pages: files besides the browser client: path to content type and body.
        ready: whether the server takes connections.
    """

    def __init__(
        self,
        services: Services,
        endpoints: Mapping[str, SocketEndpoint],
        pages: Mapping[str, tuple[str, bytes]],
        ready: Callable[[], bool],
    ) -> None:
        config = services.config
        self._services = services
        self._private = services.authenticate is None and not config.open
        origins = Origins(config.origins, services.metrics, local=self._private, option=_OPTION)
        self._handshakes = Handshakes(services, endpoints, origins)
        self._http = Http(services, pages, ready, origins)
        self._splitter = Splitter()
        self._shares = Shares(_soon, at_a_time=int(WHOLE / SHARE))
        self._open: set[Connection] = set()
        self._present: set[asyncio.Task[object]] = set()
        self._stopping = False

    def connections(self) -> list[Connection]:
        """Those whose handshake is over."""
        return list(self._open)

    # What the host calls.

    async def http(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer a plain request."""
        request, version = request_of_scope(scope), str(scope.get("http_version", "1.1"))
        try:
            with self._admitted(scope):
                response = await self._answer(request, scope)
                sender = ResponseSender(
                    receive,
                    send,
                    patience=self._services.config.stall_timeout,
                    stalled=self._services.metrics.stalled.inc,
                    http=version,
                )
                await sender.send(response)
        except RhtmxError as error:  # it was not admitted
            await refuse_request(send, error, version)

    async def websocket(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Take a handshake, and serve its socket until the end."""
        if (await receive())["type"] != "websocket.connect":
            return
        request = request_of_scope(scope)
        try:
            with self._admitted(scope):
                refused = self._handshakes.refuse(request, remote_of_scope(scope).prefix)
                if refused is not None:
                    await _deny(scope, send, refused)
                else:
                    await self._serve(request, scope, receive, send)
        except RhtmxError as error:
            await refuse_socket(scope, send, error)

    # What the server calls.

    def stop_accepting(self) -> None:
        """Take no new requests, and no more messages on sockets that are open."""
        self._stopping = True
        for connection in self._open:
            connection.stop_reading()

    async def stop(self, deadline: float) -> None:
        """Tell every peer to reconnect, and leave those still there at `deadline`.

        Args:
            deadline: on the loop's clock.
        """
        for connection in self.connections():
            connection.close(ErrorCode.SHUTTING_DOWN, stopping().message)
        present = self._present - {asyncio.current_task()}
        if present:
            left = max(0.0, deadline - asyncio.get_running_loop().time())
            await asyncio.wait(present, timeout=left)
        for connection in self.connections():
            connection.outbox.drop()

    # Inside.

    @contextlib.contextmanager
    def _admitted(self, scope: AsgiScope) -> Iterator[None]:
        """Count one more request or socket.

        Raises:
            RhtmxError: there is no room for it, or it may not be here at all.
        """
        if self._stopping:
            raise stopping()
        address = peer_of(scope)
        if self._private and from_elsewhere(address):
            raise RhtmxError(
                ErrorCode.FORBIDDEN,
                "this server asks nobody who they are, so it serves its own machine only: give "
                "App(authenticate=…), or let everybody read and write everything with "
                "Config(open=True)",
            )
        admission, ticket, task = self._services.admission, Ticket(), asyncio.current_task()
        admission.enter(ticket, source((address,)) if address else None)
        assert task is not None
        self._present.add(task)
        try:
            yield
        finally:
            self._present.discard(task)
            admission.leave(ticket)

    async def _answer(self, request: Request, scope: AsgiScope) -> Response:
        remote = remote_of_scope(scope)
        at_endpoint = self._handshakes.endpoint(path_of(request)) is not None
        if at_endpoint and request.method == "GET":
            return self._handshakes.plain(request, remote.prefix)
        return await self._http(request, remote)

    async def _serve(
        self, request: Request, scope: AsgiScope, receive: Receive, send: Send
    ) -> None:
        path, services = path_of(request), self._services
        endpoint = self._handshakes.endpoint(path)
        assert endpoint is not None
        subprotocol = self._handshakes.subprotocol(path, scope.get("subprotocols") or [])
        headers = headers_of_response(endpoint.headers)
        await send({"type": "websocket.accept", "subprotocol": subprotocol, "headers": headers})
        config = services.config
        takes_frames = FRAMES in (scope.get("extensions") or {})
        link = AsgiLink(
            send,
            whole if takes_frames else self._splitter.pieces,
            frames_event if takes_frames else send_event,
            limit=config.outbox,
            patience=config.stop_timeout / 2,
            now=services.now,
            share=SHARE,
            another=self._shares.another,
        )
        asked = request_of_http(request, remote_of_scope(scope), "websocket")
        with self._handshakes.connected(
            request, asked, link, Negotiated(subprotocol)
        ) as connection:
            self._open.add(connection)
            try:
                await link.run(connection, receive, config.max_size)
            finally:
                self._open.discard(connection)
                connection.lost()
        await link.say_goodbye()


def _soon(call: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_soon(call)


async def refuse_request(send: Send, error: RhtmxError, http: str = "1.1") -> None:
    """Answer a plain request with an error.

    Args:
        send: ASGI's.
        error: what is wrong.
        http: the version that is spoken.
    """
    for event in response_events(refuse(error), "http.response", http):
        await send(event)


async def refuse_socket(scope: AsgiScope, send: Send, error: RhtmxError) -> None:
    """Refuse a handshake with an error.

    Args:
        scope: of the handshake.
        send: ASGI's.
        error: what is wrong.
    """
    await _deny(scope, send, refuse(error))


async def _deny(scope: AsgiScope, send: Send, response: Response) -> None:
    """Refuse a handshake: with a response where the server can send one, else by a close.

    A close before the handshake is answered would be a 403 without a word (ASGI), so it comes
    after it: it has a code and a reason, and a client knows whether to come again.
    """
    if DENIAL in (scope.get("extensions") or {}):
        for event in response_events(response, DENIAL):
            await send(event)
        return
    assert isinstance(response, ErrorResponse)
    await send({"type": "websocket.accept", "subprotocol": None, "headers": []})
    await send(close_event(close_code(response.error.code), response.error.message))
