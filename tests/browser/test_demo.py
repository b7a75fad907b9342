"""The demo in a real browser: each fact is a scenario of the files beside this one.

Every scenario also fails if the page writes an error to the console, violates
its Content Security Policy, opens a dialog, or asks for what is none of its own.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from rhtmx_server import App, Config
from rhtmx_server.demo import Demo
from tests.browser.conftest import ProcessStage, Stage, staged
from tests.browser.driver import Browser

pytestmark = pytest.mark.asyncio(loop_scope="session")

BOARD = [
    "changesShowInTheOtherWindow",
    "editsOfDifferentFieldsBothStay",
    "aConflictIsToldInWordsAndCanBeTakenBack",
    "ownEditsInARowAreNoConflict",
    "escapeTakesAnEditBack",
    "aTextThatIsBeingWrittenSurvivesTheRemovalOfItsTask",
    "aTextThatIsBeingWrittenSurvivesAReload",
    "aTextFromBeforeAReloadSurvivesTheRemovalOfItsTask",
    "aCardThatMovesWhileOneWritesInItKeepsTextAndFocus",
    "aDeletedTaskCanBeBroughtBack",
    "aCardSaysWhoWroteWhatAndTakesTheLastChangeBack",
    "aTaskMovesWithTheKeyboardAndKeepsTheFocus",
    "aCardCanBeDraggedAnywhereIntoAnotherColumn",
    "aCardCanBeDraggedOfflineAndWhileAConflictIsOpen",
    "whereNothingIsDraggedThereIsNoHandle",
    "aReloadShowsTheSameBoard",
    "whatTheRulesRefuseIsNotSavedAndStaysAsItWasWritten",
]
OFFLINE = [
    "theSwitchEndsTheConnectionAndBringsItBack",
    "offlineEditsOfDifferentFieldsBothStay",
    "offlineEditsOfOneFieldCanBeAnsweredWithTheirs",
    "offlineEditsOfOneFieldCanBeAnsweredWithMine",
    "offlineEditsOfOneFieldCanBeMerged",
    "aConflictOutlivesAReloadAndIsGoneEverywhereOnceAnybodyHasAnsweredIt",
    "theFirstToSayWhoDoesItIsRightAndTheOtherCanInsist",
    "anEditThatIsLaterThanARemovalBringsTheTaskBackAndSaysSo",
    "aRemovalThatIsLaterThanAnEditWinsAndTheTextIsToldAndCanComeBack",
    "aReloadWhileOfflineKeepsEverything",
    "aNetworkThatIsGoneIsNoticedAndWhatWaitedIsSent",
    "aRefusedWriteIsShownWithItsTextAndCanBeRetried",
    "aRefusedWriteCanBeGivenUp",
]
SIGNUP = [
    "errorsComeAndGoAsOneTypes",
    "fieldsThatNobodyWroteInShowNoErrors",
    "leavingAFieldChecksItAtOnce",
    "whatTheSchemaSaysIsJudgedWithoutAConnection",
    "aRuleLooksAtTwoFields",
    "sendingWithErrorsTellsThemAndGoesToTheFirst",
    "aNewMemberShowsInEveryWindowWithNothingButTheName",
    "aTakenUsernameIsToldWhileOneTypes",
    "ofTwoWhoSignUpAtOnceTheLoserSeesItAtTheField",
    "aFormThatIsSentOfflineWaitsAndGoesOn",
    "whatWasTypedSurvivesAReload",
]
PAGE = [
    "everyControlHasANameAndEveryPartItsLandmark",
    "errorsBelongToTheirFields",
    "theKeyboardReachesEverythingAndItShowsWhere",
    "theFocusStaysNearWhatWasDeletedOrAnswered",
    "textsStandOutInLightAndDark",
    "aSwitchShowsWhetherItIsOnInColoursOfTheUsersChoice",
    "aTitleOfOneLineIsShownWhole",
    "theInspectorSaysWhatTheClientKnows",
    "theInspectorShowsTheSchemaOfTheApplication",
    "theInspectorShowsConflictsWithLabelsAndHowTheyWereMerged",
]
AUDIT = [
    "nothingIsFoundOnABoardThatIsEmptyOrFull",
    "nothingIsFoundWhileConflictsAreOpen",
    "nothingIsFoundOnAPageOnWhichEverythingIsThere",
    "nothingIsFoundWhileTextsAreBeingWritten",
    "nothingIsFoundInTheFormWithAndWithoutErrors",
    "nothingIsFoundWithoutAConnection",
    "whatIsWrongIsFound",
]
HOSTILE = [
    "hostileStringsOfTasksAndMembersAreTexts",
    "hostileStringsOfConflictsAndRefusalsAreTexts",
    "hostileStringsInAFormAreTexts",
    "aTextThatBecomesAnElementIsNoticed",
]
PICTURES = ["aPictureOfTheBoard", "aPictureOfTheInspector", "aPictureOfTheForm"]

TABS = [
    "threeTabsHaveOneConnectionAndOneQueue",
    "anotherTabTakesOverFromOneThatIsKilled",
    "theSwitchIsOneForAllTabs",
]
DEMO = [*BOARD, *OFFLINE, *SIGNUP, *PAGE, *AUDIT, *HOSTILE, *TABS, *PICTURES]


@pytest.mark.parametrize("fact", DEMO)
async def test_in_a_browser(browser: Browser, stage: Stage, pictures: Path, fact: str) -> None:
    await browser.run(fact, stage.url, stage.do, pictures)


async def test_after_a_crash_of_the_server_everything_goes_on(
    browser: Browser, process_stage: ProcessStage, pictures: Path
) -> None:
    stage = process_stage
    await browser.run("afterACrashOfTheServerEverythingGoesOn", stage.url, stage.do, pictures)


async def test_a_record_from_before_the_schema_is_named_and_takes_no_other_with_it(
    browser: Browser, pictures: Path, tmp_path: Path
) -> None:
    store = f"sqlite:///{tmp_path}/before.db"
    async with App(store=store, config=Config(port=0)) as before:
        await before.changes.push("tasks", "odd", ["neither", "here"])
        await before.changes.push("tasks", "odder", {"title": {"a": 1}})
        await before.changes.push("tasks", "1", {"title": "Tea"})
    async with staged(Demo(store)) as stage:
        fact = "aRecordFromBeforeTheSchemaIsNamedAndTakesNoOtherWithIt"
        await browser.run(fact, stage.url, stage.do, pictures)


async def test_an_inline_script_does_not_run_and_the_watch_notices_it(
    browser: Browser, stage: Stage, pictures: Path
) -> None:
    with pytest.raises(AssertionError, match="Content Security Policy"):
        await browser.run("anInlineScriptDoesNotRunAndIsNoticed", stage.url, stage.do, pictures)
