"""Facts about `rhtmx_server.threads`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial

import pytest

from rhtmx_server.threads import DaemonPool, Job, NoThreadError, PoolSet

ME, OTHER, THIRD = "me", "other", "third"


class Busy:
    """Work that holds its thread until it is let go.

    Attributes:
        begun: who has begun, in that order.
    """

    def __init__(self, pool: DaemonPool) -> None:
        self._pool = pool
        self._gates: list[threading.Event] = []
        self._news = threading.Condition()
        self.begun: list[str] = []

    def submit(self, owner: str) -> Job[None]:
        gate = threading.Event()
        self._gates.append(gate)

        def work() -> None:
            with self._news:
                self.begun.append(owner)
                self._news.notify_all()
            gate.wait(30)

        return self._pool.submit(owner, work)

    def wait_until_begun(self, count: int) -> None:
        with self._news:
            assert self._news.wait_for(lambda: len(self.begun) >= count, 10), self.begun

    def let_go(self, *numbers: int) -> None:
        """Let work return, by its place in the order of submission; all without numbers."""
        for number in numbers or range(len(self._gates)):
            self._gates[number].set()


@pytest.fixture
def pool() -> Iterator[DaemonPool]:
    pool = DaemonPool(4, "fixture")
    yield pool
    pool.shutdown(wait=False, cancel_futures=True)


@pytest.fixture
def busy(pool: DaemonPool) -> Iterator[Busy]:
    busy = Busy(pool)
    yield busy
    busy.let_go()


def test_work_runs_in_a_thread_and_its_result_comes_back() -> None:
    pool = DaemonPool(1, "worker")
    assert pool.submit(ME, lambda: threading.current_thread().name).result(5) == "worker-0"
    pool.shutdown()


def test_an_exception_comes_back() -> None:
    pool = DaemonPool(1)
    with pytest.raises(ZeroDivisionError):
        pool.submit(ME, lambda: 1 / 0).result(5)
    pool.shutdown()


def test_at_most_so_many_run_at_a_time() -> None:
    pool, gate, running = DaemonPool(2), threading.Event(), threading.Semaphore(0)

    def work() -> bool:
        running.release()
        return gate.wait(5)

    jobs = [pool.submit(n, work) for n in range(3)]
    assert running.acquire(timeout=60)
    assert running.acquire(timeout=60)
    assert not jobs[2].running()
    gate.set()
    assert all(job.result(5) for job in jobs)
    pool.shutdown()


def test_an_idle_thread_is_used_again() -> None:
    pool = DaemonPool(1000, "reused")
    for _ in range(100):
        pool.submit(ME, lambda: None).result(5)
    assert sum(thread.name.startswith("reused") for thread in threading.enumerate()) < 100
    pool.shutdown()


def test_work_that_was_cancelled_before_it_began_never_runs() -> None:
    pool, gate, ran = DaemonPool(1), threading.Event(), list[int]()
    first = pool.submit(ME, lambda: gate.wait(5))
    second = pool.submit(ME, lambda: ran.append(1))
    assert second.cancel()
    gate.set()
    first.result(5)
    pool.shutdown()
    assert ran == []


def test_shutdown_waits_for_what_was_given() -> None:
    pool, done = DaemonPool(1), list[int]()
    for n in range(10):
        pool.submit(ME, partial(done.append, n))
    pool.shutdown()
    assert done == list(range(10))


def test_shutdown_can_drop_what_has_not_begun() -> None:
    pool, gate, begun = DaemonPool(1), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        gate.wait(5)

    pool.submit(ME, work)
    assert begun.wait(5)
    waiting = pool.submit(ME, lambda: None)
    pool.shutdown(wait=False, cancel_futures=True)
    assert waiting.cancelled()
    gate.set()


def test_no_work_is_taken_after_shutdown() -> None:
    pool = DaemonPool(1)
    pool.shutdown()
    with pytest.raises(RuntimeError, match="was shut down"):
        pool.submit(ME, lambda: None)


def test_no_thread_is_waited_for_at_the_end_of_the_process() -> None:
    pool = DaemonPool(1)
    assert pool.submit(ME, threading.current_thread).result(5).daemon
    pool.shutdown()


def test_one_owner_leaves_half_of_the_threads_to_the_others(pool: DaemonPool, busy: Busy) -> None:
    for _ in range(60):
        busy.submit(ME)
    busy.wait_until_begun(2)
    assert pool.submit(OTHER, lambda: "at once").result(10) == "at once"
    assert busy.begun == [ME, ME]


def test_of_an_odd_number_of_threads_an_owner_has_the_larger_half() -> None:
    pool = DaemonPool(3)
    busy = Busy(pool)
    for _ in range(3):
        busy.submit(ME)
    busy.wait_until_begun(2)
    assert pool.submit(OTHER, lambda: True).result(10)
    assert len(busy.begun) == 2
    busy.let_go()
    pool.shutdown()


def test_a_single_thread_serves_everybody_in_turn() -> None:
    pool = DaemonPool(1)
    busy = Busy(pool)
    for owner in (ME, ME, ME, OTHER):
        busy.submit(owner)
    busy.wait_until_begun(1)
    busy.let_go()
    pool.shutdown()
    assert busy.begun == [ME, OTHER, ME, ME]


def test_owners_take_turns_however_much_each_of_them_has(pool: DaemonPool, busy: Busy) -> None:
    for owner in (ME, ME, OTHER, OTHER):
        busy.submit(owner)
    busy.wait_until_begun(4)
    for _ in range(60):
        busy.submit(ME)
    busy.submit(THIRD)
    busy.submit(OTHER)
    busy.let_go(0)
    busy.wait_until_begun(5)
    busy.let_go(2)
    busy.wait_until_begun(6)
    assert busy.begun[4:] == [THIRD, ME]


def test_a_thread_that_is_free_again_takes_more_of_the_same_owner(
    pool: DaemonPool, busy: Busy
) -> None:
    jobs = [busy.submit(ME) for _ in range(5)]
    busy.let_go()
    for job in jobs:
        job.result(10)
    assert busy.begun == [ME] * 5


def test_work_that_was_given_up_before_it_began_is_forgotten_at_once(
    pool: DaemonPool, busy: Busy
) -> None:
    for _ in range(2):
        busy.submit(ME)
    busy.wait_until_begun(2)
    for _ in range(1000):
        assert not pool.give_up(busy.submit(ME))
    assert pool._rotation.waiting == 0
    busy.let_go()
    assert pool.submit(ME, lambda: True).result(10)
    assert busy.begun == [ME, ME]


def test_work_that_was_given_up_counts_for_its_owner_until_it_returns(
    pool: DaemonPool, busy: Busy
) -> None:
    hung = [busy.submit(ME) for _ in range(2)]
    busy.wait_until_begun(2)
    assert all(pool.give_up(job) for job in hung)
    waiting = pool.submit(ME, lambda: True)
    assert pool.submit(OTHER, lambda: True).result(10)
    assert not waiting.done()
    busy.let_go(0)
    assert waiting.result(10)


def test_another_thread_takes_the_place_of_one_whose_work_was_given_up(
    pool: DaemonPool, busy: Busy
) -> None:
    """Of two owners that make half of the threads hang each, none makes the others wait."""
    hung = [busy.submit(owner) for owner in (ME, ME, OTHER, OTHER)]
    busy.wait_until_begun(4)
    waiting = busy.submit(THIRD)
    assert all(pool.give_up(job) for job in hung)
    busy.wait_until_begun(5)
    busy.let_go()
    waiting.result(10)


def test_there_are_no_more_threads_than_before_once_the_lost_ones_return(
    pool: DaemonPool, busy: Busy
) -> None:
    hung = [busy.submit(str(n)) for n in range(4)]
    busy.wait_until_begun(4)
    for job in hung:
        pool.give_up(job)
    more = [busy.submit(str(n)) for n in range(4, 8)]
    busy.wait_until_begun(8)
    busy.let_go()
    for job in (*hung, *more):
        job.result(10)
    for n in range(100):  # whoever is one too many has looked for work by now
        pool.submit(str(n), lambda: None).result(10)
    pool.shutdown()
    assert len([job for job in (*hung, *more) if job.done()]) == 8
    assert pool._threads == set()


def test_when_every_thread_hangs_work_is_refused_until_one_returns(
    pool: DaemonPool, busy: Busy
) -> None:
    hung = []
    for n in range(8):
        hung.append(busy.submit(str(n)))
        busy.wait_until_begun(n + 1)
        assert not pool.exhausted
        assert pool.give_up(hung[-1])
    assert pool.exhausted
    with pytest.raises(NoThreadError):
        pool.submit(OTHER, lambda: True)
    busy.let_go(0)
    hung[0].result(10)
    assert not pool.exhausted
    assert pool.submit(OTHER, lambda: True).result(10)


def test_giving_up_what_is_done_loses_no_thread(pool: DaemonPool) -> None:
    job = pool.submit(ME, lambda: True)
    job.result(10)
    assert not pool.give_up(job)
    assert not pool.exhausted


def test_nothing_is_kept_of_an_owner_that_is_served(pool: DaemonPool) -> None:
    jobs = [pool.submit(f"owner {n}", lambda: None) for n in range(1000)]
    for job in jobs:
        job.result(10)
    pool.shutdown()
    assert pool._rotation.empty


def test_shutdown_drops_also_what_its_owner_has_no_turn_for(pool: DaemonPool, busy: Busy) -> None:
    jobs = [busy.submit(ME) for _ in range(5)]
    busy.wait_until_begun(2)
    pool.shutdown(wait=False, cancel_futures=True)
    assert [job.cancelled() for job in jobs] == [False, False, True, True, True]


def test_stop_iteration_comes_back_as_something_that_a_future_can_carry(pool: DaemonPool) -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):
        pool.submit(ME, lambda: next(iter([]))).result(10)


def test_pools_are_busy_while_somebody_waits_for_them() -> None:
    pools = PoolSet()
    pool = pools.make(1, "busy")
    busy = Busy(pool)
    assert not pools.busy
    first, second = busy.submit(ME), busy.submit(OTHER)
    busy.wait_until_begun(1)
    assert pools.busy
    second.cancel()
    assert pools.busy
    pool.give_up(first)
    assert not pools.busy  # nobody waits for it any more
    busy.let_go()
    pools.shutdown()
