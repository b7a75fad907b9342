"""Transactions of a client: one write in the queue, several on the screen, apart once answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from rhtmx.core import build_message
from rhtmx.core.events import Answered, Conflicted, Event, Refused, Rejected
from rhtmx.core.granularity import Granularity
from rhtmx.core.overlay import Overlay
from rhtmx.core.queued_write import QueuedWrite, WriteState
from rhtmx.core.replica import Replica
from rhtmx.core.storage_ops import DropWrite, PendingOps, PutWrite, keep
from rhtmx.core.transactions import TransactionWrites, without_base
from rhtmx.core.write_outcomes import WriteOutcomes
from rhtmx.core.write_queue import WriteQueue
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    FieldConflict,
    MergeStrategy,
    Transaction,
    TransactionAck,
    Winner,
    WriteResult,
)
from rhtmx.stores.memory import MemoryStore
from rhtmx.values.field_operations import Increment
from rhtmx.values.results import FieldPushResult, PushResult, TransactionResult
from rhtmx.values.transaction_writes import transaction_of, writes_of

AT = datetime(2026, 11, 29, 10, 0, tzinfo=UTC)


def writes() -> TransactionWrites:
    return TransactionWrites(lambda: AT, lambda entity, entity_id: 4 if entity == "stock" else None)


def order() -> Transaction:
    """An order with one line of it, out of the stock."""
    both = writes()
    both.set("orders", "7", {"lines": 1}, base_version=0)
    both.patch("stock", "tea", {"left": Increment(-1)})
    both.patch("orders", "7", {"paid": False})
    return both.message()


def acknowledged(*versions: int) -> TransactionAck:
    results = [WriteResult("orders", "7", versions[0])]
    results += [WriteResult("stock", "tea", versions[1], applied=1)]
    results += [WriteResult("orders", "7", versions[2], applied=1)]
    return TransactionAck("t1", results, seq=1, epoch="e", server_time=AT)


class Client:
    """The writes of one client, with a store."""

    def __init__(self, *, durable: bool = True) -> None:
        self.store = MemoryStore("me")
        self.told: list[Event] = []
        self.pending_ops = PendingOps()
        self.pending_ops.durable = durable
        self.writes = WriteOutcomes(self.pending_ops, lambda: 0.0, self.told.append)

    @property
    def queue(self) -> WriteQueue:
        return self.writes.queue

    def write(self, message: Transaction) -> QueuedWrite:
        row = QueuedWrite("r", message, epoch="e", since=1.0)
        self.writes.add(row)
        self.keep()
        return row

    def keep(self) -> None:
        while self.pending_ops:
            batch = self.pending_ops.take()
            outcome = keep(self.store, batch)
            self.writes.stored(outcome.stored)
            for add, seq in outcome.added:
                self.writes.added(add, seq)


def test_fields_may_be_written_only_if_they_are_unchanged_since_what_was_seen() -> None:
    both = writes()
    both.patch("stock", "tea", {"left": 3}, if_unchanged=True)
    both.patch("orders", "7", {"paid": True}, base_version=2, if_unchanged=True)
    both.patch("orders", "8", {"paid": True})
    message = both.message()
    conditions = [(each.base_version, each.if_unchanged) for each in message.writes]
    assert conditions == [(4, True), (2, True), (None, None)]
    assert [each.if_unchanged for each in writes_of(message)] == [True, True, None]  # type: ignore[union-attr]


def test_a_transaction_names_each_write_with_what_its_author_has_seen() -> None:
    message = order()
    assert [(each.entity, each.base_version, each.action is None) for each in message.writes] == [
        ("orders", 0, False),
        ("stock", 4, True),
        ("orders", None, True),
    ]
    assert [type(each).__name__ for each in writes_of(message)] == [
        "Push",
        "PushFields",
        "PushFields",
    ]


@pytest.mark.parametrize("count", [0, 501])
def test_no_write_and_more_than_500_are_refused_at_once(count: int) -> None:
    push = build_message.push("orders", "7", 1, None)
    with pytest.raises(RhtmxError, match=f"1 to 500 writes expected, got {count}"):
        transaction_of([push] * count)


def test_what_one_of_its_writes_says_is_checked_when_it_is_made() -> None:
    with pytest.raises(RhtmxError) as caught:
        writes().patch("stock", "tea", {"left": Increment("many")})
    assert caught.value.code is ErrorCode.BAD_MESSAGE


def test_it_is_one_write_in_the_queue_under_each_of_its_records_once() -> None:
    client = Client()
    row = client.write(order())
    assert len(client.queue) == 1
    assert client.queue.of("orders", "7") == [row]
    assert client.queue.of("stock", "tea") == [row]
    (sent,) = client.queue.due()
    message = sent.numbered()
    assert isinstance(message, Transaction)
    assert (message.seq, message.request_id) == (1, "r")


def test_an_operation_in_it_is_in_doubt_for_each_of_its_entities_until_it_is_answered() -> None:
    client = Client()
    client.write(order())
    client.queue.due()
    assert client.queue.doubtful("stock") == client.queue.doubtful("orders") == (1, 1)
    client.writes.answered(acknowledged(1, 5, 2), "e")
    assert client.queue.doubtful("stock") is client.queue.doubtful("orders") is None


def test_once_answered_each_of_its_writes_waits_for_its_own_change() -> None:
    client = Client()
    client.write(order())
    client.queue.due()
    rows = client.writes.answered(acknowledged(1, 5, 2), "e")
    assert [row.state for row in rows] == [WriteState.SETTLED] * 3
    assert [row.settled.version for row in rows if row.settled] == [1, 5, 2]
    assert client.queue.of("stock", "tea") == [rows[1]]
    assert client.queue.of("orders", "7") == [rows[0], rows[2]]
    assert [type(event) for event in client.told] == [Answered]
    client.queue.drop(rows[1])
    assert client.queue.of("stock", "tea") == []


def test_what_was_written_later_stays_on_top_of_what_is_answered() -> None:
    client = Client()
    row = client.write(order())
    later = QueuedWrite("s", build_message.push("orders", "7", {"lines": 2}, None))
    client.writes.add(later)
    client.keep()
    overlay = shown(client, "orders")
    client.queue.due()
    first, _, last = client.writes.answered(acknowledged(1, 5, 2), "e")
    assert client.queue.of("orders", "7") == [first, last, later]
    assert row not in client.queue.of("orders", "7")
    shows = overlay.get("7")
    assert shows is not None
    assert shows.data == {"lines": 2}


def test_the_store_has_the_transaction_or_its_answered_writes() -> None:
    client = Client()
    client.write(order())
    assert [each.message for each in client.store.load().rows] == [order()]
    client.queue.due()
    client.writes.answered(acknowledged(1, 5, 2), "e")
    assert client.queue.confirmed == 0
    batch = client.pending_ops.take()
    kinds = [type(op) for op in batch.ops.values()]
    assert sorted(kinds, key=str) == [DropWrite, PutWrite, PutWrite, PutWrite]
    keep(client.store, batch)
    kept = client.store.load().rows
    assert [each.settled.version for each in kept if each.settled] == [1, 2, 5]
    again = WriteQueue(PendingOps())
    again.load(kept, 1)
    assert len(again.of("orders", "7")) == 2
    assert len(again) == 0


def shown(client: Client, entity: str) -> Overlay:
    return Overlay(Replica(entity, Granularity.RECORDS, client.pending_ops), client.queue)


def test_all_of_it_shows_from_the_call_on_in_the_order_of_its_writes() -> None:
    client = Client()
    client.write(order())
    order_ = shown(client, "orders").get("7")
    stock = shown(client, "stock").get("tea")
    assert order_ is not None
    assert (order_.data, order_.pending) == ({"lines": 1, "paid": False}, True)
    assert stock is not None
    assert stock.data == {"left": -1}


def conflict(entity: str, entity_id: str, field: str) -> FieldConflict:
    return FieldConflict(
        entity,
        entity_id,
        field,
        server_value=b"true",
        server_timestamp=AT,
        client_timestamp=AT,
        version=2,
        winner=Winner.SERVER,
        strategy=MergeStrategy.LAST_WRITE_WINS,
        seq=1,
    )


def test_a_conflict_is_told_of_the_write_that_it_is_about() -> None:
    client = Client()
    client.write(order())
    client.queue.due()
    client.writes.conflict(conflict("orders", "7", "paid"))
    rows = client.writes.answered(acknowledged(1, 5, 2), "e")
    assert [row.settled.lost for row in rows if row.settled] == [{}, {}, {"paid": b"true"}]
    (told,) = [event for event in client.told if isinstance(event, Conflicted)]
    assert (told.conflict.entity_id, told.conflict.field) == ("7", "paid")
    order_ = shown(client, "orders").get("7")
    assert order_ is not None
    assert order_.data == {"lines": 1, "paid": True}


def test_what_came_of_it_is_told_for_each_write() -> None:
    conflicts = [conflict("orders", "7", "paid")]
    result = TransactionResult.of(order(), acknowledged(1, 5, 2), conflicts)
    assert [type(each) for each in result.results] == [PushResult, FieldPushResult, FieldPushResult]
    assert [each.version for each in result.results] == [1, 5, 2]
    assert [each.field for each in result.conflicts] == ["paid"]
    assert result.transaction == "t1"


def test_an_answer_without_a_result_for_each_write_is_none() -> None:
    client = Client()
    client.write(order())
    client.queue.due()
    answer = TransactionAck("t1", [WriteResult("orders", "7", 1)], seq=1, server_time=AT)
    with pytest.raises(RhtmxError, match="a result for each of its 3 writes expected, got 1"):
        client.writes.answered(answer, "e")


def test_it_is_rejected_as_a_whole_and_can_be_tried_again() -> None:
    client = Client()
    row = client.write(order())
    client.queue.due()
    details = b'{"writes":[{"index":0,"code":"conflict","message":"moved on"}]}'
    error = RhtmxError(ErrorCode.CONFLICT, "moved on", seq=1, details=details)
    assert client.writes.refuse(error, 0.0)
    assert [type(event) for event in client.told] == [Refused, Rejected]
    assert client.writes.rejected["r"].message == row.message
    assert client.queue.of("orders", "7") == client.queue.of("stock", "tea") == []


def test_what_it_is_based_on_counts_no_more_in_another_store() -> None:
    client = Client()
    client.write(order())
    client.queue.begin(0, "another")
    (row,) = client.queue
    assert bases(row.message) == [0, None, None]  # that there is none, is true of any store
    assert row.epoch is None
    assert bases(order()) == [0, 4, None]
    assert bases(without_base(order())) == [0, None, None]


def bases(message: object) -> Sequence[int | None]:
    assert isinstance(message, Transaction)
    return [each.base_version for each in message.writes]
