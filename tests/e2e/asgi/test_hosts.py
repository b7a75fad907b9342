"""The server within applications, and what those know of who connects."""

from __future__ import annotations

import asyncio
import gc
import weakref
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request as HostRequest
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient
from websockets.exceptions import InvalidStatus

import rhtmx
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages.tables import ERRORS
from rhtmx_server import App, Config, Grant, Request
from tests.support.mounted import Host, Mounted
from tests.support.plain_http import ask
from tests.support.postgres import Postgres
from tests.support.slow import slow_reader
from tests.support.sockets import PATIENCE, raw
from tests.support.waiting import eventually

SESSIONS = Middleware(SessionMiddleware, secret_key="of the test")


def by_session(request: Request) -> Grant:
    name = request.scope["session"].get("name")
    if name is None:
        raise RhtmxError(ErrorCode.UNAUTHENTICATED, "sign in first")
    return Grant(subject=name)


async def sign_in(request: HostRequest) -> PlainTextResponse:
    request.session["name"] = "ada"
    return PlainTextResponse("welcome")


async def close_code(client: Any) -> int | None:
    """The code with which a socket ends."""
    async with asyncio.timeout(PATIENCE):
        await client.socket.wait_closed()
    code: int | None = client.socket.close_code
    return code


async def test_a_session_of_the_host_says_who_connects_until_the_host_signs_out() -> None:
    app = App(store="memory://", authenticate=by_session)
    live = app.asgi()
    routes = [Route("/sign-in", sign_in), Mount("/live", live)]
    async with Host(
        Starlette(routes=routes, middleware=[SESSIONS], lifespan=live.lifespan)
    ) as host:
        page, address = f"http://127.0.0.1:{host.port}", f"ws://127.0.0.1:{host.port}/live/api/ws"
        cookie = (await ask(address, "/sign-in")).headers["Set-Cookie"].partition(";")[0]
        headers = {"Cookie": cookie, "Origin": page}
        async with raw(address, additional_headers=headers) as client:
            await client.ask({"type": "hello"}, "welcome")
            assert (await ask(address, "/live/api/sync/e", Cookie=cookie)).status == 200
            assert (await ask(address, "/live/api/sync/e")).status == 401
            app.disconnect("ada")
            assert await close_code(client) == ERRORS[ErrorCode.UNAUTHENTICATED].close_code


async def test_the_host_may_sign_somebody_out_in_a_thread() -> None:
    def sign_out(request: HostRequest) -> PlainTextResponse:
        app.disconnect("ada")
        return PlainTextResponse("bye")

    app = App(store="memory://", authenticate=lambda request: Grant(subject="ada"))
    live = app.asgi()
    routes = [Route("/sign-out", sign_out), Mount("/live", live)]
    async with Host(Starlette(routes=routes, lifespan=live.lifespan)) as host:
        address = f"ws://127.0.0.1:{host.port}/live/api/ws"
        async with raw(address) as client:
            await client.ask({"type": "hello"}, "welcome")
            assert (await ask(address, "/sign-out")).status == 200
            assert await close_code(client) == ERRORS[ErrorCode.UNAUTHENTICATED].close_code


def test_requests_in_several_loops_are_refused_while_one_of_them_serves() -> None:
    app = App(store="memory://")
    client = TestClient(app.asgi(), base_url="http://localhost")
    with client.websocket_connect("/api/ws") as socket:
        socket.send_json({"type": "hello"})
        assert socket.receive_json()["type"] == "welcome"
        assert "with TestClient" in client.get("/healthz").json()["message"]
    with TestClient(app.asgi(), base_url="http://localhost") as one:
        assert one.get("/healthz").text == "ok\n"
        with one.websocket_connect("/api/ws") as socket:
            socket.send_json({"type": "hello"})
            assert socket.receive_json()["type"] == "welcome"
            assert one.get("/healthz").text == "ok\n"


async def test_what_the_host_has_forgotten_is_named(caplog: pytest.LogCaptureFixture) -> None:
    async with Mounted(store="memory://", authenticate=by_session) as app:
        assert (await ask(app.url, "/api/sync/e")).status == 500
    assert "the host has put no 'session' into the scope" in caplog.text


async def test_fastapi_mounts_it_and_both_formats_are_spoken() -> None:
    app = App(store="memory://")
    live = app.asgi()
    api = pytest.importorskip("fastapi").FastAPI(lifespan=live.lifespan)
    api.mount("/live", live)
    async with Host(api) as host:
        url = f"ws://127.0.0.1:{host.port}/live/api/ws"
        for form in ("json", "proto"):
            async with rhtmx.connect(url, format=form) as client:
                await client.collection("tasks").set(form, {"done": False})
                found = await client.sync("tasks")
                assert form in {change.entity_id for change in found}
        for script in ("client.js", "forms.js"):
            assert (await ask(url, f"/live/api/{script}")).status == 200
        assert (await ask(url, "/live/metrics")).status == 200
        assert (await ask(url, "/live/api/sync/ta%2Fsks")).json["entity"] == "ta/sks"
        assert (await ask(url, "/api/client.js")).status == 404


