"""Members of rooms when a server of a cluster is killed: real processes, sockets and buses."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

import rhtmx
from tests.support import nats as nats_server
from tests.support.cluster import Cluster, running
from tests.support.nats import NatsServer
from tests.support.postgres import Postgres
from tests.support.sockets import Raw, raw

HEARTBEAT = 4
"""Seconds; who goes on elsewhere has twice as many for that."""

MOVING = [f"moving {number}" for number in range(5)]
ROOM = {"entity": "orders", "entity_id": "7"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients come back soon."""
    monkeypatch.setattr("rhtmx.core.backoff._FIRST", 0.1)
    monkeypatch.setattr("rhtmx.core.backoff._LONGEST", 0.2)


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[NatsServer]:
    with nats_server.running(tmp_path) as server:
        yield server


class Watcher:
    """Sees who is in the room, and remembers whom it was told of.

    Attributes:
        ids: under which ids each of them was seen.
        gone: who was seen to leave.
    """

    def __init__(self, client: Raw) -> None:
        self._client = client
        self._members: dict[str, str] = {}
        self.ids: dict[str, set[str]] = {}
        self.gone: list[str] = []

    async def enter(self) -> None:
        await self._client.send({"type": "room_join", **ROOM, "watch": True})

    async def sees(self, *names: str) -> None:
        """Wait until these are there."""
        while sorted(self._members.values()) != sorted(names):
            self._take(await self._client.until("room_members"))

    def _take(self, told: dict[str, Any]) -> None:
        for each in told.get("members", ()):
            self._members[each["id"]] = each["state"]
            self.ids.setdefault(each["state"], set()).add(each["id"])
        self.gone += [self._members.pop(each) for each in told.get("gone", ())]


@contextlib.asynccontextmanager
async def at_the_first_node(cluster: Cluster) -> AsyncIterator[None]:
    """Whoever comes now comes to the first node."""
    for node in cluster.nodes[1:]:
        node.away = True
    yield
    for node in cluster.nodes[1:]:
        node.away = False


@pytest.mark.parametrize("kind", ["nats", "notify"])
async def test_members_of_a_server_that_is_killed_leave_unless_they_go_on_elsewhere(
    tmp_path: Path, postgres: Postgres, request: pytest.FixtureRequest, kind: str
) -> None:
    bus = "notify:" if kind == "notify" else request.getfixturevalue("nats").url
    arguments = ("--store", postgres.place(), "--bus", bus, "--heartbeat", str(HEARTBEAT))
    async with (
        running(tmp_path, [arguments] * 3) as cluster,
        contextlib.AsyncExitStack() as stack,
    ):
        killed, other = cluster.nodes[0], cluster.nodes[1]
        watchers = []
        for node in cluster.nodes[1:]:
            watchers.append(Watcher(await stack.enter_async_context(raw(node.server.url))))
        async with rhtmx.connect(other.server.url) as writer:
            await writer.push("orders", "7", {"goods": "tea"})
        async with at_the_first_node(cluster):
            for name in MOVING:
                mover = await stack.enter_async_context(rhtmx.connect(cluster.url))
                await mover.room("orders/7").join(name)
        lost = await stack.enter_async_context(rhtmx.connect(killed.server.url))
        await lost.room("orders/7").join("lost")
        for watcher in watchers:
            await watcher.enter()
        await asyncio.gather(*(each.sees("lost", *MOVING) for each in watchers))
        await killed.kill()
        await asyncio.gather(*(each.sees(*MOVING) for each in watchers))
        for watcher in watchers:
            assert watcher.gone == ["lost"]
            assert all(len(ids) == 1 for ids in watcher.ids.values())
        # They are at the other nodes now: what they say there is seen.
        async with rhtmx.connect(cluster.url) as late:
            await late.room("orders/7").join("late")
            await asyncio.gather(*(each.sees("late", *MOVING) for each in watchers))
        await asyncio.gather(*(each.sees(*MOVING) for each in watchers))
