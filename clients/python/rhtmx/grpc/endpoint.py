"""Where a backend's calls go.

Knows addresses, and files for TLS. Must not know connections.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from rhtmx.core.address import is_host
from rhtmx.core.tls_failures import no_password
from rhtmx.errors import ErrorCode, RhtmxError

__all__ = ["GrpcEndpoint", "Tls", "target"]


@dataclass(frozen=True, slots=True)
class Tls:
    """Files for TLS.

    Args:
        ca: whom to trust, as PEM; the system's authorities, if left out.
        cert: who this client is, as PEM, for a server that asks.
        key: the key to `cert`, if it is not in the same file.
    """

    ca: str | Path | None = None
    cert: str | Path | None = None
    key: str | Path | None = None


@dataclass(frozen=True, slots=True)
class GrpcEndpoint:
    """Where to connect to, and how.

    Args:
        address: as the user wrote it.
        host: of the address.
        port: of the address.
        ssl: `None` for plain text.
    """

    address: str
    host: str
    port: int
    ssl: ssl.SSLContext | None = None


def target(address: str, tls: bool | ssl.SSLContext | Tls = False) -> GrpcEndpoint:
    """The target that a user means.

    Raises:
        RhtmxError: `BAD_MESSAGE`, that is no address, or a file for TLS cannot be used.

    Example:
        >>> target("[::1]:50051").host
        '::1'
    """
    host, _, port = address.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    plain = is_host(bare) and not set("/@ ") & set(bare) and (":" not in bare or bare != host)
    if not (plain and port.isascii() and port.isdecimal() and 0 < int(port) < 2**16):
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE,
            f"address: host:port expected, such as 'localhost:50051', got {address!r}",
        )
    return GrpcEndpoint(address, bare, int(port), _context(tls))


def _context(tls: bool | ssl.SSLContext | Tls) -> ssl.SSLContext | None:
    if isinstance(tls, ssl.SSLContext):
        return tls
    if not tls:
        return None
    files = tls if isinstance(tls, Tls) else Tls()
    if files.key is not None and files.cert is None:
        raise _unusable("key", files.key, "it goes with cert, whose key it is")
    try:
        context = ssl.create_default_context(cafile=files.ca)
    except (OSError, ValueError) as error:
        raise _unusable("ca", files.ca, _reason(error, "certificates in PEM expected")) from error
    if files.cert is not None:
        try:
            context.load_cert_chain(files.cert, files.key, password=no_password)
        except (OSError, ValueError) as error:
            words = "a certificate in PEM and its own key without a password expected"
            raise _unusable("cert", files.cert, _reason(error, words)) from error
    context.set_alpn_protocols(["h2"])
    return context


def _reason(error: OSError | ValueError, expected: str) -> str:
    """What is wrong with a file that cannot be read, or holds something else."""
    if isinstance(error, ssl.SSLError | ValueError):
        return expected
    return f"cannot be read: {error.strerror or error}"


def _unusable(name: str, file: str | Path | None, words: str) -> RhtmxError:
    return RhtmxError(ErrorCode.BAD_MESSAGE, f"tls: {name}='{file}': {words}")
