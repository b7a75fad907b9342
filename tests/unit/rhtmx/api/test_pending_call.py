"""Facts about `rhtmx.api.pending_call`."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rhtmx.api.pending_call import Writing
from rhtmx.core.events import Answered
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Pong
from rhtmx.stores.memory import MemoryStore
from tests.unit.rhtmx.peer import Peer, client_of

ANSWER = Answered("r1", Pong())


class World:
    """A write, and whoever answers it."""

    def __init__(self) -> None:
        self.call: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self.saved = asyncio.Event()
        self.writing = Writing(self.call, lambda answer: answer.request_id, self._saved)

    async def _saved(self) -> None:
        await self.saved.wait()


async def test_awaiting_it_gives_what_came_of_it_to_all_who_wait() -> None:
    world = World()
    world.call.set_result(ANSWER)
    assert await world.writing == "r1"
    assert list(await asyncio.gather(world.writing, world.writing)) == ["r1", "r1"]


async def test_it_can_be_made_a_task() -> None:
    world = World()
    task = asyncio.create_task(world.writing)
    world.call.set_result(ANSWER)
    assert await task == "r1"


async def test_one_who_gives_up_takes_it_from_nobody_else() -> None:
    world = World()
    impatient, patient = (asyncio.ensure_future(_wait(world.writing)) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.gather(impatient, return_exceptions=True)
    world.call.set_result(ANSWER)
    assert await patient == "r1"


async def test_a_task_of_it_can_be_cancelled() -> None:
    world = World()
    task = asyncio.create_task(world.writing)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not world.call.cancelled()


async def test_several_tasks_can_be_made_of_it() -> None:
    world = World()
    first, second, after = (asyncio.create_task(world.writing) for _ in range(3))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    world.call.set_result(ANSWER)
    assert await second == await after == await asyncio.create_task(world.writing) == "r1"


async def test_who_has_waited_in_vain_may_wait_again() -> None:
    world = World()
    for _ in range(2):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(world.writing, 0.001)
    world.call.set_result(ANSWER)
    assert await asyncio.wait_for(world.writing, 10) == "r1"


async def test_a_refusal_is_raised() -> None:
    world = World()
    world.call.set_exception(RhtmxError(ErrorCode.FORBIDDEN, "not yours"))
    with pytest.raises(RhtmxError, match="not yours"):
        await world.writing


async def test_stored_waits_for_the_store_only() -> None:
    world = World()
    storing = asyncio.ensure_future(world.writing.stored())
    await asyncio.sleep(0)
    assert not storing.done()
    world.saved.set()
    await storing
    assert not world.call.done()


async def test_it_may_be_left_alone() -> None:
    World().writing.close()


async def _wait(writing: Writing[str]) -> str:
    return await writing


@pytest.mark.parametrize("together", [False, True])
async def test_a_write_that_the_store_could_not_take_never_says_that_it_is_stored(
    peer: Peer, together: bool
) -> None:
    store = MemoryStore("c")
    async with client_of(peer, store=store) as client:
        store.failure = RhtmxError(ErrorCode.STORAGE_FULL, "the disk is full")
        writing: Writing[Any] = client.push("users", "1", {"n": 1})
        if together:
            with client.transaction() as both:
                both.set("users", "1", {"n": 1})
            writing = both.writing
        with pytest.raises(RhtmxError, match="the disk is full"):
            await writing
        store.failure = None
        with pytest.raises(RhtmxError, match="the disk is full"):
            await writing.stored()
        other = client.push("users", "2", {"n": 1})
        await other.stored()
        await other
