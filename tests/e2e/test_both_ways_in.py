"""A handshake goes a short way, or the library's: nobody can tell from outside which."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from rhtmx_server import App, Config, Grant, Request
from tests.support.sockets import PATIENCE

_LIBRARY = logging.getLogger("rhtmx_server.websockets")
_DATE = re.compile(rb"Date: [^\r]*\r\n")
_PING = b'{"type":"ping"}'
_FRAME = bytes((0x81, 0x80 | len(_PING), 0, 0, 0, 0)) + _PING
_USUAL = (
    b"Host: localhost\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
)
HEADS = [
    b"GET /api/ws HTTP/1.1\r\n" + _USUAL,
    b"GET /api/ws?client_id=ada HTTP/1.1\r\n" + _USUAL,
    b"GET /api/ws?client_id=%00 HTTP/1.1\r\n" + _USUAL,
    b"GET /api/ws HTTP/1.1\r\n" + _USUAL + b"Sec-WebSocket-Protocol: x, rhtmx.v1.json\r\n",
    b"GET /api/ws HTTP/1.1\r\n" + _USUAL + b"Sec-WebSocket-Extensions: permessage-deflate\r\n",
    b"GET /api/sync/ws HTTP/1.1\r\n" + _USUAL,
    b"GET /api/ws HTTP/1.1\r\n" + _USUAL + b"Origin: http://localhost\r\nCookie: a=b\r\n",
    b"GET /api/ws HTTP/1.1\r\n" + _USUAL + b"Origin: https://evil.example\r\n",
    b"GET /api/ws HTTP/1.1\r\n" + _USUAL + b"Cookie: a=b\r\n",
    b"GET /api/ws HTTP/1.1\r\n" + _USUAL + b"Content-Length: 3\r\n",
    b"GET /api/ws HTTP/1.1\r\n" + _USUAL.replace(b"13", b"8"),
    b"GET /api/ws HTTP/1.1\r\n" + _USUAL.replace(b"AA==", b"=="),
    b"GET /api/ws HTTP/1.1\r\n" + _USUAL + b"A: b\r\n" * 130,
    b"GET /api/ws HTTP/1.1\r\n" + _USUAL + b"A: " + b"b" * 9000 + b"\r\n",
    b"POST /api/ws HTTP/1.1\r\n" + _USUAL,
    b"GET /api/ws HTTP/1.0\r\n" + _USUAL,
    b"GET /nowhere HTTP/1.1\r\n" + _USUAL,
    b"GET /api/ws HTTP/1.1\r\nHost: localhost\r\n",
    b"hello\r\n",
]


@pytest.fixture
def _by_the_library() -> Iterator[None]:
    """Whoever reads the library's log has it take all handshakes."""
    _LIBRARY.setLevel(logging.INFO)
    yield
    _LIBRARY.setLevel(logging.NOTSET)


async def answer(app: App, *pieces: bytes) -> bytes:
    """All that a peer gets that says this, and then asks for a sign of life."""
    address = urlsplit(app.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    for piece in pieces:
        writer.write(piece)
        await asyncio.sleep(0)
    got = b""
    async with asyncio.timeout(PATIENCE):
        while b'"pong"' not in got and (data := await reader.read(1 << 16)):
            got += data
    writer.close()
    return _DATE.sub(b"", got)


@pytest.mark.parametrize("head", HEADS)
async def test_the_answer_is_the_same_by_either_way(
    head: bytes, request: pytest.FixtureRequest
) -> None:
    said = head + b"\r\n"
    async with App(store="memory://", config=Config(port=0)) as app:
        usual = await answer(app, said + _FRAME)
        for cut in (1, len(head) // 2, len(head), len(said), len(said) + 3):
            assert await answer(app, (said + _FRAME)[:cut], (said + _FRAME)[cut:]) == usual
        request.getfixturevalue("_by_the_library")
        assert await answer(app, said + _FRAME) == usual


@pytest.mark.parametrize("way", ["short", "long"])
async def test_who_is_asked_for_a_grant_is_told_all_of_the_handshake(
    way: str, request: pytest.FixtureRequest
) -> None:
    asked: list[Request] = []

    async def authenticate(peer: Request) -> Grant:
        asked.append(peer)
        return Grant("ada")

    if way == "long":
        request.getfixturevalue("_by_the_library")
    hello = b'{"type":"hello","token":"t"}'
    frame = bytes((0x81, 0x80 | len(hello), 0, 0, 0, 0)) + hello
    head = b"GET /api/ws?a=1&b=%C3%A9&a=2 HTTP/1.1\r\n" + _USUAL + b"X-A: 1\r\nCookie: c=d\r\n"
    head += b"X-a: \xe9 \r\nOrigin: http://localhost\r\ncookie: e=f; c=g\r\n\r\n"
    async with App(store="memory://", authenticate=authenticate, config=Config(port=0)) as app:
        assert b'"pong"' in await answer(app, head + frame + _FRAME)
    (peer,) = asked
    assert (peer.token, peer.transport, peer.path) == ("t", "websocket", "/api/ws")
    assert peer.query == {"a": "1", "b": "é"}
    assert list(peer.headers.items()) == [
        ("host", "localhost"),
        ("upgrade", "websocket"),
        ("connection", "keep-alive, Upgrade"),
        ("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA=="),
        ("sec-websocket-version", "13"),
        ("x-a", "1, é"),
        ("cookie", "c=d, e=f; c=g"),
        ("origin", "http://localhost"),
    ]
    assert peer.cookies == {"c": "d", "e": "f"}
    assert (peer.address, peer.certificate, peer.scope) == ("127.0.0.1", None, {})
