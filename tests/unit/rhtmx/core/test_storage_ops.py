"""Facts about `rhtmx.core.storage_ops`."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rhtmx.core.granularity import Granularity
from rhtmx.core.storage_ops import (
    AddWrite,
    DropRecord,
    DropWrite,
    HeldRecord,
    Op,
    OpBatch,
    PendingOps,
    PutRecord,
    SetLast,
    SetPosition,
    StoredWrite,
    keep,
)
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import ChangeAction, Position, Push
from rhtmx.stores.memory import MemoryStore

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
    adds = [
        AddWrite(StoredWrite(name, 0, Push("tasks", name, ChangeAction.UPDATE))) for name in "ab"
    ]
    for each in adds:
        pending_ops.add(each)
    assert pending_ops.take().adds == adds


RECORD = PutRecord("tasks", "1", HeldRecord(1, b"1"))
PLACE = SetPosition("tasks", Position(epoch="e", version=1), Granularity.RECORDS)
LAST = SetLast(7)
FULL = RhtmxError(ErrorCode.STORAGE_FULL, "full")


def write(name: str) -> AddWrite:
    return AddWrite(StoredWrite(name, 0, Push("tasks", name, ChangeAction.UPDATE, b"1")))


def batch(*ops: Op, adds: Sequence[AddWrite] = ()) -> OpBatch:
    return OpBatch(list(adds), {op.key: op for op in ops})


class Picky(MemoryStore):
    """Takes only what the test lets it."""

    def __init__(self, *refused: object) -> None:
        super().__init__("c")
        self.refused = refused
        self.transactions = 0

    def add(self, adds: Sequence[AddWrite], ops: Sequence[Op] = ()) -> list[int]:
        self.transactions += 1
        if any(each in self.refused for each in (*adds, *ops)):
            raise FULL
        return super().add(adds, ops)


def test_all_of_a_batch_is_one_transaction() -> None:
    store = Picky()
    adds = [write("a"), write("b")]
    outcome = keep(store, batch(LAST, RECORD, PLACE, adds=adds))
    assert store.transactions == 1
    assert outcome.added == [(adds[0], 8), (adds[1], 9)]
    assert outcome.stored == [LAST, RECORD, PLACE]
    assert (outcome.failed, outcome.refused, outcome.error) == ([], [], None)


def test_records_that_do_not_fit_do_not_hold_up_writes() -> None:
    outcome = keep(Picky(RECORD), batch(RECORD, PLACE, LAST, adds=[write("a")]))
    assert outcome.added == [(write("a"), 8)]
    assert outcome.failed == [RECORD, PLACE]
    assert outcome.stored == [LAST]
    assert outcome.error is FULL


def test_a_write_that_does_not_fit_is_refused_and_the_others_are_not() -> None:
    adds = [write("a"), write("big"), write("c")]
    outcome = keep(Picky(adds[1]), batch(adds=adds))
    assert outcome.added == [(adds[0], 1), (adds[2], 2)]
    assert outcome.refused == [(adds[1], FULL)]


def test_nothing_is_numbered_while_numbers_cannot_be_put_right() -> None:
    outcome = keep(Picky(LAST), batch(LAST, adds=[write("a")]))
    assert outcome.added == []
    assert outcome.refused == [(write("a"), FULL)]
    assert outcome.failed == [LAST]


def test_a_bug_in_a_store_refuses_writes_and_loses_none() -> None:
    class Broken(MemoryStore):
        def add(self, adds: Sequence[AddWrite], ops: Sequence[Op] = ()) -> list[int]:
            raise ZeroDivisionError

    outcome = keep(Broken("c"), batch(RECORD, adds=[write("a")]))
    assert outcome.failed == [RECORD]
    ((_, error),) = outcome.refused
    assert error.code is ErrorCode.STORAGE_FAILED


LATER = SetLast(8)


@pytest.mark.parametrize(
    ("events", "waits"),
    [
        ("put", SetLast(7)),
        ("put later", LATER),
        ("put take", None),
        ("put take later", LATER),
        ("put take give_back", SetLast(7)),
        ("put take later give_back", LATER),
        ("put take later take give_back", SetLast(7)),
    ],
)
def test_an_op_waits_or_not_as_the_table_says(
    pending_ops: PendingOps, events: str, waits: SetLast | None
) -> None:
    for event in events.split():
        match event:
            case "put":
                pending_ops.put(SetLast(7))
            case "later":
                pending_ops.put(LATER)
            case "take":
                pending_ops.take()
            case _:
                pending_ops.give_back([SetLast(7)])
    assert list(pending_ops.take().ops.values()) == ([] if waits is None else [waits])
