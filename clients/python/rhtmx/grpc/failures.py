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

from rhtmx.core import tls
from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages.tables import ERROR_CODE_VALUES, ERRORS, RECONNECT_CLOSE_CODES
from rhtmx.words import unknown

__all__ = ["CODE", "ConnectionLost", "may_pass", "refused", "unreachable"]

CODE = "rhtmx-code"
"""The trailer with the error code, as the socket spells it."""

_DETAILS = "rhtmx-details-bin"
_RETRY_AFTER = "rhtmx-retry-after"

_GONE = frozenset({Status.UNAVAILABLE, Status.CANCELLED})
"""What a call ends with that nobody refused: the server, or something before it, is not there."""

_SHARED = Counter(row.grpc_status for row in ERRORS.values())

_BY_STATUS = {
    **{row.grpc_status: code for code, row in ERRORS.items() if _SHARED[row.grpc_status] == 1},
    Status.PERMISSION_DENIED.value: ErrorCode.FORBIDDEN,
    Status.RESOURCE_EXHAUSTED.value: ErrorCode.TOO_MANY_REQUESTS,
}
"""Status → code, for a refusal that does not say its code, as of a proxy. Other
statuses that several codes share mean nothing by themselves."""

_OPTIONS = {
    "ca": "tls=Tls(ca=…)",
    "cert": "tls=Tls(cert=…)",
    "plain": "is it a port without TLS, for no tls=?",
}
"""How TLS is spoken of here."""


class ConnectionLost(ConnectionClosed):
    """There is no connection now; the next call makes a new one."""


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
    if isinstance(error, ssl.SSLError):
        words, _ = tls.failure(error, **_OPTIONS)
        # A certificate may be another one tomorrow, but nobody sees a watch that waits for it.
        stays = isinstance(error, ssl.SSLCertVerificationError)
        return (ConnectionClosed if stays else ConnectionLost)(
            f"cannot connect to '{address}': {words}"
        )
    words = error.strerror or str(error)
    return ConnectionLost(f"cannot connect to '{address}': {words}: is the server running?")


def may_pass(error: RhtmxError) -> bool:
    """Whether the same call may succeed later."""
    if isinstance(error, ConnectionClosed):
        return isinstance(error, ConnectionLost)
    row = ERRORS.get(error.code)
    return error.retryable or (row is not None and row.close_code in RECONNECT_CLOSE_CODES)
