"""The form `contact`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rhtmx.messages import FormFieldValue, ValidateForm
from rhtmx_server import App
from rhtmx_server.demo.contact import declare_contact
from rhtmx_server.forms.forms import FormTracker
from rhtmx_server.threads import DaemonPool
from tests.unit.rhtmx_server.forms.questions import ME, track

GOOD = {"email": "ada@example.com", "message": "Long enough."}


@pytest.fixture
def forms() -> Iterator[FormTracker]:
    pool = DaemonPool(1)
    app = App(store="memory://")
    declare_contact(app)
    yield track(app.form("contact"), pool)
    pool.shutdown(wait=False, cancel_futures=True)


async def errors(forms: FormTracker, **values: str) -> dict[str, str]:
    """What is wrong with a contact form of these values, by field."""
    fields = [FormFieldValue(field=name, value=value) for name, value in values.items()]
    question = ValidateForm(request_id="r1", form="contact", fields=fields)
    result = await forms.validate_form(question, owner=ME)
    return {error.field: error.error for error in result.errors}


async def test_a_form_with_an_address_and_a_message_is_valid(forms: FormTracker) -> None:
    assert await errors(forms, **GOOD) == {}


async def test_an_empty_form_lacks_address_and_message(forms: FormTracker) -> None:
    assert await errors(forms) == {"email": "is required", "message": "is required"}


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("email", "ada@", "email address"),
        ("message", "too short", "at least 10"),
        ("message", "x" * 2001, "at most 2000"),
        ("answer", "pigeon", "email, phone"),
        ("phone", "call me", "phone number"),
    ],
)
async def test_a_bad_value_is_told(forms: FormTracker, field: str, value: str, words: str) -> None:
    found = await errors(forms, **{**GOOD, field: value})
    assert found.keys() == {field}
    assert words in found[field]


async def test_who_wants_to_be_called_has_to_leave_a_number(forms: FormTracker) -> None:
    assert "phone" in await errors(forms, **GOOD, answer="phone", phone=" ")
    assert await errors(forms, **GOOD, answer="phone", phone="+47 22 33 44 55") == {}
    assert await errors(forms, **GOOD, answer="email") == {}
