"""Which characters differ in case only."""

from __future__ import annotations

import pytest

from rhtmx.patterns.folding import folded
from rhtmx.patterns.problems import Effort, PatternError
from rhtmx.patterns.ranges import EVERY, ranges


@pytest.mark.parametrize(
    "same", ["kK\u212a", "sS\u017f", "\u03c3\u03c2\u03a3", "\u01c4\u01c5\u01c6", "\xb5\u03bc\u039c"]
)
def test_whichever_is_given_all_of_them_are_found(same: str) -> None:
    every = ranges([(ord(each), ord(each)) for each in same])
    for each in same:
        assert folded(((ord(each), ord(each)),), Effort()) == every


@pytest.mark.parametrize("alone", ["\xdf\u1e9e", "\u0130", "\u0131", "1", "\u4e2d"])
def test_what_folds_to_several_characters_or_to_none_stays(alone: str) -> None:
    every = ranges([(ord(each), ord(each)) for each in alone])
    assert folded(((ord(alone[0]), ord(alone[0])),), Effort()) == every


def test_all_characters_are_all_characters() -> None:
    assert folded(EVERY, Effort()) == EVERY


def test_it_is_counted() -> None:
    with pytest.raises(PatternError, match="too large"):
        folded(EVERY, Effort(2_000))
