"""A socket of the `websockets` library, as a connection uses it.

Knows frames and flow control. Must not know handshakes, nor what a message
means.

The library parses and guards the protocol. Two of its conveniences are not
used, because a server of many sockets cannot afford them: its receive queue
(a task switch for each message) and its `send`, `ping` and `close`, which wait
for a peer that does not read.
"""

from __future__ import annotations

from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.frames import DATA_OPCODES, CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State

from rhtmx.errors import ErrorCode
from rhtmx.messages import Error
from rhtmx.messages.tables import ERRORS
from rhtmx_server.connection import Connection

__all__ = ["Socket", "SocketLink"]

_PING = bytes((0x89, 0x00))
_ANSWERED = Request("", Headers())
"""Stands for the request of every socket whose handshake is over."""


class Socket(ServerConnection):
    """A `websockets` connection that hands frames over as they come in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connection: Connection | None = None
        self._early: list[Frame] = []
        self._parts: list[bytes] = []
        self._text = False
        self._fail = self.protocol.fail
        self.protocol.fail = self._explain_and_fail  # type: ignore[method-assign]

    # What the library calls.

    def data_received(self, data: bytes) -> None:
        """Bytes came in: a sign of life, and maybe the end of the conversation."""
        connection = self.connection
        if connection is not None:
            connection.alive()
        super().data_received(data)
        if self.protocol.state is not State.OPEN and connection is not None:
            connection.ended()

    def process_event(self, event: Any) -> None:
        """Take a frame; the handshake and control frames go to the library."""
        if isinstance(event, Frame) and event.opcode in DATA_OPCODES:
            self._take(event)
        else:
            super().process_event(event)

    def pause_writing(self) -> None:
        """The peer has left too much unread."""
        super().pause_writing()
        if self.connection is not None:
            self.connection.overfull()

    def resume_writing(self) -> None:
        """It has read on."""
        super().resume_writing()
        if self.connection is not None:
            self.connection.drained_enough()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone; what is left of it holds nothing that would keep it alive."""
        if self.connection is not None:
            self.connection.lost()
        super().connection_lost(exc)
        # A server that waits for its garbage collector keeps thousands of dead
        # connections after a reconnect storm: their circles are cut here.
        self.connection = None
        del self._fail
        del self.protocol.fail
        self.protocol.parser_exc = None
        self.protocol.parser.close()

    def attach(self, connection: Connection) -> None:
        """Hand frames to `connection` from now on: the handshake is over."""
        self.connection = connection
        # Half of the objects that a socket consists of, and nobody reads them again.
        self.request, self.response = _ANSWERED, None
        del self.protocol.select_subprotocol
        early, self._early = self._early, []
        for frame in early:
            self._take(frame)

    # Inside.

    def _take(self, frame: Frame) -> None:
        connection = self.connection
        if connection is None:
            self._early.append(frame)
            return
        if frame.opcode is not Opcode.CONT:
            self._text = frame.opcode is Opcode.TEXT
        if frame.fin and not self._parts:
            connection.receive(bytes(frame.data), self._text)
        else:
            self._parts.append(bytes(frame.data))
            if frame.fin:
                parts, self._parts = self._parts, []
                connection.receive(b"".join(parts), self._text)

    def _explain_and_fail(self, code: int, reason: str = "") -> None:
        """Say in the protocol's own words that a message was too large."""
        connection = self.connection
        if code == CloseCode.MESSAGE_TOO_BIG and connection is not None:
            limit = connection.services.config.max_size
            message = Error(
                message=f"a message of at most {limit} bytes expected, got a larger one",
                code=ErrorCode.TOO_LARGE,
            )
            self.transport.write(connection.encoding.frame(message))
            code, reason = ERRORS[ErrorCode.TOO_LARGE].close_code, message.message
        self._fail(code, reason)


class SocketLink:
    """A socket as its connection sees it: nothing here waits for the peer.

    Args:
        socket: the socket.
        patience: seconds that a peer has to answer a close frame.
    """

    __slots__ = ("_patience", "_socket", "_transport", "write")

    def __init__(self, socket: Socket, patience: float) -> None:
        self._socket = socket
        self._transport = socket.transport
        self._patience = patience
        self.write = socket.transport.write

    def pause(self) -> None:
        """Stop receiving."""
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        """Go on receiving."""
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def ping(self) -> None:
        """Send a ping frame; whatever comes back is a sign of life."""
        if self._socket.protocol.state is State.OPEN:
            self.write(_PING)

    def close(self, code: int, reason: str) -> None:
        """Send a close frame, and drop the socket if the peer does not answer."""
        if self._socket.protocol.state is State.OPEN:
            self._socket.protocol.send_close(code, reason[:120])
            self._socket.send_data()
            self._socket.loop.call_later(self._patience, self.abort)
        # The peer's close frame has to be received; or, if it came first, the end of its socket.
        self.resume()

    def abort(self) -> None:
        """Drop the socket now."""
        self._transport.abort()

    def waiting(self) -> int:
        """Bytes that were written and not sent yet."""
        return self._transport.get_write_buffer_size()
