"""Facts about `rhtmx_server.program.app_thread`: its table, walked through."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.program.app_thread import AppThread


class Fake:
    """An app that notes when it was started and stopped, and where."""

    def __init__(self, *, runs: bool = False, fails: bool = False) -> None:
        self.runs = runs
        self.fails = fails
        self.events: list[str] = []
        self.threads: set[int] = set()
        self.thread = AppThread(lambda: self.runs, self.start, self.stop)

    async def start(self, listen: bool) -> None:
        self.threads.add(threading.get_ident())
        if self.fails:
            raise OSError("the address is taken")
        self.runs = True
        self.events.append("start, listening" if listen else "start")

    async def stop(self) -> None:
        self.threads.add(threading.get_ident())
        self.runs = False
        self.events.append("stop")


def test_at_rest_it_is_started_in_a_thread_of_its_own_and_the_last_stop_stops_it() -> None:
    app = Fake()
    app.thread.start(listen=False)
    app.thread.start(listen=True)  # it runs: held once more
    app.thread.stop()
    assert app.events == ["start"]
    app.thread.stop()
    assert app.events == ["start", "stop"]
    assert len(app.threads) == 1
    assert threading.get_ident() not in app.threads
    app.thread.stop()  # once too often
    app.thread.start(listen=True)
    app.thread.stop()
    assert app.events == ["start", "stop", "start, listening", "stop"]


def test_one_that_runs_elsewhere_is_neither_started_nor_stopped() -> None:
    app = Fake(runs=True)
    app.thread.start(listen=False)
    app.thread.stop()
    assert app.events == []


def test_many_threads_that_start_it_start_it_once() -> None:
    app = Fake()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: app.thread.start(listen=False), range(50)))
        list(pool.map(lambda _: app.thread.stop(), range(50)))
    assert app.events == ["start", "stop"]


def test_why_it_does_not_start_is_raised_where_it_was_asked_for_and_it_can_be_tried_again() -> None:
    app = Fake(fails=True)
    with pytest.raises(OSError, match="taken"):
        app.thread.start(listen=True)
    app.fails = False
    app.thread.start(listen=True)
    app.thread.stop()
    assert app.events == ["start, listening", "stop"]


async def test_where_an_event_loop_runs_it_is_refused_in_words() -> None:
    app = Fake()
    with pytest.raises(RhtmxError, match="use `async with app:`") as caught:
        app.thread.start(listen=False)
    assert caught.value.code is ErrorCode.NOT_SUPPORTED
    await asyncio.to_thread(app.thread.start, listen=False)
    await asyncio.to_thread(app.thread.stop)
    assert app.events == ["start", "stop"]
