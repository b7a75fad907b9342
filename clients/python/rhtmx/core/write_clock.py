"""The times of one client's writes: no two are equal, and none goes back. Pure.

Knows the rule. Must not know the clock: what it says is an argument.

A clock may say the same twice, or be set back, also between two runs of a
program. Then a write is given the microsecond after the one before it. So that a
clock that was wrong once does not stay wrong for ever, that ends where it would
be more than a minute ahead: the server brings such times back anyway, and by then
it has the earlier writes, and knows their order by their arrival. While some of
them still wait, it does not end.
"""

from __future__ import annotations

from datetime import datetime, timedelta

__all__ = ["MOST_AHEAD", "WriteClock"]

MOST_AHEAD = timedelta(minutes=1)
"""So far ahead of the clock a time may be, where no write waits."""

_TICK = timedelta(microseconds=1)


class WriteClock:
    """Gives the writes of one client their times.

    Example:
        >>> from datetime import UTC
        >>> ticks, noon = WriteClock(), datetime(2026, 1, 1, 12, tzinfo=UTC)
        >>> ticks.next(noon) == noon, ticks.next(noon).microsecond
        (True, 1)
    """

    def __init__(self) -> None:
        self._last: datetime | None = None

    def used(self, time: datetime) -> None:
        """A write that waits has this time: the next one is later."""
        if self._last is None or time > self._last:
            self._last = time

    def next(self, now: datetime, *, waits: bool = False) -> datetime:
        """The time of the next write.

        Args:
            now: what the clock says; with its zone.
            waits: earlier writes have no answer yet.
        """
        last = self._last
        if last is not None and now <= last and (waits or last - now <= MOST_AHEAD):
            now = last + _TICK
        self._last = now
        return now
