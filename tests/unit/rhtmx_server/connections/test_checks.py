"""Checks: lengths and ranges, refused with the field and what was expected there."""

from __future__ import annotations

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    Authenticate,
    ChangeAction,
    FormFieldValue,
    FormFile,
    Hello,
    Ping,
    Pong,
    Position,
    Push,
    PushFields,
    SchemaVersion,
    Subscribe,
    SubscribeFields,
    Sync,
    SyncFields,
    Transaction,
    TransactionWrite,
    Unsubscribe,
    UnsubscribeFields,
    ValidateField,
    ValidateForm,
)
from rhtmx.messages.tables import CLIENT_MESSAGES, NAMES
from rhtmx.wire import Message
from rhtmx.wire.limits import MAX_ITEMS, MAX_NAME, MAX_TOKEN
from rhtmx_server.connections.checks import _RULES, check, check_name
from tests.unit.rhtmx_server.fakes import push, push_fields, update

LONGEST = "x" * MAX_NAME
TOO_LONG = "x" * (MAX_NAME + 1)
POSITION = Position(epoch="e", version=0)
BELOW = Position(epoch="e", version=-1)

GOOD: list[Message] = [
    Hello(),
    Hello(client_id=LONGEST, token="", confirmed_seq=0, secret=LONGEST),
    Authenticate(token="t" * MAX_TOKEN),
    Ping(),
    Pong(),
    Subscribe(entities=[]),
    Subscribe(entities=["tasks"], since={"tasks": POSITION}),
    SubscribeFields(entities=["tasks", "tasks"]),
    Unsubscribe(entities=["never subscribed"]),
    UnsubscribeFields(entities=["é" * 127]),
    Sync(entity="tasks", since=0),
    SyncFields(entity="tasks", since=2**53 - 1),
    push(LONGEST),
    push(seq=1, base_version=0, request_id="r", schema_version=1),
    Hello(app_schema=SchemaVersion(1)),
    push_fields(update(LONGEST, b"1")),
    push_fields(),
    ValidateField(request_id="", form="f", field="x"),
    ValidateForm(request_id="", form="f"),
    ValidateForm(form="f", fields=[FormFieldValue()] * MAX_ITEMS),
    ValidateForm(form="f", fields=[FormFieldValue("x", "a", FormFile("a", 0))] * 2),
]

MANY = MAX_ITEMS + 1
TOO_MANY = f"at most {MAX_ITEMS} items expected, got {MANY}"

BAD: list[tuple[Message, str]] = [
    # The program's own writes, in the process: what comes by a door was read before.
    (push("a\0"), "push.entity_id: it holds a NUL character (U+0000), which is not allowed"),
    (push("a\ud800"), "push.entity_id: it holds half of a surrogate pair: no valid Unicode"),
    (Subscribe(entities=["e"] * MANY), f"subscribe.entities: {TOO_MANY}"),
    (Unsubscribe(entities=["e"] * MANY), f"unsubscribe.entities: {TOO_MANY}"),
    (push_fields(*[update("a", b"1")] * MANY), f"push_fields.fields: {TOO_MANY}"),
    (
        ValidateField(form="f", field="x", values=[FormFieldValue()] * MANY),
        f"validate_field.values: {TOO_MANY}",
    ),
    (ValidateForm(form="f", fields=[FormFieldValue()] * MANY), f"validate_form.fields: {TOO_MANY}"),
    (
        ValidateField(form="f", field="x", values=[FormFieldValue("x", "a", FormFile("a", -1))]),
        "validate_field.values[0].file.size: a number from 0 on expected, got -1",
    ),
    (
        ValidateForm(form="f", fields=[FormFieldValue(), FormFieldValue(file=FormFile(size=-1))]),
        "validate_form.fields[1].file.size: a number from 0 on expected, got -1",
    ),
    (Hello(client_id=""), "hello.client_id: 1 to 255 bytes expected, got 0"),
    (Hello(client_id=TOO_LONG), "hello.client_id: 1 to 255 bytes expected, got 256"),
    (Hello(secret=""), "hello.secret: 1 to 255 bytes expected, got 0"),
    (Hello(secret=TOO_LONG), "hello.secret: 1 to 255 bytes expected, got 256"),
    (Hello(token="t" * (MAX_TOKEN + 1)), "hello.token: 0 to 4096 bytes expected, got 4097"),
    (Hello(confirmed_seq=-1), "hello.confirmed_seq: a number from 0 on expected, got -1"),
    (Authenticate(token="t" * 5000), "authenticate.token: 0 to 4096 bytes expected, got 5000"),
    (Subscribe(entities=["a", ""]), "subscribe.entities[1]: 1 to 255 bytes expected, got 0"),
    (
        Subscribe(entities=["a"], since={"b": POSITION}),
        "subscribe.since: 'b' is not among the entities of this message",
    ),
    (
        SubscribeFields(entities=["a"], since={"a": BELOW}),
        "subscribe_fields.since['a'].version: a number from 0 on expected, got -1",
    ),
    (Unsubscribe(entities=[TOO_LONG]), "unsubscribe.entities[0]: 1 to 255 bytes expected, got 256"),
    (UnsubscribeFields(entities=[""]), "unsubscribe_fields.entities[0]: 1 to 255 bytes expected"),
    (Sync(entity=""), "sync.entity: 1 to 255 bytes expected, got 0"),
    (Sync(entity="a", since=-1), "sync.since: a number from 0 on expected, got -1"),
    (SyncFields(entity="a", since=-5), "sync_fields.since: a number from 0 on expected, got -5"),
    (push(""), "push.entity_id: 1 to 255 bytes expected, got 0"),
    (push(TOO_LONG), "push.entity_id: 1 to 255 bytes expected, got 256"),
    (push(entity="é" * 128), "push.entity: 1 to 255 bytes expected, got 256"),
    (push(entity="😀" * 64), "push.entity: 1 to 255 bytes expected, got 256"),
    (push(seq=0), "push.seq: a number from 1 on expected, got 0"),
    (push(base_version=-1), "push.base_version: a number from 0 on expected, got -1"),
    (push(schema_version=0), "push.schema_version: a number from 1 on expected, got 0"),
    (push_fields(schema_version=-2), "push_fields.schema_version: a number from 1 on expected"),
    (
        Transaction([TransactionWrite("a", "1", ChangeAction.DELETE)], schema_version=0),
        "transaction.schema_version: a number from 1 on expected, got 0",
    ),
    (
        Hello(app_schema=SchemaVersion(0)),
        "hello.app_schema.version: a number from 1 on expected, got 0",
    ),
    (push(request_id=""), "push.request_id: 1 to 255 bytes expected, got 0"),
    (push_fields(update("", b"1")), "push_fields.fields[0].field: 1 to 255 bytes expected, got 0"),
    (push_fields(entity_id=""), "push_fields.entity_id: 1 to 255 bytes expected, got 0"),
    (
        Transaction([TransactionWrite("a", "1", ChangeAction.DELETE, if_unchanged=True)]),
        "transaction.writes[0].if_unchanged: it is for fields",
    ),
    (ValidateField(form="", field="x"), "validate_field.form: 1 to 255 bytes expected, got 0"),
    (ValidateField(form="f", field=""), "validate_field.field: 1 to 255 bytes expected, got 0"),
    (
        ValidateField(form="f", field="x", form_instance=""),
        "validate_field.form_instance: 1 to 255 bytes expected, got 0",
    ),
    (ValidateForm(form=TOO_LONG), "validate_form.form: 1 to 255 bytes expected, got 256"),
]


