"""What a page has written, when it ends or cannot store: each fact is a scenario of `storage.mjs`.

No two writes of a scenario are of the same value to the same record, so that one with two
effects is seen in the history.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from rhtmx_server import App, Config
from tests.browser.driver import Browser

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGE = b'<!doctype html><title>Storage</title><link rel="icon" href="/icon.svg"><body>'
FRAME = b"""
const client = rhtmx.connect(new URL("/api/ws", document.baseURI).href);
client.onError(async ({ code }) => {
  if (code !== "storage_failed") return;
  const tasks = client.collection("tasks");
  await tasks.ready;
  void tasks.set("1", 1);
  const shown = tasks.row("1")?.data;
  parent.postMessage([code, client.info.stored, shown], "*");
  client.close();
});
"""
PAGES = {
    "/": ("text/html; charset=utf-8", PAGE),
    "/page": ("text/html; charset=utf-8", PAGE + b'<script src="/api/client.js"></script>'),
    "/frame.js": ("text/javascript", FRAME),
    "/icon.svg": ("image/svg+xml", b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
}

STORAGE = [
    "whatIsWrittenLastIsStoredBeforeThePageEnds",
    "whereTheUserBlocksAllSiteDataWritesAreSentAndThatIsSaid",
    "aDatabaseThatTheBrowserTakesAwayIsMadeAgain",
    "noWriteWaitsForEverAsTheBrowserTakesItsDatabaseAway",
    "aDatabaseThatIsDeletedIsNotMadeAgainAndWritesAreSent",
    "whatOneWritesBeforeAndAfterTheStoreFailsIsNoConflict",
]

LOCAL = [
    "writesOfOneTurnShareATransaction",
    "aFrameWithoutAnOriginOfItsOwnShowsWhatIsWrittenAndSaysThatNothingIsStored",
]
"""Of these nothing reaches the server."""


@pytest_asyncio.fixture(loop_scope="session")
async def app() -> AsyncIterator[App]:
    """A server with a page that has the client, and one that has not."""
    config = Config(port=0, stop_timeout=0.2)
    async with App(store="memory://", config=config, undeclared=True, pages=PAGES) as app:
        yield app


@pytest.mark.parametrize("fact", [*STORAGE, *LOCAL])
async def test_storage(browser: Browser, app: App, fact: str) -> None:
    url = app.url.replace("ws://", "http://").removesuffix("api/ws")
    await browser.run(fact, url, _nothing)
    effects = Counter((each.entity_id, str(each.data)) for each in await app.history("tasks"))
    assert bool(effects) == (fact in STORAGE)
    assert max(effects.values(), default=1) == 1, effects


async def _nothing(what: str) -> None:
    raise AssertionError(f"nobody can {what} here")
