"""Facts about `rhtmx.core.write_outcomes`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rhtmx.core import build_message
from rhtmx.core.conflict_log import removal
from rhtmx.core.events import Answered, Conflicted, Event, Refused, Rejected, TokenNeeded
from rhtmx.core.queued_write import QueuedWrite
from rhtmx.core.storage_ops import Image, PendingOps, StoredRejection, StoredWrite
from rhtmx.core.write_outcomes import _MOST_REJECTED, WriteOutcomes
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    ChangeAction,
    FieldConflict,
    FieldPushAck,
    Push,
    PushAck,
    PushFields,
    Winner,
)

MICRO = timedelta(microseconds=1)
FULL = RhtmxError(ErrorCode.STORAGE_FULL, "the disk is full")


class Told:
    """What was told."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def kinds(self) -> list[type[Event]]:
        kinds = [type(each) for each in self.events]
        self.events.clear()
        return kinds


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def writes(told: Told) -> WriteOutcomes:
    writes = WriteOutcomes(PendingOps(), lambda: 0.5, told.events.append)
    writes.begin(0, "e")
    return writes


def write(writes: WriteOutcomes, *names: str) -> None:
    for name in names:
        writes.add(QueuedWrite(name, Push("tasks", name, ChangeAction.UPDATE, b"1")))


def due(writes: WriteOutcomes) -> list[tuple[str, int]]:
    return [(row.id, row.seq) for row in writes.due()]


def refusal(code: ErrorCode, seq: int | None, **more: object) -> RhtmxError:
    return RhtmxError(code, "no", seq=seq, **more)  # type: ignore[arg-type]


def acknowledge(writes: WriteOutcomes, seq: int) -> None:
    writes.answered(PushAck("tasks", "1", version=seq, seq=seq), "e")


def test_an_answer_ends_a_write_once(writes: WriteOutcomes, told: Told) -> None:
    write(writes, "a")
    due(writes)
    acknowledge(writes, 1)
    acknowledge(writes, 1)
    assert told.kinds() == [Answered]
    assert len(writes.queue) == 0


def test_an_answer_without_a_number_is_found_by_its_id(writes: WriteOutcomes, told: Told) -> None:
    write(writes, "a")
    writes.answered(PushAck("tasks", "a", request_id="a", version=1), "e")
    assert told.kinds() == [Answered]


def test_conflicts_are_told_with_the_answer_and_once(writes: WriteOutcomes, told: Told) -> None:
    writes.add(QueuedWrite("a", PushFields("tasks", "1")))
    conflict = FieldConflict("tasks", "1", "title", seq=1)
    writes.conflict(conflict)
    writes.begin(0, "e")
    writes.conflict(conflict)
    assert told.kinds() == []
    writes.answered(FieldPushAck("tasks", "1", 0, 1, seq=1, version=1), "e")
    assert told.kinds() == [Answered, Conflicted]


@pytest.mark.parametrize(
    "code", [ErrorCode.STORAGE_FULL, ErrorCode.TOO_MANY_REQUESTS, ErrorCode.SHUTTING_DOWN]
)
def test_what_may_pass_is_sent_again_with_all_after_it(
    writes: WriteOutcomes, told: Told, code: ErrorCode
) -> None:
    write(writes, "a", "b", "c")
    due(writes)
    acknowledge(writes, 1)
    assert writes.refuse(refusal(code, 2), 10)
    gap = refusal(ErrorCode.OUT_OF_ORDER, 3, details=b'{"last_seq":1}')
    assert writes.refuse(gap, 10)
    assert writes.hold.until == 10.5
    writes.hold.tick(10.4)
    assert due(writes) == []
    writes.hold.tick(10.5)
    assert due(writes) == [("b", 2), ("c", 3)]
    assert told.kinds() == [Answered]


def test_the_wait_grows_until_a_write_succeeds(writes: WriteOutcomes) -> None:
    write(writes, "a", "b")
    waits = []
    for seq in (1, 1, 1, 2):
        due(writes)
        if seq == 2:
            acknowledge(writes, 1)
        writes.refuse(refusal(ErrorCode.STORAGE_FULL, seq), 0)
        waits.append(writes.hold.until)
        writes.hold.tick(100)
    assert waits == [0.5, 1, 2, 0.5]


