"""The inputs of `malformed.json`: what neither language may accept.

Knows bytes only. Each says which field the error must name.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.vectors.oracle import to_envelope
from tests.vectors.raw import block, inside, number, varint

__all__ = ["MALFORMED", "Malformed"]


class Malformed(NamedTuple):
    """One input that is refused with `bad_message`."""

    name: str
    format: str
    data: bytes
    path: str
    """What the error message must contain: the path of the field, if there is one."""
    unseen_by_javascript: bool = False
    """`JSON.parse` hides it: the TypeScript codec cannot refuse it."""


PUSH = '{"type":"push","entity":"users","entity_id":"1","action":"update","data":%s}'
FIELDS = (
    '{"type":"push_fields","entity":"users","entity_id":"1","fields":['
    '{"field":"a","value":1,"action":"update","timestamp":"2026-11-22T10:00:00Z"},%s]}'
)
EXPIRES = '{"type":"authenticated","expires":%s}'
SYNC = '{"type":"sync","entity":"users","since":%s}'


def text(name: str, data: str, path: str, *, unseen: bool = False) -> Malformed:
    """Describe a JSON frame that is refused."""
    return Malformed(name, "json", data.encode(), path, unseen)


def pushed(name: str, value: str, *, unseen: bool = False) -> Malformed:
    """Describe a JSON frame whose embedded value is refused."""
    return text(name, PUSH % value, "push.data", unseen=unseen)


def time(value: str) -> Malformed:
    """Describe a JSON frame whose time is refused."""
    return text(f"time {value[:40]}", EXPIRES % value, "authenticated.expires")


JSON = (
    text("nothing", "", "message"),
    text("white space", " ", "message"),
    text("half an object", '{"type":"ping"', "message"),
    text("garbage after the object", '{"type":"ping"} {}', "message"),
    text("a list", '[{"type":"ping"}]', "message"),
    text("a string", '"ping"', "message"),
    text("null", "null", "message"),
    text("a byte order mark", '\ufeff{"type":"ping"}', "message"),
    text("single quotes", "{'type':'ping'}", "message"),
    text("a comma too many", '{"type":"ping",}', "message"),
    text("a comment", '{"type":"ping"/* */}', "message"),
    Malformed("not UTF-8", "json", b'{"type":"unsubscribe","entities":["\xff"]}', "message"),
    Malformed(
        "a surrogate in UTF-8", "json", b'{"type":"unsubscribe","entities":["\xed\xa0\x80"]}', ""
    ),
    Malformed("overlong UTF-8", "json", b'{"type":"unsubscribe","entities":["\xc0\xaf"]}', ""),
    Malformed("UTF-8 cut off", "json", b'{"type":"unsubscribe","entities":["\xc3"]}', "message"),
    text("no type", '{"entities":["users"]}', "type"),
    text("type is null", '{"type":null}', "type"),
    text("type is a number", '{"type":7}', "type"),
    text("unknown type", '{"type":"destroy"}', "type"),
    text("type in another case", '{"type":"Ping"}', "type"),
    text("type is the envelope", '{"type":"envelope"}', "type"),
    text("type is a key of every object", '{"type":"__proto__"}', "type"),
    text("type is a method of every object", '{"type":"toString"}', "type"),
    text("type twice", '{"type":"ping","type":"pong"}', "", unseen=True),
    text(
        "a field is missing", '{"type":"push","entity":"users","action":"create"}', "push.entity_id"
    ),
    text("a field is null", '{"type":"unsubscribe","entities":null}', "unsubscribe.entities"),
    text("a string is a number", '{"type":"authenticate","token":5}', "authenticate.token"),
    text("a string is an object", '{"type":"authenticate","token":{}}', "authenticate.token"),
    text("a boolean is a number", '{"type":"error","message":"","retryable":1}', "error.retryable"),
    text(
        "a boolean is a string",
        '{"type":"error","message":"","retryable":"true"}',
        "error.retryable",
    ),
    text("a list is a string", '{"type":"subscribe","entities":"users"}', "subscribe.entities"),
    text("a list is an object", '{"type":"subscribe","entities":{"0":"a"}}', "subscribe.entities"),
    text(
        "an item of a list is wrong",
        '{"type":"subscribe","entities":["a",5]}',
        "subscribe.entities[1]",
    ),
    text(
        "an item of a list is null",
        '{"type":"subscribe","entities":[null]}',
        "subscribe.entities[0]",
    ),
    text("a map is a list", '{"type":"subscribe","entities":[],"since":[]}', "subscribe.since"),
    text(
        "an entry of a map is null",
        '{"type":"subscribe","entities":[],"since":{"a":null}}',
        "subscribe.since",
    ),
    text(
        "a field of an entry is missing",
        '{"type":"subscribe","entities":[],"since":{"a":{"version":1}}}',
        "epoch",
    ),
    text(
        "a map with a forbidden key",
        '{"type":"subscribe","entities":[],"since":{"constructor":{"epoch":"e","version":1}}}',
        "subscribe.since",
    ),
    text(
        "a map with __proto__",
        '{"type":"subscribe","entities":[],"since":{"__proto__":{"epoch":"e","version":1}}}',
        "subscribe.since",
    ),
    text("a message is a string", '{"type":"change","change":"x"}', "change.change"),
    text("a required message is missing", '{"type":"change"}', "change.change"),
    text(
        "a field of an item is missing",
        FIELDS % '{"field":"b","action":"update"}',
        "push_fields.fields[1].timestamp",
    ),
    text(
        "a time of an item is wrong",
        FIELDS % '{"field":"b","action":"update","timestamp":"yesterday"}',
        "push_fields.fields[1].timestamp",
    ),
    text(
        "a value of an item is wrong",
        FIELDS % '{"field":"b","action":"update","timestamp":"2026-11-22T10:00:00Z",'
        '"value":{"__proto__":1}}',
        "push_fields.fields[1].value",
    ),
    text("an enum in upper case", PUSH.replace("update", "UPDATE") % "1", "push.action"),
    text(
        "an enum by its full name",
        PUSH.replace("update", "CHANGE_ACTION_UPDATE") % "1",
        "push.action",
    ),
    text("an enum is empty", PUSH.replace("update", "") % "1", "push.action"),
    text("an enum by number", PUSH.replace('"update"', "2") % "1", "push.action"),
    text(
        "an enum is a key of every object",
        PUSH.replace("update", "constructor") % "1",
        "push.action",
    ),
    text("an integer with a fraction", SYNC % "42.5", "sync.since"),
    text("an integer in quotes", SYNC % '"42"', "sync.since"),
    text("an integer is true", SYNC % "true", "sync.since"),
    text("an integer above 2^53 - 1", SYNC % "9007199254740992", "sync.since"),
    text("an integer that rounds to 2^53", SYNC % "9007199254740993", "sync.since"),
    text("an integer below -(2^53 - 1)", SYNC % "-9007199254740992", "sync.since"),
    text("an integer above 2^64", SYNC % "18446744073709551616", "sync.since"),
    text("an integer with an exponent that is too large", SYNC % "1e16", "sync.since"),
    text("an integer is 1e400", SYNC % "1e400", "sync.since"),
    text("an integer with a plus", SYNC % "+1", "message"),
    text("an integer with a leading zero", SYNC % "01", "message"),
    text("an integer is NaN", SYNC % "NaN", "message"),
    text("an integer is Infinity", SYNC % "Infinity", "message"),
    time('"yesterday"'),
    time('""'),
    time("1700000000"),
    time('"2026-11-22"'),
    time('"2026-11-22T10:00:00"'),
    time('"2026-11-22 10:00:00Z"'),
    time('"2026-11-22t10:00:00z"'),
    time('"2026-11-22T10:00Z"'),
    time('"2026-11-22T10:00:00.Z"'),
    time('"2026-11-22T10:00:00,5Z"'),
    time('"2026-11-22T10:00:00.1234567890Z"'),
    time('"2026-11-22T10:00:00+0200"'),
    time('"2026-11-22T10:00:00+24:00"'),
    time('"2026-11-22T10:00:00+02:60"'),
    time('"2026-11-22T24:00:00Z"'),
    time('"2026-11-22T10:60:00Z"'),
    time('"2026-11-22T10:00:60Z"'),
    time('"2026-13-01T00:00:00Z"'),
    time('"2026-00-01T00:00:00Z"'),
    time('"2026-02-29T00:00:00Z"'),
    time('"2026-02-30T10:00:00Z"'),
    time('"2026-04-31T10:00:00+02:00"'),
    time('"2026-11-22t10:00:00Z"'),
    time('"2026-11-22T10:00:00z"'),
    time('"2026-11-22T10:00:60.5Z"'),
    time('"2026-06-30T23:59:60Z"'),
    time('"2026-06-30T24:00:00+02:00"'),
    time('"2026-11-00T10:00:00Z"'),
    time('"2026-11-32T10:00:00Z"'),
    time('"2026-11-31T00:00:00Z"'),
    time('"2026-W47-7T10:00:00Z"'),
    time('"0000-01-01T00:00:00Z"'),
    time('"0001-01-01T00:00:00+00:01"'),
    time('"9999-12-31T23:59:59-00:01"'),
    time('"12026-11-22T10:00:00Z"'),
    time('"\uff12026-11-22T10:00:00Z"'),
    time('"2026-11-22T10:00:00Z\\n"'),
    text("NUL in a string", '{"type":"authenticate","token":"a\\u0000b"}', "authenticate.token"),
    text(
        "NUL in an item", '{"type":"subscribe","entities":["a","\\u0000"]}', "subscribe.entities[1]"
    ),
    text("a raw NUL", '{"type":"authenticate","token":"a\x00b"}', "message"),
    text("a raw line feed", '{"type":"authenticate","token":"a\nb"}', "message"),
    text(
        "half a surrogate pair", '{"type":"authenticate","token":"\\ud800"}', "authenticate.token"
    ),
    text(
        "the other half of a surrogate pair",
        '{"type":"authenticate","token":"\\udc00x"}',
        "authenticate.token",
    ),
    text("an unknown escape", '{"type":"authenticate","token":"\\x41"}', "message"),
    text("a key twice", '{"type":"authenticate","token":"a","token":"b"}', "", unseen=True),
    text(
        "a key twice, once escaped",
        '{"type":"authenticate","token":"a","tok\\u0065n":"a"}',
        "",
        unseen=True,
    ),
    text(
        "a key of a map twice",
        '{"type":"subscribe","entities":[],"since":{"a":{"epoch":"e","version":1},"a":{"epoch":"e","version":1}}}',
        "subscribe.since",
        unseen=True,
    ),
    text("embedded: nothing", PUSH % "", "message"),
    text("embedded: NaN", PUSH % "NaN", "message"),
    pushed("embedded: 1e400", "1e400"),
    pushed("embedded: -1e400", "[-1e400]"),
    pushed("embedded: an integer too large for a double", "1" + "0" * 309),
    pushed("embedded: __proto__", '{"__proto__":1}'),
    pushed("embedded: __proto__ deep inside", '[{"a":[{"__proto__":{}}]}]'),
    pushed("embedded: __proto__ in escapes", '{"\\u005f_proto__":1}'),
    pushed("embedded: constructor", '{"a":{"constructor":{}}}'),
    pushed("embedded: prototype", '{"prototype":null}'),
    pushed("embedded: a key twice", '{"a":1,"a":2}', unseen=True),
    pushed("embedded: a key twice, once escaped", '{"a":1,"\\u0061":2}', unseen=True),
    pushed("embedded: a key twice with the same value", '[{"a":1,"a":1}]', unseen=True),
    pushed("embedded: NUL", '"a\\u0000"'),
    pushed("embedded: NUL in a key", '{"a\\u0000":1}'),
    pushed("embedded: half a surrogate pair", '["\\ud83d"]'),
    pushed("embedded: half a surrogate pair in a key", '{"\\udfff":1}'),
    pushed("embedded: surrogates in the wrong order", '"\\ude00\\ud83d"'),
    pushed("embedded: 33 lists deep", "[" * 33 + "]" * 33),
    pushed("embedded: 33 objects deep", '{"a":' * 33 + "1" + "}" * 33),
    text("embedded: 1000 deep", PUSH % ("[" * 1000 + "]" * 1000), ""),
    Malformed(
        "embedded: not UTF-8", "json", (PUSH % '"%"').encode().replace(b"%", b"\xfe"), "message"
    ),
)


def binary(name: str, data: bytes, path: str) -> Malformed:
    """Describe a binary frame that is refused."""
    return Malformed(name, "proto", data, path)


def embedded(name: str, data: bytes) -> Malformed:
    """Describe a binary push whose embedded value is refused."""
    push = block(1, b"users") + block(2, b"1") + number(3, 2) + block(4, data)
    return binary(f"embedded: {name}", block(inside("push"), push), "push.data")


def timestamp(name: str, data: bytes) -> Malformed:
    """Describe a binary frame whose time is refused."""
    frame = block(inside("authenticated"), block(1, data))
    return binary(f"time: {name}", frame, "authenticated.expires")


SYNC_FRAME = to_envelope({"type": "sync", "entity": "users", "since": 42}).SerializeToString()
UPDATE = block(1, b"a") + number(3, 1) + block(4, number(1, 1))

PROTO = (
    binary("nothing", b"", "message"),
    binary("an unknown case", block(1000, b""), "message"),
    binary("a text", b'{"type":"ping"}', "message"),
    *(
        binary(f"cut off after {size} bytes", SYNC_FRAME[:size], "message")
        for size in range(1, len(SYNC_FRAME))
    ),
    binary(
        "a varint of 11 bytes", varint(inside("ping") << 3 | 2) + b"\x80" * 10 + b"\x01", "message"
    ),
    binary("a varint without end", b"\xff" * 20, "message"),
    binary(
        "a length beyond the end", varint(inside("ping") << 3 | 2) + varint(2**31 - 1), "message"
    ),
    binary("a length above 2^63", varint(inside("ping") << 3 | 2) + varint(2**64 - 1), "message"),
    binary("field number 0", b"\x02\x00", "message"),
    binary("wire type 6", bytes([inside("ping") << 3 | 6]), "message"),
    binary("the end of a group that never began", varint(inside("ping") << 3 | 4), "message"),
    binary("an unknown group without end", block(inside("ping"), varint(100 << 3 | 3)), "message"),
    binary(
        "unknown groups 1000 deep",
        block(inside("ping"), varint(100 << 3 | 3) * 1000 + varint(100 << 3 | 4) * 1000),
        "message",
    ),
    binary("not UTF-8", block(inside("authenticate"), block(1, b"\xff")), "message"),
    binary(
        "a surrogate in UTF-8", block(inside("authenticate"), block(1, b"\xed\xa0\x80")), "message"
    ),
    binary("overlong UTF-8", block(inside("authenticate"), block(1, b"\xc0\xaf")), "message"),
    binary(
        "NUL in a string", block(inside("authenticate"), block(1, b"a\0b")), "authenticate.token"
    ),
    binary(
        "NUL in an item",
        block(inside("unsubscribe"), block(1, b"a") + block(1, b"\0")),
        "unsubscribe.entities",
    ),
    binary(
        "NUL in a key",
        block(inside("subscribe"), block(2, block(1, b"\0") + block(2, b""))),
        "subscribe.since",
    ),
    binary(
        "a forbidden key",
        block(inside("subscribe"), block(2, block(1, b"__proto__") + block(2, b""))),
        "subscribe.since",
    ),
    binary("an integer above 2^53 - 1", block(inside("sync"), number(2, 2**53)), "sync.since"),
    binary(
        "an integer below -(2^53 - 1)", block(inside("sync"), number(2, -(2**53))), "sync.since"
    ),
    binary("the smallest int64", block(inside("sync"), number(2, -(2**63))), "sync.since"),
    binary(
        "an optional integer above 2^53 - 1",
        block(inside("hello"), number(5, 2**63 - 1)),
        "hello.confirmed_seq",
    ),
    binary(
        "an integer in an entry of a map",
        block(inside("subscribe"), block(2, block(1, b"a") + block(2, number(2, 2**53)))),
        "version",
    ),
    binary("an enum is absent", block(inside("push"), block(1, b"users")), "push.action"),
    binary("an enum is unspecified", block(inside("push"), number(3, 0)), "push.action"),
    binary("an unknown enum", block(inside("push"), number(3, 99)), "push.action"),
    binary("a negative enum", block(inside("push"), number(3, -1)), "push.action"),
    binary("an optional enum is unspecified", block(inside("error"), number(2, 0)), "error.code"),
    binary("a required message is absent", block(inside("change"), b""), "change.change"),
    binary(
        "a required time is absent",
        block(inside("change"), block(1, number(3, 1))),
        "change.change.created_at",
    ),
    binary(
        "a required time of an item is absent",
        block(inside("push_fields"), block(3, UPDATE) + block(3, number(3, 1))),
        "push_fields.fields[1].timestamp",
    ),
    timestamp("nanoseconds below zero", number(2, -1)),
    timestamp("nanoseconds above 999,999,999", number(2, 1_000_000_000)),
    timestamp("before the year 1", number(1, -62135596801)),
    timestamp("after the year 9999", number(1, 253402300800)),
    timestamp("the largest int64", number(1, 2**63 - 1)),
    timestamp("the smallest int64", number(1, -(2**63))),
    embedded("nothing", b""),
    embedded("white space", b" "),
    embedded("not JSON", b"nope"),
    embedded("two values", b"1 2"),
    embedded("half an object", b'{"a":'),
    embedded("not UTF-8", b'"\xff"'),
    embedded("a byte order mark", b"\xef\xbb\xbf1"),
    embedded("UTF-16", '{"a":1}'.encode("utf-16-le")),
    embedded("NaN", b"NaN"),
    embedded("-Infinity", b"[-Infinity]"),
    embedded("1e400", b"1e400"),
    embedded("NUL", b'"\\u0000"'),
    embedded("half a surrogate pair", b'"\\ud800"'),
    embedded("__proto__", b'{"a":{"__proto__":1}}'),
    embedded("constructor", b'{"constructor":1}'),
    embedded("33 deep", b"[" * 33 + b"]" * 33),
    embedded("2000 deep", b"[" * 2000),
    binary(
        "embedded in an item: not JSON",
        block(inside("push_fields"), block(3, UPDATE) + block(3, UPDATE + block(2, b"{"))),
        "push_fields.fields[1].value",
    ),
    embedded("a key twice", b'{"a":1,"a":2}')._replace(unseen_by_javascript=True),
)

MALFORMED = JSON + PROTO
