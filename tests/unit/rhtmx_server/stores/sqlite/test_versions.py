"""Rows of versions are found in their order, and stale ones go."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.ports import BatchNeeds, BatchWrites, Snapshot
from rhtmx_server.stores.sqlite import members, queries, retention, versions
from rhtmx_server.stores.sqlite.schema import migrate
from rhtmx_server.stores.sqlite.store import SqliteStore
from rhtmx_server.stores.sqlite.versions import BEGINNING, PART, STEP, Stale
from tests.contract.builders import record, writing

FEW = versions._FEW


@pytest.fixture
def connection() -> Iterator[apsw.Connection]:
    made = apsw.Connection("")
    migrate(made, lambda: "e")
    yield made
    made.close()


def rows(connection: apsw.Connection) -> int:
    found: int = connection.execute("SELECT count(*) FROM versions").get
    return found


def found(connection: apsw.Connection, after: int = 0) -> list[tuple[str, int]]:
    page = queries.read_since(connection.cursor(), "tasks", after, 1_000_000, 1_000_000)
    return [(each.entity_id, each.version) for each in page]


@pytest.mark.parametrize(
    "statement", [queries._SINCE, queries._SINCE_PLAIN, members._UNDIVIDED, versions._STEP]
)
def test_a_page_is_one_walk_through_the_versions(
    connection: apsw.Connection, statement: str
) -> None:
    bindings = ("tasks", 0, 9, 9)[-statement.count("?") :]
    plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", bindings).fetchall()
    walk, look_up = [str(step[3]) for step in plan]
    assert walk.startswith("SEARCH versions USING PRIMARY KEY (entity=? AND version>?")
    assert look_up.startswith("SEARCH records USING INTEGER PRIMARY KEY (rowid=?)")


def test_a_record_is_found_by_its_newest_version_alone(connection: apsw.Connection) -> None:
    cursor = connection.cursor()
    queries.write(cursor, writing(record("a", 1)))
    queries.write(cursor, writing(record("b", 2)))
    queries.write(cursor, writing(record("a", 3)))
    assert found(connection) == [("b", 2), ("a", 3)]
    assert found(connection, after=2) == [("a", 3)]


def test_records_are_found_that_were_there_unread_beside_new_ones(
    connection: apsw.Connection,
) -> None:
    cursor = connection.cursor()
    queries.write(cursor, writing(record("a", 1), record("b", 2)))
    queries.write(cursor, writing(record("c", 3), record("a", 4), record("d", 5)))
    assert found(connection) == [("b", 2), ("c", 3), ("a", 4), ("d", 5)]


def test_a_stale_row_does_not_lead_to_what_took_the_row_of_its_record(
    connection: apsw.Connection,
) -> None:
    cursor = connection.cursor()
    queries.write(cursor, writing(record("a", 5)))
    cursor.execute("DELETE FROM records")
    queries.write(cursor, writing(record("b", 5, entity="notes")))  # of the same row and version
    assert found(connection) == []


def test_a_tombstone_that_is_forgotten_takes_its_row_along(connection: apsw.Connection) -> None:
    cursor = connection.cursor()
    queries.write(cursor, writing(record("a", 1, deleted=True)))
    retention.forget_tombstones(cursor, 2_000_000)
    assert rows(connection) == 0


def test_a_walk_deletes_all_that_is_stale_and_nothing_else(connection: apsw.Connection) -> None:
    cursor = connection.cursor()
    for entity in ("notes", "tasks"):
        for turn in range(3):
            some = [record(str(n), turn * STEP + n, entity=entity) for n in range(1, STEP)]
            queries.write(cursor, writing(*some))
    before = found(connection)
    place: versions.VersionKey | None = BEGINNING
    while place is not None:
        place = versions.sweep(cursor, place)
    assert found(connection) == before
    assert rows(connection) == 2 * (STEP - 1)


MANY = 1 << versions._FIRST_TIER
"""Records: those of fewer are all in the first tier."""

BATCH = 64

places = st.tuples(st.sampled_from("ab"), st.integers(1, 50), st.just(1))


@given(st.lists(places, unique=True, min_size=FEW + 1))
def test_what_is_taken_comes_in_the_order_of_its_places(rows: list[versions.StaleRow]) -> None:
    stale = Stale()
    stale.add(rows, records=1)
    assert stale.take(records=1, most=10**6) == sorted(rows)[: len(rows) - FEW]


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.integers(1, 1000)),
            st.tuples(st.just("take"), st.integers(0, 5)),
        )
    ),
    st.integers(1, 10**6),
)
def test_what_was_added_is_taken_once(steps: list[tuple[str, int]], records: int) -> None:
    stale, added, taken = Stale(), list[versions.StaleRow](), list[versions.StaleRow]()
    for what, number in steps:
        if what == "add":
            rows = [("a", number, number * n) for n in range(100)]
            stale.add(rows, records)
            added += rows
        else:
            taken += stale.take(records, most=number)
        assert len(stale) == len(added) - len(taken)
    assert sorted([*taken, *stale]) == sorted(added)


@given(
    st.integers(1, 4 * MANY),
    st.lists(
        st.tuples(
            st.sampled_from([1, 7, 100, 3_000, MANY, 4 * MANY]),
            st.integers(1, BATCH),
            st.integers(1, 100),
        ),
        min_size=1,
        max_size=6,
    ),
    st.randoms(use_true_random=False),
)
def test_whoever_missed_few_versions_meets_few_stale_rows(
    records: int, phases: list[tuple[int, int, int]], random: Random
) -> None:
    """Whichever of them are written: one, a hundred, or all; and one in 16 of all at most."""
    stale, head = Stale(), records
    versions_of = list(range(1, records + 1))
    for among, size, batches in phases:
        for _ in range(batches):
            written = random.sample(range(min(among, records)), min(size, among, records))
            going = stale.take(records, most=2 * len(written))
            rows = []
            for number, at in enumerate(written, head + 1):
                rows.append(("a", versions_of[at], number - versions_of[at]))
                versions_of[at] = number
            stale.add(rows, records)
            head += len(written)
            assert not {row[1] for row in going}.intersection(versions_of)
    assert len(stale) <= max(FEW, records / PART) + 4 * BATCH
    there = sorted((version for _, version, _ in stale), reverse=True)
    for number, version in enumerate(there, 1):
        assert number <= max(FEW, (head - version) / 8) + 4 * BATCH


# In the store.


async def update(store: SqliteStore, *names: str) -> None:
    """Write records anew, each a version more."""

    def decide(seen: Snapshot) -> BatchWrites:
        head = seen.heads["tasks"].version
        return writing(*(record(name, head + n) for n, name in enumerate(names, 1)))

    await store.commit(BatchNeeds(records=[("tasks", name) for name in names]), decide)


async def count(store: SqliteStore) -> int:
    found: int = await store.query(
        lambda cursor: cursor.execute("SELECT count(*) FROM versions").get
    )
    return found


async def test_few_rows_are_stale_however_often_records_are_written(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "app.db")
    await store.open()
    names = [str(number) for number in range(FEW * PART * 2)]
    await update(store, *names)
    for turn in range(60):
        await update(store, *(names[(turn * 7919 + n * 31) % len(names)] for n in range(40)))
        assert await count(store) <= len(names) * (1 + 1 / PART) + 40
    assert len(await store.since("tasks", 0, 1_000_000, 1_000_000)) == len(names)
    await store.close()


async def test_a_record_that_is_written_all_the_time_leaves_few_rows_beside_many_records(
    tmp_path: Path,
) -> None:
    store = SqliteStore(tmp_path / "app.db")
    await store.open()
    names = [str(number) for number in range(FEW * PART * 8)]
    await update(store, *names)
    for _ in range(FEW * 2):
        await update(store, "hot")
    assert await count(store) <= len(names) + 1 + FEW + 1
    await store.close()


async def test_a_store_that_is_closed_leaves_nothing_stale(tmp_path: Path) -> None:
    for _ in range(2):
        store = SqliteStore(tmp_path / "app.db")
        await store.open()
        for _ in range(5):
            await update(store, "a", "b")
        await store.close()
    await store.open()
    assert await count(store) == 2
    await store.close()


async def left_by_a_killed_server(folder: Path, *records: str) -> Path:
    """The file of a server that wrote each of these records five times, and was killed."""
    store = SqliteStore(folder / "app.db")
    await store.open()
    for _ in range(5):
        await update(store, *records)
    shutil.copytree(folder, folder / "killed")
    await store.close()
    return folder / "killed" / "app.db"


async def test_what_a_killed_server_left_is_found_once_old_rows_are_collected(
    tmp_path: Path,
) -> None:
    killed = await left_by_a_killed_server(tmp_path, "a", "b")
    store = SqliteStore(killed)
    await store.open()
    assert await count(store) == 10
    await store.collect(history_before=0, tombstones_before=0)
    assert await count(store) == 2
    await store.close()


async def test_a_server_that_ends_before_it_has_found_all_leaves_that_to_the_next(
    tmp_path: Path,
) -> None:
    killed = await left_by_a_killed_server(tmp_path, "a")
    for _ in range(2):
        store = SqliteStore(killed)
        await store.open()
        await update(store, "b")
        await update(store, "b")
        await store.close()
    await store.open()
    assert await count(store) == 6, "but what it has made stale itself it takes along"
    await store.collect(history_before=0, tombstones_before=0)
    assert await count(store) == 2
    await store.close()


async def test_a_step_of_the_walk_that_fails_is_made_again(tmp_path: Path) -> None:
    killed = await left_by_a_killed_server(tmp_path, "a", "b")
    store = SqliteStore(killed)
    await store.open()
    commit, calls = store._commit, 0

    async def failing_once(opened: Any, durable: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 7:  # after the five kinds of old rows, and finding the entity
            raise RhtmxError(ErrorCode.STORAGE_FAILED, "no")
        await commit(opened, durable)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "_commit", failing_once)
        with pytest.raises(RhtmxError):
            await store.collect(history_before=0, tombstones_before=0)
        assert await count(store) == 10
        await store.collect(history_before=0, tombstones_before=0)
    assert await count(store) == 2
    await store.close()


async def test_no_walk_is_made_where_nothing_was_left(tmp_path: Path) -> None:
    for _ in range(2):
        store = SqliteStore(tmp_path / "app.db")
        await store.open()
        await update(store, "a")
        await update(store, "a")
        assert store._unswept is None
        await store.close()


async def test_a_batch_that_fails_makes_nothing_stale(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "app.db")
    await store.open()
    for number in range(FEW + 10):
        await update(store, "a", str(number))
    known = len(store._stale)

    def fail(seen: Snapshot) -> BatchWrites:
        raise RhtmxError(ErrorCode.FORBIDDEN, "no")

    with pytest.raises(RhtmxError):
        await store.commit(BatchNeeds(records=[("tasks", "a")]), fail)
    assert len(store._stale) == known

    async def stopped(opened: object, durable: object) -> None:
        raise asyncio.CancelledError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "_commit", stopped)
        with pytest.raises(asyncio.CancelledError):
            await update(store, "a", "1")
    assert len(store._stale) == known
    versions_before = [each.version for each in await store.since("tasks", 0, 10**6, 10**6)]
    assert len(versions_before) == FEW + 11
    await store.close()
