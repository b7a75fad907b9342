"""Writes: `Push`, `PushFields`, `Transact`, and `PushEach` and `PushMany` with many in flight.

Knows mutations and their answers, which come when they are durable. Must not know
what a mutation does, nor which are rejected.

A mutation that was submitted is written also if its caller goes away.

A stream of them (`Pushes`) is read by one task and answered by another:

=========  ==============  ===========  ============  ==================  ============
state      a push comes    peer said    one is        server stops        all answered
                           all          rejected
=========  ==============  ===========  ============  ==================  ============
reading    reading, and    draining     reading, or   draining, then      -
           submitted                    failed (1)    `SHUTTING_DOWN`
draining   -               -            draining, or  draining            over
                                        failed (1)
failed     -               -            failed        failed              over, with
                                                                          that error
=========  ==============  ===========  ============  ==================  ============

(1) `PushMany` fails with the first one that is rejected; `PushEach` tells each and
goes on. What is read is bounded by what is due: it waits while `most` answers are, or
while the peer has left too many answers of other calls unread. Answers become bytes when
there is room for them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from grpclib.server import Stream

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    ChangeAction,
    Error,
    FieldConflict,
    FieldPushAck,
    Push,
    PushAck,
    PushFields,
    PushFieldsResponse,
    PushOutcome,
    Transaction,
    TransactionAck,
    TransactResponse,
)
from rhtmx.wire import ServerMessage, encode_message
from rhtmx_server.failures import raise_if_error, stopping
from rhtmx_server.model import Mutation
from rhtmx_server.transports.grpc.caller import Caller, caller_of
from rhtmx_server.transports.grpc.calls import (
    GrpcMethod,
    answer,
    connection_of,
    receive_bytes,
    receive_one,
    send,
)
from rhtmx_server.transports.grpc.door import Door
from rhtmx_server.transports.grpc.framing import GLUE, prefixed

__all__ = ["Pushes", "push", "push_fields", "pushes", "submit", "transact"]

Reply = Sequence[ServerMessage]


def submit(
    caller: Caller,
    message: Push | PushFields | Transaction,
    answered: Callable[[Reply], None],
    rejection: RhtmxError | None = None,
) -> None:
    """Put a mutation in line.

    Args:
        caller: in whose name.
        message: the mutation. One that is rejected for its content takes its
            place in the order all the same, and uses up its number.
        answered: is called once, when it is durable or rejected.
        rejection: why it is rejected, where nobody needs to look at it.

    Raises:
        RhtmxError: `UNAUTHENTICATED`, the caller's token has expired.
    """
    caller.present()
    services = caller.services
    services.metrics.received(type(message))
    services.submit(
        Mutation(
            message,
            answered,
            caller.client_id,
            caller.subject,
            rejection,
            caller.secret,
            source=caller,
            who=caller.grant,
        )
    )


async def _written(caller: Caller, message: Push | PushFields | Transaction) -> Reply:
    replied: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()

    def answered(reply: Reply) -> None:
        if not replied.done():
            replied.set_result(reply)

    submit(caller, message, answered)
    reply = await replied
    raise_if_error(reply[-1])
    for each in reply:
        caller.services.metrics.sent(type(each))
    return reply


async def push(door: Door, stream: Stream[Any, Any]) -> None:
    """Write one record; the acknowledgement is the answer."""
    caller = await caller_of(door, stream)
    reply = await _written(caller, await receive_one(stream, Push))
    await answer(door, stream, reply[-1])


async def push_fields(door: Door, stream: Stream[Any, Any]) -> None:
    """Write fields of a record; the conflicts come with the acknowledgement."""
    caller = await caller_of(door, stream)
    *conflicts, ack = await _written(caller, await receive_one(stream, PushFields))
    assert isinstance(ack, FieldPushAck)
    await answer(door, stream, PushFieldsResponse(ack=ack, conflicts=_lost(conflicts)))


async def transact(door: Door, stream: Stream[Any, Any]) -> None:
    """Write several records; the conflicts come with the acknowledgement."""
    caller = await caller_of(door, stream)
    *conflicts, ack = await _written(caller, await receive_one(stream, Transaction))
    assert isinstance(ack, TransactionAck)
    await answer(door, stream, TransactResponse(ack=ack, conflicts=_lost(conflicts)))


def _lost(reply: Reply) -> list[FieldConflict]:
    return [each for each in reply if isinstance(each, FieldConflict)]


def pushes(*, each: bool) -> GrpcMethod:
    """`PushEach` or `PushMany`: many records in one stream; see `Pushes`."""

    async def method(door: Door, stream: Stream[Any, Any]) -> None:
        caller = await caller_of(door, stream)
        under_way = Pushes(door, caller, stream, door.services.config.pushes_in_flight, each=each)
        with door.lasting(under_way.stop):
            await under_way.run()

    return method


class Pushes:
    """Reads ahead, so that many writes share one transaction; answers in order.

    With `each` every push gets its outcome. Without, the first one that is rejected
    ends the stream with its error, after the answers to all before it; nothing more is
    read then, and those that were under way may have been written all the same.

    Args:
        door: the server.
        caller: in whose name.
        stream: of pushes, and of what became of them.
        most: pushes whose answer is due before reading stops: they wait to be
            durable, or for the peer to take what is sent.
        each: whether it goes on after a rejection.
    """

    def __init__(
        self, door: Door, caller: Caller, stream: Stream[Any, Any], most: int, *, each: bool
    ) -> None:
        self._door = door
        self._caller = caller
        self._stream = stream
        self._answers = connection_of(stream).answers
        self._most = most
        self._each = each
        self._under_way = 0
        self._due = 0
        self._replies: deque[object] = deque()
        self._error: RhtmxError | None = None
        self._last: Exception | None = None
        self._said_all = False
        self._news = asyncio.Event()
        self._room = asyncio.Event()

    def stop(self) -> None:
        """Read no more; answer what is under way, and end."""
        self._last, self._said_all = stopping(), True
        self._news.set()

    async def run(self) -> None:
        """Answer until all is answered.

        Raises:
            RhtmxError: a push was rejected, and that is the end.
        """
        await self._stream.send_initial_metadata()
        # Two tasks: a peer that sends all before it reads anything is still read, up to `most`.
        reading = asyncio.create_task(self._read())
        try:
            await self._answer()
        finally:
            reading.cancel()

    async def _read(self) -> None:
        try:
            while not self._said_all and self._error is None:
                data = await receive_bytes(self._stream)
                if data is None:
                    break
                message, rejection = self._understood(data)
                while self._due >= self._most:
                    self._room.clear()
                    await self._room.wait()
                if self._answers.full:
                    async with self._answers.turn():
                        pass  # the peer takes nothing: whatever is answered would wait
                # Asked again: both may have come while it waited for room.
                if self._error is None and not self._said_all:
                    submit(self._caller, message, self._answered, rejection)
                    self._under_way += 1
                    self._due += 1
        except Exception as failure:  # is raised where the stream is ended, in its turn
            self._last = self._last or failure
        self._said_all = True
        self._news.set()

    def _understood(self, data: bytes) -> tuple[Push, RhtmxError | None]:
        """A push; or what stands in its place, and why."""
        try:
            return GLUE.decode(data, Push), None
        except RhtmxError as error:
            if not self._each:
                raise
            return Push(action=ChangeAction.UPDATE, seq=error.seq), error

    def _answered(self, reply: Reply) -> None:
        self._under_way -= 1
        self._news.set()
        if self._error is not None:
            return
        try:
            self._replies.append(self._outcome(reply[-1]))
        except RhtmxError as error:
            self._error = error

    def _outcome(self, reply: ServerMessage) -> object:
        """What the peer is told.

        Raises:
            RhtmxError: that it is the end.
        """
        metrics = self._caller.services.metrics
        if not self._each:
            raise_if_error(reply)
        metrics.sent(type(reply))
        if not self._each:
            return reply
        if isinstance(reply, Error):
            metrics.refused(reply.code or ErrorCode.INTERNAL)
            return PushOutcome(error=reply)
        assert isinstance(reply, PushAck)
        return PushOutcome(ack=reply)

    async def _answer(self) -> None:
        while True:
            # Seen before sending: what comes meanwhile is answered in the next round.
            done = self._error is not None or (self._said_all and self._under_way == 0)
            if self._replies:
                joined, number = await self._written_down()
                await send(self._door, self._stream, joined, self._answers)
                # Only now: answers that the peer has not taken are due, too.
                self._due -= number
                self._room.set()
            if done and not self._replies:
                break
            if not self._replies:
                await self._news.wait()
            self._news.clear()
        if self._error or self._last:
            raise self._error or self._last or stopping()

    async def _written_down(self) -> tuple[bytes, int]:
        """The next answers as bytes, as many as there is room for, and how many these are.

        Until then those that tell of one record share it: a batch may bring many at once.
        """
        if self._answers.full:
            async with self._answers.turn():
                return self._write_down()
        return self._write_down()

    def _write_down(self) -> tuple[bytes, int]:
        frames: list[bytes] = []
        while self._replies and not (frames and self._answers.full):
            frames.append(prefixed(encode_message(self._replies.popleft())))
            self._answers.keep(len(frames[-1]))
        return b"".join(frames), len(frames)
