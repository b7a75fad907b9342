"""Turns of the loop, shared out among all connections.

Knows how long one of them, and all of them together, may work before the loop
serves everyone else. Must not know what the work is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TypeAlias

__all__ = ["Turns", "Work"]

Work: TypeAlias = Callable[[], bool]
"""Does one small step, and returns whether there is more. Must not raise."""


class Turns:
    """Lets those who have something to do work in turn.

    Args:
        now: seconds, of a clock that does not jump.
        call_soon: schedules a function for the next turn of the loop.
        share: seconds that one may work in a turn.
        whole: seconds that all of them may work in a turn.
    """

    def __init__(
        self,
        now: Callable[[], float],
        call_soon: Callable[[Callable[[], None]], object],
        *,
        share: float = 0.001,
        whole: float = 0.004,
    ) -> None:
        self.share = share
        self._now = now
        self._call_soon = call_soon
        self._whole = whole
        self._waiting: deque[Work] = deque()
        self._scheduled = False

    def wait(self, work: Work) -> None:
        """Have `work` done, a step at a time, until it says that there is no more."""
        self._waiting.append(work)
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._call_soon(self._run)

    def _run(self) -> None:
        self._scheduled = False
        moment = self._now()
        end = moment + self._whole
        for _ in range(len(self._waiting)):
            work = self._waiting.popleft()
            until = min(moment + self.share, end)
            while more := work():
                moment = self._now()
                if moment >= until:
                    break
            if more:
                self._waiting.append(work)
            if moment >= end:
                break
        if self._waiting:
            self._schedule()
