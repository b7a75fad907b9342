"""A browser for all examples of a worker, and what starts them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.browser.driver import Browser, browsing
from tests.support.process import ROOT, running
from tests.support.programs import chromium, node
from tests.support.sockets import PATIENCE

DRIVER = Path(__file__).with_name("driver.mjs")


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


@contextlib.asynccontextmanager
async def started(module: str, folder: Path, **environ: str) -> AsyncIterator[str]:
    """An example, started by its command on a free port.

    Args:
        module: what `python -m` runs.
        folder: where it keeps what it stores.
        environ: its settings.

    Returns:
        Its address.
    """
    command = (sys.executable, "-m", module)
    async with running(*command, folder=folder, environ={"PORT": "0", **environ}) as process:
        assert process.stderr is not None
        said = b""
        async with asyncio.timeout(PATIENCE):
            while (found := re.search(rb"running on (http://\S+)", said)) is None:
                line = await process.stderr.readline()
                assert line, said.decode()
                said += line
        yield f"{found[1].decode()}/"
