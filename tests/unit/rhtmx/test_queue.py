"""Facts about `rhtmx.queue`."""

from __future__ import annotations

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import ChangeAction, FieldConflict, Push
from rhtmx.queue import MemoryQueue, Mutation, Mutations


def write(name: str, seq: int | None = None) -> Push:
    return Push("tasks", name, ChangeAction.UPDATE, b"1", request_id=name, seq=seq)


def refusal(code: ErrorCode, name: str, seq: int, details: bytes | None = None) -> RhtmxError:
    return RhtmxError(code, "no", request_id=name, seq=seq, details=details)


def numbers(mutations: Mutations) -> list[tuple[str | None, int | None]]:
    return [(each.request_id, each.seq) for each in mutations.due()]


@pytest.fixture
def queue() -> MemoryQueue:
    return MemoryQueue()


@pytest.fixture
def mutations(queue: MemoryQueue) -> Mutations:
    return Mutations(queue, random=lambda: 0.5)


def test_numbers_go_on_from_the_servers_last(mutations: Mutations) -> None:
    mutations.add(write("a"))
    mutations.begin(settled=7)
    mutations.add(write("b"))
    assert numbers(mutations) == [("a", 8), ("b", 9)]


def test_what_is_sent_is_not_due_again(mutations: Mutations) -> None:
    mutations.begin(0)
    mutations.add(write("a"))
    assert numbers(mutations) == [("a", 1)]
    assert numbers(mutations) == []


def test_everything_unanswered_is_sent_again_under_its_number(mutations: Mutations) -> None:
    mutations.begin(0)
    for name in "abc":
        mutations.add(write(name))
    assert len(numbers(mutations)) == 3
    assert mutations.answered("a") == []
    mutations.begin(settled=2)
    assert numbers(mutations) == [("b", 2), ("c", 3)]


def test_a_server_that_forgot_numbers_gets_new_ones(mutations: Mutations) -> None:
    mutations.begin(5)
    for name in "ab":
        mutations.add(write(name))
    assert numbers(mutations) == [("a", 6), ("b", 7)]
    mutations.begin(settled=2)
    assert numbers(mutations) == [("a", 3), ("b", 4)]


def test_a_write_leaves_the_queue_with_its_answer_only(
    mutations: Mutations, queue: MemoryQueue
) -> None:
    mutations.begin(0)
    mutations.add(write("a"))
    assert [each.seq for each in queue] == [None]
    numbers(mutations)
    assert [each.seq for each in queue] == [1]
    assert mutations.answered("a") == []
    assert list(queue) == []
    assert mutations.answered("a") is None


def test_what_a_queue_kept_is_sent_first(queue: MemoryQueue) -> None:
    kept: list[Mutation] = [write("a", 4), write("b", 5)]
    for each in kept:
        queue.put(each)
    mutations = Mutations(queue, random=lambda: 0.5)
    assert mutations.confirmed == 3
    mutations.begin(settled=4)
    mutations.add(write("c"))
    assert numbers(mutations) == [("a", 4), ("b", 5), ("c", 6)]


def test_answers_are_confirmed_up_to_the_first_that_waits(mutations: Mutations) -> None:
    assert mutations.confirmed is None
    mutations.begin(7)
    assert mutations.confirmed == 7
    mutations.add(write("a"))
    mutations.add(write("b"))
    numbers(mutations)
    assert mutations.confirmed == 7
    mutations.answered("a")
    assert mutations.confirmed == 8


def test_conflicts_come_with_the_answer_of_their_write(mutations: Mutations) -> None:
    mutations.begin(0)
    mutations.add(write("a"))
    mutations.add(write("b"))
    numbers(mutations)
    conflict = FieldConflict("tasks", "b", "title", seq=2)
    mutations.conflict(conflict)
    assert mutations.answered("a") == []
    assert mutations.answered("b") == [conflict]


def test_conflicts_of_a_lost_connection_are_not_counted_twice(mutations: Mutations) -> None:
    mutations.begin(0)
    mutations.add(write("a"))
    numbers(mutations)
    conflict = FieldConflict("tasks", "a", "title", seq=1)
    mutations.conflict(conflict)
    mutations.begin(1)
    mutations.conflict(conflict)
    assert mutations.answered("a") == [conflict]


def test_a_rejected_write_is_final_and_blocks_nothing(mutations: Mutations) -> None:
    mutations.begin(0)
    mutations.add(write("a"))
    mutations.add(write("b"))
    numbers(mutations)
    assert mutations.refused(refusal(ErrorCode.CONFLICT, "a", 1), now=0) is True
    assert mutations.answered("b") == []


@pytest.mark.parametrize("code", [ErrorCode.STORAGE_FULL, ErrorCode.STORAGE_FAILED])
def test_a_write_that_the_store_did_not_take_is_sent_again_with_all_after_it(
    mutations: Mutations, code: ErrorCode
) -> None:
    mutations.begin(0)
    for name in "abc":
        mutations.add(write(name))
    numbers(mutations)
    mutations.answered("a")
    assert mutations.refused(refusal(code, "b", 2), now=10) is False
    assert mutations.refused(refusal(ErrorCode.OUT_OF_ORDER, "c", 3), now=10) is False
    assert mutations.retry_at == 10.5
    mutations.tick(10.4)
    assert numbers(mutations) == []
    mutations.tick(10.5)
    assert numbers(mutations) == [("b", 2), ("c", 3)]


def test_the_wait_grows_until_a_write_succeeds(mutations: Mutations) -> None:
    mutations.begin(0)
    mutations.add(write("a"))
    waits = []
    for _ in range(3):
        numbers(mutations)
        mutations.refused(refusal(ErrorCode.STORAGE_FULL, "a", 1), now=0)
        assert mutations.retry_at is not None
        waits.append(mutations.retry_at)
        mutations.tick(100)
    numbers(mutations)
    mutations.answered("a")
    mutations.add(write("b"))
    numbers(mutations)
    mutations.refused(refusal(ErrorCode.STORAGE_FULL, "b", 2), now=0)
    assert [*waits, mutations.retry_at] == [0.5, 1, 2, 0.5]


def test_a_gap_is_closed_by_new_numbers(mutations: Mutations) -> None:
    mutations.begin(5)
    mutations.add(write("a"))
    numbers(mutations)
    gap = refusal(ErrorCode.OUT_OF_ORDER, "a", 6, b'{"last_seq":3}')
    assert mutations.refused(gap, now=0) is False
    assert numbers(mutations) == [("a", 4)]


def test_what_is_said_of_an_old_number_is_not_about_the_new_one(mutations: Mutations) -> None:
    mutations.begin(5)
    mutations.add(write("a"))
    mutations.add(write("b"))
    numbers(mutations)
    mutations.refused(refusal(ErrorCode.OUT_OF_ORDER, "a", 6, b'{"last_seq":3}'), now=0)
    assert numbers(mutations) == [("a", 4), ("b", 5)]
    late = refusal(ErrorCode.OUT_OF_ORDER, "b", 7, b'{"last_seq":3}')
    assert mutations.refused(late, now=0) is False
    assert numbers(mutations) == []


def test_a_number_confirmed_long_ago_is_a_final_refusal(mutations: Mutations) -> None:
    mutations.begin(0)
    mutations.add(write("a"))
    numbers(mutations)
    old = refusal(ErrorCode.OUT_OF_ORDER, "a", 1, b'{"last_seq":9}')
    assert mutations.refused(old, now=0) is True


def test_the_refusal_of_something_else_is_not_taken(mutations: Mutations) -> None:
    assert mutations.refused(refusal(ErrorCode.CONFLICT, "x", 1), now=0) is None
