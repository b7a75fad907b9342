"""Forms: one field, and the whole."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    FieldError,
    FormFieldValue,
    FormValidationResult,
    ValidateField,
    ValidateForm,
    ValidationResult,
)
from rhtmx_server.access.grant import GUEST, Grant
from rhtmx_server.access.rules import role
from rhtmx_server.forms.entries import FormValues
from rhtmx_server.forms.form import Form
from rhtmx_server.forms.forms import FormTracker
from rhtmx_server.threads import DaemonPool
from rhtmx_server.verdicts import Invalid, Valid
from tests.unit.rhtmx_server.forms.questions import (
    ME,
    Gate,
    ask,
    at_once,
    question,
    track,
    whole,
)


@pytest.fixture
def signup() -> Form:
    return Form("signup")


@pytest.fixture
def tracker(signup: Form) -> Iterator[FormTracker]:
    pool = DaemonPool(2)
    yield track(signup, pool)
    pool.shutdown(wait=False, cancel_futures=True)


@pytest.fixture
def gated(signup: Form) -> Gate:
    """The validator of `email`."""
    gate = Gate()
    signup.field("email")(gate.wait)
    return gate


async def test_the_answer_names_request_form_and_field(tracker: FormTracker, signup: Form) -> None:
    signup.field("age", ge=18)
    assert await ask(tracker, question("age", "17")) == ValidationResult(
        request_id="r1", form="signup", field="age", valid=False, error="must be 18 or more"
    )


async def test_a_field_without_validators_is_valid(tracker: FormTracker, signup: Form) -> None:
    signup.field("nickname")
    assert (await ask(tracker, question("nickname", ""))).valid


async def test_an_unknown_form_is_an_error_at_once(tracker: FormTracker) -> None:
    message = ValidateField(request_id="r", form="sign-up", field="a", value="")
    for call in (tracker.validate_field, tracker.try_validate_field):
        with pytest.raises(RhtmxError, match="no form 'sign-up' is registered here") as caught:
            call(message, owner=ME)
        assert caught.value.code is ErrorCode.UNKNOWN_FORM


async def test_a_long_name_of_an_unknown_form_is_not_sent_back_whole(tracker: FormTracker) -> None:
    with pytest.raises(RhtmxError) as caught:
        tracker.try_validate_field(ValidateField(form="x" * 10_000), owner=ME)
    assert len(caught.value.message) < 200


async def test_an_unknown_field_is_an_error_however_it_is_asked_about(
    tracker: FormTracker, signup: Form
) -> None:
    signup.field("email", required=True)
    signup.field("password")(lambda value, form: None)
    wrong = {
        "the field": question("emial", "x"),
        "another value": question("email", "x", emial="y"),
        "another value, for a validator": question("password", "x", emial="y"),
    }
    for message in wrong.values():
        for call in (tracker.validate_field, tracker.try_validate_field):
            with pytest.raises(
                RhtmxError, match="no field 'emial': did you mean 'email'"
            ) as caught:
                call(message, owner=ME)
            assert caught.value.code is ErrorCode.UNKNOWN_FORM
    with pytest.raises(RhtmxError, match="no field 'emial': did you mean 'email'"):
        await tracker.validate_form(whole(emial="x", email="y"), owner=ME)


async def test_what_else_a_page_has_in_its_form_does_not_keep_it_from_being_valid(
    tracker: FormTracker, signup: Form
) -> None:
    """A page sends all that its form holds; `form_instance` says that it is one."""
    signup.field("email", required=True)
    others = [FormFieldValue(field="task_id", value="7"), FormFieldValue(field="email", value="x")]
    form = ValidateForm(form="signup", fields=others, form_instance="1")
    assert (await tracker.validate_form(form, owner=ME)).valid
    assert at_once(tracker, question("email", "x", instance="1", task_id="7")).valid
    with pytest.raises(RhtmxError, match="no field 'task_id'"):
        await tracker.validate_form(ValidateForm(form="signup", fields=others), owner=ME)
    with pytest.raises(RhtmxError, match="no field 'task_id'"):
        at_once(tracker, question("email", "x", task_id="7"))
    assert at_once(tracker, question("how", "now", instance="1", email="x")).valid, "a button"
    with pytest.raises(RhtmxError, match="no field 'how'"):
        at_once(tracker, question("how", "now", email="x"))
    with pytest.raises(RhtmxError, match="did you mean 'email'"):
        at_once(tracker, question("emial", "x", instance="1", emial="x"))


async def test_a_form_that_ignores_other_names_takes_them_for_valid(
    tracker: FormTracker, signup: Form
) -> None:
    signup.names.extra = "ignore"
    signup.field("email", required=True)
    assert at_once(tracker, question("items[1].qty", "x")).valid
    assert at_once(tracker, question("email", "x", other="y")).valid
    assert (await tracker.validate_form(whole(email="x", other="y"), owner=ME)).valid


def test_ready_made_rules_answer_without_a_loop(tracker: FormTracker, signup: Form) -> None:
    signup.field("age", required=True, ge=18)
    assert at_once(tracker, question("age", "18")).valid
    assert not at_once(tracker, question("age", "")).valid


def test_a_rule_that_fails_before_the_first_validator_answers_without_a_loop(
    tracker: FormTracker, signup: Form
) -> None:
    signup.field("email", email=True)(lambda value: None)
    assert not at_once(tracker, question("email", "nope")).valid
    assert tracker.try_validate_field(question("email", "ada@example.com"), owner=ME) is None


async def test_the_first_failure_is_the_error_and_the_rest_is_not_asked(
    tracker: FormTracker, signup: Form
) -> None:
    asked = []

    @signup.field("email")
    async def first(value: str) -> None:
        raise Invalid("taken", metadata="hint")

    @signup.field("email")
    async def second(value: str) -> None:
        asked.append(value)

    result = await ask(tracker, question("email", "x"))
    assert (result.valid, result.error, result.metadata) == (False, "taken", b'"hint"')
    assert asked == []


async def test_rules_after_a_validator_are_checked_after_it(
    tracker: FormTracker, signup: Form
) -> None:
    signup.field("email")(lambda value: Valid("seen"))
    signup.field("email", max_length=3)
    result = await ask(tracker, question("email", "four"))
    assert (result.valid, result.metadata) == (False, None)


async def test_of_several_metadata_the_last_counts(tracker: FormTracker, signup: Form) -> None:
    signup.field("email")(lambda value: Valid(1))
    signup.field("email")(lambda value: Valid(2))
    signup.field("email")(lambda value: None)
    result = await ask(tracker, question("email", "x"))
    assert (result.valid, result.metadata) == (True, b"2")


async def test_a_validator_is_asked_about_an_empty_value(
    tracker: FormTracker, signup: Form
) -> None:
    @signup.field("email", email=True)
    async def wanted(value: str) -> None:
        raise Invalid("say something")

    assert (await ask(tracker, question("email", ""))).error == "say something"


async def test_a_validator_sees_the_other_values_and_its_own(
    tracker: FormTracker, signup: Form
) -> None:
    signup.field("password")

    @signup.field("password2")
    async def same(value: str, form: FormValues) -> None:
        if value != form["password"] or form["password2"] != value:
            raise Invalid("passwords differ")

    assert (await ask(tracker, question("password2", "a", password="a"))).valid
    assert not (await ask(tracker, question("password2", "a", password="b"))).valid
    assert not (await ask(tracker, question("password2", "a"))).valid


async def test_one_validator_of_a_field_sees_the_form_though_another_does_not(
    tracker: FormTracker, signup: Form
) -> None:
    signup.field("password")
    signup.field("password2")(lambda value: None)

    @signup.field("password2")
    async def same(value: str, form: FormValues) -> None:
        if form["password"] != value:
            raise Invalid("passwords differ")

    assert (await ask(tracker, question("password2", "a", password="a"))).valid
    assert not (await ask(tracker, question("password2", "a", password="b"))).valid


async def test_every_registered_field_is_checked_also_those_left_out(
    tracker: FormTracker, signup: Form
) -> None:
    signup.field("email", required=True)
    signup.field("age", required=True, ge=18)
    signup.field("name", max_length=3)
    result = await tracker.validate_form(whole(age="17", _method="put"), owner=ME)
    assert result == FormValidationResult(
        request_id="r2",
        form="signup",
        valid=False,
        errors=[
            FieldError(field="email", error="is required"),
            FieldError(field="age", error="must be 18 or more"),
        ],
    )


async def test_a_form_without_errors_is_valid(tracker: FormTracker, signup: Form) -> None:
    signup.field("age", ge=18)
    signup.field("email")(lambda value: Valid("hint"))
    signup.check(lambda form: None)
    result = await tracker.validate_form(whole(age="18", email="x"), owner=ME)
    assert (result.valid, result.errors) == (True, [])


async def test_checks_come_last_and_name_their_field_or_the_form(
    tracker: FormTracker, signup: Form
) -> None:
    signup.field("password")
    signup.field("password2", required=True)

    @signup.check
    async def same(form: FormValues) -> None:
        if form["password"] != form["password2"]:
            raise Invalid("passwords differ", field="password2")

    @signup.check
    def never(form: FormValues) -> None:
        raise Invalid("not today")

    result = await tracker.validate_form(whole(password="a"), owner=ME)
    assert [(error.field, error.error) for error in result.errors] == [
        ("password2", "is required"),
        ("password2", "passwords differ"),
        ("", "not today"),
    ]


async def test_a_field_validator_speaks_for_its_own_field(
    tracker: FormTracker, signup: Form
) -> None:
    @signup.field("email")
    async def taken(value: str) -> None:
        raise Invalid("taken", field="name")

    result = await tracker.validate_form(whole(email="x"), owner=ME)
    assert [error.field for error in result.errors] == ["email"]


async def test_all_that_waits_runs_at_the_same_time(tracker: FormTracker, signup: Form) -> None:
    together = asyncio.Barrier(3)

    async def meet(value: str) -> None:
        await together.wait()

    signup.field("a")(meet)
    signup.field("b")(meet)
    signup.check(meet)
    assert (await tracker.validate_form(whole(), owner=ME)).valid


async def test_a_validator_that_fails_fails_the_form_and_ends_the_others(
    tracker: FormTracker, signup: Form, gated: Gate
) -> None:
    @signup.field("age")
    async def broken(value: str) -> None:
        await gated.begun.get()
        raise ZeroDivisionError

    with pytest.raises(RhtmxError) as caught:
        await tracker.validate_form(whole(email="x"), owner=ME)
    assert caught.value.code is ErrorCode.INTERNAL
    await asyncio.wait_for(gated.gave_up.wait(), 60)
    assert gated.cancelled == ["x"]


async def test_a_form_does_not_supersede_a_field(tracker: FormTracker, gated: Gate) -> None:
    field = tracker.validate_field(question("email", "field"), owner=ME)
    form = asyncio.create_task(tracker.validate_form(whole(email="form"), owner=ME))
    assert {await gated.begun.get() for _ in range(2)} == {"field", "form"}
    gated.open.set()
    assert (await field).valid
    assert (await form).valid


async def test_an_unknown_form_is_an_error_as_a_whole_too(tracker: FormTracker) -> None:
    with pytest.raises(RhtmxError) as caught:
        await tracker.validate_form(ValidateForm(form="nope"), owner=ME)
    assert caught.value.code is ErrorCode.UNKNOWN_FORM


CLERK = Grant("bob", roles={"clerk"})


async def test_whoever_may_not_use_a_form_is_told_so_whatever_they_ask(
    tracker: FormTracker, signup: Form
) -> None:
    asked: list[str] = []
    signup.access(validate=role("clerk")).field("email")(asked.append)
    whose = (Grant("ada"), GUEST)
    for who in whose:
        for message in (question("email", "x"), question("never", "x")):
            for call in (tracker.validate_field, tracker.try_validate_field):
                with pytest.raises(RhtmxError, match="'signup': you may not use it") as caught:
                    call(message, owner=ME, who=who)
                assert caught.value.code is ErrorCode.FORBIDDEN
        with pytest.raises(RhtmxError, match="you may not use it"):
            await tracker.validate_form(whole(email="x"), owner=ME, who=who)
    assert asked == []
    assert (await tracker.validate_field(question("email", "x"), owner=ME, who=CLERK)).valid
    assert (await tracker.validate_form(whole(email="x"), owner=ME, who=CLERK)).valid
    assert asked == ["x", "x"]


async def test_validators_are_told_who_asks(tracker: FormTracker, signup: Form) -> None:
    @signup.field("email")
    def plain(value: str, who: Grant) -> None:
        if who.subject != "bob":
            raise Invalid(f"not for {who.subject or 'guests'}")

    @signup.check
    async def check(form: FormValues, who: Grant) -> None:
        raise Invalid(f"{who.subject} is known", field="email")

    answer = await tracker.validate_field(question("email", "x"), owner=ME, who=CLERK)
    assert answer.valid
    refused = await tracker.validate_field(question("email", "x"), owner=ME, who=Grant("ada"))
    assert refused.error == "not for ada"
    assert (await ask(tracker, question("email", "x"))).error == "not for guests"
    result = await tracker.validate_form(whole(email="x"), owner=ME, who=CLERK)
    assert [each.error for each in result.errors] == ["bob is known"]
