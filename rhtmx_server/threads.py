"""A bounded pool of threads, shared in turn, that never holds up the end of the process.

Knows how to hand work to threads, and whose work it is. Must not know what the
work is.

The standard library's pool is first come, first served, so that whoever asks for
much makes everybody else wait; and it waits at exit for every thread: one
validator that hangs would keep the server from stopping. Here owners take turns,
each with at most half of the threads at a time, and threads are daemons.

A thread cannot be stopped. Work that nobody waits for any more keeps its thread
and counts for its owner until it returns; meanwhile another thread takes the
place of that one. Beyond as many such places as there are threads none is made:
when all of them hang, work is refused until one returns.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

from rhtmx_server.round_robin import RoundRobin

__all__ = ["DaemonPool", "Job", "NoThreadError", "PoolSet"]

T = TypeVar("T")


class NoThreadError(RuntimeError):
    """Every thread is held by work that nobody waits for and that does not return."""


class Job(Future[T]):
    """Work that was handed to a pool, and what comes of it.

    Attributes:
        owner: whose work it is.
        work: what is called.
        abandoned: nobody waits for it any more, though it has begun.
        returned: its thread is free again.
    """

    def __init__(self, owner: Hashable, work: Callable[[], T]) -> None:
        super().__init__()
        self.owner = owner
        self.work: Callable[[], T] | None = work
        self.abandoned = False
        self.returned = False

    def run(self) -> Callable[[], None]:
        """Do the work, unless it was cancelled.

        Returns:
            Tells whoever waits what came of it.
        """
        work, self.work = self.work, None  # a result keeps nothing else alive
        if work is None or not self.set_running_or_notify_cancel():
            return lambda: None
        try:
            return partial(self.set_result, work())
        except StopIteration as failure:  # which no future of asyncio can carry
            stand_in = RuntimeError("StopIteration")
            stand_in.__cause__ = failure
            return partial(self.set_exception, stand_in)
        except BaseException as failure:  # whoever waits for it gets it
            return partial(self.set_exception, failure)


class DaemonPool:
    """At most so many daemon threads, started as they are needed.

    Args:
        threads: how many at most; as many again take the place of threads whose
            work was given up.
        name: what they are called, followed by a number.
    """

    def __init__(self, threads: int, name: str = "rhtmx-validator") -> None:
        self._limit = threads
        self._name = name
        self._rotation = RoundRobin[Job[Any]]((threads + 1) // 2)
        self._work = threading.Condition()
        self._threads: set[threading.Thread] = set()
        self._started = 0
        self._idle = 0
        self._abandoned = 0
        self._unfinished = 0
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether somebody waits for work that it was given."""
        return self._unfinished > self._abandoned

    @property
    def exhausted(self) -> bool:
        """Whether every thread there may be is held by work that was given up."""
        return self._abandoned >= 2 * self._limit

    def submit(self, owner: Hashable, work: Callable[[], T]) -> Job[T]:
        """Run `work` in a thread as soon as it is its owner's turn.

        Raises:
            NoThreadError: no thread is left that could ever run it.
            RuntimeError: the pool was shut down.
        """
        job = Job(owner, work)
        with self._work:
            if self._closed:
                raise RuntimeError("the thread pool was shut down")
            if self.exhausted:
                raise NoThreadError("every thread of the pool is held by work that does not return")
            self._rotation.put(owner, job)
            self._unfinished += 1
            self._employ()
        job.add_done_callback(self._forget)
        return job

    def give_up(self, job: Job[Any]) -> bool:
        """Wait for this no more: it never runs, or runs without anybody.

        Returns:
            Whether it has begun, and so keeps its thread until it returns.
        """
        if job.cancel():
            return False
        with self._work:
            # It has returned in this moment, or was given up before.
            if job.returned or job.abandoned:
                return False
            job.abandoned = True
            self._abandoned += 1
            self._employ()  # somebody else, in place of the thread that is lost
        return True

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more work.

        Args:
            wait: return when the threads have finished what they were given.
            cancel_futures: drop what has not been begun.
        """
        with self._work:
            self._closed = True
            dropped = self._rotation.drop() if cancel_futures else []
            self._idle = 0
            self._work.notify_all()
            threads = list(self._threads)
        for job in dropped:
            job.cancel()
        if wait:
            for thread in threads:
                thread.join()

    # Inside.

    def _employ(self) -> None:
        """Have a thread look for work, if there is any that may begin."""
        if not self._rotation.ready:
            return
        if self._idle:
            self._idle -= 1  # here, not by the one that wakes: it wakes later
            self._work.notify()
        elif len(self._threads) < min(self._limit + self._abandoned, 2 * self._limit):
            name = f"{self._name}-{self._started}"
            thread = threading.Thread(target=self._serve, name=name, daemon=True)
            self._started += 1
            self._threads.add(thread)
            thread.start()

    def _serve(self) -> None:
        while (job := self._take()) is not None:
            tell = job.run()
            # The thread is free before anybody hears of the result: who asks again at once finds it
            # so.
            self._finished(job)
            tell()
            with self._work:
                # After that: whoever finds nothing under way has the result. `_forget` counts those
                # that were cancelled, also in the moment in which a thread has taken them.
                self._unfinished -= not job.cancelled()
            del job, tell  # an idle thread keeps nothing alive

    def _take(self) -> Job[Any] | None:
        """The next job for a thread; `None`: it is not needed any more."""
        with self._work:
            # Else this thread is one too many: it stood in for one that was lost, and has returned
            # since.
            while len(self._threads) <= self._limit + self._abandoned:
                taken = self._rotation.next()
                if taken is not None:
                    return taken[1]
                if self._closed:
                    break
                self._idle += 1
                self._work.wait()
            self._threads.discard(threading.current_thread())
            self._employ()  # what it leaves
            return None

    def _finished(self, job: Job[Any]) -> None:
        with self._work:
            job.returned = True
            self._rotation.done(job.owner)
            self._abandoned -= job.abandoned

    def _forget(self, job: Future[Any]) -> None:
        if isinstance(job, Job) and job.cancelled():
            with self._work:
                self._unfinished -= 1
                self._rotation.withdraw(job.owner, job)


class PoolSet:
    """Pools that end together."""

    def __init__(self) -> None:
        self._pools: list[DaemonPool] = []

    @property
    def busy(self) -> bool:
        """Whether somebody waits for work that one of them was given."""
        return any(pool.busy for pool in self._pools)

    def make(self, most: int, name: str) -> DaemonPool:
        """Make one more.

        Args:
            most: threads.
            name: what they are called.
        """
        self._pools.append(DaemonPool(most, name))
        return self._pools[-1]

    def shutdown(self) -> None:
        """End all, without waiting for what they are doing."""
        while self._pools:
            self._pools.pop().shutdown(wait=False, cancel_futures=True)
