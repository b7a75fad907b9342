"""HTTP/2 under guard: what grpclib leaves open to a peer that means harm.

Knows frames, windows and limits. Must not know methods or messages.

===================  =========================================================
a peer that …        …
===================  =========================================================
sends a large        is refused at the length prefix, before anything is kept
message
opens many streams   is told how many it may have, and dropped if it has more
resets, pings or     is told to be calm (GOAWAY), and dropped
sets without end
is gone              is found out by a ping, once in a heartbeat
===================  =========================================================
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable
from typing import Any, Protocol

from grpclib.config import Configuration
from grpclib.protocol import AbstractHandler, Connection, EventsProcessor, H2Protocol, Stream
from grpclib.utils import Wrapper
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import Event, PingReceived, RemoteSettingsChanged, RequestReceived, StreamReset
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings
from hyperframe.frame import GoAwayFrame

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.failures import place
from rhtmx_server.transports.grpc.allowance import Allowance

__all__ = ["H2_CONFIG", "GuardedProtocol", "Limits", "Owner", "configuration"]

log = logging.getLogger("rhtmx_server")

H2_CONFIG = H2Configuration(
    client_side=False,
    header_encoding="ascii",
    validate_outbound_headers=False,
    normalize_outbound_headers=False,
    normalize_inbound_headers=False,
)
_STREAM_WINDOW = 256 * 1024
_CONNECTION_WINDOW = 1024 * 1024
_HEADERS = 16 * 1024
_LINGER = 2.0
"""Seconds that a closed connection has to send what is left."""

_TIMEOUT = re.compile(r"[0-9]{1,8}[HMSmun]")
_SECONDS_PER_PING = 5.0
_PINGS = 8
_FRAMES = 100


def configuration(heartbeat: float) -> Configuration:
    """What grpclib has to be told.

    Args:
        heartbeat: seconds; a peer that lets two of them pass is gone.
    """
    return Configuration(
        _keepalive_time=heartbeat,
        _keepalive_timeout=heartbeat,
        _keepalive_permit_without_calls=True,
        _http2_max_pings_without_data=0,
        _http2_min_sent_ping_interval_without_data=heartbeat / 2,
        http2_connection_window_size=_CONNECTION_WINDOW,
        http2_stream_window_size=_STREAM_WINDOW,
    )


class Limits:
    """What one connection may do.

    Args:
        streams: open at a time.
        size: of one message, in bytes.
        now: seconds, of a clock that does not jump.
    """

    def __init__(self, streams: int, size: int, now: Callable[[], float] = time.monotonic) -> None:
        self.streams = streams
        self.size = size
        self.pings = Allowance(_PINGS, 1 / _SECONDS_PER_PING, now)
        self.frames = Allowance(_FRAMES, 10.0, now)
        self.resets = Allowance(2 * streams, float(streams), now)


class Owner(Protocol):
    """Who keeps the connections."""

    def opened(self, protocol: GuardedProtocol) -> bool:
        """A peer has connected; whether it may stay."""

    def lost(self, protocol: GuardedProtocol) -> None:
        """It is gone."""


class _Stream(Stream):
    """A stream that keeps no message that is too large."""

    most = 0

    async def recv_data(self, size: int) -> bytes:
        if size > self.most:
            raise RhtmxError(
                ErrorCode.TOO_LARGE,
                f"a message of at most {self.most} bytes expected, got one of {size}",
            )
        try:
            return await super().recv_data(size)
        except AssertionError:
            raise RhtmxError(
                ErrorCode.BAD_MESSAGE, "the stream ended in the middle of a message"
            ) from None


class _Connection(Connection):
    """A connection that is closed even if its peer takes nothing any more."""

    def __init__(self, *args: Any, limits: Limits, **more: Any) -> None:
        super().__init__(*args, **more)
        self.limits = limits

    def create_stream(
        self, *, stream_id: int | None = None, wrapper: Wrapper | None = None
    ) -> Stream:
        stream = _Stream(
            self, self._connection, self._transport, stream_id=stream_id, wrapper=wrapper
        )
        stream.most = self.limits.size
        return stream

    def headers_send_process(self) -> None:
        super().headers_send_process()
        self.limits.pings.refill()  # who is sent something may measure the way there

    def data_send_process(self) -> None:
        super().data_send_process()
        self.limits.pings.refill()

    def close(self) -> None:
        transport = getattr(self, "_transport", None)
        super().close()
        if transport is not None:
            asyncio.get_running_loop().call_later(_LINGER, transport.abort)


class _Processor(EventsProcessor):
    """Counts frames that cost the peer nothing; mends headers that grpclib trips over."""

    def __init__(self, handler: AbstractHandler, connection: Connection, limits: Limits) -> None:
        super().__init__(handler, connection)
        self._cheap: dict[type[Event], Allowance] = {
            PingReceived: limits.pings,
            StreamReset: limits.resets,
            RemoteSettingsChanged: limits.frames,
        }

    def process(self, event: Event) -> None:
        if not hasattr(self, "processors"):
            return  # closed by an event before this one
        allowance = self._cheap.get(type(event))
        if allowance is not None and not allowance.take():
            self._calm(b"too_many_pings" if type(event) is PingReceived else b"too_many_frames")
        elif type(event) in self.processors:  # others have to be ignored (RFC 9113 section 5.5)
            super().process(event)

    def process_request_received(self, event: RequestReceived) -> None:
        headers: Any = event.headers  # texts, as `header_encoding` asks
        mended: Any = [
            (name, value if name != "grpc-timeout" or _TIMEOUT.fullmatch(value) else "none")
            for name, value in headers
            if not name.endswith("-bin")
        ]
        event.headers = mended
        super().process_request_received(event)

    def _calm(self, why: bytes) -> None:
        h2 = self.connection._connection
        h2.close_connection(ErrorCodes.ENHANCE_YOUR_CALM, additional_data=why)
        self.connection.flush()
        self.close("too many frames")


class GuardedProtocol(H2Protocol):
    """One peer.

    Args:
        handler: starts calls.
        config: of grpclib.
        owner: keeps it.
        limits: what it may do.
    """

    def __init__(
        self, handler: AbstractHandler, config: Configuration, owner: Owner, limits: Limits
    ) -> None:
        super().__init__(handler, config, H2_CONFIG)
        self._owner = owner
        self._limits = limits
        self._transport: Any = None
        self._admitted = False
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        """Greet a peer with what it may do; or drop it, if there are too many."""
        self._transport = transport
        self._admitted = self._owner.opened(self)
        if not self._admitted:
            transport.abort()
            return
        h2 = H2Connection(config=self.h2_config)
        h2.local_settings = Settings(
            client=False,
            initial_values={
                SettingCodes.MAX_CONCURRENT_STREAMS: self._limits.streams,
                SettingCodes.MAX_HEADER_LIST_SIZE: _HEADERS,
                SettingCodes.INITIAL_WINDOW_SIZE: _STREAM_WINDOW,
            },
        )
        h2.decoder.max_header_list_size = _HEADERS
        h2.initiate_connection()
        h2.increment_flow_control_window(_CONNECTION_WINDOW - 65_535)
        self.connection = _Connection(h2, transport, config=self.config, limits=self._limits)
        self.connection.flush()
        self.connection.initialize()
        self.processor = _Processor(self.handler, self.connection, self._limits)

    def data_received(self, data: bytes) -> None:
        """Take bytes; what is no HTTP/2 ends the connection, without a word in the log."""
        if not self._admitted or self.connection.is_closing():
            return
        try:
            events = self.connection.feed(data)
        except ProtocolError:
            self.connection.flush()  # GOAWAY, with the reason
            self.processor.close("protocol error")
            return
        except Exception as failure:
            log.debug("bytes that are no HTTP/2: %s", place(failure))
            self.processor.close("protocol error")
            return
        self.connection.flush()
        for event in events:
            self.processor.process(event)
        if not self.connection.is_closing():
            self.connection.flush()

    def connection_lost(self, exc: BaseException | None) -> None:
        """The peer is gone: its calls are cancelled."""
        if self._admitted:
            super().connection_lost(exc)
            self._owner.lost(self)
        if not self.gone.done():
            self.gone.set_result(None)

    def announce_end(self) -> None:
        """Tell the peer to open no more streams here; those that are open go on."""
        if self._admitted and not self.connection.is_closing():
            # h2 has no word for a connection that is about to end.
            self._transport.write(GoAwayFrame(0, last_stream_id=2**31 - 1).serialize())

    def close(self) -> None:
        """End the connection in good order; `gone` tells when."""
        if self._admitted and not self.connection.is_closing():
            self.connection._connection.close_connection()
            self.connection.flush()
            self.processor.close("the server is stopping")

    def abort(self) -> None:
        """Drop the connection."""
        self._transport.abort()
