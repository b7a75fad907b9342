"""Signs of life, in both directions."""

from __future__ import annotations

import json

import pytest
from websockets.exceptions import ConnectionClosed

from rhtmx_server import App, Config
from tests.support.slow import slow_reader
from tests.support.sockets import raw


@pytest.fixture
def app() -> App:
    # Two heartbeats are more than a busy machine takes away at a time.
    return App(store="memory://", config=Config(port=0, heartbeat=0.5, stop_timeout=0.2))


async def test_a_client_that_said_hello_is_pinged_in_words(app: App) -> None:
    async with app, raw(app.url) as client:
        welcome = await client.ask({"type": "hello"}, "welcome")
        assert welcome["heartbeat"] == 500
        while json.loads(await client.socket.recv()) != {"type": "ping"}:
            pass


async def test_a_ping_is_answered(app: App) -> None:
    async with app, raw(app.url) as client:
        assert await client.ask({"type": "ping"}, "pong") == {"type": "pong"}


async def test_a_peer_without_any_sign_of_life_is_dropped(app: App) -> None:
    async with app, slow_reader(app.url) as client:
        client.send({"type": "hello"})
        while await client.read():
            pass


async def test_a_bare_client_lives_by_its_librarys_pongs(app: App) -> None:
    async with app, raw(app.url) as client:
        async with raw(app.url) as silent, slow_reader(app.url) as dead:
            dead.send({"type": "hello"})
            while await dead.read():
                pass
            await silent.ask({"type": "ping"}, "pong")
        with pytest.raises(ConnectionClosed):
            await silent.receive()
        await client.ask({"type": "ping"}, "pong")
