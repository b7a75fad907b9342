from __future__ import annotations

import asyncio
from concurrent.futures import Future

import pytest

from rhtmx_server.stores.sqlite.waiting import uninterrupted


async def let_run() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_it_returns_when_the_work_is_done() -> None:
    work: Future[object] = Future()
    waiting = asyncio.ensure_future(uninterrupted(work))
    await let_run()
    assert not waiting.done()
    work.set_result(None)
    await waiting


async def test_it_raises_what_the_work_raised() -> None:
    work: Future[object] = Future()
    work.set_exception(ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        await uninterrupted(work)


async def test_a_cancellation_waits_for_the_work() -> None:
    work: Future[object] = Future()
    waiting = asyncio.ensure_future(uninterrupted(work))
    await let_run()
    for _ in range(2):
        waiting.cancel()
        await let_run()
        assert not waiting.done()
    work.set_result(None)
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_failure_counts_more_than_a_cancellation() -> None:
    work: Future[object] = Future()
    waiting = asyncio.ensure_future(uninterrupted(work))
    await let_run()
    waiting.cancel()
    await let_run()
    work.set_exception(ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        await waiting
