"""Many writes with many in flight.

Knows the call that carries them both ways. Must not know how it connects. The
flow control of the connection bounds what is in flight.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import TypeAlias

from grpclib.client import Stream
from grpclib.const import Cardinality
from grpclib.exceptions import StreamTerminatedError
from grpclib.stream import recv_message

from rhtmx import messages
from rhtmx.core import build_message
from rhtmx.core.error_policy import typed_error
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.grpc.call import Call, Limit, connection_stream
from rhtmx.grpc.call_factory import CallFactory
from rhtmx.grpc.codec import GrpcCodec
from rhtmx.values.json_value import Json
from rhtmx.wire.check_outgoing import check_integer

__all__ = ["ROUTE", "Delete", "Many", "PushOutcome", "Write", "push_many"]

ROUTE = "/rhtmx.v1.Trackers/PushEach"

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

    def message(self) -> messages.Push:
        """What is sent."""
        return build_message.push(
            self.entity, self.entity_id, self.data, self.base_version, self.seq
        )


@dataclass(frozen=True, slots=True)
class Delete:
    """One delete of many; see `Backend.delete`."""

    entity: str
    entity_id: str
    base_version: int | None = None
    seq: int | None = None

    def message(self) -> messages.Push:
        """What is sent."""
        return build_message.push_delete(self.entity, self.entity_id, self.base_version, self.seq)


@dataclass(frozen=True, slots=True)
class PushOutcome:
    """What became of one write of many.

    Attributes:
        write: the write, as it was given.
        version: the version that the record got; `None` if it was refused.
        duplicate: it had arrived before, and the answer had been lost.
        error: why it was refused, and nothing of it was written; `None` if it is durable.
    """

    write: Write | Delete
    version: int | None
    duplicate: bool
    error: RhtmxError | None

    @property
    def entity(self) -> str:
        """The collection."""
        return self.write.entity

    @property
    def entity_id(self) -> str:
        """The record."""
        return self.write.entity_id

    @classmethod
    def of(cls, write: Write | Delete, message: messages.PushOutcome) -> PushOutcome:
        """Make it from the write and the server's message."""
        ack = message.ack
        if ack is not None:
            return cls(write, ack.version, bool(ack.duplicate), None)
        if message.error is not None:
            return cls(write, None, False, typed_error(message.error))
        words = "the server said something of this write that this client does not understand"
        return cls(write, None, False, RhtmxError(ErrorCode.UNSPECIFIED, words))


Many = AsyncIterable[Write | Delete] | Iterable[Write | Delete]
"""Many writes; it need not have all of them at once."""


async def push_many(
    calls: CallFactory, writes: Many, limit: Limit | None
) -> AsyncGenerator[PushOutcome, None]:
    """Send all writes; yields what became of each, in order."""
    pushes = _Pushes(writes)
    async with aclosing(calls.stream(pushes.call, limit)) as outcomes:
        async for outcome in outcomes:
            write, refusal = pushes.sent.popleft()
            if refusal is None:
                yield PushOutcome.of(write, outcome)
            else:
                yield PushOutcome(write, None, False, refusal)
    if pushes.error is not None:
        raise pushes.error


class _Pushes:
    """Sends what an iterable gives, until it ends or fails.

    If it fails, what was given before is still written and answered; then `error`
    says why.

    Attributes:
        sent: writes whose outcome is due, in order; and why they are refused, if they
            cannot be sent.
    """

    def __init__(self, writes: Many) -> None:
        self._writes = writes
        self.sent: deque[tuple[Write | Delete, RhtmxError | None]] = deque()
        self.error: Exception | None = None

    async def call(self, call: Call) -> AsyncIterator[messages.PushOutcome]:
        """Send and receive at the same time."""
        request: Stream[messages.Push, messages.PushOutcome] = call.request(
            ROUTE,
            Cardinality.STREAM_STREAM,
            messages.Push,
            messages.PushOutcome,
            deadline=call.deadline,
            metadata=call.metadata,
        )
        async with request as stream:
            await stream.send_request()
            sending = asyncio.create_task(self._send(stream))
            try:
                async for outcome in stream:
                    yield outcome
                if not sending.done():
                    # Takes the status from the trailers, if they have one.
                    raise StreamTerminatedError("the server ended the stream before the client")
            except StreamTerminatedError:
                # The server ended it, and grpclib drops the answers that came before that.
                inner = connection_stream(stream)
                while inner is not None and inner.trailers is not None:
                    left = await recv_message(inner, GrpcCodec(), messages.PushOutcome)
                    if left is None:
                        break
                    yield left
                raise
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)

    async def _send(self, stream: Stream[messages.Push, messages.PushOutcome]) -> None:
        sent = 0
        pushes = self._pushes()
        async with aclosing(pushes):
            async for write, push, refusal in pushes:
                self.sent.append((write, refusal))
                await stream.send_message(push)
                sent += 1
                if sent % _PAUSE == 0:
                    await asyncio.sleep(0)
        await stream.end()

    async def _pushes(self) -> AsyncGenerator[_Prepared, None]:
        try:
            if isinstance(self._writes, AsyncIterable):
                async for write in self._writes:
                    yield _prepared(write)
            else:
                for write in self._writes:
                    yield _prepared(write)
        except Exception as error:
            self.error = error


_Prepared: TypeAlias = tuple[Write | Delete, messages.Push, RhtmxError | None]


def _prepared(write: Write | Delete) -> _Prepared:
    """A write, what is sent for it, and why it is refused, if that is known here.

    In the place of one that cannot be sent goes one without a name, which no server takes:
    so it has its outcome in its turn, and uses up its number, like any other that is refused.
    """
    try:
        return write, write.message(), None
    except RhtmxError as refusal:
        nameless = messages.Push(action=messages.ChangeAction.DELETE)
        if write.seq is not None:
            with suppress(RhtmxError):
                check_integer(write.seq, "push.seq")
                nameless.seq = write.seq
        return write, nameless, refusal
