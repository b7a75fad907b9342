"""What a peer sends, and how much, does the server no harm."""

from __future__ import annotations

import asyncio
import logging
import random
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from h2.errors import ErrorCodes

from rhtmx_server import App, Config
from tests.support.grpcio_client import backend
from tests.support.http2 import PUSH, http2
from tests.support.process import serving
from tests.support.sockets import PATIENCE
from tests.support.waiting import eventually

MIB = 1024 * 1024
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@pytest.fixture
async def app() -> AsyncIterator[App]:
    config = Config(port=0, grpc_port=0, grpc_streams=3, grpc_connections=2)
    async with App(store="memory://", config=config, undeclared=True) as app:
        yield app


async def test_a_large_message_is_refused_at_its_prefix(app: App) -> None:
    async with http2(app.grpc_address) as peer:
        prefix = (0).to_bytes(1, "big") + (4 * MIB + 1).to_bytes(4, "big")
        answer = await peer.answer(peer.request(data=prefix, end=False))
        assert (answer["grpc-status"], answer["rhtmx-code"]) == ("8", "too_large")
        for path in ("/grpc.health.v1.Health/Check", "/rhtmx.v1.Trackers/Connect"):
            answer = await peer.answer(peer.request(path, prefix, end=False))
            assert answer["grpc-status"] == "8"


async def test_the_limit_can_be_set(messages: Any) -> None:
    config = Config(port=0, grpc_port=0, grpc_max_size=2000)
    async with (
        App(store="memory://", config=config) as app,
        backend(messages, app.grpc_address) as client,
    ):
        await client.ask("Push", client.push("u", "1", "x" * 1900))
        refusal = await client.refused("Push", client.push("u", "1", "x" * 2001))
        assert (refusal.status, refusal.code) == ("RESOURCE_EXHAUSTED", "too_large")


