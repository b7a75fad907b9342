"""Which characters differ in case only, as Unicode's simple case folding says.

Knows folding. Must not know how patterns are written. Python's own `lower` and `casefold` depend
on its version, and fold some characters to two.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import cache

from rhtmx.patterns.compact import numbers
from rhtmx.patterns.problems import Effort
from rhtmx.patterns.ranges import Ranges, ranges
from rhtmx.patterns.unicode_data import ORBITS

__all__ = ["folded"]


def folded(given: Ranges, effort: Effort) -> Ranges:
    """A set, and whatever differs from one of its characters in case only.

    Args:
        given: the set.
        effort: counts what it costs.

    Example:
        >>> folded(((107, 107),), Effort())  # k, K and the sign of Kelvin
        ((75, 75), (107, 107), (8490, 8490))
    """
    points, orbits = _orbits()
    more: list[tuple[int, int]] = []
    for first, last in given:
        some = points[bisect_left(points, first) : bisect_right(points, last)]
        effort.spend(1 + len(some))
        more.extend((each, each) for point in some for each in orbits[point])
    return ranges([*given, *more])


@cache
def _orbits() -> tuple[list[int], dict[int, tuple[int, ...]]]:
    found: dict[int, tuple[int, ...]] = {}
    first, orbit = 0, list[int]()
    for distance in numbers(ORBITS):
        if orbit and not distance:
            found.update((point, tuple(orbit)) for point in orbit)
            first, orbit = orbit[0], []
        else:
            orbit.append(distance + (orbit[-1] if orbit else first))
    return sorted(found), found
