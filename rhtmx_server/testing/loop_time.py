"""The time of an event loop: seen, and if a test wants it, moved by hand.

Knows the loop's public methods, which it takes the place of on one loop. Must not know servers
or clients: whatever waits by `asyncio` waits by the loop's clock.

asyncio asks the loop itself for the time (`loop.time`), and hands it every timer (`loop.call_at`)
and every callback (`loop.call_soon`). So one object of these three sees all that goes on: nothing
has to sleep to find out that nothing more will happen. A loop has one clock, and one object here,
however many servers run on it.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

__all__ = ["LoopTime"]

_QUIET_TURNS = 3
"""Turns of the loop in which nothing happens before it counts as quiet. In the first of them what
was ready before runs, in the second what came from sockets and timers, and what follows."""

_STEPS = 10_000
"""The most steps in which the clock is moved: then each is at least this part of the whole."""


class LoopTime:
    """Sees what happens on an event loop, and may stop and move its clock. Made by `of`.

    Args:
        loop: one of asyncio's own.

    Raises:
        RuntimeError: the loop is of another kind, such as uvloop's, which asks itself for nothing.
    """

    _of_loops: ClassVar[dict[asyncio.AbstractEventLoop, LoopTime]] = {}

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> LoopTime:
        """The one of a loop. `release` has to follow.

        Raises:
            RuntimeError: the loop is of another kind.
        """
        found = cls._of_loops.get(loop)
        if found is None:
            found = cls._of_loops[loop] = LoopTime(loop)
        found._holders += 1
        return found

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        if not isinstance(loop, asyncio.BaseEventLoop):
            raise RuntimeError(
                "rhtmx_server.testing needs an event loop of asyncio's own, not "
                f"{type(loop).__module__}'s: leave out its policy or loop factory in these tests"
            )
        self.loop = loop
        self._real = loop.time
        self._holders = 0
        self._frozen: float | None = None
        self._wall_ahead = 0
        self._calls = 0
        self._due: list[float] = []
        vars(loop).update(
            time=self.time,
            call_at=self._noted(loop.call_at),
            call_soon=self._counted(loop.call_soon),
        )

    def release(self) -> None:
        """Hold it no longer. The last one leaves the loop as it was."""
        self._holders -= 1
        if not self._holders:
            del self._of_loops[self.loop]
            for name in ("time", "call_at", "call_soon"):
                del vars(self.loop)[name]

    # The clock.

    def time(self) -> float:
        """Seconds, of the loop's clock."""
        return self._real() if self._frozen is None else self._frozen

    @property
    def is_frozen(self) -> bool:
        """Whether the clock stands still."""
        return self._frozen is not None

    def freeze(self, wall: int) -> None:
        """Have the clock stand still from now on.

        Args:
            wall: what time it is; microseconds since 1970.
        """
        self._frozen = self.time()
        self._wall_ahead = wall - round(self._frozen * 1e6)

    def wall(self) -> int | None:
        """What time it is, microseconds since 1970; `None` while the clock does not stand still."""
        return None if self._frozen is None else self._wall_ahead + round(self._frozen * 1e6)

    async def advance(self, seconds: float, settle: Callable[[], Awaitable[None]]) -> None:
        """Move the clock, which stands still; each timer is called at its own time.

        Args:
            seconds: by how much.
            settle: awaited at each stop, until nothing more happens there.
        """
        assert self._frozen is not None
        await settle()
        end, least = self._frozen + seconds, seconds / _STEPS
        while self._due and self._due[0] <= end:
            at = max(heapq.heappop(self._due), self._frozen)
            # Timers that are as good as due at the same time: one stop for all of them.
            at = min(end, max(at, self._frozen + least)) if at > self._frozen else at
            while self._due and self._due[0] <= at:
                heapq.heappop(self._due)
            self._frozen = at
            await settle()
        self._frozen = end
        await settle()

    # What happens.

    async def quiet(self, patience: float) -> None:
        """Wait until nothing more is going to happen on the loop by itself.

        Threads, sockets and timers may bring more later.

        Args:
            patience: real seconds.

        Raises:
            TimeoutError: something always goes on.
        """
        until, turns = time.monotonic() + patience, 0
        while turns < _QUIET_TURNS:
            before = self._calls
            await asyncio.sleep(0)
            turns = turns + 1 if self._calls - before <= 1 else 0  # one call is this task itself
            if time.monotonic() > until:
                raise TimeoutError

    async def a_moment(self) -> None:
        """Let a millisecond of real time pass, for what happens in threads.

        In a thread itself: a timer of the loop goes by a clock that may stand still.
        """
        await self.loop.run_in_executor(None, time.sleep, 0.001)

    # Inside.

    def _counted(self, call_soon: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:
            self._calls += 1
            return call_soon(*arguments, **options)

        return counted

    def _noted(self, call_at: Callable[..., Any]) -> Callable[..., Any]:
        def noted(when: float, *arguments: Any, **options: Any) -> Any:
            due = self._due
            while due and due[0] < self.time():  # those were called
                heapq.heappop(due)
            heapq.heappush(due, when)
            return call_at(when, *arguments, **options)

        return noted
