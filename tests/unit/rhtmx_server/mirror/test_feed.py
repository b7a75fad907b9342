"""In which order rows are read, records written and notes removed, and what a failure does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Push, PushAck
from rhtmx.wire import check_json
from rhtmx_server.failures import error_message
from rhtmx_server.mirror import feed
from rhtmx_server.mirror.feed import MirrorFeed, ReconciledHook
from rhtmx_server.mirror.host import (
    HostRow,
    HostState,
    HostTrigger,
    KeyColumns,
    MirrorSetupError,
    Noted,
    TableName,
)
from rhtmx_server.mirror.outcomes import Reconciled, RejectedRows
from rhtmx_server.mirror.reader import HostReader, MirrorPlan
from rhtmx_server.mirror.row_records import record_maker
from rhtmx_server.mirror.writer import RecordWriter
from rhtmx_server.model import THE_TABLE, Mutation
from rhtmx_server.stores.memory import MemoryStore
from rhtmx_server.threads import DaemonPool
from tests.support.waiting import eventually


class World:
    """A table with its outbox, a committer that only answers, and a meter, in one."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.rows_there: dict[str, HostRow] = {}
        self.notes: list[Noted] = []
        self.mark = "as ever"
        self.answer: Callable[[Mutation], Any] = lambda mutation: PushAck()
        self.leads = True
        self.counted: dict[str, int] = {}
        self.rejected = RejectedRows()
        self.hooks: list[tuple[ReconciledHook, bool]] = []
        plan = MirrorPlan("orders", "t", None, ["a"], record_maker("orders", ["a"]), False)
        reader = HostReader(self, "rhtmx_outbox", [plan], check_json)
        writer = RecordWriter(MemoryStore(), self.submit, check_json)
        self.feed = MirrorFeed(
            reader,
            writer,
            DaemonPool(1),
            DaemonPool(1),
            lambda: self.leads,
            lambda: 0.0,
            self,
            {"orders": self.rejected},
            {"orders": self.hooks},
        )

    # The database.

    dialect = "sqlite"
    name = TableName("t")
    key = ("id",)
    kinds = (str,)
    columns: Collection[str] = ("id", "a")

    def table(
        self, table: object, key: KeyColumns | None, wanted: Collection[str] | None = None
    ) -> World:
        return self

    def close(self) -> None:
        raise AssertionError("not called here")

    def run(self, statements: Sequence[str]) -> None:
        raise AssertionError("not called here")

    def triggers(self, table: TableName) -> Sequence[HostTrigger]:
        return ()

    def state(self, table: TableName, outbox: TableName) -> HostState:
        return HostState(self.mark, 0)

    def noted(self, outbox: TableName, tables: Collection[str], most: int) -> Sequence[Noted]:
        self.events.append("look")
        return self.notes[:most]

    def late(self, outbox: TableName, table: str, keys: Iterable[str]) -> Collection[str]:
        return set(keys) & {note.key or "" for note in self.notes}

    def strange(self, outbox: TableName, tables: Collection[str]) -> str | None:
        return None

    def remove(self, outbox: TableName, ids: Iterable[int]) -> None:
        done = set(ids)
        self.events.append(f"remove {sorted(done)}")
        self.notes = [note for note in self.notes if note.id not in done]

    def rows(self, keys: Iterable[str]) -> Mapping[str, HostRow]:
        self.events.append("rows")
        return {key: self.rows_there[key] for key in keys if key in self.rows_there}

    def known(self, keys: Iterable[str]) -> Collection[str]:
        return set(keys) & self.rows_there.keys()

    def page(self, after: object, most: int) -> tuple[Collection[str], object]:
        return ((), None) if after else (list(self.rows_there), "end")

    # The committer, and the meter.

    def submit(self, mutation: Mutation) -> None:
        assert mutation.source == THE_TABLE
        assert isinstance(mutation.message, Push)
        self.events.append(f"write {mutation.message.entity_id}")
        asyncio.get_running_loop().call_soon(mutation.answer, [self.answer(mutation)])

    def mirrored(self, entity: str, result: str, count: int) -> None:
        self.counted[result] = self.counted.get(result, 0) + count

    def mirror_differences(self, entity: str, kind: str, count: int) -> None:
        self.counted[kind] = self.counted.get(kind, 0) + count

    def mirror_lag(self, entity: str, lag: Callable[[], float]) -> None:
        assert lag() == 0.0


@pytest.fixture
async def world() -> World:
    made = World()
    made.rows_there = {"1": {"id": 1, "a": "x"}}
    made.notes = [Noted(5, "t", "1")]
    return made


async def test_the_outbox_is_read_before_the_rows_and_cleared_after_the_write(
    world: World,
) -> None:
    assert await world.feed.step() == 1
    assert world.events == ["look", "rows", "write 1", "remove [5]"]
    assert world.counted == {"written": 1, "rejected": 0}


