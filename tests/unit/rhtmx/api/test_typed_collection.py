"""Facts about `rhtmx.api.typed_collection`, with a server."""

from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import rhtmx
from rhtmx import Add, ErrorCode, Increment, Invalid, RhtmxError, TypedCollection, Unreadable
from rhtmx_server import App, Config, Counter
from tests.support.sample_schema import loaded
from tests.support.waiting import eventually

S = loaded()
RED: dict[str, Any] = {"title": "Write it down", "team": "red"}


@pytest.fixture
async def app() -> AsyncIterator[App]:
    app = App(store="memory://", config=Config(port=0))
    app.entity("tasks", partition=["team"], merge={"cost": Counter(scale=2)})
    app.entity("reading", fields=False)
    async with app:
        yield app


@pytest.fixture
async def client(app: App) -> AsyncIterator[rhtmx.Client]:
    async with rhtmx.connect(app.url) as client:
        yield client


@pytest.fixture
def tasks(client: rhtmx.Client) -> TypedCollection[Any]:
    found: TypedCollection[Any] = client.of(S.Task)
    return found


def codes(error: Invalid) -> dict[str, str]:
    return {each.field: each.code for each in error.violations}


async def test_a_record_is_created_under_a_new_id(tasks: TypedCollection[Any]) -> None:
    await tasks.synced()
    result = await tasks.create(S.Task(**RED, due=datetime(2026, 1, 31, tzinfo=UTC)))
    assert uuid.UUID(result.entity_id).version == 7
    row = tasks.get(result.entity_id)
    assert row is not None
    assert (row.data.title, row.data.due) == ("Write it down", datetime(2026, 1, 31, tzinfo=UTC))
    raw = tasks.raw.get(result.entity_id)
    assert raw is not None
    assert "owner" not in raw.data
    assert raw.data["done"] is False


async def test_what_is_there_is_not_created_again(tasks: TypedCollection[Any]) -> None:
    await tasks.create(S.Task(**RED), "1")
    with pytest.raises(RhtmxError) as error:
        await tasks.create(S.Task(**RED), "1")
    assert error.value.code is ErrorCode.CONFLICT


async def test_what_breaks_a_rule_is_not_even_queued(
    tasks: TypedCollection[Any], client: rhtmx.Client
) -> None:
    client.offline()
    now = datetime(2026, 1, 31, tzinfo=UTC)
    with pytest.raises(Invalid) as error:
        tasks.create(S.Task(title="", team="red", votes=-1, due=now, start=now + timedelta(1)))
    assert codes(error.value) == {
        "title": "required",
        "votes": "int64.gte",
        "": "due_after_start",
    }
    with pytest.raises(Invalid):
        tasks.create(S.Task(**RED, url="https://a.b/", ticket="7"))
    with pytest.raises(TypeError, match="a Task expected"):
        tasks.create(S.Person())
    assert client.queue == ()


async def test_an_edit_writes_what_it_names(tasks: TypedCollection[Any], app: App) -> None:
    await tasks.synced()
    await tasks.create(S.Task(**RED, ticket="7", due=datetime(2026, 1, 31, tzinfo=UTC)), "1")
    writing = tasks.edit("1", votes=Increment(2), labels=Add("b", "a"), due=None, url="http://a/")
    row = tasks.get("1")
    assert row is not None
    assert row.pending
    assert (row.data.votes, row.data.labels, row.data.due) == (2, ["a", "b"], None)
    assert (row.data.url, row.data.ticket) == ("http://a/", None)
    await writing
    change = await app.changes.get("tasks", "1")
    assert change is not None
    assert not {"due", "ticket"} & set(change.data)


async def test_an_edit_is_judged_by_the_record_as_it_would_be(
    tasks: TypedCollection[Any], app: App
) -> None:
    await app.changes.push("tasks", "1", {"votes": 1, "start": "2026-01-31T00:00:00Z"})
    await tasks.synced()
    with pytest.raises(Invalid) as error:
        tasks.edit("1", votes=Increment(-2))
    assert codes(error.value) == {"votes": "int64.gte"}
    with pytest.raises(Invalid) as error:
        tasks.edit("1", due=datetime(2026, 1, 30, tzinfo=UTC))
    assert codes(error.value) == {"": "due_after_start"}
    with pytest.raises(Invalid) as error:
        tasks.edit("1", url="http://a/", ticket="7")
    assert codes(error.value) == {"source": "oneof"}
    # Nobody asks for the title that an old record lacks.
    await tasks.edit("1", done=True)