def test_an_expired_token_keeps_everything(writes: WriteOutcomes, told: Told) -> None:
    write(writes, "a", "b")
    due(writes)
    for seq in (1, 2):
        writes.refuse(refusal(ErrorCode.UNAUTHENTICATED, seq), 0)
    assert told.kinds() == [TokenNeeded]
    assert due(writes) == []
    writes.authenticated()
    assert due(writes) == [("a", 1), ("b", 2)]


def test_a_final_refusal_is_kept_and_blocks_nothing(writes: WriteOutcomes, told: Told) -> None:
    write(writes, "a", "b")
    due(writes)
    writes.refuse(refusal(ErrorCode.FORBIDDEN, 1), 0)
    assert told.kinds() == [Refused, Rejected]
    assert list(writes.rejected) == ["a"]
    acknowledge(writes, 2)
    assert len(writes.queue) == 0
    writes.discard("a")
    writes.discard("a")
    assert writes.rejected == {}


def test_a_final_refusal_counts_even_where_the_write_was_to_be_sent_again(
    writes: WriteOutcomes, told: Told
) -> None:
    write(writes, "a", "b")
    due(writes)
    writes.refuse(refusal(ErrorCode.STORAGE_FULL, 1), 0)
    writes.refuse(refusal(ErrorCode.FORBIDDEN, 2), 0)
    assert list(writes.rejected) == ["b"]


def test_a_number_confirmed_long_ago_is_a_final_refusal(writes: WriteOutcomes) -> None:
    write(writes, "a")
    due(writes)
    writes.refuse(refusal(ErrorCode.OUT_OF_ORDER, 1, details=b'{"last_seq":9}'), 0)
    assert list(writes.rejected) == ["a"]


def test_what_is_said_of_a_numbers_former_owner_moves_nothing(writes: WriteOutcomes) -> None:
    write(writes, "a")
    due(writes)
    late = refusal(ErrorCode.OUT_OF_ORDER, 1, request_id="other", details=b'{"last_seq":0}')
    assert writes.refuse(late, 0)
    assert due(writes) == []


def test_a_number_that_no_write_has_any_more_is_nobodys_business(writes: WriteOutcomes) -> None:
    assert writes.refuse(refusal(ErrorCode.FORBIDDEN, 9), 0)
    assert not writes.refuse(refusal(ErrorCode.FORBIDDEN, None), 0)


def test_without_a_store_refused_writes_do_not_grow_without_end(writes: WriteOutcomes) -> None:
    for number in range(_MOST_REJECTED + 1):
        write(writes, str(number))
        writes.refuse(refusal(ErrorCode.FORBIDDEN, number + 1), 0)
    assert len(writes.rejected) == _MOST_REJECTED
    assert "0" not in writes.rejected


# With a store.


@pytest.fixture
def durable(told: Told) -> WriteOutcomes:
    pending_ops = PendingOps()
    pending_ops.durable = True
    writes = WriteOutcomes(pending_ops, lambda: 0.5, told.events.append)
    message = Push("tasks", "r", ChangeAction.UPDATE, b"1")
    refused = StoredRejection("r", message, ErrorCode.FORBIDDEN, "no")
    writes.load(Image("c", last=4, rejected=[refused]))
    return writes


def test_a_write_that_cannot_be_stored_is_taken_back(durable: WriteOutcomes, told: Told) -> None:
    write(durable, "a")
    (add,) = durable._pending_ops.take().adds
    durable.not_added(add, FULL)
    assert told.kinds() == [Refused]
    assert (len(durable.queue), durable.queue.last) == (0, 4)


def test_a_refused_write_comes_back_if_its_second_try_cannot_be_stored(
    durable: WriteOutcomes,
) -> None:
    message = durable.rejected["r"].message
    durable.add(QueuedWrite("again", message), instead="r")
    assert durable.rejected == {}
    (add,) = durable._pending_ops.take().adds
    assert add.instead == "r"
    durable.not_added(add, FULL)
    assert list(durable.rejected) == ["r"]
    durable.add(QueuedWrite("once more", message), instead="r")
    (add,) = durable._pending_ops.take().adds
    durable.added(add, 5)
    assert durable.rejected == {}


