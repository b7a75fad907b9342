"""A form of rhtmx as a form of Django."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import Any

import pytest
from django import forms
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

import rhtmx
from rhtmx.errors import RhtmxError
from rhtmx_server import App, Config, Grant, Invalid
from rhtmx_server.access import signed_in
from rhtmx_server.adapters.django import DjangoForm, rhtmx_form
from tests.support.django_settings import configure

configure()

GOOD = "email=bob%40example.com&age=36&tags=red&tags=blue"

Ran = Counter[str]


@pytest.fixture
def ran() -> Ran:
    return Counter()


@pytest.fixture
async def app(ran: Ran) -> AsyncIterator[App]:
    app = App(store="memory://", config=Config(port=0))
    signup = app.form("signup")
    signup.field("tags", many=True, max_items=2)
    signup.field("photo", file=True, max_size=10)
    signup.field("age", required=True, type=int, ge=18)

    @signup.field("email", required=True, email=True)
    async def is_free(value: str) -> None:
        ran["email"] += 1
        if value == "ada@example.com":
            raise Invalid("is already registered")

    @signup.check
    async def is_no_robot(form: Any) -> None:
        if form["age"] == "99":
            raise Invalid("are you there?")

    async with app:
        yield app


async def in_a_view(view: Callable[[], Any]) -> Any:
    """Django runs a plain view in a thread."""
    return await asyncio.to_thread(view)


def judged(form: DjangoForm) -> tuple[bool, dict[str, list[str]]]:
    valid = form.is_valid()
    return valid, {name: [*errors] for name, errors in form.errors.items()}


async def test_a_valid_form_has_the_values_that_rhtmx_has_found(app: App) -> None:
    form = rhtmx_form(app.form("signup"))(QueryDict(GOOD))
    assert await in_a_view(lambda: judged(form)) == (True, {})
    assert form.cleaned_data == {
        "tags": ["red", "blue"],
        "photo": None,
        "age": 36,
        "email": "bob@example.com",
    }


async def test_what_is_wrong_stands_at_its_field_and_the_rest_at_the_form(app: App) -> None:
    make = rhtmx_form(app.form("signup"))
    form = make(QueryDict("email=ada%40example.com&age=17"))
    assert await in_a_view(lambda: judged(form)) == (
        False,
        {"age": ["must be 18 or more"], "email": ["is already registered"]},
    )
    assert "age" not in form.cleaned_data
    form = make(QueryDict(GOOD.replace("36", "99")))
    _, errors = await in_a_view(lambda: judged(form))
    assert errors == {"__all__": ["are you there?"]}


async def test_an_async_view_judges_it_without_a_thread(app: App) -> None:
    form = rhtmx_form(app.form("signup"))(QueryDict(GOOD))
    assert await form.avalidate()
    wrong = rhtmx_form(app.form("signup"))(QueryDict("age=17"))
    assert not await wrong.avalidate()
    assert [*wrong.errors] == ["age", "email"]
    assert not await rhtmx_form(app.form("signup"))().avalidate()
    with pytest.raises(RhtmxError, match=r"await form\.avalidate\(\) in an async view"):
        rhtmx_form(app.form("signup"))(QueryDict(GOOD)).is_valid()


async def test_the_receipt_of_the_page_spares_the_view_the_validators(app: App, ran: Ran) -> None:
    values = {"email": "bob@example.com", "age": "36", "tags": ["red", "blue"]}
    async with rhtmx.connect(app.url) as client:
        receipt = (await client.validate_form("signup", values, receipt=True)).receipt
    form = rhtmx_form(app.form("signup"))(QueryDict(f"{GOOD}&_rhtmx_receipt={receipt}"))
    assert await in_a_view(lambda: judged(form)) == (True, {})
    assert ran["email"] == 1
    assert "_rhtmx_receipt" not in form.cleaned_data


async def test_it_is_shown_with_a_hidden_control_for_the_receipt(app: App) -> None:
    make = rhtmx_form(app.form("signup"))
    assert '<input type="hidden" name="_rhtmx_receipt"' in str(make()["_rhtmx_receipt"])
    again = make(QueryDict("_rhtmx_receipt=AQAG"), prefix="a")
    assert 'name="_rhtmx_receipt" value="AQAG"' in str(again["_rhtmx_receipt"])
    assert [field.name for field in make().hidden_fields()] == ["tags", "_rhtmx_receipt"]


async def test_an_upload_is_judged_by_its_size_and_stays_an_upload(app: App) -> None:
    def view(content: bytes) -> DjangoForm:
        upload = SimpleUploadedFile("a.png", content, "image/png")
        form = rhtmx_form(app.form("signup"))(QueryDict(GOOD), MultiValueDict({"photo": [upload]}))
        form.is_valid()
        return form

    assert (await in_a_view(lambda: view(b"short"))).cleaned_data["photo"].read() == b"short"
    assert [*(await in_a_view(lambda: view(b"much too long"))).errors] == ["photo"]


async def test_fields_of_ones_own_are_shown_and_judged_beside_the_rules(app: App) -> None:
    class SignUp(rhtmx_form(app.form("signup"))):  # type: ignore[misc]
        age = forms.IntegerField(required=False, max_value=50)
        news = forms.BooleanField(required=False)

    form = SignUp(QueryDict(f"{GOOD}&news=on"))
    assert await in_a_view(lambda: judged(form)) == (True, {})
    assert (form.cleaned_data["age"], form.cleaned_data["news"]) == (36, True)
    _, errors = await in_a_view(lambda: judged(SignUp(QueryDict("age=many&email=a%40b.example"))))
    assert errors == {"age": ["Enter a whole number."]}
    _, errors = await in_a_view(lambda: judged(SignUp(QueryDict(GOOD.replace("36", "60")))))
    assert [*errors] == ["age"]


async def test_what_a_class_of_ones_own_makes_of_a_value_stays(app: App) -> None:
    app.form("signup").field("born")

    class SignUp(rhtmx_form(app.form("signup"))):  # type: ignore[misc]
        born = forms.DateField(required=False)

        def clean_age(self) -> int:
            return int(self.cleaned_data["age"] + 1)

        def clean_email(self) -> str:
            return str(self.cleaned_data["email"]).upper()

    form = SignUp(QueryDict(f"{GOOD}&born=2000-02-29"))
    assert await in_a_view(lambda: judged(form)) == (True, {})
    assert (form.cleaned_data["age"], form.cleaned_data["born"]) == (37, date(2000, 2, 29))
    assert form.cleaned_data["email"] == "BOB@EXAMPLE.COM"
    # As of any form of Django they are not asked about what is wrong.
    _, errors = await in_a_view(lambda: judged(SignUp(QueryDict("age=many&email=a%40b.example"))))
    assert [*errors] == ["age"]


async def test_a_prefix_is_taken_from_the_names(app: App) -> None:
    make = rhtmx_form(app.form("signup"))
    values = QueryDict("a-email=bob%40example.com&a-age=36&age=7&csrfmiddlewaretoken=x")
    assert await in_a_view(lambda: judged(make(values, prefix="a"))) == (True, {})
    assert await in_a_view(lambda: judged(make({"email": "bob@example.com", "age": 36}))) == (
        True,
        {},
    )


async def test_who_has_sent_it_may_use_the_form_or_not(app: App) -> None:
    app.form("signup").access(validate=signed_in)
    make = rhtmx_form(app.form("signup"))
    for who in (Grant("ada"), None):
        assert await in_a_view(make(QueryDict(GOOD), who=who).is_valid)
    with pytest.raises(PermissionDenied):
        await in_a_view(make(QueryDict(GOOD), who=Grant("")).is_valid)
    with pytest.raises(PermissionDenied):
        await make(QueryDict(GOOD), who=Grant("")).avalidate()
