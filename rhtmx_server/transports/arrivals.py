"""Connections until they have said what they want.

Knows where a request's head ends. Must not know what stands in it, but for the
sign of a WebSocket.

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
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from websockets.http11 import Request, Response

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.admission import FAIR, Admission, Ticket, source
from rhtmx_server.transports.answers import refuse
from rhtmx_server.transports.socket import Socket

__all__ = ["Arrival", "Arrivals"]

MAX_HEAD = 16 * 1024
"""Bytes of a request's head that may come in pieces."""

MAX_HEADS = 4 * 1024 * 1024
"""Bytes of all heads that have begun and not ended. Most come in one piece."""

# An empty line; the library turns away those that end lines otherwise (RFC 9112 section 2.2).
_END = re.compile(rb"\n\r?\n|^\r?\n")
_WEBSOCKET = re.compile(rb"\nupgrade[ \t]*:[ \t]*websocket", re.IGNORECASE)


class Arrivals:
    """The connections of one port that have yet to say what they want.

    Args:
        admission: counts them.
        patience: seconds that they have.
        taken: is told of each socket that goes on.
    """

    def __init__(
        self, admission: Admission, patience: float, taken: Callable[[Socket], None]
    ) -> None:
        self.admission = admission
        self.taken = taken
        self.waiting: set[Arrival] = set()
        self.held = 0
        self._pause = min(FAIR, patience) / 2
        self._looking = False

    def close(self) -> None:
        """Drop all of them: the server is stopping."""
        for arrival in list(self.waiting):
            arrival.transport.abort()

    def add(self, arrival: Arrival) -> None:
        """One more waits."""
        self.waiting.add(arrival)
        if not self._looking:
            self._looking = True
            asyncio.get_running_loop().call_later(self._pause, self._look)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        for ticket in self.admission.overdue(loop.time()):
            ticket.drop()
        self._looking = bool(self.waiting)
        if self._looking:
            loop.call_later(self._pause, self._look)


class Arrival(asyncio.Protocol):
    """One of them. What the library passes on to it, a socket is made of.

    Args:
        arrivals: where it belongs.
        args: for the socket: the library's protocol and server.
        kwargs: for the socket: the library's settings.
    """

    __slots__ = (
        "_args", "_arrivals", "_head", "_kwargs", "_socket", "_ticket", "protocol", "transport",
    )  # fmt: skip

    def __init__(self, arrivals: Arrivals, *args: Any, **kwargs: Any) -> None:
        self._arrivals = arrivals
        self._args, self._kwargs = args, kwargs
        self.protocol = args[0]  # the library looks it up here
        self._head = b""
        self._ticket: Ticket | None = None
        self._socket: Socket | None = None
        self.transport: Any = None

    @property
    def request(self) -> Request | None:
        """What its peer wants, once that is known."""
        return None if self._socket is None else self._socket.request

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A peer is there: count it."""
        self.transport = transport
        now = asyncio.get_running_loop().time()
        address = source(transport.get_extra_info("peername"))
        self._ticket = self._arrivals.admission.arrive(address, now, self.transport.abort)
        if self._ticket is None:
            self.transport.abort()
        else:
            self._arrivals.add(self)

    def data_received(self, data: bytes) -> None:
        """Some of its request's head came in, or all of it."""
        ticket = self._ticket
        if ticket is None or self.transport.is_closing():
            return
        known = len(self._head)
        self._head += data
        self._arrivals.held += len(data)
        end = _END.search(self._head, max(0, known - 2))
        if end is None and len(self._head) <= MAX_HEAD and self._arrivals.held <= MAX_HEADS:
            return
        head, rest = self._said(0 if end is None else end.end())
        self._arrivals.admission.greeted(ticket)
        if ticket.refusal is not None:
            self._answer(head, refuse(ticket.refusal))
        elif end is None:
            self._answer(head, _too_long(len(head + rest)))
        else:
            self._hand_over(head, rest)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone before it had said what it wants."""
        self._said(0)
        self._left()

    def _said(self, end: int) -> tuple[bytes, bytes]:
        """It waits no more; what it said up to the end of the head, and after it."""
        head, self._head = self._head, b""
        self._arrivals.held -= len(head)
        self._arrivals.waiting.discard(self)
        return head[:end], head[end:]

    def _hand_over(self, head: bytes, rest: bytes) -> None:
        """Go on as a socket of the library, which reads the request."""
        socket = self._socket = Socket(*self._args, **self._kwargs)
        socket.connection_lost_waiter.add_done_callback(self._left)
        self._arrivals.taken(socket)
        self.transport.set_protocol(socket)
        socket.connection_made(self.transport)
        socket.data_received(head)
        if socket.protocol.eof_sent:
            self.transport.close()  # it was no request: the library has said so
        elif _WEBSOCKET.search(head) is None:
            # What comes after a plain request is none of ours, and that nothing
            # comes, too: who has said all it wants may well wait for the answer.
            self.transport.pause_reading()
        elif rest:
            socket.data_received(rest)

    def _answer(self, head: bytes, response: Response) -> None:
        if head.startswith(b"HEAD "):
            response.body = b""
        self.transport.write(response.serialize())
        self.transport.close()

    def _left(self, waiter: object = None) -> None:
        ticket, self._ticket = self._ticket, None
        self._socket = None  # they hold each other
        if ticket is not None:
            self._arrivals.admission.leave(ticket)


def _too_long(size: int) -> Response:
    words = f"request: a head of at most {MAX_HEAD} bytes expected, got {size} and no end"
    if size <= MAX_HEAD:
        words = "request: too many heads are half sent already: send this one in one piece"
    error = RhtmxError(ErrorCode.BAD_MESSAGE, words)
    return refuse(error, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
