"""HTTP/2 under guard: what grpclib leaves open to a peer that means harm.

Knows events, windows and limits. Must not know sockets, methods or messages.

===================  =========================================================
a peer that …        …
===================  =========================================================
sends a large        is refused at the length prefix, before anything is kept
message
opens many streams   is told how many it may have, and dropped if it has more
calls too often      is told when the next call will be taken
resets, pings or     is told to be calm (GOAWAY), and dropped
sets without end
takes nothing        is not read either, and read nothing for
===================  =========================================================
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from grpclib.config import Configuration
from grpclib.protocol import Connection, Stream
from grpclib.utils import Wrapper
from h2.connection import H2Connection
from h2.errors import ErrorCodes

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.connections.allowance import Allowance
from rhtmx_server.transports.grpc.buffer import Buffer
from rhtmx_server.transports.grpc.errors import cut_short
from rhtmx_server.transports.grpc.headroom import Headroom

__all__ = ["GrpcLimits", "GuardedConnection", "GuardedStream"]

_LINGER = 2.0
"""Seconds that a closed connection has to send what is left."""

_SECONDS_PER_PING = 5.0
_PINGS = 8
_FRAMES = 100
_RESETS = 100.0
"""Calls that may be reset in a second, once all that may be open were. Each costs the peer nothing,
and here a task, its stream and a cancellation."""
_READS = 16
"""Records that are read at a time for answers on one connection."""


class GrpcLimits:
    """What one connection may do.

    Args:
        streams: open at a time.
        size: of one message, in bytes.
        calls: a second.
        now: seconds, of a clock that does not jump.
    """

    def __init__(
        self,
        streams: int,
        size: int,
        calls: int = 5000,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.streams = streams
        self.size = size
        self.calls = Allowance(calls, calls, now)
        self.pings = Allowance(_PINGS, 1 / _SECONDS_PER_PING, now)
        self.frames = Allowance(_FRAMES, 10.0, now)
        self.resets = Allowance(streams, _RESETS, now)


class GuardedStream(Stream):
    """A stream that keeps no message that is too large, and sends as its peer takes."""

    connection: GuardedConnection
    buffer: Buffer  # type: ignore[assignment]  # what grpclib asks of its own
    most = 0

    def init_stream(self, stream_id: int, connection: Connection) -> None:
        """Begin, with a buffer of ours."""
        super().init_stream(stream_id, connection)
        self.buffer = Buffer(partial(connection.ack, stream_id))

    async def recv_data(self, size: int) -> bytes:
        """So many bytes of what the peer says; none if it has said all.

        Raises:
            RhtmxError: `TOO_LARGE`; `BAD_MESSAGE`, it said less.
        """
        if size > self.most:
            raise RhtmxError(
                ErrorCode.TOO_LARGE,
                f"a message of at most {self.most} bytes expected, got one of {size}",
            )
        data = await self.buffer.read(size)
        if 0 < len(data) < size:
            raise cut_short()
        return data

    def drop_peer(self) -> None:
        """Drop the connection, and with it all of the peer's streams."""
        self._transport.abort()

    def window(self) -> int:
        """How many bytes the peer takes now.

        Raises:
            ProtocolError: the stream is over.
        """
        assert self.id is not None
        if not self.connection.write_ready.is_set():
            return 0
        return max(0, self._h2_connection.local_flow_control_window(self.id))

    def fits(self, data: bytes) -> bool:
        """Whether it goes out at once, in one frame.

        Raises:
            ProtocolError: the stream is over.
        """
        h2 = self._h2_connection
        assert self.id is not None
        return self.connection.write_ready.is_set() and len(data) <= min(
            h2.local_flow_control_window(self.id), h2.max_outbound_frame_size
        )

    async def opened(self) -> int:
        """Wait until the peer takes something; how many bytes.

        Raises:
            ProtocolError: the stream is over.
        """
        while not (window := self.window()):
            if self.connection.write_ready.is_set():
                self.window_updated.clear()
                await self.window_updated.wait()
            else:
                await self.connection.write_ready.wait()
        return window

    async def send_data(self, data: bytes, end_stream: bool = False) -> None:
        """Send as the peer takes it.

        grpclib 0.4.9 looks once whether the socket takes more: of a thousand streams
        that wait for it, each would write a frame, though the first one fills it.
        """
        sent = 0
        while sent < len(data):
            size = min(await self.opened(), self._h2_connection.max_outbound_frame_size)
            self.send_now(data[sent : sent + size])
            sent += size

    def send_now(self, data: bytes) -> None:
        """Send what fits into one frame and the window.

        Raises:
            ProtocolError: the stream is over.
        """
        assert self.id is not None
        self._h2_connection.send_data(self.id, data)
        self._transport.write(self._h2_connection.data_to_send())
        self.data_sent += len(data)
        self.connection.data_sent += len(data)
        self.connection.data_send_process()


class _Outgoing:
    """A transport that nothing is written to once it is closing.

    grpclib 0.4.9 writes there all the same, and uvloop 0.23 raises RuntimeError then.
    """

    __slots__ = ("_write", "abort", "close", "get_extra_info", "is_closing")

    def __init__(self, transport: Any) -> None:
        self._write = transport.write
        self.abort = transport.abort
        self.close = transport.close
        self.get_extra_info = transport.get_extra_info
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        """Write, if anybody is there."""
        if not self.is_closing():
            self._write(data)


class GuardedConnection(Connection):
    """A connection that is closed even if its peer takes nothing any more.

    Args:
        connection: of h2.
        transport: to write to.
        config: of grpclib.
        limits: what the peer may do.
        kept: bytes that may wait for it, over all of its streams.
        patience: seconds that it has to take some of them, while others wait.
    """

    def __init__(
        self,
        connection: H2Connection,
        transport: Any,
        *,
        config: Configuration,
        limits: GrpcLimits,
        kept: int,
        patience: float,
    ) -> None:
        outgoing: Any = _Outgoing(transport)
        super().__init__(connection, outgoing, config=config)
        self.limits = limits
        self.pages = Headroom(kept, 1, patience)
        self.answers = Headroom(kept, _READS, patience)

    def create_stream(
        self, *, stream_id: int | None = None, wrapper: Wrapper | None = None
    ) -> Stream:
        """Have grpclib use our streams."""
        stream = GuardedStream(
            self, self._connection, self._transport, stream_id=stream_id, wrapper=wrapper
        )
        stream.most = self.limits.size
        return stream

    def ack(self, stream_id: int, size: int) -> None:
        """Let the peer send so much more, if it is there."""
        if not self.is_closing():
            super().ack(stream_id, size)

    def flush(self) -> None:
        """Write what is to be said, if the peer is there."""
        if not self.is_closing():
            super().flush()

    def headers_send_process(self) -> None:
        """Allow the peer pings again: it was sent headers."""
        super().headers_send_process()
        self.limits.pings.refill()  # who is sent something may measure the way there

    def data_send_process(self) -> None:
        """Allow the peer pings again: it was sent data."""
        super().data_send_process()
        self.limits.pings.refill()

    def goodbye(self, code: ErrorCodes, why: bytes = b"") -> None:
        """Say that this is the end; `close` has to follow."""
        self._connection.close_connection(code, additional_data=why or None)
        self.flush()

    def close(self) -> None:
        """Close, and drop what the peer has not taken soon."""
        # grpclib deletes it when it closes, and may close twice.
        transport = getattr(self, "_transport", None)
        super().close()
        if transport is not None:
            asyncio.get_running_loop().call_later(_LINGER, transport.abort)