async def test_what_the_server_cannot_write_now_stays_in_the_outbox(world: World) -> None:
    world.answer = lambda mutation: error_message(RhtmxError(ErrorCode.STORAGE_FULL, "full"))
    with pytest.raises(RhtmxError, match="full"):
        await world.feed.step()
    assert [note.id for note in world.notes] == [5]
    assert world.rejected.reasons == {}


async def test_what_it_never_can_is_rejected_and_waits_no_more(world: World) -> None:
    world.answer = lambda mutation: error_message(RhtmxError(ErrorCode.INVALID_DATA, "no"))
    await world.feed.step()
    assert world.notes == []
    assert world.rejected.reasons == {"1": "no"}
    assert world.counted == {"rejected": 1, "written": 0}


async def test_a_server_that_leads_no_more_writes_nothing_and_clears_nothing(
    world: World,
) -> None:
    world.leads = False
    with pytest.raises(RhtmxError, match="another server"):
        await world.feed.step()
    assert world.events == ["look", "rows"]


async def test_a_row_that_the_outbox_names_is_late_and_no_difference(world: World) -> None:
    world.rows_there["2"] = {"id": 2, "a": "y"}
    world.notes = []
    reader_page = world.page

    def page(after: object, most: int) -> tuple[Collection[str], object]:
        if not after:
            world.notes = [Noted(6, "t", "2")]  # committed as it is read
        return reader_page(after, most)

    world.page = page  # type: ignore[method-assign]
    found = await world.feed.reconcile("orders", repair=False)
    assert (found.rows, found.added, found.differences) == (2, 1, 1)


async def test_a_table_that_lacks_a_column_is_said_in_words(world: World) -> None:
    world.columns = ("id", "aa")
    with pytest.raises(MirrorSetupError, match="no column 'a'"):
        await world.feed.step()


async def test_a_row_that_changes_while_it_is_compared_is_no_difference(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where another process mirrors it: by then the record is as the row, and no note is left."""
    read, world.notes = world.rows, []

    def rows(keys: Iterable[str]) -> Mapping[str, HostRow]:
        found = read(keys)
        world.rows_there.clear()
        return found

    monkeypatch.setattr(world, "rows", rows)
    found = await world.feed.check("orders")
    assert (found.rows, found.differences) == (1, 0)


async def test_a_difference_that_stays_counts_and_nothing_is_written(world: World) -> None:
    world.notes = []
    found = await world.feed.check("orders")
    assert (found.rows, found.added) == (1, 1)
    assert not any(each.startswith(("write", "remove")) for each in world.events)


async def test_a_database_that_does_not_answer_is_said(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A lock, or a connection that is cut without a word: nothing fails, and nothing comes."""
    caplog.set_level("INFO")
    monkeypatch.setattr(feed, "SILENT", 0.0)
    read, answer = world.noted, threading.Event()

    def noted(outbox: TableName, tables: Collection[str], most: int) -> Sequence[Noted]:
        answer.wait()
        return read(outbox, tables, most)

    monkeypatch.setattr(world, "noted", noted)
    step = asyncio.create_task(world.feed.step())
    await eventually(lambda: "its database has not answered for 0 seconds" in caplog.text)
    answer.set()
    await step
    assert caplog.text.splitlines()[-1].endswith("the mirror of 'orders' goes on")


async def test_what_was_found_by_a_look_that_is_given_up_is_compared_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a program that waits for `reconcile` so long and no longer."""
    monkeypatch.setattr(feed, "CHECK", 0.0)
    world.notes = []
    await world.feed.step()
    assert not world.feed.busy
    world.mark = "another table"
    begun, answer = threading.Event(), threading.Event()

    def strange(outbox: TableName, tables: Collection[str]) -> None:
        begun.set()
        answer.wait()

    monkeypatch.setattr(world, "strange", strange)
    step = asyncio.create_task(world.feed.step())
    await eventually(begun.is_set)
    step.cancel()
    answer.set()
    with pytest.raises(asyncio.CancelledError):
        await step
    await world.feed.step()
    assert world.feed.busy


@pytest.mark.parametrize("blocks", [True, False])
async def test_a_function_that_takes_its_time_holds_up_neither_looks_nor_comparisons(
    world: World, blocks: bool
) -> None:
    told: list[Reconciled] = []
    may_end = threading.Event()

    async def wait() -> None:
        await asyncio.to_thread(may_end.wait)

    def hook(found: Reconciled) -> object:
        told.append(found)
        return may_end.wait() if blocks else wait()

    world.hooks.append((hook, blocks))
    running = asyncio.create_task(world.feed.run())
    try:
        await eventually(lambda: bool(told) and world.notes == [])
        before = world.events.count("rows")
        world.notes = [Noted(6, "t", None)]  # any row may have changed
        world.feed.wake()
        await eventually(lambda: world.events.count("rows") > before)
        assert len(told) == 1
        may_end.set()
        await eventually(lambda: len(told) == 2)
    finally:
        may_end.set()
        running.cancel()
        await asyncio.wait({running})
