"""Texts are kept as the schema says, at each door, and who wrote them is told."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

import rhtmx
from rhtmx.wire import decode_json, decode_proto, encode_json, encode_proto
from rhtmx_server import App, Config, Invalid
from tests.support.generated import schema_package
from tests.support.sockets import raw

TRIM = "(rhtmx.v1.field).normalize = NORMALIZE_TRIM"
SCHEMA = f"""
message Task {{
  option (rhtmx.v1.entity) = {{name: "tasks"}};
  string title = 1 [{TRIM}, (buf.validate.field).string = {{min_len: 1 max_len: 4}}];
  string plain = 2;
  repeated Step steps = 3;
  string note = 4 [(rhtmx.v1.field) = {{server_only: true normalize: NORMALIZE_TRIM}}];
}}
message Step {{ string what = 1 [{TRIM}]; double size = 2; }}
message Whole {{
  option (rhtmx.v1.entity) = {{name: "wholes" whole: true}};
  string title = 1 [{TRIM}];
}}
message SignUp {{
  option (rhtmx.v1.form) = {{name: "signup"}};
  string name = 1 [{TRIM}];
  string plain = 2;
}}
"""
PACKAGE: Any = schema_package(SCHEMA)
WRITTEN = {"title": "  a\u3000", "plain": " b ", "steps": [{"what": " c ", "size": 1e2}]}
KEPT = {"title": "a", "plain": " b ", "steps": [{"what": "c", "size": 1e2}]}
TOLD = {"title": "a", "steps": KEPT["steps"]}


@pytest.fixture
async def app() -> AsyncIterator[App]:
    config = Config(port=0, grpc_port=0)
    async with App(store="memory://", config=config, schema=PACKAGE.schema) as app:
        yield app


async def kept(app: App, entity_id: str = "1", entity: str = "tasks") -> Any:
    change = await app.changes.get(entity, entity_id)
    assert change is not None
    return change.data


async def test_a_record_is_kept_so_and_its_author_is_told(app: App) -> None:
    async with rhtmx.connect(app.url) as client:
        tasks = client.collection("tasks")
        result = await tasks.set("1", WRITTEN)
        assert result.prepared == TOLD
        await tasks.synced()
        record = tasks.get("1")
        assert record is not None
        assert record.data == await kept(app) == KEPT


async def test_so_are_fields_that_are_written_later(app: App) -> None:
    await app.changes.push("tasks", "1", {"title": "a"})
    async with rhtmx.connect(app.url) as client:
        tasks = client.collection("tasks")
        assert (await tasks.patch("1", {"title": " b "})).prepared == {"title": "b"}
        assert (await tasks.patch("1", {"plain": " b "})).prepared == {}
        added = await tasks.patch("1", {"steps": rhtmx.Append({"what": " c "})})
        assert added.prepared == {"steps": [{"what": "c"}]}
        await tasks.synced()
        record = tasks.get("1")
        assert record is not None
        assert record.data == {"title": "b", "plain": " b ", "steps": [{"what": "c"}]}
        async with client.transaction() as some:
            some.patch("tasks", "1", {"title": " d"})
    assert (await kept(app))["title"] == "d"


async def test_so_it_is_at_every_door(app: App) -> None:
    async with rhtmx.backend(app.grpc_address) as backend:
        assert (await backend.push("tasks", "1", WRITTEN)).prepared == TOLD
        assert (await backend.push_fields("tasks", "1", {"title": " b"})).prepared == {"title": "b"}
        assert (await backend.push("wholes", "1", {"title": " b"})).prepared == {"title": "b"}
    await app.changes.push("tasks", "2", {**WRITTEN, "note": " n "})
    assert await kept(app, "2") == {**KEPT, "note": "n"}
    await app.fields.push("tasks", "2", {"note": " m ", "title": "c "})
    assert await kept(app, "2") == {**KEPT, "note": "m", "title": "c"}
    assert await kept(app, entity="wholes") == {"title": "b"}
    async with raw(app.url.replace("/api/ws", "/api/sync/ws")) as socket:
        await socket.send(
            {
                "type": "push",
                "entity": "tasks",
                "entity_id": "3",
                "action": "create",
                "data": WRITTEN,
                "base_version": 0,
            }
        )
        await socket.until("push_ack")
    assert await kept(app, "3") == KEPT


@pytest.mark.parametrize("protocol", ["rhtmx.v1.json", "rhtmx.v1.proto"])
async def test_so_it_is_in_both_formats(app: App, protocol: Any) -> None:
    proto = protocol == "rhtmx.v1.proto"
    push = {"type": "push", "entity": "tasks", "entity_id": "1", "action": "create"}
    async with connect(app.url, subprotocols=[protocol]) as socket:
        for message in ({"type": "hello"}, {**push, "base_version": 0, "data": WRITTEN}):
            plain = decode_json(json.dumps(message).encode())
            await socket.send(encode_proto(plain) if proto else encode_json(plain).decode())
        await socket.recv()
        answer = await socket.recv()
    heard: Any
    heard = decode_proto(answer) if isinstance(answer, bytes) else decode_json(answer.encode())
    assert json.loads(heard.prepared) == TOLD
    assert await kept(app) == KEPT


async def test_it_is_judged_as_it_is_kept(app: App) -> None:
    async with rhtmx.connect(app.url) as client:
        tasks = client.collection("tasks")
        await tasks.set("1", {"title": "   four   "})
        with pytest.raises(rhtmx.RhtmxError, match="must have at least 1 character"):
            await tasks.patch("1", {"title": "   "})


async def test_a_row_from_before_stands_until_somebody_writes_the_field(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'app.db'}"
    async with App(store=store, config=Config(port=0)) as old:
        await old.changes.push("tasks", "1", {"title": " a "})
    async with App(store=store, config=Config(port=0), schema=PACKAGE.schema) as app:
        await app.fields.push("tasks", "1", {"plain": " b "})
        assert await kept(app) == {"title": " a ", "plain": " b "}
        await app.fields.push("tasks", "1", {"title": " c "})
        assert await kept(app) == {"title": "c", "plain": " b "}


BEFORE: Any = schema_package(
    """
