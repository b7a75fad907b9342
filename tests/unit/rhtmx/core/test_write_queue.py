"""Facts about `rhtmx.core.write_queue`."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from rhtmx.core.queued_write import QueuedWrite, WriteState
from rhtmx.core.storage_ops import AddWrite, PendingOps, SetLast, Settled, StoredWrite, keep
from rhtmx.core.write_queue import WriteQueue
from rhtmx.messages import ChangeAction, Push
from rhtmx.stores.memory import MemoryStore
from rhtmx.values.transaction_writes import transaction_of, writes_of


def push(name: str, base_version: int | None = None) -> Push:
    return Push("tasks", name, ChangeAction.UPDATE, b"1", base_version=base_version)


def row(name: str, base_version: int | None = None, epoch: str | None = None) -> QueuedWrite:
    return QueuedWrite(name, push(name, base_version), epoch=epoch)


def numbers(queue: WriteQueue) -> list[tuple[str, int]]:
    return [(each.id, each.seq) for each in queue.due()]


def number(queue: WriteQueue, seq: int) -> QueuedWrite:
    found = queue.numbered(seq)
    assert found is not None
    return found


class Durable:
    """A queue with a store that works when the test says so."""

    def __init__(self) -> None:
        self.pending_ops = PendingOps()
        self.pending_ops.durable = True
        self.queue = WriteQueue(self.pending_ops)
        self.store = MemoryStore("c")

    def work(self) -> None:
        """Store what was put down."""
        outcome = keep(self.store, self.pending_ops.take())
        self.queue.stored(outcome.stored)
        for add, seq in outcome.added:
            waiting = self.queue.get(add.row.id)
            assert waiting is not None
            self.queue.number(waiting, add.row, seq)

    def kept(self) -> list[tuple[str, int]]:
        return [(each.id, each.seq) for each in self.store.load().rows]


@pytest.fixture
def queue() -> WriteQueue:
    """A queue without a store: whatever is put down counts as stored."""
    return WriteQueue(PendingOps())


@pytest.fixture
def durable() -> Durable:
    return Durable()


def test_numbers_go_on_from_the_servers_last_if_nothing_waits(queue: WriteQueue) -> None:
    queue.begin(7, "e")
    queue.add(row("a"))
    queue.add(row("b"))
    assert numbers(queue) == [("a", 8), ("b", 9)]
    assert queue.confirmed == 7


def test_what_is_sent_is_not_due_again(queue: WriteQueue) -> None:
    queue.begin(0, "e")
    queue.add(row("a"))
    assert numbers(queue) == [("a", 1)]
    assert numbers(queue) == []


def test_everything_unanswered_is_sent_again_under_its_number(queue: WriteQueue) -> None:
    for name in "abc":
        queue.add(row(name))
    assert len(numbers(queue)) == 3
    queue.drop(number(queue, 1))
    queue.begin(2, "e")
    assert numbers(queue) == [("b", 2), ("c", 3)]
    assert queue.confirmed == 1


def test_a_server_that_forgot_numbers_gets_new_ones(queue: WriteQueue) -> None:
    queue.begin(5, "e")
    queue.add(row("a"))
    queue.add(row("b"))
    queue.begin(2, "f")
    assert numbers(queue) == [("a", 3), ("b", 4)]


def test_a_server_that_knows_more_numbers_is_not_sent_them_again(queue: WriteQueue) -> None:
    queue.add(row("a"))
    queue.begin(7, "e")
    queue.add(row("b"))
    assert numbers(queue) == [("a", 1), ("b", 8)]


def test_a_base_version_of_another_epoch_is_let_go_unless_the_server_may_have_it(
    queue: WriteQueue,
) -> None:
    for name, epoch in [("a", "e"), ("b", "e"), ("c", "f"), ("d", None)]:
        queue.add(row(name, 4, epoch))
    queue.begin(1, "f")
    assert [each.writes[0].base_version for each in queue.due()] == [4, None, 4, 4]


def test_a_gap_is_closed_by_new_numbers(queue: WriteQueue) -> None:
    queue.begin(4, "e")
    queue.add(row("a"))
    queue.add(row("b"))
    numbers(queue)
    queue.close_gap(3)
    assert numbers(queue) == [("a", 4), ("b", 5)]


def test_a_gap_that_is_only_the_servers_is_closed_by_sending_again(queue: WriteQueue) -> None:
    for name in "abc":
        queue.add(row(name))
    numbers(queue)
    queue.close_gap(1)
    assert numbers(queue) == [("b", 2), ("c", 3)]


def test_a_gap_in_the_middle_does_not_come_back_for_ever(queue: WriteQueue) -> None:
    for name in "abc":
        queue.add(row(name))
    numbers(queue)
    queue.drop(number(queue, 2))
    queue.close_gap(1)
    assert numbers(queue) == [("c", 2)]


def test_a_fresh_number_is_one_at_the_end(queue: WriteQueue) -> None:
    queue.add(row("a"))
    queue.add(row("b"))
    numbers(queue)
    queue.renew(number(queue, 1))
    assert numbers(queue) == [("a", 3)]
    assert [each.id for each in queue] == ["b", "a"]


def test_the_writes_of_a_record_are_known_in_order(queue: WriteQueue) -> None:
    rows = [row("a"), QueuedWrite("x", push("a")), row("b")]
    for each in rows:
        queue.add(each)
    queue.settle(rows[0], Settled(3, "e"))
    assert queue.of("tasks", "a") == rows[:2]
    assert list(queue.settled("tasks")) == rows[:1]
    assert queue.records("tasks") == {"a", "b"}
    for each in rows:
        queue.drop(each)
    assert queue.records("tasks") == set()


def test_a_settled_write_no_longer_waits(queue: WriteQueue) -> None:
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
    batch = durable.pending_ops.take()
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
    batch = durable.pending_ops.take()
    durable.queue.begin(0, "f")
    (seq,) = durable.store.add(batch.adds)
    waiting = durable.queue.get("a")
    assert waiting is not None
    durable.queue.number(waiting, batch.adds[0].row, seq)
    assert numbers(durable.queue) == []
    durable.work()
    assert [writes_of(each.message)[0].base_version for each in durable.store.load().rows] == [None]
    assert numbers(durable.queue) == [("a", 1)]


def test_the_last_number_in_the_store_is_the_last_one_that_was_given(durable: Durable) -> None:
    """The second write was stored under its number, after the first one had to be corrected."""
    durable.queue.begin(7, "e")
    durable.work()
    for name in "ab":
        durable.queue.add(row(name))
    batch = durable.pending_ops.take()
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
    old = StoredWrite("old", 3, push("a"), None, 0.0, Settled(9, "e"))
    kept = [old, StoredWrite("a", 4, push("a")), StoredWrite("b", 5, push("b"))]
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
    assert durable.pending_ops.take().adds == [AddWrite(row("a").kept(), "refused")]


def test_a_settled_write_does_not_take_a_number_along_that_is_anothers_now(
    queue: WriteQueue,
) -> None:
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


# What a write says, and where it is found.


def test_a_write_is_sent_with_its_id_and_its_number_and_stays_as_it_is() -> None:
    made = push("a", 4)
    sent = QueuedWrite("r", made, seq=3).numbered()
    assert isinstance(sent, Push)
    assert (sent.request_id, sent.seq, sent.base_version) == ("r", 3, 4)
    assert made == push("a", 4)


@pytest.mark.parametrize("settled", [None, Settled(9, "e")])
def test_a_write_that_was_kept_comes_back_whole(queue: WriteQueue, settled: Settled | None) -> None:
    kept = StoredWrite("r", 3, push("a", 4), "e", 12.5, settled)
    queue.load([kept], 3)
    (loaded,) = queue.of("tasks", "a")
    assert loaded.kept() == kept
    assert loaded.stored
    assert (list(queue), list(queue.settled("tasks"))) == (
        ([loaded], []) if settled is None else ([], [loaded])
    )
    assert queue.last == 3


def test_several_settled_writes_are_kept_in_the_order_of_their_answers(queue: WriteQueue) -> None:
    answer = Settled(9, "e")
    queue.load([StoredWrite(name, 0, push(name), settled=answer) for name in "ba"], 2)
    assert [each.id for each in queue.settled("tasks")] == ["b", "a"]
    for name in "dc":
        queue.add(row(name))
    for waiting in sorted(queue, key=lambda each: each.id):
        queue.settle(waiting, answer)
    assert [each.id for each in queue.settled("tasks")] == ["b", "a", "c", "d"]


def test_what_is_not_there_is_not_found(queue: WriteQueue) -> None:
    queue.add(row("a"))
    assert (queue.numbered(None), queue.numbered(2), queue.get("b")) == (None, None, None)
    assert (queue.of("tasks", "b"), queue.of("users", "a")) == ([], [])
    assert (queue.records("users"), list(queue.settled("users"))) == (set(), [])


def test_what_waits_is_found_by_its_number_and_its_id(queue: WriteQueue) -> None:
    queue.load([StoredWrite("a", 4, push("a"))], 4)
    assert queue.numbered(4) is queue.get("a") is not None


def test_a_write_without_a_number_holds_no_confirmation_up(durable: Durable) -> None:
    durable.queue.begin(7, "e")
    assert durable.queue.confirmed == 7
    durable.queue.add(row("a"))
    assert durable.queue.confirmed == 7


# What is sent when.


def test_at_most_as_many_are_sent_as_are_asked_for(queue: WriteQueue) -> None:
    for name in "abc":
        queue.add(row(name))
    assert queue.due(0) == []
    assert [[each.id for each in queue.due(2)] for _ in range(3)] == [["a", "b"], ["c"], []]


def test_what_was_sent_is_told_from_what_was_not(queue: WriteQueue) -> None:
    for name in "ab":
        queue.add(row(name))
    (sent,) = queue.due(1)
    assert queue.sent() == [sent]
    assert [each.state for each in queue] == [WriteState.SENT, WriteState.UNSENT]
    queue.begin(0, "e")
    assert queue.sent() == []


def test_what_is_not_stored_holds_up_what_was_made_after_it(durable: Durable) -> None:
    durable.queue.add(row("a", 4, "e"))
    durable.queue.add(row("b"))
    durable.work()
    durable.queue.begin(0, "f")  # the first one loses its base version
    assert numbers(durable.queue) == []
    durable.work()
    assert numbers(durable.queue) == [("a", 1), ("b", 2)]


def test_who_knows_what_is_stored_already_has_nothing_put_down(durable: Durable) -> None:
    durable.queue.begin(7, "e")
    durable.work()
    assert durable.store.load().last == 7
    durable.queue.begin(7, "e")
    assert not durable.pending_ops
    durable.queue.add(row("a"))
    durable.work()
    assert not durable.pending_ops
    for settled in (7, 8):
        durable.queue.begin(settled, "e")
        assert not durable.pending_ops
        assert numbers(durable.queue) == [("a", 8)]


@pytest.mark.parametrize("settled", [2, 9])
def test_a_server_with_another_last_number_moves_the_one_in_the_store(
    durable: Durable, settled: int
) -> None:
    durable.queue.begin(7, "e")
    durable.work()
    durable.queue.begin(settled, "f")
    durable.work()
    assert durable.queue.last == durable.store.load().last == settled


def test_a_server_that_knows_more_than_was_given_moves_the_number_in_the_store(
    durable: Durable,
) -> None:
    durable.queue.add(row("a"))
    durable.work()
    durable.queue.begin(7, "e")
    durable.work()
    assert durable.queue.last == durable.store.load().last == 7
    assert durable.kept() == [("a", 1)]


def test_new_numbers_take_the_place_of_the_old_ones(durable: Durable) -> None:
    durable.queue.begin(5, "e")
    for name in "ab":
        durable.queue.add(row(name))
    durable.work()
    durable.queue.begin(2, "f")
    assert [number(durable.queue, seq).id for seq in (3, 4)] == ["a", "b"]
    assert [durable.queue.numbered(seq) for seq in (6, 7)] == [None, None]
    durable.work()
    assert durable.store.load().last == 4


def test_a_gap_that_is_only_the_servers_has_nothing_put_down(durable: Durable) -> None:
    for name in "ab":
        durable.queue.add(row(name))
    durable.work()
    assert numbers(durable.queue) == [("a", 1), ("b", 2)]
    durable.queue.close_gap(1)
    assert not durable.pending_ops
    assert numbers(durable.queue) == [("b", 2)]


def test_a_gap_after_which_nothing_waits_is_none(queue: WriteQueue) -> None:
    queue.close_gap(3)
    queue.add(row("a"))
    assert numbers(queue) == [("a", 1)]
    queue.close_gap(1)
    assert numbers(queue) == []


def test_a_base_version_is_let_go_in_a_message_of_its_own(durable: Durable) -> None:
    """The message is never changed: who made it may still look at it."""
    made = row("a", 4, "e")
    message = made.message
    durable.queue.add(made)
    durable.work()
    durable.queue.begin(0, "f")
    assert (made.epoch, made.message) == (None, push("a"))
    assert message == push("a", 4)
    durable.work()
    (kept,) = durable.store.load().rows
    assert (kept.epoch, kept.message) == (None, push("a"))


def test_a_write_without_a_number_is_not_stored_for_its_base_version(durable: Durable) -> None:
    durable.queue.add(row("a", 4, "e"))
    durable.pending_ops.take()
    durable.queue.begin(0, "f")
    assert not durable.pending_ops


# What is stored meanwhile.


def test_a_renewed_write_has_no_number_until_it_is_stored_again(durable: Durable) -> None:
    made = row("a")
    durable.queue.add(made)
    durable.work()
    assert numbers(durable.queue) == [("a", 1)]
    durable.queue.renew(made)
    assert (made.seq, made.stored, made.renewed) == (0, False, True)
    assert numbers(durable.queue) == []
    durable.work()
    assert (made.seq, made.stored, durable.kept()) == (2, True, [("a", 2)])


def test_what_was_stored_under_an_older_number_is_not_sent(durable: Durable) -> None:
    durable.queue.begin(5, "e")
    durable.queue.add(row("a"))
    durable.work()
    durable.queue.begin(3, "f")
    outdated = durable.pending_ops.take().ops.values()
    durable.queue.begin(2, "g")
    durable.queue.stored(outdated)
    assert numbers(durable.queue) == []
    durable.work()
    assert numbers(durable.queue) == [("a", 3)]


def test_what_was_stored_with_an_older_message_is_not_sent(durable: Durable) -> None:
    durable.queue.begin(5, "e")
    durable.queue.add(row("a", 4, "f"))
    durable.work()
    durable.queue.begin(2, "f")
    outdated = durable.pending_ops.take().ops.values()
    durable.queue.begin(2, "g")
    durable.queue.stored(outdated)
    assert numbers(durable.queue) == []
    durable.work()
    assert numbers(durable.queue) == [("a", 3)]


def test_an_old_state_of_a_write_is_not_its_answer(durable: Durable) -> None:
    durable.queue.begin(5, "e")
    durable.queue.add(row("a"))
    durable.work()
    durable.queue.begin(2, "f")
    outdated = durable.pending_ops.take().ops.values()
    durable.queue.drop(number(durable.queue, 3))
    durable.queue.stored(outdated)
    assert durable.queue.confirmed == 2
    durable.work()
    assert durable.queue.confirmed == 3


def test_what_is_stored_twice_is_stored(durable: Durable) -> None:
    for name in "ab":
        durable.queue.add(row(name))
    durable.work()
    durable.queue.drop(number(durable.queue, 1))
    durable.queue.settle(number(durable.queue, 2), Settled(2, "e"))
    ops = list(durable.pending_ops.take().ops.values())
    for _ in range(2):
        durable.queue.stored(ops)
        assert durable.queue.confirmed == 2


# Going away.


def test_a_write_that_was_sent_is_settled_and_kept_with_its_answer(durable: Durable) -> None:
    durable.queue.add(row("a"))
    durable.work()
    assert numbers(durable.queue) == [("a", 1)]
    durable.queue.settle(number(durable.queue, 1), Settled(3, "e"))
    assert durable.queue.get("a") is None
    durable.work()
    (kept,) = durable.store.load().rows
    assert kept.settled == Settled(3, "e")


def test_a_settled_write_is_not_sent_even_if_it_never_was(queue: WriteQueue) -> None:
    queue.add(row("a"))
    queue.settle(number(queue, 1), Settled(3, "e"))
    assert numbers(queue) == []


def test_a_settled_write_that_goes_was_confirmed_before(durable: Durable) -> None:
    made = row("a")
    durable.queue.add(made)
    durable.work()
    durable.queue.settle(made, Settled(3, "e"))
    durable.work()
    assert durable.queue.confirmed == 1
    durable.queue.drop(made)
    assert durable.queue.confirmed == 1
    assert list(durable.queue.settled("tasks")) == []
    durable.work()
    assert durable.kept() == []


def test_a_write_that_is_forgotten_is_nowhere(queue: WriteQueue) -> None:
    for name in "ab":
        queue.add(row(name))
    gone = number(queue, 1)
    for _ in range(2):
        queue.forget(gone)
        assert [each.id for each in queue] == ["b"]
        assert (queue.get("a"), queue.numbered(1), queue.of("tasks", "a")) == (None, None, [])
        assert queue.records("tasks") == {"b"}
    assert numbers(queue) == [("b", 2)]


def test_of_two_writes_of_a_record_the_other_one_stays(queue: WriteQueue) -> None:
    rows = [QueuedWrite(name, push("a")) for name in "xyz"]
    for each in rows:
        queue.add(each)
    queue.drop(rows[1])
    assert queue.of("tasks", "a") == [rows[0], rows[2]]


def test_a_renewed_write_that_cannot_be_stored_waits_behind_those_that_could(
    durable: Durable,
) -> None:
    """Numbers rise along the queue: else an answer would be taken for another write's."""
    durable.queue.begin(0, "e")
    durable.queue.add(row("a"))
    durable.work()
    durable.queue.renew(number(durable.queue, 1))
    durable.queue.add(row("b"))
    batch = durable.pending_ops.take()
    durable.store.add([], list(batch.ops.values()))
    a, b = batch.adds
    (seq,) = durable.store.add([b])
    written = durable.queue.get("b")
    assert written is not None
    durable.queue.number(written, b.row, seq)
    refused = durable.queue.get(a.row.id)
    assert refused is not None
    durable.queue.not_numbered(refused)
    assert [each.id for each in durable.queue] == ["b", "a"]
    durable.work()
    assert numbers(durable.queue) == [("b", 2), ("a", 3)]


