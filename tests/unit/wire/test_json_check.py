from __future__ import annotations

import pytest

from rhtmx.errors import RhtmxError
from rhtmx.wire.json_check import check_frame

FIELDS = (
    b'{"type":"push_fields","entity":"a","entity_id":"b","fields":['
    b'{"field":"x","value":%s,"action":"update","timestamp":"2026-11-22T10:00:00Z"}]}'
)


def words(data: bytes) -> str:
    with pytest.raises(RhtmxError) as refused:
        check_frame(data)
    return refused.value.message


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"[]", "message: an object expected, got a list"),
        (b"{}", "type: required, but missing"),
        (b'{"type":5}', "type: a string expected, got 5"),
        (b'{"type":"destroy"}', "type: unknown message 'destroy'"),
        (b'{"type":"ping","type":"ping"}', "message: the key 'type' occurs twice in one object"),
        (b'{"type":"authenticate"}', "authenticate.token: required, but missing"),
        (b'{"type":"authenticate","token":null}', "authenticate.token: required, but null"),
        (
            b'{"type":"authenticate","token":[]}',
            "authenticate.token: a string expected, got a list",
        ),
        (
            b'{"type":"subscribe","entities":{}}',
            "subscribe.entities: a list expected, got an object",
        ),
        (
            b'{"type":"subscribe","entities":["a",1]}',
            "subscribe.entities[1]: a string expected, got 1",
        ),
        (
            b'{"type":"subscribe","entities":[],"since":{"a":{"epoch":"e"}}}',
            "subscribe.since['a'].version: required, but missing",
        ),
        (
            b'{"type":"error","message":"","retryable":1}',
            "error.retryable: true or false expected, got 1",
        ),
        (
            b'{"type":"sync","entity":"a","since":1.5}',
            "sync.since: an integer from -9007199254740991 to 9007199254740991 expected, got 1.5",
        ),
        (
            b'{"type":"push","entity":"a","entity_id":"b","action":"add"}',
            "push.action: one of create, update, delete expected, got 'add'",
        ),
        (
            b'{"type":"authenticated","expires":"yesterday"}',
            "authenticated.expires: an RFC 3339 time expected, got 'yesterday'",
        ),
        (
            FIELDS % b'{"__proto__":1}',
            "push_fields.fields[0].value: the key '__proto__' is not allowed",
        ),
    ],
)
def test_the_first_wrong_field_is_named(data: bytes, message: str) -> None:
    assert words(data) == message


@pytest.mark.parametrize(
    "data",
    [
        b'{"type":"ping"}',
        b'{"type":"ping","later":{"a":1,"a":2}}',
        b'{"type":"sync","entity":"a","since":1.0}',
        b'{"type":"sync","entity":"a","since":1e3,"epoch":null}',
        FIELDS % b'{"constructors":["\\ud83d\\ude00"]}',
    ],
)
def test_what_is_right_passes(data: bytes) -> None:
    check_frame(data)


@pytest.mark.parametrize("number", [b"1e400", b"-1e400", b"9" * 400])
def test_a_protocol_integer_that_overflows_is_refused(number: bytes) -> None:
    data = b'{"type":"sync","entity":"a","since":' + number + b"}"
    assert words(data).startswith("sync.since: an integer from")


def test_input_is_never_echoed_at_length() -> None:
    assert len(words(b'{"type":"' + b"x" * 60_000 + b'"}')) < 80
