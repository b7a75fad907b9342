"""An HTTP/2 stream as the link of a connection: bounded, and never waited for.

Knows flow control. Must not know messages.

What the peer's window takes goes out at once. The rest waits here; above a
limit the connection is told, and its cursors fall back to the store: a slow
stream is a slow cursor, not a growing queue. Pages are read while the window is
open and there is room among all streams of the peer: a window that stays shut is
a slow peer as well.

=========  ================  ========  =========  ============  ============
state      `write`           `run`     `end`      all is sent   time is over
=========  ================  ========  =========  ============  ============
waiting    waiting, kept     open      doomed     -             -
open       open, sent or     -         ending     open          -
           kept
doomed     doomed, kept      ending    doomed     -             -
ending     ending, sent or   -         ending     over          over
           kept
over       over, dropped     -         over       -             -
=========  ================  ========  =========  ============  ============

`doomed` has ended before `run` has sent its headers (`_ended` and not `_open`): what
was written goes out all the same. The time is counted from the last `end`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

from grpclib.server import Stream
from h2.exceptions import ProtocolError

from rhtmx.errors import RhtmxError
from rhtmx_server.connections.connection import Connection
from rhtmx_server.transports.grpc.calls import h2_stream
from rhtmx_server.transports.grpc.errors import ended_by, stopped_reading

__all__ = ["StreamLink"]


class StreamLink:
    """The transport of one stream.

    Args:
        stream: the call.
        limit: bytes that may wait before the peer counts as slow.
        patience: seconds that the peer has to take what waits at the end.
    """

    def __init__(self, stream: Stream[Any, Any], limit: int, patience: float) -> None:
        self._call = stream
        self._stream = h2_stream(stream)
        self._room = self._stream.connection.pages
        self._limit = limit
        self._patience = patience
        self._connection: Connection | None = None
        self._queue: deque[bytes] = deque()
        self._written = 0
        self._open = False
        self._ended = False
        self._over = False
        self._error: RhtmxError | None = None
        self._wake = asyncio.Event()
        self._readable = asyncio.Event()
        self._readable.set()
        self._timeout = asyncio.timeout(None)

    def attach(self, connection: Connection) -> None:
        """Tell `connection` how its peer reads."""
        self._connection = connection

    # What the connection calls.

    def write(self, data: bytes) -> None:
        """Send, or keep until the peer takes it."""
        if self._over:
            return
        self._written += len(data)
        if self._queue or not self._open or not self._sent(data):
            self._queue.append(data)
            self._wake.set()
            if self._connection is not None and self.waiting() > self._limit:
                self._connection.overfull()
            self._room.keep(len(data), self)

    def pause(self) -> None:
        """Have `readable` wait until `resume`."""
        self._readable.clear()

    def resume(self) -> None:
        """Let `readable` through."""
        self._readable.set()

    def ping(self) -> None:
        """HTTP/2 asks for signs of life itself, once for all streams of a peer."""
        if self._connection is not None:
            self._connection.alive()

    def close(self, code: int, reason: str) -> None:
        """End the stream with the status of a close code."""
        self.end(ended_by(code, reason))

    def abort(self) -> None:
        """End it now: the peer has stopped reading."""
        if self._stream.connection.write_ready.is_set():
            self._patience = 0.0
            self.end(stopped_reading())
        else:  # not even a status gets through, for any of its streams
            self._stream.drop_peer()

    def waiting(self) -> int:
        """Bytes that were written and not sent yet."""
        return self._written - self._stream.data_sent

    def crowded(self) -> None:
        """Other streams of the peer wait because of what it has not taken of this one."""
        if self._connection is not None:
            self._connection.overfull()

    @contextlib.asynccontextmanager
    async def page(self) -> AsyncIterator[None]:
        """Wait until the peer takes something, and there is room for what is read inside."""
        try:
            if not self._stream.window():
                self.crowded()
                await self._stream.opened()
                self._drained()
        except ProtocolError:
            raise asyncio.CancelledError from None  # the stream is over: nothing is read for it
        async with self._room.turn():
            yield

    # What the call does.

    def end(self, error: RhtmxError | None = None) -> None:
        """Have `run` end once the rest is sent, or its time is over.

        Args:
            error: what `run` raises then.
        """
        if not self._ended:
            self._ended, self._error = True, error
        self._wake.set()
        if self._open and not self._timeout.expired():
            self._hurry()

    async def readable(self) -> None:
        """Wait until the connection takes messages."""
        await self._readable.wait()

    async def run(self) -> None:
        """Send until the end.

        Raises:
            RhtmxError: why it was ended.
        """
        await self._call.send_initial_metadata()
        try:
            async with self._timeout:
                self._open = True
                if self._ended:
                    self._hurry()
                await self._send_all()
        except TimeoutError:
            pass  # the rest is dropped, the status goes out
        finally:
            self._open, self._over = False, True
            self._connection = None  # they hold each other: no work for the garbage collector
            self._room.leave(self)
            self._room.drop(sum(map(len, self._queue)))
            self._queue.clear()
        if self._error is not None:
            raise self._last_words()

    # Inside.

    def _hurry(self) -> None:
        self._timeout.reschedule(asyncio.get_running_loop().time() + self._patience)

    async def _send_all(self) -> None:
        while True:
            while self._queue:
                await self._stream.send_data(self._queue[0])
                self._room.free(len(self._queue.popleft()))
                self._drained()
            self._room.leave(self)
            if self._ended:
                return
            self._wake.clear()
            await self._wake.wait()

    def _drained(self) -> None:
        if self._connection is not None and self.waiting() <= self._limit // 4:
            self._connection.drained_enough()

    def _last_words(self) -> RhtmxError:
        """The error, once: it holds the frames that it passes, and so this link with its queue."""
        error, self._error = self._error, None
        assert error is not None
        return error

    def _sent(self, data: bytes) -> bool:
        """Send at once what fits into one frame and the window.

        Only what does not fit has to wait for the task that sends: a turn of the loop.
        """
        stream = self._stream
        try:
            if not stream.fits(data):
                return False
            stream.send_now(data)
        except ProtocolError:
            pass  # the stream is over, and its task about to learn of that
        return True