def test_a_renewed_write_keeps_no_number_in_the_store(durable: Durable) -> None:
    """A server that was restored may have another write get it, and then there is a crash."""
    durable.queue.begin(0, "e")
    durable.queue.add(row("a"))
    durable.work()
    durable.queue.renew(number(durable.queue, 1))
    durable.store.add([], list(durable.pending_ops.take().ops.values()))
    assert durable.kept() == [("a", 0)]


def test_a_write_that_was_kept_without_a_number_gets_one_at_the_end(durable: Durable) -> None:
    kept = [StoredWrite("a", 0, push("a")), StoredWrite("b", 5, push("b"))]
    durable.queue.load(kept, 5)
    durable.store.add([], [SetLast(5)])
    assert [(each.id, each.seq) for each in durable.queue] == [("b", 5), ("a", 0)]
    durable.work()
    assert numbers(durable.queue) == [("b", 5), ("a", 6)]


def states(queue: WriteQueue) -> list[tuple[str, WriteState]]:
    return [(each.id, each.state) for each in queue]


def test_a_write_is_found_by_its_id_sent_or_not(queue: WriteQueue) -> None:
    queue.add(row("a"))
    queue.add(row("b"))
    queue.due(1)
    assert [each and each.id for each in map(queue.get, "abc")] == ["a", "b", None]


