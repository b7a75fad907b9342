"""What has become of a record, and who wrote it: over sockets, gRPC and in process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import apsw
import pytest

import rhtmx
from rhtmx_server import App, Config, ErrorCode, Grant, Request, RhtmxError
from rhtmx_server.access import claim, role
from rhtmx_server.stores import MemoryStore
from tests.support.sockets import Raw, raw

CANARY = "canary"
USERS = {
    "ada": Grant("ada", claims={"team": "red"}),
    "eve": Grant("eve", claims={"team": "blue"}),
    "bob": Grant("bob", roles={"clerk"}),
}


async def authenticate(request: Request) -> Grant:
    if request.token not in USERS:
        raise RhtmxError(ErrorCode.UNAUTHENTICATED, "no such token")
    return USERS[request.token]


def build(store: str) -> App:
    config = Config(port=0, grpc_port=0)
    app = App(store=store, config=config, authenticate=authenticate)
    app.entity("tasks", partition=["team"]).access(all=claim("team") | role("clerk"))
    app.entity("plain", fields=False).access(all=role("clerk"))
    return app


@pytest.fixture
async def app(store: str) -> AsyncIterator[App]:
    async with build(store) as app:
        yield app


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


class Reader:
    """Somebody at both doors, who has to be told the same at each."""

    def __init__(self, socket: Raw, backend: rhtmx.Backend) -> None:
        self.socket = socket
        self.backend = backend

    async def history(self, entity_id: str, entity: str = "tasks", **options: Any) -> Any:
        """The answer to the question, or the code of the error."""
        asked = {"type": "history", "entity": entity, "entity_id": entity_id, **options}
        if "until" in asked:
            asked["until"] = asked["until"].isoformat()
        answer = await self._ask(asked, "history_result")
        other = await outcome(self.backend.record_history(entity, entity_id, **options))
        if isinstance(other, tuple):
            assert answer == other
            return answer[0]
        assert [each["change"]["version"] for each in answer["commits"]] == [
            each.version for each in other
        ]
        for mine, theirs in zip(answer["commits"], other, strict=True):
            assert mine["change"]["data"] == theirs.data
            assert tuple(mine["changed"]) == theirs.changed
            assert mine.get("subject") == theirs.subject
        assert (answer.get("before"), answer["complete"]) == (other.before, other.complete)
        return answer

    async def blame(self, entity_id: str, entity: str = "tasks") -> Any:
        """Version and author of each field, or the code of the error."""
        asked = {"type": "blame", "entity": entity, "entity_id": entity_id}
        answer = await self._ask(asked, "blame_result")
        other = await outcome(self.backend.blame(entity, entity_id))
        if isinstance(other, tuple):
            assert answer == other
            return answer[0]
        fields = {
            each["field"]: (each["version"], each.get("client_id"), each.get("subject"))
            for each in answer["fields"]
        }
        assert fields == {
            name: (each.version, each.client_id, each.subject) for name, each in other.items()
        }
        return fields

    async def _ask(self, asked: dict[str, Any], kind: str) -> Any:
        await self.socket.send({**asked, "request_id": "r"})
        answer = await self.socket.until_that(lambda m: m.get("request_id") == "r")
        if answer["type"] == "error":
            return answer["code"], answer["message"]
        assert answer["type"] == kind
        return answer


async def outcome(call: Awaitable[Any]) -> Any:
    """The answer to a call, or code and words of its error."""
    try:
        return await call
    except RhtmxError as error:
        return error.code.name.lower(), error.message


async def enter(stack: AsyncExitStack, app: App, name: str) -> Reader:
    socket = await stack.enter_async_context(raw(app.url))
    await socket.ask({"type": "hello", "token": name, "client_id": f"c-{name}"}, "welcome")
    backend = rhtmx.backend(app.grpc_address, token=name)
    return Reader(socket, await stack.enter_async_context(backend))


def told(answer: Any) -> list[tuple[int, str, list[str], str | None]]:
    return [
        (
            each["change"]["version"],
            "left" if each["change"].get("left") else each["change"]["action"],
            each["changed"],
            each.get("subject"),
        )
        for each in answer["commits"]
    ]


async def patch(reader: Reader, entity_id: str, **fields: Any) -> None:
    updates = [
        {"field": name, "value": value, "action": "update", "timestamp": _now()}
        for name, value in fields.items()
    ]
    push = {"type": "push_fields", "entity": "tasks", "entity_id": entity_id, "fields": updates}
    await reader.socket.ask(push, "field_push_ack")


def _now() -> str:
    return datetime.now(UTC).isoformat()


# What happened, and who did it.


async def test_each_commit_says_what_it_changed_and_who_made_it(
    app: App, stack: AsyncExitStack
) -> None:
    ada, bob = await enter(stack, app, "ada"), await enter(stack, app, "bob")
    await ada.socket.push("tasks", "1", {"team": "red", "title": "a", "done": False})
    await bob.socket.push("tasks", "2", {"team": "red"})
    await patch(bob, "1", done=True)
    await app.changes.push("tasks", "1", {"team": "red", "done": True, "by": "the program"})
    answer = await ada.history("1")
    assert told(answer) == [
        (4, "update", ["by", "title"], None),
        (3, "update", ["done"], "bob"),
        (1, "create", ["done", "team", "title"], "ada"),
    ]
    assert answer["complete"]
    assert answer["commits"][1]["change"]["data"] == {"team": "red", "title": "a", "done": True}
    assert answer["commits"][1]["change"]["client_id"] == "c-bob"
    assert await ada.blame("1") == {
        "team": (1, "c-ada", "ada"),
        "done": (3, "c-bob", "bob"),
        "by": (4, None, None),
    }


async def test_the_program_of_the_server_is_told_the_same(app: App, stack: AsyncExitStack) -> None:
    ada = await enter(stack, app, "ada")
    await ada.socket.push("tasks", "1", {"team": "red", "n": 1})
    await app.fields.push("tasks", "1", {"n": 2})
    history = await app.changes.history("tasks", "1")
    assert [(each.version, each.action, each.changed, each.subject) for each in history] == [
        (2, "update", ("n",), None),
        (1, "create", ("n", "team"), "ada"),
    ]
    assert [each.data for each in history] == [{"team": "red", "n": 2}, {"team": "red", "n": 1}]
    authors = await app.fields.blame("tasks", "1")
    assert {name: each.version for name, each in authors.items()} == {"n": 2, "team": 1}
    for missing in (app.changes.history, app.fields.blame):
        with pytest.raises(RhtmxError, match="there is no record tasks/2") as caught:
            await missing("tasks", "2")
        assert caught.value.code is ErrorCode.NOT_FOUND


async def test_a_record_that_was_deleted_can_still_be_looked_at(
    app: App, stack: AsyncExitStack
) -> None:
    ada = await enter(stack, app, "ada")
    await ada.socket.push("tasks", "1", {"team": "red", "n": 1})
    await ada.socket.push("tasks", "1", None)
    answer = await ada.history("1", before=3, limit=2)
    assert told(answer) == [
        (2, "delete", ["n", "team"], "ada"),
        (1, "create", ["n", "team"], "ada"),
    ]
    assert await ada.blame("1") == "not_found"


async def test_pages_follow_one_another_to_the_beginning(app: App, stack: AsyncExitStack) -> None:
    ada = await enter(stack, app, "ada")
    for n in range(7):
        await app.changes.push("tasks", "1", {"team": "red", "n": n})
        await app.changes.push("tasks", "2", {"team": "red", "n": n})
    seen: list[int] = []
    options: dict[str, Any] = {"limit": 3}
    while True:
        answer = await ada.history("1", **options)
        seen += [each["change"]["data"]["n"] for each in answer["commits"]]
        if "before" not in answer:
            break
        assert not answer["complete"]
        options["before"] = answer["before"]
    assert seen == [6, 5, 4, 3, 2, 1, 0]
    assert answer["complete"]


async def test_a_record_is_shown_as_it_was_at_a_time(app: App, stack: AsyncExitStack) -> None:
    ada = await enter(stack, app, "ada")
    for n in range(3):
        await app.changes.push("tasks", "1", {"team": "red", "n": n})
    _, middle, first = [each.created_at for each in await app.changes.history("tasks", "1")]
    for time, n in ((middle, 1), (first, 0), (middle + timedelta(days=1), 2)):
        (commit,) = (await ada.history("1", until=time, limit=1))["commits"]
        assert commit["change"]["data"]["n"] == n
    before = await ada.history("1", until=first - timedelta(microseconds=1), limit=1)
    assert (before["commits"], before["complete"]) == ([], True)


async def test_an_answer_is_no_larger_than_a_peer_takes(app: App, stack: AsyncExitStack) -> None:
    ada = await enter(stack, app, "ada")
    for n in range(12):
        await app.changes.push("tasks", "1", {"team": "red", "text": f"{n:x}" * 60_000})
    seen: list[int] = []
    before: int | None = 99
    while before is not None:
        answer = await ada.history("1", before=before, limit=1000)
        assert 1 <= len(answer["commits"]) <= 5
        seen += [each["change"]["version"] for each in answer["commits"]]
        before = answer.get("before")
    assert seen == list(range(12, 0, -1))


async def test_an_entity_without_fields_has_a_history_too(app: App, stack: AsyncExitStack) -> None:
    bob = await enter(stack, app, "bob")
    await bob.socket.push("plain", "1", {"a": 1, "b": 1})
    await bob.socket.push("plain", "1", {"a": 1, "b": 2})
    assert told(await bob.history("1", "plain")) == [
        (2, "update", ["b"], "bob"),
        (1, "create", ["a", "b"], "bob"),
    ]
    assert await bob.blame("1", "plain") == "not_supported"


async def test_a_question_that_makes_no_sense_is_answered_in_words(
    app: App, stack: AsyncExitStack
) -> None:
    bob = await enter(stack, app, "bob")
    assert await bob.history("1") == "not_found"
    assert await bob.history("1", "nowhere") == "unknown_entity"
    assert await bob.history("1", limit=0) == "bad_message"
    assert await bob.history("1", limit=1001) == "bad_message"
    assert await bob.blame("1", "nowhere") == "unknown_entity"
    assert await bob.blame("1") == "not_found"


# Who may see it.


async def test_nobody_is_told_what_was_out_of_their_sight(app: App, stack: AsyncExitStack) -> None:
    ada, eve, bob = [await enter(stack, app, name) for name in ("ada", "eve", "bob")]
    await ada.socket.push("tasks", "1", {"team": "red", "a": 1})
    await bob.socket.push("tasks", "1", {"team": "blue", CANARY: CANARY})
    await eve.socket.push("tasks", "1", {"team": "blue", CANARY: CANARY, "b": 1})
    assert await ada.history("1") == "not_found"
    assert await ada.blame("1") == "not_found"
    assert told(await eve.history("1")) == [
        (3, "update", ["b"], "eve"),
        (2, "update", [CANARY, "team"], "bob"),
    ]
    await bob.socket.push("tasks", "1", {"team": "red", "b": 1})
    assert told(await ada.history("1")) == [
        (4, "update", ["b", "team"], "bob"),
        (2, "left", [], None),
        (1, "create", ["a", "team"], "ada"),
    ]
    assert [each[0] for each in told(await bob.history("1"))] == [4, 3, 2, 1]
    assert CANARY not in str(ada.socket.log)
    assert await eve.history("1") == "not_found"
    await bob.socket.push("tasks", "1", None)
    assert told(await ada.history("1"))[0] == (5, "delete", ["b", "team"], "bob")
    assert await eve.history("1") == "not_found"


class Slow(MemoryStore):
    """Reads commits when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.let = asyncio.Event()
        self.asked = asyncio.Event()

    async def commits(self, *asked: Any, **options: Any) -> Any:
        page = await super().commits(*asked, **options)
        self.asked.set()
        await self.let.wait()
        return page


