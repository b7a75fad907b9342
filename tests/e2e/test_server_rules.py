"""Rules that only the server judges, from the outside: at each door, and in forms."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest
from websockets.asyncio.client import connect

import rhtmx
from rhtmx.wire import decode_json, decode_proto, encode_json, encode_proto
from rhtmx_server import App, Config
from tests.support.generated import schema_package
from tests.support.sockets import raw

pytest.importorskip("protovalidate")

SCHEMA = """
message Task {
  option (rhtmx.v1.entity) = {name: "tasks" server_only_rules: ["fits", "odd", "odd_item"]};
  option (buf.validate.message).cel = {
    id: "fits" message: "does not fit" expression: "this.title.matches(this.format)"
  };
  string title = 1;
  string format = 2 [(rhtmx.v1.field).server_only = true];
  string odd = 3 [(buf.validate.field).cel = {id: "odd" expression: "this.matches(this)"}];
  string mail = 4 [(rhtmx.v1.field).deliverable = true,
                   (buf.validate.field).ignore = IGNORE_IF_ZERO_VALUE];
  int64 votes = 5;
  repeated string odds = 6 [(buf.validate.field).repeated.items.cel = {
    id: "odd_item" expression: "this.matches(this)"
  }];
  repeated int32 numbers = 7 [(buf.validate.field).repeated.items.int32.gte = 1];
  map<string, Numbers> named = 8;
}

message Numbers {
  repeated int32 numbers = 1 [(buf.validate.field).repeated.items.int32.gte = 1];
}

