"""A socket of the `websockets` library, as a connection uses it.

Knows frames, turns and flow control. Must not know handshakes, nor what a
message means.

The library parses and guards the protocol. Some of its conveniences are not
used, because a server of many sockets cannot afford them: its receive queue
(a task switch for each message), its `send`, `ping` and `close`, which wait
for a peer that does not read, and its parsing of all that has arrived at once.

What has arrived is handled a few frames at a time, as long as this socket's
share of the turn lasts; then nothing more is read, and the rest waits for the
turns that come (`turns`). The same when the connection takes no more for now:

===========  ==================================  ==============================
state        what has arrived                    reading
===========  ==================================  ==============================
at rest      is handled                          yes
in line      is kept, and handled turn by turn   paused until all is handled
stopped      is kept                             paused until `resume`
===========  ==================================  ==============================
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Generator
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.frames import (  # type: ignore[attr-defined]  # `apply_mask`, in C if there is one
    DATA_OPCODES,
    CloseCode,
    Frame,
    Opcode,
    apply_mask,
)
from websockets.http11 import Request
from websockets.protocol import Protocol, Side, State

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages.tables import ERRORS
from rhtmx_server.connections.connection import Connection
from rhtmx_server.connections.turns import Turns
from rhtmx_server.failures import error_message

__all__ = ["EARLY", "FRAMES", "OpenProtocol", "Socket"]

FRAMES = 16
"""Frames that are parsed at a time. More makes nothing faster; 16 pings take 0.2 ms."""

EARLY = 32 * 1024
"""Bytes that a peer may send before it has the answer to its handshake."""

_ANSWERED = Request("", Headers())
"""Stands for the request of every socket whose handshake is over."""


_OPCODES = {0x80 | opcode: opcode for opcode in (Opcode.TEXT, Opcode.BINARY)}
"""By the first byte of a frame that is a whole message, not compressed (RFC 6455, section 5.2)."""

_MASKED = 0x80
_IN_16_BITS = 126


def whole_message(buffer: bytearray, most: int) -> Frame | None:
    """Take a frame out of what has arrived, if it is the usual one: a whole, small message.

    Nearly all are, and this takes a fifth of what the library takes for any frame. What is
    not as it should be is left to the library, which knows what to say.

    Args:
        buffer: begins with a frame of a client.
        most: bytes of a message.

    Returns:
        `None` where it is anything else, or not all there: then nothing is taken.
    """
    if len(buffer) < 8:
        return None
    opcode, size, start = _OPCODES.get(buffer[0]), buffer[1] ^ _MASKED, 6
    if size == _IN_16_BITS:
        size, start = buffer[2] << 8 | buffer[3], 8
    # From 127 on: a longer one, or one that is not masked.
    elif size > _IN_16_BITS:
        return None
    end = start + size
    if opcode is None or size > most or len(buffer) < end:
        return None
    data = apply_mask(buffer[start:end], buffer[start - 4 : start])
    del buffer[:end]
    return Frame(opcode, data)


class OpenProtocol(Protocol):
    """The library's frames, of a socket whose handshake is over.

    Args:
        settings: for the library.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(Side.SERVER, state=State.OPEN, **settings)

    def parse(self) -> Generator[None]:
        """Parse frames, when the first bytes are there."""
        yield  # it is begun before there is a `Socket`, whose `at_eof` it has to ask
        yield from super().parse()


