"""Conflicts as data, over real doors: read like any entity, answered once, by who may."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from rhtmx_server import App, Change, Config, ErrorCode, Grant, Request, RhtmxError
from rhtmx_server.access import claim, role
from tests.support.grpcio_client import Backend, backend, generated
from tests.support.sockets import Raw, raw

CANARY = "canary"
LOG = "$conflicts/tasks"
NOW = "2026-01-01T00:00:0{}Z"
USERS = {
    "ann": Grant("ann", claims={"team": "red"}),
    "ben": Grant("ben", claims={"team": "red"}),
    "eve": Grant("eve", claims={"team": "blue"}),
    "bob": Grant("bob", roles={"clerk"}),
}


async def users(request: Request) -> Grant:
    return USERS[request.token]


@pytest.fixture
async def app(store: str) -> AsyncIterator[App]:
    """A server that everybody may use."""
    app = App(store=store, config=Config(port=0, grpc_port=0))
    app.entity("tasks", merge={"status": "server_wins"})
    app.entity("cursors", conflicts=False)
    app.entity("prices", fields=False)
    async with app:
        yield app


def tenanted(store: str) -> App:
    app = App(store=store, config=Config(port=0, grpc_port=0), authenticate=users)
    app.entity("tasks", partition=["team"]).access(
        read=claim("team") | role("clerk"), write=claim("team")
    )
    docs = app.entity("docs", partition=["team"])
    docs.access(write=claim("team"))

    @app.scope("docs")
    async def readable(who: Grant) -> Any:
        return {"team": who.claims["team"]}

    return app


@pytest.fixture
async def tenants(store: str) -> AsyncIterator[App]:
    async with tenanted(store) as app:
        yield app


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def enter(stack: AsyncExitStack, app: App, name: str, *, token: bool = False) -> Raw:
    client = await stack.enter_async_context(raw(app.url))
    hello: dict[str, Any] = {"type": "hello", "client_id": f"c-{name}"}
    await client.ask(hello | ({"token": name} if token else {}), "welcome")
    return client


def fields(base: int, at: int, entity: str = "tasks", **values: Any) -> dict[str, Any]:
    updates = [
        {"field": name, "value": value, "action": "update", "timestamp": NOW.format(at)}
        for name, value in values.items()
    ]
    write = {"entity": entity, "entity_id": "1", "fields": updates, "base_version": base}
    return {"type": "push_fields", **write}


def answer(*numbers: int, log: str = LOG) -> dict[str, Any]:
    updates = [
        {"field": f"${each}", "action": "delete", "timestamp": NOW.format(9)} for each in numbers
    ]
    write = {"entity": log, "entity_id": "1", "fields": updates, "base_version": max(numbers)}
    return {"type": "push_fields", **write, "if_unchanged": True}


async def told(client: Raw, message: dict[str, Any]) -> dict[str, Any]:
    """The answer to a write: an acknowledgement, or why not."""
    await client.send(message)
    kinds = ("field_push_ack", "push_ack", "transaction_ack", "error")
    return await client.until_that(lambda m: m["type"] in kinds)


def together(*writes: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "transaction",
        "writes": [{k: v for k, v in each.items() if k != "type"} for each in writes],
    }


async def follow(client: Raw, entity: str = LOG, since: Any = None) -> dict[str, Any]:
    """Read a log from its beginning, and go on; where it is live."""
    position = since or {"epoch": "", "version": 0}
    subscribe = {"type": "subscribe", "entities": [entity], "since": {entity: position}}
    return await client.ask(subscribe, "sync_complete")


async def conflict(app: App, entity: str = "tasks", **more: Any) -> None:
    """Two write one title of a record that both have seen."""
    base = (await app.changes.push(entity, "1", {"title": "a", **more})).version
    for client_id, value in (("c-ann", f"{CANARY}-lost"), ("c-ben", f"{CANARY}-won")):
        await app.fields.push(entity, "1", {"title": value}, base_version=base, client_id=client_id)


async def test_what_lost_is_read_live_and_after_a_break(app: App, stack: AsyncExitStack) -> None:
    ann, ben = await enter(stack, app, "ann"), await enter(stack, app, "ben")
    position = await follow(ann)
    await ann.push("tasks", "1", {"title": "a"})
    assert (await told(ann, fields(1, 1, title="b")))["version"] == 2
    await ben.send(fields(1, 2, title="c"))
    reported = await ben.until("field_conflict")
    assert (reported["conflict"], reported["server_client_id"]) == (1, "c-ann")
    change = (await ann.until("change", version=None))["change"]
    assert (change["entity"], change["entity_id"], change["version"]) == (LOG, "1", 1)
    kept = change["data"]["$1"]
    assert (kept["stored"]["value"], kept["pushed"]["value"]) == ("b", "c")
    assert kept["winner"] == reported["winner"]
    late = await enter(stack, app, "late")
    at = {"epoch": position["epoch"], "version": position["version"]}
    await follow(late, since=at)
    assert [m["change"]["data"] for m in late.log if m["type"] == "change"] == [change["data"]]


async def test_an_answer_is_one_step_and_there_is_one(app: App, stack: AsyncExitStack) -> None:
    await conflict(app)
    ann, ben = await enter(stack, app, "ann"), await enter(stack, app, "ben")
    await follow(ann)
    first, second = await asyncio.gather(
        told(ann, together(fields(3, 5, title="ann's"), answer(1))),
        told(ben, together(fields(3, 5, title="ben's"), answer(1))),
    )
    assert {first["type"], second["type"]} == {"transaction_ack", "error"}
    winner, loser = ("ann", second) if first["type"] == "transaction_ack" else ("ben", first)
    assert loser["code"] == "conflict"
    current = await app.changes.get("tasks", "1")
    assert current is not None
    assert current.data == {"title": f"{winner}'s"}
    assert await app.changes.get(LOG, "1") is None
    gone = await ann.until_that(
        lambda m: m["type"] == "change" and m["change"]["action"] == "delete"
    )
    assert gone["change"]["entity"] == LOG


async def test_what_one_push_opens_is_told_once(app: App, stack: AsyncExitStack) -> None:
    many = {f"f{number}": 0 for number in range(64)}
    base = (await app.changes.push("tasks", "1", many)).version
    reader = await enter(stack, app, "ann")
    await follow(reader)
    for client_id in ("x", "y"):
        await app.fields.push("tasks", "1", many | {"f0": client_id}, client_id=client_id)
    await app.fields.push("tasks", "1", dict.fromkeys(many, "z"), base_version=base, client_id="z")
    changes = [m["change"] for m in await reader.settle() if m["type"] == "change"]
    assert [len(each["data"]) for each in changes] == [64]


async def test_a_transaction_that_is_rejected_leaves_no_conflict(
    app: App, stack: AsyncExitStack
) -> None:
    await app.changes.push("tasks", "1", {"title": "a"})
    await app.fields.push("tasks", "1", {"title": "b"}, client_id="x", base_version=1)
    ben = await enter(stack, app, "ben")
    await follow(ben)
    wrong = {"entity": "tasks", "entity_id": "2", "action": "update", "data": {}, "base_version": 9}
    error = await told(ben, together(fields(1, 2, title="c"), wrong))
    assert error["code"] == "conflict"
    assert await app.changes.get(LOG, "1") is None
    assert [m for m in await ben.settle() if m["type"] == "change"] == []


async def test_of_many_the_last_64_stay(app: App) -> None:
    await app.changes.push("tasks", "1", {"status": 0})
    await app.fields.push("tasks", "1", {"status": 1}, client_id="first", base_version=1)
    for number in range(70):
        await app.fields.push(
            "tasks", "1", {"status": number}, client_id=f"c{number}", base_version=1
        )
    log = await app.changes.get(LOG, "1")
    assert log is not None
    assert [each["pushed"]["client_id"] for each in log.data.values()] == [
        f"c{number}" for number in range(6, 70)
    ]


@pytest.mark.parametrize(
    ("write", "code"),
    [
        ({"type": "push", "entity": LOG, "entity_id": "1", "action": "delete"}, "not_supported"),
        (answer(1) | {"if_unchanged": False}, "not_supported"),
        (fields(0, 1, entity=LOG, title="x") | {"if_unchanged": True}, "not_supported"),
        (answer(1, log="$conflicts/cursors"), "not_supported"),
        (answer(1, log="$conflicts/prices"), "not_supported"),
        (answer(1, log="$conflicts/nothing"), "unknown_entity"),
        (answer(1, log="$conflicts/$conflicts/tasks"), "unknown_entity"),
        (fields(0, 1, entity="$mine", title="x"), "unknown_entity"),
        (answer(1, log="$conflicts/" + "x" * 256), "bad_message"),
    ],
)
async def test_a_client_writes_nothing_into_a_log_but_answers(
    app: App, stack: AsyncExitStack, write: dict[str, Any], code: str
) -> None:
    await conflict(app)
    ann = await enter(stack, app, "ann")
    error = await told(ann, write)
    assert (error["type"], error["code"]) == ("error", code)
    inside = await told(ann, together(fields(3, 5, title="x"), write))
    assert (inside["type"], inside["code"]) == ("error", code)
    log = await app.changes.get(LOG, "1")
    assert log is not None
    assert list(log.data) == ["$1"]


async def test_a_log_is_read_as_whole_records(app: App, stack: AsyncExitStack) -> None:
    ann = await enter(stack, app, "ann")
    await ann.send({"type": "subscribe_fields", "entities": [LOG]})
    error = await ann.until("error")
    assert (error["code"], "whole records" in error["message"]) == ("not_supported", True)


async def test_an_entity_with_the_longest_name_has_a_log(store: str) -> None:
    name = "x" * 255
    app = App(store=store, config=Config(port=0))
    app.entity(name, partition=["team"]).access(all=claim("team"))
    async with app:
        await conflict(app, name, team="red")
        log = await app.changes.get(f"$conflicts/{name}", "1")
        assert log is not None
        assert log.data["team"] == "red"


async def test_the_longest_name_is_read_and_answered(store: str, stack: AsyncExitStack) -> None:
    log = "$conflicts/" + "x" * 255
    async with App(store=store, config=Config(port=0)) as app:
        await conflict(app, "x" * 255)
        ann = await enter(stack, app, "ann")
        await follow(ann, log)
        assert [m["change"]["entity"] for m in ann.log if m["type"] == "change"] == [log]
        assert (await told(ann, answer(1, log=log)))["type"] == "field_push_ack"


async def test_logs_do_not_count_as_entities(store: str, stack: AsyncExitStack) -> None:
    async with App(store=store, config=Config(port=0, entities=2)) as app:
        await conflict(app)
        assert await app.changes.get(LOG, "1") is not None
        await app.changes.push("others", "1", 1)
        with pytest.raises(RhtmxError, match="one more entity") as caught:
            await app.changes.push("third", "1", 1)
        assert caught.value.code is ErrorCode.UNKNOWN_ENTITY


async def test_hooks_are_not_called_for_logs(app: App) -> None:
    seen: list[Change] = []

    @app.on_commit
    async def note(change: Change) -> None:
        seen.append(change)

    await conflict(app)
    await app.changes.push("tasks", "2", {})
    await app.stop()
    assert {each.entity for each in seen} == {"tasks"}
    assert seen[-1].entity_id == "2"
    with pytest.raises(ValueError, match="conflict logs"):
        app.on_commit(LOG)(note)


async def test_no_program_declares_a_name_of_the_server() -> None:
    for name in ("$", LOG, "$tasks"):
        with pytest.raises(ValueError, match="names that begin with"):
            App(store="memory://").entity(name)


# Over gRPC.


@pytest.fixture(scope="session")
def messages(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return generated(tmp_path_factory.getbasetemp() / "conflict-stubs")


@pytest.fixture
async def service(app: App, messages: Any) -> AsyncIterator[Backend]:
    async with backend(messages, app.grpc_address) as client:
        yield client


async def test_a_backend_watches_and_answers(app: App, service: Backend) -> None:
    await conflict(app)
    m = service.m
    watch = service.stream(
        "Watch", m.WatchRequest(entity=LOG, since=m.Position(epoch="", version=0))
    )
    change = (await watch.until("change")).change
    assert json.loads(change.data)["$1"]["stored"]["value"] == f"{CANARY}-lost"
    gone = m.FieldUpdate(field="$1", action=m.FIELD_ACTION_DELETE, timestamp={"seconds": 1})
    title = m.FieldUpdate(
        field="title", value=b'"mine"', action=m.FIELD_ACTION_UPDATE, timestamp={"seconds": 2}
    )
    write = m.TransactionWrite(entity="tasks", entity_id="1", fields=[title], base_version=3)
    closing = m.TransactionWrite(
        entity=LOG, entity_id="1", fields=[gone], base_version=1, if_unchanged=True
    )
    order = m.Transaction(writes=[write, closing])
    done = await service.ask("Transact", order)
    assert len(done.ack.results) == 2
    refused = await service.refused("Transact", order)
    assert "conflict" in repr(refused).lower()
    while change.action != m.CHANGE_ACTION_DELETE:
        change = (await watch.until("change")).change
    watch.cancel()
    current = await app.changes.get("tasks", "1")
    assert current is not None
    assert current.data == {"title": "mine"}


# Of several tenants.


@pytest.mark.parametrize("entity", ["tasks", "docs"])
async def test_nobody_else_sees_one_not_even_who_gets_its_record(
    tenants: App, stack: AsyncExitStack, entity: str
) -> None:
    log = f"$conflicts/{entity}"
    ann = await enter(stack, tenants, "ann", token=True)
    eve = await enter(stack, tenants, "eve", token=True)
    for each in (ann, eve):
        await follow(each, log)
    await conflict(tenants, entity, team="red")
    change = (await ann.until("change"))["change"]
    assert (change["data"]["team"], change["data"]["$1"]["winner"]) == ("red", "client")
    assert (await told(eve, answer(1, log=log)))["code"] == "conflict"
    await eve.settle()
    assert CANARY not in json.dumps(eve.log)
    await tenants.fields.push(entity, "1", {"team": "blue"}, client_id="mover")
    await ann.until_that(lambda m: m["type"] == "change" and m["change"]["action"] == "delete")
    for each in (ann, eve):
        assert (await told(each, answer(1, log=log)))["code"] == "conflict"
    assert CANARY not in json.dumps(eve.log)
    assert await tenants.changes.get(log, "1") is None


async def test_who_may_only_read_the_records_reads_none(
    tenants: App, stack: AsyncExitStack
) -> None:
    bob = await enter(stack, tenants, "bob", token=True)
    await conflict(tenants, team="red")
    await follow(bob)
    assert [m for m in bob.log if m["type"] == "change"] == []
    assert CANARY not in json.dumps(bob.log)
    assert (await told(bob, answer(1)))["code"] == "conflict"


async def test_what_is_wanted_of_an_entity_can_be_wanted_of_its_log(
    tenants: App, stack: AsyncExitStack
) -> None:
    ann = await enter(stack, tenants, "ann", token=True)
    await conflict(tenants, team="red")
    for team, count in (("red", 1), ("blue", 0)):
        subscribe = {
            "type": "subscribe",
            "entities": [LOG],
            "where": {LOG: {"team": team}},
            "since": {LOG: {"epoch": "", "version": 0}},
        }
        before = len(ann.log)
        await ann.ask(subscribe, "sync_complete")
        changes = [m for m in ann.log[before:] if m["type"] == "change"]
        assert len(changes) == count


async def test_it_survives_a_restart_with_who_wrote_it(
    tmp_path: Path, stack: AsyncExitStack
) -> None:
    store = f"sqlite:///{tmp_path / 'app.db'}"
    async with tenanted(store) as app:
        ann = await enter(stack, app, "ann", token=True)
        await ann.push("tasks", "1", {"title": "a", "team": "red"})
        await told(ann, fields(1, 1, title="b"))
    async with tenanted(store) as app:
        ben = await enter(stack, app, "ben", token=True)
        await told(ben, fields(1, 2, title="c"))
    async with tenanted(store) as app:
        again = await enter(stack, app, "ann", token=True)
        await follow(again)
        (change,) = [m["change"] for m in again.log if m["type"] == "change"]
        kept = change["data"]["$1"]
        assert (kept["stored"]["subject"], kept["pushed"]["subject"]) == ("ann", "ben")
        assert (await told(again, answer(1)))["type"] == "field_push_ack"
    async with tenanted(store) as app:
        assert await app.changes.get(LOG, "1") is None
        with pytest.raises(RhtmxError) as caught:
            await app.fields.push(LOG, "1", {}, delete=["$1"], base_version=1, if_unchanged=True)
        assert caught.value.code is ErrorCode.CONFLICT


async def test_what_moved_while_no_log_was_kept_is_not_shown_where_it_was(
    tmp_path: Path, stack: AsyncExitStack
) -> None:
    store = f"sqlite:///{tmp_path / 'app.db'}"
    async with tenanted(store) as app:
        await conflict(app, team="blue")
    silent = App(store=store, config=Config(port=0))
    silent.entity("tasks", conflicts=False)
    async with silent as app:
        await app.changes.push("tasks", "1", {"team": "red", "title": "moved"})
    async with tenanted(store) as app:
        eve = await enter(stack, app, "eve", token=True)
        await follow(eve)
        await eve.settle()
        assert CANARY not in json.dumps(eve.log)


async def test_other_rights_take_away_what_is_open(store: str, stack: AsyncExitStack) -> None:
    rights = {"ann": ["red"]}
    app = App(store=store, config=Config(port=0), authenticate=users)
    app.entity("docs", partition=["team"]).access(write=claim("team"))

    @app.scope("docs")
    async def readable(who: Grant) -> Any:
        return {"team": rights[who.subject]}

    async with app:
        await conflict(app, "docs", team="red")
        ann = await enter(stack, app, "ann", token=True)
        await follow(ann, "$conflicts/docs")
        assert sum(m["type"] == "change" for m in ann.log) == 1
        rights["ann"] = []
        await app.rescope("ann")
        begin = await ann.until("sync_begin")
        assert (begin["entity"], begin["reset"]) == ("$conflicts/docs", True)
        await ann.until("sync_complete")
        assert sum(m["type"] == "change" for m in ann.log) == 1
