"""Forms: fields that have several values, and files."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rhtmx.errors import RhtmxError
from rhtmx.messages import FormFieldValue, FormFile, ValidateField, ValidateForm
from rhtmx.values.form_value import File
from rhtmx_server.forms.entries import FormValues
from rhtmx_server.forms.form import Form
from rhtmx_server.forms.forms import FormTracker
from rhtmx_server.threads import DaemonPool
from rhtmx_server.verdicts import Invalid
from tests.unit.rhtmx_server.forms.questions import (
    ME,
    Gate,
    ask,
    at_once,
    is_superseded,
    question,
    track,
)


@pytest.fixture
def signup() -> Form:
    return Form("signup")


@pytest.fixture
def tracker(signup: Form) -> Iterator[FormTracker]:
    pool = DaemonPool(2)
    yield track(signup, pool)
    pool.shutdown(wait=False, cancel_futures=True)


CV = FormFieldValue("cv", "cv.pdf", FormFile("cv.pdf", 3, "application/pdf"))
NO_CV = FormFieldValue("cv", "", FormFile("", 0, "application/octet-stream"))


def several(field: str, *values: str) -> list[FormFieldValue]:
    return [FormFieldValue(field, value) for value in values]


def about(field: str, values: list[FormFieldValue]) -> ValidateField:
    return ValidateField("r1", "signup", field, values[0].value, values=values)


async def judged(tracker: FormTracker, *values: FormFieldValue) -> list[tuple[str, str]]:
    form = ValidateForm("r2", "signup", list(values))
    result = await tracker.validate_form(form, owner=ME)
    return [(each.field, each.error) for each in result.errors]


async def test_ready_made_rules_see_every_value_of_a_field_and_of_a_form(
    tracker: FormTracker, signup: Form
) -> None:
    signup.field("tags", one_of=["red", "blue"])
    words = "“mauve” must be one of: red, blue"
    good, bad = several("tags", "red", "blue"), several("tags", "mauve", "blue")
    assert at_once(tracker, about("tags", good)).valid
    assert at_once(tracker, about("tags", bad)).error == words
    assert await judged(tracker, *good) == []
    assert await judged(tracker, *bad) == [("tags", words)]


async def test_a_value_alone_is_what_a_question_is_about_whatever_else_the_form_has(
    tracker: FormTracker, signup: Form
) -> None:
    signup.field("tags", one_of=["red"])
    signup.field("email")
    assert at_once(tracker, question("tags", "red", email="x")).valid
    assert not at_once(tracker, question("tags", "x", email="red")).valid


async def test_a_validator_is_asked_once_about_all_that_its_field_has(
    tracker: FormTracker, signup: Form
) -> None:
    seen: list[object] = []

    @signup.field("agree")
    async def agree(value: str, form: FormValues) -> None:
        seen.append((value, form["agree"], form.getlist("agree")))

    @signup.field("tags", many=True, max_items=3)
    async def tags(value: list[str], form: FormValues) -> None:
        seen.append((value, form["tags"], form.getlist("tags")))

    pair, group = several("agree", "false", "true"), several("tags", "", "red", "blue")
    one = ("true", "true", ["false", "true"])
    many = (["red", "blue"], "blue", ["", "red", "blue"])
    for ask_about, expected in ((pair, one), (group, many)):
        seen.clear()
        await ask(tracker, about(ask_about[0].field, ask_about))
        assert seen == [expected]
    seen.clear()
    assert await judged(tracker, *pair, *group) == []
    assert seen == [one, many]


async def test_a_validator_of_files_gets_the_file_and_a_check_all_of_them(
    tracker: FormTracker, signup: Form
) -> None:
    signup.field("pages", many=True, file=True, max_items=2)

    @signup.field("cv", file=True, required=True)
    async def not_empty(value: File | None) -> None:
        if value is not None and not value.size:
            raise Invalid("is empty")

    @signup.check
    async def not_too_much(form: FormValues) -> None:
        if sum(file.size for file in form.files("pages")) > 5:
            raise Invalid("are too much together", field="pages")

    empty = FormFieldValue("cv", "cv.pdf", FormFile("cv.pdf", 0, ""))
    pages = [FormFieldValue("pages", name, FormFile(name, 3, "")) for name in ("1", "2", "3")]
    assert await judged(tracker, CV, *pages[:1]) == []
    assert await judged(tracker, empty, *pages[:2]) == [
        ("cv", "is empty"),
        ("pages", "are too much together"),
    ]
    assert await judged(tracker, NO_CV, *pages[:1]) == [("cv", "is required")]
    assert await judged(tracker) == [("cv", "is required")]
    assert (await ask(tracker, about("cv", [empty]))).error == "is empty"
    assert (await ask(tracker, about("cv", [CV]))).valid
    too_many = at_once(tracker, about("pages", pages)).error
    assert too_many == "has too many files: 3, at most 2 allowed"


async def test_rules_after_a_validator_see_every_value_too(
    tracker: FormTracker, signup: Form
) -> None:
    signup.field("tags")(lambda value: None)
    signup.field("tags", one_of=["red", "blue"])
    asked_about = about("tags", several("tags", "mauve", "red"))
    assert (await ask(tracker, asked_about)).error == "“mauve” must be one of: red, blue"


async def test_a_newer_question_supersedes_one_of_several_values(
    tracker: FormTracker, signup: Form
) -> None:
    gate = Gate()
    signup.field("tags", many=True)(gate.wait)
    older = tracker.validate_field(about("tags", several("tags", "red", "blue")), owner=ME)
    assert await gate.begun.get() == ["red", "blue"]
    newer = tracker.validate_field(about("tags", several("tags", "red")), owner=ME)
    assert await is_superseded(older)
    gate.open.set()
    assert (await newer).valid


async def test_a_repeated_name_that_the_form_does_not_have_is_a_mistake_as_one_is(
    tracker: FormTracker, signup: Form
) -> None:
    signup.field("tags")
    for values in (several("tag", "a", "b"), [*several("tags", "a", "b"), *several("tagz", "c")]):
        with pytest.raises(RhtmxError, match="did you mean 'tags'"):
            await judged(tracker, *values)


async def test_a_text_for_a_field_of_files_is_no_file_also_where_it_has_no_rules(
    tracker: FormTracker, signup: Form
) -> None:
    seen: list[File | None] = []
    signup.field("cv", file=True)(seen.append)
    assert await judged(tracker, FormFieldValue("cv", "cv.pdf")) == [("cv", "is not a file")]
    assert seen == []
    assert await judged(tracker, NO_CV) == []
    assert seen == [None]
