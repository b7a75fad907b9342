"""The demo as a server; its page is tested in a browser."""

from __future__ import annotations

import pytest

from rhtmx_server import Config
from rhtmx_server.demo import Demo
from tests.support.sockets import raw


async def test_it_says_where_to_look_and_where_the_tasks_are(
    caplog: pytest.LogCaptureFixture,
) -> None:
    demo = Demo("sqlite:///never-opened.db")
    demo.configure(Config(port=0), store="memory://")
    with caplog.at_level("INFO", logger="rhtmx_server.demo"):
        async with demo:
            page = demo.url.replace("ws:", "http:").removesuffix("api/ws")
    assert caplog.messages == [f"the demo is at {page}, its tasks are kept in memory://"]


async def test_it_takes_any_entity_so_that_one_can_play_with_it() -> None:
    demo = Demo("memory://")
    demo.configure(Config(port=0))
    async with demo, raw(demo.url) as client:
        assert (await client.push("users", "1", {"name": "Ada"}))["version"] == 1