async def test_two_servers_are_apart_in_one_application() -> None:
    apps = [App(store="memory://") for _ in range(2)]
    one, two = (app.asgi() for app in apps)
    async with Host(Starlette(routes=[Mount("/one", one), Mount("/two", two)])) as host:
        urls = [f"ws://127.0.0.1:{host.port}{path}/api/ws" for path in ("/one", "/two")]
        async with raw(urls[0]) as first, raw(urls[1]) as second:
            assert (await first.push("e", "1", {"n": 1}))["version"] == 1
            assert (await second.push("e", "1", {"n": 2}))["version"] == 1
    for app in apps:
        await app.stop()


async def test_it_starts_with_the_first_request_where_the_host_passes_no_lifespan_on() -> None:
    async with Mounted(store="memory://", passes_lifespan=False, prefix="/live") as app:
        assert app._life.server is None
        async with raw(app.url) as client:
            await client.push("e", "1", {"n": 1})
        assert (await app.changes.get("e", "1")) is not None


async def test_it_is_the_whole_application_of_a_server() -> None:
    app = App(store="memory://")
    async with Host(app.asgi()) as host:
        async with raw(f"ws://127.0.0.1:{host.port}/api/ws") as client:
            await client.push("e", "1", {"n": 1})
        assert app._life.server is not None
    assert app._life.server is None


async def test_a_page_of_another_site_is_refused_as_on_the_own_port() -> None:
    async with Mounted(store="memory://", authenticate=by_session, middleware=(SESSIONS,)) as app:
        with pytest.raises(InvalidStatus) as refused:
            async with raw(app.url, additional_headers={"Origin": "https://evil.example"}):
                pass
        assert refused.value.response.status_code == 403
        assert b"https://evil.example may not connect" in refused.value.response.body


async def test_clients_come_again_after_a_stop_with_open_sockets() -> None:
    async with Mounted(store="memory://") as app:
        async with raw(app.url) as client:
            await client.push("e", "1", {"n": 1})
            await app.stop()
            assert await close_code(client) == ERRORS[ErrorCode.SHUTTING_DOWN].close_code
        assert (await ask(app.url, "/healthz")).status == 200, "a request starts it again"


async def test_a_slow_reader_costs_no_more_than_its_limit_and_is_left_when_it_takes_nothing() -> (
    None
):
    config = Config(stall_timeout=0.05)
    async with Mounted(store="memory://", config=config) as app, slow_reader(app.url) as client:
        client.send({"type": "subscribe", "entities": ["e"]})
        await eventually(lambda: figure(app, "subscriptions") == 1)
        for n in range(400):
            await app.changes.push("e", str(n % 10), {"n": n, "piece": "x" * 30_000})
            assert figure(app, "outbox_bytes") < 2 * config.outbox
        await eventually(lambda: figure(app, "stalled_total") == 1)
        await eventually(lambda: figure(app, "subscriptions") == 0)


async def test_two_workers_on_one_database_hear_of_each_other(postgres: Postgres) -> None:
    store, bus = postgres.place(), f"memory://{uuid4().hex}"
    async with (
        Mounted(store=store, bus=bus) as one,
        Mounted(store=store, bus=bus) as other,
        raw(one.url) as reader,
        raw(other.url) as writer,
    ):
        await reader.send({"type": "subscribe", "entities": ["e"]})
        await reader.settle()
        await writer.push("e", "1", {"n": 1})
        assert (await reader.until("change"))["change"]["data"] == {"n": 1}


async def test_a_second_worker_on_one_file_is_told_what_to_do(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'app.db'}"
    async with Mounted(store=store):
        with pytest.raises(RhtmxError, match=r"\(workers\) need PostgreSQL and a bus"):
            async with App(store=store).asgi():
                pass


async def test_a_closed_connection_is_gone_without_the_garbage_collector() -> None:
    gone = asyncio.Event()
    gc.disable()
    try:
        async with Mounted(store="memory://") as app, raw(app.url) as client:
            await client.send({"type": "subscribe", "entities": ["e"]})
            await client.push("e", "1", {"n": 1})
            (connection,) = app._running.connections()
            weakref.finalize(connection, gone.set)
            del connection
            await client.socket.close()
            async with asyncio.timeout(PATIENCE):
                await gone.wait()
    finally:
        gc.enable()


def figure(app: App, name: str) -> float:
    return app.metrics.registry.get_sample_value(f"rhtmx_{name}") or 0.0
