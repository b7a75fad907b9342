"""Fields that never leave the server, from the outside: what is said of them at each door.

That no byte of them is told to anybody, whatever happens, is in `test_taint.py`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

import rhtmx
from rhtmx.wire import decode_json, encode_proto
from rhtmx_server import App, Config, Grant, Request
from tests.support.generated import schema_package
from tests.support.plain_http import ask
from tests.support.sockets import PATIENCE, raw

TASK = """
message Task {
  option (rhtmx.v1.entity) = {name: "tasks"};
  option (buf.validate.message).cel = {
    id: "within_limit" message: "must not be over the limit"
    expression: "!has(this.limit) || this.votes <= this.limit"
  };
  string title = 1 [(buf.validate.field).string.max_len = 20];
  int64 votes = 2 [(rhtmx.v1.field).merge = MERGE_COUNTER];
  string note = 3 [json_name = "internal", HIDDEN];
  optional int64 limit = 4 [HIDDEN];
  google.protobuf.Timestamp seen = 5 [(rhtmx.v1.field) = {SINCE default: {now: true}}];
}
"""
SCHEMA = TASK.replace("HIDDEN", "(rhtmx.v1.field).server_only = true").replace(
    "SINCE", "server_only: true"
)
BEFORE = TASK.replace(", HIDDEN", "").replace("[HIDDEN]", "").replace("SINCE", "")
WORD = "nobody-is-told"


def app_of(schema: str, store: str = "memory://") -> App:
    def who(request: Request) -> Grant:
        return Grant("ada", roles={"backend"} if request.token == "service" else ())

    return App(
        store=store,
        config=Config(port=0, grpc_port=0),
        authenticate=who,
        schema=schema_package(schema).schema,
    )


@pytest.fixture
async def app() -> AsyncIterator[App]:
    async with app_of(SCHEMA) as app:
        yield app


async def refused(writing: Awaitable[object]) -> list[tuple[str, str, str]]:
    with pytest.raises(rhtmx.RhtmxError) as caught:
        await writing
    assert caught.value.code is rhtmx.ErrorCode.INVALID
    return [(each.field, each.code, each.message) for each in caught.value.violations]


SAID = [("note", "server_only", "is written by the server only")]


async def in_a_transaction(client: Any) -> None:
    async with client.transaction() as some:
        some.set("tasks", "2", {"title": "x"})
        some.patch("tasks", "1", {"internal": "x"})


CLIENT: list[Callable[[Any], Awaitable[object]]] = [
    lambda c: c.collection("tasks").set("1", {"title": "x", "internal": "x"}),
    lambda c: c.collection("tasks").patch("1", {"internal": "x"}),
    lambda c: c.collection("tasks").patch("1", {"internal": rhtmx.Increment(1)}),
    lambda c: c.collection("tasks").patch("1", {}, delete=["internal"]),
]
BACKEND: list[Callable[[Any], Awaitable[object]]] = [
    lambda b: b.push("tasks", "1", {"title": "x", "internal": "x"}),
    lambda b: b.push_fields("tasks", "1", {"internal": "x"}),
    lambda b: b.push_fields("tasks", "1", {}, delete=["internal"]),
]


@pytest.mark.parametrize("token", ["ada", "service"])
async def test_no_client_writes_it_at_any_door(app: App, token: str) -> None:
    await app.changes.push("tasks", "1", {"title": "a", "internal": WORD})
    async with rhtmx.connect(app.url, token=token) as client:
        for write in CLIENT:
            assert await refused(write(client)) == SAID
        with pytest.raises(rhtmx.RhtmxError) as caught:
            await in_a_transaction(client)
        assert caught.value.code is rhtmx.ErrorCode.INVALID
        assert b'"code":"server_only"' in (caught.value.details or b"")
    async with rhtmx.backend(app.grpc_address, token=token) as backend:
        for write in BACKEND:
            assert await refused(write(backend)) == SAID
        with pytest.raises(rhtmx.RhtmxError, match="is written by the server only"):
            await in_a_transaction(backend)
        async for outcome in backend.push_many([rhtmx.Write("tasks", "1", {"internal": "x"})]):
            assert outcome.error is not None
            assert outcome.error.code is rhtmx.ErrorCode.INVALID
    change = await app.changes.get("tasks", "1")
    assert change is not None
    assert (change.version, change.data["internal"]) == (1, WORD)


@pytest.mark.parametrize("protocol", ["rhtmx.v1.json", "rhtmx.v1.proto"])
async def test_who_reads_records_is_told_the_rest_and_who_reads_fields_nothing(
    app: App, protocol: Any
) -> None:
    await app.changes.push("tasks", "1", {"title": "a", "votes": 0, "internal": WORD})
    async with connect(app.url, subprotocols=[protocol], compression=None) as socket:

        async def say(**message: Any) -> None:
            text = json.dumps(message)
            proto = protocol == "rhtmx.v1.proto"
            await socket.send(encode_proto(decode_json(text.encode())) if proto else text)

        async def hear(word: bytes) -> list[bytes]:
            heard: list[bytes] = []
            async with asyncio.timeout(PATIENCE):
                while not heard or word not in heard[-1]:
                    frame = await socket.recv()
                    heard.append(frame if isinstance(frame, bytes) else frame.encode())
            return heard

        await say(type="hello", client_id="c", token="ada")
        since = {"tasks": {"epoch": "", "version": 0}}
        await say(type="subscribe_fields", entities=["tasks"], since=since)
        told = await hear(b"votes")
        await app.fields.push("tasks", "1", {"internal": f"{WORD} either"})
        await app.fields.push("tasks", "1", {"title": "the next one"})
        after = await hear(b"the next one")
    # The end of what was read at first, and the title: of the first write there is no frame.
    assert len(after) == 2
    assert WORD.encode() not in b"".join(told + after)
    assert b"internal" not in b"".join(told + after)


async def test_a_reader_of_records_gets_the_record_as_it_was_with_its_new_version(
    app: App,
) -> None:
    await app.changes.push("tasks", "1", {"title": "a", "internal": WORD})
    async with raw(app.url) as socket:
        await socket.send({"type": "hello", "client_id": "c", "token": "ada"})
        since = {"tasks": {"epoch": "", "version": 0}}
        await socket.send({"type": "subscribe", "entities": ["tasks"], "since": since})
        await socket.until("change")
        await app.fields.push("tasks", "1", {"internal": "else"})
        change = (await socket.until("change"))["change"]
        assert (change["version"], change["data"]) == (2, {"title": "a"})


async def test_a_client_that_writes_a_whole_record_cannot_remove_it(app: App) -> None:
    await app.changes.push("tasks", "1", {"title": "a", "internal": WORD})
    async with rhtmx.connect(app.url, token="ada") as client:
        await client.collection("tasks").set("1", {"title": "b"})
    change = await app.changes.get("tasks", "1")
    assert change is not None
    assert (change.data["title"], change.data["internal"]) == ("b", WORD)


async def test_it_is_filled_in_and_nobody_is_told(app: App) -> None:
    async with rhtmx.backend(app.grpc_address, token="ada") as backend:
        result = await backend.push("tasks", "1", {"title": "a"})
        assert not result.prepared
        read = await backend.get("tasks", "1")
        assert read is not None
        assert read.data == {"title": "a"}
    change = await app.changes.get("tasks", "1")
    assert change is not None
    assert datetime.fromisoformat(change.data["seen"]).tzinfo is UTC


async def test_rules_read_it(app: App) -> None:
    await app.changes.push("tasks", "1", {"title": "a", "votes": 1, "limit": 2})
    async with rhtmx.connect(app.url, token="ada") as client:
        tasks = client.collection("tasks")
        await tasks.patch("1", {"votes": rhtmx.Increment(1)})
        said = await refused(tasks.patch("1", {"votes": rhtmx.Increment(1)}))
        assert said == [("", "within_limit", "must not be over the limit")]
    with pytest.raises(rhtmx.RhtmxError, match="must not be over the limit"):
        await app.fields.push("tasks", "1", {"limit": 1})
    with pytest.raises(rhtmx.RhtmxError, match="must be a whole number"):
        await app.fields.push("tasks", "1", {"limit": "many"})
    await app.fields.push("tasks", "1", {"limit": rhtmx.Increment(8)})
    change = await app.changes.get("tasks", "1")
    assert change is not None
    assert change.data["limit"] == 10


async def test_the_program_reads_it_where_it_is_and_finds_none_in_the_past(app: App) -> None:
    told: list[Any] = []
    app.on_commit("tasks")(told.append)
    await app.changes.push("tasks", "1", {"title": "a", "internal": WORD})
    await app.fields.push("tasks", "1", {"title": "b", "internal": "now"})
    fields = await app.fields.get("tasks", "1")
    assert fields is not None
    assert fields["internal"].value == "now"
    history = [each.data for each in await app.history("tasks")]
    history += [each.data for each in await app.changes.history("tasks", "1")]
    assert [sorted(each or {}) for each in history] == [["title"]] * 4
    assert sorted(await app.fields.blame("tasks", "1")) == ["title"]
    async with app.transaction() as some:
        some.patch("tasks", "1", {}, delete=["internal"])
    await app.stop()
    await app.start()
    assert [each.version for each in told] == [1, 2, 3]
    assert told[-1].data["title"] == "b"


async def test_it_is_there_after_a_restart_and_what_was_told_once_is_told_no_more(
    tmp_path: Path,
) -> None:
    """A field is hidden since yesterday: neither old records nor the history tell it."""
    store = f"sqlite:///{tmp_path / 'app.db'}"
    async with app_of(BEFORE, store) as app, rhtmx.backend(app.grpc_address, token="a") as old:
        for number in ("1", "2"):
            await old.push("tasks", number, {"title": "a", "internal": WORD})
    for _ in range(2):
        async with app_of(SCHEMA, store) as app:
            said: list[object] = []
            for path in (
                "/api/sync/tasks?since=0",
                "/api/field-sync/tasks?since=0",
                "/api/field-sync/tasks/1/latest",
            ):
                said.append((await ask(app.url, path, Authorization="Bearer a")).body)
            async with rhtmx.backend(app.grpc_address, token="a") as new:
                said += [await new.get("tasks", "1"), await new.get_fields("tasks", "1")]
                said += [each async for each in new.history("tasks")]
                said += [await new.record_history("tasks", "1"), await new.blame("tasks", "1")]
                said += await new.sync("tasks")
                said += [each async for each in new.sync_fields("tasks")]
                await new.push_fields("tasks", "1", {"votes": 1})
                said += [await new.get("tasks", "1")]
            assert "title" in repr(said)
            assert WORD not in repr(said)
            assert "internal" not in repr(said)
            for number in ("1", "2"):
                change = await app.changes.get("tasks", number)
                assert change is not None
                assert change.data["internal"] == WORD


async def test_an_answer_from_before_a_field_was_hidden_does_not_tell_it_when_it_is_given_again(
    tmp_path: Path,
) -> None:
    store = f"sqlite:///{tmp_path / 'app.db'}"
    one = {"entity": "tasks", "entity_id": "1", "base_version": 1}
    time = "2020-01-01T00:00:00Z"
    late = {"field": "internal", "action": "update", "value": "x", "timestamp": time}
    sent: list[dict[str, Any]] = [
        {"type": "push_fields", "seq": 1, **one, "fields": [late]},
        {"type": "push", "seq": 2, **one, "action": "update", "data": {"title": "b"}},
        {"type": "transaction", "seq": 3, "writes": [{**one, "action": "update", "data": {}}]},
    ]

    async def answers(app: App) -> str:
        heard: list[str] = []
        async with connect(app.url, subprotocols=["rhtmx.v1.json"], compression=None) as socket:  # type: ignore[list-item]
            for message in ({"type": "hello", "client_id": "c", "token": "a"}, *sent):
                await socket.send(json.dumps(message))
            async with asyncio.timeout(PATIENCE):
                while not heard or '"seq":3' not in heard[-1]:
                    heard.append(str(await socket.recv()))
        return "".join(heard)

    async with app_of(BEFORE, store) as app:
        await app.changes.push("tasks", "1", {"title": "a"})
        await app.fields.push("tasks", "1", {"internal": WORD})
        assert (await answers(app)).count(WORD) == len(sent)
    async with app_of(SCHEMA, store) as app:
        again = await answers(app)
    assert '"duplicate":true' in again
    assert again.count('"code":"conflict"') == 2
    assert WORD not in again
