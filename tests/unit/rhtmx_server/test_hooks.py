"""Commit hooks: every commit, in order, whatever one of them does."""

from __future__ import annotations

import asyncio
import functools
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, cast

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.values.changes import Change
from rhtmx_server.hooks import PAGE, CommitHooks, HookRunner
from rhtmx_server.model import Granularity, HistoryEntry
from rhtmx_server.ports import BatchNeeds, BatchWrites
from rhtmx_server.record_page import HistoryPage
from rhtmx_server.stores.memory import MemoryStore
from tests.support.waiting import eventually
from tests.unit.rhtmx_server.fakes import commit


class World:
    """Hooks that are running, and what they were told."""

    def __init__(self) -> None:
        self.hooks = CommitHooks()
        self.told: list[str] = []
        self.store = MemoryStore()
        self.runner = HookRunner(self.hooks, self.store)
        self.running = asyncio.create_task(self.runner.run())

    async def note(self, change: Change) -> None:
        self.told.append(f"{change.entity} {change.version}")

    async def put(self, *versions: int, entity: str = "tasks", lost: bool = False) -> None:
        commits = [commit(version, entity) for version in versions]
        history = [HistoryEntry(each.record, Granularity.RECORDS, lost) for each in commits]
        await self.store.commit(BatchNeeds(), lambda _: BatchWrites(history=history))
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


async def test_a_hook_sees_what_is_hidden_as_it_is_when_it_is_called(world: World) -> None:
    """The history has nothing of it."""
    seen: list[Any] = []
    world.hooks.add("tasks", lambda change: seen.append(change.data), blocking=False)

    async def put(*hidden: bytes | None) -> None:
        commits = [commit(version) for version in range(1, len(hidden) + 1)]
        for each, text in zip(commits, hidden, strict=True):
            each.record.hidden = text
        writes = BatchWrites(
            records=[commits[-1].record],
            history=[HistoryEntry(each.record, Granularity.RECORDS) for each in commits],
        )
        await world.store.commit(BatchNeeds(), lambda _: writes)
        world.runner.notice(commits)
        await world.finish()

    await put(b'{"note":"a"}', None, b'{"note":"b"}')
    assert seen == [{"n": version, "note": "b"} for version in (1, 2, 3)]


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
    async def fail(change: Change) -> None:
        raise ZeroDivisionError

    world.hooks.add("tasks", fail)
    world.hooks.add("tasks", world.note)
    await world.put(1, 2)
    await world.finish()
    assert world.told == ["tasks 1", "tasks 2"]
    assert "on_commit " in caplog.text
    assert "fail failed at version 1 of 'tasks': ZeroDivisionError" in caplog.text
    assert "Traceback (most recent call last)" in caplog.text
    assert "raise ZeroDivisionError" in caplog.text, "the line that failed"


async def test_a_hook_that_waits_for_something_cancelled_does_not_end_the_hooks(
    world: World,
) -> None:
    async def wait_for_cancelled(change: Change) -> None:
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

    async def forever(change: Change) -> None:
        begun.set()
        await asyncio.Event().wait()

    world.hooks.add("tasks", forever)
    await world.put(1)
    await begun.wait()
    world.running.cancel()
    await asyncio.wait([world.running], timeout=60)
    assert world.running.cancelled()


async def test_a_hook_may_write_itself_however_much_waits(world: World) -> None:
    async def echo(change: Change) -> None:
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


async def test_a_hook_is_told_of_a_commit_however_many_writes_lost_at_its_version(
    world: World,
) -> None:
    world.hooks.add("tasks", world.note)
    for _ in range(2):
        losers = [HistoryEntry(commit(1).record, Granularity.FIELDS, lost=True)] * (PAGE + 1)
        await world.store.commit(BatchNeeds(), lambda _, lost=losers: BatchWrites(history=lost))  # type: ignore[misc]  # binds the loop's value
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

    async def fail(entity: str, **options: Any) -> HistoryPage[HistoryEntry]:
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


# What may be a hook.


