"""Each order desk does what its guide says, in a real Chromium: a walk of `walks.mjs`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.driver import Browser
from tests.examples.conftest import started

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def nothing(what: str) -> None:
    raise AssertionError(f"nobody can do that here: {what}")


@pytest.mark.parametrize("desk", ["django", "fastapi"])
async def test_a_desk_is_live_checks_orders_and_shows_each_their_own(
    browser: Browser, tmp_path: Path, pictures: Path, desk: str
) -> None:
    async with started(f"examples.order_desk_{desk}", tmp_path) as url:
        await browser.run(desk, url, nothing, pictures)
