"""What a store remembers of the past."""

from __future__ import annotations

import pytest

from rhtmx_server.model import Clock, Granularity, HistoryEntry
from rhtmx_server.ports import BatchNeeds, BatchWrites, Store
from rhtmx_server.record_page import HistoryPosition
from rhtmx_server.stores.paging import PAGE_BYTES
from tests.contract.builders import SECOND, always, put_each, record, writing


async def history_versions(store: Store, **filters: object) -> list[int]:
    entries = await store.history("tasks", **filters)  # type: ignore[arg-type]  # test shorthand
    return [entry.record.version for entry in entries]


async def test_history_has_every_commit_oldest_first(store: Store) -> None:
    await put_each(store, record("1", 1, b"1"), record("1", 2, b"2"), record("1", 3, deleted=True))
    entries = await store.history("tasks")
    assert [entry.record.data for entry in entries] == [b"1", b"2", None]
    assert [entry.granularity for entry in entries] == [Granularity.RECORDS] * 3
    assert not any(entry.lost for entry in entries)


async def test_history_leaves_the_clocks_out(store: Store) -> None:
    one = record("1", 1)
    one.clocks = {"n": Clock(1, 1)}
    writes = writing(one)
    writes.history = [HistoryEntry(one, Granularity.FIELDS)]
    await store.commit(BatchNeeds(), always(writes))
    (entry,) = await store.history("tasks")
    assert entry == HistoryEntry(record("1", 1), Granularity.FIELDS)


async def test_lost_writes_follow_the_commit_of_their_version(store: Store) -> None:
    await put_each(store, record("1", 1), record("1", 2))
    lost = [
        HistoryEntry(record("1", 1, b'{"a":1}'), Granularity.FIELDS, lost=True),
        HistoryEntry(record("1", 1, b'{"b":1}'), Granularity.FIELDS, lost=True),
    ]
    await store.commit(BatchNeeds(), always(BatchWrites(history=lost)))
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


def losing(version: int, *values: int, entity_id: str = "1") -> list[HistoryEntry]:
    return [
        HistoryEntry(record(entity_id, version, b"%d" % value), Granularity.FIELDS, lost=True)
        for value in values
    ]


async def pages(store: Store, limit: int, **filters: object) -> list[list[HistoryEntry]]:
    """Every page, each read where the one before ended."""
    after: int | HistoryPosition = 0
    found = []
    while page := await store.history("tasks", after=after, limit=limit, **filters):  # type: ignore[arg-type]  # test shorthand
        found.append(list(page))
        after = page.end
    return found


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 100])
async def test_pages_may_end_inside_a_version_and_have_every_entry_once(
    store: Store, limit: int
) -> None:
    await put_each(store, record("1", 1), record("2", 2))
    await store.commit(BatchNeeds(), always(BatchWrites(history=losing(2, *range(10)))))
    await put_each(store, record("1", 3))
    found = await pages(store, limit)
    entries = [entry for page in found for entry in page]
    assert entries == list(await store.history("tasks"))
    assert [entry.record.version for entry in entries] == [1, *[2] * 11, 3]
    assert max(map(len, found)) <= limit


async def test_pages_of_one_record_skip_the_others_of_the_same_version(store: Store) -> None:
    mixed = [*losing(1, 1), *losing(1, 2, entity_id="2"), *losing(1, 3), *losing(1, 4)]
    await store.commit(BatchNeeds(), always(BatchWrites(history=mixed)))
    found = await pages(store, 2, entity_id="1")
    assert [[entry.record.data for entry in page] for page in found] == [[b"1", b"3"], [b"4"]]


async def test_what_loses_while_a_version_is_being_read_comes_in_a_later_page(
    store: Store,
) -> None:
    await store.commit(BatchNeeds(), always(BatchWrites(history=losing(1, 1, 2))))
    first = await store.history("tasks", limit=2)
    await store.commit(BatchNeeds(), always(BatchWrites(history=losing(1, 3))))
    assert [entry.record.data for entry in await store.history("tasks", after=first.end)] == [b"3"]


async def test_an_empty_page_ends_where_it_began(store: Store) -> None:
    await put_each(store, record("1", 1))
    page = await store.history("tasks")
    assert (await store.history("tasks", after=page.end)).end == page.end
    assert await store.history("tasks", after=1) == []


async def test_a_page_of_the_history_has_a_weight_that_it_keeps_to(store: Store) -> None:
    heavy = b'"' + b"x" * (PAGE_BYTES // 4) + b'"'
    entries = [HistoryEntry(record("1", 1, heavy), Granularity.FIELDS, lost=True)] * 9
    await store.commit(BatchNeeds(), always(BatchWrites(history=entries)))
    assert [len(page) for page in await pages(store, 100)] == [3, 3, 3]


async def test_an_entry_that_is_larger_than_a_page_is_one_of_its_own(store: Store) -> None:
    huge = b'"' + b"x" * (PAGE_BYTES + 1) + b'"'
    await put_each(store, record("1", 1), record("1", 2, huge), record("1", 3))
    assert [len(page) for page in await pages(store, 100)] == [1, 1, 1]
