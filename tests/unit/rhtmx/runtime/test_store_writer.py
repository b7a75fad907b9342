"""Facts about `rhtmx.runtime.store_writer`."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence

import pytest

from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.core.queued_write import QueuedWrite
from rhtmx.core.session import Session
from rhtmx.core.storage_ops import AddWrite, HeldRecord, Image, Op, PutRecord, SetLast
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import ChangeAction, Push
from rhtmx.runtime.event_router import EventRouter
from rhtmx.runtime.session_driver import SessionDriver
from rhtmx.runtime.store_writer import StoreWriter
from rhtmx.stores.memory import MemoryStore
from tests.support.sockets import PATIENCE
from tests.support.waiting import eventually

FULL = RhtmxError(ErrorCode.STORAGE_FULL, "the disk is full")


class Slow(MemoryStore):
    """A store that works only when it is let, and counts transactions."""

    def __init__(self) -> None:
        super().__init__("c")
        self.free = threading.Event()
        self.free.set()
        self.transactions = 0
        self.closed = False

    def load(self) -> Image:
        if self.failure is not None:
            raise self.failure
        return super().load()

    def add(self, adds: Sequence[AddWrite], ops: Sequence[Op] = ()) -> list[int]:
        self.free.wait(5)
        self.transactions += 1
        return super().add(adds, ops)

    def close(self) -> None:
        self.closed = True


class Kept:
    """A core, its store_writer, and its store."""

    def __init__(self) -> None:
        session = Session("c", lambda: 0.5)
        self.local = session.local
        self.store = Slow()
        self.driver = SessionDriver(session, EventRouter())
        self.ends: list[ConnectionClosed] = []
        self.store_writer = StoreWriter(self.store, self.driver, self.ends.append)

    async def open(self) -> None:
        self.local.load(await self.store_writer.load())
        self.store_writer.start()

    def write(self, *names: str) -> None:
        for name in names:
            self.local.writes.add(QueuedWrite(name, Push("tasks", name, ChangeAction.UPDATE, b"1")))
        self.driver.to_store.set()

    def rows(self) -> list[str]:
        return [row.id for row in self.store.load().rows]


@pytest.fixture
async def kept() -> Kept:
    return Kept()


async def test_what_is_written_in_one_turn_is_one_transaction(kept: Kept) -> None:
    await kept.open()
    kept.write("a", "b")
    kept.write("c")
    await kept.store_writer.saved()
    assert kept.rows() == ["a", "b", "c"]
    assert kept.store.transactions == 1
    await kept.store_writer.close()


async def test_the_loop_does_not_wait_for_the_store(kept: Kept) -> None:
    await kept.open()
    kept.store.free.clear()
    kept.write("a")
    saving = asyncio.create_task(kept.store_writer.saved())
    await asyncio.sleep(0)
    assert not saving.done()
    kept.store.free.set()
    await saving
    await kept.store_writer.close()


async def test_closing_stores_the_rest(kept: Kept) -> None:
    await kept.open()
    kept.store.free.clear()
    kept.write("a")
    closing = asyncio.create_task(kept.store_writer.close())
    await asyncio.sleep(0)
    kept.write("b")
    kept.store.free.set()
    await closing
    assert kept.rows() == ["a", "b"]
    assert kept.store.closed


async def test_closing_that_is_cancelled_stores_the_rest_all_the_same(kept: Kept) -> None:
    await kept.open()
    kept.store.free.clear()
    kept.write("a")
    closing = asyncio.create_task(kept.store_writer.close())
    for _ in range(3):
        await asyncio.sleep(0)
    kept.write("b")
    closing.cancel()
    await asyncio.gather(closing, return_exceptions=True)
    kept.store.free.set()
    await asyncio.to_thread(kept.store_writer._pool.shutdown, True)
    assert kept.rows() == ["a", "b"]
    assert kept.store.closed


async def test_a_batch_that_waits_for_the_thread_survives_a_cancelled_close(kept: Kept) -> None:
    await kept.open()
    busy = threading.Event()
    kept.store_writer._pool.submit(busy.wait, 5)
    kept.write("a")
    closing = asyncio.create_task(kept.store_writer.close())
    for _ in range(3):
        await asyncio.sleep(0)
    closing.cancel()
    await asyncio.gather(closing, return_exceptions=True)
    busy.set()
    await asyncio.to_thread(kept.store_writer._pool.shutdown, True)
    assert kept.rows() == ["a"]


async def test_closing_twice_or_at_the_same_time_is_no_error(kept: Kept) -> None:
    await kept.open()
    kept.write("a")
    await asyncio.gather(*(kept.store_writer.close() for _ in range(3)))
    await kept.store_writer.close()
    assert kept.rows() == ["a"]
    assert kept.store.closed


async def test_who_closes_beside_one_that_is_cancelled_is_not_cancelled(kept: Kept) -> None:
    await kept.open()
    kept.store.free.clear()
    kept.write("a")
    closing = [asyncio.create_task(kept.store_writer.close()) for _ in range(2)]
    await asyncio.sleep(0)
    closing[0].cancel()
    kept.store.free.set()
    first, second = await asyncio.gather(*closing, return_exceptions=True)
    assert isinstance(first, asyncio.CancelledError)
    assert second is None
    await kept.store_writer.close()


async def test_a_store_that_cannot_be_opened_is_let_go_of(kept: Kept) -> None:
    kept.store.failure = FULL
    with pytest.raises(RhtmxError, match="the disk is full"):
        await kept.store_writer.load()
    await asyncio.to_thread(kept.store_writer._pool.shutdown, True)
    assert kept.store.closed


async def test_what_could_not_be_stored_is_tried_again(
    kept: Kept, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rhtmx.runtime.store_writer.RETRY", 0.001)
    await kept.open()
    kept.store.failure = FULL
    kept.local.pending_ops.put(SetLast(7))
    with caplog.at_level(logging.WARNING, "rhtmx"):
        kept.driver.to_store.set()
        await kept.driver.to_send.wait()
        kept.store.failure = None
        while kept.store._last != 7:
            kept.driver.to_send.clear()
            await kept.driver.to_send.wait()
    assert "the disk is full" in caplog.text
    await kept.store_writer.close()


async def test_what_comes_while_the_store_fails_is_tried_at_once(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rhtmx.runtime.store_writer.RETRY", 3600)
    await kept.open()
    kept.store.failure = FULL
    kept.store.free.clear()
    kept.local.pending_ops.put(SetLast(7))
    kept.driver.to_store.set()
    await eventually(lambda: not kept.local.pending_ops)
    kept.local.pending_ops.put(SetLast(8))  # while the store is at work
    kept.driver.to_store.set()
    kept.store.free.set()
    await eventually(lambda: kept.store.transactions == 4)  # each batch, and what matters of it
    await kept.store_writer.close()


async def test_a_write_that_cannot_be_stored_is_said_to_who_waits_for_it(kept: Kept) -> None:
    await kept.open()
    kept.store.failure = FULL
    kept.write("a")
    with pytest.raises(RhtmxError, match="the disk is full"):
        await kept.store_writer.saved()
    assert len(kept.local.writes.queue) == 0
    kept.store.failure = None
    await kept.store_writer.close()


async def test_whoever_waits_for_a_store_that_was_closed_is_told(kept: Kept) -> None:
    await kept.open()
    await kept.store_writer.close()
    kept.write("a")
    with pytest.raises(RhtmxError, match="before this was known to be stored"):
        await kept.store_writer.saved()


async def test_a_bug_in_the_core_is_said_instead_of_waited_for(
    kept: Kept, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    await kept.open()

    def broken(outcome: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(kept.local, "kept", broken)
    kept.write("a")
    with pytest.raises(RhtmxError, match="the store failed"):
        await kept.store_writer.saved()
    assert "ZeroDivisionError" in caplog.text
    await kept.store_writer.close()


async def test_who_waits_for_the_store_waits_for_no_write_that_came_later(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns, add = threading.Semaphore(0), kept.store.add

    def in_turns(adds: Sequence[AddWrite], ops: Sequence[Op] = ()) -> list[int]:
        turns.acquire(timeout=5)
        return add(adds, ops)

    monkeypatch.setattr(kept.store, "add", in_turns)
    await kept.open()
    kept.write("a")
    first = asyncio.create_task(kept.store_writer.saved())
    await eventually(lambda: not kept.local.pending_ops)  # it is under way
    kept.write("b")
    later = asyncio.create_task(kept.store_writer.saved())
    turns.release()
    await first
    assert not later.done()
    turns.release()
    await later
    assert kept.rows() == ["a", "b"]
    await kept.store_writer.close()


async def test_a_wait_for_the_store_that_was_given_up_holds_up_nobody(kept: Kept) -> None:
    await kept.open()
    kept.store.free.clear()
    kept.write("a")
    waits = [asyncio.create_task(kept.store_writer.saved()) for _ in range(2)]
    await asyncio.sleep(0)
    waits[0].cancel()
    kept.store.free.set()
    await waits[1]
    await kept.store_writer.close()


def row(kept: Kept, name: str) -> QueuedWrite:
    found = kept.local.writes.queue.get(name)
    assert found is not None
    return found


async def test_a_write_that_was_refused_is_never_told_as_stored(kept: Kept) -> None:
    await kept.open()
    kept.store.failure = FULL
    kept.write("a")
    a = row(kept, "a")
    await eventually(lambda: not len(kept.local.writes.queue))
    kept.store.failure = None
    with pytest.raises(RhtmxError, match="the disk is full"):
        await kept.store_writer.saved(a)
    await kept.store_writer.saved()  # which is about what waits now
    await kept.store_writer.close()


async def test_a_write_after_the_store_works_again_is_not_told_of_what_was(kept: Kept) -> None:
    await kept.open()
    kept.store.failure = FULL
    kept.write("a")
    with pytest.raises(RhtmxError):
        await kept.store_writer.saved()
    kept.store.failure = None
    kept.write("b")
    await asyncio.gather(kept.store_writer.saved(row(kept, "b")), kept.store_writer.saved())
    assert kept.rows() == ["b"]
    await kept.store_writer.close()


async def test_each_write_is_told_what_became_of_itself(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a batch that has no room each write is tried alone; records have to wait."""
    add = kept.store.add

    def small(adds: Sequence[AddWrite], ops: Sequence[Op] = ()) -> list[int]:
        if ops or len(adds) > 1 or any(each.row.id == "large" for each in adds):
            raise FULL
        return add(adds, ops)

    monkeypatch.setattr(kept.store, "add", small)
    await kept.open()
    kept.write("a", "large", "b")
    kept.local.pending_ops.put(PutRecord("tasks", "1", HeldRecord(1, b"1")))
    rows = [row(kept, name) for name in ("a", "large", "b")]
    told = await asyncio.gather(
        *map(kept.store_writer.saved, rows), kept.store_writer.saved(), return_exceptions=True
    )
    assert told == [None, FULL, None, FULL]
    assert kept.rows() == ["a", "b"]
    kept.write("c")
    await kept.store_writer.saved()  # the record waits: that is no matter of the writes
    await kept.store_writer.close()


