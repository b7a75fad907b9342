"""An application whose entities and forms are declared by its schema, from the outside."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

import rhtmx
from rhtmx_server import App, Config, Grant, Request
from tests.support.generated import schema_package

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
  string team = 2 [(rhtmx.v1.field).immutable = true];
  string owner = 3 [(rhtmx.v1.field) = {read_only: true, default: {subject: true}}];
  int64 votes = 4 [(rhtmx.v1.field).merge = MERGE_COUNTER, (buf.validate.field).int64 = {
    gte: 0 lte: 3
  }];
  google.protobuf.Timestamp start = 5;
  google.protobuf.Timestamp due = 6;
  string place = 7 [json_name = "location", (buf.validate.field).string.max_len = 5];
}

// How somebody joins.
message SignUp {
  option (rhtmx.v1.form) = {name: "signup"};
  option (buf.validate.message).cel = {
    id: "agree" message: "passwords differ" expression: "this.password == this.again"
  };
  string email = 1 [(buf.validate.field) = {required: true, string: {email: true}}];
  int32 age = 2 [(buf.validate.field).int32 = {gte: 18, lte: 130}];
  string password = 3 [(buf.validate.field).string.min_len = 3];
  string again = 4;
  repeated string topics = 5 [(buf.validate.field).repeated.max_items = 2];
}
"""


def authenticate(request: Request, token: str) -> Grant:
    name, _, role = token.partition("/")
    return Grant(name, claims={"teams": ["red", "blue"]}, roles={role} if role else set())


@pytest.fixture
async def app() -> AsyncIterator[App]:
    schema = schema_package(SCHEMA).schema
    app = App(
        store="memory://",
        config=Config(port=0),
        authenticate=lambda request: authenticate(request, request.token or ""),
        schema=schema,
    )
    async with app:
        yield app


def client(app: App, name: str = "ada") -> rhtmx.Client:
    return rhtmx.connect(app.url, token=name)


async def refused(writing: Any) -> list[tuple[str, str]]:
    with pytest.raises(rhtmx.RhtmxError) as caught:
        await writing
    assert caught.value.code is rhtmx.ErrorCode.INVALID
    return [(each.field, each.code) for each in caught.value.violations]


async def test_a_raw_write_is_judged_by_the_rules_of_the_schema(app: App) -> None:
    async with client(app) as ada:
        tasks = ada.collection("tasks")
        assert await refused(tasks.set("1", {"team": "red", "votes": 4})) == [
            ("title", "required"),
            ("votes", "int64.gte_lte"),
        ]
        await tasks.set("1", {"title": "Write", "team": "red"})
        assert await refused(tasks.patch("1", {"location": "too long"})) == [
            ("place", "string.max_len")
        ]
        await tasks.patch("1", {"votes": rhtmx.Increment(3)})
        assert await refused(tasks.patch("1", {"votes": rhtmx.Increment(1)})) == [
            ("votes", "int64.gte_lte")
        ]


async def test_two_fields_that_are_written_apart_are_judged_together(app: App) -> None:
    async with client(app) as ada:
        tasks = ada.collection("tasks")
        start = {"title": "Write", "team": "red", "start": "2026-01-02T00:00:00Z"}
        await tasks.set("1", start)
        assert await refused(tasks.patch("1", {"due": "2026-01-01T00:00:00Z"})) == [
            ("", "due_after_start")
        ]


async def test_what_the_schema_says_of_access_and_of_the_server_holds(app: App) -> None:
    async with client(app) as ada, client(app, "bob/admin") as bob:
        tasks = ada.collection("tasks")
        await tasks.set("1", {"title": "Write", "team": "red", "owner": "eve"})
        await tasks.synced()
        record = tasks.get("1")
        assert record is not None
        assert record.data["owner"] == "ada"
        assert await refused(tasks.patch("1", {"owner": "eve"})) == [("owner", "read_only")]
        assert await refused(tasks.patch("1", {"team": "blue"})) == [("team", "immutable")]
        for writing in (tasks.delete("1"), tasks.set("2", {"title": "a", "team": "green"})):
            with pytest.raises(rhtmx.RhtmxError) as caught:
                await writing
            assert caught.value.code is rhtmx.ErrorCode.FORBIDDEN
        await bob.collection("tasks").delete("1")


async def test_a_form_is_judged_by_the_rules_of_the_schema(app: App) -> None:
    async with client(app) as ada:
        for field, text, words in (
            ("email", "", "is required"),
            ("email", "ada", "must be an email address"),
            ("email", "ada@example.com", None),
            ("age", "twelve", "must be a whole number"),
            ("age", "12", "must be between 18 and 130"),
            ("age", " 36 ", None),
        ):
            answer = await ada.validate_field("signup", field, text)
            assert (field, text, answer.error) == (field, text, words)
        good = {"email": "ada@example.com", "age": "36", "password": "abc", "again": "abc"}
        assert (await ada.validate_form("signup", good)).valid
        wrong = await ada.validate_form("signup", good | {"again": "abd"})
        assert [(each.field, each.error) for each in wrong.errors] == [("", "passwords differ")]


def test_what_the_schema_says_is_not_said_once_more() -> None:
    app = App(store="memory://", schema=schema_package(SCHEMA).schema)
    assert app.entity("tasks") is app.entity("tasks")
    with pytest.raises(ValueError, match="entity 'tasks': the schema says how"):
        app.entity("tasks", partition=["owner"])
