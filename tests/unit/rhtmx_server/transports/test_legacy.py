"""The words of the old protocols."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from websockets.frames import Opcode

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    Change,
    ChangeAction,
    ChangeLog,
    Error,
    FieldAction,
    FieldChange,
    FieldChangeLog,
    FieldConflict,
    FieldPushAck,
    FieldUpdate,
    MergeStrategy,
    Ping,
    Pong,
    Push,
    PushAck,
    PushFields,
    Subscribe,
    SubscribeFields,
    Sync,
    SyncComplete,
    SyncFields,
    SyncFieldsComplete,
    ValidationResult,
    Winner,
)
from rhtmx.wire import ServerMessage
from rhtmx_server.encoding.render import field_changes, state_messages
from rhtmx_server.model import Granularity
from rhtmx_server.transports.legacy import ENDPOINTS, FIELDS, RECORDS, LegacyDialect, Vocabulary
from tests.support.frames import parse_frame
from tests.unit.rhtmx_server.fakes import record

TIME = datetime(2026, 11, 22, 10, 0, 1, tzinfo=UTC)
LIMIT = 2000

CHANGE = Change(ChangeLog("users", "1", ChangeAction.CREATE, b'{"a":1}', 7, None, TIME))
FIELD_CHANGE = FieldChange(
    FieldChangeLog("users", "1", "a", b"1", FieldAction.UPDATE, 7, None, TIME, more=True)
)
CONFLICT = FieldConflict(
    "users", "1", "a", b"1", TIME, b"2", TIME,
    version=7, winner=Winner.SERVER, strategy=MergeStrategy.SERVER_WINS, seq=3,
)  # fmt: skip


def dialect(vocabulary: Vocabulary, threshold: int = 1024) -> LegacyDialect:
    return LegacyDialect(vocabulary, LIMIT, threshold, 6)


def take(vocabulary: Vocabulary, message: Any) -> Any:
    text = message if isinstance(message, bytes) else json.dumps(message).encode()
    return dialect(vocabulary).decode(text, True)


def refused(vocabulary: Vocabulary, data: bytes, text: bool = True) -> str:
    with pytest.raises(RhtmxError) as error:
        dialect(vocabulary).decode(data, text)
    assert error.value.code is ErrorCode.BAD_MESSAGE
    return error.value.message


def said(vocabulary: Vocabulary, message: ServerMessage) -> Any:
    return json.loads(bytes(parse_frame(dialect(vocabulary).frame(message)).data))


# What is taken.


def test_the_record_endpoint_takes_its_four_messages() -> None:
    assert take(RECORDS, {"type": "subscribe", "entities": ["a"]}) == Subscribe(entities=["a"])
    assert take(RECORDS, {"type": "sync", "entity": "a", "since": 3}) == Sync("a", 3)
    assert take(RECORDS, {"type": "ping"}) == Ping()
    push = {"type": "push", "entity": "a", "entity_id": "1", "action": "update", "data": {"n": 1}}
    assert take(RECORDS, push) == Push("a", "1", ChangeAction.UPDATE, b'{"n": 1}')


def test_on_the_field_endpoint_the_same_words_mean_the_messages_for_fields() -> None:
    assert take(FIELDS, {"type": "subscribe", "entities": ["a"]}) == SubscribeFields(["a"])
    assert take(FIELDS, {"type": "sync", "entity": "a", "since": 3}) == SyncFields("a", 3)
    assert take(FIELDS, {"type": "ping"}) == Ping()
    update = {"field": "n", "value": 1, "action": "update", "timestamp": "2026-11-22T10:00:01Z"}
    push = {"type": "push_fields", "entity": "a", "entity_id": "1", "fields": [update]}
    assert take(FIELDS, push) == PushFields(
        "a", "1", [FieldUpdate("n", b"1", FieldAction.UPDATE, TIME)]
    )


def test_a_push_without_data_pushes_null() -> None:
    push = {"type": "push", "entity": "a", "entity_id": "1", "action": "delete"}
    assert take(RECORDS, push) == Push("a", "1", ChangeAction.DELETE, None)


def test_members_that_were_not_in_the_old_protocol_mean_nothing_whatever_they_hold() -> None:
    subscribe = {"type": "subscribe", "entities": ["a"], "since": 5, "client": "old", "seq": None}
    assert take(RECORDS, subscribe) == Subscribe(entities=["a"])
    push = {
        "type": "push", "entity": "a", "entity_id": "1", "action": "create", "data": 1,
        "seq": 9, "base_version": "x", "request_id": 5, "timestamp": 1, "__proto__": {},
    }  # fmt: skip
    assert take(RECORDS, push) == Push("a", "1", ChangeAction.CREATE, b"1")


@pytest.mark.parametrize("vocabulary", [RECORDS, FIELDS])
@pytest.mark.parametrize(
    "name",
    ["hello", "validate_field", "subscribe_fields", "change", "push_ack", "pong", "nonsense"],
)
def test_what_is_not_taken_is_refused_with_what_is(vocabulary: Vocabulary, name: str) -> None:
    words = refused(vocabulary, json.dumps({"type": name}).encode())
    assert f"'{name}' is not taken on {vocabulary.path}" in words
    assert "subscribe, sync, push" in words
    assert "/api/ws" in words


def test_pushes_are_taken_only_at_the_endpoint_of_their_kind() -> None:
    assert "is not taken" in refused(RECORDS, b'{"type":"push_fields"}')
    assert "is not taken" in refused(FIELDS, b'{"type":"push"}')


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not valid JSON"),
        (b"hello", "not valid JSON"),
        (b"[]", "an object expected"),
        (b"{}", "type"),
        (b'{"type":5}', "type"),
        (b'{"type":"\\ud800"}', "type"),
        (b'{"type":"ping"} x', "not valid JSON"),
        (b'\xff{"type":"ping"}', "UTF-8"),
        (b"[" * 100_000, "message"),
        (b'{"type":"subscribe"}', "subscribe.entities"),
        (b'{"type":"sync","entity":"a","since":"x"}', "sync.since"),
        (b'{"type":"push","entity":"a","entity_id":"1","action":"upsert"}', "push.action"),
        (
            b'{"type":"push","entity":"a","entity_id":"1","action":"create","data":{"a":1,"a":2}}',
            "push.data",
        ),
        (
            b'{"type":"push","entity":"a","entity_id":"1","action":"create","data":{"__proto__":1}}',
            "push.data",
        ),
    ],
)
def test_what_cannot_be_understood_is_refused_with_the_place(data: bytes, words: str) -> None:
    assert words in refused(RECORDS, data)


def test_a_binary_frame_is_the_gzip_of_the_text() -> None:
    data = gzip.compress(b'{"type":"ping"}')
    assert dialect(RECORDS).decode(data, False) == Ping()


@pytest.mark.parametrize(("more", "fits"), [(0, True), (1, False), (2, False)])
def test_the_limit_holds_after_decompression(more: int, fits: bool) -> None:
    text = b'{"type":"ping","x":"%s"}'
    data = gzip.compress(text % (b"x" * (LIMIT + more - len(text % b""))))
    if fits:
        assert dialect(RECORDS).decode(data, False) == Ping()
    else:
        assert f"at most {LIMIT} bytes" in refused(RECORDS, data, text=False)


def test_a_binary_frame_that_is_no_gzip_is_refused() -> None:
    assert "gzip data expected" in refused(RECORDS, b'{"type":"ping"}', text=False)
    assert "cut off" in refused(RECORDS, gzip.compress(b'{"type":"ping"}')[:-1], text=False)
    assert "follow" in refused(RECORDS, gzip.compress(b'{"type":"ping"}') + b"x", text=False)


# What is sent.


def test_the_record_endpoint_says_change_push_ack_error_and_pong() -> None:
    assert said(RECORDS, CHANGE) == {
        "type": "change",
        "change": {
            "entity": "users",
            "entity_id": "1",
            "action": "create",
            "data": {"a": 1},
            "version": 7,
            "client_id": None,
            "created_at": "2026-11-22T10:00:01Z",
        },
    }
    ack = PushAck("users", "1", 7, request_id="r", seq=2, epoch="e", server_time=TIME)
    assert said(RECORDS, ack) == {
        "type": "push_ack",
        "entity": "users",
        "entity_id": "1",
        "version": 7,
    }
    assert said(RECORDS, Pong()) == {"type": "pong"}


def test_the_field_endpoint_says_field_change_push_ack_conflict_error_and_pong() -> None:
    assert said(FIELDS, FIELD_CHANGE) == {
        "type": "field_change",
        "change": {
            "entity": "users",
            "entity_id": "1",
            "field": "a",
            "value": 1,
            "action": "update",
            "version": 7,
            "client_id": None,
            "timestamp": "2026-11-22T10:00:01Z",
        },
    }
    ack = FieldPushAck("users", "1", 2, 1, version=7, epoch="e", clamped=1)
    assert said(FIELDS, ack) == {
        "type": "push_ack",
        "entity": "users",
        "entity_id": "1",
        "applied": 2,
        "conflicts": 1,
    }
    assert said(FIELDS, CONFLICT) == {
        "type": "conflict",
        "entity": "users",
        "entity_id": "1",
        "field": "a",
        "server_value": 1,
        "server_timestamp": "2026-11-22T10:00:01Z",
        "client_value": 2,
        "client_timestamp": "2026-11-22T10:00:01Z",
    }
    assert said(FIELDS, Pong()) == {"type": "pong"}


@pytest.mark.parametrize("vocabulary", [RECORDS, FIELDS])
def test_an_error_is_only_words(vocabulary: Vocabulary) -> None:
    error = Error("no", code=ErrorCode.BAD_MESSAGE, request_id="r", retryable=True, details=b"{}")
    assert said(vocabulary, error) == {"type": "error", "message": "no"}


@pytest.mark.parametrize(
    ("vocabulary", "messages"),
    [
        (RECORDS, [FIELD_CHANGE, FieldPushAck("a", "1"), CONFLICT]),
        (FIELDS, [CHANGE, PushAck("a", "1", 1)]),
    ],
)
def test_what_the_old_protocol_has_no_word_for_is_not_sent(
    vocabulary: Vocabulary, messages: list[ServerMessage]
) -> None:
    never: list[ServerMessage] = [
        Ping(),
        SyncComplete("a", 1, "e"),
        SyncFieldsComplete("a", 1, "e"),
        ValidationResult("r", "f", "x", True),
    ]
    for message in messages + never:
        assert dialect(vocabulary).frame(message) == b""


def test_a_message_from_the_threshold_on_is_sent_as_gzip_the_same_every_time() -> None:
    error = Error("word " * 400)
    size = len('{"type":"error","message":""}') + len(error.message)
    sent = parse_frame(dialect(RECORDS, size).frame(error))
    assert sent.opcode is Opcode.BINARY
    assert len(sent.data) < size
    assert json.loads(gzip.decompress(sent.data)) == {"type": "error", "message": error.message}
    assert dialect(RECORDS, size).frame(error) == dialect(RECORDS, size).frame(error)
    assert parse_frame(dialect(RECORDS, size + 1).frame(error)).opcode is Opcode.TEXT


def test_what_does_not_shrink_is_sent_as_text() -> None:
    assert parse_frame(dialect(RECORDS, 0).frame(Pong())).opcode is Opcode.TEXT


# The endpoints.


def test_both_endpoints_announce_their_end() -> None:
    assert set(ENDPOINTS) == {"/api/sync/ws", "/api/field-sync/ws"}
    for endpoint in ENDPOINTS.values():
        names = [name for name, _ in endpoint.headers]
        assert names == ["Deprecation", "Link"]


def test_records_are_said_as_changes_where_there_are_such() -> None:
    some = [record("1", 1), record("2", 2, None)]
    frames = [
        dialect(RECORDS).frame(message)
        for one in some
        for message in state_messages(one, Granularity.RECORDS, 0)
    ]
    assert dialect(RECORDS).changes(some) == b"".join(frames) != b""
    assert dialect(FIELDS).changes(some) == b""


def test_fields_are_said_as_changes_but_for_the_last_and_those_that_are_not_told() -> None:
    some = [record("1", 1, b'{"a":1,"id":2}'), record("2", 2, b'{"b":1}')]
    first, _, last = [change for one in some for change in field_changes(one, 0)]
    frames = dialect(FIELDS).frame(first)
    assert frames
    assert dialect(FIELDS).field_changes(some, 0) == (frames, 1, last)
    assert dialect(RECORDS).field_changes(some, 0) == (b"", 0, last)
    assert dialect(FIELDS).field_changes(some, 2) == (b"", 0, None)
