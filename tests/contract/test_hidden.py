"""What is hidden of a record: kept with it, and read by those who write it or ask for it."""

from __future__ import annotations

from msgspec.structs import replace

from rhtmx_server.ports import BatchNeeds, Store
from rhtmx_server.stores.paging import BATCH_BYTES
from tests.contract.builders import look, put, record
from tests.contract.conftest import Reopen

HIDDEN = b'{"note":"late"}'
ONE = replace(record("1", 1), hidden=HIDDEN)


async def test_it_is_there_for_who_writes_a_record_or_asks_for_it(
    store: Store, reopen: Reopen
) -> None:
    await put(store, ONE)
    assert await store.record("tasks", "1") == ONE
    again = await reopen()
    assert await again.record("tasks", "1") == ONE
    snapshot = await look(again, BatchNeeds(records=[("tasks", "1")]))
    assert snapshot.records["tasks", "1"] == ONE


async def test_it_is_replaced_and_goes_with_the_record(store: Store) -> None:
    await put(store, ONE)
    for version, hidden in ((2, b'{"note":"later"}'), (3, None)):
        later = replace(record("1", version), hidden=hidden)
        await look(store, BatchNeeds(records=[("tasks", "1")]))
        await put(store, later)
        assert await store.record("tasks", "1") == later
    await put(store, record("1", 4, deleted=True))
    gone = await store.record("tasks", "1")
    assert gone is not None
    assert gone.hidden is None


async def test_no_page_has_it(store: Store) -> None:
    """Pages, the history and the commits of a record are read for those who are told of it."""
    await store.divide("tasks", "part", lambda data: ["part"])
    await put(store, ONE)
    for clocks in (True, False):
        pages = [
            *await store.since("tasks", 0, 10, 10, clocks=clocks),
            *await store.since_in("tasks", ["part"], 0, 10, 10, clocks=clocks),
        ]
        assert [getattr(each, "hidden", None) for each in pages] == [None] * len(pages)
    assert [each.record.hidden for each in await store.history("tasks")] == [None]
    assert [each.record.hidden for each in await store.commits(ONE)] == [None]
    unknown = replace(ONE, version=7)
    assert [each.record.hidden for each in await store.commits(unknown)] == [None]


async def test_it_counts_for_what_a_batch_may_read(store: Store) -> None:
    large = b'{"note":"%s"}' % (b"x" * BATCH_BYTES)
    await put(store, replace(ONE, hidden=large), record("2", 2))
    snapshot = await look(store, BatchNeeds(records=[("tasks", "1"), ("tasks", "2")]))
    assert snapshot.unread == {("tasks", "2")}
