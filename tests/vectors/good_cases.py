"""The messages of `messages.json`: every case of the envelope, and the odd ones.

Knows JSON texts only. The canonical text is what both languages must write;
`given` is what they must read, where that is another text.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.vectors.raw import block, inside, number, varint

__all__ = ["GOOD", "Good"]


class Good(NamedTuple):
    """One message that both formats carry."""

    name: str
    canonical: str
    given: str = ""
    given_proto: bytes = b""
    """A binary form that must be read, where it is not the canonical one."""


GOOD = (
    Good(
        "hello, empty",
        '{"type":"hello"}',
    ),
    Good(
        "hello, full",
        '{"type":"hello","client_id":"cafe-1","token":"eyJhbGciOi...",'
        '"schema":"0123456789abcdef","epoch":"q8Xf2mVt","confirmed_seq":6}',
    ),
    Good(
        "welcome, empty",
        '{"type":"welcome","session_id":"","epoch":"","last_seq":0,"heartbeat":0,'
        '"limits":{"message_bytes":0,"subscriptions":0,"requests":0},'
        '"server_time":"1970-01-01T00:00:00Z","schema":""}',
    ),
    Good(
        "welcome, full",
        '{"type":"welcome","session_id":"s-5f2c","epoch":"q8Xf2mVt","last_seq":6,'
        '"heartbeat":20000,"limits":{"message_bytes":65536,"subscriptions":128,'
        '"requests":64},"server_time":"2026-11-22T10:00:01Z","schema":"0123456789abcdef"}',
    ),
    Good(
        "authenticate, empty",
        '{"type":"authenticate","token":""}',
    ),
    Good(
        "authenticate, full",
        '{"type":"authenticate","token":"eyJhbGciOi...","request_id":"r1"}',
    ),
    Good(
        "authenticated, empty",
        '{"type":"authenticated"}',
    ),
    Good(
        "authenticated, full",
        '{"type":"authenticated","expires":"2026-11-22T11:00:00Z","request_id":"r1"}',
    ),
    Good(
        "error, empty",
        '{"type":"error","message":"","details":null}',
    ),
    Good(
        "error, full",
        '{"type":"error","message":"no form \'sign-up\': is it registered?",'
        '"code":"unknown_form","request_id":"r1","seq":7,"retryable":true,'
        '"details":{"hint":"signup"}}',
    ),
    Good(
        "ping, empty",
        '{"type":"ping"}',
    ),
    Good(
        "pong, empty",
        '{"type":"pong"}',
    ),
    Good(
        "subscribe, empty",
        '{"type":"subscribe","entities":[]}',
    ),
    Good(
        "subscribe, full",
        '{"type":"subscribe","entities":["users","posts"],'
        '"since":{"users":{"epoch":"q8Xf2mVt","version":43}}}',
    ),
    Good(
        "unsubscribe, empty",
        '{"type":"unsubscribe","entities":[]}',
    ),
    Good(
        "unsubscribe, full",
        '{"type":"unsubscribe","entities":["users","posts"]}',
    ),
    Good(
        "sync, empty",
        '{"type":"sync","entity":"","since":0}',
    ),
    Good(
        "sync, full",
        '{"type":"sync","entity":"users","since":42,"epoch":"q8Xf2mVt","request_id":"r1"}',
    ),
    Good(
        "sync_begin, of one that was too slow",
        '{"type":"sync_begin","entity":"tasks","epoch":"e1","reset":false,"fields":true,"since":41}',
    ),
    Good(
        "sync_begin, of a long load",
        '{"type":"sync_begin","entity":"tasks","epoch":"e1","reset":false,"fields":false,'
        '"head":100000}',
    ),
    Good(
        "sync_begin, empty",
        '{"type":"sync_begin","entity":"","epoch":"","reset":false,"fields":false}',
    ),
    Good(
        "sync_begin, a part of an entity",
        '{"type":"sync_begin","entity":"orders","epoch":"q8Xf2mVt","reset":true,"fields":true,'
        '"where":{"customer":"7"},"scope":"6f1c"}',
    ),
    Good(
        "sync_complete, empty",
        '{"type":"sync_complete","entity":"","version":0,"epoch":"","reset":false}',
    ),
    Good(
        "sync_complete, full",
        '{"type":"sync_complete","entity":"users","version":43,"epoch":"q8Xf2mVt",'
        '"reset":true,"request_id":"r1"}',
    ),
    Good(
        "change, empty",
        '{"type":"change","change":{"entity":"","entity_id":"","action":"create","data":null,'
        '"version":0,"created_at":"1970-01-01T00:00:00Z"}}',
    ),
    Good(
        "change, full",
        '{"type":"change","change":{"entity":"users","entity_id":"1","action":"update",'
        '"data":{"name":"Ada","email":"ada@example.com"},"version":43,"client_id":"cafe-1",'
        '"created_at":"2026-11-22T10:00:01Z"}}',
    ),
    Good(
        "subscribe, parts of entities",
        '{"type":"subscribe","entities":["orders"],"since":{"orders":{"epoch":"q8Xf2mVt",'
        '"version":43,"scope":"6f1c"}},"where":{"orders":{"customer":["7",8],"open":true}}}',
    ),
    Good(
        "subscribe_fields, parts of entities",
        '{"type":"subscribe_fields","entities":["orders"],"where":{"orders":{"customer":"7"}}}',
    ),
    Good(
        "unsubscribe, a part of an entity",
        '{"type":"unsubscribe","entities":["orders"],"where":{"orders":{"customer":"7"}}}',
    ),
    Good(
        "sync, a part of an entity",
        '{"type":"sync","entity":"orders","since":42,"epoch":"q8Xf2mVt","request_id":"r1",'
        '"where":{"customer":"7"},"scope":"6f1c"}',
    ),
    Good(
        "sync_complete, a part of an entity",
        '{"type":"sync_complete","entity":"orders","version":43,"epoch":"q8Xf2mVt",'
        '"reset":false,"where":{"customer":"7"},"scope":"6f1c"}',
    ),
    Good(
        "sync_complete, a part that is null",
        '{"type":"sync_complete","entity":"","version":0,"epoch":"","reset":false}',
        '{"type":"sync_complete","entity":"","version":0,"epoch":"","reset":false,"where":null}',
    ),
    Good(
        "change, a record that left",
        '{"type":"change","change":{"entity":"orders","entity_id":"1","action":"delete",'
        '"data":null,"version":43,"created_at":"2026-11-22T10:00:01Z","left":true}}',
    ),
    Good(
        "field_change, a record that left",
        '{"type":"field_change","change":{"entity":"orders","entity_id":"1","field":"",'
        '"value":null,"action":"delete","version":43,"timestamp":"2026-11-22T10:00:01Z",'
        '"left":true}}',
    ),
    Good(
        "push, empty",
        '{"type":"push","entity":"","entity_id":"","action":"create","data":null}',
    ),
    Good(
        "push, full",
        '{"type":"push","entity":"users","entity_id":"1","action":"update",'
        '"data":{"name":"Ada","email":"ada@example.com"},"request_id":"r1","seq":7,'
        '"base_version":42}',
    ),
    Good(
        "push_ack, empty",
        '{"type":"push_ack","entity":"","entity_id":"","version":0}',
    ),
    Good(
        "push_ack, full",
        '{"type":"push_ack","entity":"users","entity_id":"1","version":43,"request_id":"r1",'
        '"seq":7,"epoch":"q8Xf2mVt","duplicate":true,"server_time":"2026-11-22T10:00:01Z",'
        '"prepared":{"owner":"ada","limit":10}}',
    ),
    Good(
        "push_ack, with a prepared integer beyond 2^53",
        '{"type":"push_ack","entity":"users","entity_id":"1","version":43,'
        '"server_time":"2026-11-22T10:00:01Z","prepared":{"limit":12345678901234567890}}',
    ),
    Good(
        "subscribe_fields, empty",
        '{"type":"subscribe_fields","entities":[]}',
    ),
    Good(
        "subscribe_fields, full",
        '{"type":"subscribe_fields","entities":["users","posts"],'
        '"since":{"users":{"epoch":"q8Xf2mVt","version":43}}}',
    ),
    Good(
        "unsubscribe_fields, empty",
        '{"type":"unsubscribe_fields","entities":[]}',
    ),
    Good(
        "unsubscribe_fields, full",
        '{"type":"unsubscribe_fields","entities":["users","posts"]}',
    ),
    Good(
        "sync_fields, empty",
        '{"type":"sync_fields","entity":"","since":0}',
    ),
    Good(
        "sync_fields, full",
        '{"type":"sync_fields","entity":"users","since":42,"epoch":"q8Xf2mVt","request_id":"r1"}',
    ),
    Good(
        "sync_fields_complete, empty",
        '{"type":"sync_fields_complete","entity":"","version":0,"epoch":"","reset":false}',
    ),
    Good(
        "sync_fields_complete, full",
        '{"type":"sync_fields_complete","entity":"users","version":43,"epoch":"q8Xf2mVt",'
        '"reset":true,"request_id":"r1"}',
    ),
    Good(
        "field_change, empty",
        '{"type":"field_change","change":{"entity":"","entity_id":"","field":"","value":null,'
        '"action":"update","version":0,"timestamp":"1970-01-01T00:00:00Z"}}',
    ),
    Good(
        "field_change, full",
        '{"type":"field_change","change":{"entity":"users","entity_id":"1","field":"email",'
        '"value":"ada@example.com","action":"update","version":43,"client_id":"cafe-1",'
        '"timestamp":"2026-11-22T10:00:01Z","more":true}}',
    ),
    Good(
        "push_fields, empty",
        '{"type":"push_fields","entity":"","entity_id":"","fields":[]}',
    ),
    Good(
        "push_fields, full",
        '{"type":"push_fields","entity":"users","entity_id":"1","fields":[{"field":"email",'
        '"value":"ada@example.com","action":"update","timestamp":"2026-11-22T10:00:01Z"}],'
        '"request_id":"r1","seq":7,"base_version":42}',
    ),
    Good(
        "push_fields, only if unchanged",
        '{"type":"push_fields","entity":"users","entity_id":"1","fields":[],"base_version":42,'
        '"if_unchanged":true}',
    ),
    Good(
        "field_push_ack, empty",
        '{"type":"field_push_ack","entity":"","entity_id":"","applied":0,"conflicts":0}',
    ),
    Good(
        "field_push_ack, full",
        '{"type":"field_push_ack","entity":"users","entity_id":"1","applied":1,"conflicts":1,'
        '"version":43,"request_id":"r1","seq":7,"epoch":"q8Xf2mVt","duplicate":true,'
        '"server_time":"2026-11-22T10:00:01Z","clamped":1,"prepared":{"owner":null}}',
    ),
    Good(
        "field_conflict, empty",
        '{"type":"field_conflict","entity":"","entity_id":"","field":"","server_value":null,'
        '"server_timestamp":"1970-01-01T00:00:00Z","client_value":null,'
        '"client_timestamp":"1970-01-01T00:00:00Z"}',
    ),
    Good(
        "field_conflict, full",
        '{"type":"field_conflict","entity":"users","entity_id":"1","field":"name",'
        '"server_value":"Ada Lovelace","server_timestamp":"2026-11-22T10:00:01Z",'
        '"client_value":"Ada L.","client_timestamp":"2026-11-22T10:00:00Z","version":43,'
        '"winner":"server","strategy":"last_write_wins","seq":7}',
    ),
    Good(
        "field_conflict, a delete that is kept open",
        '{"type":"field_conflict","entity":"users","entity_id":"1","field":"name",'
        '"server_value":null,"server_timestamp":"2026-11-22T10:00:01Z",'
        '"client_value":null,"client_timestamp":"2026-11-22T10:00:00Z","version":43,'
        '"winner":"server","strategy":"last_write_wins","seq":7,"server_deleted":true,'
        '"client_deleted":false,"server_client_id":"cafe-2","conflict":12}',
    ),
    Good(
        "validate_field, empty",
        '{"type":"validate_field","request_id":"","form":"","field":"","value":""}',
    ),
    Good(
        "validate_field, full",
        '{"type":"validate_field","request_id":"r1","form":"signup","field":"email",'
        '"value":"ada@example.com","form_instance":"signup-2","values":[{"field":"age",'
        '"value":"36"}]}',
    ),
    Good(
        "validate_field, several values and files",
        '{"type":"validate_field","request_id":"r1","form":"article","field":"tags",'
        '"value":"red","values":[{"field":"tags","value":"red"},{"field":"tags","value":"blue"},'
        '{"field":"cv","value":"a.pdf","file":{"name":"a.pdf","size":48100,'
        '"type":"application/pdf"}},{"field":"cv","value":"","file":{"name":"","size":0,'
        '"type":""}}]}',
    ),
    Good(
        "validate_field, live",
        '{"type":"validate_field","request_id":"r1","form":"signup","field":"name","value":"ada",'
        '"live":true}',
    ),
    Good(
        "close_form",
        '{"type":"close_form","form":"signup"}',
    ),
    Good(
        "close_form, full",
        '{"type":"close_form","form":"signup","form_instance":"signup-2"}',
    ),
    Good(
        "validation_result, unasked",
        '{"type":"validation_result","request_id":"","form":"signup","field":"name",'
        '"valid":false,"error":"is taken","metadata":null,"live":true,"form_instance":"signup-2"}',
    ),
    Good(
        "validation_result, empty",
        '{"type":"validation_result","request_id":"","form":"","field":"","valid":false,'
        '"metadata":null}',
    ),
    Good(
        "validation_result, full",
        '{"type":"validation_result","request_id":"r1","form":"signup","field":"email",'
        '"valid":false,"error":"already registered","metadata":{"hint":"sign in instead?"}}',
    ),
    Good(
        "validate_form, empty",
        '{"type":"validate_form","request_id":"","form":"","fields":[]}',
    ),
    Good(
        "validate_form, full",
        '{"type":"validate_form","request_id":"r1","form":"signup","fields":[{"field":"age",'
        '"value":"36"}],"form_instance":"signup-2"}',
    ),
    Good(
        "validate_form, several values and files",
        '{"type":"validate_form","request_id":"r1","form":"article","fields":[{"field":"cv",'
        '"value":"ä.pdf","file":{"name":"ä.pdf","size":9007199254740991,"type":""}},'
        '{"field":"tags","value":""},{"field":"tags","value":"blue"}]}',
    ),
    Good(
        "validate_form, with a receipt",
        '{"type":"validate_form","request_id":"r1","form":"signup","fields":[],'
        '"with_receipt":true,"live":true}',
    ),
    Good(
        "form_validation_result, empty",
        '{"type":"form_validation_result","request_id":"","form":"","valid":false,"errors":[]}',
    ),
    Good(
        "form_validation_result, full",
        '{"type":"form_validation_result","request_id":"r1","form":"signup","valid":false,'
        '"errors":[{"field":"email","error":"already registered"}]}',
    ),
    Good(
        "form_validation_result, with a receipt",
        '{"type":"form_validation_result","request_id":"r1","form":"signup","valid":true,'
        '"errors":[],"receipt":"AQAGOfbPBYAA","live":true}',
    ),
    Good(
        "history, empty",
        '{"type":"history","entity":"","entity_id":""}',
    ),
    Good(
        "history, full",
        '{"type":"history","entity":"users","entity_id":"1","before":44,'
        '"until":"2026-11-22T10:00:01Z","limit":2,"request_id":"r1"}',
    ),
    Good(
        "history_result, empty",
        '{"type":"history_result","commits":[],"complete":false}',
    ),
    Good(
        "history_result, full",
        '{"type":"history_result","commits":[{"change":{"entity":"users","entity_id":"1",'
        '"action":"update","data":{"name":"Ada"},"version":43,"client_id":"cafe-1",'
        '"created_at":"2026-11-22T10:00:01Z"},"changed":["email","name"],"subject":"ada"},'
        '{"change":{"entity":"users","entity_id":"1","action":"delete","data":null,"version":40,'
        '"created_at":"2026-11-22T10:00:00Z"},"changed":[]}],"before":40,"complete":true,'
        '"request_id":"r1"}',
    ),
    Good(
        "blame, empty",
        '{"type":"blame","entity":"","entity_id":""}',
    ),
    Good(
        "blame, full",
        '{"type":"blame","entity":"users","entity_id":"1","request_id":"r1"}',
    ),
    Good(
        "blame_result, empty",
        '{"type":"blame_result","fields":[]}',
    ),
    Good(
        "blame_result, full",
        '{"type":"blame_result","fields":[{"field":"email","version":43,'
        '"timestamp":"2026-11-22T10:00:01Z","client_id":"cafe-1","subject":"ada"},'
        '{"field":"name","version":1,"timestamp":"2026-11-22T10:00:00.500000Z"}],"request_id":"r1"}',
    ),
    Good(
        "room_join, empty",
        '{"type":"room_join","entity":"","entity_id":""}',
    ),
    Good(
        "room_join, full",
        '{"type":"room_join","entity":"orders","entity_id":"7","state":{"name":"Ada"},'
        '"watch":false,"request_id":"r1"}',
    ),
    Good(
        "room_joined, empty",
        '{"type":"room_joined","entity":"","entity_id":""}',
    ),
    Good(
        "room_joined, full",
        '{"type":"room_joined","entity":"orders","entity_id":"7","member":"j5aoc71iXFP_xIFY",'
        '"request_id":"r1"}',
    ),
    Good(
        "room_leave, empty",
        '{"type":"room_leave","entity":"","entity_id":""}',
    ),
    Good(
        "room_leave, full",
        '{"type":"room_leave","entity":"orders","entity_id":"7"}',
    ),
    Good(
        "room_members, empty",
        '{"type":"room_members","entity":"","entity_id":""}',
    ),
    Good(
        "room_members, full",
        '{"type":"room_members","entity":"orders","entity_id":"7","members":[{"id":"m1",'
        '"subject":"ada","state":{"name":"Ada"}},{"id":"m2"}],"gone":["m3"],"reset":true,'
        '"more":true,"missed":2}',
    ),
    Good(
        "room_message, empty",
        '{"type":"room_message","entity":"","entity_id":""}',
    ),
    Good(
        "room_message, full",
        '{"type":"room_message","entity":"orders","entity_id":"7","data":{"typing":true},'
        '"member":"m1"}',
    ),
    Good(
        "room_closed, empty",
        '{"type":"room_closed","entity":"","entity_id":"","message":""}',
    ),
    Good(
        "room_closed, full",
        '{"type":"room_closed","entity":"orders","entity_id":"7",'
        '"message":"there is no such record","code":"not_found"}',
    ),
    # Every kind of embedded value.
    Good(
        "data is a number",
        '{"type":"push","entity":"n","entity_id":"1","action":"update","data":0.5}',
    ),
    Good(
        "data is a string",
        '{"type":"push","entity":"n","entity_id":"1","action":"update","data":"text"}',
    ),
    Good(
        "data is false",
        '{"type":"push","entity":"n","entity_id":"1","action":"update","data":false}',
    ),
    Good(
        "data is an empty list",
        '{"type":"push","entity":"n","entity_id":"1","action":"update","data":[]}',
    ),
    Good(
        "data is an empty object",
        '{"type":"push","entity":"n","entity_id":"1","action":"update","data":{}}',
    ),
    Good(
        "data nests 32 deep",
        '{"type":"push","entity":"n","entity_id":"1","action":"update","data":'
        + "[" * 32
        + "]" * 32
        + "}",
    ),
    Good(
        "data has more than 32 objects side by side",
        '{"type":"push","entity":"n","entity_id":"1","action":"update","data":['
        + ",".join(['{"a":[1]}'] * 40)
        + "]}",
    ),
    Good(
        "data has the same key in different objects",
        '{"type":"push","entity":"n","entity_id":"1","action":"update",'
        '"data":{"a":{"b":1},"c":{"b":2},"b":3}}',
    ),
    Good(
        "data has integers beyond a double",
        '{"type":"push","entity":"n","entity_id":"1","action":"update",'
        '"data":[9007199254740993,18446744073709551617,-123456789012345678901234567890]}',
    ),
    Good(
        "data has integers around what a double holds",
        '{"type":"push","entity":"n","entity_id":"1","action":"update",'
        '"data":{"a":9007199254740991,"b":9007199254740992,"c":-9007199254740993,'
        '"d":["9007199254740993","\\\\u0000123",{"9007199254740993":9007199254740994}]}}',
    ),
    Good(
        "data has the longest integer that a double may stand for",
        '{"type":"push","entity":"n","entity_id":"1","action":"update","data":' + "9" * 308 + "}",
    ),
    Good(
        "data has forbidden words as values",
        '{"type":"push","entity":"n","entity_id":"1","action":"update",'
        '"data":{"a":"__proto__","b":"constructor","c":"prototype"}}',
    ),
    Good(
        "strings from all over Unicode",
        '{"type":"push","entity":"Größe","entity_id":"日本","action":"update",'
        '"data":{"😀":"\u2028 é ß ﷽"}}',
    ),
    Good(
        "strings with escapes that stay escapes",
        r'{"type":"push","entity":"a\"b\\c\nd\te","entity_id":"\u0001","action":"update",'
        r'"data":"\"\\\n\t\u0001"}',
    ),
    Good(
        "two positions",
        '{"type":"subscribe","entities":["a","b"],'
        '"since":{"a":{"epoch":"e","version":1},"b":{"epoch":"e","version":2}}}',
    ),
    Good(
        "two fields, one of them deleted",
        '{"type":"push_fields","entity":"users","entity_id":"1","fields":['
        '{"field":"name","value":"Ada","action":"update","timestamp":"2026-11-22T10:00:00Z"},'
        '{"field":"age","value":null,"action":"delete","timestamp":"2026-11-22T10:00:00.000001Z"}'
        "]}",
    ),
    Good("largest integer", '{"type":"sync","entity":"users","since":9007199254740991}'),
    Good("smallest integer", '{"type":"sync","entity":"users","since":-9007199254740991}'),
    Good(
        "optional fields with zero values",
        '{"type":"hello","client_id":"","token":"","schema":"","epoch":"","confirmed_seq":0}',
    ),
    # Texts that are read, but written otherwise.
    Good(
        "type comes last, fields in another order, white space",
        '{"type":"sync","entity":"users","since":42}',
        ' {\n\t"since" : 42, "entity":"users" ,"type":"sync"}\r\n',
    ),
    Good(
        "unknown fields are dropped",
        '{"type":"validate_form","request_id":"r1","form":"f","fields":[{"field":"a","value":"1"}]}',
        '{"type":"validate_form","request_id":"r1","form":"f","later":{"x":[1]},'
        '"fields":[{"field":"a","value":"1","also":null}]}',
    ),
    Good(
        "null is absent",
        '{"type":"push","entity":"n","entity_id":"1","action":"delete","data":null}',
        '{"type":"push","entity":"n","entity_id":"1","action":"delete","data":null,'
        '"request_id":null,"seq":null,"base_version":null}',
    ),
    Good(
        "absent data is null",
        '{"type":"push","entity":"n","entity_id":"1","action":"delete","data":null}',
        '{"type":"push","entity":"n","entity_id":"1","action":"delete"}',
    ),
    Good(
        "null for a map that may be left out",
        '{"type":"subscribe","entities":["a"]}',
        '{"type":"subscribe","entities":["a"],"since":null}',
    ),
    Good(
        "an empty map that may be left out",
        '{"type":"subscribe","entities":["a"]}',
        '{"type":"subscribe","entities":["a"],"since":{}}',
    ),
    Good(
        "integer with a fraction of zero",
        '{"type":"sync","entity":"users","since":42}',
        '{"type":"sync","entity":"users","since":42.0}',
    ),
    Good(
        "integer with an exponent",
        '{"type":"sync","entity":"users","since":1000}',
        '{"type":"sync","entity":"users","since":1e3}',
    ),
    Good(
        "integer minus zero",
        '{"type":"sync","entity":"users","since":0}',
        '{"type":"sync","entity":"users","since":-0}',
    ),
    Good(
        "escapes that need not be",
        '{"type":"unsubscribe","entities":["users/1"]}',
        r'{"t\u0079pe":"uns\u0075bscribe","entities":["users\/1"]}',
    ),
    Good(
        "an escaped surrogate pair",
        '{"type":"unsubscribe","entities":["😀"]}',
        r'{"type":"unsubscribe","entities":["\ud83d\ude00"]}',
    ),
    Good(
        "time with an offset",
        '{"type":"authenticated","expires":"2026-11-22T10:00:00Z"}',
        '{"type":"authenticated","expires":"2026-11-22T12:00:00+02:00"}',
    ),
    Good(
        "time with an offset of minus zero",
        '{"type":"authenticated","expires":"2026-11-22T10:00:00Z"}',
        '{"type":"authenticated","expires":"2026-11-22T10:00:00-00:00"}',
    ),
    Good(
        "time in nanoseconds before midnight",
        '{"type":"authenticated","expires":"2026-02-28T23:59:59.999999Z"}',
        '{"type":"authenticated","expires":"2026-02-28T23:59:59.999999999Z"}',
    ),
    Good(
        "time with a negative offset over midnight",
        '{"type":"authenticated","expires":"2026-11-23T05:30:00Z"}',
        '{"type":"authenticated","expires":"2026-11-22T22:00:00-07:30"}',
    ),
    Good(
        "time in nanoseconds is cut to microseconds",
        '{"type":"authenticated","expires":"2026-11-22T10:00:00.123456Z"}',
        '{"type":"authenticated","expires":"2026-11-22T10:00:00.123456789Z"}',
    ),
    Good(
        "time in milliseconds is written with six digits",
        '{"type":"authenticated","expires":"2026-11-22T10:00:00.500000Z"}',
        '{"type":"authenticated","expires":"2026-11-22T10:00:00.500000Z"}',
    ),
    Good(
        "time with a fraction of zero",
        '{"type":"authenticated","expires":"2026-11-22T10:00:00Z"}',
        '{"type":"authenticated","expires":"2026-11-22T10:00:00.000Z"}',
    ),
    Good("time before 1970", '{"type":"authenticated","expires":"1969-12-31T23:59:59.500000Z"}'),
    Good("first time", '{"type":"authenticated","expires":"0001-01-01T00:00:00Z"}'),
    Good("last time", '{"type":"authenticated","expires":"9999-12-31T23:59:59.999999Z"}'),
    Good("leap day", '{"type":"authenticated","expires":"2028-02-29T00:00:00Z"}'),
    # Binary forms that are read, but written otherwise.
    Good(
        "unknown binary fields are dropped",
        '{"type":"sync","entity":"users","since":42}',
        given_proto=block(
            inside("sync"),
            block(1, b"users") + number(2, 42) + number(900, 1) + block(901, b"\xff"),
        )
        + block(1000, b"later"),
    ),
    Good(
        "an unknown group is dropped",
        '{"type":"ping"}',
        given_proto=block(
            inside("ping"), varint(100 << 3 | 3) + number(1, 1) + varint(100 << 3 | 4)
        ),
    ),
    Good(
        "the last of two cases counts",
        '{"type":"pong"}',
        given_proto=block(inside("ping"), b"") + block(inside("pong"), b""),
    ),
    Good(
        "fields in another order, the last of two values counts",
        '{"type":"sync","entity":"users","since":42}',
        given_proto=block(inside("sync"), number(2, 1) + block(1, b"users") + number(2, 42)),
    ),
    Good(
        "zero values that are written out",
        '{"type":"sync","entity":"","since":0}',
        given_proto=block(inside("sync"), block(1, b"") + number(2, 0)),
    ),
    Good(
        "a varint with padding",
        '{"type":"sync","entity":"","since":1}',
        given_proto=block(inside("sync"), b"\x10\x81\x80\x00"),
    ),
    Good(
        "embedded null",
        '{"type":"push","entity":"n","entity_id":"1","action":"delete","data":null}',
        given_proto=block(
            inside("push"),
            block(1, b"n") + block(2, b"1") + number(3, 3) + block(4, b" null\n"),
        ),
    ),
    Good(
        "binary time in nanoseconds is cut to microseconds",
        '{"type":"authenticated","expires":"1969-12-31T23:59:59.999999Z"}',
        given_proto=block(
            inside("authenticated"), block(1, number(1, -1) + number(2, 999_999_999))
        ),
    ),
    Good(
        "a position without content",
        '{"type":"subscribe","entities":[],"since":{"":{"epoch":"","version":0}}}',
        given_proto=block(inside("subscribe"), block(2, b"")),
    ),
    Good(
        "transaction, empty",
        '{"type":"transaction","writes":[]}',
    ),
    Good(
        "transaction, full",
        '{"type":"transaction","writes":[{"entity":"orders","entity_id":"1","action":"update",'
        '"data":{"total":10},"base_version":42},{"entity":"stock","entity_id":"7","fields":['
        '{"field":"count","value":-1,"action":"increment","timestamp":"2026-11-22T10:00:01Z"}]}],'
        '"request_id":"r1","seq":7}',
    ),
    Good(
        "transaction, only if unchanged",
        '{"type":"transaction","writes":[{"entity":"stock","entity_id":"7","fields":['
        '{"field":"count","value":1,"action":"update","timestamp":"2026-11-22T10:00:01Z"}],'
        '"base_version":3,"if_unchanged":true}]}',
    ),
    Good(
        "transaction_ack, empty",
        '{"type":"transaction_ack","transaction":"","results":[]}',
    ),
    Good(
        "transaction_ack, full",
        '{"type":"transaction_ack","transaction":"5c1d","results":[{"entity":"orders",'
        '"entity_id":"1","version":43,"applied":0,"conflicts":0,"prepared":{"owner":"ada"}},'
        '{"entity":"stock",'
        '"entity_id":"7","version":12,"applied":1,"conflicts":1,"clamped":1}],'
        '"request_id":"r1","seq":7,"epoch":"q8Xf2mVt","duplicate":true,'
        '"server_time":"2026-11-22T10:00:01Z"}',
    ),
    Good(
        "transaction_complete, full",
        '{"type":"transaction_complete","transaction":"5c1d"}',
    ),
    Good(
        "transaction_complete, with a longer name",
        '{"type":"transaction_complete","transaction":"5c1d0f3b7a9e42d680cc1b57"}',
    ),
    Good(
        "change, in a transaction",
        '{"type":"change","change":{"entity":"orders","entity_id":"1","action":"create",'
        '"data":1,"version":43,"created_at":"2026-11-22T10:00:01Z","transaction":"5c1d"}}',
    ),
    Good(
        "push_fields, operations",
        '{"type":"push_fields","entity":"tasks","entity_id":"1","fields":['
        '{"field":"labels","value":["a"],"action":"add","timestamp":"2026-11-22T10:00:01Z"},'
        '{"field":"notes","value":["a"],"action":"delete_key",'
        '"timestamp":"2026-11-22T10:00:01Z"}],"seq":7}',
    ),
    Good(
        "hello, of a schema of the application",
        '{"type":"hello","client_id":"cafe-1",'
        '"app_schema":{"version":2,"hash":"3cbd0e9b621b9574","oldest":1}}',
    ),
    Good(
        "welcome, of a schema of the application",
        '{"type":"welcome","session_id":"s-5f2c","epoch":"q8Xf2mVt","last_seq":6,'
        '"heartbeat":20000,"limits":{"message_bytes":65536,"subscriptions":128,'
        '"requests":64},"server_time":"2026-11-22T10:00:01Z","schema":"0123456789abcdef",'
        '"app_schema":{"version":3,"hash":"9f31c0de55aa0217","oldest":0}}',
    ),
    Good(
        "welcome, of one of several servers",
        '{"type":"welcome","session_id":"s-5f2c","epoch":"q8Xf2mVt","last_seq":6,'
        '"heartbeat":20000,"limits":{"message_bytes":65536,"subscriptions":128,'
        '"requests":64},"server_time":"2026-11-22T10:00:01Z","schema":"0123456789abcdef",'
        '"node":"b"}',
    ),
    Good(
        "push, under a schema of the application",
        '{"type":"push","entity":"tasks","entity_id":"1","action":"update",'
        '"data":{"title":"Write"},"seq":7,"schema_version":2}',
    ),
    Good(
        "push_fields, under a schema of the application",
        '{"type":"push_fields","entity":"tasks","entity_id":"1","fields":[{"field":"title",'
        '"value":"Write","action":"update","timestamp":"2026-11-22T10:00:01Z"}],'
        '"seq":7,"schema_version":9007199254740991}',
    ),
    Good(
        "transaction, under a schema of the application",
        '{"type":"transaction","writes":[{"entity":"tasks","entity_id":"1","action":"delete"}],'
        '"seq":7,"schema_version":1}',
    ),
    Good(
        "hello, in a trace",
        '{"type":"hello","client_id":"c1",'
        '"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}',
    ),
    Good(
        "push, in a trace",
        '{"type":"push","entity":"tasks","entity_id":"1","action":"update",'
        '"data":{"title":"Write"},"seq":7,'
        '"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}',
    ),
    Good(
        "push_fields, in a trace",
        '{"type":"push_fields","entity":"tasks","entity_id":"1","fields":[{"field":"title",'
        '"value":"Write","action":"update","timestamp":"2026-11-22T10:00:01Z"}],'
        '"seq":7,"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}',
    ),
    Good(
        "transaction, in a trace",
        '{"type":"transaction","writes":[{"entity":"tasks","entity_id":"1","action":"delete"}],'
        '"seq":7,"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}',
    ),
    Good(
        "error, an upgrade is required",
        '{"type":"error","message":"this was written under version 1",'
        '"code":"upgrade_required","request_id":"r1","seq":7,"details":null}',
    ),
)
