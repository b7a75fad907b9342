"""The fast paths and the exact ones give one verdict; nothing but our error comes out."""

from __future__ import annotations

import json
from collections.abc import Callable

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from rhtmx.errors import RhtmxError
from rhtmx.wire import Format, Message, decode, encode
from rhtmx.wire.embedded_json import check_json, check_value, is_certain, is_plain, parse
from rhtmx.wire.json_check import check_frame
from rhtmx.wire.proto_codec import _decode_envelope, decode_proto
from tests.conformance.strategies import as_json, frames, hostile_json, json_values


def exact(data: bytes) -> bool:
    """The verdict of the exact path on an embedded value."""
    return refusal(lambda: check_value(parse(data, "value"), "value")) is None


@given(hostile_json)
@example(b'{"a":1,"a":1}')
@example(b'{"":1,"":1}')
@example(b'{"__proto__":1}')
@example(b'{"prototype":1}')
@example(b'{"constructor":1}')
@example(rb'"\u0000"')
@example(b"[" * 32 + b"]" * 32)
@example(b"[" * 33 + b"]" * 33)
@example(b"9" * 308)
@example(b"9" * 309)
@example(b'"' + b"0" * 400 + b'"')
def test_what_the_fast_path_takes_the_exact_path_takes(data: bytes) -> None:
    assert not is_plain(data) or exact(data)
    assert not is_certain(data) or exact(data)
    assert is_certain(data) or not is_plain(data)


@given(json_values)
def test_canonical_values_go_the_fast_path_or_are_taken_by_the_exact_one(value: object) -> None:
    data = as_json(value) or b"null"
    assert exact(data)
    assert check_json(data, "value") == (None if value is None else data)


@given(json_values)
def test_what_msgspec_writes_is_plain_unless_it_holds_a_forbidden_word(value: object) -> None:
    data = msgspec.json.encode(value)
    words = (b"proto", b"constructor", b"\\u0000")
    assert is_plain(data) or any(word in data for word in words)


@given(hostile_json)
def test_both_formats_give_one_verdict_on_an_embedded_value(data: bytes) -> None:
    frame = b'{"type":"push","entity":"a","entity_id":"b","action":"update","data":' + data + b"}"
    assert (refusal(lambda: decode(frame, Format.JSON)) is None) == exact(data)
    if exact(data):
        message = decode(frame, Format.JSON)
        assert decode(encode(message, Format.PROTO), Format.PROTO) == message


ODD: list[object] = [None, True, 0, 1.0, 1.5, 1e300, "", "update", [], {}, [None], {"a": {}}]
odd_values = st.sampled_from(ODD) | json_values


@st.composite
def bent_frames(draw: st.DrawFn) -> bytes:
    """A frame with one field that is something else, missing, or new."""
    frame: dict[str, object] = json.loads(encode(draw(frames), Format.JSON))
    key = draw(st.sampled_from([*frame, "later"]))
    if draw(st.booleans()):
        frame.pop(key, None)
    else:
        frame[key] = draw(odd_values)
    return json.dumps(frame).encode()


@given(bent_frames())
def test_a_frame_is_taken_exactly_when_the_exact_check_takes_it(data: bytes) -> None:
    assert refusal(lambda: check_frame(data)) == refusal(lambda: decode(data, Format.JSON))


@given(frames, st.sampled_from(Format), st.data())
def test_a_damaged_frame_is_read_or_refused_with_words(
    message: Message, wire: Format, data: st.DataObject
) -> None:
    frame = bytearray(encode(message, wire))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(frame)))
        frame[start : start + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    read_or_refuse(bytes(frame), wire)


@given(frames, st.data())
def test_a_binary_frame_is_the_same_with_and_without_the_short_way(
    message: Message, data: st.DataObject
) -> None:
    frame = bytearray(encode(message, Format.PROTO))
    for _ in range(data.draw(st.integers(0, 3))):
        start = data.draw(st.integers(0, len(frame)))
        frame[start : start + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    assert verdict(decode_proto, bytes(frame)) == verdict(_decode_envelope, bytes(frame))


def verdict(read: Callable[[bytes], Message], data: bytes) -> object:
    """The message, or the words of refusal."""
    try:
        return read(data)
    except RhtmxError as refused:
        return refused.message


@given(st.binary(max_size=64), st.sampled_from(Format))
def test_garbage_is_refused_with_words(data: bytes, wire: Format) -> None:
    read_or_refuse(data, wire)


def refusal(call: Callable[[], object]) -> str | None:
    """The words with which a call refuses; None if it does not."""
    try:
        call()
    except RhtmxError as refused:
        return refused.message
    return None


def read_or_refuse(data: bytes, wire: Format) -> None:
    """What is read can be written in both formats; what is refused is one printable line."""
    words = refusal(lambda: decode(data, wire))
    if words is not None:
        assert words.isprintable()
        return
    message = decode(data, wire)
    for each in Format:
        assert decode(encode(message, each), each) == message
