"""How long to leave a busy server alone. Pure.

Knows the rule: what the server says, and on top of it a random wait that grows
with each refusal in a row, so that its clients do not come back together. Must
not know what was refused: times are arguments, in seconds.
"""

from __future__ import annotations

from collections.abc import Callable

from rhtmx.core.backoff import Backoff
from rhtmx.errors import RhtmxError

__all__ = ["RetryAfter"]


class RetryAfter:
    """One wait, for everything that a busy server refused.

    Args:
        random: gives a number from 0 to 1, 1 excluded, each time it is called.

    Attributes:
        until: when to go on; `None` if nothing is held up.
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self.until: float | None = None
        self._random = random
        self._backoff: Backoff | None = None
        self._jitter = 0.0

    def refused(self, error: RhtmxError, now: float) -> None:
        """Something was refused that may be taken later.

        What was under way with it is refused, too: that is one refusal, and the
        longest of the waits counts.
        """
        if self.until is None:
            self._backoff = self._backoff or Backoff(self._random)
            self._jitter = self._backoff.wait(now)
        until = now + (error.retry_after or 0.0) + self._jitter
        self.until = until if self.until is None else max(self.until, until)

    def passed(self) -> None:
        """Something was taken: the next wait is a short one again."""
        if self.until is None:
            self._backoff = None

    def tick(self, now: float) -> bool:
        """Time passed; returns whether it is over now."""
        if self.until is None or now < self.until:
            return False
        self.until = None
        return True

    def clear(self) -> None:
        """A connection begins: nothing is held up."""
        self.until = None
