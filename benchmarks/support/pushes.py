"""What is pushed: small records, written again and again, two fields of five changing."""

from __future__ import annotations

from rhtmx.messages import ChangeAction, Push
from rhtmx.wire import encode_proto

RECORDS = 5_000
"""How many records there are; the pushes walk through them in a fixed disorder."""

_TEXT = "the quick brown fox jumps over the lazy dog, and the dog lets it"


def record_id(number: int) -> str:
    """Which record the push of this number writes."""
    return str(number * 7919 % RECORDS)


def content(number: int) -> bytes:
    """The record that the push of this number writes; about 130 bytes of JSON."""
    return b'{"title":"written down","done":%s,"count":%d,"tags":["a","b"],"text":"%s"}' % (
        b"true" if number % 2 else b"false",
        number,
        _TEXT.encode(),
    )


def push(entity: str, number: int, seq: int | None) -> Push:
    """The push of this number as a message.

    Args:
        entity: where to.
        number: of the push, over all sockets.
        seq: its number on its own socket, if its client numbers.
    """
    return Push(
        entity=entity,
        entity_id=record_id(number),
        action=ChangeAction.UPDATE,
        data=content(number),
        seq=seq,
    )


def json_push(entity: str, number: int, seq: int | None) -> bytes:
    """The same as a JSON text, written as a browser would."""
    numbered = b"" if seq is None else b'"seq":%d,' % seq
    return b'{"type":"push","entity":"%s","entity_id":"%s","action":"update",%s"data":%s}' % (
        entity.encode(),
        record_id(number).encode(),
        numbered,
        content(number),
    )


def binary_push(entity: str, number: int, seq: int | None) -> bytes:
    """The same as protobuf."""
    return encode_proto(push(entity, number, seq))
