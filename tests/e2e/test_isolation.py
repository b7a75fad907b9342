"""What a hostile tenant tries over real doors: nothing of another one reaches it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from rhtmx_server import App, Config, ErrorCode, Grant, Request, RhtmxError
from rhtmx_server.access import claim, nobody, signed_in
from tests.support.sockets import Raw, raw

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
        assert app._server is not None
        await app.rescope("eve")
        let.set()
        assert (await eve.until("error"))["details"] is None
        assert CANARY not in str(eve.log)
