from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    Change,
    ChangeAction,
    ChangeLog,
    Envelope,
    Position,
    Push,
    Subscribe,
    SyncComplete,
)
from rhtmx.wire import decode_json, encode_json

TEN = datetime(2026, 11, 22, 10, tzinfo=UTC)


def test_a_push_of_the_seed_is_read() -> None:
    frame = b'{"type":"push","entity":"users","entity_id":"1","action":"create","data":{"n":1}}'
    assert decode_json(frame) == Push("users", "1", ChangeAction.CREATE, b'{"n":1}')


def test_embedded_values_pass_byte_for_byte() -> None:
    frame = b'{"type":"push","entity":"u","entity_id":"1","action":"create","data":%s}'
    for value in (b'{ "n" : 9007199254740993 }', b"1.50", rb'"\n"', b"[1e5]"):
        message = decode_json(frame % value)
        assert isinstance(message, Push)
        assert message.data == value
        assert encode_json(message) == frame % value


def test_a_change_is_written_flat_in_the_order_of_the_schema() -> None:
    change = ChangeLog("users", "1", ChangeAction.DELETE, None, 43, "cafe", TEN)
    assert encode_json(Change(change)) == (
        b'{"type":"change","change":{"entity":"users","entity_id":"1","action":"delete",'
        b'"data":null,"version":43,"client_id":"cafe","created_at":"2026-11-22T10:00:00Z"}}'
    )


def test_false_and_zero_are_written_when_the_field_is_not_optional() -> None:
    assert encode_json(SyncComplete("users", 0, "", False)) == (
        b'{"type":"sync_complete","entity":"users","version":0,"epoch":"","reset":false}'
    )


def test_optional_fields_are_written_only_if_present() -> None:
    assert encode_json(Subscribe(["a"])) == b'{"type":"subscribe","entities":["a"]}'
    assert encode_json(Subscribe(["a"], {"a": Position("e", 1)})) == (
        b'{"type":"subscribe","entities":["a"],"since":{"a":{"epoch":"e","version":1}}}'
    )


