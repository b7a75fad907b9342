"""Programs of one version of a schema, and servers of another, from the outside."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import rhtmx
from rhtmx.cli.main import main
from rhtmx_server import App, Config, Edit
from tests.docs.node import RUN, require_node
from tests.support import schema_versions
from tests.support.generated import schema_package, versions_of
from tests.support.grpcio_client import backend, generated
from tests.support.process import ran
from tests.support.schema_model import first_in_typescript, packages
from tests.support.schema_versions import CONTROLS, app_of
from tests.support.sockets import raw

SEED = 2026


@asynccontextmanager
async def serving(folder: Path, version: int, oldest: int = 0) -> AsyncIterator[App]:
    """A server of a version, on the one store of a test."""
    async with app_of(version, oldest, folder / "server.db", "") as app:
        yield app


async def settled(client: rhtmx.Client) -> None:
    """Everything that waited is answered."""
    async for queue in client.queues():
        if not queue:
            return


async def there(app: App, entity_id: str = "1") -> Any:
    """A record, as the server has it."""
    found = await app.changes.get("tasks", entity_id)
    return None if found is None else found.data


@pytest.mark.parametrize("control", CONTROLS)
async def test_no_write_no_key_and_no_word_is_lost_between_three_versions(control: str) -> None:
    found = await schema_versions.campaign(4, SEED, control)
    assert found.counts["runs"] == 36
    assert bool(found.faults) is bool(control), found.faults[:3]


async def test_both_sides_say_which_schema_they_have(tmp_path: Path) -> None:
    async with (
        serving(tmp_path, 3, oldest=2) as app,
        rhtmx.connect(app.url, schema=packages()[2].schema) as client,
        rhtmx.connect(app.url) as other,
    ):
        for each in (client, other):
            said = each.server_schema
            assert said is not None
            assert (said.version, said.oldest) == (3, 2)
            assert said.hash == packages()[3].schema.hash
    plain = App(store="memory://", config=Config(port=0))
    async with plain, rhtmx.connect(plain.url) as client:
        assert client.server_schema is None


async def test_a_write_keeps_the_version_under_which_it_was_made(tmp_path: Path) -> None:
    old = packages()[1]
    store = tmp_path / "client.db"
    async with serving(tmp_path, 1) as app, rhtmx.connect(app.url, store=store) as client:
        client.offline()
        tasks = client.of(old.Task)
        kept = [tasks.create(old.Task(title="Write", minutes=5), "1")]
        kept += [tasks.delete("2")]
        edited = tasks.edit("1", title="Read", labels=rhtmx.Add("a"))
        await client.saved()
        assert len(client.queue) == len([*kept, edited])
    assert kept_versions(store) == [1, 1, 1]
    schema = packages()[3].schema
    async with (
        serving(tmp_path, 3) as app,
        rhtmx.connect(app.url, store=store, schema=schema) as client,
    ):
        await settled(client)
        assert client.rejected == ()
        task = await there(app)
        assert (task["name"], task["minutes"], task["labels"]) == ("Read", "300s", ["a"])
        assert "title" not in task


def kept_versions(store: Path) -> list[int | None]:
    """Under which version each write in the store of a client was made."""
    with sqlite3.connect(store) as db:
        rows = db.execute("SELECT message FROM queue ORDER BY seq").fetchall()
    return [json.loads(each).get("schema_version") for (each,) in rows]


async def test_a_client_that_was_given_a_schema_says_so_of_all_that_it_writes(
    tmp_path: Path,
) -> None:
    store = tmp_path / "client.db"
    async with serving(tmp_path, 2) as app:
        async with rhtmx.connect(app.url, store=store, schema=packages()[2].schema) as client:
            client.offline()
            kept = [client.push("tasks", "1", {"headline": "a"})]
            kept += [client.collection("tasks").set("2", {"headline": "b"})]
            with client.transaction() as both:
                both.patch("tasks", "1", {"headline": "c"})
                both.delete("tasks", "2")
            await client.saved()
        assert kept_versions(store) == [2, 2, 2]
        async with rhtmx.connect(app.url, store=tmp_path / "other.db") as client:
            client.offline()
            kept += [client.push("tasks", "3", {"headline": "a"})]
            await client.saved()
        assert kept_versions(tmp_path / "other.db") == [None]


async def test_what_is_sent_again_to_a_later_server_is_the_same_write(tmp_path: Path) -> None:
    old = packages()[1]
    store, copy = tmp_path / "client.db", tmp_path / "copy.db"
    async with serving(tmp_path, 1) as app:
        async with rhtmx.connect(app.url, store=store) as client:
            tasks = client.of(old.Task)
            await tasks.synced()
            client.offline()
            kept = [tasks.create(old.Task(title="Write", votes=1), "1")]
            kept += [tasks.edit("1", title="Read", votes=rhtmx.Increment(1))]
            with client.transaction() as both:
                both.patch("tasks", "1", {"votes": rhtmx.Increment(1)})
                both.set("tasks", "2", {"title": "Two"})
            await client.saved()
        shutil.copy(store, copy)  # the answers to what is sent from here on get lost
        async with rhtmx.connect(app.url, store=store) as client:
            await settled(client)
        before = await there(app)
        assert (before["title"], before["votes"]) == ("Read", 3)
    async with serving(tmp_path, 3, oldest=2) as app:
        async with rhtmx.connect(app.url, store=copy) as client:
            assert len(client.queue) == 3
            await settled(client)
            assert client.rejected == ()
        assert await there(app) == before
        assert len(await app.history("tasks")) == 4


async def test_what_is_too_old_is_kept_and_can_be_written_anew(tmp_path: Path) -> None:
    old = packages()[1]
    store = tmp_path / "client.db"
    async with serving(tmp_path, 1) as app, rhtmx.connect(app.url, store=store) as client:
        client.offline()
        kept: list[object] = [client.of(old.Task).create(old.Task(title="Write"), "1")]
        with client.transaction() as both:
            both.patch("tasks", "1", {"title": "Read"})
        await client.saved()
        assert len(client.queue) == len([*kept, both])
    async with serving(tmp_path, 3, oldest=2) as app:
        async with rhtmx.connect(app.url, store=store) as client:
            await settled(client)
            (rejected,) = client.rejected  # the transaction was of no version
            assert rejected.error.code is rhtmx.ErrorCode.UPGRADE_REQUIRED
            assert "takes none before 2" in str(rejected.error)
            assert rejected.data["title"] == "Write"
            assert not rejected.error.retryable
            new = packages()[3]
            await client.of(new.Task).create(new.Task(name=rejected.data["title"]), "2")
            rejected.discard()
        assert (await there(app, "2"))["name"] == "Write"


async def test_an_operation_that_a_function_refuses_is_kept(tmp_path: Path) -> None:
    async with serving(tmp_path, 3) as app:
        async with rhtmx.connect(app.url, schema=packages()[2].schema) as client:
            with pytest.raises(rhtmx.RhtmxError, match="cannot be counted") as caught:
                await client.of(packages()[2].Task).edit("1", minutes=rhtmx.Increment(1))
            assert caught.value.code is rhtmx.ErrorCode.UPGRADE_REQUIRED
            with client.transaction() as both:
                both.set("tasks", "1", {"headline": "a"})
                both.patch("tasks", "2", {"minutes": rhtmx.Increment(1)})
            with pytest.raises(rhtmx.RhtmxError, match=r"writes\[1\] .*cannot be counted"):
                await both.writing
        assert await there(app) is None


async def test_a_write_of_a_version_that_is_none_is_no_message(tmp_path: Path) -> None:
    about: dict[str, Any] = {"entity": "tasks", "entity_id": "1"}
    push = {"type": "push", **about, "action": "update", "data": {}}
    fields = {"type": "push_fields", **about, "fields": []}
    several = {"type": "transaction", "writes": [{**about, "action": "update", "data": {}}]}
    async with serving(tmp_path, 3) as app, raw(app.url) as client:
        for message in (push, fields, several):
            error = await client.ask({**message, "schema_version": 0}, "error")
            assert error["code"] == "bad_message"
            assert "schema_version: a number from 1 on expected, got 0" in error["message"]


async def test_every_door_takes_writes_of_older_versions(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    messages = generated(tmp_path_factory.getbasetemp() / "foreign-stubs")
    app = app_of(3, 0, tmp_path / "server.db", "")
    app.configure(Config(port=0, grpc_port=0))
    async with app, backend(messages, app.grpc_address) as client:
        await client.ask("Push", client.push("tasks", "1", {"title": "a"}, schema_version=1))
        assert await there(app) == {"name": "a"}
        strict = client.push("tasks", "1", {"minutes": 1, "title": "a" * 20}, schema_version=1)
        refusal = await client.refused("Push", strict)
        assert (refusal.status, refusal.code) == ("INVALID_ARGUMENT", "invalid")
        schema = packages()[1].schema
        async with rhtmx.connect(app.url, format="proto", schema=schema) as other:
            await other.push_fields("tasks", "1", {"title": "b"})
        assert await there(app) == {"name": "b"}


@pytest.mark.parametrize("form", ["json", "proto"])
async def test_a_typescript_program_of_the_first_version_writes_to_a_server_of_the_third(
    form: str, tmp_path: Path
) -> None:
    require_node()
    program = tmp_path / "older.ts"
    shutil.copy(Path(__file__).parent / program.name, program)
    first_in_typescript(tmp_path / "first")
    async with serving(tmp_path, 3) as app:
        ended = await ran("node", RUN, program, environ={"URL": app.url, "FORMAT": form})
        first, second = await there(app), await there(app, "2")
    assert json.loads(ended.output) == {
        "counted": "upgrade_required",
        "long": "invalid",
        "rejected": [["upgrade_required", 1], ["invalid", 1]],
        "server": 3,
        "rows": ["2"],
        "unreadable": ["1"],
    }
    assert first.pop("note") == ""
    assert first == {
        "name": "Read",
        "place": "here",
        "priority": "high",
        "minutes": "300s",
        "votes": 2,
        "labels": ["a"],
    }
    assert second == {"name": "Two"}


async def test_a_tighter_rule_stops_no_server_and_its_rows_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serving(tmp_path, 2) as app, rhtmx.connect(app.url) as client:
        await client.push("tasks", "1", {"name": "much too long a name"})
        await client.push("tasks", "2", {"name": "short"})
        await client.push("readings", "1", {"celsius": 1})
    name = packages()[3].__name__
    async with serving(tmp_path, 3) as app:

        def check(*arguments: str) -> int:
            return main(["check", name, "--url", app.url, *arguments])

        assert await asyncio.to_thread(check) == 1
        told = capsys.readouterr()
        assert told.out == "✗ tasks/1  name  string.max_len  must have at most 12 characters\n"
        assert told.err == "1 of 3 records break a rule\n"
        assert await asyncio.to_thread(check, "--entity", "tasks", "--json") == 1
        assert json.loads(capsys.readouterr().out) == {
            "type": "violation",
            "entity": "tasks",
            "entity_id": "1",
            "version": 1,
            "field": "name",
            "code": "string.max_len",
            "message": "must have at most 12 characters",
        }
        assert await asyncio.to_thread(check, "--entity", "readings") == 0
        assert capsys.readouterr() == ("", "0 of 1 records break a rule\n")
        # It is in nobody's way who writes something else.
        async with rhtmx.connect(app.url) as client:
            await client.push_fields("tasks", "1", {"place": "here"})


COUNTED = """
option (rhtmx.v1.schema) = {version: 2};
message Task {
  option (rhtmx.v1.entity) = {name: "tasks"};
  int64 votes = 1 [(rhtmx.v1.field).merge = MERGE_COUNTER];
}
"""


async def test_an_operation_that_a_function_makes_of_a_write_needs_a_number_too() -> None:
    """Else a write that is sent again after a lost answer would count twice."""
    app = App(store="memory://", config=Config(port=0), schema=schema_package(COUNTED).schema)

    @app.upcast("tasks", version=2)
    def count(edit: Edit) -> None:
        if not edit.whole and edit.values.pop("votes", None) is not None:
            edit.operations["votes"] = rhtmx.Increment(1)

    time = "2026-01-01T00:00:00Z"
    vote = {"field": "votes", "action": "update", "value": 2, "timestamp": time}
    write = {"entity": "tasks", "entity_id": "1", "fields": [vote]}
    alone = {"type": "push_fields", "schema_version": 1, **write}
    several = {"type": "transaction", "schema_version": 1, "writes": [write]}
    async with app, raw(app.url) as client:
        for message in (alone, several):
            error = await client.ask(message, "error")
            assert error["code"] == "bad_message"
            assert "'increment' needs a seq" in error["message"]
        assert await there(app) is None
        async with raw(app.url) as known:
            await known.ask({"type": "hello", "client_id": "c"}, "welcome")
            for _ in range(2):
                await known.ask({**alone, "seq": 1}, "field_push_ack")
        assert await there(app) == {"votes": 1}


NAMES = """
enum Level { LEVEL_UNSPECIFIED = 0; LEVEL_HIGH = 1; }
message Step { string name = 1; Level level = 2; }
message Task {
  option (rhtmx.v1.entity) = {name: "tasks"};
  Level level = 1;
  repeated Step steps = 2;
}
"""
RENAMED: dict[str, tuple[tuple[str, str], Any, Any]] = {
    "a word": (("LEVEL_HIGH", "LEVEL_TOP"), {"level": "high"}, {"level": "top"}),
    "a word within a value": (
        ("LEVEL_HIGH", "LEVEL_TOP"), {"steps": [{"level": "high"}]}, {"steps": [{"level": "top"}]},
    ),
    "a key within a value": (
        ("string name", "string title"), {"steps": [{"name": "a"}]}, {"steps": [{"title": "a"}]},
    ),
    "an entity": (('"tasks"', '"todos"'), {"steps": []}, None),
}  # fmt: skip


@pytest.mark.parametrize("translates", [False, True])
@pytest.mark.parametrize("what", RENAMED)
async def test_a_queued_write_with_an_old_name_is_translated_by_the_program_or_kept(
    what: str, tmp_path: Path, *, translates: bool
) -> None:
    change, given, meant = RENAMED[what]
    version = "option (rhtmx.v1.schema) = {version: 2};"
    old, new = versions_of(NAMES, version + NAMES.replace(*change))
    store, config = f"sqlite:///{tmp_path / 'server.db'}", Config(port=0)
    kept: dict[str, Any] = {"store": tmp_path / "client.db", "schema": old.schema}
    async with App(store=store, config=config, schema=old.schema) as app:
        async with rhtmx.connect(app.url, **kept) as client:
            await client.collection("tasks").synced()
            client.offline()
            writings = [
                asyncio.ensure_future(client.collection("tasks").patch("1", given)),
                asyncio.ensure_future(client.collection("tasks").set("2", given)),
            ]
            await client.saved()
        await asyncio.gather(*writings, return_exceptions=True)
    app = App(store=store, config=config, schema=new.schema)
    if translates and meant is not None:

        @app.upcast("tasks", version=2)
        def translate(edit: Edit) -> None:
            edit.values = dict(meant)

    async with app, rhtmx.connect(app.url, **kept) as client:
        await settled(client)
        if translates and meant is not None:
            assert [await there(app, each) for each in ("1", "2")] == [meant, meant]
            assert not client.rejected
            return
        codes = [each.error.code.name for each in client.rejected]
        assert codes == ["UPGRADE_REQUIRED", "UPGRADE_REQUIRED"]
        # All of it is still there, to be shown and written anew.
        assert [each.data for each in client.rejected] == [given, given]
        assert [each.entity_id for each in client.rejected] == ["1", "2"]
        assert await there(app, "1") is None
