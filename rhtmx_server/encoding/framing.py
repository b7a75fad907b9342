"""Messages as ready-made WebSocket frames.

Knows frame headers (RFC 6455 section 5.2) and permessage-deflate (RFC 7692).
Must not know sockets: a server's frame is not masked, so the same bytes serve
every connection that speaks the same dialect.
"""

from __future__ import annotations

import struct
import zlib

__all__ = ["BINARY", "TEXT", "deflate", "frame", "shortened", "wire_limit"]

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
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65536:
        return _head_of_16_bits(first, 126, size) + payload
    return struct.pack("!BBQ", first, 127, size) + payload


def deflate(payload: bytes, *, bits: int, level: int) -> bytes:
    """Compress a message on its own (RFC 7692 section 7.2.1), without context."""
    compressor = zlib.compressobj(level, zlib.DEFLATED, -bits)
    data = compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)
    return data[:-4]


def shortened(opcode: int, bits: int, level: int, threshold: int, payload: bytes) -> bytes:
    """One whole frame, compressed where that makes it smaller.

    Args:
        opcode: `TEXT` or `BINARY`.
        bits: size of the compression window.
        level: zlib's compression level.
        threshold: payloads below so many bytes are sent plain.
        payload: its content.
    """
    if len(payload) >= threshold:
        small = deflate(payload, bits=bits, level=level)
        if len(small) < len(payload):
            return frame(opcode, small, compressed=True)
    return frame(opcode, payload)


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