def test_a_write_that_only_needs_another_number_is_never_given_up(
    durable: WriteOutcomes, told: Told
) -> None:
    write(durable, "a")
    (add,) = durable._pending_ops.take().adds
    durable.added(add, 5)
    durable.begin(5, "e")
    assert due(durable) == [("a", 5)]
    durable.refuse(refusal(ErrorCode.SEQ_REUSED, 5), 0)
    (add,) = durable._pending_ops.take().adds
    durable.not_added(add, FULL)
    (add,) = durable._pending_ops.take().adds
    durable.added(add, 6)
    assert due(durable) == [("a", 6)]
    assert told.kinds() == []


def test_what_waited_before_goes_on(told: Told) -> None:
    writes = WriteOutcomes(PendingOps(), lambda: 0.5, told.events.append)
    rows = [StoredWrite("a", 4, Push("tasks", "1", ChangeAction.UPDATE, b"1"))]
    writes.load(Image("c", last=4, rows=rows))
    writes.begin(3, "e")
    assert due(writes) == [("a", 4)]


def test_after_a_restart_the_next_time_is_later_than_those_of_the_writes_that_wait(
    writes: WriteOutcomes,
) -> None:
    noon = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
    push = Push("tasks", "1", ChangeAction.UPDATE, b"1")
    rows = [StoredWrite(f"{n}", n, push, since=(noon + n * MICRO).timestamp()) for n in (2, 3)]
    writes.load(Image("c", 3, rows))
    assert writes.time(noon - timedelta(days=365)) == noon + 4 * MICRO


def test_a_clock_that_was_set_far_back_is_followed_once_everything_is_answered(
    writes: WriteOutcomes,
) -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert writes.time(noon) == noon
    write(writes, "a")
    writes.due()
    early = noon - timedelta(days=365)
    assert writes.time(early) == noon + MICRO
    writes.answered(PushAck("tasks", "a", version=1, seq=1), "e")
    assert writes.time(early) == early


def test_an_answer_about_a_write_that_was_never_sent_is_about_nothing(
    durable: WriteOutcomes, told: Told
) -> None:
    write(durable, "a")
    durable.answered(PushAck("tasks", "a", request_id="a", version=1), "e")
    durable.refuse(RhtmxError(ErrorCode.FORBIDDEN, "no", request_id="a"), 0)
    assert [row.id for row in durable.queue] == ["a"]
    assert durable.queue.confirmed == 4
    assert told.kinds() == []


AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_that_a_conflict_is_answered_is_not_kept_if_somebody_was_faster(
    writes: WriteOutcomes, told: Told
) -> None:
    writes.add(QueuedWrite("a", removal("tasks", "1", 12, AT)))
    due(writes)
    revision = writes.revision
    writes.refuse(refusal(ErrorCode.CONFLICT, 1), 0)
    assert told.kinds() == [Refused]
    assert (writes.rejected, len(writes.queue)) == ({}, 0)
    assert writes.revision != revision


def test_that_a_conflict_is_answered_is_kept_if_it_was_rejected_for_another_reason(
    writes: WriteOutcomes, told: Told
) -> None:
    writes.add(QueuedWrite("a", removal("tasks", "1", 12, AT)))
    due(writes)
    writes.refuse(refusal(ErrorCode.FORBIDDEN, 1), 0)
    assert told.kinds() == [Refused, Rejected]
    assert list(writes.rejected) == ["a"]


def test_a_null_that_has_won_shows_as_null_and_a_deletion_as_nothing(
    writes: WriteOutcomes,
) -> None:
    message = build_message.push_fields("tasks", "1", {"a": 1, "b": 2}, [], None, AT)
    writes.add(QueuedWrite("a", message))
    due(writes)
    for name, deleted in (("a", False), ("b", True)):
        won = FieldConflict("tasks", "1", name, server_deleted=deleted, seq=1)
        won.winner = Winner.SERVER
        writes.conflict(won)
    (row,) = writes.answered(FieldPushAck("tasks", "1", 0, 2, seq=1, version=3), "e")
    assert row.settled is not None
    assert row.settled.lost == {"a": b"null", "b": None}
