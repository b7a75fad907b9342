"""Facts about `rhtmx.core.build_message`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from rhtmx.core import build_message
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    ChangeAction,
    FieldAction,
    FieldUpdate,
    FormFieldValue,
    FormFile,
    Position,
    Push,
    PushFields,
    ValidateField,
    ValidateForm,
)
from rhtmx.values.form_value import File

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_since_is_nothing_everything_or_a_position() -> None:
    position = Position(epoch="e", version=7)
    assert build_message.position(None) is None
    assert build_message.position(0) == Position(epoch="", version=0)
    assert build_message.position(position) is position


@pytest.mark.parametrize("since", [7, -1])
def test_a_version_without_its_epoch_is_refused(since: int) -> None:
    with pytest.raises(RhtmxError, match="a version alone does not say of which log it is"):
        build_message.position(since)


def test_a_push_carries_its_data_as_json() -> None:
    expected = Push("tasks", "1", ChangeAction.UPDATE, b'{"n":1}', base_version=3)
    assert build_message.push("tasks", "1", {"n": 1}, 3) == expected


def test_a_delete_carries_none() -> None:
    expected = Push("tasks", "1", ChangeAction.DELETE)
    assert build_message.push_delete("tasks", "1", None) == expected


def test_fields_are_set_and_removed_at_one_time() -> None:
    expected = PushFields(
        "tasks",
        "1",
        [
            FieldUpdate("title", b'"x"', FieldAction.UPDATE, NOW),
            FieldUpdate("done", None, FieldAction.UPDATE, NOW),
            FieldUpdate("old", None, FieldAction.DELETE, NOW),
        ],
        base_version=3,
    )
    fields = {"title": "x", "done": None}
    assert build_message.push_fields("tasks", "1", fields, ["old"], 3, NOW) == expected


def test_a_field_that_is_no_json_is_named() -> None:
    with pytest.raises(RhtmxError, match=r"push_fields\.fields\[1\]\.value"):
        build_message.push_fields("tasks", "1", {"a": 1, "b": object()}, [], None, NOW)


def test_questions_about_forms_carry_their_values() -> None:
    assert build_message.validate_field("f", "a", "1", {"b": "2"}, "top") == ValidateField(
        form="f", field="a", value="1", form_instance="top", values=[FormFieldValue("b", "2")]
    )
    assert build_message.validate_form("f", {"a": "1"}, None) == ValidateForm(
        form="f", fields=[FormFieldValue("a", "1")]
    )


CV = File("cv.pdf", 3, "application/pdf")
CV_SENT = FormFieldValue("cv", "cv.pdf", FormFile("cv.pdf", 3, "application/pdf"))


def test_a_question_about_several_values_or_a_file_has_them_among_the_others() -> None:
    several = build_message.validate_field("f", "tags", ["red", "blue"], {"b": "2"}, None)
    own = [FormFieldValue("tags", "red"), FormFieldValue("tags", "blue")]
    assert (several.value, several.values) == ("red", [FormFieldValue("b", "2"), *own])
    file = build_message.validate_field("f", "cv", CV, {}, None)
    assert (file.value, file.values) == ("cv.pdf", [CV_SENT])
    form = build_message.validate_form("f", {"tags": ["red", "blue"], "cv": CV}, None)
    assert form.fields == [*own, CV_SENT]


@pytest.mark.parametrize(
    ("value", "first"),
    [("new", "new"), (["new"], "new"), ([], ""), (["new", "newer"], "new"), (CV, "cv.pdf")],
)
def test_what_is_asked_about_takes_the_place_of_what_the_form_has_there(
    value: Any, first: str
) -> None:
    """Otherwise the server would take that for all that the field has."""
    asked = build_message.validate_field("f", "a", value, {"a": "old", "b": "2"}, None)
    assert "old" not in [each.value for each in asked.values]
    assert asked.value == first


def test_what_is_no_value_of_a_form_is_refused_with_its_place() -> None:
    wrong: Any = 17
    expected = ": a text, a File, or a list"
    with pytest.raises(RhtmxError, match="^validate_field.value" + expected):
        build_message.validate_field("f", "a", wrong, {}, None)
    with pytest.raises(RhtmxError, match=r"^validate_field.values\['b'\]" + expected):
        build_message.validate_field("f", "a", "", {"b": wrong}, None)
    with pytest.raises(RhtmxError, match=r"^validate_form.fields\['b'\]" + expected):
        build_message.validate_form("f", {"b": wrong}, None)


def test_a_token_may_have_4096_bytes_and_is_never_repeated() -> None:
    for token in ("", "t" * 4096, "ä" * 2048):
        assert build_message.checked_token(token) == token
    for token in ("s3cr3t" + "t" * 4091, "s3cr3t" + "ä" * 2046):
        with pytest.raises(RhtmxError, match="token: at most 4096 bytes expected") as refused:
            build_message.checked_token(token)
        assert refused.value.code is ErrorCode.BAD_MESSAGE
        assert "s3cr3t" not in refused.value.message


def test_a_write_of_no_field_is_nothing_to_write() -> None:
    with pytest.raises(RhtmxError, match=r"^push_fields\.fields: nothing to write") as caught:
        build_message.push_fields("tasks", "1", {}, [], None, NOW)
    assert caught.value.code is ErrorCode.BAD_MESSAGE
    assert len(build_message.push_fields("tasks", "1", {}, ["a"], None, NOW).fields) == 1


def test_fields_are_given_by_their_names() -> None:
    fields: Any = [("a", 1)]
    with pytest.raises(RhtmxError, match=r"fields: values by the names of their fields expected"):
        build_message.push_fields("tasks", "1", fields, [], None, NOW)


TOO_LARGE = 2**53


@pytest.mark.parametrize(
    ("call", "path"),
    [
        (lambda: build_message.push("e", "1", {}, TOO_LARGE), "push.base_version"),
        (lambda: build_message.push("e", "1", {}, None, TOO_LARGE), "push.seq"),
        (lambda: build_message.push("e", "a\0b", {}, None), "push.entity_id"),
        (lambda: build_message.push_delete("\ud800", "1", None), "push.entity"),
        (lambda: build_message.push_delete("e", "1", -1), "push.base_version"),
        (lambda: build_message.push_delete("e", "1", None, TOO_LARGE), "push.seq"),
        (
            lambda: build_message.push_fields("e", "1", {"a": 1}, (), TOO_LARGE, NOW),
            "push_fields.base_version",
        ),
        (
            lambda: build_message.push_fields("e", "1", {"a": 1}, (), None, NOW, -1),
            "push_fields.seq",
        ),
        (
            lambda: build_message.push_fields("e", "1", {"a": 1}, ["b\0"], None, NOW),
            "push_fields.fields[1].field",
        ),
        (
            lambda: build_message.push_fields("e", "1", {"a": 1}, (), None, datetime(1, 1, 1)),
            "push_fields.fields[0].timestamp",
        ),
        (lambda: build_message.validate_field("f", "a", "x\0", {}, None), "validate_field.value"),
        (
            lambda: build_message.validate_field("f", "a", "x", {}, "\0"),
            "validate_field.form_instance",
        ),
        (
            lambda: build_message.validate_form("f", {"a": "x\0"}, None),
            "validate_form.fields[0].value",
        ),
        (lambda: build_message.position(Position("e", TOO_LARGE)), "since.version"),
        (lambda: build_message.position(Position("e", -1)), "since.version"),
        (lambda: build_message.position(Position("e\0", 1)), "since.epoch"),
        (lambda: build_message.checked_token("a\0b"), "token"),
        (lambda: build_message.checked_token("\ud800"), "token"),
        (lambda: build_message.checked_token(None), "token"),  # type: ignore[arg-type]
    ],
)
def test_what_no_server_can_read_is_refused_with_its_path(
    call: Callable[[], object], path: str
) -> None:
    with pytest.raises(RhtmxError) as caught:
        call()
    assert caught.value.code is ErrorCode.BAD_MESSAGE
    assert caught.value.message.startswith(f"{path}: ")
