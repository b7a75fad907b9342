"""Facts about `rhtmx.lifeline`."""

from __future__ import annotations

import pytest

from rhtmx.client import Client
from rhtmx.events import State
from rhtmx.verdict import ConnectionClosed
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
        async for _ in client.subscribe("tasks"):
            pass