@pytest.mark.parametrize(
    "frame",
    [
        b'{"type":"push","entity":"u","entity_id":"1","action":"create","data":{"n":[1]},"seq":1}',
        b'{"type":"push","entity":"u","entity_id":"1","action":"delete","data":null}',
        b'{"type":"push","entity":"u","entity_id":"1","action":"delete"}',
        b'{"entities":["a"],"type":"subscribe"}',
        b'{"type": "push", "entity": "u", "entity_id": "1", "action": "create", "data": {"n": 1}}',
        b'{"type":"push","entity":"u","entity_id":"1","action":"create","data":[[[[[[[[1]]]]]]]]}',
        b'{"type":"authenticated","expires":"2026-11-22T10:00:00.123Z"}',
        b'{"type":"sync","entity":"u","since":1.0}',
        rb'{"type":"push","entity":"\u00fc","entity_id":"1","action":"create","data":"\/\u0022"}',
    ],
)
def test_common_frames_are_read_without_the_exact_check(
    frame: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rhtmx.wire.json_codec.check_frame", lambda _: pytest.fail("slow"))
    assert decode_json(frame)


@pytest.mark.parametrize(
    "data", [b'{"n":1}', b'{ "n" : 1 }', b"[" * 7 + b"]" * 7, b"[" * 32 + b"]" * 32]
)
def test_a_value_is_the_same_by_whichever_way_it_is_read(data: bytes) -> None:
    frame = b'{"type":"push","entity":"u","entity_id":"1","action":"create","data":%s}' % data
    assert decode_json(frame) == Push("u", "1", ChangeAction.CREATE, data)
    assert decode_json(frame.replace(b":", b": ", 1)) == decode_json(frame)


def test_a_forbidden_key_of_a_map_is_refused_in_canonical_text_too() -> None:
    frame = b'{"type":"subscribe","entities":[],"since":{"%s":{"epoch":"e","version":1}}}'
    assert decode_json(frame % b"users")
    for key in (b"__proto__", b"constructor", b"prototype"):
        with pytest.raises(RhtmxError, match=r"^subscribe\.since: the key"):
            decode_json(frame % key)


def test_unknown_fields_do_not_survive() -> None:
    message = decode_json(b'{"type":"subscribe","entities":["a"],"later":{"x":1}}')
    assert encode_json(message) == b'{"type":"subscribe","entities":["a"]}'


@pytest.mark.parametrize(
    "frame",
    [
        b'{"type":"ping","later":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        rb'{"type":"ping","later":"\ud800"}',
        b'{"type":"ping","later":"\xff"}',
    ],
)
def test_a_frame_that_is_broken_where_nobody_looks_is_refused_all_the_same(frame: bytes) -> None:
    with pytest.raises(RhtmxError, match=r"^message: ") as refused:
        decode_json(frame)
    assert refused.value.code is ErrorCode.BAD_MESSAGE


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (Change(), "Change: cannot be written as JSON: .*change is required"),
        (Push("a", "b"), "Push: cannot be written as JSON"),
        (Push("a\ud800", "b", ChangeAction.CREATE), "Push: cannot be written as JSON"),
        (Change(ChangeLog(action=ChangeAction.CREATE, created_at=datetime(2026, 1, 1))), "zone"),
        (Envelope(), "Envelope: cannot be written as JSON"),
    ],
)
def test_what_is_not_a_complete_message_cannot_be_written(message: object, words: str) -> None:
    with pytest.raises(RhtmxError, match=words):
        encode_json(message)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "request_id"),
    [
        (b'{"type":"validate_field","request_id":"r1","form":1}', "r1"),
        (b'{"type":"nonsense","request_id":"r1"}', "r1"),
        (b'{"type":"sync","request_id":1}', None),
        (b'{"type":"sync","request_id":"' + b"x" * 256 + b'"}', None),
        (b'{"type":"sync","request_id":"\\ud800"}', None),
        (b"[1]", None),
        (b"nonsense", None),
    ],
)
def test_a_refusal_says_which_request_it_answers_where_that_can_be_made_out(
    text: bytes, request_id: str | None
) -> None:
    with pytest.raises(RhtmxError) as refused:
        decode_json(text)
    assert refused.value.request_id == request_id


def test_needless_escapes_are_written_anew() -> None:
    frame = b'{"type":"push","entity":"%s","entity_id":"1","action":"create","data":{"n":"%s"}}'
    for escaped, plain in (
        (rb"\u00e9\u0416", "éЖ".encode()),
        (rb"\ud83d\ude00", "😀".encode()),
        (rb"http:\/\/x\u003f", b"http://x?"),
        (rb"\u0022\u005c\u000a\\u0041", rb"\"\\\n\\u0041"),
        ("é\\\\/ \\/ Ж".encode(), "é\\\\/ / Ж".encode()),
    ):
        message = decode_json(frame % (escaped, escaped))
        assert message == decode_json(frame % (plain, plain))
        assert isinstance(message, Push)
        assert message.data == b'{"n":"%s"}' % plain


@pytest.mark.parametrize("kind", ["push", "push_fields", "transaction"])
def test_a_write_that_cannot_be_read_keeps_its_number(kind: str) -> None:
    with pytest.raises(RhtmxError) as refused:
        decode_json(b'{"type":"%s","request_id":"r","seq":7}' % kind.encode())
    assert (refused.value.request_id, refused.value.seq) == ("r", 7)


def test_what_is_no_write_has_no_number() -> None:
    with pytest.raises(RhtmxError) as refused:
        decode_json(b'{"type":"subscribe","request_id":"r","seq":7,"entities":1}')
    assert (refused.value.request_id, refused.value.seq) == ("r", None)
