"""An application as an AI assistant sees it: the tools of a real server, by the real protocol."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import mcp_types as types
import pytest
from mcp.client import Client as Host
from mcp.client.stdio import StdioServerParameters, stdio_client

import rhtmx
from rhtmx.cli.errors import NO_CONNECTION, REFUSED, USAGE
from rhtmx.mcp.application import RunningApplication
from rhtmx.mcp.caller import ToolCaller
from rhtmx.mcp.document import SchemaDocument, read_document
from rhtmx.mcp.schema_source import SchemaSource
from rhtmx_server import App, Config, Grant, Request
from tests.support.certificates import authority, signed
from tests.support.generated import schema_package
from tests.support.process import OURS, ran
from tests.support.sockets import PATIENCE
from tests.support.tls import server_side, tls_before

SCHEMA = """
// One thing to do.
message Task {
  option (rhtmx.v1.entity) = {
    name: "tasks"
    partition: {fields: "team"}
    access: {
      actions: ACTION_READ actions: ACTION_CREATE actions: ACTION_UPDATE
      tenant: {field: "team" claim: "teams"}
    }
    access: {actions: ACTION_DELETE role: "admin"}
  };
  option (buf.validate.message).cel = {
    id: "due_after_start"
    message: "must not be before the start"
    expression: "!has(this.due) || !has(this.start) || this.start <= this.due"
  };
  string title = 1 [(buf.validate.field) = {required: true, string: {max_len: 20}}];
  string team = 2 [(rhtmx.v1.field).immutable = true, (buf.validate.field).required = true];
  string owner = 3 [(rhtmx.v1.field) = {read_only: true, default: {subject: true}}];
  int64 votes = 4 [(rhtmx.v1.field).merge = MERGE_COUNTER, (buf.validate.field).int64 = {
    gte: 0 lte: 3
  }];
  google.protobuf.Timestamp start = 5;
  google.protobuf.Timestamp due = 6;
  string place = 7 [json_name = "location", (buf.validate.field).string.max_len = 5];
  repeated string labels = 8 [(rhtmx.v1.field).merge = MERGE_SET];
  string code = 9 [(rhtmx.v1.field).secret = true];
  string hidden_note = 10 [(rhtmx.v1.field).server_only = true];
  oneof source {
    string url = 11;
    string ticket = 12;
  }
  bool done = 13;
}
// Weather.
message Reading {
  option (rhtmx.v1.entity) = {name: "readings", whole: true};
  double degrees = 1 [(buf.validate.field).double.lte = 100];
  string station = 2;
}
// How somebody joins.
message SignUp {
  option (rhtmx.v1.form) = {name: "signup"};
  option (buf.validate.message).cel = {
    id: "agree" message: "passwords differ" expression: "this.password == this.again"
  };
  string email = 1 [(buf.validate.field) = {required: true, string: {email: true}}];
  int32 age = 2 [(buf.validate.field).int32 = {gte: 18, lte: 130}];
  string password = 3 [(rhtmx.v1.field).secret = true];
  string again = 4;
  repeated string topics = 5 [(buf.validate.field).repeated.max_items = 2];
  bool terms = 6 [(buf.validate.field).required = true];
}
"""
TASK = {"title": "a", "team": "red"}
OTHER = """
message Note {
  option (rhtmx.v1.entity) = {name: "notes"};
  string text = 1;
}
"""


def authenticate(request: Request) -> Grant:
    name, _, role = (request.token or "").partition("/")
    if name not in ("ada", "bob"):
        raise rhtmx.RhtmxError(rhtmx.ErrorCode.UNAUTHENTICATED, "who are you?")
    return Grant(name, claims={"teams": ["red", "blue"]}, roles={role} if role else set())


def application(schema: str | None = SCHEMA, *, port: int = 0, closed: bool = True) -> App:
    made = None if schema is None else schema_package(schema).schema
    return App(
        store="memory://",
        config=Config(port=port),
        schema=made,
        authenticate=authenticate if closed else None,
        undeclared=schema is None,
    )


@pytest.fixture
async def app() -> AsyncIterator[App]:
    async with application() as app:
        yield app


def port_of(app: App) -> int:
    port = urlsplit(app.url).port
    assert port is not None
    return port


# In one process: what a tool does.


class Assistant:
    """Calls tools, and looks at the answers."""

    def __init__(self, caller: ToolCaller) -> None:
        self.caller = caller

    async def call(self, name: str, **arguments: Any) -> Any:
        """What a call gives."""
        answer = await self.caller.call(name, arguments)
        assert not answer.failed, answer.text
        return self._checked(name, answer.content)

    async def refused(self, name: str, **arguments: Any) -> Any:
        """Why a call was not done."""
        answer = await self.caller.call(name, arguments)
        assert answer.failed, answer.text
        content = self._checked(name, answer.content)
        assert content["error"]["message"] in answer.text
        return content["error"]

    def _checked(self, name: str, content: Any) -> Any:
        if name in self.caller.tools:
            jsonschema.validate(content, self.caller.tools[name].output_schema)
        return content


@asynccontextmanager
async def assistant(
    url: str, token: str | None = "ada", patience: float = PATIENCE, **options: Any
) -> AsyncIterator[Assistant]:
    source = SchemaSource(url, None, patience)

    async def fetch() -> SchemaDocument:
        return read_document(await source.read(token))

    running = RunningApplication(
        lambda: rhtmx.connect(url, token=token), fetch, shown=url, timeout=patience
    )
    caller = ToolCaller(running, **{"read_only": False, **options})
    await running.open()
    try:
        yield Assistant(caller)
    finally:
        await caller.close()
        await running.close()


async def test_what_is_created_is_there_for_everybody_and_by_its_subject(app: App) -> None:
    async with assistant(app.url) as ada, rhtmx.connect(app.url, token="bob") as bob:
        made = await ada.call("tasks", action="create", record={"title": "Write", "team": "red"})
        assert made["filled_in"] == {"owner": "ada"}
        (change,) = await bob.sync("tasks")
        assert (change.entity_id, change.version) == (made["id"], made["version"])
        assert change.data == {"title": "Write", "team": "red", "owner": "ada"}
        (commit,) = await bob.collection("tasks").history(made["id"])
        assert commit.subject == "ada"


async def test_what_breaks_a_rule_is_refused_with_the_field_the_rule_and_words(app: App) -> None:
    async with assistant(app.url) as ada:
        error = await ada.refused(
            "tasks", action="create", record={"team": "red", "votes": 4, "location": "far away"}
        )
        assert error["code"] == "invalid"
        assert error["violations"] == [
            {"field": "title", "rule": "required", "message": "is required"},
            {
                "field": "votes",
                "rule": "int64.gte_lte",
                "message": "must be between 0 and 3",
            },
            {
                "field": "location",  # as it is written, not as the schema calls it
                "rule": "string.max_len",
                "message": "must have at most 5 characters",
            },
        ]
        assert (await ada.call("tasks", action="list"))["total"] == 0


async def test_a_rule_across_fields_is_refused_for_the_record(app: App) -> None:
    async with assistant(app.url) as ada:
        record = {"title": "a", "team": "red", "start": "2026-01-02T00:00:00Z"}
        made = await ada.call("tasks", action="create", record=record)
        error = await ada.refused(
            "tasks", action="edit", id=made["id"], changes={"due": "2026-01-01T00:00:00Z"}
        )
        assert error["violations"][0]["message"] == "must not be before the start"


async def test_an_edit_leaves_the_other_fields_and_counts_with_others(app: App) -> None:
    async with assistant(app.url) as ada, rhtmx.connect(app.url, token="bob") as bob:
        task = (await ada.call("tasks", action="create", record=TASK))["id"]
        await bob.collection("tasks").patch(task, {"votes": rhtmx.Increment(2)})
        await ada.call(
            "tasks",
            action="edit",
            id=task,
            changes={"title": "b"},
            increment={"votes": 1},
            add={"labels": ["new", "big"]},
        )
        await ada.call("tasks", action="edit", id=task, remove={"labels": ["new"]})
        data = (await ada.call("tasks", action="get", id=task))["record"]["data"]
        assert data == {
            "title": "b",
            "team": "red",
            "owner": "ada",
            "votes": 3,
            "labels": ["big"],
        }


async def test_what_sets_a_field_of_a_oneof_takes_the_others_away(app: App) -> None:
    async with assistant(app.url) as ada:
        record = {"title": "a", "team": "red", "url": "x"}
        task = (await ada.call("tasks", action="create", record=record))["id"]
        await ada.call("tasks", action="edit", id=task, changes={"ticket": "T1"})
        data = (await ada.call("tasks", action="get", id=task))["record"]["data"]
        assert (data.get("url"), data["ticket"]) == (None, "T1")
        await ada.call("tasks", action="edit", id=task, changes={"ticket": None})
        data = (await ada.call("tasks", action="get", id=task))["record"]["data"]
        assert "ticket" not in data


async def test_with_its_version_an_edit_writes_over_nobody(app: App) -> None:
    async with assistant(app.url) as ada, rhtmx.connect(app.url, token="bob/admin") as bob:
        made = await ada.call("tasks", action="create", record=TASK)
        await bob.collection("tasks").patch(made["id"], {"title": "bob's"})
        error = await ada.refused(
            "tasks", action="edit", id=made["id"], version=made["version"], changes={"title": "b"}
        )
        assert error["code"] == "conflict"
        assert "get the record again" in error["message"]
        again = (await ada.call("tasks", action="get", id=made["id"]))["record"]
        assert again["data"]["title"] == "bob's"
        await ada.call(
            "tasks", action="edit", id=made["id"], version=again["version"], changes={"title": "b"}
        )


async def test_a_record_that_is_there_is_not_created_again(app: App) -> None:
    async with assistant(app.url) as ada:
        record = TASK
        await ada.call("tasks", action="create", id="1", record=record)
        error = await ada.refused("tasks", action="create", id="1", record=record)
        assert error["code"] == "conflict"
        assert error["message"].startswith("tasks/1 exists already")


async def test_what_is_not_there_is_neither_edited_nor_deleted(app: App) -> None:
    async with assistant(app.url, "ada/admin") as ada:
        for arguments in (
            {"action": "get"},
            {"action": "edit", "changes": {"title": "b"}},
            {"action": "delete"},
        ):
            error = await ada.refused("tasks", id="nowhere", **arguments)
            assert error["code"] == "not_found"
        task = (await ada.call("tasks", action="create", record=TASK))["id"]
        await ada.call("tasks", action="delete", id=task)
        assert (await ada.refused("tasks", action="delete", id=task))["code"] == "not_found"
        past = await ada.call("tasks", action="history", id=task)
        assert [each["action"] for each in past["commits"]] == ["delete", "create"]


async def test_what_the_token_may_not_do_is_forbidden_in_words(app: App) -> None:
    async with assistant(app.url) as ada:
        task = (await ada.call("tasks", action="create", record=TASK))["id"]
        for arguments in (
            {"action": "delete", "id": task},
            {"action": "create", "record": {"title": "a", "team": "green"}},
        ):
            error = await ada.refused("tasks", **arguments)
            assert error["code"] == "forbidden"
            assert "whoever this runs for may not do it" in error["message"]


async def test_a_page_goes_on_where_the_last_one_ended_and_has_what_came_since(app: App) -> None:
    async with assistant(app.url) as ada, rhtmx.connect(app.url, token="bob") as bob:
        for each in range(5):
            await bob.push("tasks", str(each), {"title": "a", "team": "red", "done": each == 3})
        first = await ada.call("tasks", action="list", limit=2)
        assert [each["id"] for each in first["records"]] == ["0", "1"]
        assert (first["total"], first["next"]) == (5, "1")
        await bob.push("tasks", "5", {"title": "b", "team": "blue"})
        rest = await ada.call("tasks", action="list", after=first["next"])
        assert [each["id"] for each in rest["records"]] == ["2", "3", "4", "5"]
        assert "next" not in rest
        for where, ids in (
            ({"done": True}, ["3"]),
            ({"done": False}, ["0", "1", "2", "4", "5"]),
            ({"team": "blue"}, ["5"]),
            ({"team": "blue", "title": "a"}, []),
            ({"owner": "bob", "title": "b"}, ["5"]),
        ):
            found = await ada.call("tasks", action="list", where=where)
            assert [each["id"] for each in found["records"]] == ids


async def test_a_record_that_is_written_as_a_whole_is_edited_all_the_same(app: App) -> None:
    async with assistant(app.url) as ada:
        made = await ada.call("readings", action="create", record={"degrees": 7, "station": "N"})
        await ada.call("readings", action="edit", id=made["id"], changes={"degrees": 8})
        found = (await ada.call("readings", action="get", id=made["id"]))["record"]
        assert found["data"] == {"degrees": 8, "station": "N"}
        old = made["version"]
        error = await ada.refused(
            "readings", action="edit", id=made["id"], version=old, changes={"degrees": 9}
        )
        assert error["code"] == "conflict"
        error = await ada.refused(
            "readings", action="edit", id=made["id"], changes={"degrees": 200}
        )
        assert error["violations"][0]["field"] == "degrees"


async def test_secrets_are_written_and_never_shown(app: App) -> None:
    async with assistant(app.url) as ada, rhtmx.connect(app.url, token="bob") as bob:
        record = {"title": "a", "team": "red", "code": "1234"}
        task = (await ada.call("tasks", action="create", record=record))["id"]
        (change,) = await bob.sync("tasks")
        assert change.data["code"] == "1234"
        for arguments in (
            {"action": "list"},
            {"action": "get", "id": task},
            {"action": "history", "id": task},
        ):
            answer = await ada.caller.call("tasks", arguments)
            assert "1234" not in answer.text + str(answer.content)


async def test_a_form_says_what_is_wrong_and_stores_nothing(app: App) -> None:
    async with assistant(app.url) as ada:
        good = {
            "email": "ada@example.com",
            "age": 36,
            "password": "abc",
            "again": "abc",
            "topics": ["a", "b"],
            "terms": True,
        }
        assert await ada.call("validate_signup", **good) == {"valid": True, "errors": []}
        wrong = await ada.call("validate_signup", **{**good, "age": 12, "email": "ada"})
        assert wrong["valid"] is False
        assert {each["field"]: each["message"] for each in wrong["errors"]} == {
            "age": "must be between 18 and 130",
            "email": "must be an email address",
        }
        wrong = await ada.call("validate_signup", **{**good, "topics": list("abc")})
        assert [each["field"] for each in wrong["errors"]] == ["topics"]
        wrong = await ada.call("validate_signup", **{**good, "again": "x"})
        assert wrong["errors"] == [{"field": "", "message": "passwords differ"}]
        wrong = await ada.call("validate_signup", **{**good, "terms": False, "email": None})
        assert {each["field"] for each in wrong["errors"]} == {"terms", "email"}


async def test_numbers_beyond_what_json_holds_are_refused(app: App) -> None:
    async with assistant(app.url) as ada:
        record = {"title": "a", "team": "red", "votes": 2**53}
        error = await ada.refused("tasks", action="create", record=record)
        assert error["violations"][0]["rule"] == "safe_integer"
        error = await ada.refused(
            "readings", action="create", record={"degrees": float("nan"), "station": "N"}
        )
        assert error["code"] == "bad_message"


async def test_without_writing_only_reading_is_offered(app: App) -> None:
    async with assistant(app.url, read_only=True, only=("tasks",)) as ada:
        assert list(ada.caller.tools) == ["tasks"]
        assert ada.caller.tools["tasks"].read_only
        error = await ada.refused("tasks", action="delete", id="1")
        assert error["message"] == 'action: one of list, get, history expected, got "delete"'


async def test_a_server_that_is_away_is_told_and_found_again(tmp_path: Path) -> None:
    async with application() as app:
        port = port_of(app)
        starting = assistant(app.url, patience=2.0)
        ada = await starting.__aenter__()
    try:
        for arguments in ({"action": "list"}, {"action": "create", "record": {"title": "a"}}):
            error = await ada.refused("tasks", **arguments)
            assert error["code"] == "no_connection"
            assert "Nothing was done" in error["message"]
        async with application(port=port):
            record = TASK
            async with asyncio.timeout(PATIENCE):
                while (
                    await ada.caller.call("tasks", {"action": "create", "record": record})
                ).failed:
                    pass
            assert (await ada.call("tasks", action="list"))["total"] == 1
    finally:
        await starting.__aexit__(None, None, None)


async def test_a_client_that_was_sent_away_for_good_is_made_anew(app: App) -> None:
    async with assistant(app.url) as ada:
        await (await ada.caller.application.ready()).close()
        assert (await ada.call("tasks", action="list"))["total"] == 0


async def test_a_version_that_nobody_has_read_is_refused(app: App) -> None:
    async with assistant(app.url, "ada/admin") as ada:
        await ada.call("tasks", action="create", id="1", record=TASK)
        for arguments in ({"action": "edit", "changes": {"title": "b"}}, {"action": "delete"}):
            error = await ada.refused("tasks", id="1", version=7, **arguments)
            assert error["code"] == "conflict"
            assert "tasks/1 is in version 1, version 7 was expected" in error["message"]


async def test_a_token_that_holds_no_more_is_told_until_there_is_one_that_does(app: App) -> None:
    token = "ada"

    async def fetch() -> SchemaDocument:
        return read_document(await SchemaSource(app.url, None, PATIENCE).read(token))

    running = RunningApplication(
        lambda: rhtmx.connect(app.url, token=token), fetch, shown=app.url, timeout=PATIENCE
    )
    ada = Assistant(ToolCaller(running, read_only=False))
    await running.open()
    try:
        await (await running.ready()).close()
        token = "eve"
        for _ in range(2):
            error = await ada.refused("tasks", action="list")
            assert error["code"] == "unauthenticated"
            assert "who are you?" in error["message"]
            assert "has to give a token that holds" in error["message"]
        token = "ada"
        assert (await ada.call("tasks", action="list"))["total"] == 0
    finally:
        await running.close()


async def test_another_schema_brings_other_tools(tmp_path: Path) -> None:
    async with application() as app:
        port = port_of(app)
        starting = assistant(app.url)
        ada = await starting.__aenter__()
    try:
        changed = asyncio.Event()

        async def told() -> None:
            changed.set()

        ada.caller.application.changed = told
        async with application(OTHER, port=port):
            async with asyncio.timeout(PATIENCE):
                await changed.wait()
            assert list(ada.caller.tools) == ["notes"]
            await ada.call("notes", action="create", record={"text": "a"})
            error = await ada.refused("tasks", action="list")
            assert "list the tools again" in error["message"]
    finally:
        await starting.__aexit__(None, None, None)


class Holding:
    """A proxy that can keep back what the server says."""

    def __init__(self, app: App) -> None:
        self._upstream = port_of(app)
        self._open = asyncio.Event()
        self._open.set()
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            yield f"ws://127.0.0.1:{port}/api/ws"
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def hold(self) -> None:
        self._open.clear()

    def let_go(self) -> None:
        self._open.set()

    async def _connected(self, down: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        up, out = await asyncio.open_connection("127.0.0.1", self._upstream)
        for reader, writer, held in ((down, out, False), (up, to, True)):
            task = asyncio.create_task(self._pass(reader, writer, held))
            self._tasks.add(task)

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, held: bool
    ) -> None:
        try:
            while data := await reader.read(65_536):
                if held:
                    await self._open.wait()
                writer.write(data)
        finally:
            writer.close()


async def test_a_write_without_an_answer_counts_once_and_is_told_later(app: App) -> None:
    holding = Holding(app)
    async with (
        holding.running() as url,
        assistant(url, patience=1.0) as ada,
        rhtmx.connect(app.url, token="bob") as bob,
    ):
        holding.hold()
        error = await ada.refused("tasks", action="create", id="1", record=TASK)
        assert error["code"] == "timeout"
        assert "Do not repeat it" in error["message"]
        holding.let_go()
        ada.caller.application.timeout = PATIENCE
        (change,) = await bob.sync("tasks")
        assert (change.entity_id, change.version) == ("1", 1)
        async with asyncio.timeout(PATIENCE):
            while "earlier" not in (answer := await ada.call("tasks", action="list")):
                pass
        assert answer["earlier"] == ["create of 'tasks/1': written, version 1"]
        assert answer["total"] == 1
        assert "earlier" not in await ada.call("tasks", action="list")


# As a process of its own, spoken to by the protocol.


def started(app_url: str, *options: str, **environ: str) -> Any:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("RHTMX_")}
    return stdio_client(
        StdioServerParameters(
            command=sys.executable,
            args=["-W", "error", "-m", "rhtmx", "mcp", app_url, *options],
            env={**ours, "PYTHONPATH": OURS, **environ},
        )
    )


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_host_lists_tools_and_calls_them(app: App, mode: str) -> None:
    async with Host(started(app.url, RHTMX_TOKEN="ada"), mode=mode) as host:
        tools = {each.name: each for each in (await host.list_tools()).tools}
        assert list(tools) == ["tasks", "readings", "validate_signup"]
        hints = {}
        for each in tools.values():
            jsonschema.Draft202012Validator.check_schema(each.input_schema)
            assert each.annotations is not None
            hints[each.name] = (each.annotations.read_only_hint, each.annotations.destructive_hint)
        assert hints["tasks"] == hints["readings"] == (False, True)
        assert hints["validate_signup"] == (True, False)
        arguments: dict[str, Any] = {
            "action": "create",
            "record": {"title": "Write", "team": "red"},
        }
        jsonschema.validate(arguments, tools["tasks"].input_schema)
        made = await host.call_tool("tasks", arguments)
        assert not made.is_error
        wrong = await host.call_tool("tasks", {"action": "create", "record": {"team": "red"}})
        assert wrong.is_error
        assert wrong.structured_content["error"]["violations"][0]["field"] == "title"
        assert isinstance(wrong.content[0], types.TextContent)
        assert "- title: is required (required)" in wrong.content[0].text
        async with rhtmx.connect(app.url, token="ada") as ada:
            (change,) = await ada.sync("tasks")
        assert change.entity_id == made.structured_content["id"]


async def test_a_host_of_before_is_told_that_there_are_other_tools(tmp_path: Path) -> None:
    told = asyncio.Event()

    async def hear(message: Any) -> None:
        if isinstance(message, types.ToolListChangedNotification):
            told.set()

    async with application() as app:
        port = port_of(app)
        starting = Host(started(app.url, RHTMX_TOKEN="ada"), mode="legacy", message_handler=hear)
        host = await starting.__aenter__()
        await host.list_tools()
    try:
        async with application(OTHER, port=port), asyncio.timeout(PATIENCE):
            await told.wait()
            assert [each.name for each in (await host.list_tools()).tools] == ["notes"]
    finally:
        await starting.__aexit__(None, None, None)


async def test_a_host_that_listens_is_told_that_there_are_other_tools(tmp_path: Path) -> None:
    async with application() as app:
        port = port_of(app)
        starting = Host(started(app.url, RHTMX_TOKEN="ada"))
        host = await starting.__aenter__()
        await host.list_tools()
    try:
        async with (
            host.listen(tools_list_changed=True) as events,
            application(OTHER, port=port),
            asyncio.timeout(PATIENCE),
        ):
            async for _ in events:
                break
            assert [each.name for each in (await host.list_tools()).tools] == ["notes"]
    finally:
        await starting.__aexit__(None, None, None)


async def mcp(*arguments: str, **environ: str) -> tuple[int, str, str]:
    ended = await ran("rhtmx", "mcp", *arguments, code=None, environ=environ, at_once=True)
    return ended.code, ended.output, ended.errors


async def test_what_cannot_begin_ends_with_its_reason_on_standard_error(app: App) -> None:
    address = app.url.replace("ws:", "http:").replace("/ws", "/schema")
    for arguments, environ, code, words in (
        ((app.url,), {}, REFUSED, "who are you?"),
        ((app.url,), {"RHTMX_TOKEN": "eve"}, REFUSED, "who are you?"),
        (("ws://127.0.0.1:1/api/ws",), {}, NO_CONNECTION, "is the server running?"),
        ((app.url, "--only", "task"), {"RHTMX_TOKEN": "ada"}, USAGE, "did you mean tasks?"),
    ):
        ended = await mcp(*arguments, **environ)
        assert (ended[0], ended[1]) == (code, ""), ended
        assert words in ended[2]
    async with application(None, closed=False) as without:
        code_, out, err = await mcp(without.url)
        address = without.url.replace("ws:", "http:").replace("/ws", "/schema")
        assert (code_, out) == (REFUSED, "")
        assert err.startswith(f"error: '{address}': the application has no schema, and tools")
        assert "rhtmx codegen" in err


async def test_it_ends_when_the_host_closes_standard_input(app: App) -> None:
    code, out, err = await mcp(app.url, "--only", "signup", RHTMX_TOKEN="ada")
    assert (code, out) == (0, "")
    told = f"serving tools for '{app.url}' on standard input and output: validate_signup\n"
    assert err == told


async def test_over_tls_it_trusts_whom_it_is_told_to(app: App, tmp_path: Path) -> None:
    ca = authority(tmp_path, "ca")
    async with tls_before(app.url, server_side(signed(tmp_path, "server", ca))) as url:
        code, _, err = await mcp(url, "--ca", str(ca.cert), RHTMX_TOKEN="ada")
        assert (code, err.startswith("serving tools for ")) == (0, True), err
        assert (await mcp(url, RHTMX_TOKEN="ada"))[0] != 0
