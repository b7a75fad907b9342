"""Writes: `Push`, `PushFields`, and `PushMany` with many in flight.

Knows the committer's door: a mutation in, a reply out when it is durable. Must
not know what a mutation does.

A mutation that was submitted is written also if its caller goes away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from grpclib.server import Stream

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    FieldConflict,
    FieldPushAck,
    Push,
    PushAck,
    PushFields,
    PushFieldsResponse,
)
from rhtmx.wire import ServerMessage, encode_message
from rhtmx_server.checks import check
from rhtmx_server.model import Mutation
from rhtmx_server.transports.grpc.caller import Caller, identify
from rhtmx_server.transports.grpc.calls import patience, receive, receive_one
from rhtmx_server.transports.grpc.door import Door, stopping
from rhtmx_server.transports.grpc.errors import raise_if_error
from rhtmx_server.transports.grpc.framing import prefixed

__all__ = ["PushMany", "push", "push_fields", "push_many", "submit"]

Reply = Sequence[ServerMessage]


def submit(caller: Caller, message: Push | PushFields, answer: Callable[[Reply], None]) -> None:
    """Put a mutation in line.

    Args:
        caller: in whose name.
        message: the mutation. One that is refused for its content takes its
            place in the order all the same, and uses up its number.
        answer: is called once, when it is durable or refused.

    Raises:
        RhtmxError: `BAD_MESSAGE`, it has a number but nobody's.
    """
    services = caller.services
    services.metrics.received(type(message))
    if message.seq is not None and caller.client_id is None:
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE,
            "seq: numbers belong to a client_id; name it in the metadata: x-rhtmx-client-id",
        )
    refusal = None
    try:
        check(message)
        services.known(message.entity)
    except RhtmxError as error:
        refusal = error
    services.committer.submit(
        Mutation(
            message,
            answer,
            caller.client_id,
            caller.subject,
            refusal,
            caller.secret,
            source=caller,
        )
    )


async def _written(caller: Caller, message: Push | PushFields) -> Reply:
    replied: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()

    def answer(reply: Reply) -> None:
        if not replied.done():
            replied.set_result(reply)

    submit(caller, message, answer)
    reply = await replied
    raise_if_error(reply[-1])
    for each in reply:
        caller.services.metrics.sent(type(each))
    return reply


async def push(door: Door, stream: Stream[Any, Any]) -> None:
    """Write a record."""
    caller = await identify(door.services, stream.metadata or {})
    reply = await _written(caller, await receive_one(stream, Push))
    await stream.send_message(reply[-1])


async def push_fields(door: Door, stream: Stream[Any, Any]) -> None:
    """Write fields of a record; the conflicts come with the acknowledgement."""
    caller = await identify(door.services, stream.metadata or {})
    *conflicts, ack = await _written(caller, await receive_one(stream, PushFields))
    assert isinstance(ack, FieldPushAck)
    lost = [each for each in conflicts if isinstance(each, FieldConflict)]
    await stream.send_message(PushFieldsResponse(ack=ack, conflicts=lost))


async def push_many(door: Door, stream: Stream[Any, Any]) -> None:
    """Write many records; see `PushMany`."""
    caller = await identify(door.services, stream.metadata or {})
    pushes = PushMany(door, caller, stream, door.services.config.pushes_in_flight)
    with door.lasting(pushes.stop):
        await pushes.run()


class PushMany:
    """Reads ahead, so that many writes share one transaction; answers in order.

    The first push that is refused ends the stream with its error, after the
    answers to all before it. Nothing more is read then; those that were under
    way may have been written all the same. Numbered pushes can be sent again.

    Args:
        door: the server.
        caller: in whose name.
        stream: of pushes, and of acknowledgements.
        most: pushes whose answer is due before reading stops: they wait to be
            durable, or for the peer to take what is sent.
    """

    def __init__(self, door: Door, caller: Caller, stream: Stream[Any, Any], most: int) -> None:
        self._door = door
        self._caller = caller
        self._stream = stream
        self._most = most
        self._under_way = 0
        self._due = 0
        self._frames: list[bytes] = []
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
            RhtmxError: a push was refused.
        """
        await self._stream.send_initial_metadata()
        reading = asyncio.create_task(self._read())
        try:
            await self._answer()
        finally:
            reading.cancel()

    async def _read(self) -> None:
        try:
            while not self._said_all and self._error is None:
                message = await receive(self._stream, Push)
                if message is None:
                    break
                while self._due >= self._most:
                    self._room.clear()
                    await self._room.wait()
                if self._error is None and not self._said_all:
                    submit(self._caller, message, self._answered)
                    self._under_way += 1
                    self._due += 1
        except Exception as failure:  # is raised where the stream is ended, in its turn
            self._last = self._last or failure
        self._said_all = True
        self._news.set()

    def _answered(self, reply: Reply) -> None:
        self._under_way -= 1
        self._news.set()
        if self._error is not None:
            return
        try:
            raise_if_error(reply[-1])
        except RhtmxError as error:
            self._error = error
        else:
            self._frames.append(prefixed(encode_message(reply[-1])))

    async def _answer(self) -> None:
        while True:
            # Seen before sending: what comes meanwhile is answered in the next round.
            done = self._error is not None or (self._said_all and self._under_way == 0)
            frames, self._frames = self._frames, []
            if frames:
                self._caller.services.metrics.sent(PushAck, len(frames))
                async with patience(self._door):
                    await self._stream._stream.send_data(b"".join(frames))
                self._due -= len(frames)
                self._room.set()
            if done:
                break
            if not self._frames:
                await self._news.wait()
            self._news.clear()
        if self._error or self._last:
            raise self._error or self._last or stopping()
