"""Facts about `rhtmx.queue`."""

from __future__ import annotations

import pytest

from rhtmx.journal import Journal
from rhtmx.keeping import keep
from rhtmx.messages import ChangeAction, Push
from rhtmx.ops import Add, KeptRow, Settled
from rhtmx.queue import Queue, Row
from rhtmx.stores.memory import MemoryStore


def push(name: str, base_version: int | None = None) -> Push:
    return Push("tasks", name, ChangeAction.UPDATE, b"1", base_version=base_version)


def row(name: str, base_version: int | None = None, epoch: str | None = None) -> Row:
    return Row(name, push(name, base_version), epoch=epoch)


def numbers(queue: Queue) -> list[tuple[str, int]]:
    return [(each.id, each.seq) for each in queue.due()]


def number(queue: Queue, seq: int) -> Row:
    found = queue.numbered(seq)
    assert found is not None
    return found


class Durable:
    """A queue with a store that works when the test says so."""

    def __init__(self) -> None:
        self.journal = Journal()
        self.journal.durable = True
        self.queue = Queue(self.journal)
        self.store = MemoryStore("c")

    def work(self) -> None:
        """Store what was put down."""
        outcome = keep(self.store, self.journal.take())
        self.queue.stored(outcome.stored)
        for add, seq in outcome.added:
            waiting = self.queue.get(add.row.id)
            assert waiting is not None
            self.queue.number(waiting, add.row, seq)

    def kept(self) -> list[tuple[str, int]]:
        return [(each.id, each.seq) for each in self.store.load().rows]


@pytest.fixture
def queue() -> Queue:
    """A queue without a store: whatever is put down counts as stored."""
    return Queue(Journal())


@pytest.fixture
def durable() -> Durable:
    return Durable()


def test_numbers_go_on_from_the_servers_last_if_nothing_waits(queue: Queue) -> None:
    queue.begin(7, "e")
    queue.add(row("a"))
    queue.add(row("b"))
    assert numbers(queue) == [("a", 8), ("b", 9)]
    assert queue.confirmed == 7


def test_what_is_sent_is_not_due_again(queue: Queue) -> None:
    queue.begin(0, "e")
    queue.add(row("a"))
    assert numbers(queue) == [("a", 1)]
    assert numbers(queue) == []


def test_everything_unanswered_is_sent_again_under_its_number(queue: Queue) -> None:
    for name in "abc":
        queue.add(row(name))
    assert len(numbers(queue)) == 3
    queue.drop(number(queue, 1))
    queue.begin(2, "e")
    assert numbers(queue) == [("b", 2), ("c", 3)]
    assert queue.confirmed == 1


def test_a_server_that_forgot_numbers_gets_new_ones(queue: Queue) -> None:
    queue.begin(5, "e")
    queue.add(row("a"))
    queue.add(row("b"))
    queue.begin(2, "f")
    assert numbers(queue) == [("a", 3), ("b", 4)]


def test_a_server_that_knows_more_numbers_is_not_sent_them_again(queue: Queue) -> None:
    queue.add(row("a"))
    queue.begin(7, "e")
    queue.add(row("b"))
    assert numbers(queue) == [("a", 1), ("b", 8)]


def test_a_base_version_of_another_epoch_is_let_go_unless_the_server_may_have_it(
    queue: Queue,
) -> None:
    for name, epoch in [("a", "e"), ("b", "e"), ("c", "f"), ("d", None)]:
        queue.add(row(name, 4, epoch))
    queue.begin(1, "f")
    assert [each.message.base_version for each in queue.due()] == [4, None, 4, 4]


def test_a_gap_is_closed_by_new_numbers(queue: Queue) -> None:
    queue.begin(4, "e")
    queue.add(row("a"))
    queue.add(row("b"))
    numbers(queue)
    queue.close_gap(3)
    assert numbers(queue) == [("a", 4), ("b", 5)]


def test_a_gap_that_is_only_the_servers_is_closed_by_sending_again(queue: Queue) -> None:
    for name in "abc":
        queue.add(row(name))
    numbers(queue)
    queue.close_gap(1)
    assert numbers(queue) == [("b", 2), ("c", 3)]


def test_a_gap_in_the_middle_does_not_come_back_for_ever(queue: Queue) -> None:
    for name in "abc":
        queue.add(row(name))
    numbers(queue)
    queue.drop(number(queue, 2))
    queue.close_gap(1)
    assert numbers(queue) == [("c", 2)]


def test_a_fresh_number_is_one_at_the_end(queue: Queue) -> None:
    queue.add(row("a"))
    queue.add(row("b"))
    numbers(queue)
    queue.renew(number(queue, 1))
    assert numbers(queue) == [("a", 3)]
    assert [each.id for each in queue] == ["b", "a"]


def test_the_writes_of_a_record_are_known_in_order(queue: Queue) -> None:
    rows = [row("a"), Row("x", push("a")), row("b")]
    for each in rows:
        queue.add(each)
    queue.settle(rows[0], Settled(3, "e"))
    assert queue.of("tasks", "a") == rows[:2]
    assert list(queue.settled("tasks")) == rows[:1]
    assert queue.records("tasks") == {"a", "b"}
    for each in rows:
        queue.drop(each)
    assert queue.records("tasks") == set()


