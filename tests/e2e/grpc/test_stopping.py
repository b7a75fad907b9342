"""Stopping tells every call, finishes the writes, and takes its time from nobody."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

from rhtmx_server import App, Config
from tests.support.grpcio_client import Backend, backend, one_by_one
from tests.support.http2 import http2
from tests.support.process import refused
from tests.support.waiting import eventually


async def test_streams_are_told_and_writes_finished(client: Backend, app: App) -> None:
    m = client.m
    over = threading.Event()
    watch = client.stream("Watch", m.WatchRequest(entity="u"))
    await watch.until("sync_complete")
    talk = client.stream("Connect", one_by_one([m.Envelope(ping=m.Ping())], over.wait))
    await talk.until("pong")
    pushes = client.stream("PushMany", one_by_one([client.push("u", "1", 1)], over.wait))
    assert (await pushes.next()).version == 1
    await app.stop()
    for stream in (watch, talk, pushes):
        refusal = await stream.end()
        assert (refusal.status, refusal.code) == ("UNAVAILABLE", "shutting_down")
    over.set()
    refusal = await client.refused("Push", client.push("u", "1", 2))
    assert refusal.status == "UNAVAILABLE"


async def test_a_peer_that_does_not_read_holds_nobody_up(messages: Any) -> None:
    config = Config(port=0, grpc_port=0, stop_timeout=0.3, stall_timeout=60)
    app = App(store="memory://", config=config)
    async with app, backend(messages, app.grpc_address) as client:
        watch = client.stream("Watch", messages.WatchRequest(entity="u"))
        await watch.until("sync_complete")
        async with http2(app.grpc_address) as peer:
            peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
            peer.request("/rhtmx.v1.Trackers/Watch", b"\x00\x00\x00\x00\x03\x0a\x01u")
            await eventually(lambda: len(app._running.grpc.connections()) == 2)
            for n in range(300):
                await app.changes.push("u", str(n), {"piece": "x" * 30_000})
            loop = asyncio.get_running_loop()
            started = loop.time()
            await app.stop()
            assert loop.time() - started < 2


async def test_a_server_can_be_started_again_on_its_port(messages: Any) -> None:
    async with App(store="memory://", config=Config(port=0, grpc_port=0)) as app:
        port = int(app.grpc_address.rpartition(":")[2])
    config = Config(port=0, grpc_port=port)
    app = App(store="memory://", config=config)
    async with app, backend(messages, app.grpc_address) as client:
        assert (await client.ask("Push", client.push("u", "1", 1))).version == 1


async def test_what_cannot_work_is_said_in_one_line(tmp_path: Path) -> None:
    status, words = await refused("--grpc-port", "0", "--grpc-host", "0.0.0.0", folder=tmp_path)
    assert status == 2
    assert words.startswith("error: grpc_host: 0.0.0.0 can be reached from other machines: ")
    async with App(store="memory://", config=Config(port=0, grpc_port=0)) as app:
        port = app.grpc_address.rpartition(":")[2]
        status, words = await refused(
            "--port", "0", "--store", "memory://", "--grpc-port", port, folder=tmp_path
        )
    assert status == 1
    told = words.splitlines()[-1]
    assert told == (
        f"error: port {port} on 127.0.0.1 is in use: take another one with --grpc-port "
        "or Config(grpc_port=…)"
    )


async def test_without_a_port_there_is_no_grpc() -> None:
    async with App(store="memory://", config=Config(port=0)) as app:
        assert app.grpc_address == ""
