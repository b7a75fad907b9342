"""Pages that get no WebSocket in a real browser: each fact is a scenario of `refused.mjs`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from rhtmx_server import App, Config
from tests.browser.driver import Browser

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGES = {"/": ("text/html; charset=utf-8", Path(__file__).with_name("tabs.html").read_bytes())}

REFUSED = [
    "aPageOfAnotherOriginIsToldHowToBeAllowed",
    "aPageBehindAProxyIsToldHowToBeAllowed",
    "aPageWithAWrongPathIsToldSo",
    "aPageOfAnotherOriginWithAWrongPathIsToldTheFirstThingFirst",
    "aPageWhoseSubprotocolIsNotSpokenIsToldWhatIs",
    "aPageWhosePolicyForbidsItIsToldSo",
]


def _server() -> App:
    config = Config(port=0, stop_timeout=0.2)
    return App(store="memory://", config=config, undeclared=True, pages=PAGES)


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def apps() -> AsyncIterator[tuple[App, App]]:
    """Two servers with an empty page that loads the client."""
    async with _server() as one, _server() as other:
        yield one, other


@contextlib.asynccontextmanager
async def _proxy(app: App) -> AsyncIterator[str]:
    """Sends requests on to a server under the name that this has itself; gives its address."""
    netloc = urlsplit(app.url).netloc
    host, _, port = netloc.partition(":")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = [
            f"Host: {netloc}".encode() if line.lower().startswith(b"host:") else line
            for line in head.split(b"\r\n")
        ]
        up_reader, up = await asyncio.open_connection(host, int(port))
        up.write(b"\r\n".join(lines))
        with contextlib.closing(writer), contextlib.closing(up):
            while data := await up_reader.read(65536):
                writer.write(data)

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


@pytest.mark.parametrize("fact", REFUSED)
async def test_refused(browser: Browser, apps: tuple[App, App], fact: str) -> None:
    one, other = apps
    async with _proxy(one) as proxy:

        async def answer(what: str) -> object:
            return {"address of another server": other.url, "address of a proxy": proxy}[what]

        url = one.url.replace("ws://", "http://").removesuffix("api/ws")
        await browser.run(fact, url, answer)
