"""Facts about `rhtmx.runtime.handshake`."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from rhtmx.errors import ErrorCode
from rhtmx.runtime.handshake import DialError, WebSocketEndpoint, dial
from rhtmx.wire import Format
from tests.unit.rhtmx.peer import Peer


@asynccontextmanager
async def answering(
    status: int, body: str = "", headers: Mapping[str, str] | None = None
) -> AsyncIterator[str]:
    """A server that answers every handshake like this."""

    def respond(connection: ServerConnection, request: Request) -> Response:
        response = connection.respond(HTTPStatus(status), body)
        for name, value in (headers or {}).items():
            if name in response.headers:
                del response.headers[name]
            response.headers[name] = value
        return response

    async with serve(lambda _: None, "127.0.0.1", 0, process_request=respond) as server:  # type: ignore[arg-type, return-value]
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"


async def failure(url: str, form: Format = Format.JSON, open_timeout: float = 5) -> DialError:
    with pytest.raises(DialError) as caught:
        await dial(WebSocketEndpoint(url, form, open_timeout=open_timeout))
    return caught.value


@pytest.mark.parametrize("form", list(Format))
async def test_it_offers_the_subprotocol_of_its_format(peer: Peer, form: Format) -> None:
    connection = await dial(WebSocketEndpoint(peer.url, form, {"X-Test": "1"}))
    assert connection.subprotocol == form.subprotocol
    assert peer.socket is not None
    assert peer.socket.request is not None
    assert peer.socket.request.headers["X-Test"] == "1"
    await connection.close()


async def test_a_redirect_to_what_is_no_websocket_is_final_and_says_where_to_go() -> None:
    headers = {"Location": "https://h/api/ws?token=s3cr3t"}
    async with answering(301, headers=headers) as url:
        error = await failure(url)
    assert error.final
    assert "sends clients on to 'https://h/api/ws': connect to that address" in str(error)
    assert "s3cr3t" not in str(error)


async def test_a_redirect_to_a_websocket_is_followed(peer: Peer) -> None:
    async with answering(307, headers={"Location": peer.url}) as url:
        connection = await dial(WebSocketEndpoint(url, Format.JSON))
    await connection.close()
    assert peer.socket is not None


async def test_nobody_there_may_pass() -> None:
    error = await failure("ws://127.0.0.1:1/")
    assert not error.final
    assert "connection refused: is the server running?" in str(error)


async def test_an_answer_that_does_not_come_may_pass() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = await failure(f"ws://127.0.0.1:{silent.getsockname()[1]}/", open_timeout=0.02)
    assert not error.final
    assert "no answer within 0.02 s" in str(error)


@pytest.mark.parametrize(
    ("status", "final"), [(403, True), (404, True), (429, False), (408, False), (503, False)]
)
async def test_a_refusal_is_final_where_it_is_about_this_client(status: int, final: bool) -> None:
    async with answering(status, "origin not allowed") as url:
        error = await failure(url)
    assert error.final is final
    assert f"HTTP {status}" in str(error)
    assert "origin not allowed" in str(error)


async def test_a_refused_origin_has_the_code_for_it() -> None:
    async with answering(403, "pages from https://x may not connect") as url:
        error = await failure(url)
    assert error.code is ErrorCode.FORBIDDEN


@pytest.mark.parametrize("status", [403, 404])
async def test_a_path_that_nothing_serves_is_told_where_it_may_be(status: int) -> None:
    async with answering(status, "") as url:
        error = await failure(url)
    assert "is the path right?" in str(error)
    assert str(error).endswith("such as /live/api/ws")


async def test_what_a_server_of_ours_says_is_repeated_in_its_words() -> None:
    said = '{"type":"error","message":"connect to /api/ws","code":"not_supported","details":null}'
    async with answering(404, said) as url:
        error = await failure(url)
    assert str(error).endswith(": the server answered HTTP 404 Not Found: connect to /api/ws")


@pytest.mark.parametrize("body", ['{"type":"pong"}', '{"type":"error"}', '{"detail":"no"}'])
async def test_what_others_say_in_json_is_repeated_as_it_is(body: str) -> None:
    async with answering(403, body) as url:
        error = await failure(url)
    assert str(error).endswith(f"HTTP 403 Forbidden: {body}")
    assert error.code is ErrorCode.FORBIDDEN


async def test_an_answer_cannot_write_to_a_terminal_or_a_log() -> None:
    async with answering(503, "down\x1b[2J\nERROR all is lost") as url:
        error = await failure(url)
    assert str(error).endswith("Service Unavailable: down [2J ERROR all is lost")


async def test_a_web_page_in_place_of_a_websocket_is_told_without_its_text() -> None:
    async with answering(200, "<html>Log in</html>", {"Content-Type": "text/html"}) as url:
        error = await failure(url)
    assert not error.final
    assert "HTTP 200 OK: there is a web page, but no WebSocket: is the path right?" in str(error)


async def test_a_wrong_path_is_told_with_the_right_one() -> None:
    async with answering(404, "there is nothing here") as url:
        error = await failure(url)
    assert "The server's own is /api/ws" in str(error)


async def test_a_subprotocol_that_was_not_offered_is_final() -> None:
    def choose(connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol:
        return Subprotocol("chat")

    async with serve(lambda _: None, "127.0.0.1", 0, select_subprotocol=choose) as server:  # type: ignore[arg-type, return-value]
        error = await failure(f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/")
    assert error.final
    assert "does not speak rhtmx.v1.json there" in str(error)
    assert "chat" in str(error)


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH_9.2\r\n"])
async def test_what_speaks_no_http_is_told_from_nobody(answer: bytes) -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(say, "127.0.0.1", 0) as server:
        error = await failure(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert not error.final
    assert "does not speak HTTP, or ended the connection" in str(error)


async def test_a_tls_handshake_that_is_broken_off_is_told_from_nobody() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.transport.abort()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        error = await failure(f"wss://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert not error.final
    assert "broke off the TLS handshake: does it speak TLS on this port" in str(error)


async def test_nobody_there_is_told_the_same_with_tls() -> None:
    assert "connection refused: is the server running?" in str(await failure("wss://127.0.0.1:1/"))


@pytest.mark.parametrize(
    ("proxy", "words"),
    [("http://ada:s3cr3t@", "isn't a valid proxy"), ("http://ada:s3cr3t@127.0.0.1:1", "")],
)
async def test_a_proxy_that_is_not_there_is_no_crash(
    monkeypatch: pytest.MonkeyPatch, proxy: str, words: str
) -> None:
    monkeypatch.setenv("ws_proxy", proxy)
    monkeypatch.delenv("no_proxy", raising=False)
    error = await failure("ws://example.com/")
    assert not error.final
    assert words in str(error)
    assert "s3cr3t" not in str(error)


async def test_what_is_secret_in_a_url_is_not_shown() -> None:
    error = await failure("ws://ada:s3cr3t@127.0.0.1:1/?token=s3cr3t")
    assert str(error).startswith("cannot connect to 'ws://127.0.0.1:1/': ")
    assert "s3cr3t" not in str(error)


async def test_json_needs_no_subprotocol_but_proto_does() -> None:
    async def idle(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async with serve(idle, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"
        connection = await dial(WebSocketEndpoint(url, Format.JSON))
        await connection.close()
        error = await failure(url, Format.PROTO)
    assert error.final
    assert "use format='json'" in str(error)
