"""The inputs of `newer.json`: what a newer server may say, and what a client makes of it.

Knows bytes, and the messages that they become. Must not know any codec. A server that
hears one of these from a client refuses it: most are in `malformed_cases.py`, too.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.vectors.raw import block, inside, number

__all__ = ["NEWER", "Newer"]

Notes = tuple[tuple[str, str], ...]


class Newer(NamedTuple):
    """One frame that is read, with notes of what is not known in it."""

    name: str
    format: str
    data: bytes
    reads: str | None
    """The message as JSON, without what may lack and is not known. `None`: none."""
    notes: Notes
    """Place and words of each."""
    words: tuple[tuple[str, str], ...] = ()
    """Fields of the message that have a word which is not known, and that word."""


AT = '"2026-11-22T10:00:00Z"'
CHANGE = '{"type":"change","change":{"entity":"t","entity_id":"1","action":%s,%s"version":7%s}}'
MADE = f',"created_at":{AT}'
FIELD = (
    '{"type":"field_change","change":{"entity":"t","entity_id":"1","field":"a",%s'
    f'"action":%s,"version":7,"timestamp":{AT}}}}}'
)
CONFLICT = (
    '{"type":"field_conflict","entity":"t","entity_id":"1","field":"a","server_value":2,'
    f'"server_timestamp":{AT},"client_value":1,"client_timestamp":{AT},"version":7%s,"seq":3}}'
)
ERROR = '{"type":"error","message":"no"%s,"seq":3%s,"details":null}'
ACK = '{"type":"push_ack","entity":"t","entity_id":"1","version":7%s}'


def text(name: str, data: str, reads: str | None, *notes: tuple[str, str], **words: str) -> Newer:
    """Describe a JSON frame."""
    return Newer(name, "json", data.encode(), reads, notes, tuple(words.items()))


def binary(
    name: str, data: bytes, reads: str | None, *notes: tuple[str, str], **words: str
) -> Newer:
    """Describe a binary frame."""
    return text(name, "", reads, *notes, **words)._replace(format="proto", data=data)


def change(action: int, *more: bytes) -> bytes:
    """A binary change of the record 1."""
    log = block(1, b"t") + block(2, b"1") + number(3, action) + b"".join(more) + number(5, 7)
    return block(inside("change"), block(1, log))


def field_change(action: int, *more: bytes) -> bytes:
    """A binary change of the field a of the record 1."""
    log = block(1, b"t") + block(2, b"1") + block(3, b"a") + b"".join(more)
    return block(inside("field_change"), block(1, log + number(5, action) + number(6, 7) + WHEN8))


WHEN = block(7, number(1, 1795341600))
WHEN8 = block(8, number(1, 1795341600))
ACTION = "change.change.action"
ARCHIVE = (ACTION, 'the word "archive"')
NINE = (ACTION, 'the word "9"')

JSON = (
    text("a message", '{"type":"presence","who":["x"]}', None, ("type", 'message "presence"')),
    text(
        "a message that is otherwise no message of ours",
        '{"type":"batch","change":7,"seq":"x"}',
        None,
        ("type", 'message "batch"'),
    ),
    text(
        "a message that only clients send today",
        '{"type":"unsubscribe","entities":["t"]}',
        None,
        ("type", 'message "unsubscribe"'),
    ),
    text(
        "the name of a message that every object has",
        '{"type":"constructor"}',
        None,
        ("type", 'message "constructor"'),
    ),
    text(
        "a field",
        ACK % ',"brand_new":{"a":[1]}',
        ACK % "",
        ("push_ack", 'field "brand_new"'),
    ),
    text(
        "a field of a message in a message",
        CHANGE % ('"update"', '"data":1,', MADE + ',"gone":true'),
        CHANGE % ('"update"', '"data":1,', MADE),
        ("change.change", 'field "gone"'),
    ),
    text(
        "a field of a message in a list",
        '{"type":"form_validation_result","request_id":"r","form":"f","valid":false,"errors":'
        '[{"field":"a","error":"no","hint":"yes"}]}',
        '{"type":"form_validation_result","request_id":"r","form":"f","valid":false,"errors":'
        '[{"field":"a","error":"no"}]}',
        ("form_validation_result.errors[0]", 'field "hint"'),
    ),
    text(
        "an action, with a value",
        CHANGE % ('"archive"', '"data":{"a":1.50},', MADE),
        CHANGE % ('"update"', '"data":{"a":1.50},', MADE),
        ARCHIVE,
    ),
    text(
        "an action, with a big integer",
        CHANGE % ('"archive"', '"data":[9007199254740993],', MADE),
        CHANGE % ('"update"', '"data":[9007199254740993],', MADE),
        ARCHIVE,
    ),
    text(
        "an action, without a value",
        CHANGE % ('"archive"', "", MADE),
        CHANGE % ('"delete"', '"data":null,', MADE),
        ARCHIVE,
    ),
    text(
        "an action, with null for a value",
        CHANGE % ('"archive"', '"data":null,', MADE),
        CHANGE % ('"delete"', '"data":null,', MADE),
        ARCHIVE,
    ),
    text(
        "an action in upper case is another word",
        CHANGE % ('"DELETE"', '"data":1,', MADE),
        CHANGE % ('"update"', '"data":1,', MADE),
        (ACTION, 'the word "DELETE"'),
    ),
    text(
        "an action that every object has",
        CHANGE % ('"toString"', '"data":1,', MADE),
        CHANGE % ('"update"', '"data":1,', MADE),
        (ACTION, 'the word "toString"'),
    ),
    text(
        "an action of a field, with a value",
        FIELD % ('"value":5,', '"transmute"'),
        FIELD % ('"value":5,', '"update"'),
        ("field_change.change.action", 'the word "transmute"'),
    ),
    text(
        "an action of a field, without a value",
        FIELD % ("", '"forget"'),
        FIELD % ('"value":null,', '"delete"'),
        ("field_change.change.action", 'the word "forget"'),
    ),
    text(
        "a strategy",
        CONFLICT % ',"winner":"server","strategy":"crdt_text"',
        CONFLICT % ',"winner":"server"',
        ("field_conflict.strategy", 'the word "crdt_text"'),
        strategy="crdt_text",
    ),
    text(
        "a winner",
        CONFLICT % ',"winner":"both","strategy":"keep_both"',
        CONFLICT % ',"strategy":"keep_both"',
        ("field_conflict.winner", 'the word "both"'),
        winner="both",
    ),
    text(
        "a code",
        ERROR % (',"code":"quota_exceeded"', ',"retryable":true'),
        ERROR % ("", ',"retryable":true'),
        ("error.code", 'the word "quota_exceeded"'),
        code="quota_exceeded",
    ),
    text(
        "a code that every object has",
        ERROR % (',"code":"__proto__"', ""),
        ERROR % ("", ""),
        ("error.code", 'the word "__proto__"'),
        code="__proto__",
    ),
    text(
        "everything at once",
        '{"who":1,"type":"change","change":{"entity":"t","entity_id":"1","action":"archive",'
        f'"data":2,"version":7,"timestamp":{AT}}}}}',
        CHANGE % ('"update"', '"data":2,', ',"created_at":"1970-01-01T00:00:00Z"'),
        ("change", 'field "who"'),
        ("change.change", 'field "timestamp"'),
        ARCHIVE,
        ("change.change.created_at", "left out"),
    ),
)

PROTO = (
    binary("a message", block(500, b"abc"), None, ("message", "message 500")),
    binary("nothing", b"", None, ("message", "message 0")),
    binary(
        "a message that only clients send today",
        block(inside("unsubscribe"), block(1, b"t")),
        None,
        ("message", f"message {inside('unsubscribe')}"),
    ),
    binary(
        "a field",
        block(
            inside("push_ack"),
            block(1, b"t") + block(2, b"1") + number(3, 7) + number(900, 1),
        ),
        ACK % "",
        ("push_ack", "field 900"),
    ),
    binary(
        "a field of a message in a message",
        change(2, block(4, b"1"), WHEN, block(901, b"x")),
        CHANGE % ('"update"', '"data":1,', MADE),
        ("change.change", "field 901"),
    ),
    binary(
        "an action, with a value",
        change(9, block(4, b'{"a":1.50}'), WHEN),
        CHANGE % ('"update"', '"data":{"a":1.50},', MADE),
        NINE,
    ),
    binary(
        "an action, without a value",
        change(9, WHEN),
        CHANGE % ('"delete"', '"data":null,', MADE),
        NINE,
    ),
    binary(
        "an action, with null for a value",
        change(9, block(4, b" null\n"), WHEN),
        CHANGE % ('"delete"', '"data":null,', MADE),
        NINE,
    ),
    binary(
        "a negative action",
        change(-3, block(4, b"1"), WHEN),
        CHANGE % ('"update"', '"data":1,', MADE),
        (ACTION, 'the word "-3"'),
    ),
    binary(
        "an action of a field, with a value",
        field_change(99, block(4, b"5")),
        FIELD % ('"value":5,', '"update"'),
        ("field_change.change.action", 'the word "99"'),
    ),
    binary(
        "an action of a field, without a value",
        field_change(99),
        FIELD % ('"value":null,', '"delete"'),
        ("field_change.change.action", 'the word "99"'),
    ),
    binary(
        "a winner and a strategy",
        block(
            inside("field_conflict"),
            block(1, b"t")
            + block(2, b"1")
            + block(3, b"a")
            + block(4, b"2")
            + block(5, number(1, 1795341600))
            + block(6, b"1")
            + block(7, number(1, 1795341600))
            + number(8, 7)
            + number(9, 9)
            + number(10, 10)
            + number(11, 3),
        ),
        CONFLICT % "",
        ("field_conflict.strategy", 'the word "10"'),
        ("field_conflict.winner", 'the word "9"'),
        winner="9",
        strategy="10",
    ),
    binary(
        "a code",
        block(inside("error"), block(1, b"no") + number(2, 999) + number(4, 3) + number(5, 1)),
        ERROR % ("", ',"retryable":true'),
        ("error.code", 'the word "999"'),
        code="999",
    ),
    binary(
        "a time that is left out",
        change(2, block(4, b"2")),
        CHANGE % ('"update"', '"data":2,', ',"created_at":"1970-01-01T00:00:00Z"'),
        ("change.change.created_at", "left out"),
    ),
)

NEWER = JSON + PROTO
