"""The app in a thread of its own, for a program that has no event loop.

Knows threads, and who holds the app. Must not know what an app does, nor how it is started.

===============  =======================  ========================  =========================
state            `start`                  the last `stop`           the process ends
===============  =======================  ========================  =========================
at rest          starts it: of its own    -                         -
of its own       is held once more        stops it: at rest         stops it
runs elsewhere   is held once more        is left as it is          -
===============  =======================  ========================  =========================
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future

import uvloop

from rhtmx.errors import ErrorCode, RhtmxError

__all__ = ["AppThread"]


class AppThread:
    """The thread of one app, as long as somebody holds it. Safe from any thread.

    Args:
        runs: whether the app runs, here or elsewhere.
        start: starts it; on its own port, if it is told so.
        stop: stops it.
    """

    def __init__(
        self,
        runs: Callable[[], bool],
        start: Callable[[bool], Awaitable[object]],
        stop: Callable[[], Awaitable[None]],
    ) -> None:
        self._runs = runs
        self._start = start
        self._stop = stop
        self._lock = threading.Lock()
        self._holders = 0
        self._process = 0
        self._thread: threading.Thread | None = None
        self._end: Callable[[], object] = lambda: None

    def start(self, *, listen: bool) -> None:
        """Start the app unless it runs, and hold it; `stop` has to follow.

        Args:
            listen: on its own port.

        Raises:
            RhtmxError: it cannot start; `NOT_SUPPORTED`, there is an event loop in this thread.
            OSError: the address cannot be used.
        """
        if _has_loop():
            raise RhtmxError(
                ErrorCode.NOT_SUPPORTED,
                "app.sync cannot start the app where an event loop runs, which would stand still "
                "meanwhile: use `async with app:`",
            )
        runs = self._runs()  # first: in a process that was forked the lock may be anybody's
        with self._lock:
            if not runs and not self._runs():
                self._begin(listen)
            self._holders += 1

    def stop(self) -> None:
        """Hold it no longer. The last one stops it, if it was started here."""
        if self._process not in (0, os.getpid()):
            return  # the thread is in the parent, and so is who holds it
        with self._lock:
            self._holders = max(0, self._holders - 1)
            if not self._holders:
                self._finish()

    def _begin(self, listen: bool) -> None:
        began: Future[None] = Future()
        # A daemon: a program that ends without `stop` is not held up, and `atexit` stops the app.
        thread = threading.Thread(
            target=self._live, args=(listen, began), name="rhtmx-app", daemon=True
        )
        self._process = os.getpid()
        thread.start()
        try:
            began.result()
        except BaseException:
            self._end()  # Ctrl+C while it starts
            raise
        self._thread = thread
        atexit.register(self._finish)

    def _finish(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None and self._process == os.getpid():
            atexit.unregister(self._finish)
            self._end()
            thread.join()

    def _live(self, listen: bool, began: Future[None]) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._until_ended(listen, began))
        except BaseException as failure:
            if began.done():
                raise
            began.set_exception(failure)

    async def _until_ended(self, listen: bool, began: Future[None]) -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()

        def end() -> None:
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                loop.call_soon_threadsafe(ended.set)

        self._end = end
        await self._start(listen)
        try:
            began.set_result(None)
            await ended.wait()
        finally:
            await self._stop()


def _has_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
