"""Pages that a real browser keeps for the way back: each fact is a scenario of `cached.mjs`."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from rhtmx_server import App, Config
from tests.browser.driver import Browser

pytestmark = pytest.mark.asyncio(loop_scope="session")

HTML = "text/html; charset=utf-8"
PAGE = Path(__file__).with_name("tabs.html")

CACHED = [
    "aKeptPageInMemoryHasNoConnection",
    "aKeptPageWithoutLocksHasNoConnection",
    "aKeptPageWithStorageHasNoConnection",
    "aKeptLeaderIsFollowedAndReadsWhatItMissed",
    "aKeptFollowerReadsWhatItMissed",
]


@pytest_asyncio.fixture(loop_scope="session")
async def app() -> AsyncIterator[App]:
    """A server with a page that loads the client, and another one to go to."""
    pages = {"/": (HTML, PAGE.read_bytes()), "/next": (HTML, b"<!doctype html><title>Next</title>")}
    config = Config(port=0, stop_timeout=0.2)
    async with App(store="memory://", config=config, undeclared=True, pages=pages) as app:
        yield app


@pytest.mark.parametrize("fact", CACHED)
async def test_cached(browser: Browser, app: App, fact: str) -> None:
    async def answer(what: str, *more: str) -> object:
        if what == "push":
            entity, entity_id = more
            await app.changes.push(entity, entity_id, {})
            return None
        assert what == "connections"
        found = re.search(rb'rhtmx_connections\{endpoint="unified"\} (.+)', app.metrics.render())
        return 0 if found is None else float(found[1])

    url = app.url.replace("ws://", "http://").removesuffix("api/ws")
    await browser.run(fact, url, answer)
