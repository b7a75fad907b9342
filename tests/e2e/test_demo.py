"""The demo as a server; its page is tested in a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from unittest.mock import ANY

import pytest

import rhtmx
from rhtmx_server import Config
from rhtmx_server.demo import Demo
from tests.support.sockets import raw

ADA = {"username": "ada", "email": "ada@example.com", "age": "36"}


@pytest.fixture
async def demo() -> AsyncIterator[Demo]:
    demo = Demo("memory://")
    demo.configure(Config(port=0))
    async with demo:
        yield demo


async def test_it_says_where_to_look_and_where_the_tasks_are(
    caplog: pytest.LogCaptureFixture,
) -> None:
    demo = Demo("sqlite:///never-opened.db")
    demo.configure(Config(port=0), store="memory://")
    with caplog.at_level("INFO", logger="rhtmx_server.demo"):
        async with demo:
            page = demo.url.replace("ws:", "http:").removesuffix("api/ws")
    assert caplog.messages == [f"the demo is at {page}, its tasks are kept in memory://"]


async def test_it_takes_any_entity_so_that_one_can_play_with_it(demo: Demo) -> None:
    async with raw(demo.url) as client:
        assert (await client.push("users", "1", {"name": "Ada"}))["version"] == 1


async def test_a_username_is_taken_from_the_moment_on_that_somebody_has_it(demo: Demo) -> None:
    async with rhtmx.connect(demo.url) as client:
        assert (await client.validate_form("signup", ADA)).valid
        await client.push("members", "ada", {}, base_version=0)
        verdict = await client.validate_field("signup", "username", "ada")
        assert verdict.error == "“ada” is taken"
        assert not (await client.validate_form("signup", ADA)).valid


async def test_of_two_who_sign_up_at_once_one_wins(demo: Demo) -> None:
    async with rhtmx.connect(demo.url) as one, rhtmx.connect(demo.url) as other:
        await one.push("members", "ada", {}, base_version=0)
        with pytest.raises(rhtmx.RhtmxError) as caught:
            await other.push("members", "ada", {}, base_version=0)
        assert caught.value.code is rhtmx.ErrorCode.CONFLICT
        member = await demo.changes.get("members", "ada")
        assert member is not None
        assert member.client_id == one.client_id
        assert member.data == {"joined": ANY}, "the server says when"


async def test_the_first_to_say_who_does_a_task_is_right_and_the_last_for_all_else(
    demo: Demo,
) -> None:
    async with rhtmx.connect(demo.url) as one, rhtmx.connect(demo.url) as other:
        made = await one.push_fields("tasks", "1", {"title": "Tea", "assignee": ""})
        await one.push_fields(
            "tasks", "1", {"title": "Milk", "assignee": "Ada"}, base_version=made.version
        )
        late = await other.push_fields(
            "tasks", "1", {"title": "Rum", "assignee": "Bob"}, base_version=made.version
        )
        winners = {conflict.field: conflict.winner for conflict in late.conflicts}
        assert winners == {"title": "client", "assignee": "server"}
