"""Runs the scenarios of this folder in a real browser.

Knows the line protocol of `driver.mjs`. Must not know what a scenario does.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from tests.support.process import Started, running

DRIVER = Path(__file__).with_name("driver.mjs")

PATIENCE = 300.0
"""Seconds for one scenario: its own waits are shorter and say what they waited for."""

Answer = Callable[..., Awaitable[object]]
"""Does what a scenario asks for. Takes what, and more about it; returns the answer, for JSON."""


class Browser:
    """A browser that runs one scenario after the other."""

    def __init__(self, process: Started) -> None:
        self._process = process

    async def run(
        self, scenario: str, url: str, answer: Answer, pictures: Path | None = None
    ) -> None:
        """Run a scenario.

        Args:
            scenario: its name in one of the `.mjs` files beside this one.
            url: the page.
            answer: does what the scenario asks for.
            pictures: the folder for those that it takes, if it takes any.

        Raises:
            AssertionError: what went wrong in the browser.
        """
        await self._say({"scenario": scenario, "url": url, "pictures": str(pictures)})
        async with asyncio.timeout(PATIENCE):
            while "ask" in (message := await self._hear()):
                await self._say(await answer(message["ask"], *message["with"]))
        if "failed" in message:
            raise AssertionError(message["failed"])

    async def _say(self, message: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        await self._process.stdin.drain()

    async def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        assert line, "the browser's driver has ended: its output says why"
        message: dict[str, Any] = json.loads(line)
        return message


@contextlib.asynccontextmanager
async def browsing(
    node: str, *driven: str, driver: Path = DRIVER, environ: Mapping[str, str | None] | None = None
) -> AsyncIterator[Browser]:
    """A browser that is running.

    Args:
        node: the program that drives it.
        driven: what is driven: the program, or what else the driver takes.
        driver: what Node runs.
        environ: added to ours.
    """
    async with running(
        node, driver, *driven, environ=environ, stdin=asyncio.subprocess.PIPE
    ) as process:
        yield Browser(process)
        assert process.stdin is not None
        process.stdin.close()
        async with asyncio.timeout(PATIENCE):
            await process.wait()
