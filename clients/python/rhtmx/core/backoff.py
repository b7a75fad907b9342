"""How long to wait before connecting again.

Knows the rule: full jitter under a doubling ceiling, so that the clients of a
restarted server do not come back together. Must not know clocks or sockets:
time and randomness are arguments, times are in seconds.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Backoff"]

_FIRST = 1.0
"""The ceiling of the first wait."""

_LONGEST = 30.0
"""The ceiling of all waits."""

_STABLE = 60.0
"""A connection that held this long starts the count anew; a shorter one proves nothing."""


class Backoff:
    """Counts attempts and says how long to wait before the next.

    Args:
        random: gives a number from 0 to 1, 1 excluded, each time it is called.
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._attempts = 0
        self._opened_at: float | None = None

    def opened(self, now: float) -> None:
        """The connection works since `now`."""
        self._opened_at = now

    def wait(self, now: float) -> float:
        """The connection, or the attempt at one, ended at `now`: the wait before the next."""
        if self._opened_at is not None and now - self._opened_at >= _STABLE:
            self._attempts = 0
        self._opened_at = None
        ceiling = min(_LONGEST, _FIRST * 2.0**self._attempts)
        if ceiling < _LONGEST:
            self._attempts += 1
        return self._random() * ceiling
