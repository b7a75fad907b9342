"""From failures to the `error` messages that report them, and back.

Knows the error codes. Must not know requests beyond the ids they carry, nor
let anything of an unexpected exception out but an id to look for in the log.

The log has the traceback of a failure, with the lines of source. What exceptions
say themselves may hold what a user entered: it is left out, unless the level is
`debug`.
"""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import math
import secrets
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Error, Subscribe, SubscribeFields
from rhtmx.messages.tables import EPHEMERAL, ERRORS, NAMES

__all__ = [
    "MisuseError",
    "WrongLoopError",
    "error_message",
    "known",
    "listening",
    "place",
    "quiet",
    "raise_if_error",
    "report",
    "stopping",
    "unexpected",
]

log = logging.getLogger("rhtmx_server")

_listeners: list[Callable[[BaseException, str], None]] = []

_FRAMES_LOGGED = 5
_LONGEST_CHAIN = 8
_LEFT_OUT = "(its text may hold what a user entered: log level debug shows it)"


class MisuseError(Exception):
    """A function of the program broke its contract; the text is ours, so it may be logged."""


class WrongLoopError(RhtmxError):
    """`NOT_SUPPORTED`: something was called on another event loop than the server's.

    Args:
        message: what to do instead.
    """

    def __init__(self, message: str) -> None:
        super().__init__(ErrorCode.NOT_SUPPORTED, message)


def error_message(error: RhtmxError, request: object = None) -> Error:
    """The `error` that answers a request.

    Args:
        error: what went wrong.
        request: what it answers; its `request_id` and `seq` come back. What has neither is
            named in the details: the entity of a subscription, the type of what is ephemeral.
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
        details=_details(error, request),
        retry_after=wait,
    )


def raise_if_error(message: object) -> None:
    """Turn an `error` message into the exception that it came from.

    Raises:
        RhtmxError: it is an error.
    """
    if isinstance(message, Error):
        raise RhtmxError(
            message.code or ErrorCode.INTERNAL,
            message.message,
            seq=message.seq,
            details=message.details,
            retry_after=None if message.retry_after is None else message.retry_after / 1000,
        )


def _details(error: RhtmxError, request: object) -> bytes | None:
    kind: Any = type(request)
    if kind in EPHEMERAL:  # always: a client takes an error without it for a subscription's
        about = {**json.loads(error.details or b"{}"), "type": NAMES[kind]}
        return json.dumps(about).encode()
    return _subscribed(request) if error.details is None else error.details


def _subscribed(request: object) -> bytes | None:
    """Which subscription a client has to take for refused."""
    if not isinstance(request, Subscribe | SubscribeFields) or len(request.entities) != 1:
        return None
    entity = request.entities[0]
    about: dict[str, object] = {"entity": entity}
    if request.where is not None:
        # As it came: it may be what is wrong. A client knows by it which of several parts it is.
        where = json.loads(request.where)
        if isinstance(where, dict) and entity in where:
            about["where"] = where[entity]
    return json.dumps(about).encode()


def unexpected(
    failure: BaseException,
    doing: str,
    *,
    new_id: Callable[[], str] = lambda: secrets.token_hex(6),
) -> RhtmxError:
    """Log a failure that nobody foresaw, and make what the client is told of it.

    Args:
        failure: the exception.
        doing: what the server was at, for the log.
        new_id: makes the id under which the log has it.
    """
    correlation = new_id()
    report(failure, f"{doing} failed, correlation id {correlation}")
    return RhtmxError(
        ErrorCode.INTERNAL,
        f"the server failed; its log has it under {correlation}",
        details=b'{"correlation_id":"%s"}' % correlation.encode(),
    )


def report(failure: BaseException, what: str) -> None:
    """Log a failure with its traceback, and tell whoever listens (`listening`).

    Args:
        failure: the exception.
        what: what failed.
    """
    for listen in tuple(_listeners):
        listen(failure, what)
    if isinstance(failure, MisuseError):
        log.error("%s: %s", what, failure)
    else:
        told = failure if log.isEnabledFor(logging.DEBUG) else quiet(failure)
        log.error("%s: %s", what, type(failure).__name__, exc_info=told)


@contextlib.contextmanager
def listening(listener: Callable[[BaseException, str], None]) -> Iterator[None]:
    """Be told of each failure that is reported in this process meanwhile: for tests.

    Args:
        listener: takes the exception, and what failed. May be called in any thread.
    """
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def stopping() -> RhtmxError:
    """What everybody is told whom the server sends away because it stops."""
    return RhtmxError(ErrorCode.SHUTTING_DOWN, "the server is stopping")


def known(failure: Exception, doing: str) -> RhtmxError:
    """Return an error as it is, and what stands for any other exception (`unexpected`)."""
    return failure if isinstance(failure, RhtmxError) else unexpected(failure, doing)


def place(failure: BaseException) -> str:
    """Type and place of a failure, without its text: that may hold what a user entered."""
    frames = traceback.extract_tb(failure.__traceback__)[-_FRAMES_LOGGED:]
    places = " < ".join(f"{f.filename}:{f.lineno} in {f.name}" for f in reversed(frames))
    return f"{type(failure).__name__} at {places}"


def quiet(failure: BaseException) -> BaseException:
    """Return an exception whose traceback is that of `failure`, and that says nothing itself.

    It has the type's name, the frames, and what led to it or is in it (`raise …
    from`, a failure while handling another, a group), each without its words.
    """
    return _quiet(failure, {}, _LONGEST_CHAIN)


def _quiet(failure: BaseException, made: dict[int, BaseException], depth: int) -> BaseException:
    if (known := made.get(id(failure))) is not None:
        return known  # `raise … from` names its cause as the context, too
    kind = type(failure)
    stand_in: BaseException
    if isinstance(failure, BaseExceptionGroup) and depth:
        parts = [_quiet(each, made, depth - 1) for each in failure.exceptions[:_LONGEST_CHAIN]]
        stand_in = _silent(kind.__module__, kind.__qualname__, True)(_LEFT_OUT, parts)
    else:
        stand_in = _silent(kind.__module__, kind.__qualname__, False)(_LEFT_OUT)
    made[id(failure)] = stand_in
    # Frames are no words: they say where, and hold no value that the log would print.
    stand_in.__traceback__ = failure.__traceback__
    if depth and failure.__cause__ is not None:
        stand_in.__cause__ = _quiet(failure.__cause__, made, depth - 1)
    if depth and failure.__context__ is not None:
        stand_in.__context__ = _quiet(failure.__context__, made, depth - 1)
    stand_in.__suppress_context__ = failure.__suppress_context__  # naming a cause has set it
    return stand_in


@functools.lru_cache(maxsize=128)
def _silent(module: str, name: str, group: bool) -> Any:
    """Return a class that is called as another one, and prints what it is given.

    Made once for each: a class is work for the garbage collector.
    """
    base = BaseExceptionGroup if group else Exception
    return type(name.rpartition(".")[2], (base,), {"__module__": module, "__qualname__": name})
