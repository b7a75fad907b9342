"""What an app is told of a backend that calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc

from rhtmx_server import App, Config
from tests.support.asked import Asked
from tests.support.certificates import authority, signed
from tests.support.grpcio_client import backend


async def test_of_a_grpc_call_it_is_told_the_metadata_and_the_method(messages: Any) -> None:
    asked = Asked()
    config = Config(port=0, grpc_port=0)
    app = App(store="memory://", config=config, undeclared=True, authenticate=asked)
    async with app, backend(messages, app.grpc_address) as client:
        metadata = (("authorization", "Bearer ada"), ("x-team", "red"), ("trace-bin", b"\x00"))
        await client.ask("Push", client.push("tasks", "1", 1), metadata=metadata)
    request = asked.last
    assert (request.token, request.transport) == ("ada", "grpc")
    assert request.path == "/rhtmx.v1.Trackers/Push"
    assert request.headers["x-team"] == "red"
    assert request.address == "127.0.0.1"


async def test_a_certificate_alone_says_who_a_backend_is(messages: Any, tmp_path: Path) -> None:
    asked = Asked()
    ca = authority(tmp_path, "ca")
    server, own = signed(tmp_path, "server", ca), signed(tmp_path, "billing", ca)
    config = Config(
        port=0,
        grpc_port=0,
        grpc_cert=str(server.cert),
        grpc_key=str(server.key),
        grpc_client_ca=str(ca.cert),
    )
    app = App(store="memory://", config=config, undeclared=True, authenticate=asked)
    key, cert = own.texts
    credentials = grpc.ssl_channel_credentials(ca.cert.read_bytes(), key, cert)
    async with app:
        address = app.grpc_address.replace("127.0.0.1", "localhost")
        async with backend(messages, address, credentials) as client:
            await client.ask("Push", client.push("tasks", "1", 1))
    assert asked.last.token == ""
    assert asked.last.certificate is not None