class Socket(ServerConnection):
    """A `websockets` connection that hands frames over in its turns.

    Args:
        args: for the library.
        turns: where it waits for its turn.
        most: bytes of a message, decompressed.
        kwargs: for the library.

    Attributes:
        connection: who takes the messages, once the handshake is over.
    """

    def __init__(self, *args: Any, turns: Turns, most: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.turns = turns
        self.most = most
        self.connection: Connection | None = None
        self._frames: list[Frame] = []  # a few at most; an empty deque takes 700 bytes
        self._message = bytearray()
        self._unfinished = False
        self._text = False
        self._in_line = False
        self._stopped = True  # until the handshake is over
        self._reading = True
        self._fed = False
        self._allowed = FRAMES
        self._drop_at: asyncio.TimerHandle | None = None
        self._descriptor: int | None = None
        self._fail = self.protocol.fail
        self.protocol.fail = self._explain_and_fail  # type: ignore[method-assign]
        self.protocol.reader.at_eof = self._next_frame  # type: ignore[method-assign]

    # What the library calls.

    def data_received(self, data: bytes) -> None:
        """Bytes came in: a sign of life, and maybe the end of the conversation."""
        connection = self.connection
        if connection is None:
            self._parse_early(data)
            return
        connection.alive()
        if self._in_line or self._stopped:
            self.protocol.reader.feed_data(data)  # behind what has come before
            self._fed = True
            return
        self._parse(data)
        frames = self._frames
        if frames:
            frame = frames.pop(0)  # the usual case: one, and nothing else
            if not self._take(frame):
                frames.insert(0, frame)
                return
        if frames or self._is_held():  # control frames alone may have left some, too
            self._in_line = True
            if self.turns.spend(self._turn):
                self._read(False)

    def eof_received(self) -> None:
        """The peer sends nothing more: nothing more may be written.

        uvloop 0.23 closes the transport at once, and raises at each write that
        comes after. What was not handled yet is as if it had never arrived.
        """
        self._drop()
        self.end()
        super().eof_received()

    def process_event(self, event: Any) -> None:
        """Keep a frame for its turn; the handshake and control frames go to the library."""
        if not isinstance(event, Frame):
            super().process_event(event)
        elif event.opcode in DATA_OPCODES:
            self._frames.append(event)
        else:
            super().process_event(event)
            if self.connection is not None:
                self.connection.spend(len(event.data))

    def send_data(self) -> None:
        """Write what the library has to say, as long as somebody may hear it."""
        if self.protocol.writes:
            if self.transport.is_closing():
                self.protocol.writes.clear()
            else:
                super().send_data()
                # A ping or a pong that the peer does not take: nothing may overtake it.
                if self.connection is not None and self.transport.get_write_buffer_size():
                    self.connection.outbox.direct = None

    def pause_writing(self) -> None:
        """The peer has left too much unread."""
        super().pause_writing()
        if self.connection is not None:
            self.connection.overfull()

    def resume_writing(self) -> None:
        """The peer has read what it had left: pages may go on."""
        super().resume_writing()
        if self.connection is not None:
            self.connection.drained_enough()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone; what is left of it holds nothing that would keep it alive.

        The transport closes its descriptor after this, and another socket may get the same one.
        """
        self._drop()
        if self._drop_at is not None:
            self._drop_at.cancel()
        if self.connection is not None:
            self.connection.lost()
        super().connection_lost(exc)
        # A server that waits for its garbage collector keeps thousands of dead
        # connections after a reconnect storm: their circles are cut here.
        self.connection = None
        del self._fail
        del self.protocol.fail
        del self.protocol.reader.at_eof
        self.protocol.parser_exc = None
        self.protocol.parser.close()

    # What its link and its door call.

    def open(self, transport: asyncio.Transport) -> None:
        """Go on with a transport whose handshake is over already; `attach` has to follow."""
        # Past `ServerConnection`, which would begin the handshake, with a task.
        super(ServerConnection, self).connection_made(transport)
        transport.set_protocol(self)

    def write(self, data: bytes) -> int | None:
        """Send bytes that a dialect made.

        Returns:
            The descriptor, if all that was ever written has gone out: what comes next may be
            written there, past the transport. Only until the transport is written to again, and
            until the socket is lost: after that another one may have the same descriptor.
        """
        transport = self.transport
        transport.write(data)
        if transport.get_write_buffer_size() or transport.is_closing():
            return None
        return self._descriptor

    def attach(self, connection: Connection) -> None:
        """Hand frames to `connection` from now on: the handshake is over."""
        self.connection = connection
        self._descriptor = _descriptor(self.transport)
        # Half of the objects that a socket consists of, and nobody reads them again.
        self.request, self.response = _ANSWERED, None
        if self.protocol.state is not State.OPEN:
            self.end()
        self.resume()

    def stop(self) -> None:
        """Take no more frames, until `resume`."""
        self._stopped = True
        self._read(False)

    def resume(self) -> None:
        """Go on: with what is here, and then with what comes."""
        self._stopped = False
        if self._in_line:
            return
        if self._frames or self._is_held():
            self._in_line = True
            self._read(False)  # it was not stopped before, if the handshake is just over
            self.turns.wait(self._turn)
        else:
            self._read(True)

    def end(self) -> None:
        """Nothing more may be written; the peer has some time to hang up."""
        if self.connection is not None:
            close = self.protocol.close_rcvd  # none, where the peer has gone without a word
            self.connection.ended(None if close is None else close.code)
        if self._drop_at is None and self.close_timeout is not None:
            self._drop_at = self.loop.call_later(self.close_timeout, self.transport.abort)

    # Inside.

    def _turn(self) -> bool:
        """Hand one frame over, or parse the next few; whether there is more to do now."""
        frames = self._frames
        if not self._stopped and self.connection is not None:
            if not frames:
                self.connection.alive()
                self._parse(b"")
            elif not self._take(frame := frames.pop(0)):
                frames.insert(0, frame)
            if not self._stopped and (frames or self._is_held()):
                return True
        self._in_line = False
        if not self._stopped:
            self._read(True)
        return False

    def _read(self, reading: bool) -> None:
        if self._reading is not reading and not self.transport.is_closing():
            self._reading = reading
            if reading:
                self.transport.resume_reading()
            else:
                self.transport.pause_reading()

    def _parse_early(self, data: bytes) -> None:
        """Take the request; what a peer says before it has the answer is kept until then.

        No frame is parsed before: one that breaks the protocol would end it, and the
        library cannot answer the request then (17.4: an `AssertionError` in its log).
        """
        if self.request is None:
            super().data_received(data)
        else:
            self.protocol.reader.feed_data(data)
            self._fed = True
        if len(self.protocol.reader.buffer) > EARLY:
            self._read(False)

    def _parse(self, data: bytes) -> None:
        self._fed = False
        self._allowed = FRAMES
        super().data_received(data)
        if self.protocol.state is not State.OPEN:
            self.end()

    def _is_held(self) -> bool:
        """Whether there are bytes that the parser was not given, or has stopped before."""
        return self._fed or (bool(self.protocol.reader.buffer) and self._allowed <= 0)

    def _next_frame(self) -> Generator[None, None, bool]:
        """Stand for the reader's `at_eof`, which the parser asks before each frame.

        The parser takes all that is there in one go. It is a generator that
        gives way where bytes are missing, so it can be made to do so here. What it need not
        see does not even come to it.
        """
        reader, protocol = self.protocol.reader, self.protocol
        while True:
            if reader.buffer:
                if self._allowed > 0 or reader.eof or protocol.eof_sent:
                    self._allowed -= 1
                    if self._pass_by():
                        continue
                    return False
            elif reader.eof:
                return True
            yield

    def _pass_by(self) -> bool:
        """Take the next frame past the parser, if it is one that needs no more than that."""
        protocol = self.protocol
        # Among the parts of a message, after the end, or if it has to be logged: the parser's.
        if protocol.current_size is not None or protocol.eof_sent or protocol.debug:
            return False
        frame = whole_message(protocol.reader.buffer, self.most)
        if frame is None:
            return False
        protocol.events.append(frame)  # in its place among those of the parser
        return True

    def _take(self, frame: Frame) -> bool:
        """Hand a message over with its last frame; whether that was taken."""
        connection = self.connection
        assert connection is not None
        if len(self._message) + len(frame.data) > self.most:
            self.protocol.fail(CloseCode.MESSAGE_TOO_BIG)
            self.send_data()
            self._drop()
            self.end()
            return True
        # Only the first part says which kind a message is (RFC 6455, section 5.4).
        if frame.opcode is not Opcode.CONT:
            self._text = frame.opcode is Opcode.TEXT
        if not frame.fin:
            self._message += frame.data
            self._unfinished = True
            connection.spend(len(frame.data))
        elif not self._unfinished:
            return connection.receive(bytes(frame.data), self._text)
        elif connection.receive(bytes(self._message + frame.data), self._text):
            self._message.clear()
            self._unfinished = False
        else:
            return False
        return True

    def _drop(self) -> None:
        """Nothing that has arrived is handled any more."""
        self._frames.clear()
        self._message.clear()
        self.protocol.reader.discard()

    def _explain_and_fail(self, code: int, reason: str = "") -> None:
        """Say in the protocol's own words that a message was too large."""
        connection = self.connection
        if code == CloseCode.MESSAGE_TOO_BIG and connection is not None:
            error = RhtmxError(
                ErrorCode.TOO_LARGE,
                f"a message of at most {self.most} bytes expected, got a larger one",
            )
            connection.outbox.flush()
            if not self.transport.is_closing():
                self.transport.write(connection.encoding.frame(error_message(error)))
            code, reason = ERRORS[ErrorCode.TOO_LARGE].close_code, error.message
        self._fail(code, reason)


def _descriptor(transport: asyncio.Transport) -> int | None:
    """The descriptor that a transport writes to; `None` where only it can, as with TLS."""
    if sys.platform == "win32" or transport.get_extra_info("sslcontext") is not None:
        return None
    socket = transport.get_extra_info("socket")
    descriptor = -1 if socket is None or transport.is_closing() else int(socket.fileno())
    return None if descriptor < 0 or os.get_blocking(descriptor) else descriptor