message SignUp {
  option (rhtmx.v1.form) = {name: "signup" server_only_rules: ["fits", "odd"]};
  option (buf.validate.message).cel = {
    id: "fits" message: "does not fit" expression: "this.name.matches(this.format)"
  };
  string name = 1;
  string format = 2;
  string odd = 3 [(buf.validate.field) = {
    string: {max_len: 5} cel: {id: "odd" expression: "this.matches(this)"}
  }];
  string mail = 4 [(rhtmx.v1.field).deliverable = true, (buf.validate.field).string.email = true];
}
"""

MAIL = ("mail", "deliverable", "must be an email address that can receive mail")
ODD = ("odd", "odd", "must satisfy this.matches(this)")
FITS = ("", "fits", "does not fit")
OLD = "2020-01-01T00:00:00Z"


@pytest.fixture
async def app() -> AsyncIterator[App]:
    schema = schema_package(SCHEMA).schema
    async with App(store="memory://", config=Config(port=0, grpc_port=0), schema=schema) as app:
        await app.changes.push("tasks", "1", {"title": "abc", "format": "^[a-z]+$"})
        yield app


async def refused(writing: Awaitable[object]) -> list[tuple[str, str, str]]:
    with pytest.raises(rhtmx.RhtmxError) as caught:
        await writing
    assert caught.value.code is rhtmx.ErrorCode.INVALID
    return [(each.field, each.code, each.message) for each in caught.value.violations]


WRONG: list[tuple[dict[str, Any], tuple[str, str, str]]] = [
    ({"title": "A"}, FITS),
    ({"odd": "a{2}"}, ODD),
    ({"mail": "a@localhost"}, MAIL),
]


@pytest.mark.parametrize(("fields", "said"), WRONG)
async def test_they_are_judged_at_every_door(app: App, fields: dict[str, Any], said: Any) -> None:
    async with rhtmx.connect(app.url) as client:
        tasks = client.collection("tasks")
        assert await refused(tasks.patch("1", fields)) == [said]
        assert await refused(tasks.set("1", {"title": "abc", **fields})) == [said]
        with pytest.raises(rhtmx.RhtmxError) as caught:
            async with client.transaction() as some:
                some.patch("tasks", "1", fields)
        assert [(e.field, e.code, e.message) for e in caught.value.violations] == [said]
    async with rhtmx.backend(app.grpc_address) as backend:
        assert await refused(backend.push_fields("tasks", "1", fields)) == [said]
        assert await refused(backend.push("tasks", "1", {"title": "abc", **fields})) == [said]
    assert await refused(app.fields.push("tasks", "1", fields)) == [said]
    changed = {"title": "abc", **fields}
    assert await refused(app.changes.push("tasks", "1", changed)) == [said]


@pytest.mark.parametrize(
    ("fields", "said"),
    [*WRONG[1:], ({"odds": ["a{2}"]}, ("odds[0]", "odd_item", "must satisfy this.matches(this)"))],
)
async def test_they_are_judged_of_what_loses_too(
    app: App, fields: dict[str, Any], said: tuple[str, str, str]
) -> None:
    """It is kept, and told to those who answer conflicts."""
    good: dict[str, Any] = {"odd": "a", "mail": "a@example.com", "odds": ["a"], "title": "b"}
    await app.fields.push("tasks", "1", good)
    late = {"type": "push_fields", "entity": "tasks", "entity_id": "1", "base_version": 1}
    async with raw(app.url) as socket:
        await socket.send({"type": "hello"})
        for values in (
            fields,
            {"odd": "c", "mail": "c@example.com", "odds": ["c"]},
            {"title": "A"},
        ):
            updates = [
                {"field": name, "action": "update", "value": value, "timestamp": OLD}
                for name, value in values.items()
            ]
            await socket.send({**late, "fields": updates})
        answers = [
            await socket.until_that(lambda told: told["type"] in ("error", "field_push_ack"))
            for _ in range(3)
        ]
    # What the field could have may lose; so may what only a rule of the whole record refuses.
    assert [each["type"] for each in answers] == ["error", "field_push_ack", "field_push_ack"]
    (error, *_) = answers
    (wrong,) = error["details"]["violations"]
    assert (wrong["field"], wrong["code"], wrong["message"]) == said


@pytest.mark.parametrize("protocol", ["rhtmx.v1.json", "rhtmx.v1.proto"])
@pytest.mark.parametrize(("fields", "said"), WRONG)
async def test_they_are_judged_in_both_formats(
    app: App, protocol: Any, fields: dict[str, Any], said: tuple[str, str, str]
) -> None:
    proto = protocol == "rhtmx.v1.proto"
    push = {"type": "push", "entity": "tasks", "entity_id": "1", "action": "update"}
    async with connect(app.url, subprotocols=[protocol]) as socket:
        for message in (
            {"type": "hello"},
            {**push, "base_version": 1, "data": {"title": "abc", **fields}},
        ):
            plain = decode_json(json.dumps(message).encode())
            await socket.send(encode_proto(plain) if proto else encode_json(plain).decode())
        await socket.recv()
        answer = await socket.recv()
    heard: Any = decode_proto(answer) if proto else decode_json(str(answer).encode())  # type: ignore[arg-type]
    assert said[1].encode() in heard.details
    assert said[2].encode() in heard.details


async def test_the_old_endpoints_judge_them_too(app: App) -> None:
    url = app.url.replace("/api/ws", "/api/sync/ws")
    async with raw(url) as socket:
        await socket.send(
            {
                "type": "push",
                "entity": "tasks",
                "entity_id": "1",
                "action": "update",
                "data": {"title": "A"},
                "base_version": 1,
            }
        )
        answer = await socket.until("error")
    assert "does not fit" in str(answer)


async def test_an_old_row_is_in_nobodys_way_who_writes_something_else(app: App) -> None:
    async with rhtmx.connect(app.url) as client:
        await client.collection("tasks").patch("1", {"votes": 1})


async def test_a_rule_that_fails_is_told_as_one_of_ours(app: App) -> None:
    async with rhtmx.connect(app.url) as client:
        ((field, code, words),) = await refused(client.collection("tasks").patch("1", {"odd": "("}))
    assert (field, code) == ("odd", "odd")
    assert words.startswith("cannot be judged: invalid regular expression")


async def test_a_form_has_them_at_its_fields_and_as_a_whole(app: App) -> None:
    async with rhtmx.connect(app.url) as client:
        answer = await client.validate_field("signup", "odd", "a{2}")
        assert answer.error == ODD[2]
        assert (await client.validate_field("signup", "odd", "a{2}b{2}")).error == (
            "must have at most 5 characters"
        )
        assert (await client.validate_field("signup", "mail", "a@localhost")).error == MAIL[2]
        assert (await client.validate_field("signup", "mail", "ada@example.com")).valid
        right = {"name": "abc", "format": "^[a-z]+$", "odd": "a", "mail": "ada@example.com"}
        assert (await client.validate_form("signup", right)).valid
        whole = await client.validate_form("signup", {**right, "name": "A"})
        assert [(e.field, e.error) for e in whole.errors] == [("", "does not fit")]


async def test_of_many_violations_a_hundred_are_told_at_every_door(app: App) -> None:
    """Also of those that only the server finds; a call of gRPC has room for fewer."""
    fields = {"odds": ["a{2}"] * 3000}
    async with rhtmx.connect(app.url) as client:
        found = await refused(client.collection("tasks").patch("1", fields))
        assert [code for _, code, _ in found] == ["odd_item"] * 100 + ["more"]
        typed = await refused(client.collection("tasks").patch("1", {"numbers": [0] * 3000}))
        assert [code for _, code, _ in typed] == ["int32.gte"] * 100 + ["more"]
    with pytest.raises(rhtmx.RhtmxError) as caught:
        await app.fields.push("tasks", "1", fields)
    assert len(caught.value.violations) == 101
    async with rhtmx.backend(app.grpc_address) as backend:
        found = await refused(backend.push_fields("tasks", "1", fields))
        assert found[0] == ("odds[0]", "odd_item", "must satisfy this.matches(this)")
        assert found[-1][1] == "more"


async def test_the_answer_is_not_many_times_as_large_as_the_record(app: App) -> None:
    """Each violation names its place, and so the key of a map that is as long as the record."""
    fields = {"named": {"k" * 30_000: {"numbers": [0] * 100}}}
    async with rhtmx.connect(app.url) as client:
        with pytest.raises(rhtmx.RhtmxError) as caught:
            await client.collection("tasks").patch("1", fields)
    assert len(caught.value.details or b"") < 100_000
    assert [each.code for each in caught.value.violations] == ["int32.gte", "more"]


WITHIN = """
message Login { string key = 1 [(rhtmx.v1.field).secret = true]; Login older = 2; }
message User {
  option (rhtmx.v1.entity) = {name: "users" server_only_rules: ["own", "both"]};
  option (buf.validate.message).cel = {
    id: "both" message: "x" expression: "!has(this.login) || this.name.matches(this.login.key)"
  };
  option (buf.validate.message).cel = {
    id: "ours" message: "x" expression: "!has(this.login) || int(this.login.key) > 0"
  };
  string name = 1;
  Login login = 2 [(buf.validate.field).cel = {id: "own" expression: "this.key.matches(this.key)"},
                   (buf.validate.field).cel = {id: "number" expression: "int(this.key) > 0"}];
}
"""


async def test_why_a_rule_fails_tells_no_secret_within_a_message() -> None:
    schema = schema_package(WITHIN).schema
    async with (
        App(store="memory://", config=Config(port=0), schema=schema) as app,
        rhtmx.connect(app.url) as client,
    ):
        users = client.collection("users")
        said = await refused(users.set("1", {"name": "a", "login": {"key": "(s3cret"}}))
    words = "cannot be judged: a value is secret"
    assert said == [
        ("login", "number", words),
        ("", "ours", words),
        ("login", "own", words),
        ("", "both", words),
    ]
