"""How often a peer may do what costs it nothing. Pure: time is asked for.

Knows a token bucket. Must not know what the tokens are for.
"""

from __future__ import annotations

import math
from collections.abc import Callable

__all__ = ["Allowance"]


class Allowance:
    """So many at once, and so many a second.

    Args:
        most: at once.
        rate: more for each second.
        now: seconds, of a clock that does not jump.

    Example:
        >>> allowance = Allowance(2, 0.5, lambda: 0.0)
        >>> [allowance.take() for _ in range(3)]
        [True, True, False]
        >>> allowance.wait()
        2.0
    """

    def __init__(self, most: float, rate: float, now: Callable[[], float]) -> None:
        self._most = float(most)
        self._rate = rate
        self._now = now
        self._left = self._most
        self._when = now()

    def take(self, count: float = 1) -> bool:
        """Take so many; whether there were as many. If not, none is taken."""
        self._grow()
        if self._left < count:
            return False
        self._left -= count
        return True

    def wait(self) -> float:
        """Seconds until the next one is there."""
        self._grow()
        missing = 1 - self._left
        if missing <= 0:
            return 0.0
        return missing / self._rate if self._rate else math.inf

    def refill(self) -> None:
        """Allow as many as at the start."""
        self._left = self._most

    def _grow(self) -> None:
        moment = self._now()
        # Counted up when somebody asks: a bucket that nobody asks about needs no timer.
        self._left = min(self._most, self._left + (moment - self._when) * self._rate)
        self._when = moment
