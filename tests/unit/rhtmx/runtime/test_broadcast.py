"""Facts about `rhtmx.runtime.broadcast`."""

from __future__ import annotations

import asyncio

import pytest

from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.runtime.broadcast import CAPACITY, Backlog, Signal


async def test_everyone_who_waits_hears_it_once() -> None:
    bell = Signal()
    waiting = [asyncio.create_task(bell.wait()) for _ in range(2)]
    await asyncio.sleep(0)
    bell.notify()
    bell.notify()
    await asyncio.gather(*waiting)
    assert len(bell) == 0


async def test_whoever_is_cancelled_leaves_nothing_behind() -> None:
    bell = Signal()
    waiting = asyncio.create_task(bell.wait())
    await asyncio.sleep(0)
    assert len(bell) == 1
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert len(bell) == 0


async def test_the_end_is_raised_now_and_later() -> None:
    bell = Signal()
    waiting = asyncio.create_task(bell.wait())
    await asyncio.sleep(0)
    bell.fail(ConnectionClosed("over"))
    for each in (waiting, bell.wait()):
        with pytest.raises(ConnectionClosed, match="over"):
            await each


async def test_what_is_open_waits_for_whoever_begins_to_listen() -> None:
    feed: Backlog[str] = Backlog()
    for item in ("a", "b", "c"):
        feed.put(item)
    feed.drop(lambda item: item == "b")
    feed.drop(lambda item: False)
    listening = feed.listen()
    assert [await anext(listening), await anext(listening)] == ["a", "c"]
    coming = asyncio.ensure_future(anext(listening))
    await asyncio.sleep(0)
    feed.put("d")
    assert await coming == "d"
    await listening.aclose()


async def test_what_was_not_dealt_with_after_all_waits_for_the_next_listener_only() -> None:
    feed: Backlog[str] = Backlog()
    for item in ("a", "b", "c"):
        feed.put(item)
    listening = feed.listen()
    assert [await anext(listening) for _ in range(3)] == ["a", "b", "c"]
    dropped = feed.drop(lambda item: item == "b")
    feed.put("d")
    feed.restore(dropped)
    assert await anext(listening) == "d"
    later = feed.listen()
    assert [await anext(later) for _ in range(4)] == ["a", "b", "c", "d"]


async def test_what_nobody_takes_does_not_grow_without_end() -> None:
    feed: Backlog[int] = Backlog()
    for number in range(CAPACITY + 1):
        feed.put(number)
    listening = feed.listen()
    assert await anext(listening) == 1
    await listening.aclose()


async def test_what_is_open_is_still_told_after_the_end() -> None:
    feed: Backlog[str] = Backlog()
    feed.put("a")
    feed.fail(ConnectionClosed("over"))
    listening = feed.listen()
    assert await anext(listening) == "a"
    with pytest.raises(ConnectionClosed, match="over"):
        await anext(listening)
