"""What the program wants to be told after a commit: registered as one likes, or refused."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

import rhtmx
from rhtmx_server import App, Change, Config, RhtmxError


@pytest.fixture
def app() -> App:
    app = App(store="memory://", config=Config(port=0), undeclared=True)
    app.entity("tasks")
    return app


async def test_plain_and_async_hooks_get_the_values_that_were_written(app: App) -> None:
    told: asyncio.Queue[tuple[str, Change]] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    @app.on_commit("tasks")
    async def on_the_loop(change: Change) -> None:
        told.put_nowait(("async", change))

    @app.on_commit("tasks")
    def in_a_thread(change: Change) -> None:
        loop.call_soon_threadsafe(told.put_nowait, ("plain", change))

    @app.on_commit
    def of_all(change: Change) -> None:
        loop.call_soon_threadsafe(told.put_nowait, ("all", change))

    @app.on_commit()
    async def of_all_too(change: Change) -> None:
        told.put_nowait(("all, too", change))

    async with app, asyncio.timeout(10):
        await app.fields.push("tasks", "1", {"title": "Write", "n": 1.5}, client_id="me")
        got = dict([await told.get() for _ in range(4)])
        assert set(got) == {"async", "plain", "all", "all, too"}
        for change in got.values():
            assert change == await app.changes.get("tasks", "1")
            assert change.data == {"title": "Write", "n": 1.5}
            assert (change.action, change.client_id) == ("create", "me")


@pytest.mark.parametrize("hook", [lambda: None, lambda a, b: None, 7, Change])
def test_what_cannot_be_called_is_refused_where_it_is_registered(app: App, hook: Any) -> None:
    with pytest.raises(TypeError, match="on_commit"):
        app.on_commit("tasks")(hook)
    with pytest.raises(TypeError, match="on_commit"):
        app.on_commit(hook)


async def test_a_hook_of_an_entity_that_cannot_be_written_is_refused_at_the_start() -> None:
    app = App(store="memory://", config=Config(port=0))
    app.on_commit("taks")(lambda change: None)
    app.entity("tasks")
    with pytest.raises(RhtmxError, match=r"no entity 'taks' is declared: did you mean 'tasks'\?"):
        await app.start()
    app.entity("taks")
    async with app:
        pass


async def test_the_history_is_of_values_as_well(app: App) -> None:
    async with app:
        await app.changes.push("tasks", "1", {"n": 1})
        written = await app.changes.push("tasks", "1", {"n": [2]})
        await app.changes.delete("tasks", "1")
        entries = await app.history("tasks")
        assert [(each.action, each.data, each.lost) for each in entries] == [
            ("create", {"n": 1}, False),
            ("update", {"n": [2]}, False),
            ("delete", None, False),
        ]
        assert await app.history("tasks", since=written.version) == entries[2:]
        assert await app.history("tasks", until=entries[0].created_at) == entries[:1]


async def test_no_thread_of_an_app_outlives_it(app: App) -> None:
    before = set(threading.enumerate())
    app.form("signup").field("email")(lambda value: None)
    async with app:
        async with rhtmx.connect(app.url) as client:
            assert await client.validate_field("signup", "email", "x")
        started = set(threading.enumerate()) - before
        assert any(thread.name.startswith("rhtmx-validator") for thread in started)
    for thread in started:
        if thread.name.startswith("rhtmx-"):
            await asyncio.to_thread(thread.join, 10)
            assert not thread.is_alive()
