"""What a hostile tenant tries over real doors: nothing of another one reaches it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import rhtmx
from rhtmx_server import App, Config, ErrorCode, Grant, Request, RhtmxError
from rhtmx_server.access import claim, nobody, signed_in
from rhtmx_server.ports import BatchNeeds, BatchWrites, Snapshot
from rhtmx_server.stores.memory import MemoryStore
from tests.support.plain_http import ask, take_apart
from tests.support.sockets import PATIENCE, Raw, raw

CANARY = "canary"


class Tenants:
    """Says who a token is: somebody of a team, which tests may change."""

    def __init__(self) -> None:
        self.teams = {"victim": "red", "eve": "blue"}

    async def __call__(self, request: Request) -> Grant:
        if request.token not in self.teams:
            raise RhtmxError(ErrorCode.UNAUTHENTICATED, "no such token")
        return Grant(request.token, claims={"team": self.teams[request.token]})


@pytest.fixture
def tenants() -> Tenants:
    return Tenants()


@pytest.fixture(params=["memory", "sqlite"])
async def app(
    request: pytest.FixtureRequest, tenants: Tenants, tmp_path: Path
) -> AsyncIterator[App]:
    store = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path / 'app.db'}"
    app = App(store=store, config=Config(port=0, grpc_port=0), authenticate=tenants)
    app.entity("tasks", partition=["team"]).access(all=claim("team"))
    async with app:
        yield app


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def enter(stack: AsyncExitStack, app: App, token: str, client_id: str) -> Raw:
    client = await stack.enter_async_context(raw(app.url))
    await client.ask({"type": "hello", "token": token, "client_id": client_id}, "welcome")
    return client


async def test_rights_that_shrink_with_a_refused_token_end_what_was_read_by_the_old_ones(
    app: App, tenants: Tenants, stack: AsyncExitStack
) -> None:
    eve = await enter(stack, app, "eve", "shared")
    await eve.ask({"type": "subscribe", "entities": ["tasks"]}, "sync_complete")
    # Another user of hers takes the id, so that the next token is refused after it is looked at.
    other = await enter(stack, app, "victim", "shared")
    await other.push("tasks", "1", {"team": "red"}, seq=1)
    tenants.teams["eve"] = "green"
    await eve.send({"type": "authenticate", "token": "eve"})
    assert (await eve.until("error"))["code"] == "client_id_taken"
    await app.changes.push("tasks", "2", {"team": "blue", "text": CANARY})
    assert CANARY not in str(await eve.settle())
    assert any(m["type"] == "sync_complete" and m["reset"] for m in eve.log), "what it had goes"


async def test_what_moved_while_an_entity_was_divided_otherwise_is_taken_away(
    tenants: Tenants, tmp_path: Path
) -> None:
    def divided(*fields: str) -> App:
        store = f"sqlite:///{tmp_path / 'app.db'}"
        app = App(store=store, config=Config(port=0), authenticate=tenants)
        app.entity("tasks", partition=list(fields)).access(
            all=claim("team") if fields[0] == "team" else nobody
        )
        return app

    async with divided("team") as app, AsyncExitStack() as stack:
        await app.changes.push("tasks", "1", {"team": "blue"})
        eve = await enter(stack, app, "eve", "e")
        done = await eve.ask({"type": "sync", "entity": "tasks", "since": 0}, "sync_complete")
    async with divided("owner") as app:
        await app.changes.push("tasks", "1", {"team": "red", "text": CANARY})
    async with divided("team") as app, AsyncExitStack() as stack:
        eve = await enter(stack, app, "eve", "e")
        since = {"tasks": {key: done[key] for key in ("epoch", "version", "scope")}}
        message = {"type": "subscribe", "entities": ["tasks"], "since": since}
        assert (await eve.ask(message, "sync_complete"))["reset"] is True


async def test_a_write_that_waits_while_a_right_is_taken_away_is_judged_without_it() -> None:
    projects, asked, let = {"eve": ["red"]}, asyncio.Event(), asyncio.Event()

    async def anybody(request: Request) -> Grant:
        return Grant(request.token)

    app = App(store="memory://", config=Config(port=0), authenticate=anybody)
    app.entity("docs", partition=["project"]).access(write=signed_in)

    @app.scope("docs")
    async def readable(who: Grant) -> object:
        found = {"project": list(projects[who.subject])}
        asked.set()
        await let.wait()
        return found

    async with app, AsyncExitStack() as stack:
        await app.changes.push("docs", "1", {"project": "red", "text": CANARY})
        eve = await enter(stack, app, "eve", "e")
        write = {"type": "push", "entity": "docs", "entity_id": "1", "action": "update"}
        await eve.send({**write, "data": {"project": "red"}, "base_version": 7})
        await asked.wait()
        projects["eve"].clear()
        assert app._life.server is not None
        await app.rescope("eve")
        let.set()
        assert (await eve.until("error"))["details"] is None
        assert CANARY not in str(eve.log)


async def read_by_field(app: App, stack: AsyncExitStack, since: dict[str, Any]) -> list[str]:
    """What somebody is told of tasks by field, at every door: from a position, and anew."""
    eve = await enter(stack, app, "eve", "again")
    version, rest = since["version"], {key: since[key] for key in ("epoch", "scope")}
    subscribe = {"type": "subscribe_fields", "entities": ["tasks"]}
    sync = {"type": "sync_fields", "entity": "tasks"}
    found: list[Any] = []
    for message in (
        {**subscribe, "since": {"tasks": {"epoch": "", "version": 0}}},
        {**subscribe, "since": {"tasks": since}},
        {**sync, "since": 0},
        {**sync, "since": version, **rest},
    ):
        before = len(eve.log)
        await eve.ask(message, "sync_fields_complete")
        found.append(eve.log[before:])
    for path in ("/api/field-sync/tasks?since=0", "/api/field-sync/tasks/1/latest"):
        found.append((await ask(app.url, path, Authorization="Bearer eve")).json)
    backend = await stack.enter_async_context(rhtmx.backend(app.grpc_address, token="eve"))
    found.append((await backend.sync_fields("tasks")).changes)
    found.append(await backend.get_fields("tasks", "1"))
    return [str(each) for each in found]


async def test_what_a_record_lost_before_somebody_may_see_it_is_not_even_named_to_them(
    app: App, stack: AsyncExitStack
) -> None:
    live = await enter(stack, app, "eve", "live")
    message = {"type": "subscribe_fields", "entities": ["tasks"], "since": {}}
    at = await live.ask(message, "sync_fields_complete")
    await app.changes.push("tasks", "1", {"team": "red", CANARY: 1, f"{CANARY} 2": 1})
    await app.changes.push("tasks", "1", {"team": "red", f"{CANARY} 2": 1})
    await app.changes.push("tasks", "1", {"team": "blue", "here": 1, "mine": 1})
    await app.changes.push("tasks", "1", {"team": "blue", "here": 2})
    log = await live.settle()
    assert [m["change"]["field"] for m in log if m["type"] == "field_change"] == [
        "", "here", "mine", "team", "here", "mine",
    ]  # fmt: skip
    assert CANARY not in str(log)
    told = await read_by_field(app, stack, {key: at[key] for key in ("epoch", "version", "scope")})
    assert [each for each in told if "here" not in each] == []
    assert "mine" in told[0], "what it lost since is named"
    assert CANARY not in "".join(told)


# What is under way when a right is taken away.


class HeldStore(MemoryStore):
    """Commits when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.let = asyncio.Event()
        self.let.set()
        self.held = asyncio.Event()

    async def commit(self, wanted: BatchNeeds, decide: Callable[[Snapshot], BatchWrites]) -> None:
        await super().commit(wanted, decide)
        if not self.let.is_set():
            self.held.set()
            await self.let.wait()