def peak(pid: int) -> int:
    """The most memory that a process has had, in MiB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) // 1024


async def test_a_message_of_256_mib_costs_the_server_nothing(messages: Any, tmp_path: Path) -> None:
    async with serving("--grpc-port", "0", folder=tmp_path, at_once=False) as server:
        assert server.process.stderr is not None
        line = ""
        while "gRPC on" not in line:
            line = (await server.process.stderr.readline()).decode()
        address = re.search(r"gRPC on (\S+),", line)
        assert address
        unlimited = ("grpc.max_send_message_length", -1)
        async with backend(messages, address[1], None, unlimited) as client:
            await client.ask("Push", client.push("u", "1", 1))
            before = peak(server.process.pid)
            huge = messages.Push(entity="u", entity_id="1", action=2, data=bytes(256 * MIB))
            refusal = await client.refused("Push", huge)
            assert (refusal.status, refusal.code) == ("RESOURCE_EXHAUSTED", "too_large")
            call = client.stream("PushMany", iter([huge]))
            assert (await call.end()).status == "RESOURCE_EXHAUSTED"
            assert peak(server.process.pid) - before < 8
            await client.ask("Push", client.push("u", "1", 1))


async def test_garbage_ends_its_connection_and_nothing_else(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    chance = random.Random(4)
    for number in range(40):
        host, _, port = app.grpc_address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        start = (b"", PREFACE, PREFACE + bytes(9))[number % 3]
        writer.write(start + chance.randbytes(chance.randrange(1, 400)))
        writer.write_eof()
        async with asyncio.timeout(PATIENCE):
            while await reader.read(65536):
                pass
        writer.close()
    assert caplog.records == []
    async with http2(app.grpc_address) as peer:
        assert "grpc-status" in await peer.answer(peer.request(data=bytes(5)))


@pytest.mark.parametrize(
    ("headers", "data", "status"),
    [
        ({}, b"\x00\x00\x00\x00\x05ab", "3"),  # a part of a message
        ({}, b"\x00\x00", "3"),  # not even a prefix
        ({}, b"", "3"),  # none
        ({}, b"\x01\x00\x00\x00\x02ab", "12"),  # compressed
        ({}, b"\x00\x00\x00\x00\x02\xff\xff", "3"),  # no protobuf
        ({"grpc_timeout": "soon"}, bytes(5), "2"),
        ({"grpc_timeout": "9" * 400 + "H"}, bytes(5), "2"),
        ({"x_bin": "%%%"}, bytes(5), "3"),
        ({"x_rhtmx_client_id": "x" * 256}, bytes(5), "3"),
        ({"te": None}, bytes(5), "2"),
        ({"content_type": "text/html"}, bytes(5), "2"),
    ],
)
async def test_an_odd_call_is_answered_with_a_status(
    app: App,
    caplog: pytest.LogCaptureFixture,
    headers: dict[str, Any],
    data: bytes,
    status: str,
) -> None:
    async with http2(app.grpc_address) as peer:
        answer = await peer.answer(peer.request(PUSH, data, **headers))
        assert answer["grpc-status"] == status
        assert [record for record in caplog.records if record.levelno > logging.INFO] == []


async def test_what_is_no_method_is_unimplemented(app: App) -> None:
    async with http2(app.grpc_address) as peer:
        answer = await peer.answer(peer.request("/rhtmx.v1.Trackers/No", bytes(5)))
        assert answer["grpc-status"] == "12"
        assert (await peer.answer(peer.request(data=None, method="GET")))[":status"] == "405"


async def test_unknown_frames_are_ignored(app: App) -> None:
    async with http2(app.grpc_address) as peer:
        peer.writer.write(b"\x00\x00\x01\xbe\x00\x00\x00\x00\x00x")
        assert "grpc-status" in await peer.answer(peer.request(data=bytes(5)))


async def test_empty_frames_are_not_kept(app: App) -> None:
    async with http2(app.grpc_address) as peer:
        number = peer.request(data=b"\x00\x00\x00", end=False)
        for _ in range(40):
            peer.h2.send_data(number, b"")
            peer.h2.send_data(number, b"", pad_length=200)
        peer.flush()
        await eventually(lambda: bool(app._running.grpc._protocols))
        peer.h2.ping(b"12345678")  # is answered when all before it was taken
        peer.flush()
        await peer.until(lambda: peer.pongs)
        (protocol,) = app._running.grpc._protocols
        (stream,) = protocol.processor.streams.values()
        buffer: Any = stream.buffer
        assert len(buffer._data) == 3
        peer.h2.send_data(number, b"\x00\x00", end_stream=True)
        peer.flush()
        assert (await peer.answer(number))["grpc-status"] == "3"


async def test_more_streams_than_allowed_end_the_connection(app: App) -> None:
    watch = b"\x00\x00\x00\x00\x03\x0a\x01u"
    async with http2(app.grpc_address) as peer:
        for _ in range(4):
            peer.request("/rhtmx.v1.Trackers/Watch", watch)
        goodbye = await peer.end()
        assert goodbye is not None
        assert goodbye.error_code == ErrorCodes.PROTOCOL_ERROR
    assert app._running.grpc.connections() == []


async def test_who_pings_without_end_is_told_to_be_calm(app: App) -> None:
    async with http2(app.grpc_address) as peer:
        for number in range(20):
            peer.h2.ping(number.to_bytes(8, "big"))
        peer.flush()
        goodbye = await peer.end()
        assert goodbye is not None
        assert goodbye.error_code == ErrorCodes.ENHANCE_YOUR_CALM
        assert goodbye.additional_data == b"too_many_pings"


@pytest.mark.parametrize(
    ("kind", "content", "stream", "flags"),
    [
        (0x0, b"", 1, 0),  # data without any
        (0x0, b"\x00", 1, 8),  # padding alone
        (0x2, bytes(5), 5, 0),  # priority
        (0x4, b"", 0, 0),  # settings
        (0x4, b"", 0, 1),  # settings acknowledged, and none were sent
        (0x6, bytes(8), 0, 1),  # a ping answered that was not sent
        (0xBE, b"x", 0, 0),  # unknown
    ],
)
async def test_who_sends_what_costs_nothing_without_end_is_told_to_be_calm(
    app: App, kind: int, content: bytes, stream: int, flags: int
) -> None:
    frame = len(content).to_bytes(3, "big") + bytes([kind, flags])
    frame += stream.to_bytes(4, "big") + content
    async with http2(app.grpc_address) as peer:
        peer.request(data=b"\x00", end=False)
        peer.writer.write(frame * 80)
        peer.h2.ping(b"12345678")
        peer.flush()
        await peer.until(lambda: peer.pongs)
        peer.writer.write(frame * 40)
        goodbye = await peer.end()
        assert goodbye is not None
        assert goodbye.error_code == ErrorCodes.ENHANCE_YOUR_CALM
        assert goodbye.additional_data == b"too_many_frames"


async def test_who_resets_without_end_is_told_to_be_calm(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    async with http2(app.grpc_address) as peer:
        for _ in range(12):
            peer.h2.reset_stream(peer.request(data=None))
            peer.flush()
        goodbye = await peer.end()
        assert goodbye is not None
        assert goodbye.error_code == ErrorCodes.ENHANCE_YOUR_CALM
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


async def test_more_connections_than_allowed_are_dropped(app: App) -> None:
    async with http2(app.grpc_address) as one, http2(app.grpc_address) as two:
        for peer in (one, two):
            assert "grpc-status" in await peer.answer(peer.request(data=bytes(5)))
        async with http2(app.grpc_address) as three:
            with pytest.raises(ConnectionError):
                await three.until(lambda: False)
    figure = app.metrics.registry.get_sample_value
    assert figure("rhtmx_handshakes_refused_total", {"reason": "grpc"}) == 1


async def test_a_thousand_streams_on_one_connection(messages: Any) -> None:
    app = App(store="memory://", config=Config(port=0, grpc_port=0))
    async with app, backend(messages, app.grpc_address) as client:
        request = messages.WatchRequest(entity="u")
        streams = [client.stub.Watch(request) for _ in range(1000)]
        await client.run(lambda: [next(stream) for stream in streams])
        await app.changes.push("u", "1", 1)
        got = await client.run(lambda: [next(stream) for stream in streams])
        assert [envelope.change.change.version for envelope in got] == [1] * 1000
        for stream in streams:
            stream.cancel()
        await eventually(lambda: not app._running.grpc.connections())
        await client.ask("Push", client.push("u", "1", 1))


async def test_a_peer_that_does_not_answer_pings_is_dropped() -> None:
    config = Config(port=0, grpc_port=0, heartbeat=0.05)
    async with App(store="memory://", config=config) as app, http2(app.grpc_address) as peer:
        async with asyncio.timeout(PATIENCE):
            while await peer.reader.read(65536):  # reads, but never answers
                pass
