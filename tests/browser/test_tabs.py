"""Several tabs of one real browser: each fact is a scenario of `tabs.mjs`.

Every write of a scenario is to a record of its own, so that one with two
effects is seen in the history.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from rhtmx_server import App, Config
from tests.browser.driver import Browser

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGE = Path(__file__).with_name("tabs.html")

TABS = [
    "tabsShareOneConnection",
    "aTabThatIsClosedIsFollowed",
    "aTabThatCrashesIsFollowed",
    "aFrozenTabIsFollowedAndWakes",
    "aTabThatHangsIsFollowed",
    "aDuplicatedTabIsItsOwn",
    "aWriteThatIsStoredOutlivesItsTab",
    "oneTabTakesAllOffline",
    "questionsOfEveryTabAreAnswered",
    "whatATabClosedIsReadNoLonger",
    "whatATabThatIsClosedReadIsReadNoLonger",
    "whatATabThatCrashedReadIsReadNoLonger",
]


@pytest_asyncio.fixture(loop_scope="session")
async def app() -> AsyncIterator[App]:
    """A server with an empty page that loads the client."""
    pages = {"/": ("text/html; charset=utf-8", PAGE.read_bytes())}
    config = Config(port=0, stop_timeout=0.2)
    app = App(store="memory://", config=config, undeclared=True, pages=pages)
    app.form("signup").field("age", required=True, ge=18)
    async with app:
        yield app


@pytest.mark.parametrize("fact", TABS)
async def test_tabs(browser: Browser, app: App, fact: str) -> None:
    url = app.url.replace("ws://", "http://").removesuffix("api/ws")
    await browser.run(fact, url, _nothing)
    effects = Counter(each.entity_id for each in await app.history("tasks"))
    assert effects, "the scenario wrote nothing"
    assert max(effects.values()) == 1, effects


async def _nothing(what: str) -> None:
    raise AssertionError(f"nobody can {what} here")
