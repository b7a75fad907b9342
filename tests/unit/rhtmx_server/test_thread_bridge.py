"""Facts about `rhtmx_server.thread_bridge`."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.thread_bridge import ThreadBridge


class Life:
    """An app whose loop is in a thread of its own, or nowhere."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.elsewhere = loop
        self.told: list[Any] = []

    def calling(self) -> Any:
        return nullcontext()

    def tell(self, function: Any) -> None:
        self.told.append(function)


@contextmanager
def running() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop in another thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def bridge(loop: asyncio.AbstractEventLoop, timeout: float | None = None) -> ThreadBridge:
    life: Any = Life(loop)
    return ThreadBridge(life, timeout)


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


def test_a_call_returns_what_comes_of_it_on_the_loop() -> None:
    async def answer() -> tuple[int, object]:
        return threading.get_ident(), asyncio.get_running_loop()

    with running() as loop:
        thread, found = bridge(loop).call(answer, "x")
        assert found is loop
        assert thread != threading.get_ident()


@pytest.mark.parametrize("kind", [RhtmxError, TimeoutError, ValueError])
def test_a_call_raises_what_is_raised_on_the_loop(kind: type[Exception]) -> None:
    failure = kind(ErrorCode.CONFLICT, "no") if kind is RhtmxError else kind("no")

    async def fail() -> None:
        raise failure

    with running() as loop, pytest.raises(kind) as caught:
        bridge(loop, 60.0).call(fail, "x")
    assert str(caught.value) == "no"


def test_a_call_that_takes_longer_than_it_may_says_so_and_is_cancelled() -> None:
    cancelled = concurrent.futures.Future[bool]()

    async def wait() -> None:
        try:
            await forever()
        except asyncio.CancelledError:
            cancelled.set_result(True)
            raise

    with running() as loop:
        with pytest.raises(RhtmxError, match=r"orders\.get: no answer within 0\.01 sec") as caught:
            bridge(loop, 0.01).call(wait, "orders.get")
        assert caught.value.code is ErrorCode.TIMEOUT
        assert cancelled.result()


def test_a_call_that_is_cancelled_on_the_loop_says_that_the_app_stopped() -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    with running() as loop:
        with pytest.raises(RhtmxError, match=r"orders\.get: the app stopped") as caught:
            bridge(loop).call(cancelled, "orders.get")
        assert caught.value.code is ErrorCode.SHUTTING_DOWN


def test_a_loop_that_is_closed_is_not_waited_for() -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    with pytest.raises(RhtmxError, match="the app stopped"):
        bridge(loop).call(forever, "x")


def test_a_loop_that_is_closed_while_a_call_waits_is_noticed() -> None:
    loop = asyncio.new_event_loop()  # nobody runs it: as after the end of `asyncio.run`

    def now() -> float:
        loop.close()
        return 0.0

    life: Any = Life(loop)
    with pytest.raises(RhtmxError, match="the app stopped"):
        ThreadBridge(life, 0.001, now).call(forever, "x")


def test_what_interrupts_the_thread_cancels_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    began, cancelled = threading.Event(), threading.Event()

    async def wait() -> None:
        began.set()
        try:
            await forever()
        finally:
            cancelled.set()

    def interrupted(*_: object, **__: object) -> None:
        began.wait()
        raise KeyboardInterrupt

    with running() as loop:
        monkeypatch.setattr(concurrent.futures, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            bridge(loop).call(wait, "x")
        assert cancelled.wait(60)


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_time_limit_is_more_than_nothing(timeout: float) -> None:
    life: Any = None
    with pytest.raises(ValueError, match="more than 0 seconds"):
        ThreadBridge(life, timeout)


def test_what_is_told_waits_for_nothing() -> None:
    life: Any = Life(asyncio.new_event_loop())
    ThreadBridge(life).tell(print)
    assert life.told == [print]
    life.elsewhere.close()
