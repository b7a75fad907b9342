"""Messages as gRPC sends them: five bytes of prefix, then the binary form.

Knows the prefix and the project's own strict codec. Must not know streams.
betterproto2's parser never sees a byte from outside.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.message import DecodeError
from google.protobuf.message import Message as EngineMessage
from grpclib.encoding.base import CodecBase

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.wire import (
    Format,
    Message,
    ServerMessage,
    decode_message,
    decode_proto,
    encode_message,
    encode_proto,
)
from rhtmx_server.encoding.page_encoder import PageDialect

__all__ = ["DIALECT", "GLUE", "EnvelopeDialect", "Glue", "prefixed"]


def prefixed(data: bytes) -> bytes:
    r"""A message with its prefix: not compressed, so many bytes.

    Example:
        >>> prefixed(b"ab")
        b'\x00\x00\x00\x00\x02ab'
    """
    return len(data).to_bytes(5, "big") + data


class EnvelopeDialect(PageDialect):
    """What streams of envelopes speak. One object for all: the hub encodes once."""

    def __init__(self) -> None:
        super().__init__(Format.PROTO, prefixed)

    def frame(self, message: ServerMessage) -> bytes:
        """A message in its envelope, ready to be sent."""
        return prefixed(encode_proto(message))

    def decode(self, data: bytes, text: bool) -> Message:
        """The message in an envelope; the prefix is gone already."""
        return decode_proto(data)


DIALECT = EnvelopeDialect()


class Glue(CodecBase):
    """The project's codec as grpclib wants it, for messages without an envelope."""

    __content_subtype__ = "proto"

    def encode(self, message: Any, message_type: Any) -> bytes:
        """Write a message of the schema, or one of gRPC's own services."""
        if isinstance(message, EngineMessage):
            return message.SerializeToString()
        return encode_message(message)

    def decode(self, data: bytes, message_type: Any) -> Any:
        """Read a message of the schema; for a class of the engine, by the engine."""
        if issubclass(message_type, EngineMessage):
            try:
                return message_type.FromString(data)
            except DecodeError:
                raise RhtmxError(
                    ErrorCode.BAD_MESSAGE, f"{message_type.DESCRIPTOR.name}: not valid protobuf"
                ) from None
        return decode_message(message_type, data)


GLUE = Glue()
