"""Transactions of two programs, while they and their server are killed: exact, and never halved.

Real processes, sockets and files. An observer looks after each message. `RHTMX_TOGETHER=20`
runs a campaign.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

import rhtmx
from rhtmx.api.client import Client
from tests.support.process import ROOT, ServerProcess, Started, ran, running, serving
from tests.support.sockets import PATIENCE

WRITER = ROOT / "tests" / "support" / "together_writer.py"
RUNS = int(os.environ.get("RHTMX_TOGETHER", "2"))
KILLS = 6
NAMES = ("ada", "bob")


class Observer:
    """Reads two collections, and looks at both after each message.

    Attributes:
        halves: what it saw that was half of a transaction.
        looks: how often it has looked.
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self.halves: list[Any] = []
        self.looks = 0
        self._wanted = 0
        self._seen = asyncio.Event()
        self._orders = client.collection("orders")
        self._lines = client.collection("lines", granularity="fields")

    @contextlib.asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """Load, and look from then on: more often than an application can."""
        async with self._orders, self._lines:
            await self._orders.synced()
            await self._lines.synced()
            session = self.client._runtime.session
            step = session.step

            def look(*args: Any, **more: Any) -> Any:
                result = step(*args, **more)
                self._look()
                return result

            session.step = look  # type: ignore[method-assign]
            yield
            session.step = step  # type: ignore[method-assign]

    async def after(self, count: int) -> None:
        """Wait until it has looked so often again."""
        self._wanted = self.looks + count
        self._seen.clear()
        async with asyncio.timeout(PATIENCE):
            await self._seen.wait()

    def shown(self) -> dict[str, dict[str, Any]]:
        """What it shows, by entity."""
        both = {"orders": self._orders, "lines": self._lines}
        return {name: {row.id: row.data for row in each.all()} for name, each in both.items()}

    def _look(self) -> None:
        self.looks += 1
        if self.looks >= self._wanted:
            self._seen.set()
        pair = [each and each.data for each in (self._orders.get("p"), self._lines.get("p"))]
        accounts = self._orders.get("a"), self._lines.get("b")
        balances = [each.data["balance"] if each else 0 for each in accounts]
        if pair[0] != pair[1] or sum(balances) != 0:
            self.halves.append((pair, balances))


class Writer:
    """A program that writes, again and again.

    Attributes:
        queued: what it said that is safe.
    """

    def __init__(self, folder: Path, url: str, name: str) -> None:
        self.queued: set[str] = set()
        self._command = (WRITER, url, str(folder / f"{name}.db"), name)
        self._name = name
        self._begun = 0
        self._first = 1
        self._stack = contextlib.AsyncExitStack()
        self._process: Started | None = None

    async def start(self) -> None:
        """Begin behind all that it may have written before."""
        self._first = self._begun + 1
        self._process = await self._stack.enter_async_context(
            running(*self._command, str(self._first), at_once=True)
        )

    async def kill(self) -> None:
        """End it at once, and take what it has said."""
        assert self._process is not None
        self._process.kill()
        said, _ = await self._process.communicate()
        for line in said.decode().splitlines():
            word, _, number = line.partition(" ")
            if not number.isdigit():
                continue  # the last line may be cut
            self._begun = max(self._begun, int(number))
            if word == "queued":
                last = range(self._first, int(number) + 1)
                self.queued |= {f"{self._name}-{each}" for each in last}
        await self.close()

    async def close(self) -> None:
        """End it, if it runs."""
        await self._stack.aclose()

    async def finish(self) -> None:
        """Let it send what waits."""
        await ran(*self._command, at_once=True)


class Server:
    """The server's process, again and again on one port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = contextlib.AsyncExitStack()
        self._process: ServerProcess | None = None

    @property
    def url(self) -> str:
        assert self._process is not None
        return self._process.url

    async def start(self) -> None:
        """Start it, where it was."""
        port = int(self.url.rpartition(":")[2].partition("/")[0]) if self._process else 0
        running = serving(folder=self._folder, port=port)
        self._process = await self._stack.enter_async_context(running)

    async def kill(self) -> None:
        """End it at once."""
        assert self._process is not None
        await self._process.kill()
        await self.close()

    async def close(self) -> None:
        """End it, if it runs."""
        await self._stack.aclose()


@pytest.mark.parametrize("run", range(RUNS))
async def test_killed_programs_and_servers_lose_double_and_halve_no_transaction(
    tmp_path: Path, run: int
) -> None:
    dice, server = Random(run), Server(tmp_path)
    await server.start()
    writers = [Writer(tmp_path, server.url, name) for name in NAMES]
    programs: list[Server | Writer] = [server, *writers]
    try:
        async with rhtmx.connect(server.url) as client:
            observer = Observer(client)
            async with observer.looking():
                for writer in writers:
                    await writer.start()
                for _ in range(KILLS):
                    await observer.after(dice.randrange(20, 300))
                    killed = dice.choice(programs)
                    await killed.kill()
                    await killed.start()
                    client.online()
                for writer in writers:
                    await writer.kill()
                    await writer.finish()
                marks, counted, right = await what_is_there(server.url)
                while observer.shown() != right:
                    await observer.after(1)
    finally:
        for each in programs:
            await each.close()
    assert observer.halves == []
    queued = set[str]().union(*(writer.queued for writer in writers))
    assert queued, "the killing came before everything"
    assert queued <= set(marks), "a transaction that was queued is lost"
    assert counted == len(marks), "each counts once"


async def what_is_there(url: str) -> tuple[list[str], int, dict[str, dict[str, Any]]]:
    """The marks, how many were counted, and all that is in the two entities."""
    async with rhtmx.connect(url) as client:
        marks = await client.sync("marks")
        right = {
            entity: {each.entity_id: each.data for each in await client.sync(entity)}
            for entity in ("orders", "lines")
        }
    assert marks.position.version == len(marks), "each is written once"
    return [each.entity_id for each in marks], right["lines"]["c"]["votes"], right
