"""Connections until they have said what they want.

Knows who has to wait, and for how long. Must not know what stands in a request's head.

A connection of the `websockets` library is a task, a parser and some 10 KB, as
soon as a socket is accepted (17.4). So the library gets it when its request is
there: a peer that says nothing, or half of what it wants, costs little, and is
dropped after `handshake_timeout` seconds.

=====================  ==========================================================
a peer that …          …
=====================  ==========================================================
has said all           goes on as a socket of the library
does not go on         is dropped (`Admission.overdue`)
is turned away         is told why once its head is there (503, 429)
says too much          is told so (431)
=====================  ==========================================================
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from websockets.http11 import Response

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.connections.admission import FAIR, Admission, Ticket, source
from rhtmx_server.transports.answers import refuse
from rhtmx_server.transports.handshakes import wants_socket
from rhtmx_server.transports.heads import end_of_head
from rhtmx_server.transports.socket import Socket

__all__ = ["Arrival", "Arrivals"]

MAX_HEAD = 16 * 1024
"""Bytes of a request's head that may come in pieces."""

MAX_HEADS = 4 * 1024 * 1024
"""Bytes of all heads that have begun and not ended. Most come in one piece."""


class Arrivals:
    """The connections of one port.

    Args:
        admission: counts them.
        patience: seconds that they have to say what they want.
        begin: makes an open socket of a transport and the head of its request, if that is a
            handshake of the usual kind.
        pass_on: makes a socket of a transport, whose request the library has to read.
        over: is told of each of these sockets when it is gone.
        local: all of them come from this machine. To ask the system for an
            address takes as long as all the rest here.

    Attributes:
        waiting: those that have yet to say it.
        sockets: the others.
        held: bytes of what they have said.
    """

    def __init__(
        self,
        admission: Admission,
        patience: float,
        begin: Callable[[asyncio.Transport, bytes], Socket | None],
        pass_on: Callable[[asyncio.Transport], Socket],
        over: Callable[[Socket], None],
        *,
        local: bool,
    ) -> None:
        self.admission = admission
        self.begin = begin
        self.pass_on = pass_on
        self.over = over
        self.local = local
        self.waiting: set[Arrival] = set()
        self.sockets: set[Socket] = set()
        self.held = 0
        self._pause = min(FAIR, patience) / 2
        self._looking = self._closed = False

    def close(self) -> None:
        """Drop those that wait, and who comes yet: the server is stopping."""
        self._closed = True
        for arrival in list(self.waiting):
            arrival.drop()

    def add(self, arrival: Arrival) -> None:
        """Keep an eye on one that has yet to say what it wants."""
        self.waiting.add(arrival)
        if self._closed:  # it was accepted before the port was closed
            arrival.drop()
        elif not self._looking:
            self._looking = True
            asyncio.get_running_loop().call_later(self._pause, self._look)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        for ticket in self.admission.overdue(loop.time()):
            ticket.drop()
        self._looking = bool(self.waiting)
        if self._looking:
            loop.call_later(self._pause, self._look)


class Arrival(Ticket, asyncio.Protocol):
    """One of them.

    Args:
        arrivals: where it belongs.
    """

    __slots__ = ("__weakref__", "_arrivals", "_head", "_socket", "_transport")

    def __init__(self, arrivals: Arrivals) -> None:
        super().__init__()
        self._arrivals = arrivals
        self._head = b""
        self._socket: Socket | None = None
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A peer is there: count it."""
        self._transport = transport
        arrivals = self._arrivals
        address = None if arrivals.local else source(transport.get_extra_info("peername"))
        arrivals.admission.arrive(self, address, asyncio.get_running_loop().time())
        arrivals.add(self)

    def data_received(self, data: bytes) -> None:
        """Some of its request's head came in, or all of it."""
        arrivals = self._arrivals
        if self not in arrivals.waiting:
            return  # it was told what there was to say
        # What was searched already is not searched again: a head that comes byte by byte would take
        # the square of its length.
        known = len(self._head)
        self._head += data
        arrivals.held += len(data)
        end = end_of_head(self._head, known)
        if not end and len(self._head) <= MAX_HEAD and arrivals.held <= MAX_HEADS:
            return
        head, rest = self._said(end)
        if self.refusal is not None:
            self._answer(head, refuse(self.refusal))
        elif not end:
            self._answer(head, _too_long(len(head + rest)))
        else:
            self._hand_over(head, rest)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone before it was handed over."""
        self._said(0)
        self._left()

    def drop(self) -> None:
        """End it without a word."""
        self._transport.abort()

    def _said(self, end: int) -> tuple[bytes, bytes]:
        """It waits no more; what it said up to the end of the head, and after it."""
        head, self._head = self._head, b""
        arrivals = self._arrivals
        arrivals.held -= len(head)
        arrivals.waiting.discard(self)
        arrivals.admission.greeted(self)
        return head[:end], head[end:]

    def _hand_over(self, head: bytes, rest: bytes) -> None:
        """Go on as a socket."""
        transport, self._transport = self._transport, None
        socket = self._arrivals.begin(transport, head)
        is_open = socket is not None
        if socket is None:
            socket = self._arrivals.pass_on(transport)
        self._socket = socket
        socket.connection_lost_waiter.add_done_callback(self._left)
        self._arrivals.sockets.add(socket)
        if is_open:
            if rest:
                socket.data_received(rest)
            return
        socket.data_received(head)
        if socket.protocol.eof_sent:
            transport.close()  # it was no request: the library has said so
        elif socket.request is not None and not wants_socket(socket.request):
            # What comes after a plain request is none of ours, and that nothing
            # comes, too: who has said all it wants may well wait for the answer.
            transport.pause_reading()
        elif rest:
            socket.data_received(rest)

    def _answer(self, head: bytes, response: Response) -> None:
        if head.startswith(b"HEAD "):
            response.body = b""
        self._transport.write(response.serialize())
        self._transport.close()

    def _left(self, waiter: object = None) -> None:
        """The connection is gone; what is left of it holds nothing that would keep it alive."""
        socket, self._socket = self._socket, None
        if socket is not None:
            self._arrivals.sockets.discard(socket)
            self._arrivals.over(socket)
            # The library's protocol holds itself in these ways (17.4).
            if socket.request is not None:
                socket.request._exception = None
            socket.protocol.handshake_exc = None
            socket.protocol.parser.close()
        self._arrivals.admission.leave(self)
        self._transport = None


def _too_long(size: int) -> Response:
    words = f"request: a head of at most {MAX_HEAD} bytes expected, got {size} and no end"
    if size <= MAX_HEAD:
        words = "request: too many heads are half sent already: send this one in one piece"
    error = RhtmxError(ErrorCode.BAD_MESSAGE, words)
    return refuse(error, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
