"""Forms and htmx in a real browser: each fact is a scenario of `forms.mjs` or `htmx.mjs`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.browser.driver import Browser
from tests.browser.live_pages import LivePages
from tests.support.programs import node

pytestmark = pytest.mark.asyncio(loop_scope="session")

FORMS = [
    "anErrorIsShownWhereAScreenReaderFindsIt",
    "aValidFormIsSentOnceWithItsButton",
    "aFormThatIsNotValidIsNotSentAndTheFirstErrorHasTheFocus",
    "aDraftSurvivesAReloadButNoPasswordDoes",
    "severalChoicesAndNamesWithQuotesAreAskedAbout",
    "withoutAConnectionASubmissionWaitsAndThenGoesOn",
]
HTMX = [
    "aChangeTriggersARequestAndNothingElseDoes",
    "aBurstIsFewRequests",
    "whatIsSwappedInIsLiveToo",
    "theStateOfTheConnectionTriggersARequest",
    "aFormIsRequestedOnceWhenItIsValid",
    "whatACheckRefusesOfACountStandsAtItsField",
]


@pytest_asyncio.fixture(loop_scope="session")
async def pages() -> AsyncIterator[LivePages]:
    node("esbuild")
    pages = LivePages()
    await pages.start()
    yield pages
    await pages.stop()


@pytest.mark.parametrize("fact", FORMS)
async def test_forms(browser: Browser, pages: LivePages, fact: str) -> None:
    await browser.run(fact, pages.url, pages.do)


@pytest.mark.parametrize("version", ["2", "4"])
@pytest.mark.parametrize("fact", HTMX)
async def test_htmx(browser: Browser, pages: LivePages, fact: str, version: str) -> None:
    await browser.run(f"{fact}{version}", pages.url, pages.do)
