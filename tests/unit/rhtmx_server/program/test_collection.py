"""Facts about `rhtmx_server.program.collection` and the reading below it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import rhtmx
from rhtmx_server import App, ErrorCode, Grant, RhtmxError
from rhtmx_server.access import claim, signed_in
from tests.unit.rhtmx_server.program.conftest import ADA, BOB


async def fill(app: App) -> None:
    tasks = app.collection("tasks")
    await tasks.set("1", {"team": "red", "n": 1})
    await tasks.set("2", {"team": "blue", "n": 1, "secret": "s"})
    await tasks.set("3", {"team": "red", "n": 2})


async def ids(rows: Any) -> list[str]:
    return [row.id for row in await rows]


async def test_what_is_written_is_read_with_its_version(app: App) -> None:
    notes = app.collection("notes")
    assert await notes.get("1") is None
    written = await notes.set("1", {"text": "a", "n": 1})
    await notes.patch("1", {"n": rhtmx.Increment(2)}, delete=["text"])
    row = await notes.get("1")
    assert row is not None
    assert (row.id, row.data, row.version) == ("1", {"n": 3}, written.version + 1)
    assert row.written_at.tzinfo is not None
    await notes.delete("1")
    assert await notes.get("1") is None
    assert await notes.all() == []


async def test_a_write_that_builds_on_an_older_version_is_a_conflict(app: App) -> None:
    notes = app.collection("notes")
    await notes.set("1", {"n": 1}, base_version=0)
    for write in (
        notes.set("1", {"n": 2}, base_version=0),
        notes.delete("1", base_version=7),
        notes.patch("1", {"n": 2}, if_unchanged=True),
    ):
        with pytest.raises(RhtmxError) as caught:
            await write
        assert caught.value.code is ErrorCode.CONFLICT


async def test_many_records_are_read_in_pages_and_come_by_id(app: App) -> None:
    for each in range(0, 300, 100):
        async with app.transaction() as together:
            for number in range(each, each + 100):
                together.set("notes", f"{number:03}", {"n": number})
    await app.collection("notes").delete("007")
    rows = await app.collection("notes").all()
    assert [row.id for row in rows] == [f"{each:03}" for each in range(300) if each != 7]
    assert await ids(app.collection("notes").where({"n": [3, 299, 7]})) == ["003", "299"]


async def test_a_long_read_leaves_the_loop_to_others_after_each_page(app: App) -> None:
    async with app.transaction() as together:
        for number in range(400):
            together.set("notes", str(number), {})
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    running = asyncio.create_task(others())
    assert len(await app.collection("notes").all()) == 400
    assert turns > 3
    before = turns
    async for change in app.collection("notes").changes(since=0):
        if change.entity_id == "399":
            break
    assert turns > before + 3
    running.cancel()


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"team": "red"}, ["1", "3"]),
        ({"team": ["red", "blue"], "n": 1}, ["1", "2"]),
        ({"n": 1.0}, ["1", "2"]),
        ({"n": "1"}, []),
        ({}, ["1", "2", "3"]),
        (lambda row: row.data["n"] > 1, ["3"]),
    ],
)
async def test_a_condition_is_equality_one_of_several_or_a_function(
    app: App, condition: Any, found: list[str]
) -> None:
    await fill(app)
    assert await ids(app.collection("tasks").where(condition)) == found
    mine = [each for each in found if each != "2"]
    assert await ids(app.collection("tasks", who=ADA).where(condition)) == mine


async def test_where_rights_are_by_another_field_all_that_may_be_read_is_looked_at() -> None:
    app = App(store="memory://")
    team = claim("team")
    app.entity("tasks", partition=[["team"], ["n"]]).access(read=team, write=team)
    async with app.asgi():
        await fill(app)
        with pytest.raises(RhtmxError, match="this reader's part"):
            await app.collection("tasks", who=ADA, where={"n": 1}).all()
        assert await ids(app.collection("tasks", who=ADA).where({"n": 1})) == ["1"]
        assert await ids(app.collection("tasks").where({"n": [1, 2], "team": "red"})) == ["1", "3"]
        part = app.collection("tasks", where={"team": "red"})
        assert await ids(part.where({"n": 2})) == ["3"]
        assert await ids(part.where({"team": "blue"})) == []


async def test_a_part_has_what_is_in_it(app: App) -> None:
    await fill(app)
    red = app.collection("tasks", where={"team": "red"})
    assert await ids(red.all()) == ["1", "3"]
    assert await red.get("2") is None
    with pytest.raises(RhtmxError, match="not divided") as caught:
        await app.collection("notes", where={"n": 1}).all()
    assert caught.value.code is ErrorCode.NOT_SUPPORTED


async def test_somebody_reads_what_they_may_and_the_rest_is_not_there(app: App) -> None:
    await fill(app)
    mine = app.collection("tasks", who=ADA)
    assert await ids(mine.all()) == ["1", "3"]
    assert await mine.get("2") is None
    for call in (mine.history("2"), mine.blame("2")):
        with pytest.raises(RhtmxError) as caught:
            await call
        assert caught.value.code is ErrorCode.NOT_FOUND
    assert len(await mine.history("1")) == 1
    assert await ids(app.collection("tasks", who=BOB, where={"team": "red"}).all()) == []


async def test_somebody_writes_what_they_may(app: App) -> None:
    await fill(app)
    mine = app.collection("tasks", who=ADA)
    await mine.patch("1", {"n": rhtmx.Increment(5)})
    await mine.set("4", {"team": "red"})
    for write, code in (
        (mine.set("5", {"team": "blue"}), ErrorCode.FORBIDDEN),
        (mine.patch("2", {"n": 7}), ErrorCode.FORBIDDEN),
        (mine.patch("1", {"team": "blue"}), ErrorCode.FORBIDDEN),
        (mine.delete("1"), ErrorCode.FORBIDDEN),
        (mine.patch("1", {"secret": "x"}), ErrorCode.INVALID),
    ):
        with pytest.raises(RhtmxError) as caught:
            await write
        assert caught.value.code is code
    both = app.transaction(who=ADA)
    both.set("tasks", "6", {"team": "red"})
    both.set("tasks", "7", {"team": "blue"})
    with pytest.raises(RhtmxError) as caught:
        await both.__aexit__(None, None, None)
    assert caught.value.code is ErrorCode.FORBIDDEN
    rows = await app.collection("tasks").all()
    assert [(row.id, row.data.get("n")) for row in rows] == [
        ("1", 6),
        ("2", 1),
        ("3", 2),
        ("4", None),
    ]


async def test_only_the_program_itself_sees_hidden_fields_in_every_way_of_reading(app: App) -> None:
    await fill(app)
    everything = app.collection("tasks")
    row = await everything.get("2")
    (one,) = await everything.where({"secret": "s"})
    assert row == one
    assert one.data["secret"] == "s"
    assert [row.data.get("secret") for row in await everything.all()] == [None, "s", None]
    hers = app.collection("tasks", who=BOB)
    assert [row.data for row in await hers.all()] == [{"team": "blue", "n": 1}]
    assert await hers.where({"secret": "s"}) == []
    row = await hers.get("2")
    assert row is not None
    assert "secret" not in row.data


async def test_a_function_of_the_program_says_what_somebody_reads_and_is_asked() -> None:
    app = App(store="memory://")
    app.entity("docs", partition=["project"]).access(write=signed_in)
    rights = {"ada": {"project": ["a"]}}

    @app.scope("docs")
    async def readable(who: Grant) -> Any:
        return rights.get(who.subject)

    async with app.asgi():
        docs = app.collection("docs")
        await docs.set("1", {"project": "a"})
        await docs.set("2", {"project": "b"})
        mine = app.collection("docs", who=Grant("ada"))
        assert await ids(mine.all()) == ["1"]
        await mine.patch("1", {"n": 1})
        with pytest.raises(RhtmxError):
            await mine.patch("2", {"n": 1})
        rights["ada"] = {"project": ["b"]}
        assert await ids(mine.all()) == ["2"]
        assert await app.collection("docs", who=Grant("bob")).all() == []


class Interrupting:
    """A store that lets something happen between two pages."""

    def __init__(self, store: Any, between: Any) -> None:
        self._store = store
        self._between = between

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def since_in(self, *args: Any, **settings: Any) -> Any:
        page = await self._store.since_in(*args, **settings)
        await self._between()
        return page


async def test_whoever_is_signed_out_while_something_is_read_gets_nothing(app: App) -> None:
    await fill(app)
    services = app._running.services

    async def between() -> None:
        app.disconnect("ada")

    services.store = Interrupting(services.store, between)
    with pytest.raises(RhtmxError, match="signed out") as caught:
        await app.collection("tasks", who=ADA).all()
    assert caught.value.code is ErrorCode.UNAUTHENTICATED
    assert not services.visits.present


async def test_an_entity_without_fields_is_written_as_a_whole(app: App) -> None:
    prices = app.collection("prices")
    await prices.set("tea", {"cents": 250})
    for call in (prices.patch("tea", {"cents": 1}), prices.blame("tea")):
        with pytest.raises(RhtmxError) as caught:
            await call
        assert caught.value.code is ErrorCode.NOT_SUPPORTED
    row = await prices.get("tea")
    assert row is not None
    assert row.data == {"cents": 250}


async def test_what_is_wrong_is_said_in_one_sentence_that_says_what_to_do(app: App) -> None:
    with pytest.raises(RhtmxError, match="no entity 'taks' is declared: did you mean 'tasks'") as e:
        await app.collection("taks").all()
    assert e.value.code is ErrorCode.UNKNOWN_ENTITY
    number: Any = 7
    with pytest.raises(RhtmxError, match=r"the id of a record is a str, got 7 \(int\): pass str"):
        await app.collection("tasks").get(number)
    with pytest.raises(RhtmxError, match="cannot be written as JSON"):
        await app.collection("tasks").set("1", {"team": object()})
    with pytest.raises(TypeError, match=r"name of an entity expected, .* app\.of"):
        app.collection(number)
    with pytest.raises(TypeError, match="fields and values, or a function, expected, got 7"):
        await app.collection("tasks").where(number)
    with pytest.raises(RhtmxError, match="a version alone does not say of which log"):
        app.collection("tasks").changes(since=7)
    with pytest.raises(RhtmxError, match="fields and their values expected"):
        app.collection("tasks", where=number)


async def test_before_and_after_the_app_runs_a_collection_says_so() -> None:
    app = App(store="memory://")
    notes = app.collection("notes")
    for _ in range(2):
        for call in (notes.get("1"), notes.all(), notes.set("1", {}), anext(notes.changes())):
            with pytest.raises(RhtmxError, match="the app is not running") as caught:
                await call
            assert caught.value.code is ErrorCode.SHUTTING_DOWN
        async with app.asgi():
            await notes.set("1", {})
