"""The sets that have a name."""

from __future__ import annotations

import pytest

from rhtmx.patterns.properties import named
from rhtmx.patterns.ranges import EVERY, ranges


def size(name: str) -> int:
    found = named(name)
    assert found is not None
    return sum(last - first + 1 for first, last in found)


def test_a_category_consists_of_its_parts() -> None:
    parts = [named(each) for each in ("Lu", "Ll", "Lt", "Lm", "Lo")]
    assert named("L") == ranges([pair for each in parts for pair in each or ()])


def test_the_sizes_are_those_of_unicode_15() -> None:
    assert [size(each) for each in ("Lu", "Nd", "Zs", "Greek", "Han")] == [
        1831,
        680,
        17,
        518,
        98408,
    ]


def test_any_is_all() -> None:
    assert named("Any") == EVERY


@pytest.mark.parametrize("name", ["", "X", "Xx", "l", "lu", "greek", "Letter", "Cn", "LC", "Lu "])
def test_what_no_other_version_knows_by_this_name_is_none(name: str) -> None:
    assert named(name) is None
