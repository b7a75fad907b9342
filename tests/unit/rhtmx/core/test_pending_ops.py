"""Facts about `rhtmx.core.pending_ops`."""

from __future__ import annotations

import pytest

from rhtmx.core.granularity import Granularity
from rhtmx.core.pending_ops import PendingOps
from rhtmx.core.storage_ops import (
    Add,
    DropRecord,
    DropWrite,
    HeldRecord,
    PutRecord,
    SetLast,
    SetPosition,
    StoredWrite,
)
from rhtmx.messages import ChangeAction, Position, Push

PLACE = SetPosition("tasks", Position(epoch="e", version=4), Granularity.RECORDS)


@pytest.fixture
def pending_ops() -> PendingOps:
    pending_ops = PendingOps()
    pending_ops.durable = True
    return pending_ops


def test_of_several_ops_about_one_thing_the_last_one_counts(pending_ops: PendingOps) -> None:
    pending_ops.put(PutRecord("tasks", "1", HeldRecord(1, b"1")))
    pending_ops.put(SetLast(3))
    pending_ops.put(DropRecord("tasks", "1"))
    assert list(pending_ops.take().ops.values()) == [DropRecord("tasks", "1"), SetLast(3)]
    assert not pending_ops


def test_what_could_not_be_stored_comes_again_beneath_what_is_newer(
    pending_ops: PendingOps,
) -> None:
    pending_ops.put(SetLast(3))
    pending_ops.put(PLACE)
    batch = pending_ops.take()
    pending_ops.put(SetLast(4))
    pending_ops.give_back(batch.ops.values())
    assert list(pending_ops.take().ops.values()) == [SetLast(4), PLACE]


def test_without_a_store_nothing_is_collected() -> None:
    pending_ops = PendingOps()
    pending_ops.put(SetLast(3))
    assert not pending_ops


def test_what_is_about_writes_is_vital(pending_ops: PendingOps) -> None:
    pending_ops.put(PLACE)
    pending_ops.put(DropWrite("a"))
    pending_ops.put(SetLast(3))
    assert pending_ops.take().vital == [DropWrite("a"), SetLast(3)]


def test_new_writes_keep_their_order(pending_ops: PendingOps) -> None:
    adds = [Add(StoredWrite(name, 0, Push("tasks", name, ChangeAction.UPDATE))) for name in "ab"]
    for each in adds:
        pending_ops.add(each)
    assert pending_ops.take().adds == adds