class Projects:
    """An app whose program says who reads which project."""

    def __init__(self) -> None:
        self.rights = {"eve": ["red"], "victim": ["red"]}
        self.store = HeldStore()
        config = Config(port=0, grpc_port=0)
        self.app = App(store=self.store, config=config, authenticate=self.grant)
        docs = self.app.entity("docs", partition=["project"])
        docs.access(write=signed_in)
        self.app.scope("docs")(self.readable)

    async def grant(self, request: Request) -> Grant:
        return Grant(request.token)

    async def readable(self, who: Grant) -> object:
        return {"project": list(self.rights[who.subject])}


@pytest.fixture
async def projects() -> AsyncIterator[Projects]:
    projects = Projects()
    async with projects.app:
        await projects.app.changes.push("docs", "1", {"project": "red", "text": CANARY})
        yield projects


async def test_after_rescope_no_write_is_judged_by_what_was_before(
    projects: Projects, stack: AsyncExitStack
) -> None:
    app, store = projects.app, projects.store
    victim = await enter(stack, app, "victim", "v")
    eve = await enter(stack, app, "eve", "e")
    update = {"type": "push", "entity": "docs", "entity_id": "1", "action": "update"}
    store.let.clear()
    await victim.send({**update, "entity_id": "2", "data": {"project": "red"}})
    await store.held.wait()
    await eve.send({**update, "data": {"project": "red", "by": "eve"}})
    await eve.ask({"type": "ping"}, "pong")  # her write is in line now, behind the other one
    projects.rights["eve"] = []
    rescoping = asyncio.create_task(app.rescope("eve"))
    await eve.ask({"type": "ping"}, "pong")
    assert not rescoping.done(), "her write, which counts as before, is not written yet"
    await eve.send({**update, "data": {"project": "red", "by": "eve once more"}})
    store.let.set()
    await rescoping
    record = await app.changes.get("docs", "1")
    assert record is not None
    assert record.data == {"project": "red", "by": "eve"}
    assert (await eve.until("error"))["code"] == "forbidden"
    assert await app.changes.get("docs", "1") == record


