"""Commit hooks: every commit, in order, whatever one of them does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import ChangeLog
from rhtmx_server.hooks import CommitHooks, HookRunner
from rhtmx_server.model import Granularity, HistoryEntry
from rhtmx_server.ports import Wanted, Writes
from rhtmx_server.stores.memory import MemoryStore
from tests.unit.rhtmx_server.fakes import commit


class World:
    """Hooks that are running, and what they were told."""

    def __init__(self) -> None:
        self.hooks = CommitHooks()
        self.told: list[str] = []
        self.store = MemoryStore()
        self.runner = HookRunner(self.hooks, self.store)
        self.running = asyncio.create_task(self.runner.run())

    async def note(self, change: ChangeLog) -> None:
        self.told.append(f"{change.entity} {change.version}")

    async def put(self, *versions: int, entity: str = "tasks", lost: bool = False) -> None:
        commits = [commit(version, entity) for version in versions]
        history = [HistoryEntry(each.record, Granularity.RECORDS, lost) for each in commits]
        await self.store.commit(Wanted(), lambda _: Writes(history=history))
        self.runner.notice(commits)

    async def finish(self) -> None:
        async with asyncio.timeout(60):
            await self.runner.finish()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    world.running.cancel()
    await asyncio.wait([world.running])


async def test_a_hook_sees_every_commit_in_order(world: World) -> None:
    world.hooks.add("tasks", world.note)
    await world.put(1, 2, 3)
    await world.put(4)
    await world.finish()
    assert world.told == ["tasks 1", "tasks 2", "tasks 3", "tasks 4"]


async def test_a_hook_sees_only_its_own_entity(world: World) -> None:
    world.hooks.add("tasks", world.note)
    await world.put(1, entity="users")
    await world.put(1)
    await world.finish()
    assert world.told == ["tasks 1"]


async def test_a_hook_of_all_entities_sees_all(world: World) -> None:
    world.hooks.add(None, world.note)
    await world.put(1, entity="users")
    await world.put(1)
    await world.finish()
    assert world.told == ["users 1", "tasks 1"]


async def test_a_hook_that_fails_is_logged_and_the_rest_go_on(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(change: ChangeLog) -> None:
        raise ZeroDivisionError

    world.hooks.add("tasks", fail)
    world.hooks.add("tasks", world.note)
    await world.put(1, 2)
    await world.finish()
    assert world.told == ["tasks 1", "tasks 2"]
    assert "version 1 of 'tasks'" in caplog.text


async def test_a_hook_that_waits_for_something_cancelled_does_not_end_the_hooks(
    world: World,
) -> None:
    async def wait_for_cancelled(change: ChangeLog) -> None:
        gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        gone.cancel()
        await gone

    world.hooks.add("tasks", wait_for_cancelled)
    world.hooks.add("tasks", world.note)
    await world.put(1, 2)
    async with asyncio.timeout(60):
        await world.finish()
    assert world.told == ["tasks 1", "tasks 2"]


async def test_the_hooks_themselves_can_be_cancelled_in_the_middle_of_one(world: World) -> None:
    begun = asyncio.Event()

    async def forever(change: ChangeLog) -> None:
        begun.set()
        await asyncio.Event().wait()

    world.hooks.add("tasks", forever)
    await world.put(1)
    await begun.wait()
    world.running.cancel()
    await asyncio.wait([world.running], timeout=60)
    assert world.running.cancelled()


async def test_a_hook_may_write_itself_however_much_waits(world: World) -> None:
    async def echo(change: ChangeLog) -> None:
        await world.note(change)
        if change.version <= 3000:
            await world.put(3000 + change.version)

    world.hooks.add("tasks", echo)
    await world.put(*range(1, 3001))
    await world.finish()
    assert world.told == [f"tasks {version}" for version in range(1, 6001)]


async def test_a_hook_is_not_told_of_writes_that_lost(world: World) -> None:
    world.hooks.add("tasks", world.note)
    await world.put(1)
    await world.put(1, lost=True)
    await world.put(2)
    await world.finish()
    assert world.told == ["tasks 1", "tasks 2"]


async def test_a_store_that_fails_is_asked_again_at_the_next_commit(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.hooks.add("tasks", world.note)
    history, failing = world.store.history, True

    async def fail(entity: str, **options: Any) -> list[HistoryEntry]:
        if failing:
            raise RhtmxError(ErrorCode.STORAGE_FAILED, "no disk")
        return await history(entity, **options)

    world.store.history = fail  # type: ignore[method-assign]
    await world.put(1)
    await world.finish()
    assert "no disk" in caplog.text
    failing = False
    await world.put(2)
    await world.finish()
    assert world.told == ["tasks 1", "tasks 2"]


async def test_without_hooks_there_is_nothing_to_wait_for(world: World) -> None:
    await world.put(*range(1, 5000))
    await world.finish()
    world.hooks.add("tasks", world.note)
    await world.put(5000)
    await world.finish()
    assert world.told == ["tasks 5000"]
