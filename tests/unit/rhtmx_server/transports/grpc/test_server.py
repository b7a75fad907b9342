"""Facts about `rhtmx_server.transports.grpc.server` (the rest is tested with real peers)."""

from __future__ import annotations

import asyncio
import socket
from typing import Any
from unittest.mock import Mock

import pytest

from rhtmx.errors import RhtmxError
from rhtmx_server.config import Config
from rhtmx_server.transports.grpc.server import GrpcServer
from tests.unit.rhtmx_server.connecting import Side


def server(**settings: object) -> GrpcServer:
    return GrpcServer(Side(Config(**settings)).services, lambda: True)  # type: ignore[arg-type]


async def test_without_a_port_it_does_not_listen_and_can_be_stopped() -> None:
    quiet = server()
    await quiet.listen()
    assert quiet.address == ""
    quiet.stop_accepting()
    await quiet.stop(0.0)


async def test_the_address_says_where_it_listens() -> None:
    open_ = server(grpc_port=0)
    await open_.listen()
    host, _, port = open_.address.rpartition(":")
    assert (host, int(port) > 0) == ("127.0.0.1", True)
    open_.stop_accepting()


async def test_what_is_wrong_with_the_address_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(RhtmxError, match=rf"{port} .* is in use: .*Config\(grpc_port"):
            await server(grpc_port=port).listen()
    with pytest.raises(RhtmxError, match=r"this machine has no address 192\.0\.2\.1"):
        await server(grpc_port=0, grpc_host="192.0.2.1").listen()


async def test_who_connects_while_it_stops_may_not_stay() -> None:
    peer: Any = Mock()
    stopping = server()
    assert stopping.opened(peer)
    stopping.lost(peer)
    stopping.stop_accepting()
    assert not stopping.opened(peer)
    assert stopping._protocols == set()


async def test_nothing_is_kept_of_peers_that_were_refused() -> None:
    full = server(grpc_connections=1)
    assert full.opened(Mock())
    for _ in range(20):
        protocol = full._protocol_factory()
        protocol.connection_made(Mock())
        protocol.connection_lost(None)
    assert full._handlers == set()


class Handler:
    """Calls that are being cancelled, and end when a test says so."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    def check_closed(self) -> bool:
        return self.ended.is_set()

    async def wait_closed(self) -> None:
        await self.ended.wait()


async def test_the_calls_of_a_peer_that_is_gone_are_kept_until_they_have_ended() -> None:
    serving, peer = server(), Mock(handler=Handler())
    assert serving.opened(peer)
    serving.lost(peer)
    (ending,) = serving._ending
    peer.handler.ended.set()
    await ending
    await asyncio.sleep(0)
    assert serving._ending == set()
