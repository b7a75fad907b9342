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
         with that                           `RETRY` seconds              is given up
=======  ==========================  ======  ===========================  ==================
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from concurrent.futures import ThreadPoolExecutor

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
    """

    def __init__(self, store: Store, driver: SessionDriver) -> None:
        self._store = store
        self._driver = driver
        self._local = driver.session.local
        self._waiting: deque[tuple[int, asyncio.Future[RhtmxError | None]]] = deque()
        self._failed: RhtmxError | None = None
        self._pool = ThreadPoolExecutor(1, "rhtmx-store")
        self._task: asyncio.Task[None] | None = None
        self._closing = self._gone = False
        self._error: RhtmxError | None = None

    async def load(self) -> Image:
        """Open the store, and read everything.

        Raises:
            RhtmxError: `STORAGE_FAILED` or `STORAGE_FULL`, it cannot be used.
        """
        loop = asyncio.get_running_loop()
        try:
            image = await loop.run_in_executor(self._pool, self._store.load)
        except BaseException:
            self._let_go()
            raise
        self._task = loop.create_task(self._run())
        return image

    async def saved(self) -> None:
        """Wait until every write that was made is in the store.

        Raises:
            RhtmxError: it cannot be.
        """
        queue, error = self._local.writes.queue, self._failed
        if queue.oldest_unstored is None:
            return
        if error is None:
            waiting: asyncio.Future[RhtmxError | None]
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.append((queue.unstored_marks, waiting))
            error = await waiting
        if error is not None:
            raise error.with_traceback(None)  # each raise would add to it

    async def close(self) -> None:
        """Store the rest, and let go of the store. To close twice is no error."""
        self._closing = True
        self._driver.to_store.set()
        try:
            if self._task is not None:
                await asyncio.wait({self._task})
            if not self._gone:
                loop = asyncio.get_running_loop()
                await asyncio.shield(loop.run_in_executor(self._pool, self._store.close))
        finally:
            self._let_go()

    def _let_go(self) -> None:
        if self._gone:
            return
        self._gone = True
        if self._task is not None and not self._task.done():  # closing was cancelled
            self._task.cancel()
            self._pool.submit(keep, self._store, self._local.pending_ops.take())
        self._pool.submit(self._store.close)
        self._pool.shutdown(wait=False)
        self._fail(RhtmxError(ErrorCode.STORAGE_FAILED, "the store was closed"))

    async def _run(self) -> None:
        try:
            await self._work()
        except Exception as error:
            log.exception("keeping what the client holds failed")
            self._fail(RhtmxError(ErrorCode.STORAGE_FAILED, f"the store failed: {error!r}"))

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        outcome: BatchOutcome | None = None
        while not self._closing or self._error is None:
            batch = self._driver.next_batch(outcome)
            if outcome is not None:
                self._note(outcome.error)
            self._wake()
            if batch is not None:
                work = loop.run_in_executor(self._pool, keep, self._store, batch)
                outcome = await asyncio.shield(work)  # or it might be cancelled before it began
            elif self._closing:
                return
            else:
                outcome = None
                await self._due()

    async def _due(self) -> None:
        """Wait for something to store; what failed before is something after a while."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if self._error is None else RETRY):
                await self._driver.to_store.wait()

    def _wake(self) -> None:
        """Wake those whose writes are all in the store; or all, if it does not take them."""
        if not self._waiting:
            return
        oldest, error = self._local.writes.queue.oldest_unstored, self._failed or self._error
        while self._waiting and (error or oldest is None or self._waiting[0][0] < oldest):
            _, waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(error)

    def _fail(self, error: RhtmxError) -> None:
        """Nothing more will be stored."""
        self._failed = error
        self._wake()

    def _note(self, error: RhtmxError | None) -> None:
        if error is not None and self._error is None:
            log.warning("%s. Going on in memory: new writes are refused", error.message)
        elif error is None and self._error is not None:
            log.warning("the store works again")
        self._error = error
