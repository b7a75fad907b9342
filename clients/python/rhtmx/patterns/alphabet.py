"""Characters between which a pattern sees no difference, in classes.

Knows sets of characters. Must not know what is done with the classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rhtmx.patterns.problems import Effort
from rhtmx.patterns.ranges import Ranges

__all__ = ["Alphabet", "alphabet"]


@dataclass(frozen=True, slots=True)
class Alphabet:
    """All characters in classes, which are numbered in the order of their first characters.

    Attributes:
        starts: where a stretch of one class begins; the first one at 0.
        classes: of which class it is.
        count: how many classes there are.
        members: for each set that was given, which classes it consists of.
    """

    starts: Sequence[int]
    classes: Sequence[int]
    count: int
    members: Sequence[Sequence[int]]


def alphabet(sets: Sequence[Ranges], effort: Effort) -> Alphabet:
    """The largest classes of which each set has all or nothing.

    Example:
        >>> alphabet([((97, 122),), ((98, 98),)], Effort()).classes
        [0, 1, 2, 1, 0]
    """
    edges = {0}.union(
        *({each for pair in every for each in (pair[0], pair[1] + 1)} for every in sets)
    )
    starts = sorted(each for each in edges if each <= 0x10FFFF)
    position = {start: index for index, start in enumerate(starts)}
    inside = [_stretches(every, position, len(starts), effort) for every in sets]
    classes = [0] * len(starts)
    count = 1
    for stretches in inside:
        count = _split(classes, stretches, count)
    renamed: dict[int, int] = {}
    classes = [renamed.setdefault(each, len(renamed)) for each in classes]
    members = [sorted({classes[each] for each in stretches}) for stretches in inside]
    return Alphabet(starts, classes, len(renamed), members)


def _stretches(
    given: Ranges, position: dict[int, int], beyond: int, effort: Effort
) -> Sequence[int]:
    found: list[int] = []
    for first, last in given:
        found.extend(range(position[first], position.get(last + 1, beyond)))
    effort.spend(len(found))
    return found


def _split(classes: list[int], stretches: Iterable[int], count: int) -> int:
    """Give what is inside a set a class of its own; how many numbers are used up."""
    moved: dict[int, int] = {}
    for each in stretches:
        known = moved.get(classes[each])
        if known is None:
            known = moved[classes[each]] = count + len(moved)
        classes[each] = known
    return count + len(moved)
