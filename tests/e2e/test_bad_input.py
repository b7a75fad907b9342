"""Whatever a client sends is answered with a typed error, and nothing is lost."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError

from rhtmx import wire
from rhtmx.messages import Error, ErrorCode, Ping, Pong
from rhtmx.wire import Format
from rhtmx_server import App, Config
from tests.support.sockets import Raw, raw

PUSH = '{"type":"push","entity":"e","entity_id":"1","action":"create","data":%s}'
DEEP = "[" * 1000 + "]" * 1000

TEXTS = {
    "truncated": '{"type":"push","entity":"e"',
    "garbage": "\x01\x02 not json",
    "empty": "",
    "no object": "[1,2]",
    "trailing garbage": '{"type":"ping"} x',
    "no type": '{"entity":"e"}',
    "a type that is no string": '{"type":1}',
    "an unknown type": '{"type":"launch_missiles"}',
    "a message of the server": '{"type":"pong_ack"}',
    "a missing field": '{"type":"sync","entity":"e"}',
    "a field of the wrong type": '{"type":"sync","entity":"e","since":"0"}',
    "a fractional version": '{"type":"sync","entity":"e","since":1.5}',
    "a negative since": '{"type":"sync","entity":"e","since":-1}',
    "a since beyond JavaScript": '{"type":"sync","entity":"e","since":9007199254740993}',
    "an unknown action": '{"type":"push","entity":"e","entity_id":"1","action":"explode"}',
    "an empty id": '{"type":"push","entity":"e","entity_id":"","action":"create"}',
    "an id of 256 bytes": json.dumps(
        {"type": "push", "entity": "e", "entity_id": "é" * 128, "action": "create"}
    ),
    "an empty entity": '{"type":"subscribe","entities":[""]}',
    "depth 1000": PUSH % DEEP,
    "NaN": PUSH % "NaN",
    "Infinity": PUSH % "-Infinity",
    "1e400": PUSH % "1e400",
    "duplicate keys": PUSH % '{"a":1,"a":2}',
    "duplicate keys in the message": '{"type":"ping","type":"ping"}',
    "a lone surrogate": PUSH % '"\\ud800"',
    "a NUL": PUSH % '"\\u0000"',
    "__proto__": PUSH % '{"__proto__":{}}',
    "__proto__ in disguise": PUSH % '{"\\u005f_proto__":{}}',
    "constructor": PUSH % '[{"constructor":1}]',
    "a time that is none": (
        '{"type":"push_fields","entity":"e","entity_id":"1","fields":'
        '[{"field":"a","value":1,"action":"update","timestamp":"yesterday"}]}'
    ),
    "a field twice in one push": (
        '{"type":"push_fields","entity":"e","entity_id":"1","fields":['
        '{"field":"a","value":1,"action":"update","timestamp":"2026-01-01T00:00:00Z"},'
        '{"field":"a","value":2,"action":"update","timestamp":"2026-01-01T00:00:00Z"}]}'
    ),
}


@pytest.fixture
async def client(app: App) -> AsyncIterator[Raw]:
    async with raw(app.url) as client:
        yield client


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
async def test_a_bad_text_frame_is_answered_and_the_connection_lives(
    app: App, client: Raw, text: str
) -> None:
    await client.socket.send(text)
    error = await client.receive()
    assert (error["type"], error["code"]) == ("error", "bad_message")
    assert len(error["message"]) > 15
    await client.ask({"type": "ping"}, "pong")
    assert await app.history("e") == []


BYTES = {
    "garbage": b"\xff\xfe\xfd",
    "empty": b"",
    "truncated": bytes.fromhex("7a0a0a0165"),
    "an overlong varint": bytes.fromhex("30" + "80" * 11 + "01"),
    "no case": bytes.fromhex("a03f01"),
}


@pytest.mark.parametrize("data", BYTES.values(), ids=BYTES.keys())
async def test_a_bad_binary_frame_is_answered_and_the_connection_lives(
    app: App, data: bytes
) -> None:
    async with raw(app.url, subprotocols=["rhtmx.v1.proto"]) as client:
        await client.socket.send(data)
        error = wire.decode(bytes(await client.socket.recv(decode=False)), Format.PROTO)
        assert isinstance(error, Error)
        assert error.code is ErrorCode.BAD_MESSAGE
        await client.socket.send(wire.encode(Ping(), Format.PROTO))
        frame = await client.socket.recv(decode=False)
        assert isinstance(wire.decode(bytes(frame), Format.PROTO), Pong)


async def test_a_binary_frame_on_a_json_connection_is_refused_in_words(client: Raw) -> None:
    await client.socket.send(b'{"type":"ping"}')
    error = await client.receive()
    assert error["code"] == "bad_message"
    assert "rhtmx.v1.proto" in error["message"]


async def test_a_text_frame_on_a_binary_connection_is_refused_in_words(app: App) -> None:
    async with raw(app.url, subprotocols=["rhtmx.v1.proto"]) as client:
        await client.socket.send('{"type":"ping"}')
        error = wire.decode(bytes(await client.socket.recv(decode=False)), Format.PROTO)
        assert isinstance(error, Error)
        assert "rhtmx.v1.json" in error.message


async def test_data_of_two_mebibytes_is_refused_in_words_before_the_end(client: Raw) -> None:
    await client.socket.send(PUSH % json.dumps("x" * 2 * 1024 * 1024))
    error = await client.receive()
    assert error["code"] == "too_large"
    assert "65536" in error["message"]
    with pytest.raises(ConnectionClosedError) as closed:
        await client.receive()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4502


async def test_a_small_frame_that_inflates_beyond_the_limit_is_refused(app: App) -> None:
    async with raw(app.url, compression="deflate") as client:
        await client.socket.send(PUSH % json.dumps("x" * 70_000))
        assert (await client.receive())["code"] == "too_large"


async def test_the_eleventh_message_that_is_not_understood_ends_the_connection(
    client: Raw,
) -> None:
    for _ in range(11):
        await client.socket.send("?")
        assert (await client.receive())["code"] == "bad_message"
    with pytest.raises(ConnectionClosedError) as closed:
        await client.receive()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4500


async def test_an_entity_that_is_not_declared_is_refused(store: str) -> None:
    app = App(store=store, config=Config(port=0))
    app.entity("tasks")
    async with app, raw(app.url) as client:
        for message in (
            {"type": "subscribe", "entities": ["tasks", "other"]},
            {"type": "sync", "entity": "other", "since": 0},
            {"type": "push", "entity": "other", "entity_id": "1", "action": "create", "data": 1},
        ):
            error: dict[str, Any] = await client.ask(message, "error")
            assert error["code"] == "unknown_entity"
        await client.push("tasks", "1", {"a": 1})
        assert "change" not in [m["type"] for m in await client.settle()]


async def test_the_129th_subscription_is_refused(client: Raw) -> None:
    await client.send({"type": "subscribe", "entities": [str(n) for n in range(128)]})
    error = await client.ask({"type": "subscribe", "entities": ["one more"]}, "error")
    assert error["code"] == "too_many_subscriptions"
    await client.send({"type": "subscribe_fields", "entities": ["5"]})
    assert await client.settle() == []


async def test_good_messages_around_a_bad_one_are_served_in_order(app: App, client: Raw) -> None:
    await client.socket.send(PUSH % 1)
    await client.socket.send("nonsense")
    await client.socket.send(PUSH % 2)
    kinds = sorted([(await client.receive())["type"] for _ in range(3)])
    assert kinds == ["error", "push_ack", "push_ack"]
    assert len(await app.history("e")) == 2
