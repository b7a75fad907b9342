"""Two servers as processes behind nginx, configured as in docs/compose."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
from websockets.exceptions import InvalidStatus

import rhtmx
from tests.support import local_cluster, nats, nginx
from tests.support.local_cluster import Node
from tests.support.plain_http import ask
from tests.support.postgres import Postgres
from tests.support.sockets import PATIENCE, raw

CLIENTS = 6


class Balanced(NamedTuple):
    """What runs.

    Attributes:
        nodes: the servers, by their names.
        address: host and port of nginx.
    """

    nodes: dict[str, Node]
    address: str

    @property
    def url(self) -> str:
        return f"ws://{self.address}/api/ws"


@pytest.fixture
async def balanced(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Balanced]:
    with nats.running(tmp_path) as bus:
        async with local_cluster.nodes(postgres.place(), bus.url, (0, 0)) as nodes:
            with nginx.running([node.port for node in nodes]) as address:
                yield Balanced({node.name: node for node in nodes}, address)


async def test_when_a_node_stops_its_clients_go_on_at_the_other_and_nothing_is_lost(
    balanced: Balanced,
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(rhtmx.connect(balanced.url)) for _ in range(CLIENTS)
        ]
        readers = [client.changes("notes", since=0) for client in clients]
        await _each_writes(clients, "before")
        assert {client.node for client in clients} == {"a", "b"}
        balanced.nodes["a"].process.terminate()
        await _each_writes(clients, "while it stops")
        assert await balanced.nodes["a"].process.wait() == 0
        await _each_writes(clients, "after")
        assert {client.node for client in clients} == {"b"}
        for reader in readers:
            told = [await _next(reader) for _ in range(3 * CLIENTS)]
            assert [change.version for change in told] == [*range(1, 3 * CLIENTS + 1)]


async def _each_writes(clients: list[rhtmx.Client], what: str) -> None:
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(
            *(
                client.push("notes", f"{what} {number}", {"n": number})
                for number, client in enumerate(clients)
            )
        )


async def _next(reader: rhtmx.Subscription[rhtmx.Change]) -> rhtmx.Change:
    async with asyncio.timeout(PATIENCE):
        return await anext(reader)


async def test_who_asks_whether_it_is_ready_is_answered_by_a_node_that_is(
    balanced: Balanced,
) -> None:
    balanced.nodes["a"].process.terminate()
    await balanced.nodes["a"].process.wait()
    url = f"http://{balanced.address}"
    for _ in range(4):  # more often than there are nodes
        answer = await ask(url, "/readyz", Connection="close")
        assert (answer.status, answer.body.strip()) == (200, b"ready")
    assert (await ask(url, "/metrics", Connection="close")).status == 403


async def test_a_page_that_nginx_has_served_may_connect_and_no_other(balanced: Balanced) -> None:
    async with raw(balanced.url, origin=f"http://{balanced.address}") as page:
        await page.ask({"type": "hello", "client_id": "ada"}, "welcome")
    with pytest.raises(InvalidStatus, match="HTTP 403"):
        async with raw(balanced.url, origin="http://elsewhere.example"):
            pass
