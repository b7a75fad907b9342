"""A form that is judged in a handler, by the rules that the page has asked about."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

import rhtmx
from rhtmx_server import App, Config, ErrorCode, File, FormVerdict, Grant, Invalid, RhtmxError
from rhtmx_server.access import signed_in

GOOD = {"email": "bob@example.com", "age": "36", "tags": ["red"]}


@pytest.fixture
def app() -> App:
    app = App(store="memory://", config=Config(port=0))
    signup = app.form("signup")
    signup.field("age", required=True, type=int, ge=18)
    signup.field("tags", many=True, max_items=2)
    signup.field("photo", file=True, accept="image/*")
    signup.field("about", max_length=10)

    @signup.field("email", required=True, email=True)
    async def is_free(value: str) -> None:
        if value == "ada@example.com":
            raise Invalid("is already registered")

    @signup.check
    def not_both(form: Any) -> None:
        if form["email"].startswith(form["age"]):
            raise Invalid("try another email", field="")

    return app


def problems(verdict: FormVerdict | rhtmx.FormValidation) -> list[tuple[str, str]]:
    return [(each.field, each.error) for each in verdict.errors]


@pytest.mark.parametrize(
    "values",
    [
        {},
        GOOD,
        {**GOOD, "email": "ada@example.com", "age": "17"},
        {**GOOD, "email": "36@example.com", "tags": ["red", "blue", "green"]},
        {**GOOD, "photo": File("a.pdf", 7), "about": "much too long"},
    ],
)
async def test_a_handler_gets_the_verdict_that_the_page_gets(app: App, values: Any) -> None:
    async with app, rhtmx.connect(app.url) as client:
        here = await app.form("signup").validate(values)
        there = await client.validate_form("signup", values)
        assert (here.valid, problems(here)) == (there.valid, problems(there))
        assert bool(here) is here.valid


async def test_a_verdict_has_the_values_as_python_has_them(app: App) -> None:
    async with app:
        verdict = await app.form("signup").validate({**GOOD, "email": " bob@example.com"})
    assert verdict.cleaned == {
        "age": 36,
        "tags": ["red"],
        "photo": None,
        "about": "",
        "email": "bob@example.com",
    }
    assert verdict.values["age"] == "36"


async def test_what_is_wrong_is_told_by_field_and_is_not_among_the_cleaned(app: App) -> None:
    async with app:
        verdict = await app.form("signup").validate({"email": "17@example.com", "age": "17"})
    assert verdict.field_errors == {"age": ["must be 18 or more"]}
    assert verdict.form_errors == ["try another email"]
    assert "age" not in verdict.cleaned


async def test_who_asks_is_judged_by_the_forms_access_and_the_app_is_not(app: App) -> None:
    app.form("signup").access(validate=signed_in)
    async with app:
        assert await app.form("signup").validate(GOOD)
        assert await app.form("signup").validate(GOOD, who=Grant("ada"))
        with pytest.raises(RhtmxError) as refused:
            await app.form("signup").validate(GOOD, who=Grant(""))
    assert refused.value.code is ErrorCode.FORBIDDEN


async def test_validators_are_told_who_asks(app: App) -> None:
    seen: list[str] = []

    @app.form("signup").check(blocking=False)
    def note(form: Any, who: Grant) -> None:
        seen.append(who.subject)

    async with app:
        await app.form("signup").validate(GOOD, who=Grant("ada"))
        await app.form("signup").validate(GOOD)
    assert seen == ["ada", ""]


async def test_names_of_the_page_are_ignored_and_misspelt_ones_are_not(app: App) -> None:
    async with app:
        assert await app.form("signup").validate({**GOOD, "csrf_token": "x", "how": "now"})
        with pytest.raises(RhtmxError, match="did you mean 'email'") as wrong:
            await app.form("signup").validate({"emial": "bob@example.com", "age": 36})
    assert wrong.value.code is ErrorCode.UNKNOWN_FORM


async def test_a_thread_judges_a_form_without_awaiting(app: App) -> None:
    async with app:
        verdict = await asyncio.to_thread(app.form("signup").validate_sync, GOOD)
        assert verdict.valid
        with pytest.raises(RhtmxError, match=r"await .*form\.validate\(…\) there") as caught:
            app.form("signup").validate_sync(GOOD)
    assert caught.value.code is ErrorCode.NOT_SUPPORTED


async def test_another_event_loop_awaits_the_verdict_of_the_apps_one(app: App) -> None:
    async with app:
        on_another = partial(asyncio.run, app.form("signup").validate(GOOD))
        assert (await asyncio.to_thread(on_another)).valid


async def test_a_thread_that_waits_for_a_verdict_is_told_when_the_app_stops(app: App) -> None:
    began = asyncio.Event()

    @app.form("signup").field("about")
    async def hangs(value: str) -> None:
        began.set()
        await asyncio.get_running_loop().create_future()

    async with app:
        call = asyncio.create_task(asyncio.to_thread(app.form("signup").validate_sync, GOOD))
        await began.wait()
    with pytest.raises(RhtmxError, match="the app stopped") as caught:
        await call
    assert caught.value.code is ErrorCode.SHUTTING_DOWN


async def test_many_handlers_at_a_time_are_not_one_peer(app: App) -> None:
    """Each call has a share of the threads of its own: half of them are not the most for all."""
    app.configure(Config(port=0, validator_threads=4))
    meet = asyncio.Barrier(5)
    loop = asyncio.get_running_loop()

    @app.form("signup").field("about")
    def meets(value: str) -> None:
        asyncio.run_coroutine_threadsafe(meet.wait(), loop).result()

    async with app:
        calls = [app.form("signup").validate(GOOD) for _ in range(4)]
        verdicts, _ = await asyncio.gather(asyncio.gather(*calls), meet.wait())
    assert all(verdicts)


async def test_an_app_that_does_not_run_says_so(app: App) -> None:
    with pytest.raises(RhtmxError, match="not running") as stopped:
        await app.form("signup").validate(GOOD)
    assert stopped.value.code is ErrorCode.SHUTTING_DOWN
    with pytest.raises(RhtmxError, match="not running"):
        await asyncio.to_thread(app.form("signup").validate_sync, GOOD)
