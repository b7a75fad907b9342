from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    Authenticate,
    Change,
    ChangeAction,
    ChangeLog,
    Envelope,
    FieldAction,
    FieldError,
    FieldUpdate,
    FormFieldValue,
    FormValidationResult,
    GetRecordRequest,
    Hello,
    Ping,
    Position,
    Push,
    PushFields,
    Subscribe,
    ValidateField,
    ValidateForm,
)
from rhtmx.wire import (
    Message,
    decode_message,
    decode_proto,
    encode_message,
    encode_proto,
    proto_codec,
)
from rhtmx.wire.generated import proto_glue
from rhtmx.wire.limits import MAX_INTEGER, MAX_ITEMS


def push(**members: Any) -> Push:
    return Push(**{"entity": "e", "entity_id": "1", "action": ChangeAction.UPDATE, **members})


def test_an_empty_message_is_still_there() -> None:
    assert encode_proto(Ping()) == b"\x32\x00"
    assert decode_proto(b"\x32\x00") == Ping()
    assert decode_proto(encode_proto(Hello())) == Hello()
    assert decode_proto(encode_proto(Subscribe())) == Subscribe()


def test_null_is_written_as_absent() -> None:
    absent = encode_proto(Push("a", "b", ChangeAction.CREATE, None))
    assert encode_proto(Push("a", "b", ChangeAction.CREATE, b"")) == absent
    message = decode_proto(absent)
    assert isinstance(message, Push)
    assert message.data is None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "message: the envelope is empty, or its message is unknown"),
        (b"\xff", "message: not a valid protobuf message of this schema"),
        (b"\x7a\x00", "push.action: one of create, update, delete expected, got 0"),
        (b"\x72\x00", "change.change: required, but missing"),
    ],
)
def test_the_first_wrong_field_is_named(data: bytes, words: str) -> None:
    with pytest.raises(RhtmxError) as refused:
        decode_proto(data)
    assert (refused.value.code, refused.value.message) == (ErrorCode.BAD_MESSAGE, words)


@pytest.mark.parametrize("size", [1, 100, 127, 128, 5_000, 16_383, 16_384, 40_000, 3_000_000])
def test_a_message_of_any_size_is_read(size: int) -> None:
    for message in (
        Push("a", "b", ChangeAction.CREATE, b'"' + b"x" * size + b'"'),
        PushFields("x" * size, "b"),
        Authenticate("x" * size),
    ):
        data = encode_proto(message)
        assert decode_proto(data) == message
        assert decode_proto(data + b"\xf8\x07\x01") == message, "with an unknown field behind it"
        for cut in (data[:-1], data[:2], data[:3], data[:1]):
            with pytest.raises(RhtmxError, match=r"^message: not a valid protobuf message"):
                decode_proto(cut)


def test_the_last_of_two_cases_wins() -> None:
    assert decode_proto(encode_proto(Hello("a")) + encode_proto(Ping())) == Ping()
    assert decode_proto(encode_proto(Ping()) + encode_proto(Hello("a"))) == Hello("a")


def test_a_size_of_more_bytes_than_it_needs_is_still_that_size() -> None:
    assert decode_proto(b"\x32\x80\x00") == Ping()
    assert decode_proto(b"\x32\x80\x80\x00") == Ping()
    assert decode_proto(b"\x0a\x85\x80\x00\x0a\x03abc") == Hello("abc")


def test_a_size_of_three_bytes_is_not_taken_for_two() -> None:
    # Read as two bytes, 0x80 and 0x80 would be 128 << 7, exactly what follows them.
    data = b"\x0a\x80\x80\x01" + b"x" * (0x4000 - 1)
    with pytest.raises(RhtmxError, match=r"^message: not a valid protobuf message"):
        decode_proto(data)


def test_a_nul_is_found_wherever_a_string_is() -> None:
    for message in (
        Push("a\0", "b", ChangeAction.CREATE),
        Subscribe(["a", "\0"]),
        Change(
            ChangeLog(
                "a", "\0", ChangeAction.CREATE, created_at=datetime.fromtimestamp(0).astimezone()
            )
        ),
    ):
        with pytest.raises(RhtmxError, match="NUL"):
            decode_proto(encode_proto(message))


def test_zero_bytes_that_are_not_in_strings_are_fine() -> None:
    empty = Subscribe(since={"": Position("", 0)})
    data = encode_proto(empty)
    assert 0 in data
    assert decode_proto(data) == empty


@pytest.mark.parametrize(
    "message",
    [Change(), Push("a", "b"), Change(ChangeLog(action=ChangeAction.CREATE)), Envelope(), "push"],
)
def test_what_is_not_a_complete_message_cannot_be_written(message: object) -> None:
    with pytest.raises(RhtmxError, match="cannot be written as protobuf"):
        encode_proto(message)  # type: ignore[arg-type]


def test_a_message_of_grpc_has_no_envelope() -> None:
    request = GetRecordRequest("users", "1")
    data = encode_message(request)
    assert data == b"\x0a\x05users\x12\x011"
    assert decode_message(GetRecordRequest, data) == request


