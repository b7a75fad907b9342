"""By which time old rows are judged, where the clock may be wrong: time is an argument.

Knows how fast that time may go. Must not know stores, rows, or the loop.

The *horizon* is the latest time that the store believes in, kept in the store
itself. Rows are old by the horizon, never by the clock alone:

======================  ======================================================
the clock               the horizon
======================  ======================================================
is ahead of it          follows, by `PACE` hours at most in each hour that the
                        server runs; or goes to the oldest row that there is,
                        which loses nothing
is behind it            stays, and goes where the clock is after `DOUBT`
======================  ======================================================

The clock that stamps rows never reads less than the horizon (`ServerClock`), so
each row has the horizon of its time or a later one. Together: whatever the
clock says, nothing goes before the server has run for a quarter of its days
since it was written. A wrong clock at boot takes nothing away, and one that
stays wrong leaves days to put it right. A right one is followed within days,
however long the server was off.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["DOUBT", "HOUR", "PACE", "ServerClock", "StoredTimes", "advance", "wall_clock"]

HOUR = 3_600_000_000
"""Microseconds."""

PACE = 4
"""Hours by which the horizon may move in one hour that the server runs."""

DOUBT = HOUR // 6
"""How long a clock is not believed that is behind: one that is set from the network is right
within seconds or minutes of its boot."""


class StoredTimes(NamedTuple):
    """What a store says of the time, before old rows are taken away.

    Args:
        horizon: the one that was noted last; `None` if none ever was.
        history: the time of the oldest entry of the history; `None` if there is none.
        others: the time of the oldest tombstone, departure or client; `None` if there is
            none.
    """

    horizon: int | None = None
    history: int | None = None
    others: int | None = None

    @property
    def oldest(self) -> int | None:
        """The time of the oldest row that may go one day."""
        return min((each for each in (self.history, self.others) if each is not None), default=None)


def advance(kept: StoredTimes, clock: int, ran: int) -> int:
    """Return the next horizon.

    Args:
        kept: the last one, and the oldest rows.
        clock: what the clock says; microseconds since 1970.
        ran: how long the server has run since the last one; microseconds. 0 at
            boot: how long it was off, only the clock could tell.

    Example:
        >>> advance(StoredTimes(horizon=10 * HOUR), 999 * HOUR, ran=HOUR) // HOUR
        14
    """
    horizon = kept.horizon
    if horizon is None:
        return clock if kept.oldest is None else min(clock, kept.oldest)
    if clock < horizon:
        # At boot the clock may not have been set from the network yet: wait before it is believed.
        return horizon if ran < DOUBT else clock
    furthest = horizon + PACE * ran
    if kept.oldest is not None:
        # To jump to the oldest row takes nothing away: it is only older rows that go.
        furthest = max(furthest, kept.oldest)
    return min(clock, furthest)


def wall_clock() -> int:
    """Return what the machine's clock says; microseconds since 1970."""
    return time.time_ns() // 1000


class ServerClock:
    """The clock that stamps rows: what the machine says, but never less than the horizon.

    Args:
        wall: the machine's clock; microseconds since 1970.
        monotonic: seconds, of a clock that does not jump.
    """

    def __init__(self, wall: Callable[[], int], monotonic: Callable[[], float]) -> None:
        self.wall = wall
        self._monotonic = monotonic
        self._least = 0
        self._since = 0.0

    def __call__(self) -> int:
        """Return the time; microseconds since 1970."""
        passed = round((self._monotonic() - self._since) * 1e6)
        # While the machine's clock is behind what the store has seen, time goes on from there.
        return max(self.wall(), self._least + passed)

    def not_before(self, horizon: int) -> None:
        """Read no less than this, and what has passed since."""
        self._least, self._since = horizon, self._monotonic()
