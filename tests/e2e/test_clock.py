"""A server whose clock is wrong: nothing that was promised is forgotten."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from rhtmx_server import App, Config
from rhtmx_server.stores import SqliteStore
from rhtmx_server.times import to_micros
from tests.support.sockets import Raw, raw

DAY = 86_400_000_000
NOW = time.time_ns() // 1000


class Collected(SqliteStore):
    """A store that says when old rows were taken away."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.done = asyncio.Event()

    async def note_horizon(self, horizon: int) -> None:
        await super().note_horizon(horizon)
        self.done.set()


class Machine:
    """Starts servers on one database, each under a clock of its own."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._path = path
        self.wall = NOW
        monkeypatch.setattr("rhtmx_server.composition.wall_clock", lambda: self.wall)

    @asynccontextmanager
    async def server(self, days: float = 0) -> AsyncIterator[tuple[App, Raw]]:
        """A server whose clock is wrong by so many days, and a client of it."""
        self.wall = NOW + round(days * DAY)
        store = Collected(self._path)
        async with App(store=store, config=Config(port=0)) as app, raw(app.url) as client:
            async with asyncio.timeout(10):
                await store.done.wait()
            await client.ask({"type": "hello", "client_id": "c1", "secret": "s"}, "welcome")
            yield app, client


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path / "app.db", monkeypatch)


def write(seq: int, entity_id: str = "1", action: str = "update") -> dict[str, Any]:
    message = {"type": "push", "entity": "e", "entity_id": entity_id, "action": action, "seq": seq}
    return {**message, "data": {"n": seq}} if action == "update" else message


async def look(app: App, client: Raw) -> dict[str, Any]:
    """What a resend of the last write is answered, and what is left of the others."""
    answer = await client.ask(write(3), "push_ack")
    await client.send({"type": "sync", "entity": "e", "since": 0})
    await client.until("sync_complete")
    changes = [each["change"] for each in client.log if each["type"] == "change"]
    return {
        "duplicate": answer.get("duplicate", False),
        "history": [entry.version for entry in await app.history("e")],
        "changes": [(change["version"], change["action"]) for change in changes],
    }


WHOLE = {
    "duplicate": True,
    "history": [1, 2, 3],
    "changes": [(2, "delete"), (3, "create")],
}


async def fill(client: Raw) -> None:
    await client.ask(write(1, "2"), "push_ack")
    await client.ask(write(2, "2", "delete"), "push_ack")
    await client.ask(write(3), "push_ack")


@pytest.mark.parametrize("days", [8, 40, 9_000, -40, -19_000])
async def test_a_wrong_clock_at_boot_takes_nothing_away_and_a_resend_has_no_second_effect(
    machine: Machine, days: float
) -> None:
    async with machine.server() as (_, client):
        await fill(client)
    async with machine.server(days) as (app, client):
        assert await look(app, client) == WHOLE
    async with machine.server() as (app, client):
        assert await look(app, client) == WHOLE


@pytest.mark.parametrize("days", [8, 40, 9_000, -6, -40, -19_000])
async def test_what_was_written_under_a_wrong_clock_is_kept_when_it_was_put_right(
    machine: Machine, days: float
) -> None:
    async with machine.server():
        pass
    async with machine.server(days) as (_, client):
        await fill(client)
    async with machine.server() as (app, client):
        assert await look(app, client) == WHOLE
    async with machine.server(days) as (app, client):
        assert await look(app, client) == WHOLE


async def test_under_a_clock_that_is_behind_times_go_on_from_what_the_store_has_seen(
    machine: Machine,
) -> None:
    async with machine.server() as (_, client):
        await fill(client)
    async with machine.server(-19_000) as (app, client):
        await client.ask(write(4), "push_ack")
        entry = (await app.history("e"))[-1]
        assert NOW <= to_micros(entry.created_at) < NOW + DAY