async def test_a_hook_gets_the_change_as_the_client_would(world: World) -> None:
    told: list[Change] = []

    async def keep(change: Change) -> None:
        told.append(change)

    world.hooks.add("tasks", keep)
    await world.put(1)
    await world.finish()
    (change,) = told
    assert isinstance(change, Change)
    assert (change.entity, change.version, change.action) == ("tasks", 1, "update")
    assert change.data == {"n": 1}


async def test_what_one_hook_does_to_the_data_the_next_one_does_not_see(world: World) -> None:
    seen: list[Any] = []

    def spoil(change: Change) -> None:
        seen.append(dict(change.data))
        change.data.clear()

    world.hooks.add("tasks", spoil)
    world.hooks.add("tasks", spoil)
    await world.put(1)
    await world.finish()
    assert seen == [{"n": 1}, {"n": 1}]


async def test_a_plain_hook_runs_off_the_loop_in_order_with_the_others(world: World) -> None:
    threads = list[str]()

    def plain(change: Change) -> None:
        threads.append(threading.current_thread().name)
        world.told.append(f"plain {change.version}")

    world.hooks.add("tasks", plain)
    world.hooks.add("tasks", world.note)
    await world.put(1, 2)
    await world.finish()
    assert world.told == ["plain 1", "tasks 1", "plain 2", "tasks 2"]
    assert set(threads) == {"rhtmx-hook-0"}


async def test_a_plain_hook_that_blocks_does_not_hold_up_the_loop(world: World) -> None:
    gate, begun, loop = threading.Event(), asyncio.Event(), asyncio.get_running_loop()

    def block(change: Change) -> None:
        loop.call_soon_threadsafe(begun.set)
        gate.wait(10)

    world.hooks.add("tasks", block)
    await world.put(1)
    await begun.wait()
    assert not world.told
    gate.set()
    await world.finish()


async def test_a_plain_hook_that_does_not_block_runs_on_the_loop(world: World) -> None:
    threads = list[threading.Thread]()
    world.hooks.add("tasks", lambda change: threads.append(threading.current_thread()), False)
    await world.put(1)
    await world.finish()
    assert threads == [threading.main_thread()]


async def test_a_plain_hook_that_returns_a_coroutine_is_awaited(world: World) -> None:
    world.hooks.add("tasks", lambda change: world.note(change))
    await world.put(1)
    await world.finish()
    assert world.told == ["tasks 1"]


@pytest.mark.parametrize("blocking", [True, False])
async def test_a_plain_hook_that_fails_is_logged_with_its_traceback_but_not_its_words(
    world: World, caplog: pytest.LogCaptureFixture, blocking: bool
) -> None:
    def fail(change: Change) -> None:
        raise ValueError(f"no {change.entity_id} of secret")

    world.hooks.add("tasks", fail, blocking)
    world.hooks.add("tasks", world.note)
    await world.put(1)
    await world.finish()
    assert world.told == ["tasks 1"]
    assert 'raise ValueError(f"no {change.entity_id} of secret")' in caplog.text
    assert "no 1 of" not in caplog.text


@pytest.mark.parametrize("blocking", [True, False])
async def test_a_hook_that_wants_to_exit_is_a_failure_like_any_other(
    world: World, blocking: bool
) -> None:
    world.hooks.add("tasks", lambda change: sys.exit(1), blocking)
    world.hooks.add("tasks", world.note)
    await world.put(1)
    await world.finish()
    assert world.told == ["tasks 1"]


class Notify:
    def __init__(self, change: Change) -> None: ...

    def method(self, change: Change) -> None: ...


def generator(change: Change) -> Iterator[None]:
    yield


async def stream(change: Change) -> AsyncIterator[None]:
    yield