def test_a_name_has_the_same_length_wherever_it_comes_from() -> None:
    for good in ("a", "é" * 127, "x" * 255):
        assert check_name("?client_id=", good) == good
    for wrong, size in (("", 0), ("x" * 256, 256), ("é" * 128, 256)):
        with pytest.raises(RhtmxError) as caught:
            check_name("?client_id=", wrong)
        assert caught.value.message == f"?client_id=: 1 to 255 bytes expected, got {size}"


@pytest.mark.parametrize("message", GOOD, ids=lambda message: NAMES[type(message)])
def test_what_is_possible_passes(message: Message) -> None:
    check(message)


@pytest.mark.parametrize(("message", "words"), BAD, ids=lambda each: str(each)[:60])
def test_what_is_not_is_refused_with_the_place_and_what_was_expected(
    message: Message, words: str
) -> None:
    with pytest.raises(RhtmxError) as caught:
        check(message)
    assert caught.value.code is ErrorCode.BAD_MESSAGE
    assert caught.value.message.startswith(words)


def test_the_entities_are_not_looked_through_for_each_position() -> None:
    """Thousands of both in one message would be millions of comparisons."""

    class Entities(list[str]):
        def __contains__(self, entity: object) -> bool:
            raise AssertionError("looked through")

    entities = Entities(f"e{n}" for n in range(MAX_ITEMS))
    check(Subscribe(entities=entities, since=dict.fromkeys(entities, POSITION)))


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (Sync(entity=""), "sync.entity: 1 to 255 bytes expected, got 0"),
        (Sync(entity="__proto__"), "sync.entity: "),
        (Sync(entity="é" * 128), "sync.entity: 1 to 255 bytes expected, got 256"),
        (Sync(entity="a", since=-1), "sync.since: "),
        (Sync(entity="a", request_id="x" * 256), "sync.request_id: 0 to 255 bytes expected"),
        (Push("a", ""), "push.entity_id: 1 to 255 bytes expected, got 0"),
        (Push("a", "1", seq=-1), "push.seq: "),
        (Subscribe(["a"] * (MAX_ITEMS + 1)), "subscribe.entities: "),
        (Subscribe(["a", ""]), "subscribe.entities[1]: 1 to 255 bytes expected, got 0"),
        (Hello(client_id=""), "hello.client_id: 1 to 255 bytes expected, got 0"),
    ],
    ids=lambda each: str(each)[:60],
)
def test_a_message_without_a_rule_of_its_own_is_checked_by_the_names_of_its_fields(
    monkeypatch: pytest.MonkeyPatch, message: Message, words: str
) -> None:
    monkeypatch.delitem(_RULES, type(message))
    test_what_is_not_is_refused_with_the_place_and_what_was_expected(message, words)


@pytest.mark.parametrize(
    "message", [Sync(entity="a"), Sync(entity="a", request_id=""), Ping()], ids=str
)
def test_what_is_possible_passes_without_a_rule_of_its_own(
    monkeypatch: pytest.MonkeyPatch, message: Message
) -> None:
    monkeypatch.delitem(_RULES, type(message), raising=False)
    check(message)


def test_an_entity_in_an_error_is_cut_short() -> None:
    with pytest.raises(RhtmxError) as caught:
        check(Subscribe(entities=["a"], since={"b" * 200: POSITION}))
    assert len(caught.value.message) < 120


def test_the_messages_of_the_server_are_not_checked() -> None:
    assert Push in _RULES
    assert PushFields in _RULES
    assert not set(_RULES) - set(CLIENT_MESSAGES)
