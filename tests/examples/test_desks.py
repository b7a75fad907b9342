"""Each order desk does what its guide says, in a real Chromium: a walk of `walks.mjs`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.driver import Browser
from tests.examples.conftest import desk

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("name", ["django", "fastapi"])
async def test_pages_of_a_server_are_live_checked_and_show_each_their_own(
    browser: Browser, tmp_path: Path, pictures: Path, name: str
) -> None:
    async with desk(f"examples.order_desk_{name}", tmp_path) as ours:
        await browser.run(name, ours.url, ours.do, pictures)


async def test_a_page_in_react_goes_on_without_its_server(
    browser: Browser, built: Path, pictures: Path
) -> None:
    async with desk("examples.order_desk_react", built) as ours:
        await browser.run("react", ours.url, ours.do, pictures)
