"""Facts about `rhtmx.journal`."""

from __future__ import annotations

import pytest

from rhtmx.grain import Grain
from rhtmx.journal import Journal
from rhtmx.messages import ChangeAction, Position, Push
from rhtmx.ops import Add, DropRecord, DropRow, Held, KeptRow, PutRecord, SetLast, SetPosition

PLACE = SetPosition("tasks", Position(epoch="e", version=4), Grain.RECORDS)


@pytest.fixture
def journal() -> Journal:
    journal = Journal()
    journal.durable = True
    return journal


def test_of_several_ops_about_one_thing_the_last_one_counts(journal: Journal) -> None:
    journal.put(PutRecord("tasks", "1", Held(1, b"1")))
    journal.put(SetLast(3))
    journal.put(DropRecord("tasks", "1"))
    assert list(journal.take().ops.values()) == [DropRecord("tasks", "1"), SetLast(3)]
    assert not journal


def test_what_could_not_be_stored_comes_again_beneath_what_is_newer(journal: Journal) -> None:
    journal.put(SetLast(3))
    journal.put(PLACE)
    batch = journal.take()
    journal.put(SetLast(4))
    journal.give_back(batch.ops.values())
    assert list(journal.take().ops.values()) == [SetLast(4), PLACE]


def test_without_a_store_nothing_is_collected() -> None:
    journal = Journal()
    journal.put(SetLast(3))
    assert not journal


def test_what_is_about_writes_is_vital(journal: Journal) -> None:
    journal.put(PLACE)
    journal.put(DropRow("a"))
    journal.put(SetLast(3))
    assert journal.take().vital == [DropRow("a"), SetLast(3)]


def test_new_writes_keep_their_order(journal: Journal) -> None:
    adds = [Add(KeptRow(name, 0, Push("tasks", name, ChangeAction.UPDATE))) for name in "ab"]
    for each in adds:
        journal.add(each)
    assert journal.take().adds == adds
