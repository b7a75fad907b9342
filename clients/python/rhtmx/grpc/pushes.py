"""Many writes with many in flight.

Knows the call that carries them both ways. Must not know how a line connects. The
flow control of the connection bounds what is in flight.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable
from contextlib import aclosing
from dataclasses import dataclass

from grpclib.client import Stream
from grpclib.const import Cardinality
from grpclib.exceptions import StreamTerminatedError
from grpclib.stream import recv_message

from rhtmx import calls
from rhtmx.grpc.call import Call, Limit
from rhtmx.grpc.line import Line
from rhtmx.jsonvalue import Json
from rhtmx.messages import Push, PushAck
from rhtmx.results import PushResult

__all__ = ["ROUTE", "Delete", "Many", "Write", "push_many"]

ROUTE = "/rhtmx.v1.Trackers/PushMany"

_PAUSE = 64
"""After so many writes everyone else on the loop has a turn, whatever they come from."""


@dataclass(frozen=True, slots=True)
class Write:
    """One write of many; see `Backend.push`."""

    entity: str
    entity_id: str
    data: Json
    base_version: int | None = None
    seq: int | None = None

    def message(self) -> Push:
        """What is sent."""
        push = calls.push(self.entity, self.entity_id, self.data, self.base_version)
        push.seq = self.seq
        return push


@dataclass(frozen=True, slots=True)
class Delete:
    """One delete of many; see `Backend.delete`."""

    entity: str
    entity_id: str
    base_version: int | None = None
    seq: int | None = None

    def message(self) -> Push:
        """What is sent."""
        push = calls.push_delete(self.entity, self.entity_id, self.base_version)
        push.seq = self.seq
        return push


Many = AsyncIterable[Write | Delete] | Iterable[Write | Delete]
"""Many writes; it need not have all of them at once."""


async def push_many(
    line: Line, writes: Many, limit: Limit | None
) -> AsyncGenerator[PushResult, None]:
    """Send all writes; yields their results, in order."""
    pushes = _Pushes(writes)
    async with aclosing(line.stream(pushes.call, limit)) as acks:
        async for ack in acks:
            yield PushResult.of(ack)
    if pushes.error is not None:
        raise pushes.error


class _Pushes:
    """Sends what an iterable gives, until it ends or fails.

    If it fails, what was given before is still written and answered; then `error`
    says why.
    """

    def __init__(self, writes: Many) -> None:
        self._writes = writes
        self.error: Exception | None = None

    async def call(self, call: Call) -> AsyncIterator[PushAck]:
        """Send and receive at the same time."""
        request: Stream[Push, PushAck] = call.request(
            ROUTE,
            Cardinality.STREAM_STREAM,
            Push,
            PushAck,
            deadline=call.deadline,
            metadata=call.metadata,
        )
        async with request as stream:
            await stream.send_request()
            sending = asyncio.create_task(self._send(stream))
            try:
                async for ack in stream:
                    yield ack
                if not sending.done():
                    # Takes the status from the trailers, if they have one.
                    raise StreamTerminatedError("the server ended the stream before the client")
            except StreamTerminatedError:
                # A refusal, and grpclib drops the answers that came before it.
                inner = stream._stream
                while inner.trailers is not None:
                    left = await recv_message(inner, stream._codec, PushAck)
                    if left is None:
                        break
                    yield left
                raise
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)

    async def _send(self, stream: Stream[Push, PushAck]) -> None:
        sent = 0
        messages = self._messages()
        async with aclosing(messages):
            async for message in messages:
                await stream.send_message(message)
                sent += 1
                if sent % _PAUSE == 0:
                    await asyncio.sleep(0)
        await stream.end()

    async def _messages(self) -> AsyncGenerator[Push, None]:
        try:
            if isinstance(self._writes, AsyncIterable):
                async for write in self._writes:
                    yield write.message()
            else:
                for write in self._writes:
                    yield write.message()
        except Exception as error:
            self.error = error
