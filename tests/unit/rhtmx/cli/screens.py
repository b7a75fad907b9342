"""Where the tool prints, in tests."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

from rhtmx.cli.output import Output
from rhtmx.cli.requests import Server


class Stream(io.StringIO):
    """A stream whose lines can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self._written = asyncio.Event()

    def write(self, text: str) -> int:
        self._written.set()
        return super().write(text)

    async def until(self, count: int) -> list[str]:
        """Wait for so many lines."""
        async with asyncio.timeout(60):
            while len(lines := self.getvalue().splitlines()) < count:
                self._written.clear()
                await self._written.wait()
        return lines


class Screen:
    """An `Output`, and what was printed to it."""

    def __init__(self, *, json: bool = False) -> None:
        self.out = Stream()
        self.err = Stream()
        self.output = Output(self.out, self.err, {}, json=json)

    @property
    def lines(self) -> list[str]:
        return self.out.getvalue().splitlines()

    @property
    def news(self) -> list[str]:
        return self.err.getvalue().splitlines()

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]


def server(url: str, *, timeout: float = 5.0) -> Server:
    return Server(url, None, None, "json", timeout)
