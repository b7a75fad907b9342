"""Facts about `rhtmx_server.trackers.form`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import FormFieldValue
from rhtmx_server.names import nearest
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


# Names that a form does not have.


def values(*names: str) -> list[FormFieldValue]:
    return [FormFieldValue(field=name) for name in names]


def refused(form: Form, *names: str, page: bool = False) -> str:
    with pytest.raises(RhtmxError) as caught:
        form.require(values(*names), page=page)
    assert caught.value.code is ErrorCode.UNKNOWN_FORM
    return caught.value.message


def test_a_name_that_a_form_does_not_have_is_refused_with_the_one_that_was_meant(
    signup: Form,
) -> None:
    signup.field("email")
    signup.require(values("email"), page=False, field="email")
    words = "form 'signup' has no field 'emial': did you mean 'email'?"
    assert refused(signup, "emial") == words
    assert refused(signup, "email", "emial") == words, "wherever it stands"
    with pytest.raises(RhtmxError) as caught:
        signup.require([], page=False, field="emial")
    assert (caught.value.code, caught.value.message) == (ErrorCode.UNKNOWN_FORM, words)


def test_where_none_is_like_it_the_error_says_what_to_do(signup: Form) -> None:
    signup.field("email")
    assert refused(signup, "zzz") == (
        "form 'signup' has no field 'zzz': register it, or make the form with extra='ignore'"
    )


def test_a_field_without_rules_is_a_field(signup: Form) -> None:
    signup.field("nickname")
    signup.require(values("nickname"), page=False, field="nickname")


@pytest.mark.parametrize(
    "name",
    [
        *("_method", "_token", "_csrf", "__RequestVerificationToken", "_charset_"),
        *("csrf_token", "csrfmiddlewaretoken", "csrftoken", "authenticity_token"),
        *("g-recaptcha-response", "h-captcha-response", "cf-turnstile-response"),
    ],
)
def test_what_frameworks_put_into_a_form_is_no_mistake(signup: Form, name: str) -> None:
    signup.field("method")
    signup.field("token")
    for page in (True, False):
        signup.require(values(name), page=page, field=name)


def test_what_else_a_page_has_in_its_form_is_no_mistake(signup: Form) -> None:
    signup.field("password")
    signup.require(values("task_id", "next", "go"), page=True)
    signup.require(values("password2", "password"), page=True, field="password2")
    signup.require([], page=True, field="how")
    refused(signup, "password2", "password", page=False)


def test_a_misspelt_field_of_a_page_is_a_mistake_where_the_right_one_is_missing(
    signup: Form,
) -> None:
    signup.field("email")
    signup.field("tags")
    assert "did you mean 'email'" in refused(signup, "task_id", "emial", page=True)
    assert "did you mean 'tags'" in refused(signup, "email", "tags[]", page=True)
    with pytest.raises(RhtmxError, match="did you mean 'email'"):
        signup.require(values("tags", "emial"), page=True, field="emial")


def test_a_form_may_ignore_what_it_does_not_have() -> None:
    form = Form("items", extra="ignore")
    form.field("items[0].qty")
    for page in (True, False):
        form.require(values("items[1].qty", "anything"), page=page, field="items[2].qty")
    form.extra = "forbid"
    refused(form, "anything")


def test_what_becomes_of_other_names_is_one_of_two_words(signup: Form) -> None:
    with pytest.raises(ValueError, match="form 'signup': extra: 'forbid' or 'ignore', not 'allow'"):
        signup.extra = "allow"  # type: ignore[assignment]


def test_a_long_name_is_neither_compared_nor_sent_back_whole(signup: Form) -> None:
    signup.field("email")
    assert len(refused(signup, "email" * 10_000)) < 200


def test_only_so_many_names_are_compared_and_kept(
    signup: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To find what is like a name takes long: nobody may have that done without end."""
    compared: list[str] = []

    def counted(name: str, known: Iterable[str]) -> str | None:
        compared.append(name)
        return nearest(name, known)

    monkeypatch.setattr("rhtmx_server.trackers.form.nearest", counted)
    signup.field("email")
    for n in range(10_000):
        refused(signup, f"email{n}")
    assert len(compared) == len(signup._alike) == 100
    assert "did you mean" in refused(signup, "email7"), "known from before"
    assert "register it" in refused(signup, "emial")
