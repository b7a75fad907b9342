"""Facts about `rhtmx.wire.check_outgoing`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    ChangeAction,
    FieldAction,
    FieldUpdate,
    FormFieldValue,
    FormFile,
    Hello,
    Position,
    Push,
    PushFields,
    Subscribe,
    ValidateForm,
)
from rhtmx.messages.tables import CLIENT_MESSAGES, SHAPES
from rhtmx.wire import Format, decode, encode
from rhtmx.wire.check_outgoing import checked
from rhtmx.wire.limits import MAX_INTEGER, MAX_ITEMS

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EAST, WEST = timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))
RANGE = f"an integer from 0 to {MAX_INTEGER} expected, got "


def push(**members: Any) -> Push:
    return Push(**{"entity": "e", "entity_id": "1", "action": ChangeAction.UPDATE, **members})


def at(time: Any) -> PushFields:
    return PushFields("e", "1", [FieldUpdate("a", b"1", FieldAction.UPDATE, time)])


def refusal(message: object) -> str:
    with pytest.raises(RhtmxError) as caught:
        checked(message)
    assert caught.value.code is ErrorCode.BAD_MESSAGE
    return caught.value.message


@pytest.mark.parametrize("number", [0, 1, MAX_INTEGER])
def test_an_integer_that_every_reader_holds_is_passed(number: int) -> None:
    message = push(base_version=number)
    assert checked(message) is message


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (MAX_INTEGER + 1, "9007199254740992"),
        (2**63, "9223372036854775808"),
        (2**70, "1180591620717411303424"),
        (-1, "-1"),
        (1.0, "1.0"),
        (True, "true"),
        ("5", "'5'"),
    ],
)
def test_another_integer_is_refused_with_its_path(number: Any, shown: str) -> None:
    file = FormFile("cv.pdf", number)
    form = ValidateForm("r", "f", [FormFieldValue("a", "x"), FormFieldValue("cv", "", file)])
    for message, path in [
        (push(base_version=number), "push.base_version"),
        (push(seq=number), "push.seq"),
        (Hello(confirmed_seq=number), "hello.confirmed_seq"),
        (Subscribe(["e"], {"e": Position("x", number)}), "subscribe.since['e'].version"),
        (form, "validate_form.fields[1].file.size"),
    ]:
        assert refusal(message) == f"{path}: {RANGE}{shown}"


@pytest.mark.parametrize(
    "time",
    [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 1, 1, tzinfo=EAST),
    ],
)
def test_a_time_of_the_years_1_to_9999_is_passed(time: datetime) -> None:
    assert checked(at(time)).fields[0].timestamp == time


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (datetime(1, 1, 1, tzinfo=EAST), "time out of range"),
        (datetime(9999, 12, 31, 23, tzinfo=WEST), "time out of range"),
        (datetime(2026, 1, 1), "a time without a zone: give it one, as in datetime.now(UTC)"),
        ("2026-01-01T00:00:00Z", "a datetime with a zone expected, got '2026-01-01T00:00:00Z'"),
        (None, "a datetime with a zone expected, got null"),
    ],
)
def test_another_time_is_refused_with_its_path(time: Any, words: str) -> None:
    assert refusal(at(time)) == f"push_fields.fields[0].timestamp: {words}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a\0b", "a string holds a NUL character"),
        ("\ud800", "a string holds half of a surrogate pair"),
        (None, "a text expected, got null"),
        (5, "a text expected, got 5"),
        (b"x", "a text expected, got an object"),
    ],
)
def test_a_text_that_no_server_reads_is_refused_with_its_path(text: Any, words: str) -> None:
    assert refusal(push(entity=text)).startswith(f"push.entity: {words}")
    assert refusal(Subscribe(["e", text])).startswith(f"subscribe.entities[1]: {words}")


def test_a_position_has_to_be_one() -> None:
    message = Subscribe(["e"], {"e": 5})  # type: ignore[dict-item]
    assert refusal(message) == "subscribe.since['e']: a Position expected, got 5"


def test_any_text_but_those_is_passed() -> None:
    assert checked(push(entity="Größe 😀")).entity == "Größe 😀"


@pytest.mark.parametrize("form", list(Format))
def test_what_is_passed_is_read_in_both_formats(form: Format) -> None:
    for message in (push(seq=1, base_version=MAX_INTEGER), at(NOW), Hello(confirmed_seq=0)):
        assert decode(encode(checked(message), form), form) == message


@pytest.mark.parametrize(("name", "size"), [("", 0), ("x" * 256, 256), ("ü" * 128, 256)])
def test_a_name_of_another_length_is_refused_with_its_path(name: str, size: int) -> None:
    update = FieldUpdate(name, b"1", FieldAction.UPDATE, NOW)
    for message, path in [
        (push(entity=name), "push.entity"),
        (push(entity_id=name), "push.entity_id"),
        (PushFields("e", "1", [update]), "push_fields.fields[0].field"),
        (ValidateForm("r", name), "validate_form.form"),
        (ValidateForm("r", "f", form_instance=name), "validate_form.form_instance"),
        (Subscribe([name]), "subscribe.entities[0]"),
        (Hello(client_id=name), "hello.client_id"),
    ]:
        assert refusal(message) == f"{path}: 1 to 255 bytes expected, got {size}"
    assert checked(ValidateForm("r", "f", [FormFieldValue(name, "x")]))


def test_the_longest_name_is_passed() -> None:
    assert checked(push(entity="x" * 255, entity_id="ü" * 127))


def test_a_list_that_is_too_long_is_refused_with_its_path() -> None:
    form = ValidateForm("r", "f", [FormFieldValue("a", "x")] * (MAX_ITEMS + 1))
    assert refusal(form) == "validate_form.fields: at most 4096 items expected, got 4097"
    form.fields.pop()
    assert checked(form) is form


def test_every_message_of_a_client_is_known_here() -> None:
    assert {kind.__name__ for kind in CLIENT_MESSAGES} <= SHAPES.keys()
