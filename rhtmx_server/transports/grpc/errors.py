"""Errors on their way out: a status by the one table, code and details in trailers.

Knows `RhtmxError` and gRPC's trailers. Must not know what failed.

================== ==========================================================
trailer            what it holds
================== ==========================================================
`grpc-status`      the status of the code, by the schema's table
`grpc-message`     the error's message
`rhtmx-code`       the code as it is spelled on the socket
`rhtmx-details-bin`  the details, JSON in UTF-8, up to `MAX_DETAILS`; of violations the first
`rhtmx-retry-after`  milliseconds to wait before the same is sent again, where that is known
`rhtmx-details-size` their size, where they are larger and so left out
`grpc-status-details-bin`  the violations of a record, as `buf.validate.Violations`
================== ==========================================================
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from grpclib.const import Status
from grpclib.server import Stream

from rhtmx.errors import (
    ErrorCode,
    RhtmxError,
    Violation,
    first_violations,
    violation_details,
)
from rhtmx.messages.tables import ERRORS
from rhtmx_server.transports.grpc.status_details import MAX_STATUS_DETAILS, encode_status

__all__ = [
    "MAX_DETAILS",
    "cut_short",
    "ended_by",
    "refuse",
    "status_of",
    "stopped_reading",
    "trailers",
]

MAX_DETAILS = 3072
"""Bytes of details in a trailer. Clients take 8 KiB of trailers in all and turn
what is larger into an error of their own."""

_MAX_MESSAGE = 1024

_BY_CLOSE_CODE = {row.close_code: code for code, row in ERRORS.items() if row.close_code}


def status_of(code: ErrorCode) -> Status:
    """The gRPC status of an error code."""
    return Status(ERRORS[code].grpc_status)


def ended_by(close_code: int, reason: str) -> RhtmxError:
    """The error whose close code ended a connection.

    Example:
        >>> ended_by(4000, "the server is stopping").code.name
        'SHUTTING_DOWN'
    """
    return RhtmxError(_BY_CLOSE_CODE.get(close_code, ErrorCode.INTERNAL), reason)


def stopped_reading() -> RhtmxError:
    """Why a call ends whose peer does not take what it is sent."""
    return RhtmxError(ErrorCode.STALLED, "the client has stopped reading")


def cut_short() -> RhtmxError:
    """Why a call ends whose peer has said the half of a message."""
    return RhtmxError(ErrorCode.BAD_MESSAGE, "the stream ended in the middle of a message")


def trailers(error: RhtmxError) -> dict[str, str | bytes]:
    """What an error says beyond status and message."""
    added: dict[str, str | bytes] = {"rhtmx-code": ERRORS[error.code].spelling}
    if error.retry_after is not None:
        added["rhtmx-retry-after"] = str(math.ceil(error.retry_after * 1000))
    if error.details is not None:
        # Left out, not cut: half a JSON text is none. Of violations some are a whole.
        details = _fitting(error.details, error.violations)
        if len(details) <= MAX_DETAILS:
            added["rhtmx-details-bin"] = details
        else:
            added["rhtmx-details-size"] = str(len(error.details))
    return added


def _fitting(details: bytes, violations: Sequence[Violation]) -> bytes:
    """Details with so many violations as there is room for."""
    if len(details) <= MAX_DETAILS or not violations or violations[0].write is not None:
        return details
    some = _first(violations, lambda some: len(_encoded(some)) <= MAX_DETAILS)
    return _encoded(some) if some else details


def _encoded(violations: Sequence[Violation]) -> bytes:
    return msgspec.json.encode(violation_details(violations))


def _first(
    violations: Sequence[Violation], fits: Callable[[Sequence[Violation]], bool]
) -> list[Violation]:
    """The first violations for which there is room; none, if that is so for none."""
    some = first_violations(violations, fits)
    return some if len(some) > 1 or some == list(violations) else []


async def refuse(stream: Stream[Any, Any], error: RhtmxError) -> None:
    """End a call with an error."""
    status, message = status_of(error.code), error.message[:_MAX_MESSAGE]
    violations: Sequence[Violation] = error.violations
    if violations:
        violations = _first(
            violations,
            lambda some: len(encode_status(status.value, message, some)) <= MAX_STATUS_DETAILS,
        )
    await stream.send_trailing_metadata(
        status=status,
        status_message=message,
        status_details=violations or None,
        metadata=trailers(error),
    )
