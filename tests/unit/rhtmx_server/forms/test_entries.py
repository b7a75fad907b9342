"""Facts about `rhtmx_server.forms.entries`."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rhtmx.messages import FormFieldValue, FormFile, ValidateField
from rhtmx.values.form_value import Entry, File
from rhtmx_server.forms.entries import TEXT, FieldKind, FormValues, asked, by_field, is_empty, text

A, B = File("a.png", 3, "image/png"), File("b.png", 0)
NOT_CHOSEN = File("", 0, "application/octet-stream")
"""What a browser submits for a control where no file was chosen."""


@pytest.mark.parametrize(
    ("kind", "entries", "value"),
    [
        (TEXT, [], ""),
        (TEXT, ["x"], "x"),
        (TEXT, ["false", "true"], "true"),  # hidden control, and a checkbox after it
        (TEXT, ["true", " "], " "),
        (TEXT, ["", A], "a.png"),
        (TEXT, [NOT_CHOSEN], ""),
        (FieldKind(many=True), [], []),
        (FieldKind(many=True), ["", "red", " ", "blue"], ["red", "blue"]),
        (FieldKind(many=True), ["red", A], ["red", "a.png"]),
        (FieldKind(file=True), [], None),
        (FieldKind(file=True), [NOT_CHOSEN], None),
        (FieldKind(file=True), ["x"], None),
        (FieldKind(file=True), [A], A),
        (FieldKind(file=True), ["", A, B, NOT_CHOSEN], B),
        (FieldKind(many=True, file=True), [NOT_CHOSEN], []),
        (FieldKind(many=True, file=True), ["", A, B], [A, B]),
    ],
)
def test_a_validator_is_asked_about_what_its_field_was_registered_for(
    kind: FieldKind, entries: Sequence[Entry], value: object
) -> None:
    assert kind.value(entries) == value


@pytest.fixture
def form() -> FormValues:
    return FormValues({"tags": ["", "red", "blue"], "cv": [A, NOT_CHOSEN, B], "email": []})


def test_a_form_shows_the_last_value_of_a_field_and_nothing_for_one_that_was_not_sent(
    form: FormValues,
) -> None:
    assert (form["tags"], form["cv"], form["email"]) == ("blue", "b.png", "")
    assert dict(form) == {"tags": "blue", "cv": "b.png", "email": ""}
    assert list(form) == ["tags", "cv", "email"]
    assert form.get("nothing") is None


def test_a_form_gives_all_values_of_a_field_and_its_chosen_files(form: FormValues) -> None:
    assert form.getlist("tags") == ["", "red", "blue"]
    assert form.getlist("cv") == ["a.png", "", "b.png"]
    assert form.files("cv") == [A, B]
    assert (form.getlist("email"), form.files("email")) == ([], [])


def test_a_name_that_a_form_does_not_have_is_an_error_however_it_is_asked(
    form: FormValues,
) -> None:
    for ask in (form.__getitem__, form.getlist, form.files):
        with pytest.raises(KeyError, match="mail"):
            ask("mail")


def test_who_gets_a_list_cannot_change_what_others_see(form: FormValues) -> None:
    form.getlist("tags").clear()
    form.files("cv").clear()
    assert form.getlist("tags") == ["", "red", "blue"]
    assert form.files("cv") == [A, B]
    with pytest.raises(TypeError):
        form["tags"] = "x"  # type: ignore[index]


def test_a_form_can_be_looked_at() -> None:
    assert repr(FormValues({"a": ["1"]})) == "FormValues({'a': ['1']})"


def test_the_entries_of_a_form_are_collected_by_field_in_their_order() -> None:
    file = FormFile("a.png", 3, "image/png")
    sent = [
        FormFieldValue("tags", "red"),
        FormFieldValue("cv", "a.png", file),
        FormFieldValue("tags", "blue"),
        FormFieldValue("more", "x"),
    ]
    assert by_field(["email", "tags"], sent) == {
        "email": [],
        "tags": ["red", "blue"],
        "cv": [A],
        "more": ["x"],
    }


def test_a_field_that_is_asked_about_has_its_text_or_all_that_stands_among_the_values() -> None:
    def question(*values: FormFieldValue) -> ValidateField:
        return ValidateField(form="f", field="tags", value="red", values=list(values))

    other = FormFieldValue("email", "x")
    assert asked(question()) == asked(question(other)) == ["red"]
    own = [FormFieldValue("tags", "red"), other, FormFieldValue("tags", "blue")]
    assert asked(question(*own)) == ["red", "blue"]
    chosen = FormFieldValue("tags", "a.png", FormFile("a.png", 3, "image/png"))
    assert asked(question(chosen)) == [A]


@pytest.mark.parametrize("value", ["", " \t\n", NOT_CHOSEN, File("", 7)])
def test_white_space_and_a_file_without_a_name_are_empty(value: Entry) -> None:
    assert is_empty(value)


@pytest.mark.parametrize("value", ["x", " 0 ", A, File("empty.txt", 0), File(" ", 0)])
def test_a_file_of_no_bytes_is_a_file(value: Entry) -> None:
    assert not is_empty(value)


def test_a_file_as_a_text_is_its_name() -> None:
    assert (text("x"), text(A)) == ("x", "a.png")
