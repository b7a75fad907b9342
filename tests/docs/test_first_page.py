"""The README's first page does what the README says, in a real browser."""

from __future__ import annotations

import contextlib
from pathlib import Path

from tests.browser.driver import browsing
from tests.docs.markdown import page, programs
from tests.support.process import serving
from tests.support.programs import chromium, node

DRIVER = Path(__file__).with_name("first_page.mjs")


async def test_the_page_is_live_checks_its_form_and_keeps_what_is_written_offline(
    tmp_path: Path,
) -> None:
    (tmp_path / "board.py").write_text(programs(page("README.md"))["board.py"][0])
    options = ("--app", "board:app", "--store", "sqlite:///board.db")
    async with (
        browsing(node("playwright-core"), chromium(), driver=DRIVER) as browser,
        contextlib.AsyncExitStack() as stack,
    ):
        server = await stack.enter_async_context(serving(*options, folder=tmp_path))
        port = int(server.http.rpartition(":")[2])

        async def do(what: str) -> None:
            if what == "stop":
                await server.terminate()
            else:
                again = serving(*options, folder=tmp_path, port=port)
                await stack.enter_async_context(again)

        await browser.run("the first page", f"{server.http}/", do)
