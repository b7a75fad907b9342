"""What may wait for one peer, over all the streams of its connection.

Knows bytes, and who waits for room. Must not know streams, nor what is read.

What is read for a stream stays in memory until the peer takes it. A limit for each
stream is none: a peer opens a thousand. So those that read ask here first, in order,
and while too much waits nobody reads.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from typing import Protocol

from rhtmx.errors import ErrorCode, RhtmxError

__all__ = ["Headroom", "StalledError", "Waiter"]


class StalledError(RhtmxError):
    """A peer has taken nothing for too long of what others wait for."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.STALLED, "the client has stopped reading")


class Waiter(Protocol):
    """A stream whose peer has not taken all that it was sent."""

    def crowded(self) -> None:
        """Others wait because of what it has not taken."""


class Headroom:
    """The room of one connection.

    Args:
        limit: bytes that may wait before nobody reads.
        most: how many read at a time: each may go over the limit by what it reads.
        patience: seconds that the peer has to take something, while others wait.

    Attributes:
        kept: bytes that wait.
    """

    def __init__(self, limit: int, most: int, patience: float) -> None:
        self.limit = limit
        self.kept = 0
        self._most = most
        self._patience = patience
        self._taken = 0
        self._reading = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._keepers: set[Waiter] = set()

    @property
    def full(self) -> bool:
        """Whether more waits than may."""
        return self.kept > self.limit

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for room. What is read has to be counted, with `keep`, before the end.

        Raises:
            StalledError: there is none, and the peer takes nothing.
        """
        if self.full or self._reading >= self._most or self._waiting:
            await self._wait()
        else:
            self._reading += 1
        try:
            yield
        finally:
            self._reading -= 1
            self._next()

    def keep(self, size: int, keeper: Waiter | None = None) -> None:
        """So many bytes more wait for a stream.

        Args:
            size: bytes.
            keeper: is told while there is no room.
        """
        before, self.kept = self.full, self.kept + size
        if keeper is not None:
            self._keepers.add(keeper)
        # Only at the moment when it fills up: to tell them at each frame would be a walk for each.
        if not before and self.full:
            for each in list(self._keepers):
                each.crowded()
        elif before and keeper is not None:
            keeper.crowded()

    def free(self, size: int) -> None:
        """So many bytes were taken."""
        self._taken += size
        self.drop(size)

    def drop(self, size: int) -> None:
        """So many bytes wait no more."""
        self.kept -= size
        self._next()

    def leave(self, keeper: Waiter) -> None:
        """Nothing waits for this stream any more."""
        self._keepers.discard(keeper)

    async def _wait(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            while not turn.done():
                taken = self._taken
                await asyncio.wait([turn], timeout=self._patience)
                # Nothing was taken in all that time. Who is merely waiting behind others goes on
                # waiting.
                if self._taken == taken and self.full and not turn.done():
                    raise StalledError
        except BaseException:
            if turn.done():
                self._reading -= 1  # it was given its turn in the very moment
                self._next()
            turn.cancel()
            raise

    def _next(self) -> None:
        while self._waiting and not self.full and self._reading < self._most:
            turn = self._waiting.popleft()
            if not turn.done():
                self._reading += 1
                turn.set_result(None)
