"""The demo in a real browser: each fact is a scenario of the files beside this one.

Every scenario also fails if the page writes an error to the console, violates
its Content Security Policy, or opens a dialog.
"""

from __future__ import annotations

import pytest

from tests.browser.conftest import Demo
from tests.browser.driver import Browser

pytestmark = pytest.mark.asyncio(loop_scope="module")

TASKS = [
    "changesShowInTheOtherWindow",
    "editsOfDifferentFieldsBothStay",
    "aConflictIsToldInWordsAndCanBeTakenBack",
    "ownEditsInARowAreNoConflict",
    "escapeTakesAnEditBack",
    "aTextThatIsBeingWrittenSurvivesTheRemovalOfItsTask",
    "aReloadShowsTheSameList",
    "afterARestartEverythingGoesOn",
    "hostileTextsAreTexts",
]
CONTACT = [
    "errorsComeAndGoAsOneTypes",
    "fieldsThatNobodyWroteInShowNoErrors",
    "leavingAFieldChecksItAtOnce",
    "aRuleLooksAtTwoFields",
    "sendingWithErrorsTellsThemAndGoesToTheFirst",
    "sendingAValidFormSaysSo",
]
PAGE = [
    "everyControlHasANameAndEveryPartItsLandmark",
    "errorsBelongToTheirFields",
    "theKeyboardReachesEverythingAndItShowsWhere",
    "textsStandOutInLightAndDark",
    "itFitsANarrowScreen",
]


@pytest.mark.parametrize("fact", TASKS)
async def test_shared_tasks(browser: Browser, demo: Demo, fact: str) -> None:
    await browser.run(fact, demo.url, demo.do)


@pytest.mark.parametrize("fact", CONTACT)
async def test_contact_form(browser: Browser, demo: Demo, fact: str) -> None:
    await browser.run(fact, demo.url, demo.do)


@pytest.mark.parametrize("fact", PAGE)
async def test_page(browser: Browser, demo: Demo, fact: str) -> None:
    await browser.run(fact, demo.url, demo.do)


async def test_an_inline_script_does_not_run_and_the_watch_notices_it(
    browser: Browser, demo: Demo
) -> None:
    with pytest.raises(AssertionError, match="Content Security Policy"):
        await browser.run("anInlineScriptDoesNotRunAndIsNoticed", demo.url, demo.do)
