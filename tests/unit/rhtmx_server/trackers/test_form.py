"""Facts about `rhtmx_server.trackers.form`."""

from __future__ import annotations

import pytest

from rhtmx.messages import FormFieldValue
from rhtmx_server.trackers.form import Form, judge
from rhtmx_server.trackers.validators import Validator, Values


@pytest.fixture
def signup() -> Form:
    return Form("signup")


def test_rules_are_registered_without_a_validator(signup: Form) -> None:
    signup.field("age", required=True, ge=18)
    assert judge(signup.fields["age"], "17") == ("must be 18 or more", ())


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

    error, rest = judge(signup.fields["email"], "")
    assert (error, rest) == ("is required", ())


def test_what_is_left_begins_with_the_first_validator(signup: Form) -> None:
    @signup.field("email", email=True)
    async def is_free(value: str) -> None:
        return None

    signup.field("email", max_length=100)
    error, rest = judge(signup.fields["email"], "ada@example.com")
    assert error is None
    assert rest == signup.fields["email"][1:]
    assert isinstance(rest[0], Validator)


def test_several_registrations_are_checked_in_order(signup: Form) -> None:
    signup.field("name", required=True, message="who are you?")
    signup.field("name", max_length=3)
    assert judge(signup.fields["name"], "")[0] == "who are you?"
    assert judge(signup.fields["name"], "Augusta")[0] is not None
    assert judge(signup.fields["name"], "Ada") == (None, ())


def test_a_check_is_registered_with_or_without_parentheses(signup: Form) -> None:
    @signup.check
    def first(form: Values) -> None:
        return None

    @signup.check(timeout=2)
    async def second(form: Values) -> None:
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


def test_a_validator_cannot_change_the_values(signup: Form) -> None:
    with pytest.raises(TypeError):
        signup.values([])["a"] = "b"  # type: ignore[index]


def test_a_mistake_at_registration_names_form_and_field(signup: Form) -> None:
    with pytest.raises(ValueError, match=r"^signup\.age: ge: a finite number expected, got '18'"):
        signup.field("age", ge="18")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^signup\.age: no ready-made rule 'min'"):
        signup.field("age", min=18)  # type: ignore[call-arg]


def test_a_form_and_a_field_need_a_name(signup: Form) -> None:
    with pytest.raises(ValueError, match="a form needs a name"):
        Form("")
    with pytest.raises(ValueError, match="form 'signup': a field needs a name"):
        signup.field("")
