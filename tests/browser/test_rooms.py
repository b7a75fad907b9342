"""Rooms in a page without a build step: each fact is a scenario of `rooms.mjs`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from rhtmx_server import App, Config
from tests.browser.driver import Browser

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGE = b"""<!doctype html>
<html lang="en">
<title>Desk</title>
<link rel="icon" href="/icon.svg">
<ul></ul>
<script src="/api/client.js" data-manual></script>
<script src="/desk.js"></script>
"""

SCRIPT = b"""
const list = document.querySelector("ul");
const name = location.search.slice(1);
window.seen = [];
list.addEventListener("rhtmx:room", ({ detail: { members } }) => {
  const names = members.map(({ state }) => state.name).sort();
  window.seen.push(names.join("; "));
  list.replaceChildren(
    ...names.map((name) => Object.assign(document.createElement("li"), { textContent: name })),
  );
});
if (name) list.dataset.rhtmxMember = JSON.stringify({ name });
list.dataset.rhtmxRoom = "orders/7";
window.client = rhtmx.connect("/api/ws");
rhtmx.bindPage(client);
"""


@pytest_asyncio.fixture(loop_scope="session")
async def app() -> AsyncIterator[App]:
    """A server with a page of a record, whose address says as whom one is there."""
    pages = {
        "/desk": ("text/html; charset=utf-8", PAGE),
        "/desk.js": ("text/javascript; charset=utf-8", SCRIPT),
        "/icon.svg": ("image/svg+xml", b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
    }
    config = Config(port=0, stop_timeout=0.2)
    async with App(store="memory://", config=config, undeclared=True, pages=pages) as app:
        await app.changes.push("orders", "7", {"goods": "tea"})
        yield app


async def run(browser: Browser, app: App, fact: str) -> None:
    url = app.url.replace("ws://", "http://").removesuffix("api/ws")
    await browser.run(fact, url, _nothing)


async def test_two_browsers_see_each_other_come_and_go(browser: Browser, app: App) -> None:
    await run(browser, app, "twoBrowsersSeeEachOtherComeAndGo")


@pytest.mark.parametrize(
    "fact",
    [
        "tabsOfABrowserAreOneMemberThatStaysWhicheverOfThemIsClosed",
        "aPageThatIsLoadedAgainWasNeverGone",
    ],
)
async def test_who_goes_on_in_time_was_never_gone(
    browser: Browser, app: App, fact: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A browser on a busy machine takes its time.
    monkeypatch.setattr("rhtmx_server.connections.room_entry.PAGE_TURN", 30.0)
    await run(browser, app, fact)


async def _nothing(what: str) -> None:
    raise AssertionError(f"nobody can {what} here")
