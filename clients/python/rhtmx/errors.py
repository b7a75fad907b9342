"""The one error type of the project.

Knows the error codes of the schema. Must not know how an error travels: the
wire turns it into an `error` message, gRPC into a status, a client raises it.
"""

from __future__ import annotations

from rhtmx.messages import ErrorCode

__all__ = ["ErrorCode", "RhtmxError"]


class RhtmxError(Exception):
    """Something that was asked for could not be done.

    Args:
        code: what kind of failure, one of the schema's codes.
        message: what was wrong, where, and what to do, in words for a person.
        request_id: the request that failed, where it had an id.
        seq: the mutation that failed, where it had a number.
        details: what the code adds, as one JSON value in UTF-8.
        retry_after: seconds to wait before the same is sent again, where that is known.

    Example:
        >>> raise RhtmxError(ErrorCode.UNKNOWN_FORM, "no form 'sign-up': is it registered?")
        Traceback (most recent call last):
        ...
        rhtmx.errors.RhtmxError: no form 'sign-up': is it registered?
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        request_id: str | None = None,
        seq: int | None = None,
        details: bytes | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.request_id = request_id
        self.seq = seq
        self.details = details
        self.retry_after = retry_after
