"""What becomes of the parts of an entity when it is declared otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import pytest

from rhtmx_server.access.parts import Part, Partitions
from rhtmx_server.model import Head
from rhtmx_server.ports import Store
from rhtmx_server.stores.paging import BATCH_BYTES
from tests.contract.builders import put, record
from tests.contract.conftest import Reopen
from tests.contract.parts import BLUE, BOTH, GREEN, RED, TEAMS, each, keys_of, of, told, write

STATUS = Partitions([["open"]])
OPEN = Part.of({"open": True}).key


async def divide(store: Store, by: Partitions, entity: str = "tasks") -> None:
    await store.divide(entity, by.spelt, keys_of(by))


def never(_: bytes | None) -> Collection[str]:
    raise AssertionError("asked for the parts of a record")


async def test_records_of_before_are_found_in_their_parts(store: Store) -> None:
    await put(
        store,
        record("1", 1, of("red")),
        record("2", 2, of("blue")),
        record("3", 3, of("red")),
        record("4", 4, deleted=True),
        record("5", 5, None),
        record("1", 6, of("red"), entity="notes"),
    )
    assert await told(store, RED) == []
    await divide(store, TEAMS)
    assert await told(store, RED) == [("is", "1", 1), ("is", "3", 3)]
    assert await told(store, BLUE) == [("is", "2", 2)]
    assert await store.since_in("notes", [RED], 0, 9, 9) == []
    await each(store, record("1", 7, of("blue")), record("3", 8, deleted=True))
    assert await told(store, RED) == [("left", "1", 7), ("deleted", "3", 8)]
    assert await told(store, RED, BLUE) == [("is", "2", 2), ("is", "1", 7), ("deleted", "3", 8)]


async def test_a_deleted_record_is_in_no_part_whatever_its_data(store: Store) -> None:
    await put(store, record("1", 1, None), record("2", 2, deleted=True))
    await store.divide("tasks", "all", lambda _: ["all"])
    assert await told(store, "all") == [("is", "1", 1)]


async def test_what_is_declared_as_before_is_left_alone(store: Store, reopen: Reopen) -> None:
    await divide(store, TEAMS)
    await each(store, record("1", 1, of("red")), record("1", 2, of("blue")))
    await store.divide("tasks", TEAMS.spelt, never)
    again = await reopen()
    await again.divide("tasks", TEAMS.spelt, never)
    assert await told(again, RED) == [("left", "1", 2)]


async def test_what_was_never_divided_is_left_alone(store: Store) -> None:
    await put(store, record("1", 1, of("red")))
    await store.divide("tasks", "", never)
    assert await store.divided() == set()


async def test_dividing_otherwise_forgets_parts_and_departures(store: Store) -> None:
    await divide(store, TEAMS)
    await each(
        store,
        record("1", 1, of("red", open=True)),
        record("2", 2, of("red", open=True)),
        record("2", 3, of("blue")),
    )
    await divide(store, STATUS)
    assert await told(store, RED, BLUE) == []
    assert await told(store, OPEN) == [("is", "1", 1)]
    await write(store, record("1", 4, of("red")), by=STATUS)
    assert await told(store, OPEN) == [("left", "1", 4)]
    await divide(store, BOTH)
    both = Part.of({"open": True, "team": "red"}).key
    assert await told(store, OPEN, both) == []
    assert await told(store, RED) == [("is", "1", 4)]
    await store.collect(history_before=0, tombstones_before=2**60)
    assert await store.heads() == {"tasks": Head(4, 4)}


async def test_an_entity_that_is_made_whole_is_in_no_parts(store: Store, reopen: Reopen) -> None:
    await divide(store, TEAMS)
    await divide(store, TEAMS, "notes")
    assert await store.divided() == {"tasks", "notes"}
    await each(store, record("1", 1, of("red")), record("2", 2, of("red")))
    await write(store, record("1", 1, of("red"), entity="notes"), entity="notes")
    await store.divide("tasks", "", never)
    assert await told(store, RED) == []
    assert len(await store.since_in("notes", [RED], 0, 9, 9)) == 1
    again = await reopen()
    assert await again.divided() == {"notes"}
    # Written while nobody noted any parts; then divided again.
    await put(again, record("1", 3, of("blue")), record("2", 4, deleted=True))
    await put(again, record("3", 5, of("red")))
    await divide(again, TEAMS)
    assert await told(again, RED) == [("is", "3", 5)]
    assert await told(again, BLUE) == [("is", "1", 3)]
    await each(again, record("2", 6, of("green")), record("1", 7, of("red")))
    assert await told(again, BLUE, GREEN) == [("is", "2", 6), ("left", "1", 7)]


async def test_many_records_are_divided_with_commits_in_between(store: Store) -> None:
    await put(store, *(record(str(n), n, of("red")) for n in range(1, 1302)))
    await asyncio.gather(
        divide(store, TEAMS),
        each(
            store,
            record("1", 1302, of("blue")),
            record("700", 1303, of("blue")),
            record("1301", 1304, deleted=True),
            record("new", 1305, of("red")),
        ),
    )
    page = await told(store, RED, upto=9999, limit=9999)
    assert [version for word, _, version in page if word == "is"] == [
        *(n for n in range(2, 1301) if n != 700),
        1305,
    ]
    assert await told(store, BLUE, upto=9999) == [("is", "1", 1302), ("is", "700", 1303)]
    await divide(store, STATUS)
    assert await told(store, RED, BLUE, upto=9999, limit=9999) == []


async def test_large_records_are_divided_too(store: Store) -> None:
    large = "x" * (BATCH_BYTES // 2)
    await put(store, *(record(str(n), n, of("red", text=large)) for n in range(1, 8)))
    await divide(store, TEAMS)
    found: list[int] = []
    while page := await told(store, RED, after=found[-1] if found else 0):
        found += [version for _, _, version in page]
    assert found == [1, 2, 3, 4, 5, 6, 7]


async def test_what_was_broken_off_begins_anew(store: Store, reopen: Reopen) -> None:
    await divide(store, TEAMS)
    await put(store, *(record(str(n), n, of("red", open=True)) for n in range(1, 1302)))
    seen: list[bytes | None] = []

    def breaks(data: bytes | None) -> Collection[str]:
        seen.append(data)
        if len(seen) == 1100:
            raise ZeroDivisionError
        return keys_of(STATUS)(data)

    with pytest.raises(ZeroDivisionError):
        await store.divide("tasks", STATUS.spelt, breaks)
    again = await reopen()
    assert await again.divided() == {"tasks"}
    await divide(again, STATUS)
    assert len(await told(again, OPEN, upto=9999, limit=9999)) == 1301
    assert await told(again, RED, upto=9999) == []


@pytest.mark.parametrize("then", [TEAMS, Partitions([])])
async def test_what_was_broken_off_may_be_declared_as_before(
    store: Store, reopen: Reopen, then: Partitions
) -> None:
    await divide(store, TEAMS)
    await each(store, record("1", 1, of("red", open=True)))

    with pytest.raises(AssertionError, match="asked for the parts"):
        await store.divide("tasks", STATUS.spelt, never)
    again = await reopen()
    await divide(again, then)
    assert await told(again, OPEN) == []
    assert await told(again, RED) == ([("is", "1", 1)] if then is TEAMS else [])
    assert await again.divided() == ({"tasks"} if then is TEAMS else set())


@pytest.mark.parametrize("meanwhile", [STATUS, Partitions([])])
async def test_a_position_of_when_it_was_divided_so_before_is_below_the_floor(
    store: Store, reopen: Reopen, meanwhile: Partitions
) -> None:
    await divide(store, TEAMS)
    await each(store, record("1", 1, of("red")))
    assert (await store.head("tasks")).floor == 0
    await divide(store, meanwhile)
    await put(store, record("1", 2, of("blue")))
    again = await reopen()
    await divide(again, TEAMS)
    assert await told(again, RED) == [], "nobody is told that it has left"
    assert (await again.heads())["tasks"] == Head(2, 2)
    # What it is said to be once more costs nobody anything.
    await each(again, record("1", 3, of("red")))
    await divide(again, TEAMS)
    assert await again.head("tasks") == Head(3, 2)
