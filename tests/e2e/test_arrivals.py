"""Connections until they have said what they want, and those for whom there is no room."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

import rhtmx
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server import App, Config, Grant, Request
from rhtmx_server.transports import arrivals
from tests.support.plain_http import Answer, ask, exchange, take_apart
from tests.support.sockets import PATIENCE, raw
from tests.support.waiting import eventually

HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@contextlib.asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[App]:
    names = Config.__dataclass_fields__
    limits = {name: options.pop(name) for name in list(options) if name in names}
    async with App(store="memory://", config=Config(port=0, **limits), **options) as app:
        yield app


@contextlib.asynccontextmanager
async def opened(app: App, said: bytes = b"") -> AsyncIterator[asyncio.StreamReader]:
    """A connection that says so much and no more; the server knows it."""
    address = urlsplit(app.url)
    before = present(app)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(said)
    await eventually(lambda: present(app) > before)
    try:
        yield reader
    finally:
        writer.transport.abort()


def present(app: App) -> int:
    assert app._life.server is not None
    return app._life.server.services.admission._connections


async def ended(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(PATIENCE):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


def refused(app: App, reason: str) -> float:
    name = "rhtmx_handshakes_refused_total"
    return app.metrics.registry.get_sample_value(name, {"reason": reason}) or 0.0


def check_refusal(answer: Answer, status: int, code: str, words: str) -> None:
    assert (answer.status, answer.json["type"], answer.json["code"]) == (status, "error", code)
    assert words in answer.json["message"]
    assert answer.headers["Retry-After"] == str(answer.json["retry_after"] // 1000)
    assert answer.headers["Connection"] == "close"
    assert answer.json["retryable"] is True


@pytest.fixture
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients come again soon, and are asked to."""
    monkeypatch.setattr("rhtmx.core.backoff._LONGEST", 0.05)
    monkeypatch.setattr("rhtmx_server.connections.admission._LATER", 0.05)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Peers of this machine count as if they came from another one."""
    monkeypatch.setattr(arrivals, "source", lambda peername: "192.0.2.1")


# Handshakes that do not end.


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\x16\x03\x01\x02\x00\x01",
        b"GET /api/ws HTTP/1.1\r\nHost: loc",
        b"GET /api/ws HTTP/1.1\r\nHost: localhost\r\n",
        b"GET /api/ws HTTP/1.1\r\nHost: localhost\r\n\r",
    ],
)
async def test_a_handshake_that_does_not_end_is_dropped_and_counted(said: bytes) -> None:
    async with serving(handshake_timeout=0.05) as app, raw(app.url) as client:
        async with opened(app, said) as reader:
            assert await ended(reader) == b""
        await eventually(lambda: refused(app, "timeout") == 1)
        await eventually(lambda: present(app) == 1)
        await client.ask({"type": "ping"}, "pong")


async def test_what_is_no_request_is_dropped_at_once() -> None:
    async with serving(handshake_timeout=3600) as app:
        for said in (
            b"hello\r\n\r\n",
            b"\r\n\r\n",
            b"\n\n",
            b"GET / HTTP/1.1\n\n",
            b"A: b\r\n\r\n",
        ):
            async with opened(app, said) as reader:
                assert await ended(reader) == b""
                await eventually(lambda: present(app) == 0)  # though the peer has not hung up


@pytest.mark.parametrize("size", [1, 2, 3, 7])
async def test_a_head_may_come_in_pieces(size: int) -> None:
    async with serving() as app:
        address = urlsplit(app.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        for start in range(0, len(HEAD), size):
            writer.write(HEAD[start : start + size])
            await asyncio.sleep(0)
        assert (await ended(reader)).startswith(b"HTTP/1.1 200")
        writer.close()
        assert app._life.server is not None
        assert app._life.server._websockets._arrivals.held == 0


async def test_a_socket_that_speaks_before_it_is_answered_is_heard() -> None:
    request = (
        b"GET /api/ws HTTP/1.1\r\nHost: a\r\nUPGRADE:WebSocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    ping = b'{"type":"ping"}'
    frame = bytes((0x81, 0x80 | len(ping), 0, 0, 0, 0)) + ping
    async with serving() as app, opened(app, request + frame) as reader:
        async with asyncio.timeout(PATIENCE):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
            assert b'"pong"' in await reader.readuntil(b"}")


@pytest.mark.parametrize(
    "more",
    [b"garbage", b"\xff" * 100, b"\x88\x80\0\0\0\0"],
    ids=["garbage", "reserved bits", "a close frame"],
)
async def test_what_follows_a_handshake_that_is_refused_does_not_harm_its_answer(
    more: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    head = b"GET /none HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    async with serving() as app:
        answer = take_apart(await exchange(app.url, head + b"\r\n" + more))
    assert answer.status == 404
    assert not [each for each in caplog.records if each.exc_info]


async def test_a_head_without_an_end_is_told_so() -> None:
    async with serving() as app:
        said = b"GET / HTTP/1.1\r\n" + b"X-Long: x\r\n" * 1600
        async with opened(app, said) as reader:
            answer = take_apart(await ended(reader))
        assert answer.status == 431
        assert "at most 16384 bytes" in answer.json["message"]
        await eventually(lambda: present(app) == 0)


async def test_all_heads_together_stay_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "MAX_HEADS", 20_000)
    async with serving() as app, opened(app, b"GET / HTTP/1.1\r\nA: " + b"x" * 15_000):
        async with opened(app, b"GET / HTTP/1.1\r\nA: " + b"x" * 15_000) as reader:
            answer = take_apart(await ended(reader))
        assert answer.status == 431
        assert "one piece" in answer.json["message"]
        assert (await ask(app.url, "/healthz")).status == 200


async def test_stopping_waits_for_no_handshake() -> None:
    app = App(store="memory://", config=Config(port=0, handshake_timeout=3600, stop_timeout=3600))
    await app.start()
    async with opened(app), opened(app, HEAD[:-1]), asyncio.timeout(PATIENCE):
        await app.stop()


# No room.


async def test_one_handshake_too_many_is_told_to_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rhtmx_server.connections.admission.FAIR", 3600.0)
    async with serving(handshakes=2) as app:
        async with opened(app), opened(app, b"GET"):
            answer = await ask(app.url, "/healthz")
            check_refusal(answer, 503, "too_many_requests", "--handshakes")
            with pytest.raises(InvalidStatus) as caught:
                await connect(app.url)
            assert caught.value.response.status_code == 503
        await eventually(lambda: present(app) == 0)
        assert refused(app, "handshakes") == 2
        async with raw(app.url) as client:
            await client.ask({"type": "ping"}, "pong")


async def test_a_handshake_that_hangs_makes_room_for_one_that_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rhtmx_server.connections.admission.FAIR", 0.0)
    async with serving(handshakes=1) as app, opened(app) as hanging:
        async with raw(app.url) as client:
            await client.ask({"type": "ping"}, "pong")
        assert await ended(hanging) == b""


async def test_one_turned_away_that_asks_for_nothing_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rhtmx_server.connections.admission.FAIR", 0.05)
    monkeypatch.setattr(arrivals, "FAIR", 0.05)
    async with serving(connections=1) as app, raw(app.url):
        address = urlsplit(app.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        assert await ended(reader) == b""
        writer.close()


async def test_one_turned_away_that_says_nothing_makes_room_for_one_that_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rhtmx_server.connections.admission.TURNED_AWAY", 1)
    async with serving(connections=1) as app, raw(app.url):
        address = urlsplit(app.url)
        silent, writer = await asyncio.open_connection(address.hostname, address.port)
        await eventually(lambda: refused(app, "connections") == 1)
        assert (await ask(app.url, "/healthz")).status == 503
        assert await ended(silent) == b""
        writer.close()


async def test_one_connection_too_many_is_told_to_come_later() -> None:
    async with serving(connections=1) as app:
        async with raw(app.url):
            answer = await ask(app.url, "/api/sync/users")
            check_refusal(answer, 503, "too_many_requests", "--connections)")
            assert answer.headers["Server"] == "rhtmx"
            assert (await ask(app.url, "/healthz", "HEAD")).body == b""
            with pytest.raises(InvalidStatus) as caught:
                await connect(app.url)
            assert caught.value.response.status_code == 503
            assert json.loads(caught.value.response.body or b"")["code"] == "too_many_requests"
        await eventually(lambda: present(app) == 0)
        assert refused(app, "connections") == 3
        assert (await ask(app.url, "/healthz")).status == 200


@pytest.mark.usefixtures("elsewhere")
async def test_one_connection_too_many_from_one_address_is_told_the_option() -> None:
    async with serving(connections_per_address=1, host="0.0.0.0", open=True) as app:
        async with raw(app.url):
            answer = await ask(app.url, "/healthz")
            check_refusal(answer, 429, "rate_limited", "--connections-per-address")
            with pytest.raises(InvalidStatus) as caught:
                await connect(app.url)
            assert caught.value.response.status_code == 429
        await eventually(lambda: present(app) == 0)
        assert refused(app, "address") == 2
        async with raw(app.url) as client:
            await client.ask({"type": "ping"}, "pong")


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
async def test_peers_of_this_machine_are_not_counted_by_address(host: str) -> None:
    async with (
        serving(connections_per_address=1, host=host, open=True) as app,
        raw(app.url),
        raw(app.url) as client,
    ):
        await client.ask({"type": "ping"}, "pong")


@pytest.mark.usefixtures("_soon")
async def test_our_client_comes_again_when_there_is_room(tmp_path: Path) -> None:
    async with serving(connections=1) as app, contextlib.AsyncExitStack() as place:
        await place.enter_async_context(raw(app.url))
        async with rhtmx.connect(app.url, store=tmp_path / "c.db") as client:
            await eventually(lambda: refused(app, "connections") >= 2)
            await place.aclose()
            async with asyncio.timeout(PATIENCE):
                await client.collection("tasks").set("1", 1)


# Subjects.


async def authenticate(request: Request) -> Grant:
    if not request.token.startswith("token of "):
        raise RhtmxError(ErrorCode.UNAUTHENTICATED, "unknown token")
    return Grant(request.token.removeprefix("token of "))


@pytest.mark.parametrize("word", ["hello", "authenticate"])
async def test_one_connection_too_many_of_a_user_is_told_so_and_ended(word: str) -> None:
    async with serving(connections_per_subject=2, authenticate=authenticate) as app:
        mine = {"type": word, "token": "token of ada"}
        answer = {"hello": "welcome", "authenticate": "authenticated"}[word]
        async with raw(app.url) as first, raw(app.url) as second:
            await first.ask(mine, answer)
            await second.ask({"type": "hello", "token": "token of ada"}, "welcome")
            for each in (first, second):  # a fresh token is no new connection
                await each.ask({"type": "authenticate", "token": "token of ada"}, "authenticated")
            async with raw(app.url) as third:
                error = await third.ask({**mine, "request_id": "r"}, "error")
                assert (error["code"], error["retry_after"]) == ("too_many_requests", 5000)
                assert "--connections-per-subject" in error["message"]
                assert error["retryable"] is True
                async with asyncio.timeout(PATIENCE):
                    await third.socket.wait_closed()
                assert third.socket.close_code == 4000
                assert "connections already" in (third.socket.close_reason or "")
            async with raw(app.url) as other:
                await other.ask({"type": "hello", "token": "token of bob"}, "welcome")
        assert app._life.server is not None
        subjects = app._life.server.services.admission._subjects
        await eventually(lambda: not subjects)
        assert refused(app, "subject") == 1
        async with raw(app.url) as again:
            await again.ask(mine, answer)


async def test_a_refused_token_counts_for_nobody() -> None:
    async with serving(authenticate=authenticate) as app, raw(app.url) as client:
        await client.ask({"type": "authenticate", "token": "bad"}, "error")
        await client.ask({"type": "authenticate", "token": "token of ada"}, "authenticated")
        await client.ask({"type": "authenticate", "token": "token of bob"}, "error")
        assert app._life.server is not None
        assert app._life.server.services.admission._subjects == {"ada": 1}


@pytest.mark.usefixtures("_soon")
async def test_our_client_of_a_user_with_too_many_connections_comes_again(tmp_path: Path) -> None:
    limits = {"connections_per_subject": 1, "authenticate": authenticate}
    async with serving(**limits) as app, contextlib.AsyncExitStack() as place:
        first = await place.enter_async_context(raw(app.url))
        await first.ask({"type": "hello", "token": "token of ada"}, "welcome")
        file, token = tmp_path / "c.db", "token of ada"
        async with rhtmx.connect(app.url, store=file, token=token) as client:
            await eventually(lambda: refused(app, "subject") >= 2)
            await place.aclose()
            async with asyncio.timeout(PATIENCE):
                await client.collection("tasks").set("1", 1)


async def test_a_check_of_a_token_that_hangs_is_given_up() -> None:
    async def hang(request: Request) -> Grant:
        await asyncio.get_running_loop().create_future()
        raise AssertionError

    async with serving(handshake_timeout=0.05, authenticate=hang) as app:
        answer = await ask(app.url, "/api/sync/users", Authorization="Bearer x")
        assert (answer.status, answer.json["code"]) == (503, "timeout")
        assert "0.05 s" in answer.json["message"]
