"""Facts about `rhtmx_server.transports.grpc.tls`."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from rhtmx.errors import RhtmxError
from rhtmx_server.config import Config
from rhtmx_server.transports.grpc.tls import context
from tests.support.certificates import authority


def test_without_files_there_is_none() -> None:
    assert context(Config()) is None


def test_with_files_it_is_tls_from_1_2_on_and_asks_clients_only_if_told_to(tmp_path: Path) -> None:
    pair = authority(tmp_path, "ca")
    files = {"grpc_cert": str(pair.cert), "grpc_key": str(pair.key)}
    made = context(Config(**files))  # type: ignore[arg-type]
    assert made is not None
    assert made.minimum_version is ssl.TLSVersion.TLSv1_2
    assert made.verify_mode is ssl.CERT_NONE
    files["grpc_client_ca"] = str(pair.cert)
    made = context(Config(**files))  # type: ignore[arg-type]
    assert made is not None
    assert made.verify_mode is ssl.CERT_REQUIRED


def test_a_file_that_is_missing_is_named() -> None:
    with pytest.raises(RhtmxError, match=r"grpc_cert: no\.pem cannot be read: No such file"):
        context(Config(grpc_cert="no.pem", grpc_key="no.key"))
