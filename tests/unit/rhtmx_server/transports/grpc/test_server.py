"""Facts about `rhtmx_server.transports.grpc.server` (the rest is tested with real peers)."""

from __future__ import annotations

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
