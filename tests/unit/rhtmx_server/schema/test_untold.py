"""Facts about `rhtmx_server.schema.untold`."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from rhtmx.messages import ChangeAction
from rhtmx_server.model import Clock, Departure, Granularity, HistoryEntry, Record
from rhtmx_server.ports import BatchNeeds, BatchWrites, Store
from rhtmx_server.schema.untold import UntoldStore, untold
from rhtmx_server.stores.memory import MemoryStore

CLOCK = Clock(1, 5)
OLD = Record(
    "tasks", "1", 1, ChangeAction.UPDATE, b'{"a":1,"note":"x"}', None, 5,
    {"a": CLOCK, "note": CLOCK},
)  # fmt: skip
NEW = replace(OLD, entity_id="2", version=2, data=b'{"a":1}', clocks={"a": CLOCK})
HIDES = {"tasks": frozenset({"note"})}


async def told(*records: Record) -> Store:
    store = MemoryStore(new_epoch=lambda: "e")
    await store.divide("tasks", "all", lambda data: ["all"])
    entries = [HistoryEntry(each, Granularity.RECORDS) for each in records]
    entries += [
        HistoryEntry(replace(records[0], data=b'{"note":"lost"}'), Granularity.FIELDS, True)
    ]
    writes = BatchWrites(records, {"tasks": 2}, entries)
    await store.commit(BatchNeeds(), lambda _: writes)
    await store.divide("tasks", "anew", lambda data: ["all"])
    return untold(store, HIDES)


async def test_what_was_told_before_it_was_hidden_is_told_no_more() -> None:
    store = await told(OLD, NEW)
    for clocks in (True, False):
        page: list[Any] = await store.since("tasks", 0, 9, 9, clocks=clocks)
        page += await store.since_in("tasks", ["all"], 0, 9, 9, clocks=clocks)
        assert [(each.data, each.hidden) for each in page] == [(b'{"a":1}', None)] * 4
        assert all("note" not in each.clocks for each in page)
    assert [each.record.data for each in await store.history("tasks")] == [
        b'{"a":1}', b"{}", b'{"a":1}',
    ]  # fmt: skip
    assert [each.record.data for each in await store.commits(OLD)] == [b'{"a":1}']


async def test_of_one_record_it_is_beside_what_is_told_for_the_program() -> None:
    store = await told(OLD)
    record = await store.record("tasks", "1")
    assert record is not None
    assert (record.data, record.hidden) == (b'{"a":1}', b'{"note":"x"}')
    assert record.clocks.keys() == {"a"}
    assert await store.record("tasks", "9") is None


async def test_a_page_of_today_is_handed_on_as_it_is() -> None:
    """It may have been encoded for others."""
    page = [NEW]

    class Pages(MemoryStore):
        async def since(self, *_: Any, **__: Any) -> list[Record]:
            return page

    assert await UntoldStore(Pages(), HIDES).since("tasks", 0, 9, 9) is page


async def test_departures_and_other_entities_are_left_alone() -> None:
    store = await told(OLD)
    other = replace(OLD, entity="users")
    await store.commit(BatchNeeds(), lambda _: BatchWrites([other], {"users": 1}))
    assert [each.data for each in await store.since("users", 0, 9, 9)] == [OLD.data]
    assert (await store.record("users", "1")) == other

    class Pages(MemoryStore):
        async def since_in(self, *_: Any, **__: Any) -> list[Record | Departure]:
            return [Departure("tasks", "3", 3, 5), OLD]

    page = await UntoldStore(Pages(), HIDES).since_in("tasks", ["all"], 0, 9, 9)
    assert [each.data for each in page] == [None, b'{"a":1}']


async def test_all_else_is_what_the_store_says() -> None:
    made = MemoryStore(new_epoch=lambda: "e")
    store = untold(made, HIDES)
    await store.open()
    await store.note_horizon(7)
    await store.collect(history_before=0, tombstones_before=0)
    assert (store.epoch, store.ready(), (await store.kept()).horizon) == ("e", True, 7)
    assert (await store.heads(), (await store.head("tasks")).version) == ({}, 0)
    assert (await store.divided(), await store.client("c"), await store.subjects(["c"])) == (
        set(), None, {},
    )  # fmt: skip
    await store.close()


def test_a_server_that_hides_nothing_reads_the_store_itself() -> None:
    store = MemoryStore()
    assert untold(store, {}) is store
