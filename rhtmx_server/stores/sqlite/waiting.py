"""Waiting for work in a thread that cannot be taken back.

Knows futures. Must not know what the work is.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future

__all__ = ["uninterrupted"]


async def uninterrupted(work: Future[object]) -> None:
    """Wait for the end of `work`, come what may.

    If the waiting task is cancelled, the cancellation takes effect afterwards:
    nobody else may use what the thread is using.

    Raises:
        Exception: what the work raised.
        asyncio.CancelledError: it succeeded, and a cancellation came meanwhile.
    """
    waiting = asyncio.wrap_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not waiting.done():
        try:
            await asyncio.wait((waiting,))
        except asyncio.CancelledError as error:
            cancelled = error
    waiting.result()
    if cancelled is not None:
        raise cancelled
