"""All of a store comes into another one, and clients go on where they are."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from rhtmx.errors import RhtmxError
from rhtmx_server.model import ClientRow, Clock, Granularity, Head, HistoryEntry, Outcome
from rhtmx_server.ports import BatchNeeds, BatchWrites, Store
from rhtmx_server.stores import moving, open_mover, open_store
from rhtmx_server.stores.moving import Mover, move
from tests.contract.builders import SECOND, always, look, put, put_each, record, writing
from tests.contract.parts import BLUE, BOTH, RED, TEAMS, keys_of, of, told, write
from tests.support.postgres import Postgres

Place = Callable[[], str]

WAYS = [("sqlite", "postgres"), ("postgres", "sqlite"), ("sqlite", "sqlite"), ("postgres",) * 2]


@pytest.fixture
def place(tmp_path: Path, postgres: Postgres) -> Callable[[str], str]:
    """Makes the URL of a new store of a kind."""
    made: list[str] = []

    def make(kind: str) -> str:
        made.append(kind)
        file = f"sqlite:///{tmp_path / f'{len(made)}.db'}"
        return file if kind == "sqlite" else postgres.place()

    return make


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Mover]:
    mover = open_mover(url)
    await mover.store.open()
    try:
        yield mover
    finally:
        await mover.store.close()


async def copied(source: str, target: str) -> int:
    async with opened(source) as one, opened(target) as other:
        return await move(one, other, lambda words: None)


async def fill(store: Store) -> None:
    """Some of everything: parts, what left them, tombstones, lost writes, answers."""
    await store.divide("tasks", TEAMS.spelt, keys_of(TEAMS))
    for version in range(1, 8):
        one = record(str(version % 3), version, of("red" if version % 2 else "blue", n=version))
        one.clocks = {"n": Clock(version, version * SECOND, "c", items={"a": (1, None)})}
        one.entered, one.hidden = version, b'{"note":%d}' % version
        await write(store, one)
    await write(store, record("1", 8, deleted=True))
    await put_each(store, *(record(str(n), n, b"null", entity="notes") for n in range(1, 6)))
    again = record("1", 6, b'{"a":1}', entity="notes")
    batch = writing(
        again,
        clients=[ClientRow("c", "ada", 2, 5), ClientRow("d", "", 0, 7, b"secret")],
        outcomes=[Outcome("c", 1, b"x", b"y"), Outcome("c", 2, b"x", b"z", rejected=True)],
    )
    before = record("1", 6, b'{"b":2}', entity="notes")
    batch.history = [
        HistoryEntry(again, Granularity.FIELDS, previous=1),
        *[HistoryEntry(before, Granularity.FIELDS, lost=True)] * 3,
    ]
    await store.commit(BatchNeeds(), always(batch))
    await store.note_horizon(9 * SECOND)
    await store.collect(history_before=3 * SECOND, tombstones_before=0)


async def everything(store: Store) -> list[object]:
    """What can be asked of a store."""
    keys = [(entity, str(number)) for entity in ("tasks", "notes") for number in range(9)]
    wanted = BatchNeeds(records=keys, clients=["c", "d", "e"], outcomes=[("c", 1), ("c", 2)])
    return [
        store.epoch,
        await look(store, wanted),
        await store.heads(),
        await store.kept(),
        sorted(await store.divided()),
        [list(await store.history(entity)) for entity in ("tasks", "notes")],
        [await told(store, *parts) for parts in ([RED], [BLUE], [RED, BLUE])],
        await store.since("tasks", 0, 99, 99),
    ]


async def seen(url: str, ask: Callable[[Store], Awaitable[list[object]]]) -> list[object]:
    store = open_store(url)
    await store.open()
    try:
        return await ask(store)
    finally:
        await store.close()


@pytest.mark.parametrize(("one", "other"), WAYS)
async def test_all_of_a_store_is_in_the_other_one(
    place: Callable[[str], str], one: str, other: str
) -> None:
    source, target = place(one), place(other)
    async with opened(source) as mover:
        await fill(mover.store)
    there = await seen(source, everything)
    assert await copied(source, target) > 20
    assert await seen(target, everything) == there
    store = open_store(target)
    await store.open()
    await put(store, record("9", 7, entity="notes"))
    assert await store.head("notes") == Head(7)
    assert await store.head("tasks") == Head(8)
    await store.close()


class BrokenOffError(Exception):
    """The copy ends here."""


@pytest.mark.parametrize(("one", "other"), [("sqlite", "postgres"), ("postgres", "sqlite")])
async def test_a_copy_that_was_broken_off_anywhere_goes_on(
    place: Callable[[str], str], one: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "PAGE", 2)
    source, target = place(one), place(other)
    async with opened(source) as mover:
        await fill(mover.store)
    there = await seen(source, everything)

    broken = 0
    async with opened(source) as reading:
        with contextlib.suppress(FinishedError):
            while True:
                async with opened(target) as mover:
                    try:
                        await move(reading, mover, stop_at(broken % 3))
                    except BrokenOffError:
                        broken += 1
                    else:
                        raise FinishedError
                with pytest.raises(RhtmxError, match="half of a copy"):
                    await seen(target, everything)
    assert broken > 5
    assert await seen(target, everything) == there


def stop_at(number: int) -> Callable[[str], None]:
    """Breaks a copy off after so many pages; not while it compares, or it would never end."""
    said = 0

    def tell(words: str) -> None:
        nonlocal said
        said += 1
        if said > number and not words.startswith("comparing"):
            raise BrokenOffError

    return tell


class FinishedError(Exception):
    """The copy is done."""


@pytest.mark.parametrize(("one", "other"), WAYS)
async def test_a_copy_goes_on_where_only_lost_writes_are_kept(
    place: Callable[[str], str], one: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their commits have been forgotten: by each entry's own time."""
    monkeypatch.setattr(moving, "PAGE", 2)
    source, target = place(one), place(other)
    async with opened(source) as mover:
        for version in range(1, 4):
            await put(mover.store, record("1", version))
            lost = HistoryEntry(
                record("1", version, time=9 * SECOND), Granularity.FIELDS, lost=True
            )
            await mover.store.commit(BatchNeeds(), always(BatchWrites(history=[lost] * 3)))
        await mover.store.collect(history_before=8 * SECOND, tombstones_before=0)
        assert [each.lost for each in await mover.store.history("tasks")] == [True] * 9
    async with opened(source) as reading, opened(target) as filled:
        with pytest.raises(BrokenOffError):
            await move(reading, filled, stop_at(1))
        await move(reading, filled, lambda words: None)
    assert await seen(target, everything) == await seen(source, everything)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_large_records_are_copied_a_few_at_a_time(
    place: Callable[[str], str], kind: str
) -> None:
    source = place(kind)
    async with opened(source) as mover:
        for version in range(1, 9):
            await put(mover.store, record(str(version), version, b'"%s"' % (b"x" * 400_000)))
        assert len(await mover.records("tasks", 0, 1000)) in (2, 3)
    assert await copied(source, place(kind)) == 16


