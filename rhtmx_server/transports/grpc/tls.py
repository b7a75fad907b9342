"""TLS from files, for peers that may have to show a certificate as well.

Knows certificates. Must not know who connects.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.config import Config

__all__ = ["context"]


def context(config: Config) -> ssl.SSLContext | None:
    """The TLS of the gRPC port; `None` without files: then it is plain, and local.

    Raises:
        RhtmxError: a file cannot be used; the message says which, and why.
    """
    if config.grpc_cert is None:
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["h2"])
    for name in ("grpc_cert", "grpc_key", "grpc_client_ca"):
        _readable(name, getattr(config, name))
    try:
        made.load_cert_chain(config.grpc_cert, config.grpc_key)
    except ssl.SSLError as failure:
        raise _wrong(
            f"grpc_cert, grpc_key: a certificate and its key in PEM expected: {failure.reason}"
        ) from None
    if config.grpc_client_ca is not None:
        made.verify_mode = ssl.CERT_REQUIRED
        try:
            made.load_verify_locations(config.grpc_client_ca)
        except ssl.SSLError as failure:
            raise _wrong(f"grpc_client_ca: certificates in PEM expected: {failure}") from None
    return made


def _readable(name: str, path: str | None) -> None:
    if path is None:
        return
    try:
        with Path(path).open("rb"):
            pass
    except OSError as failure:
        raise _wrong(f"{name}: {path} cannot be read: {failure.strerror}") from None


def _wrong(words: str) -> RhtmxError:
    return RhtmxError(ErrorCode.NOT_SUPPORTED, words)
