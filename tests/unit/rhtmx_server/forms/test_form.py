"""Facts about `rhtmx_server.forms.form`."""

from __future__ import annotations

from typing import Any

import pytest

from rhtmx.messages import FormFieldValue
from rhtmx.values.form_value import File
from rhtmx_server.access.rules import Rule, anyone, backend, claim, nobody, owner, role
from rhtmx_server.forms.entries import TEXT, FieldKind, FormValues
from rhtmx_server.forms.form import Form
from rhtmx_server.forms.steps import judge
from rhtmx_server.forms.validators import Validator


@pytest.fixture
def signup() -> Form:
    return Form("signup")


def test_rules_are_registered_without_a_validator(signup: Form) -> None:
    signup.field("age", required=True, ge=18)
    assert judge(signup.fields["age"], ["17"]) == ("must be 18 or more", ())


def test_a_validator_is_registered_as_a_decorator_and_stays_a_function(signup: Form) -> None:
    @signup.field("email")
    def is_free(value: str) -> str:
        return "seen"

    assert is_free("x") == "seen"
    (step,) = signup.fields["email"]
    assert isinstance(step, Validator)


def test_rules_come_before_the_validator_they_are_registered_with(signup: Form) -> None:
    @signup.field("email", required=True)
    async def is_free(value: str) -> None:
        return None

    error, rest = judge(signup.fields["email"], [""])
    assert (error, rest) == ("is required", ())


def test_what_is_left_begins_with_the_first_validator(signup: Form) -> None:
    @signup.field("email", email=True)
    async def is_free(value: str) -> None:
        return None

    signup.field("email", max_length=100)
    error, rest = judge(signup.fields["email"], ["ada@example.com"])
    assert error is None
    assert rest == signup.fields["email"][1:]
    assert isinstance(rest[0], Validator)


def test_several_registrations_are_checked_in_order(signup: Form) -> None:
    signup.field("name", required=True, message="who are you?")
    signup.field("name", max_length=3)
    assert judge(signup.fields["name"], [""])[0] == "who are you?"
    assert judge(signup.fields["name"], ["Augusta"])[0] is not None
    assert judge(signup.fields["name"], ["Ada"]) == (None, ())


def test_a_check_is_registered_with_or_without_parentheses(signup: Form) -> None:
    @signup.check
    def first(form: FormValues) -> None:
        return None

    @signup.check(timeout=2)
    async def second(form: FormValues) -> None:
        return None

    assert [(check.blocking, check.timeout) for check in signup.checks] == [
        (True, None),
        (False, 2),
    ]


def test_options_of_the_decorator_reach_the_validator(signup: Form) -> None:
    signup.field("email", blocking=False, timeout=0.5)(lambda value: None)
    (step,) = signup.fields["email"]
    assert isinstance(step, Validator)
    assert (step.blocking, step.timeout) == (False, 0.5)


def test_the_values_of_a_form_have_every_registered_field(signup: Form) -> None:
    signup.field("password")
    signup.field("password2")
    sent = [FormFieldValue(field="password", value="x"), FormFieldValue(field="more", value="y")]
    assert signup.values(sent) == {"password": "x", "password2": "", "more": "y"}


def test_of_a_name_sent_twice_the_last_value_counts(signup: Form) -> None:
    sent = [FormFieldValue(field="a", value="1"), FormFieldValue(field="a", value="2")]
    assert signup.values(sent) == {"a": "2"}
    assert signup.values(sent).getlist("a") == ["1", "2"]


def test_a_validator_cannot_change_the_values(signup: Form) -> None:
    with pytest.raises(TypeError):
        signup.values([])["a"] = "b"  # type: ignore[index]


def test_a_mistake_at_registration_names_form_and_field(signup: Form) -> None:
    with pytest.raises(ValueError, match=r"^signup\.age: ge: a finite number expected, got '18'"):
        signup.field("age", ge="18")  # type: ignore[call-overload]
    with pytest.raises(TypeError, match=r"^signup\.age: no ready-made rule 'min'"):
        signup.field("age", min=18)  # type: ignore[call-overload]


