"""A socket of an ASGI server as the link of a connection: bounded, and never waited for.

Knows ASGI's events, flow control and turns. Must not know handshakes, nor what a message means.

ASGI's `send` waits for the peer, and a connection must not. So what is written is kept here, and
a task sends it. What it keeps counts: above a limit the connection is told, and its cursors fall
back to the store. What a server keeps behind its `send` is not seen here.

=========  ==============  =========  ===========  ============  ==========  =========
state      `write`         `close`    `abort`      all is sent   time is     peer is
                                                                 over        gone
=========  ==============  =========  ===========  ============  ==========  =========
open       open, kept      ending     over         -             -           over
ending     ending, kept    ending     over         over          over        over
over       over, dropped   over       over         -             -           -
=========  ==============  =========  ===========  ============  ==========  =========

The time begins with `close`. In the end comes the close frame, unless the peer is gone:
of `close`, or for one that was aborted that of `STALLED`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.connections.connection import Connection
from rhtmx_server.connections.session import PAGE_LEFT
from rhtmx_server.failures import error_message, place, unexpected
from rhtmx_server.transports.asgi.events import (
    AsgiEvent,
    Piece,
    Receive,
    Send,
    close_code,
    close_event,
)

__all__ = ["LAST_WORDS", "AsgiLink"]

log = logging.getLogger("rhtmx_server")

LAST_WORDS = 1.0
"""Seconds that the close frame of a peer may take that has not taken what came before."""

_DRAINED = 4
"""This part of the limit may still wait when a peer counts as one that reads again."""


class AsgiLink:
    """The transport of one socket.

    Args:
        send: ASGI's.
        pieces: takes frames apart, as far as the server needs it.
        event: makes the event that sends a piece.
        limit: bytes that may wait before the peer counts as slow.
        patience: seconds that the peer has to take what waits at the end.
        now: seconds, of a clock that does not jump.
        share: seconds for which it may go on before the loop serves everyone else.
        another: waits for another share.
    """

    def __init__(
        self,
        send: Send,
        pieces: Callable[[bytes], Sequence[Piece]],
        event: Callable[[str | bytes], AsgiEvent],
        *,
        limit: int,
        patience: float,
        now: Callable[[], float],
        share: float,
        another: Callable[[], Awaitable[None]],
    ) -> None:
        self._send = send
        self._pieces = pieces
        self._event = event
        self._limit = limit
        self._patience = patience
        self._now = now
        self._share = share
        self._another = another
        self._connection: Connection | None = None
        self._queue: deque[Piece] = deque()
        self._waiting = 0
        self._full = False
        self._goodbye: tuple[int, str] | None = None
        self._over = False
        self._gone = False
        self._wake = asyncio.Event()
        self._readable = asyncio.Event()
        self._readable.set()
        self._timeout = asyncio.timeout(None)
        self._running = False

    # What the connection calls.

    def write(self, data: bytes) -> None:
        """Keep frames until the peer takes them."""
        if self._over:
            return
        self._queue.extend(self._pieces(data))
        self._waiting += len(data)
        self._wake.set()
        if self._waiting > self._limit and self._connection is not None:
            self._full = True
            self._connection.overfull()

    def pause(self) -> None:
        """Take nothing more from the host until `resume`."""
        self._readable.clear()

    def resume(self) -> None:
        """Go on, first with what was refused last."""
        self._readable.set()

    def ping(self) -> None:
        """An application cannot ping (ASGI has no such event): the host's server does."""
        if self._connection is not None:
            self._connection.alive()

    def close(self, code: int, reason: str) -> None:
        """Send what waits, and a close frame."""
        if self._goodbye is None:
            self._goodbye = code, reason
            self._hurry(self._patience)
        self._wake.set()
        self.resume()

    def abort(self) -> None:
        """Send nothing of what waits; of an application, ASGI takes no more than that."""
        if self._goodbye is None:
            self._goodbye = close_code(ErrorCode.STALLED), ""
        self._end()

    def waiting(self) -> int:
        """Bytes that were written and not taken by the host's server yet."""
        return self._waiting

    # What the door calls.

    async def run(self, connection: Connection, receive: Receive, most: int) -> None:
        """Serve a connection until the end, but for the close frame: `say_goodbye`.

        Args:
            connection: whose link this is.
            receive: ASGI's.
            most: bytes of a message.
        """
        self._connection = connection
        reading = asyncio.get_running_loop().create_task(self._read(receive, most))
        try:
            if not self._over:  # it may have been ended before it began
                async with self._timeout:
                    self._running = True
                    if self._goodbye is not None:
                        self._hurry(self._patience)
                    await self._send_all()
        except TimeoutError:
            pass  # the rest is dropped
        finally:
            self._running, self._over = False, True
            self._connection = None  # they hold each other: no work for the garbage collector
            self._queue.clear()
            self._waiting = 0
            reading.cancel()
            await asyncio.wait([reading])

    async def say_goodbye(self) -> None:
        """Send the close frame, if somebody may get it."""
        if self._gone or self._goodbye is None:
            return
        try:
            async with asyncio.timeout(LAST_WORDS):
                await self._send(close_event(*self._goodbye))
        except Exception as failure:
            log.debug("a socket ended without a close frame: %s", place(failure))

    # Inside.

    def _hurry(self, seconds: float) -> None:
        if self._running and not self._timeout.expired():
            self._timeout.reschedule(asyncio.get_running_loop().time() + seconds)

    def _end(self) -> None:
        self._over = True
        self._wake.set()
        self._hurry(0.0)  # out of a `send` that waits for the peer

    def _lose(self) -> None:
        """Nobody is there any more."""
        self._gone = True
        self._end()

    async def _send_all(self) -> None:
        while not self._over:
            if not await self._send_queue() or self._goodbye is not None:
                return
            self._wake.clear()
            await self._wake.wait()

    async def _send_queue(self) -> bool:
        """Send what waits; whether somebody is there to take it."""
        began = self._now()
        while self._queue and not self._over:
            message, size = self._queue.popleft()
            try:
                await self._send(self._event(message))
            except Exception as failure:  # `OSError` by the specification, others in practice
                log.debug("sending on a socket failed, its peer is gone: %s", place(failure))
                self._gone = True
                return False
            self._waiting -= size
            if self._full and self._waiting <= self._limit // _DRAINED:
                self._full = False
                if self._connection is not None:
                    self._connection.drained_enough()
            # Most servers take a message without waiting: then this task would never give way.
            if self._now() - began >= self._share:
                await self._another()
                began = self._now()
        return True

    async def _read(self, receive: Receive, most: int) -> None:
        try:
            await self._receive_all(receive, most)
        except Exception as failure:
            error = unexpected(failure, "receiving on a socket")
            if self._connection is not None:
                self._connection.close(error.code, error.message)

    async def _receive_all(self, receive: Receive, most: int) -> None:
        spent = 0.0
        while (connection := self._connection) is not None:
            await self._readable.wait()
            data, text = await self._next(receive)
            began = self._now()  # that it has waited for its peer costs nobody anything
            if data is None:
                self._lose()
                return
            connection.alive()
            if len(data) > most:
                _too_large(connection, most)
                continue
            while not connection.receive(data, text):
                await self._readable.wait()
                connection.alive()
                began = self._now()
            spent += self._now() - began
            if spent >= self._share:
                await self._another()
                spent = 0.0

    async def _next(self, receive: Receive) -> tuple[bytes | None, bool]:
        """The next message, and whether it is text; `None` at the end."""
        try:
            event = await receive()
        except Exception as failure:  # some servers raise after the end
            log.debug("receiving on a socket failed: %s", place(failure))
            return None, False
        if event["type"] != "websocket.receive":
            # By some servers 1005 is of a peer that vanished, too.
            if event.get("code") in (1000, *PAGE_LEFT) and self._connection is not None:
                self._connection.ended(event["code"])
            return None, False
        text: str | None = event.get("text")
        if text is None:
            return event.get("bytes") or b"", False
        # What is no text after all is refused in words, as any other that cannot be read.
        return text.encode(errors="surrogatepass"), True


def _too_large(connection: Connection, most: int) -> None:
    words = f"a message of at most {most} bytes expected, got a larger one"
    error = RhtmxError(ErrorCode.TOO_LARGE, words)
    connection.send(error_message(error))
    connection.close(error.code, words)
