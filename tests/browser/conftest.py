"""A browser for all tests of a module, and the demo for each."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

import rhtmx
from tests.browser.driver import Browser, browsing
from tests.browser.hostile import HOSTILE, push_hostile
from tests.support.process import ROOT, ServerProcess, serving
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

    async def do(self, what: str, more: Any) -> object:
        """What a scenario may ask for; the answer is what it gets."""
        if what == "kill":
            return await self.kill()
        if what == "start":
            return await self.start()
        async with rhtmx.connect(self._socket) as client:
            if what == "push":
                return (await client.push(*more)).version
            if what == "patch":
                return (await client.push_fields(*more)).version
            assert what == "push hostile strings"
            await push_hostile(client)
            return HOSTILE

    async def close(self) -> None:
        await self._stack.aclose()

    @property
    def _socket(self) -> str:
        return f"{self.url.replace('http://', 'ws://')}api/ws"


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


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where the pictures go: into the documentation if `RHTMX_SCREENSHOTS=docs`."""
    return ROOT / "docs" if os.environ.get("RHTMX_SCREENSHOTS") == "docs" else tmp_path
