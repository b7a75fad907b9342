"""Has the store do what the core puts down, beside the loop and in order.

Knows the loop, and that a store blocks. Must not know what is kept. All that was
put down in one turn of the loop is one transaction.

=======  ==========================  ======  ===========================  ==================
state    something is put down       stored  it failed                    `close`
=======  ==========================  ======  ===========================  ==================
idle     at work                                                          closed
at work  at work, with that next     idle    failing                      closed, once all
                                                                          is stored
failing  failing, tried at once,     idle    failing, tried again after   closed; what fails
         with that                           `RETRY` seconds              once more is given up
ended                                                                     closed, once all
                                                                          is stored
=======  ==========================  ======  ===========================  ==================

`ended`: its task was cancelled by somebody else, as `asyncio.run` does with all that are left, or
there is a bug. Nothing is stored until `close`, so the client ends, too: what waits would wait for
ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.core.queued_write import QueuedWrite
from rhtmx.core.storage_ops import BatchOutcome, Image, Store, keep
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.runtime.session_driver import SessionDriver

__all__ = ["StoreWriter"]

log = logging.getLogger("rhtmx")

RETRY = 5.0
"""After so many seconds the store is asked again to take what it could not."""


class StoreWriter:
    """Writes one client's store. One thread works for it.

    Args:
        store: where things are kept.
        driver: has what is to be stored, and is told what came of it.
        ended: is told why nothing will be stored any more, where that was not `close`.
    """

    def __init__(
        self, store: Store, driver: SessionDriver, ended: Callable[[ConnectionClosed], None]
    ) -> None:
        self._store = store
        self._driver = driver
        self._ended = ended
        self._local = driver.session.local
        self._waiting: deque[tuple[int, asyncio.Future[RhtmxError | None]]] = deque()
        self._failed: RhtmxError | None = None
        self._pool = ThreadPoolExecutor(1, "rhtmx-store")
        self._task: asyncio.Task[None] | None = None
        self._under_way: Future[BatchOutcome] | None = None
        self._asked = self._tried = 0  # the marks that the batch under way, and the last, reach to
        self._closing = self._gone = False
        self._error: RhtmxError | None = None

    async def load(self) -> Image:
        """Open the store, and read everything.

        Raises:
            RhtmxError: `STORAGE_FAILED` or `STORAGE_FULL`, it cannot be used.
            ConnectionClosed: it was closed meanwhile.
        """
        loop = asyncio.get_running_loop()
        try:
            image = await loop.run_in_executor(self._pool, self._store.load)
            if self._closing:
                raise ConnectionClosed("the client was closed")
        except BaseException as error:
            self._let_go()
            if isinstance(error, Exception) and not isinstance(error, RhtmxError):
                words = f"the store cannot be opened: {error!r}"
                raise RhtmxError(ErrorCode.STORAGE_FAILED, words) from error
            raise
        return image

    def start(self) -> None:
        """Store what is put down, from now on."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def saved(self, row: QueuedWrite | None = None) -> None:
        """Wait until every write that was made is in the store; or only one of them.

        Args:
            row: the one.

        Raises:
            RhtmxError: it cannot be.
            ConnectionClosed: nothing is stored any more, and whether it is in, is not known.
        """
        queue = self._local.writes.queue
        rows = queue.unstored() if row is None else [row]
        error = None
        if any(map(queue.is_unstored, rows)):
            error = await self._attempted(queue.unstored_marks)
        # Each has its own outcome: what failed beside it does not concern it.
        refused = next((each.not_kept for each in rows if each.not_kept is not None), None)
        if refused is None and any(map(queue.is_unstored, rows)):
            refused = error
        if refused is not None:
            raise refused.with_traceback(None)  # each raise would add to it

    async def close(self) -> None:
        """Store the rest, and let go of the store. To close twice is no error."""
        self._closing = True
        try:
            await self._finish()
            if not self._gone:
                await asyncio.shield(asyncio.wrap_future(self._pool.submit(self._store.close)))
                self._pool.shutdown()  # its thread has nothing to do: this is no wait
        except RuntimeError:
            log.exception("closing the store failed")  # there is no thread, or no loop any more
        finally:
            self._let_go()

    async def _finish(self) -> None:
        """Wait until all is stored, by another task where the first one cannot go on."""
        while (task := self._task) is not None and not self._gone:
            can_end = task.get_loop() is asyncio.get_running_loop()
            if can_end and not task.done():
                self._driver.to_store.set()
                await asyncio.wait({task})
            if task is self._task:  # else somebody else who closes has begun another one
                if can_end and not task.cancelled():
                    return
                self._failed = None
                self.start()

    def _let_go(self) -> None:
        if self._gone:
            return
        self._gone = True
        try:
            if self._task is not None and not self._task.done():  # closing was cancelled
                self._task.cancel()
                self._pool.submit(keep, self._store, self._local.pending_ops.take())
            self._pool.submit(self._store.close)
        except RuntimeError:  # there is no thread for it any more
            self._store.close()
        self._pool.shutdown(wait=False)
        self._fail(ConnectionClosed("the client was closed before this was known to be stored"))

    async def _run(self) -> None:
        try:
            await self._work()
        except asyncio.CancelledError:
            self._stop("its task was cancelled, and nothing is stored any more")
            raise
        except Exception as error:
            log.exception("keeping what the client holds failed")
            self._stop(f"the store failed: {error!r}")

    async def _work(self) -> None:
        outcome: BatchOutcome | None = None
        if self._under_way is not None:  # from before this was cancelled
            outcome = await self._outcome(self._under_way)
        while True:
            batch = self._driver.next_batch(outcome)
            if outcome is not None:
                self._note(outcome)
            self._wake()
            if batch is not None:
                self._asked = self._local.writes.queue.unstored_marks
                self._under_way = self._pool.submit(keep, self._store, batch)
                outcome = await self._outcome(self._under_way)
            elif self._closing and not self._driver.to_store.is_set():
                return
            else:
                outcome = None
                await self._due()

    async def _outcome(self, batch: Future[BatchOutcome]) -> BatchOutcome:
        # Shielded, or it might be cancelled before it began.
        return await asyncio.shield(asyncio.wrap_future(batch))

    async def _due(self) -> None:
        """Wait for something to store; what failed before is something after a while."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if self._error is None else RETRY):
                await self._driver.to_store.wait()

    async def _attempted(self, mark: int) -> RhtmxError | None:
        """Wait until the store was asked to take all writes up to a mark.

        Returns:
            Why it has not taken some, where they still wait.
        """
        waiting: asyncio.Future[RhtmxError | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((mark, waiting))
        self._wake()
        return await waiting

    def _wake(self) -> None:
        """Wake those whose writes are all in the store, or have been tried."""
        if not self._waiting:
            return
        oldest = self._local.writes.queue.oldest_unstored
        while self._waiting:
            mark, waiting = self._waiting[0]
            error = self._failed or (self._error if mark <= self._tried else None)
            if error is None and oldest is not None and mark >= oldest:
                return
            self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(error)

    def _stop(self, why: str) -> None:
        ended = ConnectionClosed(f"the client has ended: {why}")
        self._fail(ended)
        if not self._closing:
            self._ended(ended)

    def _fail(self, error: RhtmxError) -> None:
        """Nothing more will be stored."""
        self._failed = error
        self._wake()

    def _note(self, outcome: BatchOutcome) -> None:
        self._under_way, self._tried, error = None, self._asked, outcome.error
        if outcome.refused and self._closing:  # who waited for them was told of the end already
            log.warning("closed without %d writes, which are lost: %s", len(outcome.refused), error)
        if error is not None and self._error is None:
            log.warning("%s. Going on in memory: new writes are refused", error.message)
        elif error is None and self._error is not None:
            log.warning("the store works again")
        self._error = error
