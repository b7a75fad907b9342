"""What a store forgets, and what it tells about it."""

from __future__ import annotations

import asyncio

from rhtmx_server.horizon import StoredTimes
from rhtmx_server.model import ClientRow, Head, Outcome
from rhtmx_server.ports import BatchNeeds, Store
from tests.contract.builders import SECOND, always, look, put, put_each, record, versions, writing
from tests.contract.conftest import Reopen


async def collect(store: Store, *, history: int = 0, tombstones: int = 0) -> None:
    await store.collect(history_before=history * SECOND, tombstones_before=tombstones * SECOND)


async def test_old_history_goes_and_the_records_stay(store: Store) -> None:
    await put_each(store, *(record("1", version) for version in range(1, 6)))
    await collect(store, history=3)
    assert [entry.record.version for entry in await store.history("tasks")] == [3, 4, 5]
    assert await store.record("tasks", "1") == record("1", 5)
    assert await store.heads() == {"tasks": Head(5, 0)}


async def test_old_tombstones_go_and_raise_the_floor(store: Store) -> None:
    await put_each(
        store,
        record("1", 1, deleted=True),
        record("2", 2),
        record("3", 3, deleted=True),
        record("4", 4, deleted=True),
        record("1", 1, entity="notes", deleted=True, time=100 * SECOND),
    )
    await collect(store, tombstones=4)
    assert await versions(store) == [2, 4]
    assert await store.record("tasks", "1") is None
    assert await store.heads() == {"tasks": Head(4, 3), "notes": Head(1, 0)}
    assert await store.head("tasks") == Head(4, 3)
    assert await store.head("never written") == Head(0, 0)
    assert (await look(store, BatchNeeds(records=[("tasks", "1")]))).heads == {"tasks": Head(4, 3)}


async def test_the_floor_never_sinks_and_survives_later_commits(
    store: Store, reopen: Reopen
) -> None:
    await put_each(
        store, record("1", 1, deleted=True, time=9 * SECOND), record("2", 2, deleted=True)
    )
    await collect(store, tombstones=5)
    assert await store.heads() == {"tasks": Head(2, 2)}
    await collect(store, tombstones=10)
    await put(store, record("1", 3))
    assert await store.heads() == {"tasks": Head(3, 2)}
    assert await (await reopen()).heads() == {"tasks": Head(3, 2)}


async def test_live_records_are_never_collected(store: Store) -> None:
    await put(store, record("1", 1))
    await collect(store, history=100, tombstones=100)
    assert await versions(store) == [1]
    assert await store.heads() == {"tasks": Head(1, 0)}


async def test_a_collected_record_can_be_written_anew(store: Store) -> None:
    await put(store, record("1", 1, deleted=True))
    await collect(store, tombstones=100)
    await put(store, record("1", 2))
    assert await versions(store) == [2]


async def test_a_client_that_was_not_seen_for_long_goes_with_all_its_outcomes(
    store: Store,
) -> None:
    batch = writing(
        clients=[ClientRow("old", "", 2, 1 * SECOND), ClientRow("new", "", 1, 9 * SECOND)],
        outcomes=[
            Outcome("old", 1, b"d", b"r"),
            Outcome("old", 2, b"d", b"r", rejected=True),
            Outcome("new", 1, b"d", b"r"),
        ],
    )
    await store.commit(BatchNeeds(), always(batch))
    await collect(store, tombstones=5)
    wanted = BatchNeeds(clients=["old", "new"], outcomes=[("old", 1), ("old", 2), ("new", 1)])
    seen = await look(store, wanted)
    assert set(seen.clients) == {"new"}
    assert set(seen.outcomes) == {("new", 1)}
    assert await store.client("old") is None


async def test_more_than_one_step_of_old_things_goes(store: Store) -> None:
    await put(store, *(record(str(n), n, deleted=True, time=0) for n in range(1, 1202)))
    await collect(store, history=1, tombstones=1)
    assert await versions(store) == []
    assert await store.history("tasks") == []
    assert await store.heads() == {"tasks": Head(1201, 1201)}


async def test_commits_go_on_while_old_things_go(store: Store) -> None:
    await put(store, *(record(str(n), n, deleted=True, time=0) for n in range(1, 1202)))
    await asyncio.gather(
        collect(store, history=1, tombstones=1),
        put(store, record("new", 1202)),
    )
    assert await versions(store, upto=2000) == [1202]
    assert await store.heads() == {"tasks": Head(1202, 1201)}


async def test_of_a_client_that_never_confirms_only_the_last_answers_are_kept(
    store: Store,
) -> None:
    outcomes = [Outcome("c", seq, b"d", b"r", rejected=seq == 2) for seq in range(1, 8)]
    batch = writing(clients=[ClientRow("c", "", 7, 1 * SECOND)], outcomes=outcomes)
    await store.commit(BatchNeeds(), always(batch))
    await store.collect(history_before=0, tombstones_before=0, keep_answers=3)
    wanted = BatchNeeds(clients=["c"], outcomes=[("c", seq) for seq in range(1, 8)])
    kept = sorted(seq for _, seq in (await look(store, wanted)).outcomes)
    assert kept == [2, 5, 6, 7]


async def test_a_new_store_keeps_nothing_and_has_no_horizon(store: Store) -> None:
    assert await store.kept() == StoredTimes()


async def test_the_horizon_that_was_noted_last_is_kept(store: Store, reopen: Reopen) -> None:
    await store.note_horizon(2**60)
    await store.note_horizon(5)
    assert await store.kept() == StoredTimes(horizon=5)
    assert await (await reopen()).kept() == StoredTimes(horizon=5)


async def test_the_oldest_rows_that_may_go_are_told(store: Store) -> None:
    await put_each(
        store,
        record("1", 1, time=40),
        record("1", 2, time=30),
        record("2", 3, time=20, deleted=True),
        record("3", 4, time=60),
    )
    assert await store.kept() == StoredTimes(history=20, others=20)
    await store.collect(history_before=35, tombstones_before=0)
    assert await store.kept() == StoredTimes(history=40, others=20)
    clients = [ClientRow("c", "", 1, 10), ClientRow("d", "", 1, 25)]
    await store.commit(BatchNeeds(), always(writing(clients=clients)))
    assert await store.kept() == StoredTimes(history=40, others=10)
    await store.collect(history_before=100, tombstones_before=21)
    assert await store.kept() == StoredTimes(history=None, others=25)