@pytest.mark.parametrize(
    ("hook", "words"),
    [
        (lambda: None, r"takes \(change\), not \(\)"),
        (lambda change, more: None, r"takes \(change\), not \(change, more\)"),
        (lambda *, change: None, r"takes \(change\), not \(\*, change\)"),
        (Notify.method, r"on_commit Notify\.method: takes \(change\)"),
        (Notify, r"on_commit Notify: is a class"),
        (generator, r"on_commit generator: has a `yield`"),
        (stream, r"on_commit stream: has a `yield`"),
        (7, r"a function that takes \(change\) expected, got 7"),
        (None, r"a function that takes \(change\) expected, got None"),
    ],
)
def test_what_cannot_be_called_with_a_change_is_refused_at_once_in_words(
    hook: Any, words: str
) -> None:
    with pytest.raises(TypeError, match=words):
        CommitHooks().add("tasks", hook)


@pytest.mark.parametrize(
    "hook", [lambda *all_of_it: None, lambda change, more=1: None, print, functools.partial(print)]
)
def test_what_can_be_is_taken(hook: Any) -> None:
    CommitHooks().add("tasks", hook)


def test_an_async_hook_that_is_said_to_block_is_refused() -> None:
    async def notify(change: Change) -> None: ...

    with pytest.raises(TypeError, match="is async, so it runs on the event loop"):
        CommitHooks().add("tasks", notify, True)


def test_a_hook_of_an_entity_that_there_cannot_be_is_refused_with_the_one_that_was_meant() -> None:
    hooks = CommitHooks()
    hooks.add("taks", lambda change: None)
    hooks.check(None)
    hooks.check({"taks"})
    with pytest.raises(RhtmxError, match=r"no entity 'taks' is declared: did you mean 'tasks'\?$"):
        hooks.check({"tasks", "users"})


def test_a_hook_of_all_entities_goes_with_any() -> None:
    hooks = CommitHooks()
    hooks.add(None, lambda change: None)
    hooks.check(set())


class Shared(MemoryStore):
    """A store that several nodes share, with what is noted there of hooks."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: dict[str, int] = {"tasks": 0}
        self.life = "e"

    @property
    def epoch(self) -> str:
        return self.life

    async def begin_telling(self, entities: object) -> dict[str, int]:
        return dict(self.noted)

    async def note_told(self, entity: str, version: int) -> None:
        self.noted[entity] = version


class Node:
    """A node of several, whose hook is told."""

    def __init__(self) -> None:
        self.store, self.leads = Shared(), True
        self.told: list[int] = []
        self.before: Callable[[int], None] = lambda version: None
        hooks = CommitHooks()
        hooks.add("tasks", self._note)
        shared = cast(Any, self.store)
        self.runner = HookRunner(hooks, shared, shared=shared, leads=lambda: self.leads)

    async def put(self, *versions: int) -> None:
        commits = [commit(version) for version in versions]
        history = [HistoryEntry(each.record, Granularity.RECORDS) for each in commits]
        writes = BatchWrites(history=history, heads={"tasks": versions[-1]})
        await self.store.commit(BatchNeeds(), lambda _: writes)
        self.runner.moved(["tasks"])

    async def _note(self, change: Change) -> None:
        self.told.append(change.version)
        self.before(change.version)


@pytest.fixture
async def node(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Node]:
    monkeypatch.setattr("rhtmx_server.hooks._LOOK_EVERY", 0.01)
    node = Node()
    running = asyncio.create_task(node.runner.run())
    yield node
    running.cancel()
    await asyncio.wait([running])


async def test_who_leads_no_more_calls_no_hook_for_the_rest_of_a_page(node: Node) -> None:
    def freeze(version: int) -> None:
        node.leads = version != 2

    node.before = freeze
    await node.put(1, 2, 3, 4)
    await eventually(lambda: node.told == [1, 2])
    node.store.noted["tasks"] = 3  # by the one who leads meanwhile
    node.leads = True
    await eventually(lambda: node.told == [1, 2, 4])


async def test_with_another_epoch_hooks_are_told_of_what_comes_in_the_place_of_what_was(
    node: Node,
) -> None:
    await node.put(1, 2, 3)
    await eventually(lambda: node.store.noted == {"tasks": 3})
    node.store.noted["tasks"] = 1  # the others were lost
    node.store.life = "f"
    node.runner.moved(["tasks"])
    await eventually(lambda: node.told == [1, 2, 3, 2, 3])
