"""Forms and htmx in a real browser: each fact is a scenario of `forms.mjs` or `htmx.mjs`.

What is about forms holds with either script: that of the whole client, and that for forms only.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.browser.driver import Browser
from tests.browser.live_pages import CLIENT, FORMS, LivePages
from tests.support.programs import node

pytestmark = pytest.mark.asyncio(loop_scope="session")

FACTS = [
    "anErrorIsShownWhereAScreenReaderFindsIt",
    "aValidFormIsSentOnceWithItsButton",
    "aFormThatIsNotValidIsNotSentAndTheFirstErrorHasTheFocus",
    "aDraftSurvivesAReloadButNoPasswordDoes",
    "severalChoicesAndNamesWithQuotesAreAskedAbout",
    "withoutAConnectionASubmissionWaitsAndThenGoesOn",
]
RECORDS = [
    "aChangeTriggersARequestAndNothingElseDoes",
    "aBurstIsFewRequests",
    "whatIsSwappedInIsLiveToo",
    "whatACheckRefusesOfACountStandsAtItsField",
]


HTMX = [
    "theStateOfTheConnectionTriggersARequest",
    "aFormIsRequestedOnceWhenItIsValid",
]


@pytest_asyncio.fixture(loop_scope="session")
async def pages(request: pytest.FixtureRequest) -> AsyncIterator[LivePages]:
    node("esbuild")
    pages = LivePages(request.param)
    await pages.start()
    yield pages
    await pages.stop()


either = pytest.mark.parametrize("pages", [CLIENT, FORMS], indirect=True)
whole = pytest.mark.parametrize("pages", [CLIENT], indirect=True)


@either
@pytest.mark.parametrize("fact", FACTS)
async def test_forms(browser: Browser, pages: LivePages, fact: str) -> None:
    await browser.run(fact, pages.url, pages.do)


@either
@pytest.mark.parametrize("version", ["2", "4"])
@pytest.mark.parametrize("fact", HTMX)
async def test_htmx(browser: Browser, pages: LivePages, fact: str, version: str) -> None:
    await browser.run(f"{fact}{version}", pages.url, pages.do)


@whole
@pytest.mark.parametrize("version", ["2", "4"])
@pytest.mark.parametrize("fact", RECORDS)
async def test_htmx_with_records(
    browser: Browser, pages: LivePages, fact: str, version: str
) -> None:
    await browser.run(f"{fact}{version}", pages.url, pages.do)