async def test_an_answer_under_way_is_not_sent_after_the_right_is_gone(
    stack: AsyncExitStack,
) -> None:
    rights = {"eve": "red"}

    async def anybody(request: Request) -> Grant:
        return Grant(request.token)

    async def readable(who: Grant) -> object:
        return {"team": rights[who.subject]}

    store = Slow()
    app = App(store=store, config=Config(port=0, grpc_port=0), authenticate=anybody)
    app.entity("tasks", partition=["team"]).access(write=role("clerk"))
    app.scope("tasks")(readable)
    async with app:
        await app.changes.push("tasks", "1", {"team": "red", "text": CANARY})
        eve = await enter(stack, app, "eve")
        await eve.socket.send({"type": "history", "entity": "tasks", "entity_id": "1"})
        await store.asked.wait()
        store.asked.clear()
        call = asyncio.create_task(eve.backend.record_history("tasks", "1"))
        await store.asked.wait()
        rights["eve"] = "blue"
        await app.rescope("eve")
        store.let.set()
        assert (await eve.socket.until("error"))["code"] == "not_found"
        with pytest.raises(RhtmxError, match="has changed meanwhile"):
            await call
        assert CANARY not in str(eve.socket.log)


async def test_nobody_is_told_who_wrote_before_a_record_was_theirs(
    app: App, stack: AsyncExitStack
) -> None:
    ada, eve = [await enter(stack, app, name) for name in ("ada", "eve")]
    await ada.socket.push("tasks", "1", {"team": "red", "n": 1})
    await app.fields.push("tasks", "1", {"team": "blue"})
    assert await eve.blame("1") == {"n": (1, "c-ada", None), "team": (2, None, None)}
    await eve.socket.push("tasks", "1", {"team": "blue", "n": 2})
    assert await eve.blame("1") == {"n": (3, "c-eve", "eve"), "team": (2, None, None)}


