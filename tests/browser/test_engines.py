"""What holds in three engines: each fact is a scenario of the files in `engines/`.

The facts of `QUICK` are tried with all other tests, the rest by `nox -s browsers`. A scenario also
fails if a page of it tells of an error.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from websockets.asyncio.server import ServerConnection, serve

from rhtmx_server import App, Config
from rhtmx_server.demo import Demo
from tests.browser.driver import Browser, browsing
from tests.browser.engines.pages import make_app, pages
from tests.browser.engines.site import Site
from tests.support.plain_http import ask
from tests.support.programs import ENGINES, node

pytestmark = pytest.mark.asyncio(loop_scope="session")

DRIVER = Path(__file__).parent / "engines" / "driver.mjs"

QUICK = [
    "whatIsWrittenIsThereAfterAReload",
    "aQueueSurvivesAReloadOfflineAndIsSentOnce",
    "twoTabsShareOneConnectionAndEverythingWritten",
    "afterBackAPageHasWhatHappenedMeanwhile",
    "typingShowsAnErrorAndTakesItAway",
]
"""Storage, offline, tabs, leaving and coming back, forms: tried with all other tests."""

REST = [
    "manyWritesAtOnceSurviveAReload",
    "whatChangedWhileAPageWasClosedIsThereWhenItOpensAgain",
    "aLeaderThatIsClosedHandsOverAtOnce",
    "aLeaderThatLeavesForAnotherPageHandsOverAtOnce",
    "aWriteThatIsStoredOutlivesItsTab",
    "oneTabTakesAllOffline",
    "afterBackAPageThatStoresNothingHasWhatHappenedMeanwhile",
    "backAndForwardAgainAndAgainLeavesOneConnection",
    "aPageThatIsLeftWhileItReadsHoldsUpNoOther",
    "aPageThatIsLeftWhileItMakesItsTablesHoldsUpNoOther",
    "aSubmissionWaitsForTheConnectionAndIsSentOnce",
    "aFormThatIsNotValidIsNotSent",
    "aNumberWithACommaIsNotSaidToBeMissing",
    "aNumberWithACommaAtItsEndIsNotSaidToBeMissing",
    "aDraftSurvivesAReload",
    "aChangeTriggersARequest2",
    "aChangeTriggersARequest4",
    "aPostIsHeldAndSentOnce2",
    "aPostIsHeldAndSentOnce4",
    "theDocumentedBoardRendersAndIsLive",
    "aServerThatChoosesNoSubprotocolIsSaidToBeWrong",
    "withoutASubprotocolItIsJson",
    "aTimeIsReadAlikeEverywhere",
]

OTHERWISE = [
    "aSocketWhoseServerChoseNoSubprotocol",
    "theCodesThatAServerCloses",
    "aTextThatIsNoNumber",
    "aTextThatWasTypedBeforeAReload",
    "thePlaceOfAClickOnAnImage",
    "aTimeThatDateReads",
    "aCachedPageWhoseLockAnotherTabAsksFor",
    "aCachedPageWhoseLocksAnotherTabLooksAt",
    "aCachedPageWhoseLockNobodyAsksFor",
    "aCachedPageThatAnotherTabTellsSomething",
    "aCachedPageWhoseDatabaseAnotherTabUpgrades",
    "aPageWithASocket",
]
"""What an engine does by itself: the lines of "Engines" in docs/clients.md."""


class Stage:
    """A server and its site, as a scenario sees them.

    Args:
        app: the server.
        site: what the browser sees of it.
        peer: the address of a WebSocket server that closes with the code that is the path.
    """

    def __init__(self, app: App, site: Site, peer: str) -> None:
        self._app = app
        self._site = site
        self._peer = peer

    async def do(self, what: str, *more: Any) -> object:
        """What a scenario may ask for; the answer is what it gets."""
        app, site = self._app, self._site
        match what, more:
            case "cut", ():
                site.cut()
            case "mend", ():
                site.mend()
            case "choose no subprotocol", ():
                site.chooses = False
            case "a peer that closes with the code of the path", ():
                return self._peer
            case "push", (entity, entity_id, data):
                await app.changes.push(entity, entity_id, data)
            case "record", (entity, entity_id):
                change = await app.changes.get(entity, entity_id)
                return change and change.data
            case "effects", ():
                return Counter(each.entity_id for each in await app.history("tasks"))
            case "connections", ():
                return await connections(app)
            case "posted" | "problems" | "requested", ():
                return getattr(site, what)
            case _:
                raise AssertionError(f"nobody can {what} {more} here")
        return None


async def connections(app: App) -> int:
    """How many WebSockets the server has."""
    metrics = (await ask(app.url, "/metrics")).body.decode()
    name = 'rhtmx_connections{endpoint="unified"} '
    return int(float(next(line for line in metrics.splitlines() if name in line).split()[1]))


@pytest_asyncio.fixture(loop_scope="session", scope="session", params=list(ENGINES))
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[Browser]:
    """Each engine in turn."""
    node("puppeteer-core")
    with tempfile.TemporaryDirectory(prefix="rhtmx-", ignore_cleanup_errors=True) as folder:
        # Whatever an engine writes outside of its profile goes with the folder.
        environ = {"HOME": folder, "TMPDIR": folder, "XDG_RUNTIME_DIR": None}
        programs = ENGINES[request.param]()
        async with browsing(
            node("selenium-webdriver"), request.param, *programs, driver=DRIVER, environ=environ
        ) as browser:
            yield browser


@contextlib.asynccontextmanager
async def staged(app: App) -> AsyncIterator[tuple[Site, Stage]]:
    own = {} if isinstance(app, Demo) else pages()
    async with (
        app,
        Site(app.url, own).running() as site,
        serve(close_with_path, "127.0.0.1", 0) as peer,
    ):
        port = peer.sockets[0].getsockname()[1]
        yield site, Stage(app, site, f"ws://127.0.0.1:{port}/")


async def close_with_path(socket: ServerConnection) -> None:
    """Close with the code that is the path, at once; without one wait for the other side."""
    assert socket.request is not None
    code = socket.request.path.removeprefix("/")
    if code:
        await socket.close(int(code), "why")
    await socket.wait_closed()


@pytest.mark.parametrize("fact", QUICK)
async def test_quick(engine: Browser, fact: str) -> None:
    await holds(engine, fact, make_app())


@pytest.mark.engines
@pytest.mark.parametrize("fact", [*REST, *OTHERWISE])
async def test_rest(engine: Browser, fact: str) -> None:
    await holds(engine, fact, make_app())


async def holds(engine: Browser, fact: str, app: App) -> None:
    async with staged(app) as (site, stage):
        try:
            await engine.run(fact, site.url, stage.do)
        except AssertionError as error:
            error.add_note(f"errors on the pages: {site.problems}")
            raise
        assert site.problems == []


async def test_the_demo(engine: Browser) -> None:
    app = Demo("memory://")
    app.configure(Config(port=0, stop_timeout=0.2))
    await holds(engine, "theDemoKeepsATaskOverAReload", app)


@pytest.mark.engines
async def test_errors_on_a_page_are_noticed(engine: Browser) -> None:
    async with staged(make_app()) as (site, stage):
        await engine.run("errorsOnAPageAreNoticed", site.url, stage.do)
        for each in (
            "console.error: an error",
            "console.warn: a warning",
            "a throw",
            "a rejection",
        ):
            assert any(each in problem for problem in site.problems), each
