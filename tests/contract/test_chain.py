"""What a store remembers of one record, commit by commit."""

from __future__ import annotations

from rhtmx_server.model import ClientRow, Granularity, HistoryEntry, Record
from rhtmx_server.ports import BatchNeeds, BatchWrites, Store
from rhtmx_server.record_page import CommitPage
from rhtmx_server.stores.paging import PAGE_BYTES
from tests.contract.builders import SECOND, always, put, record, writing
from tests.contract.conftest import Reopen


async def commit(store: Store, *commits: tuple[Record, int | None]) -> None:
    """Write these records one after the other, each with the version of the one before it."""
    for one, previous in commits:
        writes = writing(one)
        writes.history = [HistoryEntry(one, Granularity.RECORDS, previous=previous)]
        await store.commit(BatchNeeds(), always(writes))


def versions(page: CommitPage) -> list[int]:
    return [each.record.version for each in page]


LAST = record("1", 6, b"6")


async def six(store: Store) -> None:
    """Three commits of record 1 between three of record 2."""
    await commit(
        store,
        (record("1", 1, b"1"), 0),
        (record("2", 2), 0),
        (record("1", 3, deleted=True), 1),
        (record("2", 4), 2),
        (record("2", 5), 4),
        (LAST, 3),
    )


async def test_the_commits_of_a_record_come_newest_first(store: Store) -> None:
    await six(store)
    page = await store.commits(LAST)
    assert [(each.record.version, each.record.data, each.previous) for each in page] == [
        (6, b"6", 3),
        (3, None, 1),
        (1, b"1", 0),
    ]
    assert (page.next, page.whole) == (None, True)


async def test_they_are_there_when_the_store_is_opened_again(store: Store, reopen: Reopen) -> None:
    await six(store)
    assert versions(await (await reopen()).commits(LAST)) == [6, 3, 1]


async def test_they_are_read_in_pages(store: Store) -> None:
    await six(store)
    first = await store.commits(LAST, limit=2)
    assert (versions(first), first.next, first.whole) == ([6, 3], 1, False)
    rest = await store.commits(LAST, start=first.next, limit=2)
    assert (versions(rest), rest.next, rest.whole) == ([1], None, True)


async def test_they_may_be_asked_for_before_a_version_or_up_to_a_time(store: Store) -> None:
    await six(store)
    assert versions(await store.commits(LAST, before=6)) == [3, 1]
    assert versions(await store.commits(LAST, before=4)) == [3, 1]
    assert versions(await store.commits(LAST, before=3)) == [1]
    assert versions(await store.commits(LAST, until=3 * SECOND)) == [3, 1]
    assert versions(await store.commits(LAST, until=3 * SECOND - 1)) == [1]
    assert versions(await store.commits(LAST, until=0)) == []


async def test_writes_that_lost_are_none_of_them(store: Store) -> None:
    await six(store)
    lost = [
        HistoryEntry(record(entity_id, version, b'{"a":1}'), Granularity.FIELDS, lost=True)
        for entity_id, version in (("1", 3), ("1", 4), ("2", 3), ("1", 6))
    ]
    await store.commit(BatchNeeds(), always(BatchWrites(history=lost)))
    assert versions(await store.commits(LAST)) == [6, 3, 1]


async def test_of_what_is_forgotten_the_newest_stays_which_is_the_record(store: Store) -> None:
    await six(store)
    await store.collect(history_before=3 * SECOND, tombstones_before=0)
    page = await store.commits(LAST)
    assert (versions(page), page.next, page.whole) == ([6, 3], None, False)
    await store.collect(history_before=9 * SECOND, tombstones_before=0)
    page = await store.commits(LAST)
    assert (versions(page), page.next, page.whole) == ([6], None, False)
    assert page[0].record.data == b"6"
    page = await store.commits(LAST, before=6)
    assert (versions(page), page.next, page.whole) == ([], None, False)


async def test_a_lost_write_is_not_taken_for_a_commit_that_is_forgotten(store: Store) -> None:
    await six(store)
    late = record("1", 3, b'{"a":1}', time=9 * SECOND)
    entries = [HistoryEntry(late, Granularity.FIELDS, lost=True)]
    await store.commit(BatchNeeds(), always(BatchWrites(history=entries)))
    await store.collect(history_before=6 * SECOND, tombstones_before=0)
    assert versions(await store.commits(LAST)) == [6]


async def test_a_page_of_commits_has_a_weight_that_it_keeps_to(store: Store) -> None:
    heavy = b'"' + b"x" * (PAGE_BYTES // 4) + b'"'
    await commit(store, *((record("1", n, heavy), n - 1) for n in range(1, 6)))
    page = await store.commits(record("1", 5, heavy))
    assert (versions(page), page.next) == ([5, 4, 3], 2)


async def test_a_record_that_nobody_wrote_into_the_history_has_its_last_commit(
    store: Store,
) -> None:
    one = record("1", 1)
    await store.commit(BatchNeeds(), always(BatchWrites(records=[one], heads={"tasks": 1})))
    page = await store.commits(one)
    assert ([each.record for each in page], page.whole) == ([one], False)


async def test_it_is_told_whose_clients_are(store: Store) -> None:
    clients = [ClientRow("a", "ada", 1, 1), ClientRow("b", "", 1, 1), ClientRow("c", "eve", 1, 1)]
    await store.commit(BatchNeeds(), always(BatchWrites(clients=clients)))
    assert await store.subjects({"a", "b", "none"}) == {"a": "ada"}
    assert await store.subjects(()) == {}


async def test_commits_that_are_written_with_others_are_found(store: Store) -> None:
    await put(store, record("1", 1), record("2", 2))
    assert versions(await store.commits(record("2", 2))) == [2]
