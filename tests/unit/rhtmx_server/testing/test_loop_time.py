"""The time of a loop, seen and moved."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any, cast

import pytest

from rhtmx_server.testing.loop_time import LoopTime


async def nothing() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_loop_is_left_as_it_was() -> None:
    loop = asyncio.get_running_loop()
    before = dict(vars(loop))
    LoopTime.of(loop).release()
    assert vars(loop).keys() == before.keys()


async def test_all_who_hold_it_have_one_clock_and_the_last_one_gives_it_back() -> None:
    loop = asyncio.get_running_loop()
    before = dict(vars(loop))
    first, second = LoopTime.of(loop), LoopTime.of(loop)
    first.freeze(1_000_000)
    await first.advance(2.0, nothing)
    assert second.wall() == 3_000_000
    first.release()
    assert second.is_frozen
    second.release()
    assert vars(loop).keys() == before.keys()


async def test_timers_are_called_at_their_own_times_in_order() -> None:
    loop = asyncio.get_running_loop()
    time, called = LoopTime.of(loop), list[float]()
    time.freeze(0)
    began = loop.time()
    for delay in (3.0, 1.0, 2.0, 11.0):
        loop.call_later(delay, lambda: called.append(round(loop.time() - began, 6)))
    await time.advance(10.0, nothing)
    assert called == [1.0, 2.0, 3.0]
    assert loop.time() == began + 10.0
    time.release()


async def test_a_timer_that_is_set_on_the_way_is_called_on_the_way() -> None:
    loop = asyncio.get_running_loop()
    time, called = LoopTime.of(loop), list[float]()
    time.freeze(0)
    began = loop.time()

    async def three_times() -> None:
        for _ in range(3):
            await asyncio.sleep(2)
            called.append(loop.time() - began)

    task = asyncio.create_task(three_times())
    await nothing()
    await time.advance(5.0, nothing)
    assert called == [2.0, 4.0]
    await time.advance(5.0, nothing)
    assert task.done()
    time.release()


async def test_a_timeout_goes_by_the_clock() -> None:
    loop = asyncio.get_running_loop()
    time = LoopTime.of(loop)
    time.freeze(0)
    waiting = asyncio.create_task(asyncio.wait_for(loop.create_future(), 60))
    await nothing()
    await time.advance(59.0, nothing)
    assert not waiting.done()
    await time.advance(1.0, nothing)
    with pytest.raises(TimeoutError):
        await waiting
    time.release()


async def test_a_long_time_is_moved_in_few_steps() -> None:
    loop = asyncio.get_running_loop()
    time, steps = LoopTime.of(loop), 0
    time.freeze(0)

    async def tick() -> None:
        for _ in itertools.count():
            await asyncio.sleep(0.001)

    async def settle() -> None:
        nonlocal steps
        steps += 1
        await asyncio.sleep(0)

    ticking = asyncio.create_task(tick())
    await nothing()
    await time.advance(86_400.0, settle)
    assert steps < 11_000
    ticking.cancel()
    time.release()


async def test_it_is_quiet_when_nothing_follows_any_more() -> None:
    loop = asyncio.get_running_loop()
    time, done = LoopTime.of(loop), False

    async def long() -> None:
        nonlocal done
        for _ in range(100):
            await asyncio.sleep(0)
        done = True

    task = asyncio.create_task(long())
    await time.quiet(60)
    assert done
    await task
    time.release()


async def test_what_never_stops_is_said() -> None:
    time = LoopTime.of(asyncio.get_running_loop())

    async def endless() -> None:
        for _ in itertools.count():
            await asyncio.sleep(0)

    task = asyncio.create_task(endless())
    with pytest.raises(TimeoutError):
        await time.quiet(0.01)
    task.cancel()
    time.release()


def test_another_kind_of_loop_is_refused() -> None:
    loop = cast(Any, object())
    with pytest.raises(RuntimeError, match="an event loop of asyncio's own"):
        LoopTime.of(loop)
