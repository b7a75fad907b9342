"""Facts about the task of a call, in `rhtmx.grpc.call`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from grpclib.exceptions import StreamTerminatedError

from rhtmx.core import build_message
from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.grpc.call import AHEAD, Call, answer_of, messages_of
from rhtmx.messages import PushAck
from tests.unit.rhtmx.grpc.fake import FOREVER, Fake, channel_to, drain, until

PUSH = build_message.push_delete("tasks", "1", None)


@pytest.fixture
async def call(fake: Fake) -> AsyncIterator[Call]:
    async with channel_to(fake) as channel:
        yield Call(channel, "test:1", None, {})


async def test_an_answer_comes_through(fake: Fake, call: Call) -> None:
    fake.answer["push"] = PushAck("tasks", "1", 7)
    assert (await answer_of(call, lambda stub: stub.push(PUSH))).version == 7


async def test_a_failure_does_not_cancel_who_waits(call: Call) -> None:
    async def end(_: object) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()  # as grpclib does, once for each way in which a call ended
        task.cancel()
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            raise StreamTerminatedError("reset") from None

    with pytest.raises(ConnectionClosed, match="was lost: reset"):
        await answer_of(call, end)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_cancellation_in_the_moment_of_a_failure_is_not_lost(call: Call) -> None:
    async def end(_: object) -> None:
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            raise StreamTerminatedError("reset") from None

    task = asyncio.create_task(answer_of(call, end))
    await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_cancelling_ends_the_call(fake: Fake, call: Call) -> None:
    fake.answer["push"] = FOREVER
    task = asyncio.create_task(answer_of(call, lambda stub: stub.push(PUSH)))
    await until(lambda: bool(fake.asked))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_not_much_is_read_before_it_is_taken(call: Call) -> None:
    read = 0

    async def source() -> AsyncIterator[int]:
        nonlocal read
        for read in range(1, 1000):
            yield read

    async with aclosing(messages_of(call, source())) as numbers:
        assert await anext(numbers) == 1
        await asyncio.sleep(0.01)
        assert read <= AHEAD + 1
        assert [each async for each in numbers] == list(range(2, 1000))


async def test_what_was_read_comes_before_a_failure(call: Call) -> None:
    async def source() -> AsyncIterator[int]:
        yield 1
        yield 2
        raise StreamTerminatedError("reset")

    seen: list[int] = []
    with pytest.raises(ConnectionClosed):
        await drain(messages_of(call, source()), seen)
    assert seen == [1, 2]


async def test_closing_closes_the_source(call: Call) -> None:
    closed = asyncio.Event()

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            closed.set()

    async with aclosing(messages_of(call, source())) as numbers:
        assert await anext(numbers) == 1
    assert closed.is_set()
