"""A database that is reached by TLS: who it is has to be proved.

The PostgreSQL of the tests is built without TLS, so it is PgBouncer that has the certificate; the
driver says the same to either.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.stores.postgres import PostgresStore
from tests.support import pgbouncer
from tests.support.certificates import Pair, authority, signed
from tests.support.postgres import Postgres


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def ours(folder: Path) -> Pair:
    """Who has signed the certificate."""
    return authority(folder, "ours")


@pytest.fixture(scope="module")
def address(postgres: Postgres, folder: Path, ours: Pair) -> Iterator[str]:
    """Host and port of what has a certificate for `localhost`, and takes nobody without TLS."""
    pair = signed(folder, "database", ours, names="DNS:localhost")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    settings = {
        "listen_addr": "127.0.0.1",
        "listen_port": port,
        "unix_socket_dir": "",
        "client_tls_sslmode": "require",
    }
    files = {"client_tls_cert_file": pair.cert, "client_tls_key_file": pair.key}
    with pgbouncer.running(postgres, settings, files):
        yield f"localhost:{port}"


def store_at(address: str, options: str) -> PostgresStore:
    url = f"postgresql://app@{address}/postgres?{options}&pooler=true&schema=by_tls"
    return PostgresStore(url, shared=True)


async def test_a_database_that_proves_who_it_is_is_used(address: str, ours: Pair) -> None:
    store = store_at(address, f"sslmode=verify-full&sslrootcert={ours.cert}")
    await store.open()
    assert await store.look_up(()) == {}
    await store.close()


async def test_without_tls_it_is_not(address: str) -> None:
    with pytest.raises(RhtmxError, match="SSL required"):
        await store_at(address, "sslmode=disable").open()


async def test_a_certificate_of_another_authority_is_refused(address: str, folder: Path) -> None:
    theirs = authority(folder, "theirs")
    with pytest.raises(RhtmxError) as caught:
        await store_at(address, f"sslmode=verify-full&sslrootcert={theirs.cert}").open()
    assert caught.value.code is ErrorCode.STORAGE_FAILED
    assert "its certificate is refused (" in caught.value.message
    assert "sslrootcert=… names the file of the authority" in caught.value.message


async def test_a_certificate_of_another_name_is_refused(address: str, ours: Pair) -> None:
    elsewhere = address.replace("localhost", "127.0.0.1")
    with pytest.raises(RhtmxError, match="the host in the URL has to be one of its names"):
        await store_at(elsewhere, f"sslmode=verify-full&sslrootcert={ours.cert}").open()
