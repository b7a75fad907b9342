"""Messages as ready-made WebSocket frames.

Knows frame headers (RFC 6455 section 5.2) and permessage-deflate (RFC 7692).
Must not know sockets: a server's frame is not masked, so the same bytes serve
every connection that speaks the same dialect.
"""

from __future__ import annotations

import functools
import struct
import zlib
from collections.abc import Sequence

from rhtmx import wire
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.wire import Format, Message, ServerMessage
from rhtmx.wire.changes import (
    json_change_writer,
    json_field_change_writer,
    proto_change_writer,
    proto_field_change_writer,
)
from rhtmx_server.model import Record
from rhtmx_server.page import FieldFrames, Page
from rhtmx_server.render import field_changes, written_after
from rhtmx_server.times import to_datetime

__all__ = ["BINARY", "TEXT", "WireDialect", "deflate", "frame", "wire_dialect"]

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


class WireDialect:
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
        self.format = wire_format
        self.bits = bits
        self._level = level
        self._threshold = threshold
        self._text = wire_format is Format.JSON
        self._opcode = TEXT if self._text else BINARY
        self._change_writer = json_change_writer if self._text else proto_change_writer
        # Without compression by way of no method: 0.06 µs of each frame.
        self._framed = self._shortened if bits else functools.partial(frame, self._opcode)
        self._field_writer = json_field_change_writer if self._text else proto_field_change_writer

    def decode(self, data: bytes, text: bool) -> Message:
        """The message in a frame whose kind must agree with the format."""
        if text is not self._text:
            raise RhtmxError(ErrorCode.BAD_MESSAGE, self._wrong_kind(text))
        return wire.decode(data, self.format)

    def frame(self, message: ServerMessage) -> bytes:
        """A message as a frame."""
        return self._framed(wire.encode(message, self.format))

    def changes(self, records: Sequence[Record]) -> bytes:
        """Records as `change` frames, one after the other; those of a page are made once."""
        if not isinstance(records, Page):
            return self._write(records)
        frames = records.encoded.get(self)
        if frames is None:
            frames = records.encoded[self] = self._write(records)
        return frames

    def field_changes(self, records: Sequence[Record], base: int) -> FieldFrames:
        """Their fields written after `base` as `field_change` frames; those of a page once."""
        if not isinstance(records, Page):
            return self._write_fields(records, base)
        known = records.by_field.get(self)
        if known is None or known[0] != base:
            known = records.by_field[self] = (base, self._write_fields(records, base))
        return known[1]

    def _write(self, records: Sequence[Record]) -> bytes:
        # A writer for each page: the dialect serves every server of the process, also
        # one that runs in another thread.
        write, framed = self._change_writer(), self._framed
        return b"".join(
            [
                framed(
                    write(
                        record.entity,
                        record.entity_id,
                        record.action,
                        record.data,
                        record.version,
                        record.client_id,
                        to_datetime(record.time),
                    )
                )
                for record in records
            ]
        )

    def _write_fields(self, records: Sequence[Record], base: int) -> FieldFrames:
        write, framed = self._field_writer(), self._framed
        frames: list[bytes] = []
        last: Record | None = None
        for record in records:
            names, clocks, fields = written_after(record, base)
            for name in names:
                clock = clocks[name]
                frames.append(
                    framed(
                        write(
                            record.entity,
                            record.entity_id,
                            name,
                            fields.get(name),
                            record.version,
                            clock.client_id,
                            to_datetime(clock.timestamp),
                        )
                    )
                )
                last = record
        if last is None:
            return FieldFrames()
        frames.pop()
        return FieldFrames(b"".join(frames), len(frames), field_changes(last, base)[-1])

    def _shortened(self, payload: bytes) -> bytes:
        if len(payload) >= self._threshold:
            small = deflate(payload, bits=self.bits, level=self._level)
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
