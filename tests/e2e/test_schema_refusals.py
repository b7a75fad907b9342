"""What the rules of a schema refuse, nobody stores, whichever way it is tried; nor are they told.

Each write of `TRIED` goes through each door; afterwards neither the record, nor its history, nor
the log of its conflicts has anything of it.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeAlias

import pytest
from websockets.asyncio.client import connect

import rhtmx
from rhtmx.wire import Format, decode, decode_json, encode, encode_proto
from rhtmx_server import App, Config, Grant, Request
from tests.support.generated import schema_package, versions_of
from tests.support.sockets import PATIENCE, Raw, raw

SCHEMA = """
message Task {
  option (rhtmx.v1.entity) = {
    name: "tasks"
    access: {actions: ACTION_READ actions: ACTION_CREATE actions: ACTION_UPDATE signed_in: true}
    access: {actions: ACTION_DELETE signed_in: true}
  };
  option (buf.validate.message).cel = {
    id: "few_votes" message: "has too many votes" expression: "this.votes <= 10 || this.approved"
  };
  string title = 1 [(buf.validate.field) = {required: true, string: {max_len: 5}}];
  string link = 2 [(rhtmx.v1.field).web_url = true,
    (buf.validate.field).ignore = IGNORE_IF_ZERO_VALUE];
  string owner = 3 [(rhtmx.v1.field) = {read_only: true, default: {subject: true}}];
  bool approved = 4 [(rhtmx.v1.field).read_only = true];
  int64 votes = 5 [(rhtmx.v1.field).merge = MERGE_COUNTER, (buf.validate.field).int64.gte = 0];
  string note = 6 [json_name = "internal", (rhtmx.v1.field).server_only = true];
  string born = 7 [(rhtmx.v1.field).immutable = true];
  string both = 8 [(rhtmx.v1.field).merge = MERGE_KEEP_BOTH,
    (buf.validate.field).string.max_len = 5];
  repeated string labels = 9 [(rhtmx.v1.field).merge = MERGE_SET,
    (buf.validate.field).repeated.items.string.max_len = 5];
  map<string, string> days = 10 [(buf.validate.field).map.values.string.max_len = 5];
}
"""
PLANTED = "planted"
"""What is in each value that nobody may store."""

NOTE = "nobody-is-told"
FIRST = {
    "title": "a", "link": "https://a.b", "owner": "ada", "approved": False, "votes": 3,
    "internal": NOTE, "born": "x", "both": "k", "labels": ["red"], "days": {"mon": "m"},
}  # fmt: skip
OLD = "2020-01-01T00:00:00Z"
NEW = "2099-01-01T00:00:00Z"

Write: TypeAlias = dict[str, Any]


def field(name: str, value: Any, action: str = "update", at: str = NEW) -> Write:
    update = {"field": name, "action": action, "timestamp": at}
    return {"fields": [update if action == "delete" else {**update, "value": value}]}


def whole(**changed: Any) -> Write:
    data = {name: value for name, value in FIRST.items() if name != "internal"} | changed
    return {"action": "update", "data": {name: each for name, each in data.items() if each != ...}}


VALUES: dict[str, Any] = {
    "title": f"{PLANTED} title",
    "link": f"javascript:{PLANTED}",
    "owner": PLANTED,
    "approved": True,
    "votes": -1,
    "internal": PLANTED,
    "born": PLANTED,
    "both": f"{PLANTED} both",
    "labels": [f"{PLANTED} label"],
    "days": {"tue": f"{PLANTED} day"},
}
TRIED: dict[str, Write] = {
    **{f"{name} as a whole": whole(**{name: value}) for name, value in VALUES.items()},
    **{f"{name} in time": field(name, value) for name, value in VALUES.items()},
    **{f"{name} too late": field(name, value, at=OLD) for name, value in VALUES.items()},
    **{
        f"{name} {words} deleted": field(name, None, "delete", at)
        for name in ("owner", "approved", "born", "internal")
        for words, at in (("in time", NEW), ("too late", OLD))
    },
    "without a title": whole(title=...),
    "a title that is null": field("title", None),
    "a deleted title": field("title", None, "delete"),
    "what is another type": field("votes", PLANTED),
    "another type, too late": field("votes", PLANTED, at=OLD),
    "no record": {"action": "update", "data": [PLANTED, "internal"]},
    "a text as a record": {"action": "update", "data": PLANTED},
    "a rule about several fields": field("votes", 11),
}
OPERATIONS: dict[str, Write] = {
    "fewer than none": field("votes", -100, "increment"),
    "too many together": field("votes", 100, "increment"),
    "a label": field("labels", [f"{PLANTED} label"], "add"),
    "a day": field("days", {"tue": f"{PLANTED} day"}, "set_key"),
    "what only the server writes": field("owner", [PLANTED], "append"),
    "what never leaves it": field("internal", 1, "increment"),
    "what is written once": field("born", 1, "max"),
}


def authenticate(request: Request) -> Grant:
    return Grant(request.token or "", roles=())


@pytest.fixture
async def app() -> AsyncIterator[App]:
    config = Config(port=0, grpc_port=0, bad_messages=10_000)
    schema = schema_package(SCHEMA).schema
    async with App(
        store="memory://", config=config, authenticate=authenticate, schema=schema
    ) as app:
        await app.changes.push("tasks", "1", FIRST)
        yield app


async def is_as_it_was(app: App) -> None:
    """Nothing of what was tried is anywhere, and nobody was told."""
    change = await app.changes.get("tasks", "1")
    assert change is not None
    assert (change.version, change.data) == (1, FIRST)
    kept = [each.data for each in await app.history("tasks")]
    assert kept == [{name: value for name, value in FIRST.items() if name != "internal"}]
    async with rhtmx.connect(app.url, token="eve") as client:
        assert not (await client.sync("$conflicts/tasks")).changes


async def said_by(hear: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    """The answer to a write."""
    while True:
        message = await hear()
        if message["type"] == "error" or message["type"].endswith("_ack"):
            return message


def message_of(write: Write) -> dict[str, Any]:
    kind = "push_fields" if "fields" in write else "push"
    return {"type": kind, "entity": "tasks", "entity_id": "1", **write}


def refused(answer: dict[str, Any], what: str) -> None:
    assert answer["type"] == "error", f"{what}: {answer}"
    assert answer["code"] in ("invalid", "invalid_data"), f"{what}: {answer}"
    assert NOTE not in json.dumps(answer)


@pytest.mark.parametrize("protocol", ["rhtmx.v1.json", "rhtmx.v1.proto"])
async def test_at_a_socket(app: App, protocol: Any) -> None:
    binary = protocol == "rhtmx.v1.proto"
    async with connect(app.url, subprotocols=[protocol], compression=None) as socket:

        async def say(message: dict[str, Any]) -> None:
            text = json.dumps(message)
            await socket.send(encode_proto(decode_json(text.encode())) if binary else text)

        async def hear() -> dict[str, Any]:
            async with asyncio.timeout(PATIENCE):
                frame = await socket.recv()
            data = frame if isinstance(frame, bytes) else frame.encode()
            message = decode(data, Format.PROTO if binary else Format.JSON)
            told: dict[str, Any] = json.loads(encode(message, Format.JSON))
            return told

        await say({"type": "hello", "client_id": "c", "token": "eve"})
        seq = 0
        for what, write in (TRIED | OPERATIONS).items():
            single = message_of(write)
            good = {"entity": "tasks", "entity_id": "2", "action": "update", "data": {"title": "b"}}
            last = {name: value for name, value in single.items() if name != "type"}
            for message in (single, {"type": "transaction", "writes": [good, last]}):
                seq += 1
                await say({**message, "seq": seq})
                refused(await said_by(hear), what)
    assert await app.changes.get("tasks", "2") is None
    await is_as_it_was(app)


async def test_by_grpc(app: App) -> None:
    async with rhtmx.backend(app.grpc_address, token="eve", client_id="till") as backend:
        for what, write in TRIED.items():
            for attempt in (_single, _together):
                with pytest.raises(rhtmx.RhtmxError) as caught:
                    await attempt(backend, write)
                assert caught.value.code.name.startswith("INVALID"), f"{what}: {caught.value!r}"
                assert NOTE not in repr((caught.value, caught.value.details)), what
        many = [rhtmx.Write("tasks", "1", w["data"]) for w in TRIED.values() if "data" in w]
        told = [each async for each in backend.push_many(many)]
        assert len(told) == len(many)
        for each in told:
            assert each.error is not None
            assert each.error.code.name.startswith("INVALID")
    await is_as_it_was(app)


def _arguments(write: Write) -> tuple[dict[str, Any], list[str], datetime]:
    (update,) = write["fields"]
    deletes = update["action"] == "delete"
    values = {} if deletes else {update["field"]: update["value"]}
    at = datetime.fromisoformat(update["timestamp"]).astimezone(UTC)
    return values, [update["field"]] if deletes else [], at


async def _single(backend: Any, write: Write) -> None:
    if "data" in write:
        await backend.push("tasks", "1", write["data"])
    else:
        values, gone, at = _arguments(write)
        await backend.push_fields("tasks", "1", values, delete=gone, timestamp=at)


async def _of_the_program(app: App, write: Write) -> None:
    if "data" in write:
        await app.changes.push("tasks", "1", write["data"])
    else:
        values, gone, at = _arguments(write)
        await app.fields.push("tasks", "1", values, delete=gone, timestamp=at)


async def _together(backend: Any, write: Write) -> None:
    at = None if "data" in write else _arguments(write)[2]
    async with backend.transaction(timestamp=at) as some:
        some.set("tasks", "2", {"title": "b"})
        if "data" in write:
            some.set("tasks", "1", write["data"])
        else:
            values, gone, _ = _arguments(write)
            some.patch("tasks", "1", values, delete=gone)


FORBIDDEN_TO_CLIENTS = ("owner", "approved", "born", "internal")


async def test_by_the_program_itself(app: App) -> None:
    """What only it may write, it may; what is wrong in itself, it may not either."""
    for what, write in TRIED.items():
        if what.startswith(FORBIDDEN_TO_CLIENTS):
            continue
        with pytest.raises(rhtmx.RhtmxError) as caught:
            await _of_the_program(app, write)
        assert caught.value.code.name.startswith("INVALID"), f"{what}: {caught.value!r}"
    await is_as_it_was(app)


@pytest.mark.parametrize("path", ["/api/sync/ws", "/api/field-sync/ws"])
async def test_at_the_old_endpoints(path: str) -> None:
    """They are for guests."""
    open_to_all = SCHEMA.replace("signed_in: true", "anyone: true")
    schema = schema_package(open_to_all).schema
    config = Config(port=0, bad_messages=10_000)
    async with App(store="memory://", config=config, schema=schema) as app:
        await app.changes.push("tasks", "1", FIRST)
        async with raw(app.url.replace("/api/ws", path)) as socket:
            for what, write in TRIED.items():
                message = message_of(write)
                if ("fields" in message) is not path.startswith("/api/field"):
                    continue
                await socket.send(message)
                answer = await socket.until_that(lambda told: told["type"] in OLD_ANSWERS)
                assert answer["type"] == "error", f"{what}: {answer}"
        await is_as_it_was(app)


OLD_ANSWERS = ("error", "push_ack", "field_push_ack", "push_fields_ack", "field_conflict")


async def test_by_what_the_program_fills_in(app: App) -> None:
    """`prepare` comes before the rules."""
    schema = schema_package(SCHEMA).schema
    config = Config(port=0)
    own = App(store="memory://", config=config, authenticate=authenticate, schema=schema)

    @own.entity("tasks").prepare
    def link(who: Grant | None, after: Any) -> Any:
        return {"link": f"javascript:{PLANTED}"}

    async with own, rhtmx.connect(own.url, token="eve") as client:
        with pytest.raises(rhtmx.RhtmxError) as caught:
            await client.collection("tasks").set("2", {"title": "b"})
        assert [each.code for each in caught.value.violations] == ["string.web_url"]
        assert await own.changes.get("tasks", "2") is None


async def hello(app: App, socket: Raw) -> None:
    await socket.send({"type": "hello", "client_id": "c", "token": "eve"})
    await socket.until("welcome")


async def ask(socket: Raw, message: dict[str, Any]) -> dict[str, Any]:
    await socket.send(message)
    return await said_by(socket.receive)


async def test_by_deleting_first(app: App) -> None:
    """A record that is deleted is created anew: what the server sets, it sets."""
    async with raw(app.url) as socket:
        await hello(app, socket)
        gone = {"entity": "tasks", "entity_id": "1", "action": "delete"}
        for write in (whole(approved=True), field("approved", True)):
            last = {name: each for name, each in message_of(write).items() if name != "type"}
            answer = await ask(socket, {"type": "transaction", "writes": [gone, last]})
            refused(answer, str(write))
        await is_as_it_was(app)
        last = {"entity": "tasks", "entity_id": "1", **whole(owner=PLANTED)}
        answer = await ask(socket, {"type": "transaction", "writes": [gone, last]})
        # What it is where nobody says anything, it is whatever a client says.
        assert answer["results"][1]["prepared"] == {"owner": "eve"}
        await ask(socket, {"type": "push", **gone})
        for at in (OLD, NEW):
            write = field("title", "b", at=at)
            write["fields"] += field("owner", PLANTED, at=at)["fields"]
            await ask(socket, message_of(write))
    change = await app.changes.get("tasks", "1")
    assert change is not None
    assert (change.data["title"], change.data["owner"]) == ("b", "eve")
    told = [each.data for each in await app.history("tasks")]
    assert PLANTED not in repr(told)


async def test_by_an_answer_to_a_conflict(app: App) -> None:
    """What lost may be taken by others: nothing else, and only what keeps the rules."""
    async with raw(app.url) as socket:
        await hello(app, socket)
        lost = await ask(socket, message_of(field("both", "mine", at=OLD)))
        assert lost["conflicts"] == 1
        log = {"type": "push_fields", "entity": "$conflicts/tasks", "entity_id": "1"}
        for update in (
            {"field": "$1", "action": "update", "value": {"field": PLANTED}, "timestamp": NEW},
            {"field": "$2", "action": "update", "value": PLANTED, "timestamp": NEW},
            {"field": "title", "action": "update", "value": PLANTED, "timestamp": NEW},
            {"field": "$1", "action": "append", "value": [PLANTED], "timestamp": NEW},
        ):
            answer = await ask(socket, {**log, "fields": [update]})
            assert answer["type"] == "error", answer
        whole_log = {**log, "type": "push", "action": "update", "data": {"$1": PLANTED}}
        assert (await ask(socket, whole_log))["type"] == "error"
    async with rhtmx.connect(app.url, token="eve") as client:
        (kept,) = (await client.sync("$conflicts/tasks")).changes
    assert PLANTED not in repr(kept)
    assert "mine" in repr(kept)


async def test_by_a_write_that_says_to_be_of_an_older_version() -> None:
    """It is judged as what it means today."""
    before = 'message Task { option (rhtmx.v1.entity) = {name: "tasks"}; string note = 1; }'
    head = "option (rhtmx.v1.schema) = {version: 2};"
    after = head + (
        'message Task { option (rhtmx.v1.entity) = {name: "tasks"};'
        " string internal = 1 [(rhtmx.v1.field).server_only = true];"
        " string title = 2 [(buf.validate.field).string.max_len = 5]; }"
    )
    newest = versions_of(before, after)[-1]
    own = App(store="memory://", config=Config(port=0), schema=newest.schema)

    @own.upcast("tasks", version=2)
    def spread(edit: Any) -> None:
        if "words" in edit.values:
            edit.values["title"] = edit.values.pop("words")

    async with own, raw(own.url) as socket:
        for name, code in (("note", "server_only"), ("words", "string.max_len")):
            for write in (
                field(name, f"{PLANTED}!"),
                {"action": "update", "data": {name: PLANTED}},
            ):
                answer = await ask(socket, {**message_of(write), "schema_version": 1})
                assert [each["code"] for each in answer["details"]["violations"]] == [code], answer
        assert await own.changes.get("tasks", "1") is None
        assert not await own.history("tasks")


COUNTED = """
message Task {
  option (rhtmx.v1.entity) = {name: "tasks"};
  option (buf.validate.message).cel = {
    id: "within" message: "is over it" expression: "this.votes <= int(this.note)"
  };
  int64 votes = 1;
  string note = 2 [(rhtmx.v1.field).server_only = true];
  string code = 3 [(rhtmx.v1.field).server_only = true, (buf.validate.field).ignore =
    IGNORE_IF_ZERO_VALUE, (buf.validate.field).cel = {
      id: "number" message: "is none" expression: "int(this) > 0"}];
}
"""


async def test_a_rule_that_fails_does_not_tell_a_hidden_value(
    caplog: pytest.LogCaptureFixture,
) -> None:
    own = App(store="memory://", config=Config(port=0), schema=schema_package(COUNTED).schema)

    @own.entity("tasks").prepare
    def fill(who: Grant | None, after: Any) -> Any:
        return {"note": NOTE, "code": NOTE} if who is not None else None

    caplog.set_level(logging.DEBUG, "rhtmx_server")
    async with own:
        async with rhtmx.connect(own.url) as client:
            with pytest.raises(rhtmx.RhtmxError) as caught:
                await client.collection("tasks").set("1", {"votes": 1})
        said = [(each.field, each.code, each.message) for each in caught.value.violations]
        assert said == [
            ("code", "number", "is set by the server, and cannot be judged"),
            ("", "within", "cannot be judged"),
        ]
        assert NOTE not in repr((caught.value, caught.value.details))
        # The program is told why.
        with pytest.raises(rhtmx.RhtmxError, match=f'"{NOTE}" is no whole number'):
            await own.changes.push("tasks", "1", {"votes": 1, "note": NOTE})
    assert NOTE not in caplog.text
