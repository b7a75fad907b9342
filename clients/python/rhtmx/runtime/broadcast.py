"""Tells many waiting tasks that something has changed, or what has happened.

Knows the loop. Must not know what it is about. Whoever stops waiting, or is
cancelled, leaves nothing behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Generic, TypeVar

__all__ = ["CAPACITY", "Backlog", "Signal"]

CAPACITY = 1000
"""So many of the newest items wait for someone who listens."""

T = TypeVar("T")


class Signal:
    """Something that rings; waiting for it is waiting for the next time."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()
        self._error: BaseException | None = None

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def notify(self) -> None:
        """Wake everyone who waits."""
        for each in self._waiting:
            if not each.done():
                each.set_result(None)

    def fail(self, error: BaseException) -> None:
        """It will not ring any more: raise this in everyone who waits, now and later."""
        self._error = error
        self.notify()

    async def wait(self) -> None:
        """Wait until it rings.

        Raises:
            BaseException: what `fail` was given.
        """
        if self._error is None:
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.add(waiting)
            try:
                await waiting
            finally:
                self._waiting.discard(waiting)
        if self._error is not None:
            raise self._error.with_traceback(None)  # each raise would add to it


class Backlog(Generic[T]):
    """Items for everyone who listens; those that are still open wait for whoever begins to."""

    def __init__(self) -> None:
        self._signal = Signal()
        self._open: dict[int, T] = {}
        self._count = 0

    def put(self, item: T) -> None:
        """Something happened."""
        self._count += 1
        self._open[self._count] = item
        if len(self._open) > CAPACITY:
            del self._open[next(iter(self._open))]
        self._signal.notify()

    def drop(self, is_it: Callable[[T], bool]) -> dict[int, T]:
        """An item is dealt with: nobody who begins to listen needs to hear of it.

        Returns:
            What was dropped, for `restore`.
        """
        dropped = {number: each for number, each in self._open.items() if is_it(each)}
        for number in dropped:
            del self._open[number]
        return dropped

    def restore(self, dropped: Mapping[int, T]) -> None:
        """It is not dealt with after all. Who listens has heard of it, whoever begins to will."""
        self._open = dict(sorted({**self._open, **dropped}.items()))

    def fail(self, error: BaseException) -> None:
        """Nothing more will come."""
        self._signal.fail(error)

    async def listen(self) -> AsyncGenerator[T, None]:
        """What is open, then what happens."""
        last = 0
        while True:
            number = next((each for each in self._open if each > last), None)
            if number is None:
                await self._signal.wait()
            else:
                last = number
                yield self._open[number]
