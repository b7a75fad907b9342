"""A browser for all examples of a worker, and what starts them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from tests.browser.driver import Browser, browsing
from tests.support.npm import once, pack
from tests.support.process import ROOT, Started, run, running
from tests.support.programs import chromium, node, registry
from tests.support.sockets import PATIENCE

DRIVER = Path(__file__).with_name("driver.mjs")
NOT_OURS = shutil.ignore_patterns("__pycache__", "build", "dist", "node_modules", "*.db*", "*.tgz")


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A real Chromium; each test has profiles of its own in it."""
    async with browsing(node("playwright-core"), chromium(), driver=DRIVER) as browser:
        yield browser


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where the pictures go: into the guides if `RHTMX_SCREENSHOTS=docs`."""
    wanted = os.environ.get("RHTMX_SCREENSHOTS") == "docs"
    return ROOT / "docs" / "guides" if wanted else tmp_path


class Desk:
    """An order desk, run by its command.

    Args:
        module: what `python -m` runs.
        folder: where it runs, and keeps what it stores.
        environ: its settings, beside the port.

    Attributes:
        url: its address, on a free port.
    """

    url = ""

    def __init__(self, module: str, folder: Path, environ: Mapping[str, str]) -> None:
        self._module = module
        self._folder = folder
        self._environ = {"SECRET_KEY": "of the test", **environ}
        self._running = contextlib.AsyncExitStack()

    async def start(self) -> None:
        """Start it; another time at the same address, with the same sessions."""
        port = self.url.removesuffix("/").rpartition(":")[2] or "0"
        process = await self._running.enter_async_context(
            running(
                sys.executable,
                "-m",
                self._module,
                folder=self._folder,
                environ={**self._environ, "PORT": port},
            )
        )
        self.url = await address(process)

    async def stop(self) -> None:
        await self._running.aclose()

    async def do(self, what: str) -> None:
        """What a walk may ask for."""
        await {"start": self.start, "stop": self.stop}[what]()


async def address(process: Started) -> str:
    """The address that a server says it runs on."""
    assert process.stderr is not None
    said = b""
    async with asyncio.timeout(PATIENCE):
        while (found := re.search(rb"running on (http://\S+)", said)) is None:
            line = await process.stderr.readline()
            assert line, said.decode()
            said += line
    return f"{found[1].decode()}/"


@contextlib.asynccontextmanager
async def desk(module: str, folder: Path, **environ: str) -> AsyncIterator[Desk]:
    """An order desk that runs; see `Desk`."""
    desk = Desk(module, folder, environ)
    await desk.start()
    try:
        yield desk
    finally:
        await desk.stop()


def built(shared: Path, name: str) -> Path:
    """A folder with a copy of the examples, in which the page of one is built as its guide says."""
    registry("vite")
    package = pack(shared)

    def make(folder: Path) -> None:
        shutil.copytree(ROOT / "examples", folder / "examples", ignore=NOT_OURS)
        shutil.copy(package, folder / "examples")
        page = folder / "examples" / name
        quiet = ("--prefer-offline", "--no-audit", "--no-fund")
        run("npm", "ci", *quiet, folder=page, patience=10 * PATIENCE)
        run("npm", "run", "build", folder=page, patience=10 * PATIENCE)

    return once(shared / name, make)
