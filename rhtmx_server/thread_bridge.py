"""A call from a thread to the app's event loop, and its answer back.

Knows how to wait for a loop without hanging. Must not know what is called.

====================  =====================================================================
what comes first      the call
====================  =====================================================================
the answer            returns it, or raises what it is
the time limit        raises `TIMEOUT`; what was read is dropped, a write may still be made
the app has stopped   raises `SHUTTING_DOWN`
Ctrl+C, in a script   is cancelled
====================  =====================================================================
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import time
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from rhtmx.errors import ErrorCode, RhtmxError

__all__ = ["BridgedLife", "ThreadBridge"]

T = TypeVar("T")

_LOOK_EVERY = 1.0
"""Seconds after which it is looked whether the loop is still there: one that was closed without
`stop` tells nobody."""


class BridgedLife(Protocol):
    """When and where an app runs, for whoever waits for it in a thread."""

    @property
    def elsewhere(self) -> asyncio.AbstractEventLoop:
        """The loop of the app, which this thread may wait for.

        Raises:
            RhtmxError: `SHUTTING_DOWN`, it does not run; `NOT_SUPPORTED`, this is the thread of
                that loop, or another process than that of the app.
        """

    def tell(self, function: Callable[[], object]) -> None:
        """Have a function called on that loop, from any thread, while it runs."""

    def calling(self) -> AbstractContextManager[None]:
        """Have the task of this call end with the app, if it would outlive it."""


class ThreadBridge:
    """Calls of one thread or many, all with one time limit.

    Args:
        life: of the app.
        timeout: seconds for each call; `None` for as long as it takes.
        now: seconds, of a clock that does not jump.

    Raises:
        ValueError: the time limit is none.
    """

    def __init__(
        self,
        life: BridgedLife,
        timeout: float | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        if timeout is not None and not timeout > 0:
            raise ValueError(f"timeout: more than 0 seconds, or None, expected, got {timeout!r}")
        self._life = life
        self._timeout = timeout
        self._now = now

    def call(self, make: Callable[[], Coroutine[Any, Any, T]], what: str) -> T:
        """Run a coroutine on the app's loop, and wait for what comes of it.

        Args:
            make: makes the coroutine, on the loop.
            what: is called, for errors.

        Raises:
            RhtmxError: what the call raises; `TIMEOUT`; `SHUTTING_DOWN`, the app does not run, or
                stopped meanwhile; `NOT_SUPPORTED`, this is the loop's own thread, or another
                process than that of the app.
        """
        loop = self._life.elsewhere
        coroutine = self._run(make)
        try:
            future = asyncio.run_coroutine_threadsafe(coroutine, loop)
        except RuntimeError:  # the loop was closed in this moment
            coroutine.close()
            raise _stopped(what) from None
        try:
            return self._wait(future, loop, what)
        except concurrent.futures.CancelledError:
            raise _stopped(what) from None
        finally:
            future.cancel()  # whoever does not wait any more; mostly it is done
            if loop.is_closed():
                coroutine.close()  # nobody else will, and Python would complain

    def tell(self, function: Callable[[], object]) -> None:
        """Have a function called on the app's loop, and wait for nothing; never, if it has stopped.

        From the loop's own thread, too: an iterator may be thrown away in any.
        """
        self._life.tell(function)

    async def _run(self, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        with self._life.calling():
            return await make()

    def _wait(
        self, future: concurrent.futures.Future[T], loop: asyncio.AbstractEventLoop, what: str
    ) -> T:
        end = None if self._timeout is None else self._now() + self._timeout
        while True:
            left = _LOOK_EVERY if end is None else min(_LOOK_EVERY, end - self._now())
            done, _ = concurrent.futures.wait([future], timeout=max(left, 0.0))
            if done:
                return future.result()
            if loop.is_closed():
                raise _stopped(what)
            if end is not None and self._now() >= end:
                raise RhtmxError(
                    ErrorCode.TIMEOUT,
                    f"{what}: no answer within {self._timeout:g} seconds; if it writes, the write "
                    "may still be made",
                )


def _stopped(what: str) -> RhtmxError:
    return RhtmxError(
        ErrorCode.SHUTTING_DOWN,
        f"{what}: the app stopped before there was an answer; if it writes, the write may have "
        "been made: look, and call it again when the app runs",
    )