async def test_of_what_is_not_held_only_new_values_are_judged(
    tasks: TypedCollection[Any], client: rhtmx.Client
) -> None:
    with pytest.raises(Invalid):
        tasks.edit("1", title="")
    tasks.edit("1", votes=Increment(-2), title="x")
    tasks.edit("1", due=datetime(2026, 1, 30, tzinfo=UTC))
    assert len(client.queue) == 2


async def test_fields_are_named(tasks: TypedCollection[Any]) -> None:
    with pytest.raises(TypeError, match="by their names"):
        tasks.edit("1", "title")


async def test_a_record_is_the_same_object_as_long_as_it_is_the_same(
    tasks: TypedCollection[Any], app: App
) -> None:
    await app.changes.push("tasks", "1", RED)
    await app.changes.push("tasks", "2", RED)
    await tasks.synced()
    rows = tasks.all()
    assert tasks.all() is rows
    assert tasks.get("1") is rows[0]
    await app.changes.push("tasks", "2", {**RED, "done": True})
    await eventually(lambda: tasks.all() is not rows)
    assert tasks.all()[0] is rows[0]
    assert [row.id for row in tasks.where(lambda row: row.data.done)] == ["2"]


async def test_one_bad_record_takes_no_others_with_it(
    tasks: TypedCollection[Any], app: App, caplog: pytest.LogCaptureFixture
) -> None:
    await app.changes.push("tasks", "1", {**RED, "votes": "many"})
    await app.changes.push("tasks", "2", RED)
    with caplog.at_level(logging.WARNING, "rhtmx"):
        await tasks.synced()
        assert [row.id for row in tasks.all()] == ["2"]
        with pytest.raises(Unreadable, match=r"tasks/1: votes: a whole number expected"):
            tasks.get("1")
    assert [each.field for each in tasks.unreadable] == ["votes"]
    assert len([each for each in caplog.records if "tasks/1" in each.getMessage()]) == 1
    await tasks.edit("1", votes=3)
    row = tasks.get("1")
    assert row is not None
    assert row.data.votes == 3
    assert len(tasks.all()) == 2
    assert tasks.unreadable == ()


async def test_who_subscribes_is_given_typed_records(tasks: TypedCollection[Any], app: App) -> None:
    await tasks.synced()
    seen = []
    async for rows in tasks.subscribe(lambda row: not row.data.done):
        seen.append([row.data.title for row in rows])
        if len(seen) == 1:
            await app.changes.push("tasks", "1", {**RED, "done": True})
            await app.changes.push("tasks", "2", RED)
        else:
            break
    assert seen == [[], ["Write it down"]]


async def test_a_part_is_read_by_the_names_of_the_schema(client: rhtmx.Client, app: App) -> None:
    await app.changes.push("tasks", "1", RED)
    await app.changes.push("tasks", "2", {**RED, "team": "blue"})
    async with client.of(S.Task, where={"team": "red"}) as tasks:
        await tasks.synced()
        assert [row.id for row in tasks.all()] == ["1"]
    with pytest.raises(RhtmxError, match="no field 'teem'"):
        client.of(S.Task, where={"teem": "red"})
    with pytest.raises(TypeError, match="no entity"):
        client.of(S.Person)


async def test_records_of_some_entities_are_written_as_a_whole(
    client: rhtmx.Client, app: App
) -> None:
    readings: TypedCollection[Any] = client.of(S.Reading)
    with pytest.raises(RhtmxError, match="read it before") as error:
        readings.edit("1", degrees=3.0)
    assert error.value.code is ErrorCode.NOT_FOUND
    await readings.synced()
    await readings.create(S.Reading(degrees=1.5, station="x"), "1")
    await eventually(lambda: readings.get("1") is not None)
    result = await readings.edit("1", degrees=3.0)
    assert isinstance(result, rhtmx.PushResult)
    change = await app.changes.get("reading", "1")
    assert change is not None
    assert change.data == {"degrees": 3.0, "station": "x"}


async def test_own_writes_of_a_whole_record_do_not_conflict_with_each_other(
    client: rhtmx.Client, app: App
) -> None:
    readings: TypedCollection[Any] = client.of(S.Reading)
    client.offline()
    made = readings.create(S.Reading(station="x"), "1")
    edits = [readings.edit("1", degrees=1.0), readings.edit("1", station="y")]
    client.online()
    edits.append(readings.edit("1", degrees=2.0))
    assert (await made).version == 1
    assert [(await each).version for each in edits] == [2, 3, 4]
    # Nobody reads it here: what was answered is what the next edit builds on.
    assert (await client.of(S.Reading).edit("1", station="z")).version == 5
    change = await app.changes.get("reading", "1")
    assert change is not None
    assert change.data == {"degrees": 2.0, "station": "z"}


