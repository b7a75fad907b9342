"""Facts about `rhtmx.dial`."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from rhtmx.dial import DialError, Endpoint, dial
from rhtmx.wire import Format
from tests.unit.rhtmx.peer import Peer


@asynccontextmanager
async def answering(status: int, body: str = "") -> AsyncIterator[str]:
    """A server that answers every handshake like this."""

    def respond(connection: ServerConnection, request: Request) -> Response:
        return connection.respond(HTTPStatus(status), body)

    async with serve(lambda _: None, "127.0.0.1", 0, process_request=respond) as server:  # type: ignore[arg-type, return-value]
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"


async def failure(url: str, form: Format = Format.JSON, open_timeout: float = 5) -> DialError:
    with pytest.raises(DialError) as caught:
        await dial(Endpoint(url, form, open_timeout=open_timeout))
    return caught.value


@pytest.mark.parametrize("form", list(Format))
async def test_it_offers_the_subprotocol_of_its_format(peer: Peer, form: Format) -> None:
    connection = await dial(Endpoint(peer.url, form, {"X-Test": "1"}))
    assert connection.subprotocol == form.subprotocol
    assert peer.socket is not None
    assert peer.socket.request is not None
    assert peer.socket.request.headers["X-Test"] == "1"
    await connection.close()


async def test_what_is_no_url_is_final() -> None:
    error = await failure("localhost:3000")
    assert error.final
    assert "not a ws:// or wss:// URL" in str(error)


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


async def test_json_needs_no_subprotocol_but_proto_does() -> None:
    async def idle(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async with serve(idle, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"
        connection = await dial(Endpoint(url, Format.JSON))
        await connection.close()
        error = await failure(url, Format.PROTO)
    assert error.final
    assert "use format='json'" in str(error)
