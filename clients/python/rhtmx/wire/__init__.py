"""The wire: messages to bytes and back, in both formats, strictly.

Knows the schema's messages and the two formats. Must not know sockets, clocks,
sessions or stores: bytes in, message out.
"""

from __future__ import annotations

import enum
from collections.abc import Callable

from rhtmx.messages.tables import ClientMessage, Message, ServerMessage
from rhtmx.wire.embedded_json import check_json
from rhtmx.wire.json_codec import decode_json, encode_json
from rhtmx.wire.limits import MAX_DEPTH, MAX_INTEGER
from rhtmx.wire.newer import ServerReader
from rhtmx.wire.proto_codec import decode_message, decode_proto, encode_message, encode_proto

__all__ = [
    "MAX_DEPTH",
    "MAX_INTEGER",
    "SUBPROTOCOLS",
    "ClientMessage",
    "Format",
    "Message",
    "ServerMessage",
    "ServerReader",
    "check_json",
    "decode",
    "decode_json",
    "decode_message",
    "decode_proto",
    "encode",
    "encode_json",
    "encode_message",
    "encode_proto",
]


class Format(enum.Enum):
    """How messages are written on one connection."""

    JSON = "json"
    PROTO = "proto"

    @property
    def subprotocol(self) -> str:
        """The WebSocket subprotocol that asks for this format."""
        return f"rhtmx.v1.{self.value}"


SUBPROTOCOLS: dict[str, Format] = {each.subprotocol: each for each in Format}
"""WebSocket subprotocol → format. A client that offers none speaks JSON."""

_DECODERS: dict[Format, Callable[[bytes], Message]] = {
    Format.JSON: decode_json,
    Format.PROTO: decode_proto,
}
_ENCODERS = {Format.JSON: encode_json, Format.PROTO: encode_proto}


def decode(data: bytes, format: Format) -> Message:  # noqa: A002 (the field's own word)
    """Read one message.

    Args:
        data: one JSON object as UTF-8, or one binary `Envelope`.
        format: which of the two.

    Returns:
        The message inside (`Push`, `Subscribe`, ...), not an envelope.

    Raises:
        RhtmxError: `bad_message`, with the path of the first field that is wrong.

    Example:
        >>> decode(b'{"type":"subscribe","entities":["users"]}', Format.JSON).entities
        ['users']
    """
    return _DECODERS[format](data)


def encode(message: Message, format: Format) -> bytes:  # noqa: A002 (the field's own word)
    """Write one message.

    The same message gives the same bytes. Embedded JSON values are taken as
    they are: they must have been checked with `check_json`.

    Raises:
        RhtmxError: `bad_message`, it is not a message of the envelope, or a
            field that must be there is not.
    """
    return _ENCODERS[format](message)
