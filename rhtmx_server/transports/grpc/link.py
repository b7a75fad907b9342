"""An HTTP/2 stream as the link of a connection: bounded, and never waited for.

Knows flow control. Must not know messages.

What the peer's window takes goes out at once. The rest waits here; above a
limit the connection is told, and its cursors fall back to the store: a slow
stream is a slow cursor, not a growing queue.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from grpclib.server import Stream
from h2.exceptions import ProtocolError

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.connection import Connection
from rhtmx_server.transports.grpc.errors import ended_by

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
        self._stream = stream._stream
        self._limit = limit
        self._patience = patience
        self._connection: Connection | None = None
        self._queue: deque[bytes] = deque()
        self._written = 0
        self._open = False
        self._ended = False
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
        self._written += len(data)
        if self._queue or not self._open or not self._sent(data):
            self._queue.append(data)
            self._wake.set()
            if self._connection is not None and self.waiting() > self._limit:
                self._connection.overfull()

    def pause(self) -> None:
        """Stop receiving."""
        self._readable.clear()

    def resume(self) -> None:
        """Go on receiving."""
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
            self.end(RhtmxError(ErrorCode.STALLED, "the client has stopped reading"))
        else:  # not even a status gets through, for any of its streams
            self._stream._transport.abort()

    def waiting(self) -> int:
        """Bytes that were written and not sent yet."""
        return self._written - self._stream.data_sent

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
            self._open = False
            self._connection = None  # they hold each other: no work for the garbage collector
        if self._error is not None:
            raise self._error

    # Inside.

    def _hurry(self) -> None:
        self._timeout.reschedule(asyncio.get_running_loop().time() + self._patience)

    async def _send_all(self) -> None:
        while True:
            while self._queue:
                await self._stream.send_data(self._queue[0])
                self._queue.popleft()
                if self._connection is not None and self.waiting() <= self._limit // 4:
                    self._connection.drained_enough()
            if self._ended:
                return
            self._wake.clear()
            await self._wake.wait()

    def _sent(self, data: bytes) -> bool:
        """Send at once what fits into one frame and the window.

        Only what does not fit has to wait for the task that sends: a turn of the loop.
        """
        stream, transport = self._stream, self._stream._transport
        connection, h2 = stream.connection, stream._h2_connection
        if not connection.write_ready.is_set() or transport.is_closing():
            return False
        assert stream.id is not None
        size = len(data)
        try:
            if size > min(h2.local_flow_control_window(stream.id), h2.max_outbound_frame_size):
                return False
            h2.send_data(stream.id, data)
        except ProtocolError:
            return True  # the stream is over, and its task about to learn of that
        transport.write(h2.data_to_send())
        stream.data_sent += size
        connection.data_sent += size
        connection.data_send_process()
        return True
