"""What a WebSocket peer speaks: its frames as messages, and messages as its frames.

Knows both formats, and which frames they come in. Must not know sockets.
"""

from __future__ import annotations

from functools import cache, partial

from rhtmx import wire
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.wire import Format, Message, ServerMessage
from rhtmx_server.encoding.framing import BINARY, TEXT, frame, shortened
from rhtmx_server.encoding.page_encoder import PageDialect

__all__ = ["WireDialect", "wire_dialect"]


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
        # Chosen here, and not by the format of each message: an enum's hash is slow.
        self._decode = wire.decode_json if text else wire.decode_proto
        self._encode = wire.encode_json if text else wire.encode_proto
        self.bits = bits
        opcode = TEXT if text else BINARY
        framed = partial(shortened, opcode, bits, level, threshold) if bits else None
        super().__init__(wire_format, framed or partial(frame, opcode))

    def decode(self, data: bytes, text: bool) -> Message:
        """The message in a frame whose kind must agree with the format."""
        if text is not self._text:
            raise RhtmxError(ErrorCode.BAD_MESSAGE, self._wrong_kind(text))
        return self._decode(data)

    def frame(self, message: ServerMessage) -> bytes:
        """A message as a frame."""
        return self.framed(self._encode(message))

    def _wrong_kind(self, text: bool) -> str:
        got, expected = ("text", "binary") if text else ("binary", "text")
        other = Format.JSON if text else Format.PROTO
        return (
            f"a {got} frame on a connection that speaks {self.format.value}: {expected} frames "
            f"expected (offer the subprotocol rhtmx.v1.{other.value} to speak {other.value})"
        )


@cache
def wire_dialect(wire_format: Format, bits: int, level: int, threshold: int) -> WireDialect:
    """The one dialect object for these parameters."""
    return WireDialect(wire_format, bits, level, threshold)
