"""Messages that come in pieces, and frames of both kinds."""

from __future__ import annotations

from collections.abc import AsyncIterator

from rhtmx_server import App
from tests.support.sockets import raw


async def test_a_message_in_fragments_is_one_message(app: App) -> None:
    async with raw(app.url) as client:
        await client.socket.send(['{"type":', "", '"ping"', "}"])
        assert await client.receive() == {"type": "pong"}


async def test_control_frames_may_come_between_fragments(app: App) -> None:
    async with raw(app.url) as client:

        async def pieces() -> AsyncIterator[str]:
            yield '{"type":'
            await (await client.socket.ping())
            yield '"ping"}'

        await client.socket.send(pieces())
        assert await client.receive() == {"type": "pong"}


async def test_a_binary_message_in_fragments_is_refused_as_one(app: App) -> None:
    async with raw(app.url) as client:
        await client.socket.send([b'{"type":', b'"ping"}'])
        assert (await client.receive())["code"] == "bad_message"
        await client.ask({"type": "ping"}, "pong")
