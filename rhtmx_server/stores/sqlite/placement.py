"""Which thread runs COMMIT: the event loop's own, or a worker.

Knows the cost of the last commits. Must not know clocks or threads.

On a quick disk COMMIT costs less than handing it over: a busy event loop gives
the interpreter lock back late. On a slow disk it would hold up every
connection. So it runs on the loop until it proves slow, and from then on in
the worker until it proves quick.

What the worker measures contains that wait for the interpreter lock. A short
time is proof of a quick disk, a long one is proof of nothing: therefore one
commit in `PROBE_EVERY` is tried on the loop.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["NOTHING_LEARNT", "PROBE_EVERY", "SLOW", "SMOOTHING", "Placement"]

SLOW = 0.005
"""Above this smoothed cost of a commit, in seconds, the worker takes over."""

SMOOTHING = 0.1
"""Weight of the newest cost, so that one checkpoint does not decide alone."""

PROBE_EVERY = 64
"""How many commits the worker runs before one is tried on the loop."""


@dataclass(frozen=True, slots=True)
class Placement:
    """What was learnt so far.

    Args:
        cost: of a commit on the loop, smoothed; seconds.
        worker_runs: how many more commits go to the worker.

    Example:
        >>> Placement().after(0.080).in_worker
        True
    """

    cost: float = 0.0
    worker_runs: int = 0

    @property
    def in_worker(self) -> bool:
        """Whether the next commit goes to the worker."""
        return self.worker_runs > 0

    def after(self, cost: float) -> Placement:
        """Learn from the commit that this placement decided about.

        Args:
            cost: what it took; seconds.
        """
        if self.in_worker:
            quick = cost < SLOW / 2
            return Placement(cost) if quick else Placement(self.cost, self.worker_runs - 1)
        probed = self.cost > SLOW
        smoothed = cost if probed else self.cost + SMOOTHING * (cost - self.cost)
        return Placement(smoothed, PROBE_EVERY if smoothed > SLOW else 0)


NOTHING_LEARNT = Placement()
"""Commits run on the loop until they prove slow."""
