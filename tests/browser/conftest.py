"""A browser for all tests of a worker, and the demo for each."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

import rhtmx
from rhtmx_server import Config
from rhtmx_server.demo import Demo
from tests.browser.driver import Browser, browsing
from tests.browser.hostile import HOSTILE, push_hostile
from tests.support.process import ROOT, ServerProcess, serving
from tests.support.programs import chromium, node


class Stage:
    """A running demo, as a scenario sees it.

    Attributes:
        url: its page.
    """

    url = ""

    async def do(self, what: str, *more: Any) -> object:
        """What a scenario may ask for; the answer is what it gets."""
        async with rhtmx.connect(f"{self.url.replace('http://', 'ws://')}api/ws") as client:
            if what == "push":
                return (await client.push(*more)).version
            if what == "patch":
                return (await client.push_fields(*more)).version
            if what == "patch all":
                entity, records = more
                for entity_id, fields in records.items():
                    await client.push_fields(entity, entity_id, fields)
                return None
            assert what == "push hostile strings"
            await push_hostile(client)
            return HOSTILE


class ProcessStage(Stage):
    """The demo in a process of its own, on one port and one store: it can be killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = contextlib.AsyncExitStack()
        self._server: ServerProcess | None = None

    async def start(self) -> None:
        port = self.url.removesuffix("/").rpartition(":")[2] or "0"
        self._server = await self._stack.enter_async_context(
            serving("--app", "rhtmx_server.demo:app", folder=self._folder, port=int(port))
        )
        self.url = f"{self._server.http}/"

    async def close(self) -> None:
        await self._stack.aclose()

    async def do(self, what: str, *more: Any) -> object:
        assert self._server is not None
        if what == "kill":
            await self._server.kill()
        elif what == "start":
            await self.start()
        else:
            return await super().do(what, *more)
        return None


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A real Chromium; each test has profiles of its own in it."""
    async with browsing(node("playwright-core"), chromium()) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def stage() -> AsyncIterator[Stage]:
    """The demo in this process, with nothing in its store: it starts at once."""
    async with staged(Demo("memory://")) as stage:
        yield stage


@contextlib.asynccontextmanager
async def staged(app: Demo) -> AsyncIterator[Stage]:
    """Run a demo in this process."""
    # The sockets of pages that are closed may outlive them: nothing is owed to those.
    app.configure(Config(port=0, stop_timeout=0.2))
    async with app:
        stage = Stage()
        stage.url = app.url.replace("ws://", "http://").removesuffix("api/ws")
        yield stage


@pytest_asyncio.fixture(loop_scope="session")
async def process_stage(tmp_path: Path) -> AsyncIterator[ProcessStage]:
    """The demo in a process, with nothing in its store."""
    stage = ProcessStage(tmp_path)
    await stage.start()
    yield stage
    await stage.close()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where the pictures go: into the documentation if `RHTMX_SCREENSHOTS=docs`."""
    return ROOT / "docs" if os.environ.get("RHTMX_SCREENSHOTS") == "docs" else tmp_path
