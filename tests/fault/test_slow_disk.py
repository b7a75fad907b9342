"""While a commit waits for a slow disk, reading and the event loop go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from rhtmx_server.ports import BatchNeeds, BatchWrites, Snapshot
from rhtmx_server.stores import FileOptions, SqliteStore
from rhtmx_server.stores.sqlite.placement import Placement
from tests.contract.builders import put, record, versions, writing
from tests.fault.disks import Gate, faulty


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.open()


@pytest.fixture
async def store(tmp_path: Path, gate: Gate) -> AsyncIterator[SqliteStore]:
    """A store that commits in its worker and holds record 1."""
    with faulty(before_sync=gate.pass_through) as disk:
        made = SqliteStore(
            tmp_path / "app.db",
            FileOptions(vfs=disk.vfs_name),
            clock=iter(range(10**6)).__next__,
            placement=Placement(1.0, 10**6),
        )
        await made.open()
        await put(made, record("1", 1))
        yield made
        gate.open()
        await made.close()


async def stuck_commit(store: SqliteStore, gate: Gate) -> asyncio.Task[None]:
    """Begin to commit record 2, and return when it waits for the disk."""
    gate.shut()
    committing = asyncio.create_task(put(store, record("2", 2)))
    assert await asyncio.to_thread(gate.reached.wait, 10)
    return committing


async def test_readers_see_what_was_committed_before(store: SqliteStore, gate: Gate) -> None:
    committing = await stuck_commit(store, gate)
    assert await versions(store) == [1]
    assert await store.record("tasks", "2") is None
    assert len(await store.history("tasks")) == 1
    assert not committing.done()
    gate.open()
    await committing
    assert await versions(store) == [1, 2]


async def test_the_next_commit_waits_for_its_turn(store: SqliteStore, gate: Gate) -> None:
    first = await stuck_commit(store, gate)
    second = asyncio.create_task(put(store, record("3", 3)))
    await asyncio.sleep(0)
    assert not second.done()
    gate.open()
    await asyncio.gather(first, second)
    assert await versions(store) == [1, 2, 3]


async def test_what_a_cancelled_commit_has_made_stale_goes_when_the_store_is_closed(
    store: SqliteStore, gate: Gate
) -> None:
    async def update() -> None:
        def decide(seen: Snapshot) -> BatchWrites:
            return writing(record("1", seen.heads["tasks"].version + 1))

        await store.commit(BatchNeeds(records=[("tasks", "1")]), decide)

    await update()
    gate.shut()
    committing = asyncio.create_task(update())
    assert await asyncio.to_thread(gate.reached.wait, 10)
    committing.cancel()
    gate.open()
    with pytest.raises(asyncio.CancelledError):
        await committing
    await store.close()
    await store.open()
    rows = "SELECT version FROM versions"
    assert await store.query(lambda cursor: cursor.execute(rows).fetchall()) == [(3,)]


async def test_a_cancelled_commit_is_finished_before_anything_else_is_written(
    store: SqliteStore, gate: Gate
) -> None:
    first = await stuck_commit(store, gate)
    first.cancel()
    second = asyncio.create_task(put(store, record("3", 3)))
    gate.open()
    with pytest.raises(asyncio.CancelledError):
        await first
    await second
    assert await versions(store) == [1, 2, 3]


async def test_closing_waits_for_the_commit(store: SqliteStore, gate: Gate) -> None:
    committing = await stuck_commit(store, gate)
    closing = asyncio.create_task(store.close())
    await asyncio.sleep(0)
    assert not closing.done()
    gate.open()
    await committing
    await closing
    await store.open()
    assert await versions(store) == [1, 2]
