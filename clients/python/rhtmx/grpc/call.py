"""One call: its deadline, the task that it runs in, and what it means if it fails.

Knows grpclib's streams, deadlines and failures, and the loop. Must not know what is read,
written or asked, nor how the channel came about.

A call runs in a task of its own: grpclib wakes who waits for a call that ended by
cancelling the task, more than once if it ended in several ways, and that cannot be told
from a wish to end the task. So the task is never a user's.

How a call with many answers goes, state and event → state:

=========  ===================  ==============  ============  ====================
state      a message            one was taken   the end       whoever reads closes
=========  ===================  ==============  ============  ====================
reading    reading; full, if    reading         ended         ended
           `AHEAD` wait
full                            reading                       ended
ended                           ended, until
                                none waits
=========  ===================  ==============  ============  ====================
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, cast

from grpclib.client import Channel, Stream
from grpclib.const import Status
from grpclib.exceptions import GRPCError, StreamTerminatedError
from grpclib.metadata import Deadline, decode_grpc_message, decode_metadata
from grpclib.protocol import Stream as ConnectionStream

from rhtmx.grpc.failures import CODE, ConnectionLost, refused
from rhtmx.messages.rhtmx.v1 import TrackersStub

__all__ = ["AHEAD", "Call", "Limit", "answer_of", "connection_stream", "messages_of"]


@dataclass(frozen=True, slots=True)
class Limit:
    """Until when a call has to be answered.

    Args:
        seconds: as the user said it.
        deadline: the moment that this means.
    """

    seconds: float
    deadline: Deadline

    @classmethod
    def of(cls, timeout: float | None) -> Self | None:
        """The limit that begins now; `None` for none."""
        return None if timeout is None else cls(timeout, Deadline.from_timeout(timeout))

    @property
    def left(self) -> float:
        """Seconds until it is reached."""
        return self.deadline.time_remaining()

    def passed(self, address: str) -> TimeoutError:
        """The exception for whoever waited that long."""
        return TimeoutError(f"no answer from '{address}' within {self.seconds:g} s")


class Call:
    """A call on a channel. As a context, it turns grpclib's failures into our own.

    The stub takes it for its channel, so that the stream, and with it the
    trailers of a failure, is at hand.

    Args:
        channel: the real one.
        address: whom it is for.
        limit: until when.
        metadata: sent with it.
    """

    def __init__(
        self, channel: Channel, address: str, limit: Limit | None, metadata: Mapping[str, str]
    ) -> None:
        self._channel = channel
        self._address = address
        self._limit = limit
        self._stream: Stream[Any, Any] | None = None
        self.deadline = None if limit is None else limit.deadline
        self.metadata = metadata
        self.stub = TrackersStub(
            cast("Channel", self), deadline=self.deadline, metadata=self.metadata
        )

    def request(self, *args: Any, **options: Any) -> Stream[Any, Any]:
        """Make the stream, as a channel does."""
        self._stream = self._channel.request(*args, **options)
        return self._stream

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, AssertionError) and self._stream is not None:
            error = self._cut_short()
        if isinstance(error, GRPCError | StreamTerminatedError | OSError):
            raise self._meaning(error) from error

    def _cut_short(self) -> GRPCError | StreamTerminatedError:
        """What it means that a stream ended within a message: grpclib 0.4.9 takes it for a bug."""
        assert self._stream is not None
        inner = connection_stream(self._stream)
        ended = dict((inner and inner.trailers) or ())
        status, message = ended.get("grpc-status"), ended.get("grpc-message")
        if status is None:
            return StreamTerminatedError("it ended in the middle of a message")
        return GRPCError(Status(int(status)), message and decode_grpc_message(message))

    def _meaning(self, error: GRPCError | StreamTerminatedError | OSError) -> Exception:
        trailers = self._trailers()
        if self._limit is not None and (self._late(error, trailers) or not self._limit.left):
            return self._limit.passed(self._address)
        if isinstance(error, GRPCError):
            return refused(error, trailers, self._address)
        return ConnectionLost(f"the connection to '{self._address}' was lost: {error}")

    def _late(self, error: Exception, trailers: Mapping[str, str | bytes]) -> bool:
        """Whether it is about the deadline: the server's clock may see it first."""
        if isinstance(error, GRPCError):
            return error.status is Status.DEADLINE_EXCEEDED and CODE not in trailers
        return isinstance(error, TimeoutError)

    def _trailers(self) -> Mapping[str, str | bytes]:
        if self._stream is None:
            return {}
        if self._stream.trailing_metadata is not None:
            return self._stream.trailing_metadata
        # After a reset grpclib takes the status from the trailers, and nothing else.
        inner = connection_stream(self._stream)
        return decode_metadata(() if inner is None else inner.trailers or ())


def connection_stream(stream: Stream[Any, Any]) -> ConnectionStream | None:
    """The stream of the HTTP/2 connection under one of grpclib's; `None` before it is sent.

    It holds what grpclib 0.4.9 drops where a stream is reset: trailers, and messages that
    were not read yet. There is no public name for it.
    """
    inner: ConnectionStream | None = getattr(stream, "_stream", None)
    return inner


T = TypeVar("T")

AHEAD = 16
"""How many messages may be read before they are taken; the rest waits at the server."""


async def answer_of(call: Call, send: Callable[[TrackersStub], Awaitable[T]]) -> T:
    """The one answer of a call.

    Args:
        call: the call.
        send: makes it on a stub.
    """
    task = asyncio.current_task()
    cancels = task.cancelling() if task is not None else 0
    asked = asyncio.create_task(_translated(call, send))
    try:
        return await asked
    finally:
        # Cancelled in the very moment in which the call ended: the wish counts.
        if task is not None and task.cancelling() > cancels:
            raise asyncio.CancelledError


async def _translated(call: Call, send: Callable[[TrackersStub], Awaitable[T]]) -> T:
    with call:
        return await send(call.stub)


def messages_of(call: Call, source: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """The messages of a call. To close the generator is to end the call."""
    return _CallTask(call, source).messages()


class _CallTask(Generic[T]):
    """A call with many answers; see the table above."""

    def __init__(self, call: Call, source: AsyncIterator[T]) -> None:
        self._call = call
        self._source = cast("AsyncGenerator[T, None]", source)
        self._waiting: deque[T] = deque()
        self._error: Exception | None = None
        self._ended = False
        self._news = asyncio.Event()
        self._room = asyncio.Event()

    async def messages(self) -> AsyncGenerator[T, None]:
        pumping = asyncio.create_task(self._pump())
        try:
            while True:
                while self._waiting:
                    message = self._waiting.popleft()
                    self._room.set()
                    yield message
                if self._ended:
                    break
                self._news.clear()
                await self._news.wait()
        finally:
            pumping.cancel()
            await asyncio.gather(pumping, return_exceptions=True)
        if self._error is not None:
            raise self._error

    async def _pump(self) -> None:
        try:
            with self._call:
                async with aclosing(self._source) as source:
                    async for message in source:
                        self._waiting.append(message)
                        self._news.set()
                        while len(self._waiting) >= AHEAD:
                            self._room.clear()
                            await self._room.wait()
        except Exception as error:
            self._error = error
        finally:
            self._ended = True
            self._news.set()
