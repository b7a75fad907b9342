"""What goes wrong with a mount says what to do, in the words that the guide has."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.testclient import TestClient

import rhtmx
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server import App, Grant, Request
from tests.docs.markdown import page, rows
from tests.support.mounted import Mounted
from tests.support.plain_http import ask

Provoke = Callable[[Path], Awaitable[str]]


def by_session(request: Request) -> Grant:  # a plain function, as one may write it
    name = request.scope["session"].get("name")
    if name is None:
        raise RhtmxError(ErrorCode.UNAUTHENTICATED, "sign in first")
    return Grant(subject=name)


def message(call: Callable[[], Any]) -> str:
    """What it is refused with."""
    with pytest.raises((RhtmxError, RuntimeError)) as refused:
        call()
    return str(refused.value)


async def wrong_prefix(folder: Path) -> str:
    async with Mounted(store="memory://", prefix="/live") as app:
        headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
        return (await ask(app.url, "/live/ws", **headers, **key)).body.decode()


async def outside_of_the_mount(folder: Path) -> str:
    async with Mounted(store="memory://", prefix="/live") as app:
        with pytest.raises(rhtmx.RhtmxError) as refused:
            async with rhtmx.connect(app.url.replace("/live/", "/")):
                pass
        return str(refused.value)


async def second_on_one_file(folder: Path) -> str:
    store = f"sqlite:///{folder / 'app.db'}"
    async with Mounted(store=store):
        with pytest.raises(RhtmxError) as refused:
            async with App(store=store).asgi():
                pass
        return str(refused.value)


async def no_middleware(folder: Path) -> str:
    async with Mounted(store="memory://", authenticate=by_session) as app:
        await ask(app.url, "/api/sync/e")
    return ""  # it is in the log


async def no_cookie(folder: Path) -> str:
    sessions = (Middleware(SessionMiddleware, secret_key="of the test"),)
    async with Mounted(store="memory://", authenticate=by_session, middleware=sessions) as app:
        return (await ask(app.url, "/api/sync/e")).body.decode()


async def client_without_with(folder: Path) -> str:
    def apart() -> str:
        client = TestClient(App(store="memory://").asgi(), base_url="http://localhost")
        with client.websocket_connect("/api/ws"):
            return client.get("/healthz").text

    return await asyncio.to_thread(apart)


async def write_in_a_thread(folder: Path) -> str:
    async with Mounted(store="memory://") as app:
        push = app.changes.push  # it is looked up in the right loop, and called in another
        return await asyncio.to_thread(message, lambda: asyncio.run(push("e", "1", {})))


async def no_lifespan(folder: Path) -> str:
    async with Mounted(store="memory://", passes_lifespan=False) as app:
        return message(lambda: app.changes)


async def from_elsewhere(folder: Path) -> str:
    async with Mounted(
        store="memory://", uvicorn_settings={"forwarded_allow_ips": "127.0.0.1"}
    ) as app:
        headers = {"X-Forwarded-For": "192.0.2.1"}
        return (await ask(app.url, "/healthz", **headers)).body.decode()


async def rebound(folder: Path) -> str:
    async with Mounted(store="memory://") as app:
        return (await ask(app.url, "/api/sync/e", Host="app.example")).body.decode()


MISUSE: dict[str, Provoke] = {
    "connect to /live/api/ws": wrong_prefix,
    "is the path right?": outside_of_the_mount,
    "Several processes on one store (workers) need PostgreSQL and a bus": second_on_one_file,
    "the host has put no 'session' into the scope": no_middleware,
    "sign in first": no_cookie,
    "the server runs in another event loop": client_without_with,
    "the app runs on another event loop": write_in_a_thread,
    "the app is not running": no_lifespan,
    "serves its own machine only": from_elsewhere,
    "is no name of this machine": rebound,
}


@pytest.mark.parametrize("words", MISUSE)
async def test_it_says_what_to_do(
    words: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    said = await MISUSE[words](tmp_path)
    assert words in said + caplog.text


def test_the_guide_has_all_of_them() -> None:
    table = rows(page("docs/guides/asgi.md"), "what you see", "what to do")
    assert {row["what you see"].strip("`") for row in table} == {*MISUSE}
