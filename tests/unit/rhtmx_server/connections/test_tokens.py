"""Facts about `rhtmx_server.connections.tokens`."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.request import Request
from rhtmx_server.connections.tokens import authenticator, check_authenticate
from rhtmx_server.threads import DaemonPool

SECRET = "t0ken"


@pytest.fixture
def pool() -> Iterator[DaemonPool]:
    pool = DaemonPool(2, "asked")
    yield pool
    pool.shutdown(wait=False, cancel_futures=True)


async def fails(function: Any, pool: DaemonPool) -> RhtmxError:
    with pytest.raises(RhtmxError) as caught:
        await authenticator(function, pool)(Request(SECRET))
    return caught.value


async def test_an_async_function_is_asked_on_the_loop(pool: DaemonPool) -> None:
    async def ask(request: Request) -> Grant:
        return Grant(f"{request.token} {threading.current_thread() is threading.main_thread()}")

    assert await authenticator(ask, pool)(Request("ada")) == Grant("ada True")


async def test_a_plain_function_is_asked_in_a_thread(pool: DaemonPool) -> None:
    def ask(request: Request) -> Grant:
        return Grant(f"{request.token} {threading.current_thread().name}")

    assert await authenticator(ask, pool)(Request("ada")) == Grant("ada asked-0")


async def test_a_plain_function_that_returns_a_coroutine_is_awaited(pool: DaemonPool) -> None:
    async def ask(request: Request) -> Grant:
        return Grant(request.token)

    asking = authenticator(lambda request: ask(request), pool)
    assert await asking(Request("ada")) == Grant("ada")


async def test_a_refusal_passes_as_it_is(pool: DaemonPool) -> None:
    def refuse(request: Request) -> Grant:
        raise RhtmxError(ErrorCode.UNAUTHENTICATED, "not known here")

    error = await fails(refuse, pool)
    assert (error.code, error.message) == (ErrorCode.UNAUTHENTICATED, "not known here")


def fail_plain(request: Request) -> Grant:
    raise KeyError(request.token)


async def fail_async(request: Request) -> Grant:
    raise KeyError(request.token)


@pytest.mark.parametrize("function", [fail_plain, fail_async])
async def test_any_other_failure_is_internal_and_logged_with_its_traceback_without_the_token(
    pool: DaemonPool, caplog: pytest.LogCaptureFixture, function: Any
) -> None:
    error = await fails(function, pool)
    assert error.code is ErrorCode.INTERNAL
    assert f"authenticate {function.__name__} failed, correlation id" in caplog.text
    assert "Traceback (most recent call last)" in caplog.text
    assert "raise KeyError(request.token)" in caplog.text
    assert SECRET not in caplog.text + error.message


@pytest.mark.parametrize("answer", [None, "ada", {"subject": "ada"}, True])
async def test_an_answer_that_is_no_grant_is_internal_and_the_log_says_what_to_return(
    pool: DaemonPool, caplog: pytest.LogCaptureFixture, answer: Any
) -> None:
    error = await fails(lambda request: answer, pool)
    assert error.code is ErrorCode.INTERNAL
    assert f"returned {type(answer).__name__}: return a Grant, or raise" in caplog.text


@pytest.mark.parametrize(
    "expires",
    [0, -1, 1_900_000_000, 1_900_000_000_000, 1.9e15, "1900000000000000", True],
    ids=["zero", "negative", "seconds", "milliseconds", "float", "text", "bool"],
)
async def test_an_end_that_is_not_in_microseconds_is_internal_and_the_log_says_what_to_give(
    pool: DaemonPool, caplog: pytest.LogCaptureFixture, expires: Any
) -> None:
    error = await fails(lambda request: Grant("ada", expires), pool)
    assert error.code is ErrorCode.INTERNAL
    assert "microseconds since 1970, or None expected (of a JWT: exp * 1_000_000)" in caplog.text


async def test_an_end_that_is_over_already_is_taken_as_it_is(pool: DaemonPool) -> None:
    over = Grant("ada", 1_700_000_000_000_000)
    assert await authenticator(lambda request: over, pool)(Request("ada")) == over


@pytest.mark.parametrize(
    ("subject", "said"), [(42, "is int"), (None, "is NoneType"), ("a\0", "holds a NUL character")]
)
async def test_a_subject_that_is_no_text_is_internal_and_the_log_says_so(
    pool: DaemonPool, caplog: pytest.LogCaptureFixture, subject: Any, said: str
) -> None:
    error = await fails(lambda request: Grant(subject), pool)
    assert error.code is ErrorCode.INTERNAL
    assert f"whose subject {said}" in caplog.text


async def test_a_function_that_wants_to_exit_or_waits_for_something_cancelled_is_internal(
    pool: DaemonPool,
) -> None:
    async def wait_for_cancelled(request: Request) -> Grant:
        gone: asyncio.Future[Grant] = asyncio.get_running_loop().create_future()
        gone.cancel()
        return await gone

    for function in (wait_for_cancelled, lambda request: sys.exit(1)):
        assert (await fails(function, pool)).code is ErrorCode.INTERNAL


async def test_who_asks_may_be_cancelled(pool: DaemonPool) -> None:
    begun = asyncio.Event()

    async def forever(request: Request) -> Grant:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    asking = asyncio.ensure_future(authenticator(forever, pool)(Request(SECRET)))
    await begun.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_questions_about_one_token_leave_threads_to_the_others(pool: DaemonPool) -> None:
    gate = threading.Event()

    def ask(request: Request) -> Grant:
        if request.token == SECRET:
            gate.wait(10)
        return Grant(request.token)

    asked = authenticator(ask, pool)
    slow = [asyncio.ensure_future(asked(Request(SECRET))) for _ in range(60)]
    async with asyncio.timeout(5):
        assert await asked(Request("ada")) == Grant("ada")
    gate.set()
    await asyncio.gather(*slow)


class Check:
    def __init__(self, request: Request) -> None: ...


async def stream(request: Request) -> AsyncIterator[Grant]:
    yield Grant(request.token)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda: None, r"takes \(request\), not \(\)"),
        (lambda request, token: None, r"takes \(request\), not \(request, token\)"),
        (Check, "is a class"),
        (stream, "has a `yield`"),
        ("secret", "a function that takes .* expected, got 'secret'"),
    ],
)
def test_what_cannot_be_asked_is_refused_at_once_in_words(function: Any, words: str) -> None:
    with pytest.raises(TypeError, match=f"authenticate .*: {words}"):
        check_authenticate(function)
