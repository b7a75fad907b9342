"""Facts about `rhtmx.runtime.alarm`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import pytest
import uvloop
from websockets.asyncio.client import ClientConnection

from rhtmx.core.events import StepResult
from rhtmx.runtime.alarm import Alarm, mind_sleep
from rhtmx.runtime.session_driver import SessionDriver


class Clock:
    """A loop that rounds its timers to milliseconds, as uvloop 0.23 does."""

    def __init__(self) -> None:
        self.now = 10.0
        self.timers: list[tuple[int, Callable[..., None], tuple[object, ...]]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, act: Callable[..., None], *args: object) -> asyncio.TimerHandle:
        self.timers.append((round((when - self.now) * 1000), act, args))
        return asyncio.TimerHandle(when, act, args, asyncio.get_running_loop())

    def fire(self) -> None:
        """Let the next timer come: early, if it was rounded down."""
        milliseconds, act, args = self.timers.pop()
        self.now += milliseconds / 1000
        act(*args)


@pytest.mark.parametrize("left", [0.0, 0.0001, 0.0004, 0.0006, 0.0104, 0.9])
async def test_a_loop_that_wakes_early_is_not_asked_to_again_and_again(
    monkeypatch: pytest.MonkeyPatch, left: float
) -> None:
    ticks = list[float]()
    clock = Clock()
    due = clock.now + left

    class Driver:
        def look(self) -> StepResult:
            ticks.append(clock.now)
            return StepResult([], set(), 0, deadline=due if clock.now < due else None)

    alarm = Alarm(cast(SessionDriver, Driver()), "ws://x")
    monkeypatch.setattr(alarm, "_loop", clock)
    alarm.arm(cast(ClientConnection, None), due)
    while clock.timers:
        assert clock.timers[-1][0] >= 1, "a timer that is due at once"
        clock.fire()
    assert len(ticks) <= 2
    assert ticks[-1] >= due


async def test_a_sleep_of_the_machine_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rhtmx.runtime.alarm._LOOK", 0.001)
    loop, slept, looks = asyncio.get_running_loop(), asyncio.Event(), iter([0.0, 0.0])
    monkeypatch.setattr("rhtmx.runtime.alarm._wall", lambda: loop.time() + next(looks, 3600.0))
    looking = asyncio.create_task(mind_sleep(slept.set))
    async with asyncio.timeout(60):
        await slept.wait()
    looking.cancel()


def test_uvloop_calls_at_once_what_is_due_in_less_than_half_a_millisecond() -> None:
    """Why there is a shortest timer; if this fails, there need not be one any more."""
    loop = uvloop.new_event_loop()
    try:
        calls: list[str] = []
        loop.call_later(0.0004, calls.append, "timer")
        loop.call_soon(calls.append, "soon")
        loop.call_soon(lambda: loop.call_soon(loop.stop))
        loop.run_forever()
        assert "timer" in calls
    finally:
        loop.close()
