"""Two or more that are measured in short turns: what else the machine does falls on all alike."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from benchmarks.support.processes import Server

__all__ = ["cpu_of", "in_turn"]


def in_turn(turns: int, *subjects: Callable[[], float]) -> list[float]:
    """The median of what each of them returns; each has a turn for practice first.

    Every other time in reverse order: nobody always follows the same one.
    """
    for subject in subjects:
        subject()
    found: list[list[float]] = [[] for _ in subjects]
    pairs = list(zip(subjects, found, strict=True))
    for turn in range(turns):
        for subject, values in reversed(pairs) if turn % 2 else pairs:
            values.append(subject())
    return list(map(median, found))


def cpu_of(server: Server, work: Callable[[], object]) -> float:
    """Seconds of CPU that a server uses while something is done."""
    before = server.cpu()
    work()
    return server.cpu() - before