def test_an_envelope_of_grpc_holds_one_message() -> None:
    envelope = Envelope(ping=Ping())
    assert encode_message(envelope) == encode_proto(Ping())
    assert decode_message(Envelope, encode_message(envelope)) == envelope
    with pytest.raises(RhtmxError, match="the envelope is empty"):
        encode_message(Envelope())
    with pytest.raises(RhtmxError, match=r"Envelope\.message: required, but missing"):
        decode_message(Envelope, b"")


def test_a_wrong_field_of_a_message_of_grpc_is_named_by_its_class() -> None:
    with pytest.raises(RhtmxError, match=r"^GetRecordRequest\.entity: a string holds a NUL"):
        decode_message(GetRecordRequest, b"\x0a\x01\x00")
    with pytest.raises(RhtmxError, match=r"^Push: not a valid protobuf message"):
        decode_message(Push, b"\x0a")


def test_a_class_that_is_no_message_cannot_be_written() -> None:
    with pytest.raises(RhtmxError, match="str: cannot be written as protobuf"):
        encode_message("text")


def answered(data: bytes) -> RhtmxError:
    """How a message with a list that is too long is refused."""
    with pytest.raises(RhtmxError) as refused:
        decode_proto(data)
    assert refused.value.code is ErrorCode.BAD_MESSAGE
    return refused.value


def test_a_list_of_as_many_items_as_there_may_be_is_read() -> None:
    form = ValidateForm(form="f", fields=[FormFieldValue()] * MAX_ITEMS)
    assert decode_proto(encode_proto(form)) == form
    assert decode_message(ValidateForm, encode_message(form)) == form


@pytest.mark.parametrize("count", [MAX_ITEMS + 1, 20_000])
@pytest.mark.parametrize(
    ("message", "words"),
    [
        (lambda n: ValidateForm(form="f", fields=[FormFieldValue()] * n), "validate_form.fields"),
        (lambda n: ValidateField(form="f", values=[FormFieldValue()] * n), "validate_field.values"),
        (lambda n: Subscribe(entities=["e"] * n), "subscribe.entities"),
    ],
)
def test_a_longer_list_is_refused_in_words(
    count: int, message: Callable[[int], Message], words: str
) -> None:
    error = answered(encode_proto(message(count)))
    assert error.message == f"{words}: at most {MAX_ITEMS} items expected, got {count}"


def test_nothing_is_made_of_the_items_of_a_list_that_is_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In binary an item may be two bytes: to make a million of them takes seconds."""
    form = ValidateForm(request_id="r", form="f")
    data = encode_message(form) + b"\x1a\x00" * 1_000_000
    monkeypatch.setattr(proto_glue, "_from_form_field_value", None)
    monkeypatch.setattr(proto_codec, "_check_texts", None)
    with pytest.raises(RhtmxError, match=r"ValidateForm\.fields: at most") as refused:
        decode_message(ValidateForm, data)
    assert refused.value.request_id == "r"


def test_a_refused_write_keeps_its_number() -> None:
    written = datetime(2026, 1, 1, tzinfo=UTC)
    update = FieldUpdate("a", None, FieldAction.DELETE, written)
    fields = [update] * (MAX_ITEMS + 1)
    error = answered(encode_proto(PushFields("e", "1", fields, seq=7, request_id="r")))
    assert (error.seq, error.request_id) == (7, "r")


def test_what_a_server_sends_may_be_as_long_as_it_is() -> None:
    result = FormValidationResult(errors=[FieldError("a", "b")] * (MAX_ITEMS + 1))
    assert decode_proto(encode_proto(result)) == result


TOO_LARGE = MAX_INTEGER + 1


@pytest.mark.parametrize(
    ("message", "request_id", "seq"),
    [
        (push(base_version=TOO_LARGE, request_id="r", seq=7), "r", 7),
        (push(entity="a\0b", request_id="r", seq=7), "r", 7),
        (push(data=b"[", request_id="r"), "r", None),
        (push(base_version=TOO_LARGE, seq=TOO_LARGE), None, None),
        (push(base_version=TOO_LARGE, request_id="x" * 256, seq=0), None, None),
        (push(request_id="a\0b", seq=7), None, 7),
        (ValidateField("r", "f\0", "x", ""), "r", None),
        (Subscribe(["e"], {"e": Position("x", TOO_LARGE)}), None, None),
    ],
)
def test_a_refusal_says_of_which_message_it_is(
    message: Message, request_id: str | None, seq: int | None
) -> None:
    data = encode_proto(message)
    for each in (data, data + encode_proto(message)):  # alone, and as the last of two
        with pytest.raises(RhtmxError) as refused:
            decode_proto(each)
        assert (refused.value.request_id, refused.value.seq) == (request_id, seq)
    with pytest.raises(RhtmxError) as refused:
        decode_message(type(message), encode_message(message))
    assert (refused.value.request_id, refused.value.seq) == (request_id, seq)
