"""No peer holds the others up or fills the memory, whatever it sends or does not take."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import struct
from collections.abc import AsyncIterator
from typing import Any

import pytest
from h2.connection import H2Connection
from h2.events import Event
from h2.settings import SettingCodes

import rhtmx
from rhtmx import wire
from rhtmx.messages import (
    Envelope,
    GetFieldsRequest,
    GetRecordRequest,
    Hello,
    HistoryRequest,
    Position,
    Subscribe,
    Sync,
    SyncFields,
    WatchRequest,
)
from rhtmx_server import App, Config, Grant, Request
from rhtmx_server.transports.grpc.framing import prefixed
from rhtmx_server.transports.grpc.protocol import GuardedProtocol
from tests.support.http2 import Http2, http2
from tests.support.waiting import eventually
from tests.unit.rhtmx_server.fakes import push

TRACKERS = "/rhtmx.v1.Trackers/"
MUCH = 2 * 1024 * 1024
CONFIG = Config(port=0, grpc_port=0, grpc_outbox=64 * 1024, outbox=64 * 1024, stall_timeout=0.3)


def frame(kind: int, content: bytes = b"", stream: int = 0, flags: int = 0) -> bytes:
    head = len(content).to_bytes(3, "big") + bytes([kind, flags])
    return head + stream.to_bytes(4, "big") + content


GROWN = struct.pack(">I", 1)
FLOODS = {
    "window": frame(0x8, GROWN),
    "window of a stream": frame(0x8, GROWN, 1),
    "ping": frame(0x6, bytes(8)),
    "answered ping": frame(0x6, bytes(8), flags=1),
    "settings": frame(0x4),
    "acknowledged settings": frame(0x4, flags=1),
    "priority": frame(0x2, struct.pack(">IB", 3, 1), 5),
    "reset": frame(0x3, struct.pack(">I", 8), 1),
    "empty data": frame(0x0, b"", 1),
    "padding": frame(0x0, b"\x00", 1, 8),
    "one byte": frame(0x0, b"x", 1),
    "continuation": frame(0x9, b"", 1),
    "unknown": frame(0xBE),
    "alternative service": frame(0xA, b"\x00\x01aa"),
}


@pytest.fixture
async def app() -> AsyncIterator[App]:
    async with App(store="memory://", config=CONFIG, undeclared=True) as app:
        for number in range(40):
            await app.changes.push("big", str(number), {"text": "x" * 8000})
        yield app


def protocols(app: App) -> set[GuardedProtocol]:
    return app._running.grpc._protocols


@pytest.mark.parametrize("kind", FLOODS)
async def test_a_flood_does_not_keep_an_answer_from_others(
    app: App, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    handled = 0
    take = H2Connection.receive_data

    def receive_data(h2: H2Connection, data: bytes) -> list[Event]:
        nonlocal handled
        if h2 in served:
            handled += len(data)
        return take(h2, data)

    async with http2(app.grpc_address) as hostile, http2(app.grpc_address) as good:
        hostile.request(TRACKERS + "Connect", prefixed(b"")[:3], end=False)
        await eventually(lambda: any(each.processor.streams for each in protocols(app)))
        served = [each.connection._connection for each in protocols(app) if each.processor.streams]
        monkeypatch.setattr(H2Connection, "receive_data", receive_data)
        each = FLOODS[kind]
        hostile.writer.write(each * (MUCH // len(each)))
        await eventually(lambda: handled > 0)
        good.h2.ping(b"12345678")
        good.flush()
        await good.until(lambda: good.pongs)
        assert handled < MUCH // 4


class Shut:
    """A peer that opens its windows no further than it is told to."""

    def __init__(self, peer: Http2, window: int) -> None:
        self.peer = peer
        peer.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: window})
        peer.flush()

    def ask(self, method: str, question: Any) -> int:
        return self.peer.request(TRACKERS + method, prefixed(wire.encode_message(question)))


START = Position(version=0)
QUESTIONS: dict[str, Any] = {
    "Sync": Sync(entity="big"),
    "SyncFields": SyncFields(entity="big"),
    "Watch": WatchRequest(entity="big", since=START),
    "WatchFields": WatchRequest(entity="big", since=START),
    "History": HistoryRequest(entity="big"),
    "GetRecord": GetRecordRequest(entity="big", entity_id="1"),
    "GetFields": GetFieldsRequest(entity="big", entity_id="1"),
    "Connect": Envelope(subscribe=Subscribe(entities=["big"], since={"big": START})),
    "PushEach": push(entity="big", entity_id="1", base_version=7777),
}


@pytest.mark.parametrize("window", [0, 1])
@pytest.mark.parametrize("method", QUESTIONS)
async def test_of_many_streams_that_are_not_taken_little_is_kept_and_all_are_cut(
    app: App, method: str, window: int
) -> None:
    """Though the peer answers pings, and takes everything of a call beside them."""
    async with http2(app.grpc_address) as peer:
        shut, most = Shut(peer, window), 0
        numbers = [shut.ask(method, QUESTIONS[method]) for _ in range(60)]
        await eventually(lambda: len(protocols(app)) == 1)
        (protocol,) = protocols(app)
        connection = protocol.connection

        def ended() -> bool:
            nonlocal most
            most = max(most, connection.pages.kept + connection.answers.kept)
            return peer.ended >= set(numbers)

        await peer.until(ended)
        page = 340_000  # all records there are; 60 streams would keep 20 MB of them
        assert most <= CONFIG.grpc_outbox + page
        assert {peer.headers[number].get("rhtmx-code") for number in numbers} <= {"stalled", None}
        assert "stalled" in {peer.headers[number].get("rhtmx-code") for number in numbers}
        await eventually(lambda: not connection.pages.kept + connection.answers.kept)
        assert app._running.grpc.connections() == []
        shut.peer.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 100_000})
        answer = await peer.answer(shut.ask("GetRecord", QUESTIONS["GetRecord"]))
        assert answer["grpc-status"] == "0"


async def test_a_window_that_is_opened_bit_by_bit_is_served_to_the_end(app: App) -> None:
    async with http2(app.grpc_address) as peer:
        number = Shut(peer, 0).ask("Sync", QUESTIONS["Sync"])
        granted = 0

        def taken() -> bool:
            return number in peer.ended or len(peer.data.get(number, b"")) == granted

        while number not in peer.ended:
            granted += 20_000
            peer.h2.increment_flow_control_window(20_000)
            peer.h2.increment_flow_control_window(20_000, number)
            peer.flush()
            await peer.until(taken)
        assert peer.headers[number]["grpc-status"] == "0"
        assert len(peer.data[number]) > 40 * 8000


async def test_a_peer_that_reads_its_socket_no_more_is_dropped(app: App) -> None:
    async with http2(app.grpc_address) as peer:
        Shut(peer, 2**30)
        peer.h2.increment_flow_control_window(2**30)
        for _ in range(60):
            peer.request(TRACKERS + "Sync", prefixed(wire.encode_message(QUESTIONS["Sync"])))
        await eventually(lambda: len(protocols(app)) == 1)
        (protocol,) = protocols(app)
        await eventually(lambda: not protocol.connection.write_ready.is_set())
        assert protocol._transport.get_write_buffer_size() < 256 * 1024
        await eventually(lambda: not protocols(app))
    figure = app.metrics.registry.get_sample_value
    assert (figure("rhtmx_stalled_total") or 0) >= 1


async def test_pings_whose_answers_nobody_reads_are_not_answered_for_ever(app: App) -> None:
    """Nor read: what the server has to say is not kept, whatever asks for it."""
    async with http2(app.grpc_address) as peer:
        await eventually(lambda: len(protocols(app)) == 1)
        (protocol,) = protocols(app)
        protocol.pause_writing()  # as the loop does when the socket is full
        before = protocol._transport.get_write_buffer_size()
        peer.writer.write(FLOODS["ping"] * 7 + FLOODS["window"] * 100_000)
        await eventually(lambda: protocol._paused and not protocol._working)
        assert len(protocol._frames) < 600 * 1024
        assert protocol._transport.get_write_buffer_size() == before


async def test_more_calls_a_second_than_allowed_are_told_when_to_come_again() -> None:
    config = Config(port=0, grpc_port=0, grpc_calls=3)
    async with (
        App(store="memory://", config=config, undeclared=True) as app,
        http2(app.grpc_address) as peer,
        http2(app.grpc_address) as other,
    ):
        app._running.services.now = lambda: 0.0
        data = prefixed(wire.encode_message(push()))
        numbers = [peer.request(data=data) for _ in range(20)]
        answers = [await peer.answer(number) for number in numbers]
        refused = [each for each in answers if each["grpc-status"] == "8"]
        assert answers[0]["grpc-status"] == "0"
        assert len(refused) >= 10
        assert {each["rhtmx-code"] for each in refused} == {"rate_limited"}
        assert all(0 < int(each["rhtmx-retry-after"]) <= 334 for each in refused)
        assert (await other.answer(other.request(data=data)))["grpc-status"] == "0"
        async with rhtmx.backend(app.grpc_address) as backend:
            with pytest.raises(rhtmx.RhtmxError) as caught:
                await asyncio.gather(*(backend.get("u", str(n)) for n in range(20)))
            assert caught.value.code is rhtmx.ErrorCode.RATE_LIMITED
            assert caught.value.retry_after is not None
            assert 0 < caught.value.retry_after < 0.4


async def grants(request: Request) -> Grant:
    return Grant("ada", None if request.token == "t" * 4096 else 4_000_000_000_000_000)


async def test_a_token_is_refused_for_its_length_in_words() -> None:
    config = Config(port=0, grpc_port=0)
    app = App(store="memory://", config=config, undeclared=True, authenticate=grants)
    async with app, http2(app.grpc_address) as peer:
        data = prefixed(wire.encode_message(push()))
        good = await peer.answer(peer.request(data=data, authorization="Bearer " + "t" * 4096))
        assert good["grpc-status"] == "0"
        for size in (4097, 9000, 15_000):
            long = await peer.answer(peer.request(data=data, authorization="Bearer " + "t" * size))
            assert (long["rhtmx-code"], long["grpc-message"]) == (
                "bad_message",
                f"token: at most 4096 bytes expected, got {size}",
            )


async def test_a_write_after_the_end_of_its_token_is_not_taken() -> None:
    config = Config(port=0, grpc_port=0)
    app = App(store="memory://", config=config, undeclared=True, authenticate=grants)
    async with app, http2(app.grpc_address) as peer:
        services = app._running.services
        data, now = prefixed(wire.encode_message(push())), services.now
        numbers = [
            peer.request(TRACKERS + method, b"", end=False, authorization="Bearer t")
            for method in ("Push", "PushEach", "PushMany")
        ]
        await eventually(lambda: len(app._running.grpc._door._calls) == 3)
        services.now = lambda: now() + 1e10
        for number in numbers:
            peer.h2.send_data(number, data, end_stream=True)
        peer.flush()
        for number in numbers:
            assert (await peer.answer(number))["rhtmx-code"] == "unauthenticated"
        assert [each async for each in _records(app)] == []


async def _records(app: App) -> AsyncIterator[str]:
    for entry in await app.history("tasks"):
        yield entry.entity_id


@pytest.mark.parametrize("seed", range(3))
async def test_peers_that_vanish_while_much_is_said_are_no_news(  # noqa: C901 (one story)
    app: App, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Nor is a server that stops meanwhile: nothing is written after the end."""
    late: list[bytes] = []
    made = GuardedProtocol.connection_made

    def connection_made(protocol: GuardedProtocol, transport: Any) -> None:
        def checked(data: bytes) -> None:
            if transport.is_closing():
                late.append(data)
            write(data)

        write, transport.write = transport.write, checked
        made(protocol, transport)

    monkeypatch.setattr(GuardedProtocol, "connection_made", connection_made)
    caplog.set_level(logging.WARNING)
    chance, over, connecting = random.Random(seed), False, 0
    said = json.dumps({"text": "x" * 4_000}).encode()

    async def peer() -> None:
        nonlocal connecting
        while not over:
            connecting += 1
            with contextlib.suppress(OSError):
                async with http2(app.grpc_address) as line:
                    await line.reader.readexactly(9)
                    connecting -= 1
                    for method in ("Watch", "Sync", "PushEach"):
                        question = QUESTIONS[method]
                        data = prefixed(wire.encode_message(question))
                        line.request(TRACKERS + method, data, end=False)
                    hello = prefixed(wire.encode_message(Envelope(hello=Hello())))
                    number = line.request(TRACKERS + "Connect", hello, end=False)
                    many = prefixed(wire.encode_message(push(entity="big", data=said)))
                    line.request(TRACKERS + "PushMany", many * 3, end=False)
                    for _ in range(chance.randrange(20)):
                        line.h2.send_data(number, b"")
                        line.flush()
                        await asyncio.sleep(0)
                    if chance.random() < 0.5:
                        await line.reader.read(chance.randrange(1, 65_536))
                    if chance.random() < 0.5:
                        line.writer.write_eof()
                        await asyncio.sleep(0)

    peers = [asyncio.create_task(peer()) for _ in range(8)]
    for number in range(60):
        await app.changes.push("big", str(number % 7), {"text": "y" * 20_000})
    over = True
    await eventually(lambda: not connecting)  # asyncio loses a socket that it accepts meanwhile
    await app.stop()
    for each in peers:
        each.cancel()
    await asyncio.gather(*peers, return_exceptions=True)
    ours = [each for each in caplog.records if each.name != "asyncio"]  # that of these peers
    assert [record.getMessage() for record in ours] == []
    assert late == []