# How long it is kept.


async def test_it_is_there_after_a_restart_and_goes_on(
    tmp_path: Path, stack: AsyncExitStack
) -> None:
    store = f"sqlite:///{tmp_path / 'app.db'}"
    async with build(store) as app:
        ada = await enter(stack, app, "ada")
        await ada.socket.push("tasks", "1", {"team": "red", "n": 1})
    async with build(store) as app:
        bob = await enter(stack, app, "bob")
        await bob.socket.push("tasks", "1", {"team": "red", "n": 2})
        answer = await bob.history("1")
        assert told(answer) == [
            (2, "update", ["n"], "bob"),
            (1, "create", ["n", "team"], "ada"),
        ]
        assert answer["complete"]
        assert await bob.blame("1") == {"n": (2, "c-bob", "bob"), "team": (1, "c-ada", "ada")}


async def test_of_what_is_forgotten_the_last_commit_stays_and_it_is_said(
    tmp_path: Path, stack: AsyncExitStack
) -> None:
    path = tmp_path / "app.db"
    async with build(f"sqlite:///{path}") as app:
        for n in range(3):
            await app.changes.push("tasks", "1", {"team": "red", "n": n})
    with apsw.Connection(str(path)) as file:
        file.execute("DELETE FROM history WHERE version < 3")
    async with build(f"sqlite:///{path}") as app:
        ada = await enter(stack, app, "ada")
        answer = await ada.history("1")
        assert (told(answer), answer["complete"]) == ([(3, "update", [], None)], False)
    with apsw.Connection(str(path)) as file:
        file.execute("DELETE FROM history")
    async with build(f"sqlite:///{path}") as app:
        ada = await enter(stack, app, "ada")
        answer = await ada.history("1")
        assert (told(answer), answer["complete"]) == ([(3, "update", [], None)], False)
        gone = await ada.history("1", until=datetime(2020, 1, 1, tzinfo=UTC), limit=1)
        assert (gone["commits"], gone["complete"], "before" in gone) == ([], False, False)


