"""Facts about `rhtmx.grpc.call_factory`."""

from __future__ import annotations

import asyncio
import socket

import pytest
from grpclib.server import Server

from rhtmx.core import build_message
from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.grpc.call_factory import CallFactory
from rhtmx.grpc.codec import GrpcCodec
from rhtmx.grpc.endpoint import target
from rhtmx.messages import GetRecordRequest, PushAck
from rhtmx.messages.rhtmx.v1 import TrackersStub
from rhtmx.wire.limits import MAX_TOKEN
from tests.unit.rhtmx.grpc.fake import FOREVER, Fake, backend_to, calls_to, record, until

PUSH = build_message.push("tasks", "1", {}, None)
REQUEST = GetRecordRequest("tasks", "1")


async def get(stub: TrackersStub) -> object:
    return await stub.get_record(REQUEST)


async def test_each_call_says_who_is_there() -> None:
    fake, tokens = Fake(), iter(["a", "b"])
    fake.answer["get_record"] = record(1)

    async def token() -> str:
        return next(tokens)

    async with calls_to(fake, token=token, client_id="cafe") as calls:
        await calls.ask(get)
        await calls.ask(get)
    assert fake.metadata == [
        {"authorization": f"Bearer {each}", "x-rhtmx-client-id": "cafe"} for each in "ab"
    ]


async def test_what_gives_the_right_to_the_id_is_said_with_each_call() -> None:
    fake = Fake()
    fake.answer["get_record"] = record(1)
    async with calls_to(fake, client_id="cafe", client_secret="hush") as calls:
        await calls.ask(get)
        await calls.ask(get)
    said = {"x-rhtmx-client-id": "cafe", "x-rhtmx-client-secret": "hush"}
    assert fake.metadata == [said, said]


@pytest.mark.parametrize("secret", ["geheim\n", "", "schlüssel"])
async def test_a_secret_that_cannot_be_sent_is_not_repeated(fake: Fake, secret: str) -> None:
    async with calls_to(fake, client_id="cafe", client_secret=secret) as calls:
        with pytest.raises(RhtmxError, match="client_secret: printable ASCII expected"):
            await calls.ask(get)


async def test_nobody_has_to() -> None:
    fake = Fake()
    fake.answer["get_record"] = record(1)
    async with calls_to(fake) as calls:
        await calls.ask(get)
    assert fake.metadata == [{}]


@pytest.mark.parametrize("token", ["geheim\n", "", "schlüssel"])
async def test_a_token_that_cannot_be_sent_is_not_repeated(fake: Fake, token: str) -> None:
    async with calls_to(fake, token=token) as calls:
        with pytest.raises(RhtmxError) as caught:
            await calls.ask(get)
    assert caught.value.message == "token: printable ASCII expected"
    assert caught.value.code is ErrorCode.BAD_MESSAGE


@pytest.mark.parametrize("renewed", [False, True])
async def test_a_token_that_is_too_long_does_not_travel(fake: Fake, renewed: bool) -> None:
    async def renew() -> str:
        return long

    long = "t" * (MAX_TOKEN + 1)
    async with calls_to(fake, token=renew if renewed else long) as calls:
        with pytest.raises(RhtmxError) as caught:
            await calls.ask(get)
    assert caught.value.code is ErrorCode.BAD_MESSAGE
    assert caught.value.message == "token: at most 4096 bytes expected, got 4097"
    assert fake.metadata == []


async def test_the_longest_token_travels(fake: Fake) -> None:
    fake.answer["get_record"] = record(1)
    async with calls_to(fake, token="t" * MAX_TOKEN) as calls:
        await calls.ask(get)
    assert len(fake.metadata) == 1


async def test_no_token_is_a_failure_that_may_pass(fake: Fake) -> None:
    async def token() -> str:
        raise OSError("the vault is closed")

    async with calls_to(fake, token=token) as calls:
        with pytest.raises(ConnectionClosed, match=r"no token to call with: .*the vault is closed"):
            await calls.ask(get)


async def test_no_call_without_a_connection() -> None:
    calls = CallFactory(target("localhost:1"))
    with pytest.raises(ConnectionClosed, match=r"use `async with rhtmx\.backend"):
        await calls.ask(get)


async def test_no_call_after_the_end(fake: Fake) -> None:
    async with calls_to(fake) as calls:
        calls.close()
        with pytest.raises(ConnectionClosed, match="the client was closed"):
            await calls.ask(get)
        with pytest.raises(ConnectionClosed, match="connects once"):
            await calls.open()


async def test_the_end_ends_what_waits(fake: Fake) -> None:
    fake.answer["push"] = FOREVER
    async with backend_to(fake) as backend:
        pushing = asyncio.create_task(backend.push("tasks", "1", {}))
        await until(lambda: bool(fake.asked))
    with pytest.raises(ConnectionClosed, match="the client was closed"):
        await pushing


async def test_a_server_that_is_not_there_is_said_so() -> None:
    calls = CallFactory(target("127.0.0.1:1"))
    with pytest.raises(ConnectionClosed, match="is the server running"):
        await calls.open()


async def test_a_server_that_does_not_answer_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("grpclib.client.Channel.__connect__", never)
    calls = CallFactory(target("test:1"), open_timeout=0.01)
    with pytest.raises(ConnectionClosed, match=r"cannot connect to 'test:1': no answer within"):
        await calls.open()


async def test_connecting_counts_for_the_time_of_a_call(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_: object) -> None:
        await asyncio.Event().wait()

    async with calls_to(fake) as calls:
        monkeypatch.setattr("grpclib.client.Channel.__connect__", never)
        with pytest.raises(TimeoutError, match=r"no answer from 'test:1' within 0\.01 s"):
            await calls.ask(get, timeout=0.01)


async def test_a_connection_that_is_lost_is_made_again() -> None:
    """A real one: it breaks under a call, and the next call connects."""
    fake = Fake()
    fake.answer["push"] = FOREVER
    server = Server([fake], codec=GrpcCodec())
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        await server.start(sock=listening.dup())
    calls = CallFactory(target(f"127.0.0.1:{port}"))
    await calls.open()
    asking = asyncio.create_task(calls.ask(lambda stub: stub.push(PUSH)))
    await until(lambda: bool(fake.asked))
    assert calls._channel is not None
    assert calls._channel._protocol is not None
    calls._channel._protocol.connection._transport.abort()
    with pytest.raises(ConnectionClosed, match=f"the connection to '127.0.0.1:{port}' was lost"):
        await asking
    fake.answer["push"] = PushAck("tasks", "1", 1)
    assert (await calls.ask(lambda stub: stub.push(PUSH))).version == 1
    calls.close()
    server.close()
    await server.wait_closed()
