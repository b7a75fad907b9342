"""A browser for all tests of a module, and the demo for each."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.browser.driver import Browser, browsing
from tests.support.process import ServerProcess, serving
from tests.support.programs import chromium, node


class Demo:
    """The demo in a process of its own, on one port and one store."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = contextlib.AsyncExitStack()
        self._server: ServerProcess | None = None
        self.url = ""

    async def start(self) -> None:
        port = self.url.removesuffix("/").rpartition(":")[2] or "0"
        self._server = await self._stack.enter_async_context(
            serving("--app", "rhtmx_server.demo:app", folder=self._folder, port=int(port))
        )
        self.url = f"{self._server.http}/"

    async def kill(self) -> None:
        assert self._server is not None
        await self._server.kill()

    async def do(self, what: str) -> None:
        """What a scenario may ask for: `kill` and `start`."""
        await {"kill": self.kill, "start": self.start}[what]()

    async def close(self) -> None:
        await self._stack.aclose()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    """A real Chromium."""
    async with browsing(node("playwright-core"), chromium()) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:
    """The demo, with nothing in its store."""
    demo = Demo(tmp_path)
    await demo.start()
    yield demo
    await demo.close()
