"""What the page for operators says about tokens is so."""

from __future__ import annotations

import pytest
from websockets.exceptions import ConnectionClosedError

from rhtmx.messages.tables import ERRORS
from rhtmx_server import App, Config, ErrorCode, Grant, Request, RhtmxError
from rhtmx_server.connections.session import LOGIN_SECONDS
from tests.docs.markdown import page
from tests.support.plain_http import ask
from tests.support.sockets import raw

SUBSCRIBE = {"type": "subscribe", "entities": ["users"]}


async def check(request: Request) -> Grant:
    if request.token != "good":
        raise RhtmxError(ErrorCode.UNAUTHENTICATED, "no such token")
    return Grant("ada")


@pytest.fixture
def app() -> App:
    return App(store="memory://", config=Config(port=0), authenticate=check)


def test_the_figures_are_those_of_the_code() -> None:
    text = " ".join(page("docs/operations.md").split())
    assert f"after {LOGIN_SECONDS:.0f} seconds" in text
    assert f"close code {ERRORS[ErrorCode.UNAUTHENTICATED].close_code}," in text


async def test_without_a_token_only_a_ping_is_answered(app: App) -> None:
    async with app, raw(app.url) as client:
        await client.ask({"type": "ping"}, "pong")
        for message in (SUBSCRIBE, {"type": "hello"}, {"type": "hello", "token": "bad"}):
            assert (await client.ask(message, "error"))["code"] == "unauthenticated"
        await client.ask({"type": "hello", "token": "good"}, "welcome")
        await client.push("users", "1", {})


async def test_the_old_reads_want_a_token(app: App) -> None:
    async with app:
        assert (await ask(app.url, "/api/sync/users")).status == 401
        answer = await ask(app.url, "/api/sync/users", Authorization="Bearer good")
        assert answer.status == 200


async def test_the_old_endpoints_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rhtmx_server.connections.session.LOGIN_SECONDS", 0.2)
    config = Config(port=0, stall_timeout=0.1)  # which has the server look often
    app = App(store="memory://", config=config, authenticate=check)
    async with app, raw(app.url.replace("/api/ws", "/api/sync/ws")) as client:
        await client.ask(SUBSCRIBE, "error")
        with pytest.raises(ConnectionClosedError) as closed:
            await client.receive()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == ERRORS[ErrorCode.UNAUTHENTICATED].close_code
