"""Facts about `rhtmx_server.functions`; what hooks, validators and authenticate make of them
is in their own tests."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from rhtmx_server.functions import (
    blocks,
    call,
    name_of,
    require_arguments,
    require_one_argument,
    takes,
    was_cancelled,
)
from rhtmx_server.threads import DaemonPool


@pytest.fixture
def pool() -> Iterator[DaemonPool]:
    pool = DaemonPool(1, "called")
    yield pool
    pool.shutdown(wait=False, cancel_futures=True)


class Callable:
    def __call__(self, value: str) -> str:
        return value


async def double(value: str) -> str:
    return value * 2


def test_a_function_is_called_what_its_author_called_it() -> None:
    assert name_of(double) == "double"
    assert name_of(Callable()) == "Callable"
    assert name_of(7) == "int"


@pytest.mark.parametrize("function", [double, Callable(), str.upper, "".join, getattr])
def test_what_takes_one_argument_or_does_not_say_is_taken(function: Any) -> None:
    require_one_argument(function, "it", "(value)", {"sep", "default", "name"})


def test_the_other_parameters_that_it_may_want_are_named() -> None:
    def wants(value: str, form: object) -> None: ...

    require_one_argument(wants, "it", "(value)", {"form"})
    with pytest.raises(TypeError, match=r"it: takes \(value\), not \(value"):
        require_one_argument(wants, "it", "(value)")
    assert takes(wants, "form")
    assert not takes(wants, "value"), "that is the first"
    assert not takes(double, "form")


def test_a_plain_function_blocks_and_an_async_one_does_not() -> None:
    assert blocks("it", Callable(), None)
    assert not blocks("it", Callable(), False)
    assert not blocks("it", double, None)


async def test_a_function_is_called_here_or_in_a_thread_and_what_it_returns_is_awaited(
    pool: DaemonPool,
) -> None:
    assert await call(threading.current_thread, None, "me") is threading.main_thread()
    thread = await call(threading.current_thread, pool, "me")
    assert isinstance(thread, threading.Thread)
    assert thread.name == "called-0"
    for threads in (None, pool):
        assert await call(lambda: double("x"), threads, "me") == "xx"


async def test_who_does_not_wait_any_more_gives_the_thread_up(pool: DaemonPool) -> None:
    gate, begun, loop = threading.Event(), asyncio.Event(), asyncio.get_running_loop()

    def block() -> None:
        loop.call_soon_threadsafe(begun.set)
        gate.wait(10)

    calling = asyncio.create_task(call(block, pool, "me"))
    await begun.wait()
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert await call(lambda: "served", pool, "other") == "served"
    gate.set()


async def test_a_cancelled_error_is_a_failure_unless_the_task_is_asked_to_end() -> None:
    assert not was_cancelled(asyncio.CancelledError())
    assert not was_cancelled(ValueError())
    seen = []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as failure:
            seen.append(was_cancelled(failure))

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    await task
    assert seen == [True]


@pytest.mark.parametrize(
    "function", [lambda a, b, c: None, lambda *all: None, lambda a, b, c, d=1: None, max]
)
def test_what_takes_so_many_arguments_is_taken(function: Any) -> None:
    require_arguments(function, "it", 3, "(a, b, c)")


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda a, b: None, r"it: takes \(a, b, c\), not \(a, b\)"),
        (lambda a, b, c, d: None, r"not \(a, b, c, d\)"),
        (lambda a, b, *, c: None, r"not \(a, b, \*, c\)"),
        ("it", "a function that takes"),
        (int, "is a class"),
    ],
)
def test_what_takes_other_arguments_is_refused_in_words(function: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        require_arguments(function, "it", 3, "(a, b, c)")
