"""One HTTP/2 peer: bytes in, a few at a time; frames out; and its end.

Knows the transport, and the turns of the loop. Must not know methods or messages,
nor what a peer may do: `guards` and `events` do.

uvloop 0.23 hands over up to 8 MiB in one readable event, and that is a million
frames. So nothing is handled in the callback that brings it. The transport is paused
while something waits, which bounds what is kept: uvloop still hands over one piece
of at most 256 KiB. A peer that does not take what it is told is not read either.

=========  ================  ===================  =================  ================
state      bytes come        its turn             the socket is      the socket has
                                                  full               room again
=========  ================  ===================  =================  ================
reading    in line, paused   -                    reading            reading
in line    in line           reading, where all   in line            in line
                             is handled; full,
                             where the socket is
full       full              -                    full               in line
=========  ================  ===================  =================  ================

`in line` is `_working`; `full` is `_paused` and not that. A peer that takes nothing
of what is in the socket for `patience` seconds is dropped (`_look`).
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Protocol

from grpclib.config import Configuration
from grpclib.protocol import AbstractHandler, H2Protocol
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import Event
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings
from hyperframe.frame import GoAwayFrame

from rhtmx_server.connections.turns import Turns
from rhtmx_server.failures import place, stopping
from rhtmx_server.transports.grpc.events import GuardedProcessor
from rhtmx_server.transports.grpc.frames import HEAD, Frames
from rhtmx_server.transports.grpc.guards import GrpcLimits, GuardedConnection

__all__ = ["H2_CONFIG", "GuardedProtocol", "ProtocolOwner", "configuration"]

log = logging.getLogger("rhtmx_server")

H2_CONFIG = H2Configuration(
    client_side=False,
    header_encoding="ascii",
    validate_outbound_headers=False,
    normalize_outbound_headers=False,
    normalize_inbound_headers=False,
)
_STREAM_WINDOW = 256 * 1024
_CONNECTION_WINDOW = 4 * 1024 * 1024
_HEADERS = 16 * 1024


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


class ProtocolOwner(Protocol):
    """Who keeps the connections."""

    def opened(self, protocol: GuardedProtocol) -> bool:
        """A peer has connected; whether it may stay."""

    def lost(self, protocol: GuardedProtocol) -> None:
        """Its transport is closed: whoever kept it lets go."""

    def stalled(self) -> None:
        """It does not take what it is sent, and is dropped."""


class GuardedProtocol(H2Protocol):
    """One peer.

    Args:
        handler: starts calls.
        config: of grpclib.
        owner: keeps it.
        limits: what it may do.
        turns: says when what it sends is handled.
        kept: bytes that may wait for it, over all of its streams.
        patience: seconds for which it may take nothing of what waits in the socket.
    """

    def __init__(
        self,
        handler: AbstractHandler,
        config: Configuration,
        owner: ProtocolOwner,
        limits: GrpcLimits,
        turns: Turns,
        *,
        kept: int,
        patience: float,
    ) -> None:
        super().__init__(handler, config, H2_CONFIG)
        self._owner = owner
        self._limits = limits
        self._turns = turns
        self._kept = kept
        self._patience = patience
        self._transport: Any = None
        self._admitted = False
        self._frames = Frames(_HEADERS)
        self._paused = False
        self._working = False
        self._looking: asyncio.TimerHandle | None = None
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
        self.connection: GuardedConnection = GuardedConnection(
            h2,
            transport,
            config=self.config,
            limits=self._limits,
            kept=self._kept,
            patience=self._patience,
        )
        self.connection.flush()
        self.connection.initialize()
        self.processor: GuardedProcessor = GuardedProcessor(
            self.handler, self.connection, self._limits
        )

    def data_received(self, data: bytes) -> None:
        """Take bytes, to be handled in turn; until then no more are read."""
        if not self._admitted or self.connection.is_closing():
            return
        self._frames.add(data)
        if not self._paused:
            self._paused = True
            self._transport.pause_reading()
            self._work()

    def pause_writing(self) -> None:
        """The socket is full: the peer has its time to take some of it."""
        super().pause_writing()
        self._look(self._transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """The peer has taken it: go on, also with what it has said."""
        super().resume_writing()
        self._look_no_more()
        if self._paused and not self._working:
            self._work()

    def connection_lost(self, exc: BaseException | None) -> None:
        """The peer is gone: its calls are cancelled, and what it said last is dropped."""
        self._look_no_more()
        self._frames.clear()
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
            self.connection.goodbye(ErrorCodes.NO_ERROR)
            self.processor.close(stopping().message)

    def abort(self) -> None:
        """Drop the connection, without a word and with all that waits."""
        self._transport.abort()

    @property
    def peername(self) -> Any:
        """The peer's address, as the socket module has it."""
        return self._transport.get_extra_info("peername")

    # Inside.

    def _work(self) -> None:
        self._working = True
        self._turns.wait(self._step)

    def _step(self) -> bool:
        """Handle a few frames; whether there are more that can be handled now."""
        connection = self.connection
        able = connection.write_ready.is_set() and not connection.is_closing()
        if able and self._handled() and len(self._frames) >= HEAD:
            return True
        self._working = False
        if connection.is_closing():
            self._frames.clear()
        elif connection.write_ready.is_set():
            self._paused = False
            self._transport.resume_reading()
        return False

    def _handled(self) -> bool:
        """Whether a piece of what has arrived could be handled.

        What is no HTTP/2 ends the connection, without a word in the log.
        """
        connection, h2 = self.connection, self.connection._connection
        try:
            piece = self._frames.take()
        except ProtocolError as error:
            connection.goodbye(error.error_code)
            self.processor.close("protocol error")
            return False
        if not piece:
            return False
        # Compared before and after: only where it opens have the streams anything to do.
        shut = h2.outbound_flow_control_window <= 0
        try:
            events = connection.feed(piece)
        except ProtocolError:
            connection.flush()  # GOAWAY, with the reason
            self.processor.close("protocol error")
            return False
        except Exception as failure:
            log.debug("bytes that are no HTTP/2: %s", place(failure))
            self.processor.close("protocol error")
            return False
        connection.flush()
        self._process(events)
        if shut and h2.outbound_flow_control_window > 0:
            self.processor.widened()
        connection.flush()
        return True

    def _process(self, events: list[Event]) -> None:
        try:
            for event in events:
                self.processor.process(event)
        except Exception as failure:
            log.error("handling an HTTP/2 event failed: %s", place(failure))
            self.abort()

    def _look(self, waiting: int) -> None:
        """Drop the peer if it has taken nothing of what waits until the next look."""
        loop = asyncio.get_running_loop()
        self._looking = loop.call_later(self._patience, self._judge, waiting)

    def _judge(self, waiting: int) -> None:
        left = self._transport.get_write_buffer_size()
        if left < waiting:
            self._look(left)
        else:
            self._owner.stalled()
            self.abort()

    def _look_no_more(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