class Reading:
    """A plain HTTP read that its reader takes slowly."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.begun = b""

    @classmethod
    async def begin(cls, stack: AsyncExitStack, app: App, path: str) -> Reading:
        address = urlsplit(app.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=1000)
        stack.callback(writer.close)
        head = f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer eve\r\n\r\n"
        writer.write(head.encode())
        reading = cls(reader, writer)
        reading.begun = await reader.readexactly(1000)
        return reading

    async def rest(self) -> bytes:
        async with asyncio.timeout(PATIENCE):
            try:
                while more := await self._reader.read(65536):
                    self.begun += more
            except ConnectionError:
                pass
        return self.begun


@pytest.mark.parametrize("taken_by", ["rescope", "disconnect", "nobody"])
@pytest.mark.parametrize("path", ["/api/sync/docs?since=0", "/api/field-sync/docs?since=0"])
async def test_a_body_that_is_being_read_ends_with_the_right_to_it(
    projects: Projects, stack: AsyncExitStack, taken_by: str, path: str
) -> None:
    app = projects.app
    for number in range(400):
        await app.changes.push("docs", f"d{number}", {"project": "red", "text": "x" * 60_000})
    reading = await Reading.begin(stack, app, path)
    if taken_by == "rescope":
        projects.rights["eve"] = []
        await app.rescope("eve")
    elif taken_by == "disconnect":
        app.disconnect("eve")
    body = await reading.rest()
    if taken_by == "nobody":
        by_field = 2 if "field" in path else 1
        assert len(take_apart(body).json["changes"]) == 401 * by_field
    else:
        with pytest.raises(ValueError, match="cut off"):
            take_apart(body)
    assert app._life.server is not None
    assert not app._life.server.services.visits.present


async def test_a_subject_that_is_disconnected_is_answered_nothing_more_at_any_door(
    projects: Projects, stack: AsyncExitStack
) -> None:
    app, store = projects.app, projects.store
    for number in range(400):
        await app.changes.push("docs", f"d{number}", {"project": "red", "text": "x" * 60_000})
    eve = await stack.enter_async_context(rhtmx.backend(app.grpc_address, token="eve"))
    other = await stack.enter_async_context(rhtmx.backend(app.grpc_address, token="victim"))
    history = eve.history("docs")
    assert (await anext(history)).version == 1
    store.let.clear()
    ended: list[Any] = []

    async def call(backend: Any) -> None:
        try:
            ended.append(await backend.push("docs", "new", {"project": "red"}))
        except RhtmxError as error:
            ended.append(error.code)

    calls = [asyncio.create_task(call(backend)) for backend in (eve, other)]
    await store.held.wait()
    assert await other.get("docs", "1")  # its write came before this
    app.disconnect("eve")
    await calls[0]
    assert ended == [ErrorCode.UNAUTHENTICATED]
    with pytest.raises(RhtmxError) as gone:
        async for _ in history:
            pass
    assert gone.value.code is ErrorCode.UNAUTHENTICATED
    store.let.set()
    await calls[1]
    assert ended[1].version > 0, "another one's call goes on"
    assert await app.changes.get("docs", "new") is not None, "what was accepted is written"


@pytest.mark.parametrize("door", ["websocket", "http", "grpc"])
async def test_who_is_disconnected_while_they_are_looked_up_is_looked_up_again(
    stack: AsyncExitStack, door: str
) -> None:
    users, asked, let = {"eve"}, asyncio.Event(), asyncio.Event()
    questions = 0

    async def look_up(request: Request) -> Grant:
        nonlocal questions
        questions += 1
        found = request.token in users
        asked.set()
        await let.wait()
        if not found:
            raise RhtmxError(ErrorCode.UNAUTHENTICATED, "no such user")
        return Grant(request.token)

    async def is_refused(app: App) -> bool:
        if door == "websocket":
            client = await stack.enter_async_context(raw(app.url))
            await client.send({"type": "hello", "token": "eve"})
            return bool((await client.until("error"))["code"] == "unauthenticated")
        if door == "http":
            answer = await ask(app.url, "/api/sync/docs?since=0", Authorization="Bearer eve")
            return answer.status == 401
        backend = await stack.enter_async_context(rhtmx.backend(app.grpc_address, token="eve"))
        with pytest.raises(RhtmxError) as refused:
            await backend.get("docs", "1")
        return refused.value.code is ErrorCode.UNAUTHENTICATED

    app = App(store="memory://", config=Config(port=0, grpc_port=0), authenticate=look_up)
    app.entity("docs").access(all=signed_in)
    async with app:
        await app.changes.push("docs", "1", {"text": CANARY})
        entering = asyncio.create_task(is_refused(app))
        await asked.wait()
        users.clear()
        app.disconnect("eve")
        let.set()
        assert await entering
        assert questions == 2
