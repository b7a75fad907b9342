"""Facts about `rhtmx_server.connections.scope_functions`."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.entity import Entity
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.parts import Part, Partitions
from rhtmx_server.access.rules import anyone
from rhtmx_server.connections.scope_functions import access_of, check_scope_function, scope_asker
from rhtmx_server.threads import DaemonPool

ADA = Grant("ada")
SECRET = "s3cret"
RED = frozenset({Part.of({"project": "red"})})


@pytest.fixture
def pool() -> Iterator[DaemonPool]:
    pool = DaemonPool(2, "scoped")
    yield pool
    pool.shutdown(wait=False, cancel_futures=True)


def docs() -> Entity:
    entity = Entity("docs")
    entity.divide(Partitions([["project"]]))
    return entity


async def asked(function: Any, pool: DaemonPool, seconds: float = 5) -> Any:
    return await scope_asker(docs(), function, pool, seconds)(ADA)


async def fails(function: Any, pool: DaemonPool, seconds: float = 5) -> RhtmxError:
    with pytest.raises(RhtmxError) as caught:
        await asked(function, pool, seconds)
    return caught.value


async def test_an_async_function_is_asked_on_the_loop(pool: DaemonPool) -> None:
    async def ask(who: Grant) -> Any:
        return {"project": ["red"] if threading.current_thread() is threading.main_thread() else []}

    assert await asked(ask, pool) == RED


async def test_a_plain_function_is_asked_in_a_thread(pool: DaemonPool) -> None:
    def ask(who: Grant) -> Any:
        return {"project": threading.current_thread().name + who.subject}

    assert await asked(ask, pool) == {Part.of({"project": "scoped-0ada"})}


async def test_a_refusal_passes_as_it_is(pool: DaemonPool) -> None:
    def refuse(who: Grant) -> Any:
        raise RhtmxError(ErrorCode.FORBIDDEN, "not paid")

    error = await fails(refuse, pool)
    assert (error.code, error.message) == (ErrorCode.FORBIDDEN, "not paid")


def _leave(who: Grant) -> Any:
    sys.exit(1)


async def _cancelled(who: Grant) -> Any:
    raise asyncio.CancelledError


async def _own_timeout(who: Grant) -> Any:
    raise TimeoutError(SECRET)


@pytest.mark.parametrize(
    "function", [lambda who: 1 / 0, _leave, _cancelled, _own_timeout, lambda who: "all"]
)
async def test_one_that_fails_opens_nothing_and_is_logged(
    function: Any, pool: DaemonPool, caplog: pytest.LogCaptureFixture
) -> None:
    error = await fails(function, pool)
    assert error.code is ErrorCode.INTERNAL
    assert "app.scope('docs')" in caplog.text
    assert SECRET not in caplog.text


async def test_one_that_names_what_divides_nothing_says_what_to_declare(
    pool: DaemonPool, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await fails(lambda who: {"owner": "ada"}, pool)).code is ErrorCode.INTERNAL
    assert "declare app.entity('docs', partition=[['project'], ['owner']])" in caplog.text


async def test_one_that_takes_too_long_is_not_waited_for(pool: DaemonPool) -> None:
    async def ask(who: Grant) -> Any:
        await asyncio.get_running_loop().create_future()

    error = await fails(ask, pool, 0.01)
    assert error.code is ErrorCode.TIMEOUT


async def test_whoever_goes_away_is_not_told_a_failure(pool: DaemonPool) -> None:
    begun = asyncio.Event()

    async def ask(who: Grant) -> Any:
        begun.set()
        await asyncio.get_running_loop().create_future()

    asking = asyncio.ensure_future(asked(ask, pool))
    await begun.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


@pytest.mark.parametrize("function", [lambda: True, "docs", lambda who, more: True])
def test_what_cannot_be_asked_is_refused(function: Any) -> None:
    with pytest.raises(TypeError, match=r"app.scope\('docs'\)"):
        check_scope_function("docs", function)


async def test_it_is_warned_of_entities_that_were_forgotten(
    pool: DaemonPool, caplog: pytest.LogCaptureFixture
) -> None:
    entities = {"a": Entity("a"), "docs": docs(), "b": Entity("b").access(all=anyone)}
    access_of({"a": Entity("a")}, {}, pool, 5)
    assert caplog.text == ""
    access = access_of(entities, {"docs": lambda who: {"project": "red"}}, pool, 5)
    assert "everybody may read and write 'a', of which nothing is said" in caplog.text
    assert await access.readable("docs", ADA) == frozenset({'{"project":"red"}'})


def test_a_function_of_what_is_not_declared_is_refused(pool: DaemonPool) -> None:
    with pytest.raises(ValueError, match="there is no such entity"):
        access_of({}, {"docs": lambda who: True}, pool, 5)
