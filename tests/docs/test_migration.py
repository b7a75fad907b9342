"""What the page for those who move says of the old endpoints and of the new one is so."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from rhtmx.messages.tables import NAMES
from rhtmx_server import App, Config
from rhtmx_server.transports.deprecation import HEADERS
from rhtmx_server.transports.legacy import FIELDS, RECORDS, Vocabulary
from tests.docs.markdown import blocks, page, programs, rows
from tests.docs.node import MODULES, RUN, require_node
from tests.support.plain_http import ask
from tests.support.process import running
from tests.support.sockets import PATIENCE, raw

PAGE = page("docs/migration.md")
PROGRAMS = programs(PAGE)
NEW = "new, on `/api/ws`"

BROWSER = """
import { connect } from "@rhtmx/client";
import { start } from "@rhtmx/client/htmx";

const [, , , href, dom, markup] = process.argv;
const { Window } = await import(dom);
const window = new Window({ url: href });
globalThis.location = { href };
for (const name of ["document", "MutationObserver", "CustomEvent"]) globalThis[name] = window[name];
globalThis.addEventListener = (...listener) => window.addEventListener(...listener);
document.body.innerHTML = markup;
document.body.addEventListener("rhtmx:users:changed", ({ type }) => console.log(type));
start(connect, document.querySelector("script"));
"""
"""A page, and what the bundle's last line does with the tag that loads it."""

DOM = (MODULES / "happy-dom" / "lib" / "index.js").as_uri()


def words(cell: str) -> set[str]:
    return set(re.findall(r"`([a-z_]+)`", cell))


@pytest.fixture
def app() -> App:
    return App(store="memory://", config=Config(port=0))


@pytest.mark.parametrize("vocabulary", [RECORDS, FIELDS])
def test_every_old_message_has_its_new_one(vocabulary: Vocabulary) -> None:
    column = f"old, on `{vocabulary.path}`"
    table = list(rows(PAGE, column, NEW))
    old = set().union(*(words(row[column]) for row in table))
    assert set(vocabulary.takes) <= old
    assert {sent.name for sent in vocabulary.sends.values()} <= old
    listed = set().union(*(words(row[NEW]) for row in table))
    assert {NAMES[message] for message in vocabulary.sends} <= listed


def test_the_headers_are_those_that_are_sent() -> None:
    for name, value in HEADERS:
        assert f"\n{name}: {value}\n" in PAGE


@pytest.fixture
def old_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    """The page's app, beside copies of the old scripts."""
    monkeypatch.chdir(tmp_path)
    for name in ("rhtmx-sync.js", "rhtmx-field-sync.js"):
        Path(name).write_text(f"// {name}")
    names: dict[str, App] = {}
    exec(PROGRAMS["old_pages.py"][0], names)
    names["app"].configure(Config(port=0))
    return names["app"]


async def test_the_old_scripts_can_be_served_where_old_pages_look_for_them(old_pages: App) -> None:
    async with old_pages as app:
        answer = await ask(app.url, "/api/sync/client.js")
        assert answer.body == b"// rhtmx-sync.js"
        assert answer.headers["Content-Type"].startswith("text/javascript")
        answer = await ask(app.url, "/api/sync/field-client.js")
        assert answer.body == b"// rhtmx-field-sync.js"


async def test_what_is_said_not_to_be_served_is_not(app: App) -> None:
    async with app:
        assert (await ask(app.url, "/api/sync/users", method="POST")).status == 405
        for path in ("/api/sync/events", "/api/sync/client.js"):
            answer = await ask(app.url, path)
            assert answer.headers["Content-Type"] == "application/json"
            assert answer.json["entity"] == path.rpartition("/")[2]


async def test_the_page_after_it_moved_fires_the_event_that_its_markup_waits_for(
    app: App, tmp_path: Path
) -> None:
    require_node()
    after = PAGE.split("After, with one:")[1]
    markup = next(block.text for block in blocks(after) if block.language == "html")
    (tmp_path / "page.js").write_text(BROWSER)
    async with app:
        href = app.url.replace("ws://", "http://")
        command = ("node", RUN, tmp_path / "page.js", href, DOM, markup)
        async with running(*command) as process:
            assert process.stdout is not None
            fired = asyncio.create_task(process.stdout.readline())
            async with raw(app.url) as client, asyncio.timeout(PATIENCE):
                while not fired.done():  # the page subscribes when it is there
                    await client.push("users", "1", {})
                    await asyncio.wait([fired], timeout=0.1)
            assert (await fired).decode() == "rhtmx:users:changed\n"