@pytest.mark.parametrize("name", ["", "x" * 256, "é" * 128])
def test_a_form_and_a_field_need_a_name_that_a_message_can_hold(signup: Form, name: str) -> None:
    with pytest.raises(ValueError, match="a form needs a name of 1 to 255 bytes"):
        Form(name)
    with pytest.raises(ValueError, match=r"form 'signup': a field needs a name of 1 to 255 bytes"):
        signup.field(name)
    Form("x" * 255).field("é" * 127)


@pytest.mark.parametrize("name", [lambda value: None, None, 7])
def test_what_is_no_name_is_refused_such_as_the_function_of_a_bare_decorator(
    signup: Form, name: Any
) -> None:
    with pytest.raises(TypeError, match="form 'signup': a field needs a name, a string"):
        signup.field(name)
    with pytest.raises(TypeError, match="a form needs a name, a string"):
        Form(name)
    assert not signup.fields


# Several values, and files.


def test_a_field_of_files_has_rules_of_its_own(signup: Form) -> None:
    signup.field("cv", file=True, required=True, max_size=10, accept=".pdf")
    assert judge(signup.fields["cv"], [File("cv.pdf", 3)]) == (None, ())
    assert judge(signup.fields["cv"], [File("cv.doc", 3)])[0] is not None


def test_a_rule_that_does_not_suit_a_field_is_refused_with_form_and_field(signup: Form) -> None:
    with pytest.raises(ValueError, match=r"^signup\.cv: ge: is for texts"):
        signup.field("cv", file=True, ge=3)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match=r"^signup\.cv: max_size: is for files"):
        signup.field("cv", max_size=3)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match=r"^signup\.tags: max_items: is for several values"):
        signup.field("tags", max_items=3)  # type: ignore[call-overload]
    assert not signup.fields
    signup.field("cv")


@pytest.mark.parametrize(
    ("first", "then", "words"),
    [
        ({"file": True}, {}, "many=False, file=False: it was registered with many=False, file=Tr"),
        ({}, {"file": True}, "many=False, file=True: it was registered with many=False, file=Fal"),
        ({"file": True}, {"ge": 3}, "say the same each time"),
        ({"many": True}, {"required": True}, "say the same each time"),
        ({"many": True, "file": True}, {"file": True}, "say the same each time"),
    ],
)
def test_a_field_is_of_one_kind_however_often_it_is_registered(
    signup: Form, first: Any, then: Any, words: str
) -> None:
    signup.field("x", **first)
    with pytest.raises(ValueError, match=f"^signup.x: .*{words}"):
        signup.field("x", **then)
    signup.field("x", **first)
    signup.field("y", **then)


def test_a_validator_knows_what_its_field_was_registered_for(signup: Form) -> None:
    signup.field("tags", many=True)(lambda value: None)
    signup.field("cv", file=True)(lambda value: None)
    signup.field("email")(lambda value: None)
    steps = [step for field in signup.fields.values() for step in field]
    kinds = [step.kind for step in steps if isinstance(step, Validator)]
    assert kinds == [FieldKind(many=True), FieldKind(file=True), TEXT]


def test_what_a_field_has_that_is_asked_about_takes_the_place_of_what_was_sent(
    signup: Form,
) -> None:
    signup.field("a")
    sent = [FormFieldValue("a", "1"), FormFieldValue("b", "2")]
    assert signup.values(sent, {"a": ["3", "4"]}).getlist("a") == ["3", "4"]
    assert signup.values(sent).getlist("a") == ["1"]


@pytest.mark.parametrize("rule", [role("clerk"), anyone, nobody, role("a") | backend])
def test_who_may_ask_is_said_by_a_rule_about_who_asks(rule: Rule) -> None:
    assert Form("signup").access(validate=rule).access_rule is rule


@pytest.mark.parametrize("rule", [owner("customer"), role("a") | claim("team")])
def test_a_rule_about_fields_is_refused_as_a_form_has_no_record(rule: Rule) -> None:
    with pytest.raises(ValueError, match="looks at the fields of a record, and a form has none"):
        Form("signup").access(validate=rule)


def test_what_is_no_rule_is_refused() -> None:
    call: Any = Form("signup").access
    with pytest.raises(TypeError, match="a rule such as role"):
        call(validate="clerk")
