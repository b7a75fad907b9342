"""Calls from code that does not run on the app's event loop: another thread, or another loop.

Knows loops and threads. Must not know what is called.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

__all__ = ["on_loop", "wait_for"]

T = TypeVar("T")


async def on_loop(loop: asyncio.AbstractEventLoop, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Await a coroutine on the app's loop, from whichever loop this runs on.

    Args:
        loop: the app's.
        make: makes the coroutine.
    """
    if asyncio.get_running_loop() is loop:
        return await make()
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(make(), loop))


def wait_for(
    loop: asyncio.AbstractEventLoop, make: Callable[[], Coroutine[Any, Any, T]], instead: str
) -> T:
    """Wait in a thread for a coroutine that runs on the app's loop.

    Args:
        loop: the app's; it runs in another thread.
        make: makes the coroutine.
        instead: what to write where an event loop runs.

    Raises:
        RuntimeError: an event loop runs in this thread: waiting would hold up all that it serves,
            and never end if it is the app's.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        raise RuntimeError(
            f"an event loop runs in this thread, and waiting would hold it up: write {instead}"
        )
    future = asyncio.run_coroutine_threadsafe(make(), loop)
    try:
        return future.result()
    except BaseException:
        future.cancel()  # nobody waits any more, as after Ctrl-C
        raise
