"""Facts about `rhtmx.lifeline`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import rhtmx
from rhtmx.client import Client
from rhtmx.events import State
from rhtmx.stores.memory import MemoryStore
from rhtmx.verdict import ConnectionClosed
from tests.support.waiting import eventually
from tests.unit.rhtmx.peer import Peer, client_of


async def test_a_client_is_open_inside_and_closed_outside(peer: Peer) -> None:
    client = client_of(peer)
    seen = [client.state]
    async with client:
        seen.append(client.state)
    assert [*seen, client.state] == [State.CONNECTING, State.OPEN, State.CLOSED]


async def test_states_tells_now_and_each_new_one(client: Client, peer: Peer) -> None:
    seen = []
    async for state in client.states():
        seen.append(state)
        if len(seen) == 1:
            await peer.drop()
        elif len(seen) == 4:
            await client.close()
    assert seen == [State.OPEN, State.WAITING, State.CONNECTING, State.OPEN, State.CLOSED]


async def test_a_client_connects_once(client: Client) -> None:
    with pytest.raises(ConnectionClosed, match="make another one"):
        async with client:
            pass


async def test_after_the_end_every_call_says_so(peer: Peer) -> None:
    async with client_of(peer) as client:
        pass
    with pytest.raises(ConnectionClosed, match="the client was closed"):
        await client.push("tasks", "1", 1)
    with pytest.raises(ConnectionClosed, match="the client was closed"):
        async for _ in client.changes("tasks"):
            pass


async def test_with_a_store_entering_does_not_wait_for_a_connection(tmp_path: Path) -> None:
    path = tmp_path / "replica.db"
    async with rhtmx.connect("ws://127.0.0.1:1/api/ws", store=path) as client:
        states = [client.state]
        name = client.client_id
    assert [*states, client.state] == [State.CONNECTING, State.CLOSED]
    async with rhtmx.connect("ws://127.0.0.1:1/api/ws", store=path) as client:
        assert client.client_id == name


async def test_an_address_that_is_none_is_the_end_even_with_a_store(tmp_path: Path) -> None:
    async with rhtmx.connect("http://nowhere", store=tmp_path / "replica.db") as client:
        async for _ in client.states():
            pass
        with pytest.raises(ConnectionClosed, match="not a ws:// or wss:// URL"):
            await client.push("tasks", "1", 1)


async def test_without_a_store_there_is_nothing_to_wait_for(client: Client) -> None:
    await client.saved()


async def test_saved_waits_until_a_write_is_in_the_store(tmp_path: Path) -> None:
    async with rhtmx.connect("ws://127.0.0.1:1/api/ws", store=tmp_path / "replica.db") as client:
        call = asyncio.create_task(client.push("tasks", "1", 1))
        await asyncio.sleep(0)
        assert [each.stored for each in client.queue] == [False]
        await client.saved()
        assert [each.stored for each in client.queue] == [True]
        call.cancel()


async def test_a_client_that_was_not_entered_cannot_go_online(peer: Peer) -> None:
    with pytest.raises(ConnectionClosed, match="async with"):
        client_of(peer).online()


def records(store: MemoryStore) -> set[str]:
    """The tasks that it holds."""
    kept = store.load().entities.get("tasks")
    return set() if kept is None else set(kept.records)


async def test_what_the_server_tells_is_stored_without_anybody_asking(peer: Peer) -> None:
    store = MemoryStore("c1")
    async with client_of(peer, store=store) as client:
        await client.collection("tasks").synced()
        await peer.write("a", {"n": 1})
        await eventually(lambda: "a" in records(store))
