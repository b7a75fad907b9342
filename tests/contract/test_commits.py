"""What a store does with a batch: all of it or nothing, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from rhtmx_server.model import ClientRow, Clock, Head, Key, PartRow, Record
from rhtmx_server.ports import BatchNeeds, BatchWrites, Moment, MoreNeeds, Snapshot, Store
from rhtmx_server.stores.paging import BATCH_BYTES
from tests.contract.builders import SECOND, always, look, put, put_each, record, versions, writing
from tests.contract.conftest import Reopen


class RefusedError(Exception):
    pass


def refuse(_: Snapshot) -> BatchWrites:
    raise RefusedError


async def test_what_was_committed_is_read_back_as_it_was_given(store: Store) -> None:
    one = record("1", 1, b'{"title":"\xc3\xa9","n":9007199254740993}')
    one.clocks = {
        "title": Clock(1, 17, "client-1"),
        "gone": Clock(1, -5, None, deleted=True),
    }
    await put(store, one)
    assert await store.record("tasks", "1") == one
    assert await store.since("tasks", 0, 1, 10) == [one]


async def test_a_record_holds_null_and_an_empty_author(store: Store) -> None:
    one = record("1", 1, None)
    one.client_id = None
    await put(store, one)
    assert await store.record("tasks", "1") == one


async def test_ids_are_any_text(store: Store) -> None:
    ids = ["a b", "\1", "é\U0001f600", "' OR 1=1 --", "%", "A", "a"]
    await put(store, *(record(id_, number) for number, id_ in enumerate(ids, 1)))
    assert [one.entity_id for one in await store.since("tasks", 0, 100, 100)] == ids
    for number, id_ in enumerate(ids, 1):
        found = await store.record("tasks", id_)
        assert found is not None
        assert found.version == number


async def test_nothing_is_written_when_the_decision_raises(store: Store) -> None:
    await put(store, record("1", 1, b"1"))
    with pytest.raises(RefusedError):
        await store.commit(BatchNeeds(records=[("tasks", "1")]), refuse)
    assert await store.heads() == {"tasks": Head(1)}
    await put(store, record("1", 2, b"2"))
    assert await versions(store) == [2]


async def test_a_decision_sees_what_it_wanted_and_what_is_missing_has_no_key(store: Store) -> None:
    await put(store, record("1", 1), record("2", 2, deleted=True))
    wanted = BatchNeeds(
        records=[("tasks", "1"), ("tasks", "2"), ("tasks", "3"), ("notes", "1")],
        clients=["nobody"],
        outcomes=[("nobody", 1)],
    )
    seen = await look(store, wanted)
    assert seen.records == {
        ("tasks", "1"): record("1", 1),
        ("tasks", "2"): record("2", 2, deleted=True),
    }
    assert seen.heads == {"tasks": Head(2), "notes": Head(0)}
    assert seen.clients == {}
    assert seen.outcomes == {}


async def test_a_batch_may_write_what_it_read_and_what_it_did_not(store: Store) -> None:
    await put(store, record("1", 1), record("2", 2), record("3", 3, deleted=True))
    wanted = BatchNeeds(records=[("tasks", "1"), ("tasks", "3"), ("tasks", "new")])
    written = [
        record(id_, version, b"%d" % version)
        for version, id_ in enumerate(["1", "2", "3", "new", "newer"], 4)
    ]
    await store.commit(wanted, always(writing(*written)))
    assert await store.since("tasks", 0, 100, 100) == written
    for each in written:
        assert await store.record("tasks", each.entity_id) == each


async def test_what_was_read_may_be_forgotten_before_it_is_written_again(store: Store) -> None:
    key = ("tasks", "1")
    await put(store, record("1", 1))
    await store.commit(BatchNeeds(records=[key]), always(writing(record("1", 2, deleted=True))))
    await store.collect(history_before=0, tombstones_before=100 * SECOND)
    assert await store.record(*key) is None
    await put(store, record("2", 3))
    await store.commit(BatchNeeds(), always(writing(record("1", 4))))
    await store.commit(BatchNeeds(records=[key]), always(writing(record("1", 5))))
    assert await versions(store) == [3, 5]


async def test_a_batch_may_move_many_entities(store: Store) -> None:
    await put(store, record("1", 1), record("1", 1, entity="notes"), record("2", 2))
    assert await store.heads() == {"tasks": Head(2), "notes": Head(1)}
    assert await versions(store, entity="notes") == [1]


async def test_an_empty_batch_changes_nothing(store: Store) -> None:
    await store.commit(BatchNeeds(), always(BatchWrites()))
    assert await store.heads() == {}


async def test_commits_that_are_asked_for_at_once_are_served_in_turn(store: Store) -> None:
    def increment(snapshot: Snapshot) -> BatchWrites:
        current = snapshot.records.get(("tasks", "1"))
        count = int(current.data or b"0") if current else 0
        return writing(record("1", snapshot.heads["tasks"].version + 1, b"%d" % (count + 1)))

    wanted = BatchNeeds(records=[("tasks", "1")])
    await asyncio.gather(*(store.commit(wanted, increment) for _ in range(20)))
    found = await store.record("tasks", "1")
    assert found is not None
    assert (found.version, found.data) == (20, b"20")


async def test_a_reader_sees_a_commit_whole_or_not_at_all(store: Store) -> None:
    seen: set[tuple[int, int]] = set()
    for version in range(1, 40, 2):
        batch = writing(record("1", version), record("2", version + 1))
        committing = asyncio.ensure_future(store.commit(BatchNeeds(), always(batch)))
        while not committing.done():
            found = await versions(store)
            seen.add((len(found), sum(found) % 2))
            await asyncio.sleep(0)
        await committing
    assert seen <= {(0, 0), (2, 1)}
    assert await versions(store) == [39, 40]


async def test_what_the_caller_changes_afterwards_does_not_change_the_store(store: Store) -> None:
    one = record("1", 1, b"1")
    await put(store, one)
    one.data = b"2"
    read = await store.record("tasks", "1")
    assert read is not None
    read.data = b"3"
    assert await store.record("tasks", "1") == record("1", 1, b"1")


async def test_a_reopened_store_has_everything_and_the_same_epoch(
    store: Store, reopen: Reopen
) -> None:
    epoch = store.epoch
    await put_each(store, record("1", 1), record("2", 2, deleted=True), record("1", 3, b"3"))
    again = await reopen()
    assert again.epoch == epoch
    assert await again.heads() == {"tasks": Head(3)}
    assert await again.since("tasks", 0, 3, 10) == [
        record("2", 2, deleted=True),
        record("1", 3, b"3"),
    ]
    assert [entry.record.version for entry in await again.history("tasks")] == [1, 2, 3]


async def test_a_store_may_be_closed_twice(store: Store) -> None:
    await store.close()
    await store.close()


async def test_of_records_that_are_heavy_together_the_last_ones_are_left_unread(
    store: Store,
) -> None:
    heavy = b'"' + b"x" * (BATCH_BYTES // 2) + b'"'
    await put(store, *(record(str(number), number, heavy) for number in range(1, 6)))
    keys = [("tasks", name) for name in ("3", "none", "1", "5", "nothing", "2")]
    seen = await look(store, BatchNeeds(records=keys))
    assert list(seen.records) == keys[:1] + keys[2:3]
    assert set(seen.unread) == set(keys[3:])
    assert seen.heads == {"tasks": Head(5)}


async def test_one_record_is_always_read_and_light_ones_all_are(store: Store) -> None:
    huge = b'"' + b"x" * (2 * BATCH_BYTES) + b'"'
    await put(store, record("huge", 1, huge), *(record(str(n), n) for n in range(2, 600)))
    keys = [("tasks", str(number)) for number in range(2, 600)]
    seen = await look(store, BatchNeeds(records=[("tasks", "huge")]))
    assert (len(seen.records), list(seen.unread)) == (1, [])
    seen = await look(store, BatchNeeds(records=keys))
    assert (len(seen.records), list(seen.unread)) == (598, [])
    assert list((await look(store, BatchNeeds(records=[*keys, ("tasks", "huge")]))).unread) == []


async def test_clocks_weigh_as_well(store: Store) -> None:
    made = [record(str(number), number) for number in range(1, 20)]
    for one in made:
        one.clocks = {f"field {n}": Clock(one.version, 10**15, "client") for n in range(5000)}
    await put(store, *made)
    seen = await look(store, BatchNeeds(records=[("tasks", str(n)) for n in range(1, 20)]))
    assert 2 <= len(seen.records) < 12
    assert len(seen.records) + len(seen.unread) == 19


async def test_more_is_wanted_by_what_was_read(store: Store) -> None:
    await put(store, record("1", 1), record("1", 1, entity="notes"), record("2", 2, entity="notes"))
    await store.commit(BatchNeeds(), always(writing(clients=[ClientRow("ada", "ann", 0, 1)])))
    given: list[dict[Key, Record]] = []

    def more(records: Mapping[Key, Record], moment: Moment | None) -> MoreNeeds:
        given.append(dict(records))
        return [("notes", "1"), ("notes", "3"), ("never", "1")], {"ada", "nobody"}

    seen = await look(store, BatchNeeds(records=[("tasks", "1"), ("tasks", "2")], more=more))
    assert given == [{("tasks", "1"): record("1", 1)}]
    assert seen.records == {
        ("tasks", "1"): record("1", 1),
        ("notes", "1"): record("1", 1, entity="notes"),
    }
    assert seen.heads == {"tasks": Head(1), "notes": Head(2), "never": Head(0)}
    assert seen.clients == {"ada": ClientRow("ada", "ann", 0, 1)}
    assert seen.known == 0, "who is looked up is no new client"


async def test_of_more_the_first_one_is_always_read(store: Store) -> None:
    heavy = b'"' + b"x" * (BATCH_BYTES // 2) + b'"'
    await put(store, *(record(str(number), number, heavy) for number in range(1, 9)))
    keys = [("tasks", str(number)) for number in range(1, 9)]
    seen = await look(
        store, BatchNeeds(records=keys[:4], more=lambda records, moment: (keys[4:], ()))
    )
    assert list(seen.records) == [*keys[:2], *keys[4:6]]
    assert set(seen.unread) == {*keys[2:4], *keys[6:]}


async def test_of_more_the_parts_of_a_tombstone_are_told_too(store: Store) -> None:
    await store.divide("notes", "team", lambda data: ())
    dead = record("1", 2, entity="notes", deleted=True)
    for one in (record("1", 1, entity="notes"), dead):
        writes = writing(one)
        writes.parts = [PartRow("notes", "red", "1", one.version, one.time, left=not one.live)]
        await store.commit(BatchNeeds(), always(writes))
    seen = await look(store, BatchNeeds(more=lambda records, moment: ([("notes", "1")], ())))
    assert seen.last_parts == {("notes", "1"): {"red"}}