def test_what_was_kept_is_to_be_sent_and_what_has_no_number_is_new(durable: Durable) -> None:
    durable.queue.load([StoredWrite("a", 0, push("a")), StoredWrite("b", 5, push("b"))], 5)
    assert states(durable.queue) == [("b", WriteState.UNSENT), ("a", WriteState.NEW)]
    renewed = durable.queue.get("a")
    assert renewed is not None
    assert renewed.renewed, "a store that cannot take it has it already"


def test_a_renewed_write_that_was_not_numbered_is_new(durable: Durable) -> None:
    durable.queue.add(row("a"))
    durable.work()
    durable.queue.renew(number(durable.queue, 1))
    (waiting,) = durable.queue
    durable.queue.not_numbered(waiting)
    assert states(durable.queue) == [("a", WriteState.NEW)]


def test_what_was_sent_is_unsent_on_the_next_connection(queue: WriteQueue) -> None:
    queue.add(row("a"))
    queue.due()
    assert states(queue) == [("a", WriteState.SENT)]
    queue.begin(0, "e")
    assert states(queue) == [("a", WriteState.UNSENT)]


def test_who_watches_an_entity_has_the_records_whose_writes_change(queue: WriteQueue) -> None:
    changed: set[str] = set()
    queue.watch("tasks", changed)
    queue.unwatch("users", changed)
    queue.add(row("a"))
    queue.add(QueuedWrite("u", Push("users", "7", ChangeAction.UPDATE, b"1")))
    assert (changed, queue.touched) == ({"a"}, {"tasks", "users"})
    changed.clear()
    queue.due()
    assert changed == set(), "that it was sent shows nothing new"
    queue.settle(number(queue, 1), Settled(3, "e"))
    assert changed == {"a"}
    changed.clear()
    (settled,) = queue.settled("tasks")
    queue.drop(settled)
    assert changed == {"a"}
    changed.clear()
    queue.unwatch("tasks", set())
    queue.unwatch("tasks", changed)
    queue.add(row("b"))
    assert changed == set()


