"""Facts about `rhtmx.core.altered_writes`."""

from __future__ import annotations

import pytest

from rhtmx.core import altered_writes, build_message
from rhtmx.core.altered_writes import AlteredWrites
from rhtmx.core.queued_write import QueuedWrite


def row(place: int) -> QueuedWrite:
    return QueuedWrite(str(place), build_message.push("tasks", "1", 1, None), place=place)


def test_who_looks_first_is_told_nothing_in_particular() -> None:
    altered = AlteredWrites()
    altered.note(row(1))
    assert altered.take() is None


def test_who_looks_again_is_told_what_has_changed_since() -> None:
    altered, one = AlteredWrites(), row(1)
    altered.take()
    altered.note(one)
    altered.note(one)
    assert altered.take() == {1: one}
    assert altered.take() == {}


def test_no_more_is_noted_than_somebody_may_want_to_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(altered_writes, "MOST", 2)
    altered = AlteredWrites()
    altered.take()
    for place in range(4):
        altered.note(row(place))
    assert altered.take() is None
