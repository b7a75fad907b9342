"""Facts about `rhtmx_server.program.change_stream`, and the reader below it."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from rhtmx.messages import Position
from rhtmx_server import App, AppChanges, ErrorCode, Grant, Reset, RhtmxError
from tests.support.waiting import eventually
from tests.unit.rhtmx_server.program.conftest import ADA, BOB


async def take(stream: AppChanges, count: int) -> list[tuple[str, str, Any]]:
    return [
        (each.action + (" (left)" if each.left else ""), each.entity_id, each.data)
        for each in [await anext(stream) for _ in range(count)]
    ]


async def test_what_is_there_comes_first_and_then_each_change(app: App) -> None:
    notes = app.collection("notes")
    await notes.set("1", {"n": 1})
    await notes.set("2", {"n": 1})
    await notes.delete("2")
    async with notes.changes(since=0) as stream:
        assert await take(stream, 2) == [("create", "1", {"n": 1}), ("delete", "2", None)]
        coming = asyncio.create_task(take(stream, 1))
        await eventually(lambda: app._running.services.hub.reads("notes"))
        await notes.set("3", {"n": 3})
        assert await coming == [("create", "3", {"n": 3})]


async def test_without_a_place_to_start_it_begins_with_what_comes(app: App) -> None:
    notes = app.collection("notes")
    await notes.set("1", {})
    async with notes.changes() as stream:
        await notes.set("2", {})
        assert await take(stream, 1) == [("create", "2", {})]


async def test_a_position_goes_on_where_another_stream_was(app: App) -> None:
    notes = app.collection("notes")
    for each in "123":
        await notes.set(each, {})
    stream = notes.changes(since=0)
    assert stream.position == Position("", 0)
    async for change in stream:
        if change.entity_id == "2":
            break
    assert [each[1] for each in await take(notes.changes(since=stream.position), 1)] == ["3"]
    # The same one goes on, too.
    async for change in stream:
        assert change.entity_id == "3"
        break
    stream.stop()


async def test_a_slow_reader_loses_nothing_and_nothing_piles_up(app: App) -> None:
    notes = app.collection("notes")
    async with notes.changes(since=0) as stream:
        await notes.set("0", {"n": 0})
        assert await take(stream, 1) == [("create", "0", {"n": 0})]
        for number in range(300):
            await notes.set(str(number % 3), {"n": number})
        # What changed several times comes once, at its latest.
        assert await take(stream, 3) == [
            ("update", "0", {"n": 297}),
            ("update", "1", {"n": 298}),
            ("update", "2", {"n": 299}),
        ]


@pytest.mark.parametrize("seed", range(5))
async def test_whatever_moves_meanwhile_what_was_told_adds_up_to_what_is_there(
    app: App, seed: int
) -> None:
    chance = random.Random(seed)
    held: dict[str, Any] = {}

    async def follow() -> None:
        async for change in app.collection("tasks", who=ADA).changes(since=0):
            if change.action == "delete":
                held.pop(change.entity_id, None)
            else:
                held[change.entity_id] = change.data
            for _ in range(chance.randrange(3)):
                await asyncio.sleep(0)

    following = asyncio.create_task(follow())
    tasks = app.collection("tasks")
    for number in range(200):
        entity_id = str(chance.randrange(8))
        if chance.random() < 0.2:
            await tasks.delete(entity_id)
        else:
            await tasks.set(entity_id, {"team": chance.choice(["red", "blue"]), "n": number})
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
    rows = {row.id: row.data for row in await app.collection("tasks", who=ADA).all()}
    await eventually(lambda: held == rows)
    following.cancel()


async def test_to_cancel_a_wait_loses_nothing(app: App) -> None:
    notes = app.collection("notes")
    async with notes.changes() as stream:
        for number in range(20):
            waiting = asyncio.create_task(anext(stream))
            for _ in range(number):
                await asyncio.sleep(0)
            await notes.set(str(number), {})
            if waiting.cancel():
                with pytest.raises(asyncio.CancelledError):
                    await waiting
                waiting = asyncio.create_task(anext(stream))
            assert (await waiting).entity_id == str(number)


async def test_a_record_that_leaves_what_is_read_comes_as_a_delete_with_left(app: App) -> None:
    tasks = app.collection("tasks")
    await tasks.set("0", {"team": "blue"})
    await tasks.set("1", {"team": "red", "secret": "s"})
    mine = app.collection("tasks", who=ADA).changes(since=0)
    async with mine, tasks.changes(since=0) as everything:
        assert await take(mine, 1) == [("create", "1", {"team": "red"})]
        assert (await take(everything, 2))[1] == ("create", "1", {"team": "red", "secret": "s"})
        await tasks.patch("1", {"team": "blue"})
        await tasks.patch("0", {"team": "red"})
        await tasks.delete("0")
        assert await take(mine, 2) == [("delete (left)", "1", None), ("delete", "0", None)]
        assert mine.position is not None
        assert mine.position.scope is not None
    # What had gone before a first load is nothing to it.
    async with app.collection("tasks", who=ADA).changes(since=0) as anew:
        await tasks.set("2", {"team": "red"})
        assert await take(anew, 1) == [("create", "2", {"team": "red"})]


async def test_a_position_of_another_scope_or_store_is_a_reset(app: App) -> None:
    tasks = app.collection("tasks")
    await tasks.set("1", {"team": "red"})
    hers = app.collection("tasks", who=ADA).changes(since=0)
    await take(hers, 1)
    for position in (hers.position, Position("another", 1)):
        stream = app.collection("tasks", who=BOB).changes(since=position)
        with pytest.raises(Reset, match="'tasks' could not go on at version 1") as caught:
            await anext(stream)
        assert caught.value.position == position
    told: list[Reset] = []
    stream = tasks.changes(since=Position("another", 1), on_reset=told.append)
    assert await take(stream, 1) == [("create", "1", {"team": "red"})]
    assert len(told) == 1
    hers.stop()
    stream.stop()


async def scoped() -> tuple[App, dict[str, Any]]:
    app = App(store="memory://")
    app.entity("docs", partition=["project"])
    rights: dict[str, Any] = {"ada": {"project": "a"}}

    @app.scope("docs")
    async def readable(who: Grant) -> Any:
        return rights.get(who.subject)

    return app, rights


async def test_other_rights_are_a_reset_and_then_what_may_be_read_now() -> None:
    app, rights = await scoped()
    async with app.asgi():
        docs = app.collection("docs")
        await docs.set("1", {"project": "a"})
        await docs.set("2", {"project": "b"})
        told: list[Reset] = []
        mine = app.collection("docs", who=Grant("ada"))
        async with mine.changes(since=0, on_reset=told.append) as stream:
            assert await take(stream, 1) == [("create", "1", {"project": "a"})]
            waiting = asyncio.create_task(take(stream, 1))
            await eventually(lambda: app._running.services.hub.reads("docs"))
            rights["ada"] = {"project": "b"}
            await app.rescope("ada")
            assert await waiting == [("create", "2", {"project": "b"})]
            assert len(told) == 1
            rights["ada"] = None
            await app.rescope("ada")
            waiting = asyncio.create_task(take(stream, 1))
            await eventually(lambda: len(told) == 2)
            await docs.set("3", {"project": "b"})
            assert not waiting.done()
            rights["ada"] = True
            await app.rescope("ada")
            assert (await waiting)[0][1] == "1"


async def test_whoever_is_signed_out_or_has_no_time_left_is_told_so(app: App) -> None:
    mine = app.collection("notes", who=Grant("ada"))
    stream = mine.changes()
    waiting = asyncio.create_task(anext(stream))
    await eventually(lambda: app._running.services.hub.reads("notes"))
    app.disconnect("ada")
    with pytest.raises(RhtmxError, match="signed out") as caught:
        await waiting
    assert caught.value.code is ErrorCode.UNAUTHENTICATED
    services = app._running.services
    soon = Grant("ada", expires=services.clock() + 20_000)
    with pytest.raises(RhtmxError, match="expired"):
        await anext(app.collection("notes", who=soon).changes())
    assert not services.visits.present
    assert not app._life.readers


async def test_deletes_that_were_forgotten_meanwhile_are_a_reset(app: App) -> None:
    notes = app.collection("notes")
    store = app._running.services.store
    for each in "12":
        await notes.set(each, {})
    stream = notes.changes(since=0)
    await take(stream, 2)
    await notes.delete("1")
    await store.collect(history_before=2**60, tombstones_before=2**60)
    with pytest.raises(Reset):
        await anext(stream)
    assert await take(notes.changes(since=0), 1) == [("create", "2", {})]


async def test_it_ends_when_the_app_stops_and_goes_on_when_it_runs_again(app: App) -> None:
    stream = app.collection("notes").changes(since=0)
    seen: list[str] = []

    async def read() -> None:
        async for change in stream:
            seen.append(change.entity_id)

    reading = asyncio.create_task(read())
    await app.collection("notes").set("1", {})
    await eventually(lambda: seen == ["1"])
    await app.stop()
    await reading
    async with app.asgi():
        await app.collection("notes").set("2", {})
        assert await take(stream, 1) == [("create", "2", {})]


async def test_one_that_is_left_reads_no_longer(app: App) -> None:
    await app.collection("notes").set("1", {})
    async for _ in app.collection("notes").changes(since=0):
        break
    await eventually(lambda: not app._life.readers)
    assert not app._running.services.hub.reads("notes")
