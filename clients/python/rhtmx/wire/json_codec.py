"""Messages as JSON text: strict decoding, canonical encoding.

Knows when to trust the fast decoder and when to look closely. Must not know the
single messages: `generated.json_glue` does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import msgspec

from rhtmx.errors import RhtmxError
from rhtmx.messages.tables import NAMES, SHAPES, ClientMessage, Message
from rhtmx.wire.embedded_json import has_nul, is_certain, same_spelling
from rhtmx.wire.generated.json_glue import (
    ENCODERS,
    PLAIN_DECODERS,
    RAW_DECODERS,
    PlainFrame,
    RawFrame,
)
from rhtmx.wire.json_check import check_frame
from rhtmx.wire.limits import MAX_INTEGER, MAX_NAME
from rhtmx.wire.refusal import bad_message

__all__ = ["decode_json", "encode_json"]

_encode = msgspec.json.Encoder().encode
_decode_plain = msgspec.json.Decoder(PlainFrame).decode
_decode_raw = msgspec.json.Decoder(RawFrame).decode

_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)


def decode_json(data: bytes, mend: Callable[[bytes], bytes] | None = None) -> Message:
    """Read one message in its JSON form.

    Args:
        data: one JSON object as UTF-8, with the message's name in `type`.
        mend: makes another one of a frame that is not canonical, before it is read.

    Raises:
        RhtmxError: `bad_message`, with the path of the first field that is wrong,
            and the `request_id` and `seq` where they can be made out.
    """
    try:
        frame = _decode_plain(data)
        text = _encode(frame)
        # A frame that is written back as it came, but for needless escapes, has every key once and
        # no other field, and its embedded values and times are written back like that, too.
        if same_spelling(data, text) and not has_nul(text):
            message: Message = PLAIN_DECODERS[type(frame)](frame)
            return message
    except _UNREADABLE:
        pass
    try:
        return _decode_closely(data if mend is None else mend(data))
    except RhtmxError as refusal:
        refusal.request_id, refusal.seq = _address(data)
        raise


def _decode_closely(data: bytes) -> Message:
    """Read a frame that is not canonical, or refuse it with the reason."""
    try:
        frame = _decode_raw(data)
        message: Message = RAW_DECODERS[type(frame)](frame)
    except _UNREADABLE:
        check_frame(data)
        raise bad_message("message", "cannot be read as JSON") from None
    if not is_certain(data):
        check_frame(data)
    return message


class _Addressed(msgspec.Struct):
    type: str
    request_id: str | None = None
    seq: int | None = None


_decode_addressed = msgspec.json.Decoder(_Addressed).decode
_NUMBERED = frozenset(
    NAMES[each] for each in get_args(ClientMessage) if "seq" in SHAPES[each.__name__]
)


def _address(data: bytes) -> tuple[str | None, int | None]:
    """Find whom to tell that a message was refused, and its number, if it says so at all."""
    try:
        found = _decode_addressed(data)
        request_id, seq = found.request_id, found.seq
        if request_id is not None and not 1 <= len(request_id.encode()) <= MAX_NAME:
            request_id = None
        if seq is not None and not (found.type in _NUMBERED and 1 <= seq <= MAX_INTEGER):
            seq = None
    except _UNREADABLE:
        return None, None
    return request_id, seq


def encode_json(message: Message) -> bytes:
    """Write one message in its canonical JSON form.

    `type` first, then the fields in the schema's order; absent optional fields
    are left out, except that embedded JSON values are always there. Embedded
    values are taken as they are: they must have been checked.

    Raises:
        RhtmxError: `bad_message`, it is not a message of the envelope, or a
            field that must be there is not.
    """
    try:
        return _encode(ENCODERS[type(message)](message))
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        name = type(message).__name__
        raise bad_message(name, f"cannot be written as JSON: {error!r}") from error
