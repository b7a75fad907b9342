"""Facts about `rhtmx.wire.newer`; what it reads is in `tests/vectors/newer.json`."""

from __future__ import annotations

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    ChangeAction,
    ChangeLog,
    Envelope,
    Error,
    FieldConflict,
    GetFieldsResponse,
    PushAck,
    PushFieldsResponse,
    PushOutcome,
)
from rhtmx.messages.tables import SERVER_MESSAGES
from rhtmx.wire import Format, ServerReader, decode, encode, encode_message
from rhtmx.wire import newer as module
from tests.vectors.good_cases import GOOD
from tests.vectors.raw import block, inside, number

ACK = PushAck("t", "1", 7)
WHEN = number(1, 1795341600)


class Said(list[tuple[str, str]]):
    """What was noted."""

    def __call__(self, where: str, what: str) -> None:
        self.append((where, what))


def test_what_is_known_is_read_as_by_the_strict_decoders_and_nothing_is_noted() -> None:
    notes = Said()
    reader = ServerReader(notes)
    assert reader.json(encode(ACK, Format.JSON)) == ACK
    assert reader.json(b" " + encode(ACK, Format.JSON)) == ACK
    assert reader.proto(encode(ACK, Format.PROTO)) == ACK
    assert reader.message(PushAck, encode_message(ACK)) == ACK
    assert notes == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"type":7}',
        b'{"type":"change"}',
        b'{"type":"error","message":"m","code":7}',
        b'{"type":"error","message":"m","code":""}',
        b'{"type":"error","message":"m","code":"a\\u0000"}',
        b'{"type":"change","change":{"entity":"t","entity_id":"1","version":1}}',
        b'{"type":"authenticated","expires":"2026-02-30T10:00:00Z"}',
        b'{"type":"push_ack","entity":"t","entity_id":"1","version":"x","later":1}',
        b'{"type":"form_validation_result","request_id":"","form":"","valid":true,"errors":[7]}',
    ],
)
def test_what_is_broken_is_not_taken_for_new(data: bytes) -> None:
    with pytest.raises(RhtmxError) as strictly:
        decode(data, Format.JSON)
    with pytest.raises(RhtmxError) as refused:
        ServerReader(Said()).json(data)
    assert refused.value.code is ErrorCode.BAD_MESSAGE
    assert refused.value.message == strictly.value.message


@pytest.mark.parametrize("data", [b"\xff", b"\x72\x02\x0a\x00", block(500, b"x")[:-1]])
def test_what_is_broken_protobuf_is_not_taken_for_new(data: bytes) -> None:
    with pytest.raises(RhtmxError):
        ServerReader(Said()).proto(data)


def test_fields_are_looked_for_in_the_first_messages_and_words_in_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_MOST_LOOKED_AT", 2)
    ack = b'{"type":"push_ack","entity":"t","entity_id":"1","version":7,"%s":1}'
    notes = Said()
    reader = ServerReader(notes)
    for name in (b"a", b"b", b"c"):
        assert reader.json(ack % name) == ACK
    assert notes == [("push_ack", 'field "a"'), ("push_ack", 'field "b"')]
    error = reader.json(b'{"type":"error","message":"m","code":"later"}')
    assert isinstance(error, Error)
    assert error.code is not None
    assert error.code.name == "later"
    assert reader.json(b'{"type":"later"}') is None
    with pytest.raises(RhtmxError):
        reader.json(b'{"type":"change"}')


def test_a_message_in_grpc_has_its_new_words_too_wherever_they_are() -> None:
    notes = Said()
    reader = ServerReader(notes)
    log = block(1, b"t") + block(2, b"1") + number(3, 9) + block(4, b"1") + block(7, WHEN)
    assert reader.message(ChangeLog, log).action is ChangeAction.UPDATE
    envelope = reader.message(Envelope, block(inside("change"), block(1, log)))
    assert envelope.change is not None
    assert envelope.change.change is not None
    assert envelope.change.change.action is ChangeAction.UPDATE
    error = block(1, b"no") + number(2, 999)
    outcome = reader.message(PushOutcome, block(2, error))
    assert outcome.error is not None
    assert outcome.error.code is not None
    assert outcome.error.code.name == "999"
    conflict = block(5, WHEN) + block(7, WHEN)
    ack = block(1, b"t") + block(2, b"1")
    response = reader.message(
        PushFieldsResponse,
        block(1, ack) + block(2, conflict) + block(2, conflict + number(10, 77)),
    )
    first, second = response.conflicts
    assert first.strategy is None
    assert second.strategy is not None
    assert second.strategy.name == "77"
    assert notes == [
        ("ChangeLog.action", 'the word "9"'),
        ("change.change.action", 'the word "9"'),
        ("PushOutcome.error.code", 'the word "999"'),
        ("PushFieldsResponse.conflicts[1].strategy", 'the word "77"'),
    ]


def test_fields_that_are_not_known_are_noted_in_grpc() -> None:
    notes = Said()
    reader = ServerReader(notes)
    log = block(1, b"t") + number(5, 2) + block(8, WHEN) + number(900, 1)
    assert len(reader.message(GetFieldsResponse, block(1, log)).fields) == 1
    envelope = reader.message(Envelope, block(inside("ping"), number(901, 1)))
    assert envelope.ping is not None
    assert notes == [("GetFieldsResponse.fields", "field 900"), ("ping", "field 901")]


def test_a_word_that_is_not_known_does_not_stay_for_the_next_message() -> None:
    reader = ServerReader(Said())
    reader.json(b'{"type":"error","message":"m","code":"later"}')
    conflict = reader.json(
        b'{"type":"field_conflict","entity":"t","entity_id":"1","field":"f",'
        b'"server_timestamp":"2026-11-22T10:00:00Z","client_timestamp":"2026-11-22T10:00:00Z"}'
    )
    assert isinstance(conflict, FieldConflict)
    assert not hasattr(conflict, "code")


def test_every_message_of_a_server_is_one_to_the_reader() -> None:
    vectors = {type(decode(frame, Format.JSON)): frame for frame in _frames()}
    assert vectors.keys() >= set(SERVER_MESSAGES)
    for kind in SERVER_MESSAGES:
        notes = Said()
        assert ServerReader(notes).json(vectors[kind]) == decode(vectors[kind], Format.JSON)
        assert notes == []


def _frames() -> list[bytes]:
    return [each.canonical.encode() for each in GOOD]
