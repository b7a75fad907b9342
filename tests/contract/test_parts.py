"""What a store keeps of the parts of a divided entity, and tells those who read some of them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from rhtmx_server.access.parts import Part
from rhtmx_server.horizon import StoredTimes
from rhtmx_server.model import Clock, Departure, Head, PartRow, Record
from rhtmx_server.ports import BatchNeeds, Store
from rhtmx_server.stores.paging import PAGE_BYTES
from tests.contract.builders import SECOND, always, look, record, writing
from tests.contract.conftest import Reopen
from tests.contract.parts import BLUE, BOTH, GREEN, RED, Event, each, keys_of, of, told, write


async def test_a_part_has_the_records_that_are_in_it_in_version_order(store: Store) -> None:
    await each(
        store,
        record("1", 1, of("red")),
        record("2", 2, of("blue")),
        record("3", 3, of("red")),
        record("1", 4, of("red", n=2)),
        record("4", 5, b'{"n":1}'),
    )
    assert await store.since_in("tasks", [RED], 0, 10, 10) == [
        record("3", 3, of("red")),
        record("1", 4, of("red", n=2)),
    ]
    assert await told(store, BLUE) == [("is", "2", 2)]
    assert await told(store, GREEN) == []
    assert await told(store) == []
    assert await store.since_in("notes", [RED], 0, 10, 10) == []


async def test_a_record_that_moves_leaves_one_part_and_is_in_the_other(store: Store) -> None:
    await each(store, record("1", 1, of("red")), record("1", 2, of("blue")))
    assert await store.since_in("tasks", [RED], 0, 10, 10) == [
        Departure("tasks", "1", 2, 2 * SECOND)
    ]
    assert await told(store, BLUE) == [("is", "1", 2)]
    assert await told(store, RED, BLUE) == [("is", "1", 2)]


async def test_a_record_that_leaves_all_parts_has_left(store: Store) -> None:
    await each(store, record("1", 1, of("red")), record("1", 2, b'{"team":null}'))
    assert await told(store, RED) == [("left", "1", 2)]
    await write(store, record("1", 3, None))
    assert await told(store, RED) == [("left", "1", 2)]


async def test_a_record_that_left_stays_away_while_it_changes_elsewhere(store: Store) -> None:
    await each(
        store,
        record("1", 1, of("red")),
        record("1", 2, of("blue")),
        record("1", 3, of("blue", n=2)),
        record("1", 4, of("blue", n=3)),
    )
    assert await told(store, RED) == [("left", "1", 2)]
    assert await told(store, RED, after=2) == []
    assert await told(store, BLUE) == [("is", "1", 4)]


async def test_a_record_that_comes_back_is_there_once(store: Store) -> None:
    teams = ["red", "blue", "red", "blue", "red"]
    await each(store, *(record("1", n, of(team)) for n, team in enumerate(teams, 1)))
    assert await told(store, RED) == [("is", "1", 5)]
    assert await told(store, BLUE) == [("left", "1", 5)]
    await write(store, record("1", 6, of("blue")))
    assert await told(store, RED) == [("left", "1", 6)]
    assert await told(store, BLUE) == [("is", "1", 6)]


async def test_a_record_that_left_several_parts_has_left_once_and_last(store: Store) -> None:
    await each(
        store,
        record("1", 1, of("red")),
        record("1", 2, of("blue")),
        record("2", 3, of("red")),
        record("1", 4, of("green")),
    )
    assert await told(store, RED, BLUE) == [("is", "2", 3), ("left", "1", 4)]
    assert await told(store, RED, BLUE, upto=3) == [("is", "2", 3)]
    assert await told(store, RED) == [("left", "1", 2), ("is", "2", 3)]


async def test_moves_within_one_transaction_end_where_they_end(store: Store) -> None:
    await write(store, record("1", 1, of("red")))
    await write(store, record("1", 2, of("blue")), record("1", 3, of("green")))
    assert await told(store, RED, after=1) == [("left", "1", 2)]
    assert await told(store, BLUE) == [("left", "1", 3)]
    assert await told(store, GREEN) == [("is", "1", 3)]
    assert await told(store, RED, BLUE) == [("left", "1", 3)]
    await write(store, record("1", 4, of("red")), record("1", 5, of("green")))
    assert await told(store, GREEN) == [("is", "1", 5)]
    assert await told(store, RED) == [("left", "1", 5)]


async def test_a_record_that_is_made_and_deleted_in_one_transaction_is_a_tombstone(
    store: Store,
) -> None:
    await write(store, record("1", 1, of("red")), record("1", 2, deleted=True))
    assert await told(store, RED) == [("deleted", "1", 2)]


async def test_a_deleted_record_is_a_tombstone_where_it_was(store: Store) -> None:
    await each(
        store,
        record("1", 1, of("red")),
        record("1", 2, of("blue")),
        record("1", 3, deleted=True),
    )
    assert await store.since_in("tasks", [BLUE], 0, 10, 10) == [record("1", 3, deleted=True)]
    assert await told(store, RED) == [("left", "1", 2)]
    assert await told(store, RED, BLUE) == [("deleted", "1", 3)]
    assert await told(store, GREEN) == []


async def test_a_delete_and_a_move_in_one_transaction_are_both_told(store: Store) -> None:
    await each(store, record("1", 1, of("red")), record("2", 2, of("red")))
    await write(store, record("1", 3, of("blue")), record("2", 4, deleted=True))
    assert await told(store, RED, after=2) == [("left", "1", 3), ("deleted", "2", 4)]
    await write(store, record("1", 5, of("green")), record("1", 6, deleted=True))
    assert await told(store, BLUE) == [("left", "1", 5)]
    assert await told(store, GREEN) == [("deleted", "1", 6)]


async def test_a_record_that_is_made_anew_is_where_it_is_now(store: Store) -> None:
    await each(
        store,
        record("1", 1, of("red")),
        record("1", 2, deleted=True),
        record("1", 3, of("red")),
    )
    assert await told(store, RED) == [("is", "1", 3)]
    await each(store, record("1", 4, deleted=True), record("1", 5, of("blue")))
    assert await told(store, RED) == [("left", "1", 4)]
    assert await told(store, RED, BLUE) == [("is", "1", 5)]


async def test_a_record_may_be_in_a_part_of_each_partition(store: Store) -> None:
    open_, shut = (f'{{"open":{open_},"team":"red"}}' for open_ in ("1", "0"))
    await write(store, record("1", 1, of("red", open=1)), by=BOTH)
    assert await told(store, RED, open_) == [("is", "1", 1)]
    await write(store, record("1", 2, of("red", open=0)), by=BOTH)
    assert await told(store, RED) == [("is", "1", 2)]
    assert await told(store, open_) == [("left", "1", 2)]
    assert await told(store, shut) == [("is", "1", 2)]
    assert await told(store, RED, open_) == [("is", "1", 2)]
    assert await told(store, open_, shut) == [("is", "1", 2)]
    await write(store, record("1", 3, of("red")), by=BOTH)
    assert await told(store, RED, open_, shut) == [("is", "1", 3)]
    assert await told(store, open_, shut) == [("left", "1", 3)]
    await write(store, record("1", 4, deleted=True), by=BOTH)
    assert await told(store, RED, open_, shut) == [("deleted", "1", 4)]


async def test_parts_asked_for_twice_or_unknown_change_nothing(store: Store) -> None:
    await each(store, record("1", 1, of("red")), record("2", 2, of("blue")))
    assert await told(store, RED, RED, GREEN, "", "no part") == [("is", "1", 1)]


async def test_the_lower_end_is_left_out_and_the_upper_one_is_in(store: Store) -> None:
    await each(store, *(record(str(n), n, of("red")) for n in range(1, 6)))
    await write(store, record("1", 6, of("blue")))
    assert await told(store, RED, after=2, upto=4) == [("is", "3", 3), ("is", "4", 4)]
    assert await told(store, RED, after=5) == [("left", "1", 6)]
    assert await told(store, RED, upto=5, after=4) == [("is", "5", 5)]
    assert await told(store, RED, after=6) == []


@pytest.mark.parametrize("teams", [1, 2, 7, 40])
@pytest.mark.parametrize("limit", [1, 3, 50])
async def test_pages_of_many_parts_lose_nothing_and_give_nothing_twice(
    store: Store, teams: int, limit: int
) -> None:
    # The first team has half of the records, and every third record moves on.
    homes = [0 if n % 2 else n % teams for n in range(60)]
    await write(store, *(record(str(n), n + 1, of(f"t{home}")) for n, home in enumerate(homes)))
    await write(
        store,
        *(record(str(n), 61 + n, of(f"t{(homes[n] + 1) % (teams + 1)}")) for n in range(0, 60, 3)),
    )
    parts = [Part.of({"team": f"t{n}"}).key for n in range(teams)]
    whole = await told(store, *parts)
    assert {entity_id for _, entity_id, _ in whole} == {str(n) for n in range(60)}
    assert len(whole) == 60
    assert [version for _, _, version in whole] == sorted(version for _, _, version in whole)
    pages: list[Event] = []
    while page := await told(store, *parts, after=pages[-1][2] if pages else 0, limit=limit):
        assert len(page) <= limit
        pages += page
    assert pages == whole


async def test_records_of_which_no_departure_is_told_take_no_place_in_a_page(store: Store) -> None:
    await write(store, *(record(str(n), n, of("red")) for n in range(1, 21)))
    await write(store, *(record(str(n), 20 + n, of("blue")) for n in range(1, 21)))
    await write(store, *(record(str(n), 40 + n, of("red")) for n in range(1, 20)))
    page = await told(store, RED, BLUE, limit=2)
    assert page == [("is", "20", 40), ("is", "1", 41)]


async def test_a_page_of_a_part_is_cut_by_its_bytes(store: Store) -> None:
    half = "x" * (PAGE_BYTES // 2 - 100)
    huge = "x" * (2 * PAGE_BYTES)
    await each(
        store,
        record("0", 1, of("red")),
        record("0", 2, of("blue")),
        record("1", 3, of("red", text=half)),
        record("2", 4, of("red", text=half)),
        record("3", 5, of("red", text=half)),
        record("4", 6, of("red", text=huge)),
        record("5", 7, of("red")),
    )
    assert await told(store, RED) == [("left", "0", 2), ("is", "1", 3), ("is", "2", 4)]
    assert await told(store, RED, after=4) == [("is", "3", 5)]
    assert await told(store, RED, after=5) == [("is", "4", 6)]
    assert await told(store, RED, after=6) == [("is", "5", 7)]
    await write(store, record("6", 8, of("red")))
    assert await told(store, RED, after=7) == [("is", "6", 8)]


async def test_clocks_come_where_they_are_wanted(store: Store) -> None:
    clocks = {"team": Clock(1, 5, "c")}
    await write(store, replace(record("1", 1, of("red")), clocks=clocks))
    await write(store, replace(record("2", 2, of("red")), clocks=clocks))
    await write(store, replace(record("2", 3, deleted=True), clocks=clocks))
    with_them = await store.since_in("tasks", [RED], 0, 10, 10)
    without = await store.since_in("tasks", [RED], 0, 10, 10, clocks=False)
    assert [one.clocks for one in with_them if isinstance(one, Record)] == [clocks, clocks]
    assert [one.clocks for one in without if isinstance(one, Record)] == [{}, {}]
    assert [replace(one, clocks=clocks) for one in without if isinstance(one, Record)] == with_them


async def test_entities_have_parts_of_their_own(store: Store) -> None:
    await write(store, record("1", 1, of("red")))
    await write(store, record("1", 1, of("red"), entity="notes"), entity="notes")
    await write(store, record("1", 2, of("blue"), entity="notes"), entity="notes")
    assert await told(store, RED) == [("is", "1", 1)]
    assert await store.since_in("notes", [RED], 0, 9, 9) == [Departure("notes", "1", 2, 2 * SECOND)]


async def test_a_transaction_may_write_records_with_and_without_parts(store: Store) -> None:
    records = [
        record("1", 1, of("red")),
        record("2", 2, b'{"n":1}'),
        record("1", 1, of("red"), entity="notes"),
    ]
    writes = writing(*records)
    writes.parts = [PartRow("tasks", RED, "1", 1, SECOND)]
    await store.commit(BatchNeeds(), always(writes))
    assert await told(store, RED) == [("is", "1", 1)]
    assert await store.since("tasks", 0, 9, 9) == records[:2]
    assert await store.since("notes", 0, 9, 9) == records[2:]
    assert await store.since_in("notes", [RED], 0, 9, 9) == []


@pytest.mark.parametrize(
    "team",
    [
        "",
        "'",
        '"',
        "\\",
        "%",
        "_",
        "ü",
        "👩‍👩‍👧",
        "\u0000",
        "x" * 253,
        "a,b;c",
        "{}",
        "NULL",
        " red",
    ],
)
async def test_a_part_may_be_called_anything(store: Store, reopen: Reopen, team: str) -> None:
    part = Part.of({"team": team})
    await write(store, record("1", 1, b"{" + part.key.encode()[1:]), record("2", 2, of("red")))
    assert await told(store, part.key) == [("is", "1", 1)]
    await write(store, record("1", 3, of("red")))
    assert await told(await reopen(), part.key) == [("left", "1", 3)]


async def test_parts_are_there_when_the_store_is_opened_again(store: Store, reopen: Reopen) -> None:
    await each(
        store, record("1", 1, of("red")), record("2", 2, of("red")), record("1", 3, of("blue"))
    )
    again = await reopen()
    assert await told(again, RED) == [("is", "2", 2), ("left", "1", 3)]
    await write(again, record("1", 4, of("red")))
    assert await told(again, RED) == [("is", "2", 2), ("is", "1", 4)]
    assert await told(again, BLUE) == [("left", "1", 4)]


async def test_a_transaction_sees_what_parts_a_deleted_record_was_in(
    store: Store, reopen: Reopen
) -> None:
    gone = record("1", 3, deleted=True)
    await each(store, record("1", 1, of("red", open=1)), record("2", 2, of("blue")), gone, by=BOTH)
    await write(store, record("2", 3, of("blue"), entity="notes"), entity="notes")
    await write(store, record("1", 4, of("green"), entity="notes"), entity="notes")
    await write(store, record("1", 5, deleted=True, entity="notes"), entity="notes")
    wanted = BatchNeeds(records=[("tasks", "1"), ("tasks", "2"), ("tasks", "3"), ("notes", "1")])
    found = {
        ("tasks", "1"): frozenset({RED, Part.of({"team": "red", "open": 1}).key}),
        ("notes", "1"): frozenset({GREEN}),
    }
    assert (await look(store, wanted)).last_parts == found
    store = await reopen()
    assert (await look(store, wanted)).last_parts == found


async def test_only_the_parts_that_a_record_had_when_it_was_deleted_count(store: Store) -> None:
    await each(
        store, record("1", 1, of("red")), record("1", 2, of("blue")), record("1", 3, deleted=True)
    )
    wanted = BatchNeeds(records=[("tasks", "1")])
    assert (await look(store, wanted)).last_parts == {("tasks", "1"): frozenset({BLUE})}
    await each(store, record("1", 4, b"{}"), record("1", 5, deleted=True))
    assert (await look(store, wanted)).last_parts == {}, "it was in none"
    await write(store, record("1", 6, of("red")))
    assert (await look(store, wanted)).last_parts == {}, "it is there"


async def test_what_parts_a_record_had_is_known_as_long_as_its_tombstone(store: Store) -> None:
    wanted = BatchNeeds(records=[("tasks", "1")])
    await each(store, record("1", 1, of("red")), record("1", 2, deleted=True))
    for before in (0, 2 * SECOND, 2 * SECOND + 1):
        await store.collect(history_before=0, tombstones_before=before)
        seen = await look(store, wanted)
        assert set(seen.last_parts) == set(seen.records)
    assert seen.records == {}


async def test_after_an_entity_was_divided_otherwise_it_was_nobodys(store: Store) -> None:
    await each(store, record("1", 1, of("red")), record("1", 2, deleted=True))
    await store.divide("tasks", BOTH.spelt, keys_of(BOTH))
    seen = await look(store, BatchNeeds(records=[("tasks", "1")]))
    assert (len(seen.records), seen.last_parts) == (1, {})


async def test_a_record_keeps_since_when_it_may_be_seen(store: Store, reopen: Reopen) -> None:
    one, other = record("1", 4, of("red")), record("2", 5, b"{}")
    one.entered, other.entered = 3, 2
    await write(store, one, other)
    store = await reopen()
    assert [each.entered for each in await store.since("tasks", 0, 9, 9)] == [3, 2]
    (found,) = await store.since_in("tasks", [RED], 0, 9, 9)
    assert found == one
    assert (await look(store, BatchNeeds(records=[("tasks", "2")]))).records["tasks", "2"] == other


async def test_old_departures_go_and_raise_the_floor(store: Store) -> None:
    await each(
        store,
        record("1", 1, of("red")),
        record("2", 2, of("red")),
        record("1", 3, of("blue")),
        record("2", 4, of("blue")),
        record("3", 5, of("red")),
    )
    assert await store.kept() == StoredTimes(history=SECOND, others=3 * SECOND)
    await store.collect(history_before=0, tombstones_before=4 * SECOND)
    assert await told(store, RED) == [("left", "2", 4), ("is", "3", 5)]
    assert await told(store, BLUE) == [("is", "1", 3), ("is", "2", 4)]
    assert await store.heads() == {"tasks": Head(5, 3)}
    assert await store.kept() == StoredTimes(history=SECOND, others=4 * SECOND)
    await store.collect(history_before=0, tombstones_before=100 * SECOND)
    assert await told(store, RED) == [("is", "3", 5)]
    assert await store.heads() == {"tasks": Head(5, 4)}
    assert await store.kept() == StoredTimes(history=SECOND)
    await write(store, record("3", 6, of("blue")))
    assert await told(store, RED) == [("left", "3", 6)]


async def test_a_deleted_record_goes_with_what_it_left(store: Store) -> None:
    await each(
        store,
        record("1", 1, of("red")),
        record("1", 2, deleted=True),
        record("2", 3, of("red")),
    )
    await store.collect(history_before=0, tombstones_before=3 * SECOND)
    assert await store.heads() == {"tasks": Head(3, 2)}
    assert await told(store, RED) == [("is", "2", 3)]
    await write(store, record("1", 4, of("red")))
    assert await told(store, RED) == [("is", "2", 3), ("is", "1", 4)]


async def test_a_departure_outlives_the_tombstone_of_an_older_clock(store: Store) -> None:
    await each(
        store,
        record("1", 1, of("red")),
        record("1", 2, of("blue"), time=90),
        record("1", 3, deleted=True, time=10),
    )
    await store.collect(history_before=0, tombstones_before=50)
    assert await store.record("tasks", "1") is None
    assert await told(store, RED) == [("left", "1", 2)]
    assert await told(store, BLUE) == []


async def test_more_than_one_step_of_departures_goes(store: Store) -> None:
    await write(store, *(record(str(n), n, of("red"), time=0) for n in range(1, 1202)))
    await write(store, *(record(str(n), 2000 + n, of("blue"), time=0) for n in range(1, 1202)))
    await store.collect(history_before=0, tombstones_before=1)
    assert await told(store, RED, upto=9999, limit=9999) == []
    assert len(await told(store, BLUE, upto=9999, limit=9999)) == 1201
    assert await store.heads() == {"tasks": Head(3201, 3201)}
