"""Facts about `rhtmx.values.form_value`."""

from __future__ import annotations

from typing import Any

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import FormFieldValue, FormFile
from rhtmx.values.form_value import File, FormValue, entries, entry, field_values

CV = File("cv.pdf", 3, "application/pdf")
CV_SENT = FormFieldValue("cv", "cv.pdf", FormFile("cv.pdf", 3, "application/pdf"))


def test_a_file_is_sent_with_its_name_as_value_and_comes_back_whole() -> None:
    assert field_values({"cv": CV}, "f") == [CV_SENT]
    assert entry(CV_SENT) == CV
    assert entry(FormFieldValue("a", "x")) == "x"


def test_a_field_stands_there_once_for_each_of_its_values_in_order() -> None:
    values: dict[str, FormValue] = {"tags": ["red", "blue"], "a": "1", "cv": (CV, "")}
    assert field_values(values, "f") == [
        FormFieldValue("tags", "red"),
        FormFieldValue("tags", "blue"),
        FormFieldValue("a", "1"),
        CV_SENT,
        FormFieldValue("cv", ""),
    ]


def test_a_field_without_values_is_left_out() -> None:
    assert field_values({"tags": [], "a": ""}, "f") == [FormFieldValue("a", "")]


def test_a_text_is_one_value_though_it_is_a_sequence() -> None:
    assert entries("red", "f") == ["red"]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (17, "int"),
        (None, "NoneType"),
        (b"s3cr3t", "bytes"),
        (bytearray(b"s3cr3t"), "bytearray"),
        ({"s3cr3t"}, "set"),
        ({"s3cr3t": 1}, "dict"),
        (["s3cr3t", 17], "int"),
        ([["s3cr3t"]], "list"),
        ([CV, b"s3cr3t"], "bytes"),
    ],
)
def test_what_is_no_value_of_a_form_is_refused_by_its_kind_alone(value: Any, kind: str) -> None:
    """It may be a password."""
    with pytest.raises(RhtmxError) as refused:
        field_values({"a": "1", "b": value}, "validate_form.fields")
    expected = "a text, a File, or a list of these expected"
    assert refused.value.message == f"validate_form.fields['b']: {expected}, got {kind}"
    assert refused.value.code is ErrorCode.BAD_MESSAGE


WRONG: Any = {"name": None, "type": 7, "size": 3.5}


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (File("a", -1), "the size of a File is a number of bytes from 0 on, got -1"),
        (
            File("a", 2**53),
            "the size of a File is a number of bytes from 0 on, got 9007199254740992",
        ),
        (File("a", WRONG["size"]), "the size of a File is a number of bytes from 0 on, got 3.5"),
        (File("a", True), "the size of a File is a number of bytes from 0 on, got True"),
        (File(WRONG["name"], 1), "name and type of a File are texts, got None and ''"),
        (File("a", 1, WRONG["type"]), "name and type of a File are texts, got 'a' and 7"),
    ],
)
def test_a_file_that_no_server_could_be_told_of_is_refused_at_once(file: File, words: str) -> None:
    """In binary a number that is too large could be written, and would never be answered."""
    for value in (file, [CV, file]):
        with pytest.raises(RhtmxError) as refused:
            field_values({"cv": value}, "f")
        assert (refused.value.message, refused.value.code) == (
            f"f['cv']: {words}",
            ErrorCode.BAD_MESSAGE,
        )
    assert field_values({"cv": File("a", 2**53 - 1)}, "f")
