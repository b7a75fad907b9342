"""How often a peer may do what costs it nothing. Pure: time is asked for.

Knows a token bucket. Must not know what the tokens are for.
"""

from __future__ import annotations

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
    """

    def __init__(self, most: int, rate: float, now: Callable[[], float]) -> None:
        self._most = float(most)
        self._rate = rate
        self._now = now
        self._left = self._most
        self._when = now()

    def take(self) -> bool:
        """Take one; whether there was one."""
        moment = self._now()
        self._left = min(self._most, self._left + (moment - self._when) * self._rate)
        self._when = moment
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def refill(self) -> None:
        """Allow as many as at the start."""
        self._left = self._most
