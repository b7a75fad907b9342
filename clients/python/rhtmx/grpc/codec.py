"""Messages as grpclib wants them written and read.

Knows grpclib's port for a codec. Must not know channels or calls. The parser of
the generated classes never sees what comes from outside: the wire reads it.
"""

from __future__ import annotations

from typing import Any

from grpclib.encoding.base import CodecBase

from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.core.newer_notes import NewerNotes
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.wire import ServerReader, encode_message

__all__ = ["GrpcCodec"]


class GrpcCodec(CodecBase):
    """The wire's strict binary form, as a codec of grpclib."""

    __content_subtype__ = "proto"

    def __init__(self) -> None:
        self._reader = ServerReader(NewerNotes())

    def encode(self, message: Any, message_type: Any) -> bytes:
        """Write a message.

        Raises:
            RhtmxError: `BAD_MESSAGE`, a field that must be there is not.
        """
        return encode_message(message)

    def decode(self, data: bytes, message_type: Any) -> Any:
        """Read a message that the server sent.

        What is of a newer schema is noted and passed over; an envelope whose message
        is, is read as an empty one.

        Raises:
            ConnectionClosed: `BAD_MESSAGE`, it cannot be read.
        """
        try:
            return self._reader.message(message_type, data)
        except RhtmxError as error:
            raise ConnectionClosed(
                f"the server said something that this client does not understand: {error.message}",
                code=ErrorCode.BAD_MESSAGE,
            ) from error
