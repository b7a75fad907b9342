"""TLS from files, and certificates of clients where they are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import grpc
import pytest

from rhtmx_server import App, Config, RhtmxError
from tests.support.certificates import Pair, authority, signed
from tests.support.grpcio_client import backend


class Files(NamedTuple):
    ca: Pair
    server: Pair
    client: Pair
    stranger: Pair


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("certificates")
    ca, other = authority(folder, "ca"), authority(folder, "other")
    return Files(
        ca,
        signed(folder, "server", ca),
        signed(folder, "client", ca),
        signed(folder, "stranger", other),
    )


def serving(files: Files, **more: Any) -> App:
    config = Config(
        port=0,
        grpc_port=0,
        grpc_host="0.0.0.0",
        grpc_cert=str(files.server.cert),
        grpc_key=str(files.server.key),
        open=True,
        **more,
    )
    return App(store="memory://", config=config, undeclared=True)


def address(app: App) -> str:
    return app.grpc_address.replace("0.0.0.0", "localhost")


def trusting(files: Files, own: Pair | None = None) -> Any:
    key, cert = own.texts if own is not None else (None, None)
    return grpc.ssl_channel_credentials(files.ca.cert.read_bytes(), key, cert)


async def test_with_certificate_and_key_it_speaks_tls(files: Files, messages: Any) -> None:
    async with serving(files) as app:
        async with backend(messages, address(app), trusting(files)) as client:
            assert (await client.ask("Push", client.push("u", "1", 1))).version == 1
            watch = client.stream("Watch", messages.WatchRequest(entity="u"))
            assert (await watch.until("sync_complete")).version == 1
        async with backend(messages, address(app)) as client:
            refusal = await client.refused("Push", client.push("u", "1", 1))
            assert refusal.status == "UNAVAILABLE"


async def test_clients_have_to_show_a_certificate_that_was_signed(
    files: Files, messages: Any
) -> None:
    async with serving(files, grpc_client_ca=str(files.ca.cert)) as app:
        async with backend(messages, address(app), trusting(files, files.client)) as client:
            assert (await client.ask("Push", client.push("u", "1", 1))).version == 1
        for own in (None, files.stranger):
            async with backend(messages, address(app), trusting(files, own)) as client:
                refusal = await client.refused("Push", client.push("u", "1", 1))
                assert refusal.status == "UNAVAILABLE"


async def test_a_file_that_cannot_be_used_is_named(files: Files, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"grpc_cert": "no.pem", "grpc_key": "no.key"}, r"grpc_cert: no\.pem cannot be read"),
        ({"grpc_cert": str(empty), "grpc_key": str(empty)}, "grpc_cert, grpc_key: a certificate"),
    )
    for settings, words in cases:
        app = App(store="memory://", config=Config(port=0, grpc_port=0, **settings))
        with pytest.raises(RhtmxError, match=words):
            await app.start()
    with pytest.raises(RhtmxError, match="grpc_client_ca: certificates in PEM expected"):
        await serving(files, grpc_client_ca=str(empty)).start()
