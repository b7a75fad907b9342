"""The terminal tool as a process of its own, as a person or a script runs it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from tests.support.process import Started, ran, running
from tests.support.sockets import PATIENCE


@dataclass(frozen=True)
class Ended:
    """What came of a run."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


class Running:
    """A run that goes on."""

    def __init__(self, process: Started) -> None:
        self.process = process

    async def line(self) -> str:
        """The next line of standard output."""
        return await self._line(self.process.stdout)

    async def news(self) -> str:
        """The next line of standard error."""
        return await self._line(self.process.stderr)

    async def end(self) -> Ended:
        """Wait for its end; what it printed since."""
        async with asyncio.timeout(PATIENCE):
            out, err = await self.process.communicate()
        assert self.process.returncode is not None
        return Ended(self.process.returncode, (out or b"").decode(), err.decode())

    async def _line(self, stream: asyncio.StreamReader | None) -> str:
        assert stream is not None
        async with asyncio.timeout(PATIENCE):
            return (await stream.readline()).decode().rstrip("\n")


class Terminal:
    """Runs the tool.

    Args:
        url: the server that it is told of in its environment.
        by_hand: whether it starts as it does for a person, in ten times the time; see `nest.py`.
        environ: further variables.
    """

    def __init__(self, url: str, *, by_hand: bool = False, **environ: str) -> None:
        self._command = (sys.executable, "-W", "error", "-m", "rhtmx") if by_hand else ("rhtmx",)
        self._how: dict[str, Any] = {"at_once": not by_hand}
        self.environ: dict[str, str | None] = {"RHTMX_URL": url, "TZ": "UTC", **environ}

    async def run(self, *arguments: str, given: bytes = b"") -> Ended:
        """Run it to its end.

        Args:
            arguments: those of the command.
            given: what it can read from standard input.
        """
        how = {**self._how, "environ": self.environ}
        ended = await ran(*self._command, *arguments, code=None, given=given, **how)
        return Ended(ended.code, ended.output, ended.errors)

    @contextlib.asynccontextmanager
    async def running(self, *arguments: str, **options: Any) -> AsyncIterator[Running]:
        """Run it beside the test."""
        streams = {"stdin": PIPE, **options}
        how = {**self._how, "environ": self.environ, **streams}
        async with running(*self._command, *arguments, **how) as process:
            yield Running(process)
