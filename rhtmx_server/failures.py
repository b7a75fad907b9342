"""From failures to the `error` messages that report them.

Knows the error codes. Must not know requests beyond the ids they carry, nor
let anything of an unexpected exception out but an id to look for in the log.
"""

from __future__ import annotations

import logging
import math
import secrets
import traceback
from collections.abc import Callable

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Error
from rhtmx.messages.tables import ERRORS

__all__ = ["error_message", "known", "place", "unexpected"]

log = logging.getLogger("rhtmx_server")

_FRAMES_LOGGED = 5


def error_message(error: RhtmxError, request: object = None) -> Error:
    """The `error` that answers a request.

    Args:
        error: what went wrong.
        request: what it answers; its `request_id` and `seq` come back.
    """
    request_id = error.request_id
    if request_id is None:
        request_id = getattr(request, "request_id", None)
    seq = error.seq if error.seq is not None else getattr(request, "seq", None)
    wait = None if error.retry_after is None else math.ceil(error.retry_after * 1000)
    return Error(
        message=error.message,
        code=error.code,
        request_id=request_id,
        seq=seq,
        retryable=ERRORS[error.code].retryable or None,
        details=error.details,
        retry_after=wait,
    )


def unexpected(
    failure: BaseException,
    doing: str,
    *,
    told: str | None = None,
    new_id: Callable[[], str] = lambda: secrets.token_hex(6),
) -> RhtmxError:
    """Log a failure that nobody foresaw, and make what the client is told of it.

    Args:
        failure: the exception.
        doing: what the server was at, for the log.
        told: what the log says of it, where that is known to hold no payload.
        new_id: makes the id under which the log has it.
    """
    correlation = new_id()
    log.error("%s failed, correlation id %s: %s", doing, correlation, told or place(failure))
    return RhtmxError(
        ErrorCode.INTERNAL,
        f"the server failed; its log has it under {correlation}",
        details=b'{"correlation_id":"%s"}' % correlation.encode(),
    )


def known(failure: Exception, doing: str) -> RhtmxError:
    """Return an error as it is, and what stands for any other exception (`unexpected`)."""
    return failure if isinstance(failure, RhtmxError) else unexpected(failure, doing)


def place(failure: BaseException) -> str:
    """Type and place of a failure, without its text: that may hold what a user entered."""
    frames = traceback.extract_tb(failure.__traceback__)[-_FRAMES_LOGGED:]
    places = " < ".join(f"{f.filename}:{f.lineno} in {f.name}" for f in reversed(frames))
    return f"{type(failure).__name__} at {places}"
