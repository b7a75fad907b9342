"""Messages as gRPC sends them: five bytes of prefix, then the binary form.

Knows the prefix and the project's own strict codec. Must not know streams.
betterproto2's parser never sees a byte from outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from google.protobuf.message import DecodeError
from google.protobuf.message import Message as EngineMessage
from grpclib.encoding.base import CodecBase

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.wire import (
    Message,
    ServerMessage,
    decode_message,
    decode_proto,
    encode_message,
    encode_proto,
)
from rhtmx.wire.changes import proto_change_writer
from rhtmx_server.model import Record
from rhtmx_server.page import Page
from rhtmx_server.times import to_datetime

__all__ = ["DIALECT", "GLUE", "EnvelopeDialect", "Glue", "prefixed"]


def prefixed(data: bytes) -> bytes:
    r"""A message with its prefix: not compressed, so many bytes.

    Example:
        >>> prefixed(b"ab")
        b'\x00\x00\x00\x00\x02ab'
    """
    return len(data).to_bytes(5, "big") + data


class EnvelopeDialect:
    """What streams of envelopes speak. One object for all: the hub encodes once."""

    def frame(self, message: ServerMessage) -> bytes:
        """A message in its envelope, ready to be sent."""
        return prefixed(encode_proto(message))

    def changes(self, records: Sequence[Record]) -> bytes:
        """Records as changes, one after the other; those of a page are made once."""
        if not isinstance(records, Page):
            return _changes(records)
        frames = records.encoded.get(self)
        if frames is None:
            frames = records.encoded[self] = _changes(records)
        return frames

    def decode(self, data: bytes, text: bool) -> Message:
        """The message in an envelope; the prefix is gone already."""
        return decode_proto(data)


def _changes(records: Sequence[Record]) -> bytes:
    # A writer for each page: servers of one process may run in several threads.
    write = proto_change_writer()
    return b"".join(
        [
            prefixed(
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
