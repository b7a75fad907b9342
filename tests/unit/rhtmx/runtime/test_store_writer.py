"""Facts about `rhtmx.runtime.store_writer`."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence

import pytest

from rhtmx.core.queued_write import QueuedWrite
from rhtmx.core.session import Session
from rhtmx.core.storage_ops import AddWrite, Image, Op, SetLast
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import ChangeAction, Push
from rhtmx.runtime.event_router import EventRouter
from rhtmx.runtime.session_driver import SessionDriver
from rhtmx.runtime.store_writer import StoreWriter
from rhtmx.stores.memory import MemoryStore
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
        self.store_writer = StoreWriter(self.store, self.driver)

    async def open(self) -> None:
        self.local.load(await self.store_writer.load())

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
    with pytest.raises(RhtmxError, match="the store was closed"):
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
