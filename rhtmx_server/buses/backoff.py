"""How long to wait before a bus is tried again.

Knows the rule: full jitter under a doubling ceiling, so that the nodes of a cluster do not come
back together. Must not know clocks: randomness is an argument, times are in seconds.
"""

from __future__ import annotations

__all__ = ["LONGEST", "pause"]

_FIRST = 0.1
"""The ceiling of the first pause: a server that was restarted is there again in no time."""

LONGEST = 5.0
"""The ceiling of all pauses."""


def pause(failures: int, chance: float) -> float:
    """How long to wait before the next attempt.

    Args:
        failures: how often it has failed in a row, without this time.
        chance: a random number from 0 to 1, 1 excluded.

    Example:
        >>> pause(0, 0.5), pause(3, 0.5), pause(1000, 0.5)
        (0.05, 0.4, 2.5)
    """
    ceiling = LONGEST if failures > 10 else min(LONGEST, _FIRST * 2.0**failures)
    return chance * ceiling
