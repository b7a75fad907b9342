"""The form `signup`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rhtmx.messages import FormFieldValue, ValidateForm
from rhtmx_server import App
from rhtmx_server.demo.schema import schema
from rhtmx_server.demo.signup import add_validators
from rhtmx_server.forms.forms import FormTracker
from rhtmx_server.threads import DaemonPool
from tests.unit.rhtmx_server.forms.questions import ME, question, track

GOOD = {"username": "ada_1815", "email": "ada@example.com", "age": "36"}


async def taken(username: str) -> bool:
    return username == "grace"


@pytest.fixture
def forms() -> Iterator[FormTracker]:
    app = App(store="memory://", schema=schema)
    add_validators(app, taken)
    pool = DaemonPool(1)
    yield track(app.form("signup"), pool)
    pool.shutdown(wait=False, cancel_futures=True)


async def errors(forms: FormTracker, **values: str) -> dict[str, str]:
    """What is wrong with a form of these values, by field."""
    fields = [FormFieldValue(field=name, value=value) for name, value in values.items()]
    asked = ValidateForm(request_id="r1", form="signup", fields=fields)
    result = await forms.validate_form(asked, owner=ME)
    return {error.field: error.error for error in result.errors}


async def test_a_free_name_an_address_and_an_age_are_enough(forms: FormTracker) -> None:
    assert await errors(forms, **GOOD) == {}


async def test_an_empty_form_lacks_these_three(forms: FormTracker) -> None:
    assert await errors(forms) == dict.fromkeys(GOOD, "is required")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("username", "grace", "“grace” is taken"),
        ("username", "ab", "3 to 20"),
        ("username", "a" * 21, "3 to 20"),
        ("username", "Ada", "3 to 20"),
        ("username", "1815ada", "a letter first"),
        ("username", " ada", "3 to 20"),
        ("username", "<b>ada</b>", "3 to 20"),
        ("email", "ada@", "email address"),
        ("age", "12", "between 13 and 120"),
        ("age", "121", "between 13 and 120"),
        ("age", "thirty", "whole number"),
        ("guardian", "my mother", "email address"),
        ("guardian", "ada@example.com", "your own address"),
    ],
)
async def test_a_bad_value_is_told(forms: FormTracker, field: str, value: str, words: str) -> None:
    found = await errors(forms, **{**GOOD, field: value})
    assert found.keys() == {field}
    assert words in found[field]


@pytest.mark.parametrize(("age", "needed"), [("17", True), ("18", False), (" 13 ", True)])
async def test_who_is_not_of_age_names_a_guardian(
    forms: FormTracker, age: str, needed: bool
) -> None:
    assert ("guardian" in await errors(forms, **{**GOOD, "age": age})) is needed
    assert await errors(forms, **{**GOOD, "age": age}, guardian="byron@example.com") == {}


async def test_an_age_that_is_none_is_told_at_the_age_alone(forms: FormTracker) -> None:
    assert (await errors(forms, **{**GOOD, "age": "9" * 5000})).keys() == {"age"}


async def test_a_page_can_tell_a_taken_name_from_a_bad_one(forms: FormTracker) -> None:
    assert (await forms.validate_field(question("username", "grace"), owner=ME)).metadata
    assert not (await forms.validate_field(question("username", "g"), owner=ME)).metadata
