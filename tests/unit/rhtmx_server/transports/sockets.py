"""A socket without a network: a transport that takes notes, and bytes that a test hands in."""

from __future__ import annotations

import asyncio
import zlib
from typing import Any

from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Close, Frame, Opcode
from websockets.server import ServerProtocol

from rhtmx.wire import Format
from rhtmx_server.connections.turns import Turns
from rhtmx_server.delivery.outbox import Outbox, Tick
from rhtmx_server.encoding.framing import wire_limit
from rhtmx_server.encoding.wire_dialect import wire_dialect
from rhtmx_server.transports.socket import Socket

REQUEST = (
    b"GET /api/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Wire(asyncio.Transport):
    """What uvloop does to those who write too late, and notes of the rest."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.reading = True
        self.closed = False
        self.aborted = False
        self.waiting = 0

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def write(self, data: Any) -> None:
        if self.closed:
            raise RuntimeError("unable to perform operation on <TCPTransport closed=True>")
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        assert not self.closed
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.closed
        self.reading = True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def can_write_eof(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True


class Taker:
    """A connection that notes what it gets, and takes no more than it is told to."""

    def __init__(self, tick: Tick, wire: Wire) -> None:
        self.got: list[bytes] = []
        self.spent: list[int] = []
        self.takes = 1_000_000
        self.over = False
        self.encoding = wire_dialect(Format.JSON, 0, 6, 1024)
        self.outbox = Outbox(wire.write, tick)
        self.socket: Socket | None = None

    def receive(self, data: bytes, text: bool) -> bool:
        if len(self.got) >= self.takes:
            assert self.socket is not None
            self.socket.stop()
            return False
        self.got.append(data)
        return True

    def spend(self, size: int) -> None:
        self.spent.append(size)

    def alive(self) -> None: ...

    def overfull(self) -> None: ...

    def drained_enough(self) -> None: ...

    def ended(self, code: int | None = None) -> None:
        self.over = True
        self.outbox.close()

    def lost(self) -> None:
        self.over = True


class Peer:
    """One socket after its handshake, and the turns of its loop.

    Args:
        most: bytes of a message.
        compressed: permessage-deflate was negotiated.
        attached: the handshake is over.
    """

    def __init__(
        self, most: int = 1024, *, compressed: bool = False, attached: bool = True
    ) -> None:
        self.now = 0.0
        self.soon: list[Any] = []
        protocol = ServerProtocol(max_size=wire_limit(most))
        turns = Turns(self._clock, self.soon.append, share=10.0, whole=1000.0)
        library = {"close_timeout": 60, "ping_interval": None}
        self.socket = Socket(protocol, _Server(), turns=turns, most=most, **library)
        self.wire = Wire()
        self.taker = Taker(Tick(self.soon.append), self.wire)
        self.taker.socket = self.socket
        self.socket.connection_made(self.wire)
        self.socket.data_received(REQUEST)
        assert self.socket.request is not None
        protocol.send_response(protocol.accept(self.socket.request))
        if compressed:
            protocol.extensions = [PerMessageDeflate(True, True, 12, 15)]
        self.socket.send_data()
        self.wire.written.clear()
        if attached:
            self.attach()

    def _clock(self) -> float:
        self.now += 1.0
        return self.now

    def attach(self) -> None:
        self.socket.attach(self.taker)  # type: ignore[arg-type]

    def say(self, *frames: bytes) -> None:
        """Bytes that arrive in one piece."""
        self.socket.data_received(b"".join(frames))

    def turn(self) -> None:
        """One turn of the loop."""
        calls, self.soon[:] = self.soon[:], []
        for call in calls:
            call()

    def rest(self) -> int:
        """All turns that it takes; returns how many."""
        turns = 0
        while self.soon:
            self.turn()
            turns += 1
        return turns

    @property
    def got(self) -> list[bytes]:
        return self.taker.got

    @property
    def close_codes(self) -> list[int]:
        """Of the close frames that the peer was sent."""
        return [
            Close.parse(each[2:]).code for each in self.wire.written if each and each[0] == 0x88
        ]


class _Server:
    def __init__(self) -> None:
        self.handler_tasks: set[Any] = set()

    async def handler(self, connection: Any) -> None: ...


def frame(opcode: Opcode, data: bytes = b"", *, fin: bool = True) -> bytes:
    """A frame as a client sends it."""
    return Frame(opcode, data, fin).serialize(mask=True)


def text(data: bytes) -> bytes:
    """A whole message of text."""
    return frame(Opcode.TEXT, data)


def deflated(data: bytes, level: int = 6) -> bytes:
    """A whole message, compressed (RFC 7692 section 7.2.1)."""
    squeeze = zlib.compressobj(level, zlib.DEFLATED, -12)
    small = (squeeze.compress(data) + squeeze.flush(zlib.Z_SYNC_FLUSH))[:-4]
    plain = bytearray(frame(Opcode.TEXT, small))
    plain[0] |= 0x40  # RSV1
    return bytes(plain)
