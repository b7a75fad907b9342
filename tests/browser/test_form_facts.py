"""Forms in real pages: each fact is a scenario of one of the `form_*.mjs` beside this.

It holds with either script: that of the whole client, and that for forms only.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.browser.driver import Browser
from tests.browser.form_pages import FormPages
from tests.support.programs import node

pytestmark = pytest.mark.asyncio(loop_scope="session")

HERE = Path(__file__).parent

FILES = (
    "form_values",
    "form_numbers",
    "form_names",
    "form_submissions",
    "form_dialogs",
    "form_drafts",
    "form_records",
    "form_htmx",
    "form_live",
)


def facts() -> Iterator[str]:
    """The names of all scenarios: what the files export."""
    for name in FILES:
        text = (HERE / f"{name}.mjs").read_text()
        for found in re.findall(r"^export (?:async function|const) (\[[^]]*\]|\w+)", text, re.M):
            yield from re.findall(r"\w+", found)


@pytest_asyncio.fixture(
    loop_scope="session", scope="module", params=["browser.ts", "browser-forms.ts"]
)
async def pages(request: pytest.FixtureRequest) -> AsyncIterator[FormPages]:
    node("esbuild")
    pages = FormPages(request.param)
    await pages.start()
    yield pages
    await pages.stop()


@pytest.mark.parametrize("fact", [*facts()])
async def test_forms(browser: Browser, pages: FormPages, fact: str) -> None:
    pages.begin()
    await browser.run(fact, pages.url, pages.do)
