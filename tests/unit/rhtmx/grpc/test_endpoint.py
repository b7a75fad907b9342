"""Facts about `rhtmx.grpc.endpoint`."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.grpc.endpoint import Tls, target
from tests.support.certificates import authority, signed
from tests.support.process import run


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        ("localhost:50051", "localhost", 50051),
        ("[::1]:1", "::1", 1),
        ("10.0.0.1:65535", "10.0.0.1", 65535),
    ],
)
def test_an_address_is_host_and_port(address: str, host: str, port: int) -> None:
    where = target(address)
    assert (where.address, where.host, where.port, where.ssl) == (address, host, port, None)


@pytest.mark.parametrize(
    "address",
    [
        *("", "localhost", ":50051", "localhost:", "localhost:0", "localhost:65536"),
        *("localhost:x", "http://localhost:50051", "localhost:50051/", "::1:50051", "a b:1"),
        *("localhost:²", "x..y:1", f"{'a' * 64}:1"),
    ],
)
def test_anything_else_is_refused(address: str) -> None:
    with pytest.raises(RhtmxError, match="host:port expected") as caught:
        target(address)
    assert caught.value.code is ErrorCode.BAD_MESSAGE


def test_tls_checks_the_server_and_speaks_of_http2() -> None:
    context = target("localhost:1", True).ssl
    assert context is not None
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_a_context_of_the_user_is_taken_as_it_is() -> None:
    own = ssl.create_default_context()
    assert target("localhost:1", own).ssl is own


def test_tls_takes_files(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    run(*make, "-nodes", "-keyout", key, "-out", cert, "-subj", "/CN=test")
    context = target("localhost:1", Tls(ca=cert, cert=cert, key=key)).ssl
    assert context is not None
    assert [each["subject"] for each in context.get_ca_certs()] == [((("commonName", "test"),),)]


def test_files_that_cannot_be_used_are_named_and_no_password_is_asked_for(tmp_path: Path) -> None:
    ca, other = authority(tmp_path, "ca"), authority(tmp_path, "other")
    own, nowhere, locked = signed(tmp_path, "own", ca), tmp_path / "nope.pem", tmp_path / "key.pem"
    run("openssl", "ec", "-aes256", "-passout", "pass:hush", "-in", own.key, "-out", locked)
    pair = "a certificate in PEM and its own key without a password expected"
    for files, words in [
        (Tls(ca=nowhere), f"ca='{nowhere}': cannot be read: No such file or directory"),
        (Tls(ca=own.key), f"ca='{own.key}': certificates in PEM expected"),
        (Tls(cert=nowhere), f"cert='{nowhere}': cannot be read: No such file or directory"),
        (Tls(cert=own.cert, key=other.key), f"cert='{own.cert}': {pair}"),
        (Tls(cert=own.cert, key=locked), f"cert='{own.cert}': {pair}"),
        (Tls(ca=ca.cert, key=own.key), f"key='{own.key}': it goes with cert, whose key it is"),
    ]:
        with pytest.raises(RhtmxError) as caught:
            target("localhost:1", files)
        assert caught.value.code is ErrorCode.BAD_MESSAGE
        assert caught.value.message == f"tls: {words}"