def test_a_settled_write_no_longer_waits(queue: Queue) -> None:
    queue.add(row("a"))
    queue.settle(number(queue, 1), Settled(3, "e"))
    assert (len(queue), queue.numbered(1), queue.confirmed) == (0, None, 1)
    queue.begin(1, "e")
    assert numbers(queue) == []


# With a store.


def test_a_write_is_stored_before_it_is_sent(durable: Durable) -> None:
    durable.queue.begin(0, "e")
    durable.queue.add(row("a"))
    assert numbers(durable.queue) == []
    durable.work()
    assert durable.kept() == [("a", 1)]
    assert numbers(durable.queue) == [("a", 1)]


def test_new_numbers_are_stored_before_they_are_sent(durable: Durable) -> None:
    durable.queue.begin(5, "e")
    durable.queue.add(row("a"))
    durable.work()
    durable.queue.begin(2, "f")
    assert numbers(durable.queue) == []
    durable.work()
    assert durable.kept() == [("a", 3)]
    assert numbers(durable.queue) == [("a", 3)]


def test_a_write_that_was_being_stored_while_numbers_changed_gets_the_right_one(
    durable: Durable,
) -> None:
    durable.queue.begin(5, "e")
    durable.work()
    durable.queue.add(row("a"))
    batch = durable.journal.take()
    durable.queue.begin(2, "f")
    (seq,) = durable.store.add(batch.adds)
    waiting = durable.queue.get("a")
    assert (seq, waiting is not None) == (6, True)
    if waiting is not None:
        durable.queue.number(waiting, batch.adds[0].row, seq)
    assert numbers(durable.queue) == []
    durable.work()
    assert durable.kept() == numbers(durable.queue) == [("a", 3)]
    assert durable.store.load().last == 3


def test_a_write_that_lost_its_base_version_while_it_was_stored_is_stored_again(
    durable: Durable,
) -> None:
    durable.queue.add(row("a", 4, "e"))
    batch = durable.journal.take()
    durable.queue.begin(0, "f")
    (seq,) = durable.store.add(batch.adds)
    waiting = durable.queue.get("a")
    assert waiting is not None
    durable.queue.number(waiting, batch.adds[0].row, seq)
    assert numbers(durable.queue) == []
    durable.work()
    assert [each.message.base_version for each in durable.store.load().rows] == [None]
    assert numbers(durable.queue) == [("a", 1)]


def test_the_last_number_in_the_store_is_the_last_one_that_was_given(durable: Durable) -> None:
    """The second write was stored under its number, after the first one had to be corrected."""
    durable.queue.begin(7, "e")
    durable.work()
    for name in "ab":
        durable.queue.add(row(name))
    batch = durable.journal.take()
    durable.queue.begin(8, "e")
    for each, seq in zip(batch.adds, durable.store.add(batch.adds), strict=True):
        waiting = durable.queue.get(each.row.id)
        assert waiting is not None
        durable.queue.number(waiting, each.row, seq)
    durable.work()
    durable.queue.add(row("c"))
    durable.work()
    assert numbers(durable.queue) == durable.kept() == [("a", 9), ("b", 10), ("c", 11)]


def test_what_was_kept_is_sent_first_under_its_numbers(durable: Durable) -> None:
    old = KeptRow("old", 3, push("a"), None, 0.0, Settled(9, "e"))
    kept = [old, KeptRow("a", 4, push("a")), KeptRow("b", 5, push("b"))]
    durable.queue.load(kept, 5)
    assert durable.queue.confirmed == 3
    assert [each.id for each in durable.queue.of("tasks", "a")] == ["old", "a"]
    durable.queue.begin(4, "e")
    assert numbers(durable.queue) == [("a", 4), ("b", 5)]


def test_a_write_leaves_the_store_with_the_queue(durable: Durable) -> None:
    durable.queue.add(row("a"))
    durable.work()
    durable.queue.drop(number(durable.queue, 1))
    durable.work()
    assert durable.kept() == []


def test_the_add_of_a_write_says_what_it_is(durable: Durable) -> None:
    durable.queue.add(row("a"), instead="refused")
    assert durable.journal.take().adds == [Add(row("a").kept(), "refused")]


def test_a_settled_write_does_not_take_a_number_along_that_is_anothers_now(queue: Queue) -> None:
    queue.add(row("a"))
    queue.add(row("b"))
    settled = number(queue, 1)
    queue.settle(settled, Settled(1, "e"))
    queue.begin(0, "f")
    assert numbers(queue) == [("b", 1)]
    queue.drop(settled)
    assert number(queue, 1).id == "b"


def test_an_answer_is_confirmed_only_once_it_is_stored(durable: Durable) -> None:
    """Or the server forgets it, and the write that comes back after a crash is nobody's."""
    for name in "abc":
        durable.queue.add(row(name))
    durable.work()
    durable.queue.drop(number(durable.queue, 1))
    durable.queue.settle(number(durable.queue, 2), Settled(2, "e"))
    assert durable.queue.confirmed == 0
    durable.work()
    assert durable.queue.confirmed == 2
    durable.queue.renew(number(durable.queue, 3))
    assert durable.queue.confirmed == 2
    durable.work()
    assert durable.queue.confirmed == 3
