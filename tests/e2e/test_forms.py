"""Live forms, end to end."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

import rhtmx
from rhtmx_server import App, Config, Invalid, Valid
from tests.support.sockets import raw


def ask(field: str, value: str, request_id: str = "r", **more: Any) -> dict[str, Any]:
    question = {"type": "validate_field", "request_id": request_id, "form": "contact"}
    return {**question, "field": field, "value": value, **more}


@pytest.fixture
def app() -> App:
    """A form like the seed's, with what a form needs besides."""
    app = App(store="memory://", config=Config(port=0))
    contact = app.form("contact")
    contact.field("email", required=True, email=True)
    contact.field("message", required=True, min_length=10)

    @contact.check
    def not_the_same(form: Any) -> None:
        if form["email"] and form["email"] == form["message"]:
            raise Invalid("say something else", field="message")

    return app


async def test_a_value_is_valid_or_the_answer_says_why_not(app: App) -> None:
    async with app, raw(app.url) as client:
        bad = await client.ask(ask("message", "short", "1"), "validation_result")
        assert bad["request_id"] == "1"
        assert (bad["form"], bad["field"], bad["valid"]) == ("contact", "message", False)
        assert "10" in bad["error"]
        good = await client.ask(ask("email", "ada@example.com", "2"), "validation_result")
        assert good["valid"] is True
        assert good.get("error") is None


async def test_a_field_without_validators_is_valid(app: App) -> None:
    app.form("contact").field("nickname")
    async with app, raw(app.url) as client:
        assert (await client.ask(ask("nickname", ""), "validation_result"))["valid"] is True


async def test_an_unknown_field_is_an_error_that_suggests_the_right_one(app: App) -> None:
    question = {"type": "validate_form", "request_id": "f", "form": "contact"}
    fields = [{"field": name, "value": "ada@example.com"} for name in ("email", "messages")]
    async with app, raw(app.url) as client:
        for message in (ask("messages", "x"), {**question, "fields": fields}):
            error = await client.ask(message, "error")
            assert error["code"] == "unknown_form"
            assert error["request_id"] == message["request_id"]
            assert "has no field 'messages': did you mean 'message'?" in error["message"]


async def test_a_program_is_told_of_an_unknown_field_through_both_doors(app: App) -> None:
    app.configure(Config(port=0, grpc_port=0))
    async with (
        app,
        rhtmx.connect(app.url) as client,
        rhtmx.backend(app.grpc_address) as trackers,
    ):
        for door in (client, trackers):
            for asked in (
                door.validate_form("contact", {"messages": "x"}),
                door.validate_field("contact", "messages", "x"),
                door.validate_field("contact", "email", "x", values={"messages": "x"}),
            ):
                with pytest.raises(rhtmx.RhtmxError, match="did you mean 'message'") as caught:
                    await asked
                assert caught.value.code is rhtmx.ErrorCode.UNKNOWN_FORM


async def test_what_a_page_has_beside_its_fields_does_not_keep_it_from_being_sent(
    app: App,
) -> None:
    given = {"email": "ada@example.com", "message": "long enough", "task_id": "7", "_method": "put"}
    fields = [{"field": name, "value": value} for name, value in given.items()]
    question = {"type": "validate_form", "request_id": "f", "form": "contact", "fields": fields}
    async with app, raw(app.url) as client:
        page = {**question, "form_instance": "1"}
        assert (await client.ask(page, "form_validation_result"))["valid"] is True
        assert (await client.ask(question, "error"))["code"] == "unknown_form"


async def test_an_unknown_form_is_an_error(app: App) -> None:
    async with app, raw(app.url) as client:
        error = await client.ask({**ask("a", "b", "x"), "form": "nope"}, "error")
        assert (error["code"], error["request_id"]) == ("unknown_form", "x")


async def test_a_whole_form_is_checked_with_the_fields_left_out(app: App) -> None:
    async with app, raw(app.url) as client:
        result = await client.ask(
            {"type": "validate_form", "request_id": "f", "form": "contact", "fields": []},
            "form_validation_result",
        )
        assert result["valid"] is False
        assert [error["field"] for error in result["errors"]] == ["email", "message"]


async def test_rules_across_fields_see_the_whole_form(app: App) -> None:
    async with app, raw(app.url) as client:
        fields = [{"field": name, "value": "ada@example.com"} for name in ("email", "message")]
        result = await client.ask(
            {"type": "validate_form", "request_id": "f", "form": "contact", "fields": fields},
            "form_validation_result",
        )
        assert result["errors"] == [{"field": "message", "error": "say something else"}]


async def test_an_async_validator_adds_metadata_and_sees_the_other_values(app: App) -> None:
    app.form("contact").field("country")

    @app.form("contact").field("city")
    async def known(value: str, form: Any) -> Valid:
        return Valid(metadata={"country": form["country"]})

    async with app, raw(app.url) as client:
        values = [{"field": "country", "value": "NO"}]
        result = await client.ask(ask("city", "Oslo", values=values), "validation_result")
        assert result["metadata"] == {"country": "NO"}


async def test_a_newer_question_supersedes_the_one_that_runs(app: App) -> None:
    release = asyncio.Event()

    @app.form("contact").field("slow")
    async def slow(value: str) -> None:
        if value == "old":
            await release.wait()

    async with app, raw(app.url) as client:
        await client.send(ask("slow", "old", "1"), ask("slow", "new", "2"))
        answers = {m["request_id"]: m for m in [await client.receive(), await client.receive()]}
        assert answers["1"]["code"] == "superseded"
        assert answers["2"]["valid"] is True


async def test_a_blocking_validator_holds_nobody_up(app: App) -> None:
    release = threading.Event()

    @app.form("contact").field("blocking")
    def blocking(value: str) -> None:
        release.wait(10)

    async with app, raw(app.url) as client:
        await client.send(ask("blocking", "x", "1"))
        await client.ask(ask("message", "long enough text", "2"), "validation_result")
        release.set()
        assert (await client.until("validation_result"))["request_id"] == "1"


async def test_a_validator_that_takes_too_long_is_a_timeout(app: App) -> None:
    @app.form("contact").field("stuck", timeout=0.01)
    async def stuck(value: str) -> None:
        await asyncio.Event().wait()

    async with app, raw(app.url) as client:
        error = await client.ask(ask("stuck", "x", "1"), "error")
        assert (error["code"], error["retryable"]) == ("timeout", True)


async def test_a_validator_that_fails_is_an_internal_error_without_its_text(app: App) -> None:
    @app.form("contact").field("broken")
    async def broken(value: str) -> None:
        raise ValueError("secret " + value)

    async with app, raw(app.url) as client:
        error = await client.ask(ask("broken", "x"), "error")
        assert error["code"] == "internal"
        assert "secret" not in str(error)


async def test_the_65th_request_that_waits_is_refused(app: App) -> None:
    release = asyncio.Event()

    @app.form("contact").field("slow")
    async def slow(value: str) -> None:
        await release.wait()

    async with app, raw(app.url) as client:
        for n in range(65):
            await client.send(ask("slow", "x", str(n), form_instance=str(n)))
        error = await client.until("error")
        assert (error["code"], error["request_id"]) == ("too_many_requests", "64")
        release.set()
        for _ in range(64):
            await client.until("validation_result")
