"""A client whose store fails now and then: each write ends, and is told the truth of itself.

A life is made from a seed: a client of a real server that writes, goes offline and comes back, is
closed and opened again, or has its tasks cancelled as at the end of a program, while its file is
full, fails, or is moved away and back. Each write counts up a record of its own, so that one
that took effect twice shows.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Sequence
from pathlib import Path
from typing import Any

import pytest

import rhtmx
from rhtmx.api.client import Client
from rhtmx.core.session import Session
from rhtmx.core.storage_ops import AddWrite, Op, PutRecord
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.runtime.handshake import WebSocketEndpoint
from rhtmx.stores.sqlite import SqliteStore
from rhtmx.wire import Format
from rhtmx_server import App, Config
from tests.support.sockets import PATIENCE

SEEDS = range(12)
STEPS = 40
STORAGE = (ErrorCode.STORAGE_FULL, ErrorCode.STORAGE_FAILED)


@pytest.fixture
async def app() -> AsyncIterator[App]:
    """A running server."""
    app = App(store="memory://", config=Config(port=0))
    app.entity("tasks")
    async with app:
        yield app


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rhtmx.core.backoff._LONGEST", 0.01)
    monkeypatch.setattr("rhtmx.runtime.store_writer.RETRY", 0.01)


class FailingStore(SqliteStore):
    """A file that fails as its mood says."""

    mood = "works"

    def add(self, adds: Sequence[AddWrite], ops: Sequence[Op] = ()) -> list[int]:
        full = RhtmxError(ErrorCode.STORAGE_FULL, "the test's disk is full")
        if self.mood == "full" or (self.mood == "nearly full" and len(adds) > 1):
            raise full
        if self.mood == "no room for records" and any(isinstance(op, PutRecord) for op in ops):
            raise full
        if self.mood == "has a bug":
            raise ZeroDivisionError
        return super().add(adds, ops)


MOODS = ("works", "works", "full", "nearly full", "no room for records", "has a bug")


class Life:
    """A client, what it was told, and what is to come of it."""

    def __init__(self, app: App, path: Path, seed: int) -> None:
        self._app = app
        self._random = random.Random(seed)
        self._path = path
        self._away = path.with_name("moved.db")
        self._count = 0
        self._calls: list[asyncio.Task[None]] = []
        self.stored: set[str] = set()
        self.answered: set[str] = set()
        self.refused: set[str] = set()

    async def begin(self) -> None:
        self._store = FailingStore(self._path)
        endpoint = WebSocketEndpoint(self._app.url, Format.JSON)
        others = asyncio.all_tasks()
        self._client = Client(Session("c", self._random.random), endpoint, store=self._store)
        await self._client.__aenter__()
        self._client_tasks = asyncio.all_tasks() - others
        self._tasks = self._client.collection("tasks")
        self._tasks.all()

    async def end(self) -> None:
        self.put_back()
        await self._client.close()
        await asyncio.gather(*self._calls)  # each has ended
        self._calls.clear()

    async def go_on(self) -> None:
        often = (*[self.write] * 6, *[self.change_mood] * 2)
        others = (self.transaction, self.turn, self.move, self.reopen, self.lose_tasks, self.pause)
        await self._random.choice((*often, *others))()

    async def pause(self) -> None:
        for _ in range(self._random.randrange(30)):
            await asyncio.sleep(0)

    async def write(self) -> None:
        name = self._name()
        self._wait_for([name], self._tasks.patch(name, {"n": rhtmx.Increment(1)}))

    async def transaction(self) -> None:
        names = [self._name(), self._name()]
        with self._client.transaction() as both:
            for name in names:
                both.patch("tasks", name, {"n": rhtmx.Increment(1)})
        self._wait_for(names, both.writing)

    async def turn(self) -> None:
        self._random.choice([self._client.offline, self._client.online])()

    async def change_mood(self) -> None:
        self._store.mood = self._random.choice(MOODS)

    async def move(self) -> None:
        if self._path.exists():
            self._path.rename(self._away)
        else:
            self.put_back()

    async def reopen(self) -> None:
        await self.end()
        await self.begin()

    async def lose_tasks(self) -> None:
        for each in self._client_tasks:
            each.cancel()
        await self.reopen()

    def put_back(self) -> None:
        if self._away.exists():
            self._away.rename(self._path)

    def _name(self) -> str:
        self._count += 1
        return str(self._count)

    def _wait_for(self, names: list[str], writing: rhtmx.Writing[Any]) -> None:
        self._calls += [
            asyncio.create_task(self._told(names, writing.stored(), self.stored)),
            asyncio.create_task(self._told(names, writing, self.answered)),
        ]
        if self._random.random() < 0.1:
            self._calls[-1].cancel()
            self._calls.pop()

    async def _told(self, names: list[str], wait: Awaitable[object], done: set[str]) -> None:
        try:
            await wait
        except rhtmx.ConnectionClosed:
            return
        except RhtmxError as error:
            if error.code not in STORAGE:
                raise
            if done is self.answered:
                self.refused.update(names)
        else:
            done.update(names)

    async def outcome(self) -> dict[str, int]:
        """What the server has in the end."""
        await self.end()
        await self.begin()
        self._client.online()
        async for queue in self._client.queues():
            if not queue:
                break
        await self._client.close()
        async with rhtmx.connect(self._app.url) as reader:
            return {each.entity_id: each.data["n"] for each in await reader.sync("tasks")}


@pytest.mark.parametrize("seed", SEEDS)
async def test_what_is_said_of_a_write_is_so(app: App, tmp_path: Path, seed: int) -> None:
    life = Life(app, tmp_path / "replica.db", seed)
    async with asyncio.timeout(PATIENCE):
        await life.begin()
        for _ in range(STEPS):
            await life.go_on()
        effects = await life.outcome()
    assert set(effects.values()) <= {1}, "none took effect twice"
    assert life.stored | life.answered <= effects.keys(), "none was lost"
    assert not life.refused & effects.keys(), "none was written that was refused"
    assert not life.refused & life.stored
