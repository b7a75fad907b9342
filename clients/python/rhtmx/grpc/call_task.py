"""A call that runs in a task of its own.

Knows the loop. Must not know what is called. grpclib wakes who waits for a call
that ended by cancelling the task, more than once if it ended in several ways, and
that cannot be told from a wish to end the task: so the task is never a user's.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Generic, TypeVar, cast

from rhtmx.grpc.call import Call
from rhtmx.messages.rhtmx.v1 import TrackersStub

__all__ = ["AHEAD", "answer", "messages"]

T = TypeVar("T")

AHEAD = 16
"""How many messages may be read before they are taken; the rest waits at the server."""


async def answer(call: Call, send: Callable[[TrackersStub], Awaitable[T]]) -> T:
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


def messages(call: Call, source: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """The messages of a call. To close the generator is to end the call."""
    return _CallTask(call, source).messages()


class _CallTask(Generic[T]):
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
