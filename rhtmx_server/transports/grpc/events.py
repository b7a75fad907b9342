"""What h2 makes of a peer's frames, on its way to grpclib: counted, mended, or dropped.

Knows which events cost a peer nothing, and which of them grpclib trips over. Must
not know sockets, methods or messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from grpclib.protocol import AbstractHandler, EventsProcessor, Stream
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    PingAckReceived,
    PingReceived,
    PriorityUpdated,
    RemoteSettingsChanged,
    RequestReceived,
    SettingsAcknowledged,
    StreamReset,
    UnknownFrameReceived,
    WindowUpdated,
)

from rhtmx_server.connections.allowance import Allowance
from rhtmx_server.transports.grpc.guards import GrpcLimits, GuardedConnection

__all__ = ["GuardedProcessor"]

_TIMEOUT = re.compile(r"[0-9]{1,8}[HMSmun]")


class GuardedProcessor(EventsProcessor):
    """Counts frames that cost the peer nothing; mends headers that grpclib trips over.

    Forgets each stream when it is reset, and all of them with the connection.
    """

    def __init__(
        self, handler: AbstractHandler, connection: GuardedConnection, limits: GrpcLimits
    ) -> None:
        super().__init__(handler, connection)
        self._guarded = connection
        self._frames = limits.frames
        self._cheap: dict[type[Event], Allowance] = {
            PingReceived: limits.pings,
            StreamReset: limits.resets,
            PingAckReceived: limits.frames,
            RemoteSettingsChanged: limits.frames,
            SettingsAcknowledged: limits.frames,
            PriorityUpdated: limits.frames,
            UnknownFrameReceived: limits.frames,
        }

    def process(self, event: Event) -> None:
        """Take an event. Unknown ones are ignored (RFC 9113, section 5.5)."""
        if not hasattr(self, "processors"):
            return  # closed by an event before this one
        allowance = self._cheap.get(type(event))
        if allowance is not None and not allowance.take():
            self._calm(b"too_many_pings" if type(event) is PingReceived else b"too_many_frames")
        elif type(event) in self.processors:
            super().process(event)

    def register(self, stream: Stream) -> Callable[[], None]:
        """Take note of a stream.

        Returns:
            What forgets it, as often as it is called.
        """
        super().register(stream)
        return partial(self._forget, stream)

    def process_stream_reset(self, event: StreamReset) -> None:
        """End a call, and forget its stream.

        grpclib 0.4.9 has the call's own task do that, as its last step. A task that is cancelled
        before its first one makes none: the stream would stay, and take its part of the window
        with it, until the connection ends.
        """
        stream = self.streams.get(event.stream_id)
        super().process_stream_reset(event)
        if stream is not None:
            self._forget(stream)

    def close(self, reason: str = "Connection closed") -> None:
        """End all calls, and forget their streams."""
        super().close(reason)
        self.streams.clear()

    def process_data_received(self, event: DataReceived) -> None:
        """Keep data. No window limits how many frames without any there are."""
        if event.data:
            super().process_data_received(event)
            return
        self.connection.ack(event.stream_id, event.flow_controlled_length or 0)
        if event.stream_ended is None and not self._frames.take():
            self._calm(b"too_many_frames")

    def process_window_updated(self, event: WindowUpdated) -> None:
        """Wake the stream whose window has grown; for that of all streams, see `widened`."""
        if event.stream_id:
            super().process_window_updated(event)

    def widened(self) -> None:
        """The window of the connection was shut, and is open.

        grpclib 0.4.9 wakes every stream at each update of it: 13 bytes for the peer,
        5 µs for each stream here.
        """
        for stream in self.streams.values():
            stream.window_updated.set()

    def process_request_received(self, event: RequestReceived) -> None:
        """Begin a call, without the headers that grpclib trips over."""
        headers: Any = event.headers  # texts, as `header_encoding` asks
        mended: Any = [
            (name, value if name != "grpc-timeout" or _TIMEOUT.fullmatch(value) else "none")
            for name, value in headers
            # Nobody here reads binary metadata, and grpclib fails on what is no base64.
            if not name.endswith("-bin")
        ]
        event.headers = mended
        super().process_request_received(event)

    def _forget(self, stream: Stream) -> None:
        assert stream.id is not None
        if self.streams.pop(stream.id, None) is not None:
            self.connection.ack(stream.id, stream.buffer.unacked_size())

    def _calm(self, why: bytes) -> None:
        self._guarded.goodbye(ErrorCodes.ENHANCE_YOUR_CALM, why)
        self.close("too many frames")
