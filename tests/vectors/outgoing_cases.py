"""The inputs of `outgoing.json`: what a user gives for a message, and whether it may be sent.

Knows messages as JSON, and the path of what no server takes. Must not know any codec. Both
clients look at it where the user calls; a server refuses the same, at the same place.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["OUTGOING", "Outgoing"]


class Outgoing(NamedTuple):
    """One message of a client."""

    name: str
    data: str
    path: str | None
    """The path of the first field that is wrong. `None`: it may be sent."""


AT = '"2026-11-22T10:00:00Z"'
PUSH = '{"type":"push","entity":%s,"entity_id":%s,"action":"update","data":%s%s}'
FIELDS = '{"type":"push_fields","entity":"t","entity_id":"1","fields":[%s]}'
UPDATE = '{"field":%s,"value":%s,"action":"update","timestamp":' + AT + "}"
DELETE = '{"field":%s,"value":null,"action":"delete","timestamp":' + AT + "}"
FIELD = '{"type":"validate_field","request_id":"r","form":%s,"field":%s,"value":%s,"values":[%s]%s}'
FORM = '{"type":"validate_form","request_id":"r","form":"f","fields":[%s]%s}'
VALUE = '{"field":%s,"value":%s}'
FILE = '{"field":"cv","value":"a.pdf","file":{"name":"a.pdf","size":%s,"type":""}}'

LONG, LONGEST = f'"{"é" * 128}"', f'"{"é" * 127}x"'
EMPTY = '""'
A, ONE = '"a"', '"1"'

_DATA = ["-5", "-0.5", "-9007199254740993", "-1e300", '"-5"', '[-5,{"a":-5}]', "null", "0"]
"""Values below zero, as numbers, as texts and inside: they are the application's own."""

_KEYS = ['"__proto__"', '"constructor"', '"prototype"']


def pushed(name: str, entity: str, path: str | None, id_: str = ONE, more: str = "") -> Outgoing:
    """A whole record."""
    return Outgoing(f"a push: {name}", PUSH % (entity, id_, "{}", more), path)


def fields(name: str, path: str | None, *updates: str) -> Outgoing:
    """Some fields of a record."""
    return Outgoing(f"fields: {name}", FIELDS % ",".join(updates), path)


def asked(
    name: str, path: str | None, form: str = A, field: str = A, value: str = A, more: str = ""
) -> Outgoing:
    """A question about one field."""
    return Outgoing(f"a field: {name}", FIELD % (form, field, value, "", more), path)


def form(name: str, path: str | None, *values: str, more: str = "") -> Outgoing:
    """A question about a whole form."""
    return Outgoing(f"a form: {name}", FORM % (",".join(values), more), path)


def hello(name: str, path: str | None, members: str) -> Outgoing:
    """The first message."""
    return Outgoing(f"hello: {name}", '{"type":"hello",%s}' % members, path)  # noqa: UP031


OUTGOING: list[Outgoing] = [
    *[Outgoing(f"a push of {data}", PUSH % (A, ONE, data, ""), None) for data in _DATA],
    *[fields(f"of {data}", None, UPDATE % (A, data)) for data in _DATA],
    pushed("names of 255 bytes", LONGEST, None, LONGEST),
    pushed("an entity without a name", EMPTY, "push.entity"),
    pushed("a long entity", LONG, "push.entity"),
    pushed("a record without an id", A, "push.entity_id", EMPTY),
    pushed("a long id", A, "push.entity_id", LONG),
    *[pushed(f"an id that is a key of every object: {key}", A, None, key) for key in _KEYS],
    *[pushed(f"an entity that no position can name: {key}", key, "push.entity") for key in _KEYS],
    pushed("based on nothing", A, None, more=',"base_version":0'),
    pushed("based on less", A, "push.base_version", more=',"base_version":-1'),
    fields("without a name", "push_fields.fields[1].field", UPDATE % (A, "1"), DELETE % EMPTY),
    fields("a long name", "push_fields.fields[0].field", UPDATE % (LONG, "1")),
    *[
        fields(f"a key of every object: {key}", "push_fields.fields[0].field", UPDATE % (key, "1"))
        for key in _KEYS
    ],
    fields(
        "a key of every object is deleted",
        "push_fields.fields[1].field",
        UPDATE % (A, "1"),
        DELETE % '"__proto__"',
    ),
    Outgoing(
        "an entity without a name is read",
        '{"type":"subscribe","entities":["a",""]}',
        "subscribe.entities[1]",
    ),
    *[
        Outgoing(
            f"an entity that no position can name is read: {key}",
            f'{{"type":"subscribe","entities":[{key}]}}',
            "subscribe.entities[0]",
        )
        for key in _KEYS
    ],
    asked("a text below zero", None, value='"-5"'),
    asked("an empty text", None, value=EMPTY),
    asked("names like numbers", None, '"-1"', '"-1"', more=',"form_instance":"-1"'),
    asked("of no form", "validate_field.form", EMPTY),
    asked("of a form with a long name", "validate_field.form", LONG),
    asked("without a name", "validate_field.field", field=EMPTY),
    asked("a long name", "validate_field.field", field=LONG),
    asked("of no instance", "validate_field.form_instance", more=',"form_instance":""'),
    form("texts below zero", None, VALUE % (A, '"-5"'), VALUE % ('"-5"', EMPTY)),
    form("controls may be called anything", None, VALUE % (EMPTY, A), VALUE % (LONG, A)),
    *[form(f"a control may be called {key}", None, VALUE % (key, A)) for key in _KEYS],
    form("an empty file", None, FILE % "0"),
    form("a file of less", "validate_form.fields[1].file.size", VALUE % (A, A), FILE % "-1"),
    form("a long instance", "validate_form.form_instance", more=f',"form_instance":{LONG}'),
    hello("names like numbers", None, '"client_id":"-1","token":"-1","secret":"-1"'),
    hello("nobody", "hello.client_id", '"client_id":""'),
    hello("a long id", "hello.client_id", f'"client_id":{LONG}'),
    hello("no secret", "hello.secret", '"client_id":"a","secret":""'),
    hello("a long secret", "hello.secret", f'"client_id":"a","secret":{LONG}'),
    Outgoing("a token like a number", '{"type":"authenticate","token":"-1"}', None),
]