def chain(*names: str, base: int | None = 1) -> list[QueuedWrite]:
    """Writes of one record, each made on top of the one before."""
    rows = [QueuedWrite(name, push("r", base), epoch="e") for name in names]
    for before, after in pairwise(rows):
        after.builds_on = before.id
    return rows


def bases(queue: WriteQueue) -> list[tuple[str, int | None]]:
    return [(row.id, row.writes[0].base_version) for row in queue]


def test_what_builds_on_an_own_write_waits_for_it_and_is_based_on_what_came_of_it(
    queue: WriteQueue,
) -> None:
    queue.begin(0, "e")
    for each in [*chain("a", "b", "c"), row("d")]:
        queue.add(each)
    assert numbers(queue) == [("a", 1)]
    queue.settle(number(queue, 1), Settled(7, "e"))
    assert bases(queue) == [("b", 7), ("c", 1), ("d", None)], "each when what it builds on is"
    assert numbers(queue) == [("b", 2)]
    queue.settle(number(queue, 2), Settled(8, "e"))
    assert numbers(queue) == [("c", 3), ("d", 4)]
    assert bases(queue)[0] == ("c", 8)


def test_what_builds_on_a_write_that_is_rejected_is_based_on_what_that_was_based_on(
    queue: WriteQueue,
) -> None:
    queue.begin(0, "e")
    for each in chain("a", "b", "c"):
        queue.add(each)
    queue.due()
    queue.drop(number(queue, 1))
    assert numbers(queue) == [("b", 2)]
    assert bases(queue) == [("b", 1), ("c", 1)]
    queue.settle(number(queue, 2), Settled(7, "e"))
    assert bases(queue) == [("c", 7)]


