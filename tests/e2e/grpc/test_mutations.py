"""Conversations with a few bytes changed: nothing breaks, nothing stays, nothing is logged."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection

from rhtmx import wire
from rhtmx.messages import Envelope, Hello, Subscribe, WatchRequest
from rhtmx_server import App, Config
from rhtmx_server.transports.grpc.framing import prefixed
from tests.support.http2 import http2
from tests.support.waiting import eventually
from tests.unit.rhtmx_server.fakes import push

AT_A_TIME = 20


def conversation() -> bytes:
    """What a good client sends: several calls on one connection."""
    h2 = H2Connection(H2Configuration(client_side=True))
    h2.initiate_connection()

    def call(method: str, *messages: object, end: bool = True) -> int:
        number = h2.get_next_available_stream_id()
        headers = {
            ":method": "POST",
            ":scheme": "http",
            ":path": f"/rhtmx.v1.Trackers/{method}",
            ":authority": "test",
            "te": "trailers",
            "content-type": "application/grpc",
            "grpc-timeout": "10S",
        }
        h2.send_headers(number, list(headers.items()))
        for message in messages:
            h2.send_data(number, prefixed(wire.encode_message(message)))
        if end:
            h2.end_stream(number)
        return number

    call("Push", push())
    watch = call("Watch", WatchRequest(entity="tasks"))
    call("PushMany", push(), push())
    said = (Envelope(hello=Hello()), Envelope(subscribe=Subscribe(entities=["tasks"])))
    call("Connect", *said, Envelope(push=push()), end=False)
    h2.ping(b"12345678")
    h2.reset_stream(watch)
    return h2.data_to_send()


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The same with up to three places changed, cut or filled with noise."""
    changed = bytearray(data)
    for _ in range(chance.randrange(1, 4)):
        place = chance.randrange(24, max(25, len(changed)))
        noise = chance.randbytes(chance.randrange(1, 20))
        match chance.randrange(4):
            case 0:
                changed[place : place + 1] = noise[:1]
            case 1:
                del changed[place : place + len(noise)]
            case 2:
                changed[place:place] = noise
            case _:
                del changed[place:]
    return bytes(changed)


@pytest.mark.parametrize("seed", range(5))
async def test_a_mutated_conversation_harms_nobody(
    seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    chance, good = random.Random(seed), conversation()
    config = Config(port=0, grpc_port=0)
    async with App(store="memory://", config=config) as app:
        host, _, port = app.grpc_address.rpartition(":")

        async def one() -> None:
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(mutated(good, chance))
            writer.write_eof()
            with contextlib.suppress(ConnectionError):
                while await reader.read(65536):
                    pass
            writer.transport.abort()

        for _ in range(3):
            await asyncio.gather(*(one() for _ in range(AT_A_TIME)))
        server = app._running.grpc
        await eventually(lambda: not server._protocols and not server.connections())
        assert app._running.services.hub._groups == {}
        async with http2(app.grpc_address) as peer:
            answer = await peer.answer(peer.request(data=prefixed(wire.encode_message(push()))))
            assert answer["grpc-status"] == "0"
    assert caplog.records == []
