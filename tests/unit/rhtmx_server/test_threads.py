"""Facts about `rhtmx_server.threads`."""

from __future__ import annotations

import threading

import pytest

from rhtmx_server.threads import DaemonPool


def test_work_runs_in_a_thread_and_its_result_comes_back() -> None:
    pool = DaemonPool(1, "worker")
    assert pool.submit(lambda: threading.current_thread().name).result(5) == "worker-0"
    pool.shutdown()


def test_an_exception_comes_back() -> None:
    pool = DaemonPool(1)
    with pytest.raises(ZeroDivisionError):
        pool.submit(lambda: 1 / 0).result(5)
    pool.shutdown()


def test_at_most_so_many_run_at_a_time() -> None:
    pool, gate, running = DaemonPool(2), threading.Event(), threading.Semaphore(0)

    def work() -> bool:
        running.release()
        return gate.wait(5)

    jobs = [pool.submit(work) for _ in range(3)]
    assert running.acquire(timeout=60)
    assert running.acquire(timeout=60)
    assert not jobs[2].running()
    gate.set()
    assert all(job.result(5) for job in jobs)
    pool.shutdown()


def test_an_idle_thread_is_used_again() -> None:
    pool = DaemonPool(1000, "reused")
    for _ in range(100):
        pool.submit(lambda: None).result(5)
    assert sum(thread.name.startswith("reused") for thread in threading.enumerate()) < 100
    pool.shutdown()


def test_work_that_was_cancelled_before_it_began_never_runs() -> None:
    pool, gate, ran = DaemonPool(1), threading.Event(), list[int]()
    first = pool.submit(gate.wait, 5)
    second = pool.submit(ran.append, 1)
    assert second.cancel()
    gate.set()
    first.result(5)
    pool.shutdown()
    assert ran == []


def test_shutdown_waits_for_what_was_given() -> None:
    pool, done = DaemonPool(1), list[int]()
    for n in range(10):
        pool.submit(done.append, n)
    pool.shutdown()
    assert done == list(range(10))


def test_shutdown_can_drop_what_has_not_begun() -> None:
    pool, gate, begun = DaemonPool(1), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        gate.wait(5)

    pool.submit(work)
    assert begun.wait(5)
    waiting = pool.submit(lambda: None)
    pool.shutdown(wait=False, cancel_futures=True)
    assert waiting.cancelled()
    gate.set()


def test_no_work_is_taken_after_shutdown() -> None:
    pool = DaemonPool(1)
    pool.shutdown()
    with pytest.raises(RuntimeError, match="was shut down"):
        pool.submit(lambda: None)


def test_no_thread_is_waited_for_at_the_end_of_the_process() -> None:
    pool = DaemonPool(1)
    assert pool.submit(threading.current_thread).result(5).daemon
    pool.shutdown()
