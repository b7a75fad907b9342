"""Sets of characters."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rhtmx.patterns.alphabet import alphabet
from rhtmx.patterns.problems import Effort
from rhtmx.patterns.ranges import EVERY, LAST, Ranges, complement, ranges

POINTS = st.integers(0, 30) | st.integers(LAST - 3, LAST)
SETS = st.lists(st.tuples(POINTS, POINTS).map(lambda pair: (min(pair), max(pair))), max_size=5)


def members(given: Ranges) -> set[int]:
    return {point for first, last in given for point in range(first, min(last, 40) + 1)} | {
        point for first, last in given for point in range(max(first, LAST - 9), last + 1)
    }


@given(SETS)
def test_ranges_are_sorted_and_have_gaps_between_them(pairs: list[tuple[int, int]]) -> None:
    found = ranges(pairs)
    assert members(found) == members(tuple(pairs))
    assert all(one[1] + 1 < two[0] for one, two in pairwise(found))


@given(SETS)
def test_the_opposite_of_the_opposite_is_the_set(pairs: list[tuple[int, int]]) -> None:
    found = ranges(pairs)
    assert complement(complement(found)) == found
    assert ranges([*found, *complement(found)]) == EVERY


@given(st.lists(SETS.map(ranges), max_size=4))
def test_of_a_class_a_set_has_all_or_nothing(sets: list[Ranges]) -> None:
    made = alphabet(sets, Effort())
    assert made.starts[0] == 0
    assert sorted(set(made.classes)) == list(range(made.count))
    for every, classes in zip(sets, made.members, strict=True):
        ends = [start - 1 for start in made.starts[1:]] + [LAST]
        stretches = zip(made.starts, ends, made.classes, strict=True)
        inside = [(start, end) for start, end, number in stretches if number in classes]
        assert ranges(inside) == every
