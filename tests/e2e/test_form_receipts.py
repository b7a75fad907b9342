"""Receipts of forms: what a page has had judged is not judged again in the handler."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

import rhtmx
from rhtmx_server import App, Config, Grant, Invalid, Request
from tests.support.sockets import raw

VALUES = {"email": "bob@example.com", "nickname": "bob", "age": "36"}

Ran = Counter[str]


def make(ran: Ran, config: Config | None = None, **more: Any) -> App:
    """An app whose validators count how often they are run."""
    app = App(config=config or Config(port=0), **{"store": "memory://", **more})
    app.entity("users")
    signup = app.form("signup")
    signup.field("age", required=True, type=int, ge=18)

    @signup.field("email", required=True, email=True)
    async def email_is_free(value: str) -> None:
        ran["email"] += 1
        if value == "ada@example.com":
            raise Invalid("is already registered")

    @signup.field("nickname", reads=["users"])
    async def nickname_is_free(value: str) -> None:
        ran["nickname"] += 1
        if await app.changes.get("users", value) is not None:
            raise Invalid("is taken")

    @signup.check
    def differ(form: Any) -> None:
        ran["form"] += 1
        if form["email"] == form["nickname"]:
            raise Invalid("must not be the email", field="nickname")

    return app


@pytest.fixture
def ran() -> Ran:
    return Counter()


@pytest.fixture
def app(ran: Ran) -> App:
    return make(ran)


async def asked(app: App, ran: Ran, token: str | None = None) -> str:
    """The receipt of a page that has asked about the whole form; all validators were run once."""
    async with rhtmx.connect(app.url, token=token) as client:
        verdict = await client.validate_form("signup", VALUES, receipt=True)
    assert verdict.valid
    assert verdict.receipt is not None
    assert ran == {"email": 1, "nickname": 1, "form": 1}
    ran.clear()
    return verdict.receipt


async def test_a_handler_runs_no_validator_again_for_the_same_values(app: App, ran: Ran) -> None:
    async with app:
        receipt = await asked(app, ran)
        assert await app.form("signup").validate(VALUES, receipt=receipt)
        assert ran == {}


async def test_a_receipt_comes_along_in_the_form_that_the_page_posts(app: App, ran: Ran) -> None:
    async with app:
        receipt = await asked(app, ran)
        verdict = await app.form("signup").validate({**VALUES, "_rhtmx_receipt": receipt})
        assert verdict.valid
        assert ran == {}
        assert "_rhtmx_receipt" not in verdict.values


async def test_rules_that_take_no_time_are_always_checked(app: App, ran: Ran) -> None:
    async with app:
        receipt = await asked(app, ran)
        verdict = await app.form("signup").validate({**VALUES, "age": "17"}, receipt=receipt)
        assert verdict.field_errors == {"age": ["must be 18 or more"]}


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({"email": "cleo@example.com"}, {"email": 1, "form": 1}),
        ({"nickname": "cleo"}, {"nickname": 1, "form": 1}),
        ({"age": "37"}, {"form": 1}),
        ({"other": "x"}, {"form": 1}),
    ],
)
async def test_what_changed_is_judged_again_by_all_that_see_it(
    app: App, ran: Ran, change: dict[str, str], again: dict[str, int]
) -> None:
    async with app:
        receipt = await asked(app, ran)
        assert await app.form("signup").validate({**VALUES, **change}, receipt=receipt)
        assert ran == again


async def test_a_validator_is_run_again_once_what_it_reads_has_changed(app: App, ran: Ran) -> None:
    async with app:
        receipt = await asked(app, ran)
        await app.changes.push("users", "bob", {})
        verdict = await app.form("signup").validate(VALUES, receipt=receipt)
        assert verdict.field_errors == {"nickname": ["is taken"]}
        assert ran == {"nickname": 1}


@pytest.mark.parametrize("receipt", ["", "x", "AQ", "é" * 9, "A" * 100_000, "\0"])
async def test_whatever_else_comes_is_no_error_and_worth_nothing(
    app: App, ran: Ran, receipt: str
) -> None:
    async with app:
        assert await app.form("signup").validate(VALUES, receipt=receipt)
        assert ran == {"email": 1, "nickname": 1, "form": 1}


async def test_the_receipt_of_another_subject_is_worth_nothing(ran: Ran) -> None:
    async def authenticate(request: Request) -> Grant:
        return Grant(request.token)

    app = make(ran, authenticate=authenticate)
    async with app:
        receipt = await asked(app, ran, token="ada")
        signup = app.form("signup")
        assert await signup.validate(VALUES, who=Grant("ada"), receipt=receipt)
        assert ran == {}
        for other in (Grant("bob"), None):
            assert await signup.validate(VALUES, who=other, receipt=receipt)
        assert ran == {"email": 2, "nickname": 2, "form": 2}


async def test_a_verdict_of_a_handler_has_a_receipt_and_used_ones_grow_no_younger(
    app: App, ran: Ran
) -> None:
    async with app:
        first = await app.form("signup").validate(VALUES)
        again = await app.form("signup").validate(VALUES, receipt=first.receipt)
        assert first.receipt is not None
        assert again.receipt == first.receipt
        wrong = await app.form("signup").validate({**VALUES, "age": "7"}, receipt=first.receipt)
        assert wrong.receipt is None


@pytest.mark.parametrize(
    ("secret", "other", "is_taken"),
    [
        ("a secret of 16 letters", "a secret of 16 letters", True),
        ("a secret of 16 letters", "another one of 16 letters", False),
        (None, None, False),
    ],
)
async def test_another_server_takes_the_receipts_of_the_same_secret(
    ran: Ran, tmp_path: Any, secret: str | None, other: str | None, is_taken: bool
) -> None:
    """The epoch is one: a store that was restored is another."""
    store = f"sqlite:///{tmp_path / 'app.db'}"
    async with make(ran, Config(port=0, secret=secret), store=store) as app:
        receipt = await asked(app, ran)
    async with make(ran, Config(port=0, secret=other), store=store) as app:
        assert await app.form("signup").validate(VALUES, receipt=receipt)
    assert (ran == {}) is is_taken


async def test_a_rule_that_was_edited_is_run_again(ran: Ran, tmp_path: Any) -> None:
    store, config = f"sqlite:///{tmp_path / 'app.db'}", Config(port=0, secret="x" * 16)

    def with_rule(rule: Callable[[str], None]) -> App:
        app = App(store=store, config=config)
        app.form("signup").field("email")(rule)
        return app

    def rule(value: str) -> None:
        ran["before"] += 1

    def edited(value: str) -> None:
        ran["after"] += 1

    edited.__qualname__ = rule.__qualname__
    async with with_rule(rule) as app:
        receipt = (await app.form("signup").validate(VALUES)).receipt
        assert await app.form("signup").validate(VALUES, receipt=receipt)
    async with with_rule(edited) as app:
        assert await app.form("signup").validate(VALUES, receipt=receipt)
    assert ran == {"before": 1, "after": 1}


async def test_only_who_asks_for_a_receipt_gets_one(app: App) -> None:
    fields = [{"field": name, "value": value} for name, value in VALUES.items()]
    question = {"type": "validate_form", "request_id": "1", "form": "signup", "fields": fields}
    async with app, raw(app.url) as client:
        assert "receipt" not in await client.ask(question, "form_validation_result")
        wanted = {**question, "with_receipt": True}
        assert "receipt" in await client.ask(wanted, "form_validation_result")
        wrong = {**wanted, "fields": []}
        assert "receipt" not in await client.ask(wrong, "form_validation_result")


async def test_a_form_without_validators_has_none(app: App) -> None:
    app.form("contact").field("email", email=True)
    async with app, rhtmx.connect(app.url) as client:
        verdict = await client.validate_form("contact", {"email": "a@b.example"}, receipt=True)
        assert verdict.valid
        assert verdict.receipt is None


async def test_no_receipt_seconds_are_no_receipts(ran: Ran) -> None:
    async with make(ran, Config(port=0, receipt_seconds=0)) as app:
        assert (await app.form("signup").validate(VALUES)).receipt is None


async def test_backends_are_given_receipts_too(ran: Ran) -> None:
    app = make(ran, Config(port=0, grpc_port=0))
    async with app, rhtmx.backend(app.grpc_address) as backend:
        verdict = await backend.validate_form("signup", VALUES, receipt=True)
        ran.clear()
        assert await app.form("signup").validate(VALUES, receipt=verdict.receipt)
    assert ran == {}
