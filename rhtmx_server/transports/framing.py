"""Messages as ready-made WebSocket frames.

Knows frame headers (RFC 6455 section 5.2) and permessage-deflate (RFC 7692).
Must not know sockets: a server's frame is not masked, so the same bytes serve
every connection that speaks the same dialect.
"""

from __future__ import annotations

import functools
import struct
import zlib

from rhtmx import wire
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.wire import Format, Message, ServerMessage
from rhtmx_server.transports.page_encoder import PageDialect

__all__ = ["BINARY", "TEXT", "WireDialect", "deflate", "frame", "wire_dialect", "wire_limit"]

TEXT = 0x1
BINARY = 0x2

_FIN = 0x80
_RSV1 = 0x40

_head_of_16_bits = struct.Struct("!BBH").pack


def frame(opcode: int, payload: bytes, *, compressed: bool = False) -> bytes:
    """One whole, unmasked frame.

    Args:
        opcode: `TEXT` or `BINARY`.
        payload: its content, compressed if it is said to be.
        compressed: sets RSV1 (RFC 7692 section 6).
    """
    first = _FIN | opcode | (_RSV1 if compressed else 0)
    size = len(payload)
    # The length in 7, 16 or 64 bits (RFC 6455, section 5.2); made by hand for the usual sizes.
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65536:
        return _head_of_16_bits(first, 126, size) + payload
    return struct.pack("!BBQ", first, 127, size) + payload


def deflate(payload: bytes, *, bits: int, level: int) -> bytes:
    """Compress a message on its own (RFC 7692 section 7.2.1), without context."""
    compressor = zlib.compressobj(level, zlib.DEFLATED, -bits)
    # The flush ends in 00 00 FF FF, which is left out and put back by the peer.
    data = compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)
    return data[:-4]


def wire_limit(size: int) -> int:
    """Bytes that a frame may have on the wire for a message of at most `size`.

    websockets 17.4 applies its one `max_size` twice: to the frame as it arrives
    (`Frame.parse`) and to what comes out of the decompressor
    (`PerMessageDeflate.decode`). What does not compress gets larger by deflate:
    by an eighth at most with its fixed codes (RFC 1951 section 3.2.6: 9 bits for
    a byte), and some bytes for each block. So the library is told this limit,
    and the exact one is applied to the message here.
    """
    return size + size // 8 + 64


class WireDialect(PageDialect):
    """What `/api/ws` speaks: one wire format, compressed or not.

    There is one object for each combination (`wire_dialect`), so that the hub
    encodes and compresses a change once for all connections that share it.

    Args:
        wire_format: JSON in text frames, or protobuf in binary ones.
        bits: size of the compression window, 0 for no compression.
        level: zlib's compression level.
        threshold: payloads below so many bytes are sent plain.
    """

    def __init__(self, wire_format: Format, bits: int, level: int, threshold: int) -> None:
        text = wire_format is Format.JSON
        self._text = text
        self._opcode = TEXT if text else BINARY
        self._level = level
        self._threshold = threshold
        self.bits = bits
        # Without compression by way of no method: 0.06 µs of each frame.
        framed = self._shortened if bits else functools.partial(frame, self._opcode)
        super().__init__(wire_format, framed)

    def decode(self, data: bytes, text: bool) -> Message:
        """The message in a frame whose kind must agree with the format."""
        if text is not self._text:
            raise RhtmxError(ErrorCode.BAD_MESSAGE, self._wrong_kind(text))
        return wire.decode(data, self.format)

    def frame(self, message: ServerMessage) -> bytes:
        """Encode a message, compress it where that pays, and put the frame around it."""
        return self.framed(wire.encode(message, self.format))

    def _shortened(self, payload: bytes) -> bytes:
        if len(payload) >= self._threshold:
            small = deflate(payload, bits=self.bits, level=self._level)
            # What does not get smaller goes plain: the peer then has nothing to inflate.
            if len(small) < len(payload):
                return frame(self._opcode, small, compressed=True)
        return frame(self._opcode, payload)

    def _wrong_kind(self, text: bool) -> str:
        got, expected = ("text", "binary") if text else ("binary", "text")
        other = Format.JSON if text else Format.PROTO
        return (
            f"a {got} frame on a connection that speaks {self.format.value}: {expected} frames "
            f"expected (offer the subprotocol rhtmx.v1.{other.value} to speak {other.value})"
        )


@functools.cache
def wire_dialect(wire_format: Format, bits: int, level: int, threshold: int) -> WireDialect:
    """The one dialect object for these parameters."""
    return WireDialect(wire_format, bits, level, threshold)
