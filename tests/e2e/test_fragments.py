"""Messages that come in pieces, and frames of both kinds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from rhtmx_server import App
from tests.support.sockets import PATIENCE, raw


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


async def test_nothing_follows_the_close_frame_that_answers_the_peers(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    address = urlsplit(app.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    protocol = ClientProtocol(parse_uri(app.url))
    protocol.send_request(protocol.connect())
    writer.writelines(protocol.data_to_send())
    while not protocol.events_received():
        protocol.receive_data(await reader.read(4096))
    protocol.send_text(b'{"type":"ping"}')
    protocol.send_close(1000)  # in one write: the answer to the ping comes too late
    writer.writelines(protocol.data_to_send())
    async with asyncio.timeout(PATIENCE):
        protocol.receive_data(await reader.read())
    frames = [event.opcode for event in protocol.events_received() if isinstance(event, Frame)]
    assert frames == [Opcode.CLOSE]
    assert caplog.records == [], "a write after the end would have failed"
    writer.close()
    await writer.wait_closed()
