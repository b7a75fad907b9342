"""What a store hands out page by page."""

from __future__ import annotations

from msgspec.structs import replace

from rhtmx_server.model import Clock
from rhtmx_server.ports import Store
from rhtmx_server.stores.paging import PAGE_BYTES
from tests.contract.builders import put, put_each, record, versions


async def test_since_gives_each_record_once_at_its_latest_in_version_order(store: Store) -> None:
    await put_each(store, record("1", 1), record("2", 2), record("1", 3), record("3", 4))
    assert await versions(store) == [2, 3, 4]


async def test_since_keeps_version_order_when_one_record_changes_all_the_time(
    store: Store,
) -> None:
    await put(store, record("still", 1))
    for version in range(2, 120):
        await put(store, record("busy", version))
    assert await versions(store) == [1, 119]
    assert await versions(store, after=1) == [119]


async def test_since_includes_tombstones(store: Store) -> None:
    await put_each(store, record("1", 1), record("1", 2, deleted=True))
    (found,) = await store.since("tasks", 0, 10, 10)
    assert not found.live
    assert found.data is None


async def test_since_leaves_out_its_lower_end_and_keeps_its_upper_one(store: Store) -> None:
    await put(store, *(record(str(n), n) for n in range(1, 6)))
    assert await versions(store, after=2, upto=4) == [3, 4]
    assert await versions(store, after=5) == []
    assert await versions(store, after=4, upto=4) == []


async def test_since_stops_at_its_limit_and_the_next_page_goes_on(store: Store) -> None:
    await put(store, *(record(str(n), n) for n in range(1, 6)))
    assert await versions(store, limit=2) == [1, 2]
    assert await versions(store, after=2, limit=2) == [3, 4]
    assert await versions(store, after=4, limit=2) == [5]


async def test_since_reads_one_entity_only(store: Store) -> None:
    await put(store, record("1", 1), record("1", 1, entity="notes"))
    assert len(await store.since("tasks", 0, 10, 10)) == 1
    assert await store.since("nothing", 0, 10, 10) == []


async def test_a_page_is_cut_at_about_a_mebibyte(store: Store) -> None:
    half = b'"' + b"x" * (PAGE_BYTES // 2 - 2) + b'"'
    await put(store, *(record(str(n), n, half) for n in range(1, 6)))
    assert await versions(store) == [1, 2]
    assert await versions(store, after=4) == [5]


async def test_a_record_larger_than_a_page_comes_alone(store: Store) -> None:
    huge = b'"' + b"x" * (2 * PAGE_BYTES) + b'"'
    await put(store, record("1", 1), record("2", 2, huge), record("3", 3))
    assert await versions(store) == [1]
    assert await versions(store, after=1) == [2]
    assert await versions(store, after=2) == [3]


async def test_a_page_that_was_cut_does_not_hold_on_to_what_it_saw(store: Store) -> None:
    huge = b'"' + b"x" * PAGE_BYTES + b'"'
    await put(store, record("1", 1, huge), record("2", 2))
    assert await versions(store) == [1]
    await put(store, record("3", 3))
    assert await versions(store, after=1) == [2, 3]


async def test_an_unknown_record_or_client_is_none(store: Store) -> None:
    assert await store.record("tasks", "1") is None
    assert await store.client("client-1") is None


async def test_since_leaves_the_clocks_out_where_they_are_not_wanted(store: Store) -> None:
    one = replace(record("1", 1), clocks={"n": Clock(1, 17, "ada")})
    gone = record("2", 2, deleted=True)
    await put(store, one, gone)
    assert await store.since("tasks", 0, 10, 10) == [one, gone]
    assert await store.since("tasks", 0, 10, 10, clocks=False) == [replace(one, clocks={}), gone]


async def test_a_page_that_was_read_before_a_write_is_not_given_out_after_it(store: Store) -> None:
    await put(store, record("1", 1), record("2", 2))
    for clocks in (True, False) * 3:
        before = await store.since("tasks", 0, 10, 10, clocks=clocks)
        assert [(one.entity_id, one.version) for one in before][:1] == [("1", 1)]
    await put(store, record("1", 3))
    for clocks in (True, False):
        after = await store.since("tasks", 0, 10, 10, clocks=clocks)
        assert [(one.entity_id, one.version) for one in after] == [("2", 2), ("1", 3)]
