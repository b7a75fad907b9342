"""What a store remembers of the past."""

from __future__ import annotations

from rhtmx_server.model import Clock, Granularity, HistoryEntry
from rhtmx_server.ports import Store, Wanted, Writes
from tests.contract.builders import SECOND, always, put_each, record


async def history_versions(store: Store, **filters: object) -> list[int]:
    entries = await store.history("tasks", **filters)  # type: ignore[arg-type]  # test shorthand
    return [entry.record.version for entry in entries]


async def test_history_has_every_commit_oldest_first(store: Store) -> None:
    await put_each(store, record("1", 1, b"1"), record("1", 2, b"2"), record("1", 3, deleted=True))
    entries = await store.history("tasks")
    assert [entry.record.data for entry in entries] == [b"1", b"2", None]
    assert [entry.form for entry in entries] == [Granularity.RECORDS] * 3
    assert not any(entry.lost for entry in entries)


async def test_history_leaves_the_clocks_out(store: Store) -> None:
    one = record("1", 1)
    one.clocks = {"n": Clock(1, 1)}
    await store.commit(Wanted(), always(Writes(history=[HistoryEntry(one, Granularity.FIELDS)])))
    (entry,) = await store.history("tasks")
    assert entry == HistoryEntry(record("1", 1), Granularity.FIELDS)


async def test_lost_writes_follow_the_commit_of_their_version(store: Store) -> None:
    await put_each(store, record("1", 1), record("1", 2))
    lost = [
        HistoryEntry(record("1", 1, b'{"a":1}'), Granularity.FIELDS, lost=True),
        HistoryEntry(record("1", 1, b'{"b":1}'), Granularity.FIELDS, lost=True),
    ]
    await store.commit(Wanted(), always(Writes(history=lost)))
    entries = await store.history("tasks")
    assert [entry.record.version for entry in entries] == [1, 1, 1, 2]
    assert entries[1:3] == lost


async def test_history_may_be_asked_for_one_record(store: Store) -> None:
    await put_each(store, record("1", 1), record("2", 2), record("1", 3))
    assert await history_versions(store, entity_id="1") == [1, 3]
    assert await history_versions(store, entity_id="3") == []


async def test_history_may_be_asked_for_a_stretch(store: Store) -> None:
    await put_each(store, *(record("1", version) for version in range(1, 6)))
    assert await history_versions(store, after=2) == [3, 4, 5]
    assert await history_versions(store, until=3 * SECOND) == [1, 2, 3]
    assert await history_versions(store, after=1, until=4 * SECOND, limit=2) == [2, 3]


async def test_history_of_an_unknown_entity_is_empty(store: Store) -> None:
    assert await store.history("nothing") == []
