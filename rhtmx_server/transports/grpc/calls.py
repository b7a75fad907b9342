"""One call: in through the guards, out with a status, whatever happens.

Knows grpclib's streams and which of their failures mean that the peer is gone.
Must not know the methods.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar

from grpclib.exceptions import StreamTerminatedError
from grpclib.server import Stream
from h2.exceptions import ProtocolError

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.failures import unexpected
from rhtmx_server.transports.grpc.door import Door
from rhtmx_server.transports.grpc.errors import refuse
from rhtmx_server.transports.grpc.framing import GLUE

__all__ = ["Method", "answering", "receive", "receive_bytes", "receive_one"]

M = TypeVar("M")

_GONE = (StreamTerminatedError, ProtocolError)

Method: TypeAlias = Callable[[Door, Stream[Any, Any]], Awaitable[None]]
"""Answers one call."""


def answering(
    door: Door, name: str, method: Method
) -> Callable[[Stream[Any, Any]], Awaitable[None]]:
    """A method as grpclib's handler: its errors become statuses.

    Args:
        door: the server.
        name: of the method, as it appears in metrics.
        method: answers the call.
    """

    async def handle(stream: Stream[Any, Any]) -> None:
        try:
            error = await _outcome(door, name, method, stream)
            if error is not None:
                door.services.metrics.refused(error.code)
                await refuse(stream, error)
        except _GONE:
            stream._cancel_done = True  # nobody is there to take a status

    return handle


async def _outcome(
    door: Door, name: str, method: Method, stream: Stream[Any, Any]
) -> RhtmxError | None:
    try:
        door.enter(name)
        await method(door, stream)
    except RhtmxError as error:
        return error
    except _GONE:
        raise
    except Exception as failure:
        return unexpected(failure, f"answering {name}")
    return None


async def receive_bytes(stream: Stream[Any, Any]) -> bytes | None:
    """The next message as it arrived; `None` when the peer has said all.

    Raises:
        RhtmxError: `TOO_LARGE`, by the prefix, before anything is kept;
            `NOT_SUPPORTED` for a compressed one; `BAD_MESSAGE` for a part of one.
    """
    source = stream._stream
    prefix = await source.recv_data(5)
    if not prefix:
        return None
    if prefix[0]:
        raise RhtmxError(
            ErrorCode.NOT_SUPPORTED, "compressed messages are not taken: send them plain"
        )
    return await source.recv_data(int.from_bytes(prefix[1:], "big"))


async def receive(stream: Stream[Any, Any], kind: type[M]) -> M | None:
    """The next message of a stream; `None` when the peer has said all.

    Raises:
        RhtmxError: it cannot be understood, or not be taken.
    """
    data = await receive_bytes(stream)
    message: M | None = None if data is None else GLUE.decode(data, kind)
    return message


async def receive_one(stream: Stream[Any, Any], kind: type[M]) -> M:
    """The one message of a call.

    Raises:
        RhtmxError: it cannot be understood, or not be taken, or there is none.
    """
    message = await receive(stream, kind)
    if message is None:
        raise RhtmxError(ErrorCode.BAD_MESSAGE, f"one {kind.__name__} expected, got nothing")
    return message
