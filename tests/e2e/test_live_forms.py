"""Forms that are open are judged again when records change by which they are judged."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

import rhtmx
from rhtmx.messages import ValidationResult
from rhtmx_server import App, Config, Grant, Invalid, Request, Valid
from rhtmx_server.access import role
from tests.support.nodes import Spread
from tests.support.postgres import Postgres
from tests.support.sockets import raw

Ran = Counter[str]


def declare(app: App, ran: Ran) -> None:
    """A form whose user name is free or taken by what `users` has."""
    signup = app.form("signup")

    @signup.field("name", required=True, max_length=20, reads=["users"])
    async def is_free(value: str) -> Valid:
        ran[value] += 1
        found = await app.changes.get("users", value)
        if found is not None:
            raise Invalid("is taken", {"by": found.data})
        return Valid({"free": True})

    @signup.field("nickname", reads=["users"])
    async def differs(value: str, form: Any) -> None:
        if await app.changes.get("users", form["name"]) is not None and value == form["name"]:
            raise Invalid("is the name of somebody")

    signup.field("email", email=True)


def asks(field: str, value: str, request_id: str = "1", **more: Any) -> dict[str, Any]:
    question = {"type": "validate_field", "request_id": request_id, "form": "signup"}
    return {**question, "field": field, "value": value, "live": True, **more}


@pytest.fixture
def ran() -> Ran:
    return Counter()


@pytest.fixture
async def app(ran: Ran) -> AsyncIterator[App]:
    app = App(store="memory://", config=Config(port=0))
    declare(app, ran)
    async with app:
        yield app


async def test_a_name_that_is_taken_meanwhile_is_told_unasked(app: App) -> None:
    async with raw(app.url) as client:
        asked = await client.ask(asks("name", "ada", form_instance="7"), "validation_result")
        assert (asked["valid"], asked["live"]) == (True, True)
        assert "form_instance" not in asked
        await app.changes.push("users", "ada", "Ada")
        assert await client.receive() == {
            "type": "validation_result",
            "request_id": "",
            "form": "signup",
            "field": "name",
            "valid": False,
            "error": "is taken",
            "metadata": {"by": "Ada"},
            "live": True,
            "form_instance": "7",
        }
        await app.changes.delete("users", "ada")
        told = await client.receive()
        assert (told["valid"], told.get("error"), told["metadata"]) == (True, None, {"free": True})


async def silent(client: Any) -> None:
    """Nothing has been told to a client that says nothing, and nothing is under way."""
    await client.send({"type": "ping"})
    assert (await client.receive())["type"] == "pong"


async def test_what_changes_no_verdict_is_not_told(app: App, ran: Ran) -> None:
    async with raw(app.url) as client, raw(app.url) as other:
        await client.ask(asks("name", "ada"), "validation_result")
        await other.ask(asks("name", "bob"), "validation_result")
        await app.changes.push("users", "bob", "Bob")
        await app.changes.push("orders", "ada", 1)
        assert (await other.receive())["field"] == "name"
        assert ran == {"ada": 2, "bob": 2}
        await silent(client)


async def test_an_app_does_not_start_with_a_rule_that_reads_what_there_is_not(app: App) -> None:
    other = App(store="memory://", config=Config(port=0))
    other.entity("users")
    other.form("signup").check(reads=["$conflicts/users"])(lambda form: None)
    async with other:
        pass
    other.form("signup").field("name", reads=["user"])(lambda value: None)
    with pytest.raises(ValueError, match=r"signup\.name .*no entity 'user' .*mean 'users'\?"):
        async with other:
            pass


async def test_who_did_not_ask_for_it_is_told_nothing(app: App, ran: Ran) -> None:
    async with raw(app.url) as client, raw(app.url) as other:
        question = asks("name", "ada")
        del question["live"]
        assert "live" not in await client.ask(question, "validation_result")
        await other.ask(asks("name", "ada"), "validation_result")
        await app.changes.push("users", "ada", "Ada")
        await other.receive()
        assert ran["ada"] == 3
        await silent(client)


async def test_a_field_without_rules_that_read_is_not_live(app: App) -> None:
    async with raw(app.url) as client:
        answer = await client.ask(asks("email", "a@b.example"), "validation_result")
        assert "live" not in answer


async def test_a_form_that_is_closed_is_told_nothing_more(app: App, ran: Ran) -> None:
    async with raw(app.url) as client, raw(app.url) as other:
        for instance in "12":
            await client.ask(asks("name", "ada", form_instance=instance), "validation_result")
        await other.ask(asks("name", "ada"), "validation_result")
        await client.send({"type": "close_form", "form": "signup", "form_instance": "1"})
        await silent(client)
        await app.changes.push("users", "ada", "Ada")
        assert (await client.receive())["form_instance"] == "2"
        await other.receive()
        assert ran["ada"] == 5
        await silent(client)


async def test_a_connection_that_is_gone_costs_no_run(app: App, ran: Ran) -> None:
    async with raw(app.url) as other:
        async with raw(app.url) as client:
            await client.ask(asks("name", "ada"), "validation_result")
        await other.ask(asks("name", "ada"), "validation_result")
        await app.changes.push("users", "ada", "Ada")
        await other.receive()
        assert ran["ada"] == 3


async def test_a_whole_form_that_was_asked_about_is_live_with_its_newest_values(app: App) -> None:
    fields = [{"field": "name", "value": "ada"}, {"field": "nickname", "value": "bob"}]
    whole = {"type": "validate_form", "request_id": "1", "form": "signup", "fields": fields}
    async with raw(app.url) as client:
        answer = await client.ask({**whole, "live": True}, "form_validation_result")
        assert (answer["valid"], answer["live"]) == (True, True)
        # Of a field of its own, with the others: these are what it has now.
        values = [{"field": "name", "value": "cleo"}, {"field": "nickname", "value": "cleo"}]
        await client.ask(asks("email", "a@b.example", values=values), "validation_result")
        await app.changes.push("users", "ada", "Ada")
        await app.changes.push("users", "cleo", "Cleo")
        told = [await client.receive(), await client.receive()]
        assert {(each["field"], each["error"]) for each in told} == {
            ("name", "is taken"),
            ("nickname", "is the name of somebody"),
        }


async def test_many_changes_are_one_run_and_the_last_one_counts(app: App, ran: Ran) -> None:
    async with raw(app.url) as client:
        await client.ask(asks("name", "ada"), "validation_result")
        for number in range(50):
            await app.changes.push("users", "ada", number)
        told = await client.receive()
        while told["metadata"] != {"by": 49}:
            told = await client.receive()
        assert ran["ada"] <= 4


async def test_who_goes_on_to_the_next_field_is_told_of_the_last_one(app: App) -> None:
    """Within the second in which the form is not looked at again."""
    async with raw(app.url) as client, raw(app.url) as other:
        await client.ask(asks("name", "ada", form_instance="1"), "validation_result")
        await other.ask(asks("name", "bob"), "validation_result")
        await app.changes.push("users", "bob", "Bob")
        await other.receive()
        await app.changes.push("users", "ada", "Ada")
        values = [{"field": "name", "value": "ada"}]
        await client.ask(
            asks("nickname", "a", values=values, form_instance="1"), "validation_result"
        )
        assert (await client.receive())["error"] == "is taken"


async def test_a_validator_that_fails_costs_others_nothing_and_is_asked_again(
    app: App, ran: Ran
) -> None:
    @app.form("signup").field("shop", reads=["users"])
    async def fails_at_times(value: str) -> None:
        ran["shop"] += 1
        if ran["shop"] == 2:
            raise OSError("the database is not there")
        if await app.changes.get("users", "ada") is not None:
            raise Invalid("is closed")

    async with raw(app.url) as client:
        await client.ask(asks("shop", "tea"), "validation_result")
        values = [{"field": "shop", "value": "tea"}]
        await client.ask(asks("name", "ada", values=values), "validation_result")
        await app.changes.push("users", "ada", "Ada")
        told = [await client.receive(), await client.receive()]
        assert [(each["field"], each["error"]) for each in told] == [
            ("name", "is taken"),
            ("shop", "is closed"),
        ]
        assert ran["shop"] == 3


def declare_check(app: App) -> None:
    """A check that reads, about one field, and one about the form as a whole."""

    @app.form("signup").check(reads=["shops"])
    async def is_open(form: Any) -> None:
        if (shop := await app.changes.get("shops", "tea")) is not None:
            raise Invalid(f"is {shop.data}", field="nickname")

    @app.form("signup").check(reads=["limits"])
    async def is_allowed(form: Any) -> None:
        if await app.changes.get("limits", form["name"]) is not None:
            raise Invalid("too many")


def whole(**values: str) -> dict[str, Any]:
    fields = [{"field": name, "value": value} for name, value in values.items()]
    question = {"type": "validate_form", "request_id": "1", "form": "signup", "live": True}
    return {**question, "fields": fields}


async def test_checks_of_a_form_that_was_asked_about_are_live_at_the_fields_they_name(
    app: App,
) -> None:
    declare_check(app)
    async with raw(app.url) as client:
        answer = await client.ask(whole(name="ada", nickname="a"), "form_validation_result")
        assert (answer["valid"], answer["live"]) == (True, True)
        await app.changes.push("shops", "tea", "full")
        told = await client.receive()
        assert (told["field"], told["error"], told["live"]) == ("nickname", "is full", True)
        await app.changes.push("limits", "ada", 1)
        told = await client.receive()
        assert (told["field"], told["error"]) == ("", "too many")
        await app.changes.delete("shops", "tea")
        told = await client.receive()
        assert (told["field"], told["valid"]) == ("nickname", True)


async def test_what_a_field_says_itself_comes_before_what_a_check_says_of_it(app: App) -> None:
    declare_check(app)
    await app.changes.push("users", "ada", "Ada")
    async with raw(app.url) as client:
        answer = await client.ask(whole(name="ada", nickname="ada"), "form_validation_result")
        assert [each["field"] for each in answer["errors"]] == ["name", "nickname"]
        await app.changes.push("shops", "tea", "full")
        await app.changes.delete("users", "ada")
        errors: dict[str, str | None] = {}
        while errors.get("nickname") != "is full" or "name" not in errors:
            told = await client.receive()
            errors[told["field"]] = told.get("error")
        assert errors == {"name": None, "nickname": "is full"}


async def test_a_check_says_nothing_of_a_form_that_was_edited_since(app: App, ran: Ran) -> None:
    declare_check(app)
    async with raw(app.url) as client, raw(app.url) as other:
        await client.ask(whole(name="ada", nickname="a"), "form_validation_result")
        await client.ask(asks("name", "bob"), "validation_result")
        await other.ask(whole(name="ada", nickname="a"), "form_validation_result")
        await app.changes.push("limits", "ada", 1)
        await app.changes.push("limits", "bob", 1)
        assert (await other.receive())["error"] == "too many"
        await silent(client)


async def test_an_answer_that_comes_after_an_edit_is_not_what_the_client_was_told(
    app: App,
) -> None:
    entered, waits = asyncio.Event(), asyncio.Event()

    @app.form("signup").check
    async def takes_long(form: Any) -> None:
        entered.set()
        await waits.wait()

    await app.changes.push("users", "ada", "Ada")
    async with raw(app.url) as client:
        await client.send(whole(name="ada"))
        await entered.wait()
        answer = await client.ask(asks("name", "bob", "2"), "validation_result")
        assert answer["valid"]
        waits.set()
        assert (await client.receive())["errors"] == [{"field": "name", "error": "is taken"}]
        await app.changes.push("users", "bob", "Ada")
        told = await client.receive()
        assert (told["field"], told["error"], told["metadata"]) == (
            "name",
            "is taken",
            {"by": "Ada"},
        )


async def test_open_forms_of_many_hold_up_nobody_who_asks() -> None:
    """All threads but half of them are kept for questions, however many forms wait."""
    app = App(store="memory://", config=Config(port=0, validator_threads=2))
    opened, free = threading.Event(), threading.Event()
    free.set()

    @app.form("signup").field("name", reads=["users"])
    def looks(value: str) -> None:
        opened.set()
        assert free.wait(60)

    app.form("contact").field("name")(lambda value: None)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app)
        clients = [await stack.enter_async_context(raw(app.url)) for _ in range(8)]
        for client in clients:
            await client.ask(asks("name", "ada"), "validation_result")
        free.clear()
        opened.clear()
        await app.changes.push("users", "ada", "Ada")
        await asyncio.to_thread(opened.wait, 60)
        question = {**asks("name", "ada"), "form": "contact"}
        assert (await clients[0].ask(question, "validation_result"))["valid"]
        free.set()


async def test_a_commit_that_many_forms_wait_for_is_64_runs_at_a_time_and_one_for_each() -> None:
    app = App(store="memory://", config=Config(port=0))
    runs, inside, peak = 0, 0, 0
    full, go = asyncio.Event(), asyncio.Event()
    go.set()

    @app.form("signup").field("name", reads=["users"])
    async def looks(value: str) -> None:
        nonlocal runs, inside, peak
        runs, inside = runs + 1, inside + 1
        peak = max(peak, inside)
        if inside == 64:
            full.set()
        await go.wait()
        inside -= 1
        if await app.changes.get("users", "ada") is not None:
            raise Invalid("is taken")

    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app)
        clients = [await stack.enter_async_context(raw(app.url)) for _ in range(80)]
        for client in clients:
            await client.ask(asks("name", "ada"), "validation_result")
        runs = 0
        go.clear()
        for number in range(30):
            await app.changes.push("users", "ada", number)
        await full.wait()
        go.set()
        for client in clients:
            assert (await client.receive())["error"] == "is taken"
    assert peak == 64
    # One each for the first commit, and one after the last for those that were judged before it.
    assert 80 <= runs <= 160


async def test_rights_that_were_taken_away_end_it() -> None:
    app = App(store="memory://", config=Config(port=0), authenticate=roles)
    app.entity("users").access(read=role("clerk"))
    ran: Ran = Counter()
    declare(app, ran)
    app.form("signup").access(validate=role("clerk"))
    async with app, raw(app.url) as client, raw(app.url) as other:
        for each in (client, other):
            await each.ask({"type": "hello", "token": "ada:clerk"}, "welcome")
            await each.ask(asks("name", "ada"), "validation_result")
        await client.ask({"type": "authenticate", "token": "ada:guest"}, "authenticated")
        await app.changes.push("users", "ada", "Ada")
        assert (await other.receive())["error"] == "is taken"
        assert ran["ada"] == 3
        await silent(client)


async def roles(request: Request) -> Grant:
    subject, _, name = request.token.partition(":")
    return Grant(subject, roles={name})


async def test_a_python_client_hears_it_and_closes_the_form(app: App, ran: Ran) -> None:
    heard: asyncio.Queue[ValidationResult] = asyncio.Queue()
    async with rhtmx.connect(app.url) as client:
        stop = client.on(ValidationResult, heard.put_nowait)
        assert await client.validate_field("signup", "name", "ada", live=True)
        assert await client.validate_form("signup", {"name": "bob"}, form_instance="2", live=True)
        await app.changes.push("users", "ada", "Ada")
        told = await heard.get()
        assert (told.field, told.error, told.form_instance) == ("name", "is taken", None)
        client.close_form("signup", form_instance="2")
        assert await client.validate_field("signup", "email", "a@b.example")
        await app.changes.push("users", "bob", "Bob")
        await app.changes.delete("users", "ada")
        assert (await heard.get()).valid
        assert heard.empty()
        stop()


async def test_a_python_client_asks_again_on_another_connection_and_tells_what_is_new(
    app: App,
) -> None:
    heard: asyncio.Queue[ValidationResult] = asyncio.Queue()
    async with rhtmx.connect(app.url) as client:
        client.on(ValidationResult, heard.put_nowait)
        assert await client.validate_field("signup", "name", "ada", live=True)
        assert await client.validate_field("signup", "name", "cleo", form_instance="2", live=True)
        assert await client.validate_form("signup", {"name": "bob"}, form_instance="3", live=True)
        assert await client.validate_form("signup", {"name": "dan"}, form_instance="4", live=True)
        client.close_form("signup", form_instance="4")
        client.offline()
        for name in ("ada", "bob", "dan"):
            await app.changes.push("users", name, name)
        client.online()
        told = [await heard.get(), await heard.get()]
        assert [(each.field, each.error, each.form_instance) for each in told] == [
            ("name", "is taken", None),
            ("name", "is taken", "3"),
        ]
        # The server knows them again, and what it tells is told.
        await app.changes.push("users", "cleo", "Cleo")
        assert (await heard.get()).form_instance == "2"
        assert heard.empty()


@pytest.mark.parametrize("whole", [False, True])
async def test_a_form_that_is_closed_while_it_is_asked_about_stays_closed(
    app: App, ran: Ran, whole: bool
) -> None:
    heard: asyncio.Queue[ValidationResult] = asyncio.Queue()
    async with rhtmx.connect(app.url) as client:
        client.on(ValidationResult, heard.put_nowait)
        client.offline()
        asked: asyncio.Future[object] = asyncio.ensure_future(
            client.validate_form("signup", {"name": "ada"}, live=True)
            if whole
            else client.validate_field("signup", "name", "ada", live=True)
        )
        await asyncio.sleep(0)
        client.close_form("signup")
        client.online()
        assert await asked
        assert await client.validate_field("signup", "email", "a@b.example")  # it was told by now
        await app.changes.push("users", "ada", "Ada")
        client.offline()
        client.online()
        assert not await client.validate_field("signup", "name", "ada")
        assert ran == {"ada": 2}
        assert heard.empty()


async def test_a_whole_form_is_asked_about_again_on_another_connection_and_its_checks_live_on(
    app: App,
) -> None:
    declare_check(app)
    heard: asyncio.Queue[ValidationResult] = asyncio.Queue()
    async with rhtmx.connect(app.url) as client:
        client.on(ValidationResult, heard.put_nowait)
        form = {"name": "ada", "nickname": "a"}
        assert await client.validate_form("signup", form, live=True)
        client.offline()
        await app.changes.push("shops", "tea", "full")
        await app.changes.push("limits", "ada", 1)
        client.online()
        told = [await heard.get(), await heard.get()]
        assert [(each.field, each.error, each.live) for each in told] == [
            ("nickname", "is full", True),
            ("", "too many", True),
        ]
        await app.changes.delete("limits", "ada")
        verdict = await heard.get()
        assert (verdict.field, verdict.valid) == ("", True)
        client.offline()
        await app.changes.delete("shops", "tea")
        client.online()
        verdict = await heard.get()
        assert (verdict.field, verdict.valid) == ("nickname", True)
        assert heard.empty()


@pytest.mark.parametrize("field", ["nickname", "email"])
async def test_a_form_that_was_edited_since_is_asked_about_again_by_its_fields(
    app: App, field: str
) -> None:
    """Also by an edit of a field that reads nothing, which the server does not remember alone."""
    declare_check(app)
    heard: asyncio.Queue[ValidationResult] = asyncio.Queue()
    async with rhtmx.connect(app.url) as client:
        client.on(ValidationResult, heard.put_nowait)
        await client.validate_form("signup", {"name": "ada", "nickname": "a"}, live=True)
        others = {"name": "bob", "nickname": "b"}
        await client.validate_field("signup", field, "b@c.example", values=others, live=True)
        client.offline()
        for entity, name in [("limits", "ada"), ("limits", "bob"), ("users", "bob")]:
            await app.changes.push(entity, name, 1)
        client.online()
        told = await heard.get()
        assert (told.field, told.error) == ("name", "is taken")
        await client.validate_field("signup", "email", "b@c.example")
        assert heard.empty()


async def test_a_form_lives_on_at_a_server_that_was_started_again(tmp_path: Path) -> None:
    def server(port: int) -> App:
        app = App(store=f"sqlite:///{tmp_path}/a.db", config=Config(port=port))
        declare(app, Counter())
        declare_check(app)
        return app

    heard: asyncio.Queue[ValidationResult] = asyncio.Queue()
    async with AsyncExitStack() as stack:
        async with server(0) as first:
            port = int(first.url.split(":")[2].split("/")[0])
            client = await stack.enter_async_context(rhtmx.connect(first.url))
            client.on(ValidationResult, heard.put_nowait)
            assert await client.validate_form("signup", {"name": "ada"}, live=True)
            assert await client.validate_field(
                "signup", "name", "bob", form_instance="2", live=True
            )
        async with server(port) as second:
            client.online()
            await second.changes.push("limits", "ada", 1)
            told = await heard.get()
            assert (told.field, told.error, told.form_instance) == ("", "too many", None)
            await second.changes.push("users", "bob", 1)
            told = await heard.get()
            assert (told.field, told.error, told.form_instance) == ("name", "is taken", "2")


async def test_a_form_one_of_whose_validators_fails_lives_on_in_its_other_fields(app: App) -> None:
    failing = False

    @app.form("signup").field("shop", reads=["users"])
    def fails_at_times(value: str) -> None:
        if failing:
            raise OSError("the database is not there")

    heard: asyncio.Queue[ValidationResult] = asyncio.Queue()
    async with rhtmx.connect(app.url) as client:
        client.on(ValidationResult, heard.put_nowait)
        await client.validate_form("signup", {"shop": "tea", "name": "ada"}, live=True)
        client.offline()
        failing = True
        await app.changes.push("users", "ada", "Ada")
        client.online()
        told = await heard.get()
        assert (told.field, told.error) == ("name", "is taken")


async def test_a_question_that_is_not_live_does_not_keep_a_form_from_living_on(app: App) -> None:
    entered, go = asyncio.Event(), asyncio.Event()

    @app.form("signup").check
    async def takes_long(form: Any) -> None:
        if form["nickname"] == "slow":
            entered.set()
            await go.wait()

    heard: asyncio.Queue[ValidationResult] = asyncio.Queue()
    async with rhtmx.connect(app.url) as client:
        client.on(ValidationResult, heard.put_nowait)
        assert await client.validate_form("signup", {"name": "ada"}, live=True)
        asked = asyncio.create_task(client.validate_form("signup", {"nickname": "slow"}))
        await entered.wait()
        client.offline()
        await app.changes.push("users", "ada", "Ada")
        client.online()
        told = await heard.get()
        assert (told.field, told.error) == ("name", "is taken")
        go.set()
        await asked


async def test_a_form_lives_on_that_has_other_fields_by_the_time_it_is_asked_about_again(
    app: App,
) -> None:
    entered, go = asyncio.Event(), asyncio.Event()
    go.set()

    @app.form("order").field("goods", reads=["users"])
    async def takes_long(value: str) -> None:
        if value == "slow":
            entered.set()
            await go.wait()
        if await app.changes.get("users", "ada") is not None:
            raise Invalid("is for nobody else")

    app.form("order").field("note", reads=["users"])(lambda value: None)
    heard: asyncio.Queue[ValidationResult] = asyncio.Queue()
    async with rhtmx.connect(app.url) as client:
        client.on(ValidationResult, heard.put_nowait)
        assert await client.validate_field("order", "goods", "slow", live=True)
        assert await client.validate_field("order", "note", "soon", live=True)
        client.offline()
        entered.clear()
        go.clear()
        client.online()
        await entered.wait()  # it is asked about again, field by field
        assert await client.validate_form("order", {"goods": "tea"}, live=True)
        go.set()
        client.offline()
        await app.changes.push("users", "ada", "Ada")
        client.online()
        told = await heard.get()
        assert (told.field, told.error) == ("goods", "is for nobody else")


async def test_fields_that_are_asked_about_one_by_one_keep_their_values(app: App, ran: Ran) -> None:
    async with raw(app.url) as client:
        await client.ask(asks("name", "ada"), "validation_result")
        await client.ask(asks("nickname", "a"), "validation_result")
        await app.changes.push("users", "ada", "Ada")
        assert (await client.receive())["error"] == "is taken"
        assert ran == {"ada": 2}


async def test_other_questions_are_answered_as_ever_by_a_peer_with_many_open_forms(
    app: App,
) -> None:
    async with raw(app.url) as client:
        for number in range(100):
            await client.ask(asks("name", "ada", form_instance=str(number)), "validation_result")
        await app.changes.push("users", "ada", "Ada")
        told = {(await client.receive())["form_instance"] for _ in range(32)}
        assert told == {str(number) for number in range(68, 100)}
        await silent(client)


async def test_what_is_too_large_to_be_remembered_says_so(app: App) -> None:
    others = [{"field": f"_{number}", "value": ""} for number in range(600)]
    async with raw(app.url) as client:
        answer = await client.ask(asks("name", "ada", values=others), "validation_result")
        assert (answer["valid"], answer.get("live")) == (True, None)
        answer = await client.ask(asks("name", "ada", values=others[:9]), "validation_result")
        assert (answer["valid"], answer.get("live")) == (True, True)


async def test_it_is_told_on_every_server_of_a_cluster(postgres: Postgres, ran: Ran) -> None:
    app = Spread(store=postgres.place())
    for node in app.nodes:
        declare(node, ran)
    async with app, raw(app.url) as one, raw(app.url) as two, raw(app.url) as three:
        clients = (one, two, three)
        for client in clients:
            await client.ask(asks("name", "ada"), "validation_result")
        await app.changes.push("users", "ada", "Ada")
        for client in clients:
            assert (await client.receive())["error"] == "is taken"
