"""uvicorn's protocol with frames that are made already."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rhtmx_server.encoding.framing import TEXT, frame
from rhtmx_server.transports.asgi.events import FRAMES, frames_event

pytest.importorskip("uvicorn")

from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.server import ServerState

from rhtmx_server.transports.asgi.uvicorn import FrameProtocol

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
CLOSE = b"\x88\x80\x00\x00\x00\x00"


class Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__({"sockname": ("127.0.0.1", 80), "peername": ("127.0.0.1", 8080)})
        self.written = bytearray()
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def resume_reading(self) -> None: ...


class Site:
    """An application that tells the test its scope and its `send`."""

    def __init__(self) -> None:
        self.scope: Any = None
        self.send: Any = None
        self.accepted = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope, self.send = scope, send
        await receive()
        await send({"type": "websocket.accept"})
        self.accepted.set()
        await receive()


async def connected() -> tuple[Site, FrameProtocol, Transport]:
    site, transport = Site(), Transport()
    config = Config(site, lifespan="off", log_config=None, ws_ping_interval=None)
    config.load()
    protocol = FrameProtocol(config, ServerState(), {})
    protocol.connection_made(transport)
    protocol.data_received(HANDSHAKE)
    await site.accepted.wait()
    transport.written.clear()
    return site, protocol, transport


async def test_frames_are_written_as_they_are_beside_messages() -> None:
    site, protocol, transport = await connected()
    assert FRAMES in site.scope["extensions"]
    joined = frame(TEXT, b"1") + frame(TEXT, b"2")
    await site.send(frames_event(joined))
    await site.send({"type": "websocket.send", "text": "3"})
    assert bytes(transport.written) == joined + frame(TEXT, b"3")
    protocol.connection_lost(None)


async def test_frames_wait_until_the_peer_takes_them() -> None:
    site, protocol, transport = await connected()
    protocol.pause_writing()
    sending = asyncio.create_task(site.send(frames_event(frame(TEXT, b"1"))))
    await asyncio.sleep(0)
    assert not transport.written
    protocol.resume_writing()
    await sending
    assert transport.written
    protocol.connection_lost(None)


@pytest.mark.parametrize("ends", ["lost", "closed by the peer", "closed here"])
async def test_nothing_follows_a_close(ends: str) -> None:
    site, protocol, transport = await connected()
    if ends == "lost":
        protocol.connection_lost(None)
    elif ends == "closed by the peer":
        protocol.data_received(CLOSE)
    else:
        await site.send({"type": "websocket.close", "code": 4000, "reason": ""})
    written = bytes(transport.written)
    with pytest.raises(ClientDisconnected):
        await site.send(frames_event(frame(TEXT, b"1")))
    assert bytes(transport.written) == written
    if ends != "lost":
        protocol.connection_lost(None)