message Task {
  option (rhtmx.v1.entity) = {name: "tasks"};
  string title = 1;
  string plain = 2;
  string note = 4 [(rhtmx.v1.field).server_only = true];
  string other = 5 [(rhtmx.v1.field).server_only = true];
}
"""
)
AFTER: Any = schema_package(
    f"""
message Task {{
  option (rhtmx.v1.entity) = {{name: "tasks"}};
  string title = 1 [{TRIM}];
  string plain = 2;
  string note = 4 [(rhtmx.v1.field) = {{server_only: true normalize: NORMALIZE_TRIM}},
                   (buf.validate.field).string.max_len = 3];
  string other = 5 [(rhtmx.v1.field) = {{server_only: true normalize: NORMALIZE_TRIM}}];
}}
"""
)


@pytest.mark.parametrize("what", ["hidden", "told", "as it was"])
async def test_so_does_what_is_hidden_and_all_that_a_write_does_not_change(
    tmp_path: Path, what: str
) -> None:
    """Else readers of fields would never hear of it, and rules would be asked about it."""
    store = f"sqlite:///{tmp_path / 'app.db'}"
    was = {"title": " a ", "plain": "b", "note": " a long one "}
    async with App(store=store, config=Config(port=0), schema=BEFORE.schema) as old:
        await old.changes.push("tasks", "1", was)
    async with App(store=store, config=Config(port=0), schema=AFTER.schema) as app:
        if what == "hidden":
            await app.fields.push("tasks", "1", {"other": " o "})
            was["other"] = "o"
        elif what == "told":
            await app.fields.push("tasks", "1", {"plain": " c "})
            was["plain"] = " c "
        else:
            async with rhtmx.connect(app.url) as client:
                same = {"title": " a ", "plain": "b"}
                assert (await client.collection("tasks").set("1", same)).prepared == {}
        assert await kept(app) == was


async def test_a_typed_client_sends_what_is_kept(app: App) -> None:
    async with rhtmx.connect(app.url) as client:
        tasks = client.of(PACKAGE.Task)
        steps = [PACKAGE.Step(what=" c ")]
        made = await tasks.create(PACKAGE.Task(title=" a ", plain=" b ", steps=steps))
        assert made.prepared == {}
        assert (await tasks.edit(made.entity_id, title=" d ")).prepared == {}
    data = await kept(app, made.entity_id)
    assert (data["title"], data["plain"], data["steps"][0]["what"]) == ("d", " b ", "c")


async def test_what_the_program_fills_in_is_kept_so_too() -> None:
    app = App(store="memory://", config=Config(port=0), schema=PACKAGE.schema)
    seen: list[Any] = []

    @app.entity("tasks").prepare
    def fill(who: Any, after: Any) -> dict[str, Any]:
        seen.append(after["plain"])
        return {"title": f" {after['title']}! "}

    async with app:
        await app.changes.push("tasks", "1", {"title": " a ", "plain": " b "})
        assert await kept(app) == {"title": "a!", "plain": " b "}
    assert seen == [" b "]


async def test_validators_of_a_form_are_given_what_would_be_kept() -> None:
    app = App(store="memory://", config=Config(port=0), schema=PACKAGE.schema)
    seen: list[Any] = []

    @app.form("signup").field("name")
    def name(value: str, form: Any) -> None:
        seen.append((value, form["name"], form["plain"]))
        if value == "ada":
            raise Invalid("is taken")

    async with app, rhtmx.connect(app.url) as client:
        others = {"name": " ada ", "plain": " b "}
        answer = await client.validate_field("signup", "name", " ada ", values=others)
        assert answer.error == "is taken"
        whole = await client.validate_form("signup", others)
        assert [each.error for each in whole.errors] == ["is taken"]
    assert seen == [("ada", "ada", " b ")] * 2
