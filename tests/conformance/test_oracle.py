"""The official protobuf library reads what we write and writes what we read."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given

from rhtmx.wire import Format, Message, decode, encode
from tests.conformance.strategies import frames
from tests.vectors.oracle import envelope_class, from_envelope, to_envelope


@given(frames)
def test_what_we_write_the_library_reads_as_the_same_message(message: Message) -> None:
    envelope = envelope_class().FromString(encode(message, Format.PROTO))
    assert from_envelope(envelope) == json.loads(encode(message, Format.JSON))


@given(frames)
def test_what_the_library_writes_we_read_as_the_same_message(message: Message) -> None:
    frame: dict[str, Any] = json.loads(encode(message, Format.JSON))
    assert decode(to_envelope(frame).SerializeToString(), Format.PROTO) == message


@given(frames)
def test_our_bytes_are_the_bytes_of_the_library(message: Message) -> None:
    ours = encode(message, Format.PROTO)
    assert envelope_class().FromString(ours).SerializeToString(deterministic=True) == ours


@given(frames)
def test_json_brings_back_the_same_message(message: Message) -> None:
    assert decode(encode(message, Format.JSON), Format.JSON) == message


@given(frames)
def test_protobuf_brings_back_the_same_message(message: Message) -> None:
    assert decode(encode(message, Format.PROTO), Format.PROTO) == message


@given(frames)
def test_the_same_message_gives_the_same_bytes(message: Message) -> None:
    for each in Format:
        again = decode(encode(message, each), each)
        assert encode(again, each) == encode(message, each)
