"""One call: in through the guards, out with an answer or a status, whatever happens.

Knows grpclib's streams and which of their failures mean that the peer is gone.
Must not know the methods.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias, TypeVar, cast

from grpclib.exceptions import StreamTerminatedError
from grpclib.server import Stream
from h2.exceptions import ProtocolError

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.failures import unexpected
from rhtmx_server.transports.grpc.door import Door
from rhtmx_server.transports.grpc.errors import cut_short, refuse, stopped_reading
from rhtmx_server.transports.grpc.framing import GLUE, prefixed
from rhtmx_server.transports.grpc.guards import GuardedConnection, GuardedStream
from rhtmx_server.transports.grpc.headroom import Headroom

__all__ = [
    "GrpcMethod",
    "answer",
    "answered",
    "answering",
    "connection_of",
    "h2_stream",
    "kept",
    "opened",
    "patience",
    "receive",
    "receive_bytes",
    "receive_one",
    "send",
]

M = TypeVar("M")

_PIECE = 16 * 1024
"""Bytes that a slow peer has to take in its time."""

_GONE = (StreamTerminatedError, ProtocolError)

GrpcMethod: TypeAlias = Callable[[Door, Stream[Any, Any]], Awaitable[None]]
"""Answers one call."""


def answering(
    door: Door, name: str, method: GrpcMethod
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
    door: Door, name: str, method: GrpcMethod, stream: Stream[Any, Any]
) -> RhtmxError | None:
    try:
        door.enter(name)
        _allowed(stream)
        await method(door, stream)
    except RhtmxError as error:
        return error
    except _GONE:
        raise
    except asyncio.CancelledError:
        ended = door.cut()
        if ended is None:
            raise
        return ended
    except Exception as failure:
        return unexpected(failure, f"answering {name}")
    return None


def _allowed(stream: Stream[Any, Any]) -> None:
    """Refuse a call where there were too many.

    Raises:
        RhtmxError: `RATE_LIMITED`, with the time to wait.
    """
    calls = connection_of(stream).limits.calls
    if not calls.take():
        raise RhtmxError(
            ErrorCode.RATE_LIMITED,
            "more calls a second than the server takes on one connection: wait for `retry_after`",
            retry_after=calls.wait(),
        )


def connection_of(stream: Stream[Any, Any]) -> GuardedConnection:
    """What all calls of one peer share: its limits, and the room for what it is sent."""
    return h2_stream(stream).connection


def h2_stream(stream: Stream[Any, Any]) -> GuardedStream:
    """What grpclib keeps to itself: the stream knows its window."""
    # `GuardedProtocol` has grpclib make no others.
    return cast("GuardedStream", stream._stream)


def answered(stream: Stream[Any, Any]) -> None:
    """Have grpclib end the call with the status `OK`: its one answer was sent past it."""
    stream._send_message_done = True


async def opened(door: Door, stream: Stream[Any, Any]) -> None:
    """Wait until the peer takes something: nothing is read before.

    Raises:
        RhtmxError: `STALLED`, it does not.
    """
    async with patience(door):
        await h2_stream(stream).opened()


async def answer(door: Door, stream: Stream[Any, Any], message: Any) -> None:
    """Send the one answer of a call.

    Raises:
        RhtmxError: `STALLED`, the peer does not take it, or has left as much as may
            wait in other answers.
    """
    room = connection_of(stream).answers
    # Asked before it is kept: an answer never counts against itself.
    full, data = room.full, kept(room, message)
    if full and h2_stream(stream).window() < len(data):
        room.drop(len(data))
        raise stalled(door)
    await send(door, stream, data, room)
    answered(stream)


def kept(room: Headroom, *messages: Any) -> bytes:
    """Messages with their prefixes, ready to be sent, and counted."""
    data = b"".join([prefixed(GLUE.encode(each, type(each))) for each in messages])
    room.keep(len(data))
    return data


async def send(door: Door, stream: Stream[Any, Any], data: bytes, room: Headroom) -> None:
    """Send messages with their prefixes, as long as the peer goes on taking them.

    Args:
        door: the server.
        stream: the call.
        data: the messages.
        room: where they are counted; not any more, however this ends.

    Raises:
        RhtmxError: `STALLED`, it does not.
    """
    left = len(data)
    try:
        if h2_stream(stream).fits(data):  # as nearly every answer does: no timers are needed
            if not stream._send_initial_metadata_done:
                await stream.send_initial_metadata()
            h2_stream(stream).send_now(data)
            return
        if not stream._send_initial_metadata_done:
            async with patience(door):
                await stream.send_initial_metadata()
        for start in range(0, len(data), _PIECE):
            piece = data[start : start + _PIECE]
            async with patience(door):
                await h2_stream(stream).send_data(piece)
            left -= len(piece)
            room.free(len(piece))
    finally:
        room.drop(left)


def stalled(door: Door) -> RhtmxError:
    """Give up on a peer that takes nothing."""
    door.services.metrics.stalled.inc()
    return stopped_reading()


@contextlib.asynccontextmanager
async def patience(door: Door) -> AsyncIterator[None]:
    """Give the peer its time to take what is sent in here.

    Raises:
        RhtmxError: `STALLED`, it did not.
    """
    try:
        async with asyncio.timeout(door.services.config.stall_timeout):
            yield
    except TimeoutError:
        raise stalled(door) from None


async def receive_bytes(stream: Stream[Any, Any]) -> bytes | None:
    """The next message as it arrived; `None` when the peer has said all.

    Raises:
        RhtmxError: `TOO_LARGE`, by the prefix, before anything is kept;
            `NOT_SUPPORTED` for a compressed one; `BAD_MESSAGE` for a part of one.
    """
    source = h2_stream(stream)
    prefix = await source.recv_data(5)
    if not prefix:
        return None
    if prefix[0]:
        raise RhtmxError(
            ErrorCode.NOT_SUPPORTED, "compressed messages are not taken: send them plain"
        )
    size = int.from_bytes(prefix[1:], "big")
    data = await source.recv_data(size)
    if len(data) < size:
        raise cut_short()
    return data


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