# Only what is unchanged.


async def test_of_two_that_answer_the_same_state_one_is_told_that_it_has_changed(
    app: App, stack: AsyncExitStack
) -> None:
    ada, bob = await enter(stack, app, "ada"), await enter(stack, app, "bob")
    await ada.socket.push("tasks", "1", {"team": "red", "n": 1})
    update = {"field": "n", "value": 2, "action": "update", "timestamp": _now()}
    asked = {
        "type": "push_fields", "entity": "tasks", "entity_id": "1", "fields": [update],
        "base_version": 1, "if_unchanged": True,
    }  # fmt: skip
    assert (await ada.socket.ask(asked, "field_push_ack"))["applied"] == 1
    error = await bob.socket.ask(asked, "error")
    assert (error["code"], error["details"]["fields"]) == ("conflict", ["n"])
    assert error["details"]["version"] == 2
    for write in (
        bob.backend.push_fields("tasks", "1", {"n": 3}, base_version=1, if_unchanged=True),
        app.fields.push("tasks", "1", {"n": 3}, base_version=1, if_unchanged=True),
    ):
        with pytest.raises(RhtmxError, match="none after version 1 was expected") as caught:
            await write
        assert caught.value.code is ErrorCode.CONFLICT
    record = await app.changes.get("tasks", "1")
    assert record is not None
    assert record.data == {"team": "red", "n": 2}


async def test_a_transaction_writes_nothing_if_one_of_its_fields_was_written(
    app: App, stack: AsyncExitStack
) -> None:
    bob = await enter(stack, app, "bob")
    await app.changes.push("tasks", "1", {"team": "red", "n": 1})
    await app.changes.push("tasks", "1", {"team": "red", "n": 2})

    async def both() -> None:
        async with bob.backend.transaction() as some:
            some.set("tasks", "2", {"team": "red"})
            some.patch("tasks", "1", {"n": 3}, base_version=1, if_unchanged=True)

    with pytest.raises(RhtmxError, match="'n' of tasks/1 was written in version 2") as caught:
        await both()
    assert caught.value.code is ErrorCode.CONFLICT
    assert await app.changes.get("tasks", "2") is None
