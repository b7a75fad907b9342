"""Turns of the loop, shared: whoever has much to do does it in small steps, one after the other.

Knows steps and time. Must not know connections, frames or the loop.

A loop that serves everybody must not belong to one of them. uvloop hands over up
to 8 MiB in one readable event (0.23: 32 reads of 256 KiB), which is more than a
million frames, and whoever handles them in the callback that brought them holds
everybody else up for seconds. So a transport does what fits into its share of
the turn, stops reading, and has the rest done here: each that waits gets its
share in each turn, in the order in which they came, until the whole of what a
turn may cost is spent. Those that were not reached are first in the next one.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from rhtmx_server.failures import place

__all__ = ["SHARE", "WHOLE", "Turns", "Work"]

log = logging.getLogger("rhtmx_server")

Work: TypeAlias = Callable[[], bool]
"""One small step; returns whether there is more to do."""

SHARE = 0.0005
"""Seconds of a turn that one connection may use. An exchange of a well-behaved client
takes three to five turns; with half a millisecond each, one flood beside it costs it
about as much as one fsync. Turns themselves cost 10 to 20 µs, so less would be waste."""

WHOLE = 0.002
"""Seconds of a turn that all of them together may use."""


class Turns:
    """The queue of those who have more to do than one share of a turn allows.

    Args:
        now: seconds, of a clock that does not jump.
        call_soon: schedules a function for the next turn of the loop.
        share: seconds of a turn for one.
        whole: seconds of a turn for all who wait.

    Example:
        >>> from itertools import count
        >>> scheduled, left = [], [3, 2, 1]
        >>> turns = Turns(count().__next__, scheduled.append, share=1, whole=1)
        >>> turns.wait(lambda: bool(left.pop()) and bool(left))
        >>> scheduled.pop()()  # one step a turn, by this clock
        >>> left
        [3, 2]
    """

    def __init__(
        self,
        now: Callable[[], float],
        call_soon: Callable[[Callable[[], None]], object],
        *,
        share: float = SHARE,
        whole: float = WHOLE,
    ) -> None:
        self.share = share
        self._whole = whole
        self._now = now
        self._call_soon = call_soon
        self._waiting: deque[Work] = deque()

    def spend(self, work: Work) -> bool:
        """Do as much of `work` as one share allows, now; the rest waits for its turns.

        Args:
            work: is called again and again, until it says that nothing is left.

        Returns:
            Whether something is left.
        """
        more = self._some(work)
        if more:
            self.wait(work)
        return more

    def wait(self, work: Work) -> None:
        """Have `work` done in the turns that come."""
        self._waiting.append(work)
        # The first one books the turn, for all who come after it.
        if len(self._waiting) == 1:
            self._call_soon(self._turn)

    def _turn(self) -> None:
        end = self._now() + self._whole
        # Each once at most: one turn, one share.
        for _ in range(len(self._waiting)):
            work = self._waiting[0]
            more = self._some(work)
            self._waiting.popleft()
            if more:
                self._waiting.append(work)
            if self._now() >= end:
                break
        if self._waiting:
            self._call_soon(self._turn)

    def _some(self, work: Work) -> bool:
        # Asked after each step, not before: a step that was begun is never too much, and one at
        # least is done, however slow the machine is.
        until = self._now() + self.share
        try:
            while work():
                if self._now() >= until:
                    return True
        except Exception as failure:  # costs nobody else their turn
            log.error("a turn failed: %s", place(failure))
        return False
