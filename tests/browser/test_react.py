"""React in a real browser, from the package as it is installed: scenarios of `react.mjs`.

The page is the one that `docs/clients.md` shows, as it stands there.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.browser.driver import Browser
from tests.browser.react_pages import BOOKINGS, BUILDS, LATE, MODES, VARIANTS, ReactPages, built
from tests.support.programs import node, registry

pytestmark = pytest.mark.asyncio(loop_scope="session")

SCENARIOS_OF_18 = [
    "board strict-development",
    "board production",
    "server board strict-development",
    "server board production",
    *(f"late {hook} {build}" for hook in ("where", "field") for build in BUILDS[1:]),
    "streamed production",
]


@contextlib.asynccontextmanager
async def serving(shared: Path, version: str) -> AsyncIterator[ReactPages]:
    node("esbuild")
    pages = ReactPages(built(shared, version))
    await pages.start()
    yield pages
    await pages.app.stop()


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def pages(shared: Path) -> AsyncIterator[ReactPages]:
    """The pages with the newest React."""
    async with serving(shared, "19") as pages:
        yield pages


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def pages_of_18(shared: Path) -> AsyncIterator[ReactPages]:
    """The pages with the oldest React that the package takes."""
    registry("react")
    async with serving(shared, "18.3.1") as pages:
        yield pages


async def run(browser: Browser, pages: ReactPages, scenario: str) -> None:
    await pages.clear()
    await browser.run(scenario, pages.url, pages.do)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("build", BUILDS)
async def test_the_documented_page_shows_what_is_there_and_writes_what_is_typed(
    browser: Browser, pages: ReactPages, build: str, variant: str
) -> None:
    await run(browser, pages, f"board {variant}{build}")


@pytest.mark.parametrize("build", BUILDS)
async def test_the_documented_form_is_sent_once_it_is_valid(
    browser: Browser, pages: ReactPages, build: str
) -> None:
    await run(browser, pages, f"form {build}")


@pytest.mark.parametrize("build", BUILDS[1:])
async def test_a_form_is_checked_as_it_stands_there_also_where_react_thinks_otherwise(
    browser: Browser, pages: ReactPages, build: str
) -> None:
    await run(browser, pages, f"terms {build}")


@pytest.mark.parametrize("build", BUILDS[1:])
@pytest.mark.parametrize("name", [*BOOKINGS, "booking-field"])
async def test_what_a_check_of_the_server_refuses_stands_at_its_field(
    browser: Browser, pages: ReactPages, build: str, name: str
) -> None:
    await run(browser, pages, f"{name} {build}")


@pytest.mark.parametrize("build", BUILDS[1:])
async def test_two_browsers_at_one_record_see_each_other_come_change_and_go(
    browser: Browser, pages: ReactPages, build: str
) -> None:
    await run(browser, pages, f"presence {build}")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("how", ["string", "stream"])
async def test_a_server_without_a_websocket_renders_the_documented_page_and_ends(
    pages: ReactPages, mode: str, how: str
) -> None:
    ended = pages.rendered(f"server-{mode}", how)
    assert ended.errors == ""
    assert ended.output.startswith('<ul aria-busy="true"></ul><form')


@pytest.mark.parametrize("build", BUILDS)
async def test_what_a_server_has_rendered_is_kept_when_rows_come(
    browser: Browser, pages: ReactPages, build: str
) -> None:
    await run(browser, pages, f"server board {build}")


@pytest.mark.parametrize("build", BUILDS[1:])
@pytest.mark.parametrize("hook", LATE)
async def test_a_part_that_is_hydrated_late_keeps_its_html_whatever_comes_meanwhile(
    browser: Browser, pages: ReactPages, build: str, hook: str
) -> None:
    await run(browser, pages, f"late {hook} {build}")


@pytest.mark.parametrize("build", BUILDS[1:])
async def test_what_is_typed_shows_at_once_also_while_a_part_has_still_to_come(
    browser: Browser, pages: ReactPages, build: str
) -> None:
    await run(browser, pages, f"typing {build}")


@pytest.mark.parametrize("build", BUILDS[1:])
async def test_a_part_that_is_streamed_late_keeps_its_html(
    browser: Browser, pages: ReactPages, build: str
) -> None:
    await run(browser, pages, f"streamed {build}")


@pytest.mark.parametrize("scenario", SCENARIOS_OF_18)
async def test_react_18_does_the_same(
    browser: Browser, pages_of_18: ReactPages, scenario: str
) -> None:
    await run(browser, pages_of_18, scenario)


async def test_there_is_one_react_beside_the_package(pages: ReactPages) -> None:
    modules = pages.folder / "node_modules"
    found = [path for path in modules.rglob("package.json") if path.parent.name == "react"]
    names = [json.loads(path.read_text()).get("name") for path in found]
    assert names.count("react") == 1
    assert not (modules / "@rhtmx" / "client").is_symlink()
    assert not (modules / "@rhtmx" / "client" / "node_modules").exists()
