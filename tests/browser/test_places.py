"""The client in odd places of a real browser: each fact is a scenario of `places.mjs`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from rhtmx_server import App, Config
from tests.browser.driver import Browser

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGE = b'<!doctype html><title>Worker</title><link rel="icon" href="/icon.svg">'
WITH_CLIENT = PAGE + b'<script src="/api/client.js"></script>'
ICON = b'<svg xmlns="http://www.w3.org/2000/svg"/>'

WORKER = b"""
importScripts("/api/client.js");
const tasks = rhtmx.connect("/api/ws").collection("tasks");
const stop = tasks.subscribe((rows) => {
  if (rows.length === 0) return;
  postMessage(`${rows.length} row`);
  stop();
});
tasks.set("1", { n: 1 }).then(() => postMessage("durable"));
"""


@pytest_asyncio.fixture(loop_scope="session")
async def app() -> AsyncIterator[App]:
    """A server with a page, another one with the client, and a script for a worker."""
    pages = {
        "/": ("text/html; charset=utf-8", PAGE),
        "/page": ("text/html; charset=utf-8", WITH_CLIENT),
        "/icon.svg": ("image/svg+xml", ICON),
        "/worker.js": ("text/javascript", WORKER),
    }
    config = Config(port=0, stop_timeout=0.2)
    async with App(store="memory://", config=config, undeclared=True, pages=pages) as app:
        yield app


@pytest.mark.parametrize(
    "fact",
    ["aWorkerReadsAndWritesLikeAPage", "aFullBrowserRefusesNewWritesAndKeepsThoseThatWait"],
)
async def test_places(browser: Browser, app: App, fact: str) -> None:
    url = app.url.replace("ws://", "http://").removesuffix("api/ws")
    await browser.run(fact, url, _nothing)
    assert all(each.client_id for each in await app.history("tasks"))


async def _nothing(what: str) -> None:
    raise AssertionError(f"nobody can {what} here")
