"""The one error type of the project.

Knows the error codes of the schema. Must not know how an error travels: the
wire turns it into an `error` message, gRPC into a status, a client raises it.
"""

from __future__ import annotations

from rhtmx.messages import ErrorCode
from rhtmx.messages.tables import ERRORS
from rhtmx.unknown_enum_values import is_known

__all__ = ["ErrorCode", "RhtmxError"]


class RhtmxError(Exception):
    """Something that was asked for could not be done.

    Args:
        code: what kind of failure, one of the schema's codes. One that only a newer
            server knows is equal to `UNSPECIFIED`, and its `name` is the server's word.
        message: what was wrong, where, and what to do, in words for a person.
        request_id: the request that failed, where it had an id.
        seq: the mutation that failed, where it had a number.
        details: what the code adds, as one JSON value in UTF-8.
        retry_after: seconds to wait before the same is sent again, where that is known.
        retryable: the same may succeed later; what `code` means, if left out. Of a code
            that is not known, a time to wait says so.

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
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message if is_known(code) else f"{message} ({code.name})")
        row = ERRORS.get(code)
        if retryable is None:
            retryable = retry_after is not None if row is None else row.retryable
        self.retryable = retryable
        self.code = code
        self.message = message
        self.request_id = request_id
        self.seq = seq
        self.details = details
        self.retry_after = retry_after
