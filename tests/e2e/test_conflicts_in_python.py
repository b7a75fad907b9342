"""Open conflicts, history and undo, from the Python client and from the terminal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import rhtmx
from rhtmx_server import App, Config, Grant
from rhtmx_server.access import anyone
from tests.support.process import serving
from tests.support.sockets import PATIENCE
from tests.support.terminal import Terminal

Task = rhtmx.Collection[Any]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rhtmx.core.backoff._LONGEST", 0.05)  # or the waits make a minute


@pytest.fixture
async def ada(app: App) -> AsyncIterator[rhtmx.Client]:
    """A client."""
    async with rhtmx.connect(app.url) as client:
        yield client


@pytest.fixture
async def bob(app: App) -> AsyncIterator[rhtmx.Client]:
    """Another one."""
    async with rhtmx.connect(app.url) as client:
        yield client


async def dispute(
    ada: rhtmx.Client, bob: rhtmx.Client, hers: Any = "Hers", his: Any = "His"
) -> None:
    """Both write the title of task 1, and he, who is later, has not seen hers: his stands."""
    tasks = bob.collection("tasks")
    await ada.push("tasks", "1", {"title": "Ours", "done": False})
    await tasks.synced()
    bob.offline()
    await ada.push_fields("tasks", "1", {"title": hers})
    writing = tasks.patch("1", {"title": his})
    bob.online()
    await writing
    tasks.close()


async def open_ones(client: rhtmx.Client, count: int = 1) -> tuple[rhtmx.OpenConflict, ...]:
    """The open conflicts of tasks, as soon as there are so many."""
    async with asyncio.timeout(PATIENCE):
        async for conflicts in client.collection("tasks").conflicts():
            if len(conflicts) == count:
                return conflicts
    raise AssertionError("it has ended")


async def title(app: App) -> Any:
    return (await app.changes.get("tasks", "1")).data["title"]  # type: ignore[union-attr]


# Conflicts.


async def test_a_conflict_is_open_for_both_with_what_each_wrote(
    ada: rhtmx.Client, bob: rhtmx.Client
) -> None:
    await dispute(ada, bob)
    for client in (ada, bob):
        (conflict,) = await open_ones(client)
        assert (conflict.entity, conflict.entity_id, conflict.field) == ("tasks", "1", "title")
        assert (conflict.number, conflict.key) == (1, None)
        assert (conflict.base_version, conflict.version) == (1, 3)
        assert (conflict.winner, conflict.strategy) == ("client", "last_write_wins")
        assert (conflict.lost.value, conflict.lost.client_id) == ("Hers", ada.client_id)
        assert (conflict.standing.value, conflict.standing.client_id) == ("His", bob.client_id)
        assert conflict.lost.at is not None
        assert conflict.standing.at is not None
        assert conflict.lost.at < conflict.standing.at
        mine = "Hers" if client is ada else "His"
        assert (conflict.mine, {conflict.mine, conflict.theirs}) == (mine, {"Hers", "His"})


async def test_an_answer_is_written_and_gone_for_everybody(
    app: App, ada: rhtmx.Client, bob: rhtmx.Client
) -> None:
    await dispute(ada, bob)
    (conflict,) = await open_ones(ada)
    result = await conflict.keep_lost()
    assert isinstance(result, rhtmx.FieldPushResult)
    assert (result.entity, result.version) == ("tasks", 4)
    assert await title(app) == "Hers"
    assert await open_ones(bob, 0) == ()


@pytest.mark.parametrize(("value", "then"), [("Both", "Both"), (None, None)])
async def test_a_third_value_is_written(
    app: App, ada: rhtmx.Client, bob: rhtmx.Client, value: Any, then: Any
) -> None:
    await dispute(ada, bob)
    (conflict,) = await open_ones(ada)
    await conflict.merge(value)
    assert await title(app) == then
    assert await open_ones(bob, 0) == ()


async def test_what_stands_may_stay_and_nothing_is_written(
    app: App, ada: rhtmx.Client, bob: rhtmx.Client
) -> None:
    await dispute(ada, bob)
    (conflict,) = await open_ones(ada)
    assert await conflict.keep_standing() is None
    record = await app.changes.get("tasks", "1")
    assert record is not None
    assert (record.data["title"], record.version) == ("His", 3)
    assert await open_ones(bob, 0) == ()


async def test_an_answer_to_a_conflict_of_this_session_answers_it_for_everybody(
    ada: rhtmx.Client, bob: rhtmx.Client
) -> None:
    await dispute(ada, bob)
    await open_ones(ada)
    async for conflict in bob.conflicts():
        assert conflict.number == 1
        await conflict.take_theirs()
        break
    assert await open_ones(ada, 0) == ()


async def test_two_who_answer_at_once_are_told_who_was_first(
    app: App, ada: rhtmx.Client, bob: rhtmx.Client
) -> None:
    await dispute(ada, bob)
    (hers,), (his,) = await open_ones(ada), await open_ones(bob)
    ada.offline()
    bob.offline()
    answers = [asyncio.create_task(hers.merge("A")), asyncio.create_task(his.merge("B"))]
    await asyncio.sleep(0)
    ada.online()
    bob.online()
    async with asyncio.timeout(PATIENCE):
        done = await asyncio.gather(*answers, return_exceptions=True)
    (late,) = [each for each in done if isinstance(each, rhtmx.RhtmxError)]
    assert late.code is rhtmx.ErrorCode.CONFLICT
    assert "it has been answered" in str(late)
    kept = [
        write.data for client in (ada, bob) for each in client.rejected for write in each.writes
    ]
    texts = ["A", "B"]
    stands = await title(app)
    assert {"title": texts[texts.index(stands) - 1]} in kept
    assert await open_ones(ada, 0) == await open_ones(bob, 0) == ()


async def test_it_is_no_error_to_leave_standing_what_somebody_else_has_answered(
    app: App, ada: rhtmx.Client, bob: rhtmx.Client
) -> None:
    await dispute(ada, bob)
    (conflict,) = await open_ones(bob)
    (hers,) = await open_ones(ada)
    await hers.keep_lost()
    assert await conflict.keep_standing() is None
    assert bob.rejected == ()
    assert await title(app) == "Hers"


@pytest.mark.parametrize("deletes", [False, True])
async def test_null_is_told_from_a_deletion(
    ada: rhtmx.Client, bob: rhtmx.Client, deletes: bool
) -> None:
    tasks = bob.collection("tasks")
    await ada.push("tasks", "1", {"title": "Ours"})
    await tasks.synced()
    bob.offline()
    if deletes:
        await ada.push_fields("tasks", "1", {}, delete=["title"])
    else:
        await ada.push_fields("tasks", "1", {"title": None})
    writing = tasks.patch("1", {"title": "His"})
    bob.online()
    result = await writing
    (told,) = result.conflicts
    assert (told.server_value, told.server_deleted) == (None, deletes)
    (logged,) = await open_ones(ada)
    async for conflict in bob.conflicts():
        for each in (conflict, logged):
            assert (each.stored.value, each.stored.deleted) == (None, deletes)
        await conflict.take_theirs()
        break
    await tasks.synced()
    record = tasks.get("1")
    assert (None if record is None else record.data) == ({} if deletes else {"title": None})


async def test_a_conflict_and_its_answer_outlive_client_and_server(tmp_path: Path) -> None:
    file = tmp_path / "bob.db"
    async with asyncio.timeout(PATIENCE):
        async with serving(folder=tmp_path) as first:
            port = int(first.url.split(":")[2].split("/")[0])
            async with (
                rhtmx.connect(first.url) as ada,
                rhtmx.connect(first.url, store=file) as bob,
            ):
                await dispute(ada, bob)
                (before,) = await open_ones(bob)
                await bob.saved()
            await first.kill()

        async with rhtmx.connect(first.url, store=file) as bob:  # there is no server
            (conflict,) = await open_ones(bob)
            assert (conflict.number, conflict.sides) == (before.number, before.sides)
            answer = asyncio.create_task(conflict.keep_lost())
            assert await open_ones(bob, 0) == ()
            await bob.saved()
            answer.cancel()
        async with rhtmx.connect(first.url, store=file) as bob:  # nor is there now
            assert await open_ones(bob, 0) == ()

        async with (
            serving(folder=tmp_path, port=port) as second,
            rhtmx.connect(second.url) as ada,
        ):
            assert len(await open_ones(ada)) == 1
            async with rhtmx.connect(second.url, store=file) as bob:
                async for queue in bob.queues():
                    if not queue:
                        break
            assert await open_ones(ada, 0) == ()
            (record,) = await ada.sync("tasks")
            assert record.data == {"title": "Hers", "done": False}


async def test_an_answer_does_not_reach_another_conflict_of_a_store_that_begins_anew() -> None:
    async with asyncio.timeout(PATIENCE), App(store="memory://", config=Config(port=0)) as first:
        port = int(first.url.split(":")[2].split("/")[0])
        async with rhtmx.connect(first.url) as ada, rhtmx.connect(first.url) as bob:
            await dispute(ada, bob)
            (old,) = await open_ones(bob)
            await first.stop()
            async with App(store="memory://", config=Config(port=port)):
                await dispute(ada, bob, "Hers again", "His again")
                (new,) = await open_ones(ada)
                assert new.number == old.number
                assert await old.keep_standing() is None
                assert [each.sides for each in await open_ones(ada)] == [new.sides]
                with pytest.raises(rhtmx.RhtmxError, match="is not open any more"):
                    await old.keep_lost()
                assert await new.keep_standing() is None


async def test_of_a_key_only_the_key_is_answered(
    app: App, ada: rhtmx.Client, bob: rhtmx.Client
) -> None:
    tasks = bob.collection("tasks")
    await ada.push("tasks", "1", {"labels": {"a": 0, "b": 0}})
    await tasks.synced()
    bob.offline()
    await ada.push_fields("tasks", "1", {"labels": rhtmx.SetKey({"a": 1})})
    writing = tasks.patch("1", {"labels": rhtmx.SetKey({"a": 2})})
    bob.online()
    await writing
    await ada.push_fields("tasks", "1", {"labels": rhtmx.SetKey({"b": 3})})
    (conflict,) = await open_ones(ada)
    assert (conflict.field, conflict.key) == ("labels", "a")
    assert (conflict.lost.value, conflict.standing.value) == (1, 2)
    await conflict.keep_lost()
    record = await app.changes.get("tasks", "1")
    assert record is not None
    assert record.data == {"labels": {"a": 1, "b": 3}}


async def test_an_operation_that_lost_against_a_deletion_is_applied_to_what_is_there(
    app: App, ada: rhtmx.Client, bob: rhtmx.Client
) -> None:
    tasks = bob.collection("tasks")
    await ada.push("tasks", "1", {"votes": 1})
    await tasks.synced()
    bob.offline()
    writing = tasks.patch("1", {"votes": rhtmx.Increment(2)})
    await ada.push_fields("tasks", "1", {}, delete=["votes"])
    bob.online()
    await writing
    (conflict,) = await open_ones(ada)
    assert (conflict.stored.deleted, conflict.pushed.value) == (True, rhtmx.Increment(2))
    assert conflict.pushed.operation == "increment"
    await app.fields.push("tasks", "1", {"votes": 10})
    await conflict.keep_lost()
    assert await open_ones(bob, 0) == ()
    record = await app.changes.get("tasks", "1")
    assert record is not None
    assert record.data == {"votes": 12}


async def test_the_view_ends_with_its_collection(ada: rhtmx.Client) -> None:
    tasks = ada.collection("tasks")
    conflicts = tasks.conflicts()
    assert await anext(conflicts) == ()
    ended = asyncio.ensure_future(anext(conflicts, None))
    await asyncio.sleep(0)
    tasks.close()
    assert await ended is None


async def test_a_part_has_the_conflicts_of_its_records() -> None:
    app = App(store="memory://", config=Config(port=0), authenticate=lambda request: Grant("ada"))
    app.entity("tasks", partition=["team"]).access(all=anyone)
    async with (
        asyncio.timeout(PATIENCE),
        app,
        rhtmx.connect(app.url) as ada,
        rhtmx.connect(app.url) as bob,
    ):
        await ada.push("tasks", "1", {"team": "red"})
        await ada.push("tasks", "2", {"team": "blue"})
        tasks = bob.collection("tasks")
        await tasks.synced()
        bob.offline()
        for entity_id in ("1", "2"):
            await ada.push_fields("tasks", entity_id, {"title": "Hers"})
        writings = [tasks.patch(entity_id, {"title": "His"}) for entity_id in ("1", "2")]
        bob.online()
        await asyncio.gather(*writings)
        red = ada.collection("tasks", where={"team": "red"})
        seen: list[list[str]] = []
        async for conflicts in red.conflicts():
            seen.append([each.entity_id for each in conflicts])
            if len(conflicts) == 1:
                await ada.push_fields("tasks", "2", {"team": "red"})  # its conflict comes along
            if len(conflicts) == 2:
                break
        assert [each for each in seen if each] == [["1"], ["1", "2"]]


# What became of a record.


async def test_history_blame_and_a_record_as_it_was(ada: rhtmx.Client, bob: rhtmx.Client) -> None:
    tasks = ada.collection("tasks")
    await tasks.set("1", {"title": "Ours", "done": False})
    await bob.push_fields("tasks", "1", {"done": True}, delete=["title"])
    await tasks.delete("1")
    await tasks.set("1", {"title": "Again"})
    history = await tasks.history("1")
    assert [(each.version, each.action, each.data) for each in history] == [
        (4, "create", {"title": "Again"}),
        (3, "delete", None),
        (2, "update", {"done": True}),
        (1, "create", {"title": "Ours", "done": False}),
    ]
    assert (history.before, history.complete) == (None, True)
    assert set(history.commits[2].changed) == {"title", "done"}
    assert [each.client_id for each in history.commits[1:3]] == [ada.client_id, bob.client_id]

    newest = await tasks.history("1", limit=1)
    assert (len(newest), newest.before, newest.complete) == (1, 4, False)
    older = await tasks.history("1", before=newest.before, limit=2)
    assert [each.version for each in older] == [3, 2]

    for commit, data in zip(history, ({"title": "Again"}, None, {"done": True}), strict=False):
        then = await tasks.as_of("1", commit.created_at)
        assert (None if then is None else then.data) == data
    assert await tasks.as_of("1", history.commits[-1].created_at - timedelta(hours=1)) is None
    with pytest.raises(rhtmx.RhtmxError, match="no record tasks/2") as unknown:
        await tasks.as_of("2", history.commits[0].created_at)
    assert unknown.value.code is rhtmx.ErrorCode.NOT_FOUND

    await bob.push_fields("tasks", "1", {"done": True})
    authors = await tasks.blame("1")
    told = {name: (each.version, each.client_id) for name, each in authors.items()}
    assert told == {"title": (4, ada.client_id), "done": (5, bob.client_id)}


async def test_undo_sets_back_what_a_commit_changed_and_leaves_what_others_wrote(
    app: App, ada: rhtmx.Client, bob: rhtmx.Client
) -> None:
    tasks = ada.collection("tasks")
    await tasks.set("1", {"title": "Ours", "note": 1.10, "done": False})
    hers = await tasks.patch("1", {"title": "Hers", "by": "ada"}, delete=["note"])
    await bob.push_fields("tasks", "1", {"done": True})
    assert hers.version is not None
    result = await tasks.undo("1", hers.version)
    assert isinstance(result, rhtmx.FieldPushResult)
    record = await app.changes.get("tasks", "1")
    assert record is not None
    assert record.data == {"title": "Ours", "note": 1.10, "done": True}
    assert (await tasks.blame("1"))["title"].version == result.version


async def test_undo_of_what_was_written_since_writes_nothing(
    app: App, ada: rhtmx.Client, bob: rhtmx.Client
) -> None:
    tasks = ada.collection("tasks")
    await tasks.set("1", {"title": "Ours"})
    hers = await tasks.patch("1", {"title": "Hers", "by": "ada"})
    await bob.push_fields("tasks", "1", {"title": "His"})
    assert hers.version is not None
    with pytest.raises(rhtmx.RhtmxError, match="nothing was written") as refused:
        await tasks.undo("1", hers.version)
    assert refused.value.code is rhtmx.ErrorCode.CONFLICT
    record = await app.changes.get("tasks", "1")
    assert record is not None
    assert record.data == {"title": "His", "by": "ada"}


async def test_a_creation_and_a_deletion_are_undone_if_nothing_came_after(
    app: App, ada: rhtmx.Client, bob: rhtmx.Client
) -> None:
    tasks = ada.collection("tasks")
    await tasks.set("1", {"title": "Ours"})
    gone = await tasks.delete("1")
    back = await tasks.undo("1", gone.version)
    assert await title(app) == "Ours"
    with pytest.raises(rhtmx.RhtmxError) as refused:
        await tasks.undo("1", gone.version)
    assert refused.value.code is rhtmx.ErrorCode.CONFLICT
    assert back.version is not None
    await tasks.undo("1", back.version)
    assert await tasks.as_of("1", datetime.now(UTC)) is None
    with pytest.raises(rhtmx.RhtmxError, match="no commit of version 99") as unknown:
        await tasks.undo("1", 99)
    assert unknown.value.code is rhtmx.ErrorCode.NOT_FOUND


async def test_a_record_that_is_no_object_is_undone_as_a_whole(app: App, ada: rhtmx.Client) -> None:
    tasks = ada.collection("tasks")
    await tasks.set("1", [1])
    second = await tasks.set("1", [2])
    await tasks.undo("1", second.version)
    record = await app.changes.get("tasks", "1")
    assert record is not None
    assert record.data == [1]


async def test_fields_are_written_only_if_nobody_has_written_them_since(
    app: App, ada: rhtmx.Client, bob: rhtmx.Client
) -> None:
    tasks = ada.collection("tasks")
    await tasks.set("1", {"title": "Ours", "done": False})
    await tasks.synced()
    ada.offline()
    await bob.push_fields("tasks", "1", {"title": "His"})
    late = tasks.patch("1", {"title": "Hers"}, if_unchanged=True)
    other = tasks.patch("1", {"done": True}, if_unchanged=True)
    named = ada.push_fields("tasks", "1", {"by": "ada"}, if_unchanged=True)
    ada.online()
    with pytest.raises(rhtmx.RhtmxError, match="'title' of tasks/1 was written") as refused:
        await late
    assert refused.value.code is rhtmx.ErrorCode.CONFLICT
    await asyncio.gather(other, named)
    record = await app.changes.get("tasks", "1")
    assert record is not None
    assert record.data == {"title": "His", "done": True, "by": "ada"}


# In the terminal.


async def test_the_terminal_shows_what_became_of_a_record_and_takes_it_back(app: App) -> None:
    terminal = Terminal(app.url)
    await terminal.run("push", "tasks", "7", "title=Ours", "done:=false")
    await terminal.run("push", "tasks", "7", "--fields", "title=Hers")
    log = await terminal.run("log", "tasks", "7")
    assert (log.status, log.err) == (0, "")
    assert [line.split()[:2] for line in log.lines] == [["2", "update"], ["1", "create"]]
    assert log.lines[0].endswith('  {"title": "Hers"}')
    blame = await terminal.run("blame", "tasks", "7")
    assert {line.split()[0]: line.split()[2] for line in blame.lines} == {"title": "2", "done": "1"}
    undone = await terminal.run("undo", "tasks", "7", "2")
    assert (undone.status, undone.out) == (0, "✓ tasks/7  version 3\n")
    again = await terminal.run("undo", "tasks", "7", "2")
    assert again.status == 1
    assert "see what came after it with `rhtmx log tasks 7`" in again.err


async def test_the_terminal_follows_conflicts_and_answers_them_once(
    app: App, ada: rhtmx.Client, bob: rhtmx.Client
) -> None:
    terminal = Terminal(app.url)
    none = await terminal.run("conflicts", "tasks")
    assert (none.status, none.out, none.err) == (0, "", "no open conflicts\n")
    async with terminal.running("conflicts", "tasks", "--follow") as following:
        assert (await following.news()).startswith("following the conflicts of tasks on ")
        await dispute(ada, bob)
        told = await following.line()
        assert told.startswith('! tasks/1  conflict 1  title  "Hers" by ')
        assert told.endswith(" (last_write_wins)")
        (listed,) = (await terminal.run("conflicts", "tasks")).lines
        assert listed == told
        answered = await terminal.run("resolve", "tasks", "1", "1", '"Both"')
        assert (answered.status, answered.out) == (0, "✓ tasks/1  version 4\n")
        assert await following.line() == "✓ tasks/1  conflict 1  answered"
    assert await title(app) == "Both"
    again = await terminal.run("resolve", "tasks", "1", "1", "--lost")
    assert (again.status, again.out) == (1, "")
    assert "tasks/1 has no open conflict 1" in again.err


@pytest.mark.parametrize(("side", "then"), [("--lost", "Hers"), ("--standing", "His")])
async def test_the_terminal_writes_what_lost_or_leaves_what_stands(
    app: App, ada: rhtmx.Client, bob: rhtmx.Client, side: str, then: str
) -> None:
    await dispute(ada, bob)
    ended = await Terminal(app.url).run("resolve", "tasks", "1", "1", side)
    assert ended.status == 0
    assert await title(app) == then
    assert await open_ones(ada, 0) == ()