async def test_own_writes_that_are_read_do_not_conflict_with_each_other(
    client: rhtmx.Client, app: App
) -> None:
    await app.changes.push("reading", "1", {"degrees": 1.0, "station": "x"})
    readings: TypedCollection[Any] = client.of(S.Reading)
    await readings.synced()
    edits = [readings.edit("1", degrees=float(each)) for each in range(20)]
    assert [(await each).version for each in edits] == list(range(2, 22))
    result = await readings.edit("1", station="y")  # its change may not have come yet
    assert result.version == 22
    assert client.rejected == ()


async def test_what_builds_on_a_rejected_write_is_judged_by_what_that_was_based_on(
    client: rhtmx.Client, app: App
) -> None:
    await app.changes.push("reading", "1", {"degrees": 1.0, "station": "x"})
    readings: TypedCollection[Any] = client.of(S.Reading)
    await readings.synced()
    client.offline()
    lost = [readings.edit("1", degrees=2.0), readings.edit("1", station="y")]
    await app.changes.push("reading", "1", {"degrees": 5.0, "station": "x"})
    client.online()
    for each in lost:
        with pytest.raises(RhtmxError) as error:
            await each
        assert error.value.code is ErrorCode.CONFLICT
    await eventually(lambda: readings.all()[0].data.degrees == 5.0)
    await readings.edit("1", station="y")


async def test_what_somebody_else_has_written_since_is_not_overwritten(
    client: rhtmx.Client, app: App
) -> None:
    readings: TypedCollection[Any] = client.of(S.Reading)
    await readings.create(S.Reading(station="x"), "1")
    await app.changes.push("reading", "1", {"degrees": 5.0, "station": "x"})
    with pytest.raises(RhtmxError) as error:
        await readings.edit("1", station="y")
    assert error.value.code is ErrorCode.CONFLICT
    with pytest.raises(RhtmxError, match="read it before") as error:
        readings.edit("1", station="y")
    await readings.synced()
    assert (await readings.edit("1", station="y")).version == 3


async def test_what_builds_on_an_own_write_survives_the_program(app: App, tmp_path: Path) -> None:
    file = tmp_path / "app.db"
    async with rhtmx.connect(app.url, store=file) as client:
        client.offline()
        readings: TypedCollection[Any] = client.of(S.Reading)
        readings.create(S.Reading(station="x"), "1")
        readings.edit("1", degrees=1.0)
        await client.saved()
    async with rhtmx.connect(app.url, store=file) as client:
        readings = client.of(S.Reading)
        assert (await readings.edit("1", station="y")).version == 3
        assert client.rejected == ()
    change = await app.changes.get("reading", "1")
    assert change is not None
    assert change.data == {"degrees": 1.0, "station": "y"}


async def test_what_became_of_a_record_is_typed(tasks: TypedCollection[Any], app: App) -> None:
    await app.changes.push("tasks", "1", {**RED, "votes": "many"})
    await tasks.edit("1", votes=3)
    await tasks.delete("1")
    history = await tasks.history("1")
    assert [each.data and each.data.votes for each in history] == [None, 3, None]
    assert [each.action for each in history] == ["delete", "update", "create"]
    before = await tasks.as_of("1", history.commits[1].created_at)
    assert before is not None
    assert before.data.votes == 3
    with pytest.raises(Unreadable):
        await tasks.as_of("1", history.commits[2].created_at)
    assert await tasks.as_of("1", datetime(2020, 1, 1, tzinfo=UTC)) is None


async def test_the_rest_is_that_of_the_collection(tasks: TypedCollection[Any]) -> None:
    await tasks.create(S.Task(**RED), "1")
    result = await tasks.edit("1", title="Read it")
    assert "title" in await tasks.blame("1")
    await tasks.undo("1", result.version)
    async for conflicts in tasks.conflicts():
        assert conflicts == ()
        break
    tasks.close()
    with pytest.raises(RhtmxError, match="closed"):
        tasks.all()


async def test_decimals_that_nobody_said_are_counted_from_nothing(
    tasks: TypedCollection[Any],
) -> None:
    await tasks.synced()
    await tasks.create(S.Task(**RED), "1")
    await tasks.edit("1", cost=Increment("1.50"), foreign_id=Increment(2**60))
    row = tasks.get("1")
    assert row is not None
    assert (row.data.cost, row.data.foreign_id) == ("1.50", 2**60)
