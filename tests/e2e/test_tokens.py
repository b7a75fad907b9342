"""With an authenticator, a connection says who it is before anything else."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError

import rhtmx
from rhtmx_server import App, Config, ErrorCode, Grant, Request, RhtmxError
from rhtmx_server.connections.tokens import AuthenticateFunction
from tests.support.plain_http import ask
from tests.support.sockets import Raw, raw

LIFE = {"short": 200_000, "long": 3_600_000_000}


async def authenticate(request: Request) -> Grant:
    subject, _, life = request.token.partition(":")
    if life not in LIFE:
        raise RhtmxError(ErrorCode.UNAUTHENTICATED, "this request.token is not known")
    return Grant(subject, time.time_ns() // 1000 + LIFE[life])


@pytest.fixture
def app() -> App:
    config = Config(port=0, heartbeat=0.4)
    return App(store="memory://", config=config, undeclared=True, authenticate=authenticate)


def push(seq: int) -> dict[str, object]:
    mutation = {"type": "push", "entity": "e", "entity_id": "1", "action": "update"}
    return {**mutation, "data": 1, "seq": seq}


async def hello(client: Raw, token: str, kind: str = "welcome") -> dict[str, object]:
    return await client.ask({"type": "hello", "client_id": "c", "token": token}, kind)


async def test_nothing_is_served_before_a_token(app: App) -> None:
    async with app, raw(app.url) as client:
        for message in (push(1), {"type": "subscribe", "entities": ["e"]}):
            assert (await client.ask(message, "error"))["code"] == "unauthenticated"
        await hello(client, "ada:long")
        await client.ask(push(1), "push_ack")


async def test_a_wrong_token_is_refused_and_another_may_be_tried(app: App) -> None:
    async with app, raw(app.url) as client:
        assert (await hello(client, "ada:never", "error"))["code"] == "unauthenticated"
        await client.ask({"type": "authenticate", "token": "ada:long"}, "authenticated")
        await client.push("e", "1", 1)


async def test_a_client_id_belongs_to_the_subject_that_used_it_first(app: App) -> None:
    async with app:
        async with raw(app.url) as client:
            await hello(client, "ada:long")
            await client.ask(push(1), "push_ack")
        async with raw(app.url) as client:
            assert (await hello(client, "bob:long", "error"))["code"] == "client_id_taken"


async def test_an_expired_token_ends_the_connection_and_a_fresh_one_keeps_it(app: App) -> None:
    async with app, raw(app.url) as kept:
        await hello(kept, "ada:short")
        async with raw(app.url) as cut:
            await cut.ask({"type": "authenticate", "token": "bob:short"}, "authenticated")
            fresh = await kept.ask({"type": "authenticate", "token": "ada:long"}, "authenticated")
            assert fresh["expires"].endswith("Z")
            with pytest.raises(ConnectionClosedError) as closed:
                await cut.receive()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4503
        await kept.ask(push(1), "push_ack")


async def test_a_fresh_token_must_be_the_same_subjects(app: App) -> None:
    async with app, raw(app.url) as client:
        await hello(client, "ada:long")
        other = {"type": "authenticate", "token": "bob:long"}
        assert (await client.ask(other, "error"))["code"] == "unauthenticated"


# A function that fails, and functions of every kind.


def plain(request: Request) -> Grant:
    return Grant(request.token)


def broken(request: Request) -> Grant:
    raise KeyError(request.token)


async def broken_async(request: Request) -> Grant:
    raise KeyError(request.token)


async def given_up(request: Request) -> Grant:
    gone: asyncio.Future[Grant] = asyncio.get_running_loop().create_future()
    gone.cancel()
    return await gone


def nothing(request: Request) -> Grant:
    return None  # type: ignore[return-value]


def with_function(function: AuthenticateFunction) -> App:
    config = Config(port=0, grpc_port=0)
    return App(store="memory://", config=config, undeclared=True, authenticate=function)


@pytest.mark.parametrize("function", [broken, broken_async, given_up, nothing])
async def test_a_function_that_fails_is_told_through_every_door_and_logged(
    function: AuthenticateFunction, caplog: pytest.LogCaptureFixture
) -> None:
    app = with_function(function)
    async with app, raw(app.url) as client:
        for message in ({"type": "hello"}, {"type": "authenticate"}):
            error = await client.ask({**message, "token": "s3cret"}, "error")
            assert error["code"] == "internal"
            assert error["details"]["correlation_id"] in caplog.text
        caplog.clear()
        async with rhtmx.backend(app.grpc_address, token="s3cret") as trackers:
            with pytest.raises(RhtmxError) as caught:
                await trackers.get("e", "1")
        assert caught.value.code is ErrorCode.INTERNAL
        assert "authenticate " in caplog.text
        caplog.clear()
        answer = await ask(app.url, "/api/sync/e", Authorization="Bearer s3cret")
        assert answer.status == 500
        assert "authenticate " in caplog.text
    assert "s3cret" not in caplog.text


async def test_a_plain_function_opens_every_door() -> None:
    app = with_function(plain)
    async with app:
        async with raw(app.url) as client:
            await hello(client, "ada")
            await client.push("e", "1", 1)
        async with rhtmx.backend(app.grpc_address, token="ada") as trackers:
            change = await trackers.get("e", "1")
            assert change is not None
            assert change.data == 1
        answer = await ask(app.url, "/api/sync/e", Authorization="Bearer ada")
        assert answer.status == 200


@pytest.mark.parametrize("function", [lambda: None, Grant, "secret"])
def test_what_cannot_be_asked_about_a_token_is_refused_at_once(function: Any) -> None:
    with pytest.raises(TypeError, match="authenticate"):
        with_function(function)