async def test_what_was_written_meanwhile_is_no_copy(place: Callable[[str], str]) -> None:
    source, target = place("sqlite"), place("sqlite")

    def stop(words: str) -> None:
        if words.startswith("comparing"):
            raise BrokenOffError

    async with opened(source) as one, opened(target) as other:
        await fill(one.store)
        with pytest.raises(BrokenOffError):
            await move(one, other, stop)
        await put(one.store, record("9", 7, entity="notes"))
        with pytest.raises(RhtmxError, match="source was written since"):
            await move(one, other, lambda words: None)


async def test_what_is_not_as_it_was_is_found_out(place: Callable[[str], str]) -> None:
    source, target = place("sqlite"), place("sqlite")

    async with opened(source) as one, opened(target) as other:
        await fill(one.store)
        records, done = one.records, False

        async def differently(entity: str, after: int, limit: int) -> list[object]:
            page = await records(entity, after, limit)
            for each in page:
                each.data = each.data if done else b'"spoilt"'
            return list(page)

        one.records = differently  # type: ignore[method-assign, assignment]

        def tell(words: str) -> None:
            nonlocal done
            done = words.startswith("comparing")

        with pytest.raises(RhtmxError, match="is not what was read"):
            await move(one, other, tell)


async def test_only_an_empty_store_is_copied_into_and_none_is_copied_from(
    place: Callable[[str], str],
) -> None:
    source, target = place("sqlite"), place("sqlite")
    async with opened(source) as one, opened(target) as other:
        with pytest.raises(RhtmxError, match="the source is empty"):
            await move(one, other, lambda words: None)
        await put(one.store, record("1", 1))
        await put(other.store, record("1", 1))
        with pytest.raises(RhtmxError, match="holds records already"):
            await move(one, other, lambda words: None)


async def test_parts_are_divided_in_the_copy_as_they_were(place: Callable[[str], str]) -> None:
    source, target = place("sqlite"), place("postgres")
    async with opened(source) as mover:
        await fill(mover.store)
    await copied(source, target)
    async with opened(target) as mover:
        floor = (await mover.store.head("tasks")).floor
        await mover.store.divide("tasks", TEAMS.spelt, keys_of(TEAMS))
        assert (await mover.store.head("tasks")).floor == floor  # nothing was done
        await mover.store.divide("tasks", BOTH.spelt, keys_of(BOTH))
        assert (await mover.store.head("tasks")).floor == 8