async def test_a_write_that_is_numbered_again_is_in_the_store_meanwhile(kept: Kept) -> None:
    await kept.open()
    kept.write("a")
    await kept.store_writer.saved()
    kept.store.failure = FULL
    kept.local.writes.queue.renumber([row(kept, "a")], 7)
    kept.driver.to_store.set()
    await kept.store_writer.saved()
    await kept.store_writer.saved(row(kept, "a"))
    kept.store.failure = None
    await kept.store_writer.close()
    assert [each.seq for each in kept.store.load().rows] == [8]


async def test_closing_tries_a_store_that_has_failed_once_more(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rhtmx.runtime.store_writer.RETRY", 3600)
    await kept.open()
    kept.store.failure = FULL
    kept.local.pending_ops.put(SetLast(7))
    kept.driver.to_store.set()
    await eventually(lambda: kept.store.transactions == 2)
    await eventually(lambda: bool(kept.local.pending_ops))
    kept.store.failure = None
    await kept.store_writer.close()
    assert kept.store.load().last == 7


async def test_closing_gives_up_what_a_store_never_takes_and_says_so(
    kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    await kept.open()
    kept.store.failure = FULL
    kept.write("a", "b")
    kept.local.pending_ops.put(SetLast(7))
    async with asyncio.timeout(PATIENCE):
        await kept.store_writer.close()
    assert kept.store.closed
    assert "closed without 2 writes, which are lost: the disk is full" in caplog.text


async def test_whoever_cancels_its_task_is_told_that_nothing_is_stored_any_more(
    kept: Kept,
) -> None:
    """As `asyncio.run` does at its end, with all tasks that are left."""
    await kept.open()
    kept.store.free.clear()
    kept.write("a")
    waiting = asyncio.create_task(kept.store_writer.saved())
    await eventually(lambda: not kept.local.pending_ops)  # it is under way
    kept.write("b")
    cancel_task(kept)
    with pytest.raises(RhtmxError, match="its task was cancelled"):
        await waiting
    assert len(kept.ends) == 1
    closing = [asyncio.create_task(kept.store_writer.close()) for _ in range(2)]
    kept.store.free.set()
    await asyncio.gather(*closing)
    assert kept.rows() == ["a", "b"]
    await kept.store_writer.saved()  # what was under way has been heard of, too
    assert len(kept.ends) == 1


async def opened_with(name: str) -> Kept:
    kept = Kept()
    await kept.open()
    kept.write(name)
    return kept


def test_it_can_be_closed_after_the_end_of_its_loop() -> None:
    kept = asyncio.run(opened_with("a"))
    asyncio.run(kept.store_writer.close())
    assert kept.rows() == ["a"]
    assert kept.store.closed


def test_it_can_be_closed_in_a_loop_beside_its_own() -> None:
    with asyncio.Runner() as runner:
        kept = runner.run(opened_with("a"))
        asyncio.run(kept.store_writer.close())
    assert kept.rows() == ["a"]
    assert kept.store.closed


async def test_a_store_that_is_closed_while_it_is_opened_is_let_go_of(kept: Kept) -> None:
    opening = asyncio.create_task(kept.store_writer.load())
    await asyncio.sleep(0)
    await kept.store_writer.close()
    with pytest.raises(ConnectionClosed, match="the client was closed"):
        await opening
    assert kept.store.closed


async def test_whatever_keeps_a_store_from_opening_is_an_error_of_ours(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_more(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_more)
    with pytest.raises(RhtmxError, match="cannot be opened: RuntimeError") as caught:
        await kept.store_writer.load()
    assert caught.value.code is ErrorCode.STORAGE_FAILED


async def test_a_client_that_has_no_thread_to_store_with_ends(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await kept.open()
    kept.store_writer._pool.shutdown()
    kept.write("a")
    with pytest.raises(RhtmxError, match="the store failed: RuntimeError"):
        await kept.store_writer.saved()
    assert len(kept.ends) == 1
    assert "keeping what the client holds failed" in caplog.text
    await kept.store_writer.close()
    assert kept.store.closed


async def test_no_thread_is_left_once_it_is_closed(kept: Kept) -> None:
    await kept.open()
    kept.write("a")
    (thread,) = kept.store_writer._pool._threads
    await kept.store_writer.close()
    assert not thread.is_alive()


def cancel_task(kept: Kept) -> None:
    assert kept.store_writer._task is not None
    kept.store_writer._task.cancel()
