"""What the end of a connection means, and what the refusal of a write.

Knows close codes and error codes. Must not know the connection, nor the queue.
"""

from __future__ import annotations

import enum
import json

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Error
from rhtmx.messages.tables import ERRORS, FINAL_CLOSE_CODES
from rhtmx.unknown_enum_values import is_known

__all__ = [
    "ConnectionClosed",
    "Reaction",
    "busy",
    "closed_for_good",
    "names_type",
    "reaction_to",
    "reconnects",
    "refusal",
    "too_large",
    "typed_error",
]

_FINAL_STANDARD = frozenset({1002, 1003, 1007, 1008, 1009, 1010})
"""Standard codes after which the same client would only fail again: protocol
error, unsupported or inconsistent data, policy, too big, extension missing
(RFC 6455, section 7.4.1)."""

_BY_CLOSE_CODE = {row.close_code: code for code, row in ERRORS.items() if row.close_code}


class Reaction(enum.Enum):
    """What becomes of a write that was refused."""

    RETRY = "retry"
    """It used up no number: send it, and all after it, again after a while."""

    REAUTHENTICATE = "reauthenticate"
    """Keep it, and all after it, until there is a fresh token."""

    REORDER = "reorder"
    """The server does not have one before it: close the gap."""

    RENEW = "renew"
    """Its number was used for something else: give it a fresh one."""

    REJECT = "reject"
    """For good: the number is used up, and the next write goes on."""


_REACTIONS = {
    ErrorCode.UNAUTHENTICATED: Reaction.REAUTHENTICATE,
    ErrorCode.OUT_OF_ORDER: Reaction.REORDER,
    ErrorCode.SEQ_REUSED: Reaction.RENEW,
}


def reaction_to(error: RhtmxError) -> Reaction:
    """What becomes of a write that was refused with this error."""
    if error.retryable:
        return Reaction.RETRY
    return _REACTIONS.get(error.code, Reaction.REJECT)


_BUSY = frozenset({ErrorCode.RATE_LIMITED, ErrorCode.TOO_MANY_REQUESTS, ErrorCode.SHUTTING_DOWN})


def busy(error: RhtmxError) -> bool:
    """Whether a refusal is about the moment, not about what was asked: ask again after a while."""
    return error.code in _BUSY or (error.retryable and not is_known(error.code))


class ConnectionClosed(RhtmxError):  # noqa: N818 (the field's own word)
    """There is no connection, and there will be none.

    Raised by whatever waits on a client that was closed, could not connect in
    the first place, or was told by the server not to come back. `code` is
    `UNSPECIFIED` where the protocol has no code for the reason.

    Args:
        message: what happened, in words for a person.
        code: the reason, where the server gave one.
        close_code: the WebSocket close code, where there was one.
    """

    def __init__(
        self,
        message: str,
        *,
        code: ErrorCode = ErrorCode.UNSPECIFIED,
        close_code: int | None = None,
    ) -> None:
        super().__init__(code, message)
        self.close_code = close_code


def reconnects(close_code: int | None) -> bool:
    """Whether to connect again after a close code; `None`: the connection just broke."""
    if close_code is None:
        return True
    return close_code not in FINAL_CLOSE_CODES and close_code not in _FINAL_STANDARD


def closed_for_good(close_code: int, reason: str, last: RhtmxError | None) -> ConnectionClosed:
    """The error for everything that waits when a connection ended for good.

    Args:
        close_code: the WebSocket close code.
        reason: the words beside it; may be empty.
        last: the last error that answered no request: it often says more.
    """
    code = _BY_CLOSE_CODE.get(close_code, ErrorCode.UNSPECIFIED)
    name = f" {ERRORS[code].spelling}" if code in ERRORS else ""
    words = last.message if last is not None and last.code is code else reason
    message = f"the server closed the connection for good ({close_code}{name})"
    return ConnectionClosed(
        f"{message}: {words}" if words else message, code=code, close_code=close_code
    )


def refusal(error: RhtmxError) -> RhtmxError | None:
    """What a refused `hello` means: the end, or the error itself if it may be tried again.

    `None`: only a newer client knows. The close code, which comes next, says it.
    """
    row = ERRORS.get(error.code)
    if error.retryable or (row is not None and row.close_code and reconnects(row.close_code)):
        return error  # `internal`, too: a function of the app may fail for a moment
    if not is_known(error.code):
        return None
    return ConnectionClosed(f"the server refused this client: {error.message}", code=error.code)


def too_large(size: int, most: int) -> RhtmxError:
    """The refusal of a message that the server would not take.

    Args:
        size: its bytes.
        most: the bytes that the server takes.
    """
    words = f"a message of at most {most} bytes expected, this has {size}: split it"
    return RhtmxError(ErrorCode.TOO_LARGE, words)


def names_type(error: RhtmxError) -> bool:
    """Whether an error says what it is about: an ephemeral message, which has no `request_id`."""
    details = json.loads(error.details or b"null")
    return isinstance(details, dict) and "type" in details


def typed_error(message: Error) -> RhtmxError:
    """The exception that an `error` message stands for."""
    return RhtmxError(
        message.code if message.code is not None else ErrorCode.UNSPECIFIED,
        message.message,
        request_id=message.request_id,
        seq=message.seq,
        details=message.details,
        retry_after=None if message.retry_after is None else message.retry_after / 1000,
        retryable=message.retryable,
    )
