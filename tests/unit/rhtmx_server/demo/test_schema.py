"""What `demo.proto` says, as the server judges it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from rhtmx.messages import FormFieldValue, ValidateForm
from rhtmx.schema import judge
from rhtmx.schema.convert import to_json
from rhtmx_server import App
from rhtmx_server.demo.schema import Column, Task, schema
from rhtmx_server.forms.forms import FormTracker
from rhtmx_server.threads import DaemonPool
from tests.unit.rhtmx_server.forms.questions import ME, track

GOOD = {"email": "ada@example.com", "message": "Long enough."}


@pytest.fixture
def contact() -> Iterator[FormTracker]:
    pool = DaemonPool(1)
    app = App(store="memory://", schema=schema)
    yield track(app.form("contact"), pool)
    pool.shutdown(wait=False, cancel_futures=True)


async def errors(forms: FormTracker, **values: str) -> dict[str, str]:
    """What is wrong with a contact form of these values, by field."""
    fields = [FormFieldValue(field=name, value=value) for name, value in values.items()]
    question = ValidateForm(request_id="r1", form="contact", fields=fields)
    result = await forms.validate_form(question, owner=ME)
    return {error.field: error.error for error in result.errors}


async def test_a_contact_form_with_an_address_and_a_message_is_valid(contact: FormTracker) -> None:
    assert await errors(contact, **GOOD) == {}


async def test_an_empty_contact_form_lacks_address_and_message(contact: FormTracker) -> None:
    assert await errors(contact) == {"email": "is required", "message": "is required"}


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("email", "ada@", "email address"),
        ("message", "too short", "at least 10"),
        ("message", "x" * 2001, "at most 2000"),
        ("answer", "pigeon", "email, phone"),
        ("phone", "call me", "is not a phone number"),
    ],
)
async def test_a_bad_value_is_told(
    contact: FormTracker, field: str, value: str, words: str
) -> None:
    found = await errors(contact, **{**GOOD, field: value})
    assert found.keys() == {field}
    assert words in found[field]


async def test_who_wants_to_be_called_has_to_leave_a_number(contact: FormTracker) -> None:
    needed = {"": "a phone number is needed if we are to call you"}
    assert await errors(contact, **GOOD, answer="phone") == needed
    assert await errors(contact, **GOOD, answer="phone", phone="+47 22 33 44 55") == {}
    assert await errors(contact, **GOOD, answer="email") == {}


TASK = Task(title="Tea", assignee="Ada", notes="With milk", column=Column.DOING)


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"title": ""}, "title", "is required"),
        ({"title": "x" * 201}, "title", "at most 200"),
        ({"assignee": "x" * 101}, "assignee", "at most 100"),
        ({"notes": "x" * 10001}, "notes", "at most 10000"),
        ({"notes": "Tea"}, "", "only repeat its title"),
        ({"column": Column("elsewhere")}, "column", "todo, doing, done"),
    ],
)
def test_a_bad_task_is_told(change: dict[str, Any], field: str, words: str) -> None:
    rules = Task.__rhtmx__.rules
    assert judge(rules, to_json(TASK)) == ()
    (found,) = judge(rules, to_json(replace(TASK, **change)))
    assert found.field == field
    assert words in found.message


def test_who_does_a_task_is_settled_by_whoever_said_it_first_and_all_else_by_the_later_write() -> (
    None
):
    merges = {each.name: each.merge for each in Task.__rhtmx__.rules.fields if each.merge}
    assert merges == {"assignee": "server_wins"}
