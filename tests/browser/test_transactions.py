"""Transactions in several tabs of one browser: each fact is a scenario of `transactions.mjs`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from rhtmx_server import App, Config, Grant, Invalid
from tests.browser.driver import Browser

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGE = Path(__file__).with_name("tabs.html")

TAKEN = [
    "aTransactionThatIsMadeOfflineIsKeptShownAndSentWhole",
    "aTransactionIsAnsweredInTheTabThatMadeItWhoeverLeads",
    "aTransactionTakesEffectOnceThoughTheLeaderEndsMeanwhile",
    "aTransactionOutlivesAllTabs",
]
REJECTED = [
    "aTransactionThatIsRejectedIsTakenBackWholeAndKeptWithItsReasons",
    "aRejectedTransactionIsToldToTheTabThatMadeIt",
]


def fits(who: Grant | None, before: Any, after: Any) -> None:
    if after and after["n"] > 100:
        raise Invalid("only a hundred fit", field="n", code="too_many")


@pytest_asyncio.fixture(loop_scope="session")
async def app() -> AsyncIterator[App]:
    """A server with an empty page that loads the client, and with a check of one entity."""
    pages = {"/": ("text/html; charset=utf-8", PAGE.read_bytes())}
    config = Config(port=0, stop_timeout=0.2)
    app = App(store="memory://", config=config, undeclared=True, pages=pages)
    app.entity("stock").check(fits)
    async with app:
        yield app


@pytest.mark.parametrize("fact", [*TAKEN, *REJECTED])
async def test_transactions(browser: Browser, app: App, fact: str) -> None:
    url = app.url.replace("ws://", "http://").removesuffix("api/ws")
    await browser.run(fact, url, _nothing)
    wanted = [1, 2] if fact in TAKEN else [1]
    for entity in ("orders", "stock"):
        assert [change.data["n"] for change in await app.history(entity)] == wanted


async def _nothing(what: str) -> None:
    raise AssertionError(f"nobody can {what} here")
