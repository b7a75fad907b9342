"""Facts about `rhtmx.schema.word`."""

from __future__ import annotations

import json

from rhtmx.schema.word import Word
from tests.support.sample_schema import loaded


def test_an_enum_is_its_words_and_open() -> None:
    priority = loaded().Priority
    assert priority.known() == ("unspecified", "low", "high", "on-fire")
    assert priority.ON_FIRE == "on-fire"
    assert (priority.ON_FIRE.number, priority.LOW.number) == (3, 1)
    newer = priority("urgent")
    assert (newer.is_known, newer.number) == (False, None)
    assert repr(newer) == "Priority('urgent')"
    assert f"{newer} {newer!s}" == "urgent urgent"
    assert json.dumps(priority.LOW) == '"low"'


def test_two_enums_do_not_share_their_words() -> None:
    class Other(Word):
        __slots__ = ()

    assert Other.known() == ()