@pytest.mark.parametrize("leave", [WriteQueue.drop, WriteQueue.renew])
def test_what_builds_on_an_heir_that_leaves_is_based_on_what_that_has_inherited(
    queue: WriteQueue, leave: Callable[[WriteQueue, QueuedWrite], None]
) -> None:
    queue.begin(0, "e")
    for each in chain("a", "b", "c"):
        queue.add(each)
    queue.due()
    queue.settle(number(queue, 1), Settled(7, "f"))
    leave(queue, number(queue, 2))
    heir = next(iter(queue))
    assert (heir.id, heir.writes[0].base_version, heir.epoch) == ("c", 7, "f")


def test_what_builds_on_a_part_of_a_transaction_is_based_on_its_version(queue: WriteQueue) -> None:
    queue.begin(0, "e")
    both = transaction_of([push("q"), push("r")])
    queue.add(QueuedWrite("a", both))
    queue.add(QueuedWrite("b", push("r", 0), epoch="e", builds_on="a"))
    queue.due()
    queue.settle(number(queue, 1), Settled(7, "e"), Settled(8, "e"))
    assert bases(queue) == [("b", 8)]


def test_what_it_builds_on_lasts_as_long_as_the_write(durable: Durable) -> None:
    durable.queue.begin(0, "e")
    for each in chain("a", "b", "c"):
        durable.queue.add(each)
    durable.work()
    assert numbers(durable.queue) == [("a", 1)]
    again = Durable()
    again.store = durable.store
    again.queue.load(durable.store.load().rows, 3)
    again.queue.begin(0, "e")
    assert numbers(again.queue) == [("a", 1)]
    again.queue.settle(number(again.queue, 1), Settled(7, "e"))
    assert numbers(again.queue) == []  # not before the store has its base
    again.work()
    assert bases(again.queue) == [("b", 7), ("c", 1)]
    assert numbers(again.queue) == [("b", 2)]
    # What it waits for has left the store together with the version that it became.
    once_more = Durable()
    once_more.queue.load(again.store.load().rows, 3)
    assert bases(once_more.queue) == [("b", 7), ("c", 1)]
    once_more.queue.begin(1, "e")
    once_more.queue.drop(number(once_more.queue, 2))
    assert bases(once_more.queue) == [("c", 7)]


def test_what_has_no_number_yet_is_stored_with_its_new_base(durable: Durable) -> None:
    durable.queue.begin(0, "e")
    one, other = chain("a", "b")
    durable.queue.add(one)
    durable.work()
    durable.queue.due()
    durable.queue.add(other)
    durable.queue.settle(number(durable.queue, 1), Settled(7, "e"))
    durable.work()
    assert numbers(durable.queue) == []
    durable.work()
    assert numbers(durable.queue) == [("b", 2)]
    assert [writes_of(row.message)[0].base_version for row in durable.store.load().rows[1:]] == [7]
