"""Connections and streams of backends count like those of browsers."""

from __future__ import annotations

from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from rhtmx_server import App, Config, Grant, Request
from rhtmx_server.transports import arrivals
from rhtmx_server.transports.grpc import server
from tests.support.grpcio_client import backend
from tests.support.http2 import http2
from tests.support.sockets import raw
from tests.support.waiting import eventually


def refused(app: App, reason: str) -> float:
    name = "rhtmx_handshakes_refused_total"
    return app.metrics.registry.get_sample_value(name, {"reason": reason}) or 0.0


async def dropped(app: App) -> None:
    async with http2(app.grpc_address) as peer:
        with pytest.raises(ConnectionError):
            await peer.until(lambda: False)


async def served(app: App) -> None:
    async with http2(app.grpc_address) as peer:
        assert "grpc-status" in await peer.answer(peer.request(data=bytes(5)))


async def test_both_doors_have_so_many_connections_together() -> None:
    app = App(store="memory://", config=Config(port=0, grpc_port=0, connections=2))
    async with app, raw(app.url):
        admission = app._running.services.admission
        async with http2(app.grpc_address) as peer:
            assert "grpc-status" in await peer.answer(peer.request(data=bytes(5)))
            await dropped(app)
            with pytest.raises(InvalidStatus):
                await connect(app.url)
            assert refused(app, "connections") == 2
        await eventually(lambda: admission._connections == 1)
        await served(app)
    assert admission._connections == 0


async def test_both_doors_have_so_many_connections_from_one_address_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (arrivals, server):
        monkeypatch.setattr(module, "source", lambda peername: "192.0.2.1")
    config = Config(port=0, grpc_port=0, host="0.0.0.0", open=True, connections_per_address=1)
    app = App(store="memory://", config=config)
    async with app:
        async with raw(app.url):
            await dropped(app)
        assert refused(app, "address") == 1
        await eventually(lambda: not app._running.services.admission._sources)
        await served(app)


async def authenticate(request: Request) -> Grant:
    return Grant(request.token)


def token(text: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {text}"),)


@pytest.mark.parametrize("method", ["Watch", "WatchFields", "Connect"])
async def test_a_stream_counts_for_its_user_as_long_as_it_lasts(messages: Any, method: str) -> None:
    config = Config(port=0, grpc_port=0, connections_per_subject=1)
    app = App(store="memory://", config=config, undeclared=True, authenticate=authenticate)
    async with app, backend(messages, app.grpc_address) as client:
        watch = messages.WatchRequest(entity="u")
        first = client.stream("Watch", watch, metadata=token("ada"))
        await first.until("sync_complete")
        if method == "Connect":
            hello = iter([messages.Envelope(hello=messages.Hello(token="ada"))])
            stream = client.stream("Connect", hello)
            error = await stream.until("error")
            assert "--connections-per-subject" in error.message
            assert error.retry_after == 5000
            assert (await stream.end()).status == "UNAVAILABLE"
        else:
            refusal = await client.stream(method, watch, metadata=token("ada")).end()
            assert (refusal.status, refusal.code) == ("RESOURCE_EXHAUSTED", "too_many_requests")
        other = client.stream("Watch", watch, metadata=token("bob"))
        await other.until("sync_complete")
        await client.ask("Push", client.push("u", "1", 1), metadata=token("ada"))
        subjects = app._running.services.admission._subjects
        assert subjects == {"ada": 1, "bob": 1}
        await client.run(first.call.cancel)
        await eventually(lambda: subjects == {"bob": 1})
        await client.stream("Watch", watch, metadata=token("ada")).until("sync_complete")
