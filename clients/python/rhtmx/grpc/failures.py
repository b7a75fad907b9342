"""What it means that a call failed.

Knows gRPC's statuses, the trailers of an error, and which failures may pass.
Must not know calls or channels.
"""

from __future__ import annotations

import re
import ssl
from collections import Counter
from collections.abc import Mapping

from grpclib.const import Status
from grpclib.exceptions import GRPCError

from rhtmx.core import tls_failures as tls
from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages.tables import ERROR_CODE_VALUES, ERRORS, RECONNECT_CLOSE_CODES
from rhtmx.unknown_enum_values import unknown

__all__ = [
    "CODE",
    "ConnectionLost",
    "NoConnectionError",
    "broken_off",
    "may_pass",
    "refused",
    "silent",
    "unreachable",
    "unwilling",
]

CODE = "rhtmx-code"
"""The trailer with the error code, as the socket spells it."""

_DETAILS = "rhtmx-details-bin"
_RETRY_AFTER = "rhtmx-retry-after"

_GONE = frozenset({Status.UNAVAILABLE, Status.CANCELLED})
"""What a call ends with that nobody refused: the server, or something before it, is not there."""

_SHARED = Counter(row.grpc_status for row in ERRORS.values())

_BY_STATUS = {
    **{row.grpc_status: code for code, row in ERRORS.items() if _SHARED[row.grpc_status] == 1},
    Status.INVALID_ARGUMENT.value: ErrorCode.BAD_MESSAGE,
    Status.PERMISSION_DENIED.value: ErrorCode.FORBIDDEN,
    Status.RESOURCE_EXHAUSTED.value: ErrorCode.TOO_MANY_REQUESTS,
}
"""Status → code, for a refusal that does not say its code, as of a proxy. Other
statuses that several codes share mean nothing by themselves."""

_OPTIONS = tls.TlsOptions("tls=Tls(ca=…)", "tls=Tls(cert=…)", "no tls=")

_PORT = "is it the port of the server's door for gRPC?"

_ALERT = b"\x15"
"""How TLS begins to refuse what is none (RFC 8446, section 5.1)."""


class ConnectionLost(ConnectionClosed):
    """There is no connection now; the next call makes a new one."""


class NoConnectionError(ConnectionError):
    """What answers is not who was meant, or does not want this client; the text says which."""


def refused(error: GRPCError, trailers: Mapping[str, str | bytes], address: str) -> RhtmxError:
    """The exception that the end of a call stands for.

    Args:
        error: the status and its words.
        trailers: what came with it.
        address: whom the call was for.
    """
    word = str(trailers.get(CODE, ""))
    if not word and error.status in _GONE:
        return ConnectionLost(
            f"'{address}' is not available: {error.message or 'is the server running?'}"
        )
    code = ERROR_CODE_VALUES.get(word)
    new = code is None and word != ""
    details = trailers.get(_DETAILS)
    retry_after = _seconds(trailers.get(_RETRY_AFTER))
    return RhtmxError(
        unknown(ErrorCode, word)
        if new
        else code or _BY_STATUS.get(error.status.value, ErrorCode.UNSPECIFIED),
        error.message or f"the server answered {error.status.name}",
        details=details if isinstance(details, bytes) else None,
        retry_after=retry_after,
        retryable=error.status in _GONE or retry_after is not None if new else None,
    )


def _seconds(milliseconds: str | bytes | None) -> float | None:
    """How long to wait, as the server says it; it may say anything."""
    text = milliseconds if isinstance(milliseconds, str) else ""
    return int(text) / 1000 if re.fullmatch("[0-9]{1,15}", text) else None


def unreachable(error: OSError, address: str) -> ConnectionClosed:
    """The exception for a connection that could not be made."""
    where = f"cannot connect to '{address}'"
    if isinstance(error, ssl.SSLError):
        words, final = tls.failure(error, _OPTIONS)
        # A certificate may be another one tomorrow, but nobody sees a watch that waits for it.
        stays = final or isinstance(error, ssl.SSLCertVerificationError)
        return (ConnectionClosed if stays else ConnectionLost)(f"{where}: {words}")
    if isinstance(error, NoConnectionError):
        return ConnectionLost(f"{where}: {error}")
    words = error.strerror or str(error)
    return ConnectionLost(f"{where}: {words}: is the server running?")


def broken_off() -> NoConnectionError:
    """The other side ended the connection, and TLS had not come about."""
    return NoConnectionError(tls.broken_off(_OPTIONS))


def unwilling(said: bytes, *, secure: bool) -> NoConnectionError:
    """The other side does not speak HTTP/2, or ended the connection before it did.

    Args:
        said: what it said, or the first nine bytes of that.
        secure: over TLS.
    """
    if said.startswith(b"HTTP/1"):
        words = f"what answers there speaks HTTP/1, and no gRPC: {_PORT}"
    elif said.startswith(_ALERT) and not secure:
        words = "what answers there speaks TLS: give tls="
    elif said:
        words = f"what answers there speaks no gRPC: {_PORT}"
    elif secure:
        words = tls.maybe_certificate(_OPTIONS)
    else:
        words = f"it ended the connection without an answer: does it speak TLS (tls=), {_PORT}"
        words += " Or has it no room for one more?"
    return NoConnectionError(words)


def silent(*, secure: bool) -> str:
    """What it may mean that the other side says nothing: no TLS, or over it no HTTP/2."""
    return tls.no_tls(_OPTIONS) if secure else _PORT


def may_pass(error: RhtmxError) -> bool:
    """Whether the same call may succeed later."""
    if isinstance(error, ConnectionClosed):
        return isinstance(error, ConnectionLost)
    row = ERRORS.get(error.code)
    return error.retryable or (row is not None and row.close_code in RECONNECT_CLOSE_CODES)
