"""The inspector of any application in a browser: each fact is a scenario of `inspector.mjs`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server import App, Config, Grant, Request
from tests.browser.driver import Browser
from tests.support.sample_schema import loaded

pytestmark = pytest.mark.asyncio(loop_scope="session")

FACTS = [
    "theInspectorShowsWhatOneMayReadAndNothingElse",
    "aRecordIsChangedAndWhatTheRulesRefuseIsToldInWords",
    "nothingIsFoundInTheInspector",
]


async def member(request: Request) -> Grant:
    """Whose token it is: that of a team."""
    if not request.token:
        raise RhtmxError(ErrorCode.UNAUTHENTICATED, "say who you are")
    return Grant(f"of {request.token}", claims={"teams": [request.token]})


@pytest_asyncio.fixture(loop_scope="session")
async def app() -> AsyncIterator[App]:
    config = Config(port=0, stop_timeout=0.2, inspector=True)
    schema = loaded().schema
    app = App(store="memory://", config=config, authenticate=member, schema=schema)
    async with app:
        tea = {"title": "Tea", "team": "red", "labels": ["hot", "black"], "done": False}
        await app.changes.push("tasks", "1", tea)
        await app.changes.push("tasks", "2", {"title": "Beer", "team": "red"})
        await app.changes.push("tasks", "b", {"title": "Wine", "team": "blue"})
        await app.changes.push("reading", "oslo", {"degrees": 4.5, "station": "Oslo"})
        yield app


@pytest.mark.parametrize("fact", FACTS)
async def test_in_a_browser(browser: Browser, app: App, fact: str) -> None:
    async def answer(what: str, *more: Any) -> object:
        if what == "push":
            return (await app.changes.push("tasks", *more)).version
        change = await app.changes.get(*more)
        assert change is not None
        return {"data": change.data}

    await browser.run(fact, app.url.replace("ws://", "http://").removesuffix("api/ws"), answer)
