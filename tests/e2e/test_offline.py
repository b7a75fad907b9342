"""The Python client with a store, against a real server that comes and goes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import rhtmx
from rhtmx.api.client import Client
from rhtmx.core.session import Session
from rhtmx.errors import ErrorCode
from rhtmx.runtime.handshake import WebSocketEndpoint
from rhtmx.stores.sqlite import SqliteStore
from rhtmx.wire import Format
from rhtmx_server import App
from tests.support.process import serving
from tests.support.sockets import PATIENCE
from tests.support.waiting import eventually

NOWHERE = "ws://127.0.0.1:1/api/ws"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rhtmx.core.backoff._LONGEST", 0.05)  # or the waits make a minute


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "replica.db"


@contextlib.asynccontextmanager
async def unsent(client: rhtmx.Client, *writes: tuple[str, Any]) -> AsyncIterator[None]:
    """Writes of tasks that nobody waits for, safely in the store."""
    tasks = client.collection("tasks")
    calls = [asyncio.create_task(tasks.set(*each)) for each in writes]
    await asyncio.sleep(0)
    await client.saved()
    yield
    for each in calls:
        each.cancel()
    await asyncio.gather(*calls, return_exceptions=True)


def shown(client: rhtmx.Client) -> dict[str, Any]:
    return {row.id: row.data for row in client.collection("tasks").all()}


async def stored(server: str) -> dict[str, Any]:
    """What the server has."""
    async with rhtmx.connect(server) as client:
        result = await client.sync("tasks")
    return {each.entity_id: each.data for each in result if each.action != "delete"}


async def test_a_client_starts_offline_and_a_server_appears_later(
    file: Path, tmp_path: Path
) -> None:
    async with serving(folder=tmp_path) as server:
        url, port = server.url, int(server.url.split(":")[2].split("/")[0])
        await server.kill()
    async with rhtmx.connect(url, store=file) as client, asyncio.timeout(PATIENCE):
        tasks = client.collection("tasks")
        writing = asyncio.create_task(tasks.set("1", {"n": 1}))
        await client.saved()
        await eventually(lambda: shown(client) == {"1": {"n": 1}})
        (row,) = tasks.all()
        assert (row.version, row.pending) == (0, True)
        assert client.state is not rhtmx.State.OPEN
        async with serving(folder=tmp_path, port=port):
            result = await writing
            await tasks.synced()
            assert result.version == 1
            assert await stored(url) == {"1": {"n": 1}}
            await eventually(lambda: tasks.all()[0].version == 1)
            assert client.queue == ()


async def test_what_was_read_and_written_is_there_after_a_restart_without_a_server(
    app: App, file: Path
) -> None:
    async with asyncio.timeout(PATIENCE):
        async with rhtmx.connect(app.url, store=file) as client:
            tasks = client.collection("tasks")
            await tasks.set("1", {"n": 1})
            await tasks.synced()
            name = client.client_id
            client.offline()
            async with unsent(client, ("2", {"n": 2})):
                assert shown(client) == {"1": {"n": 1}, "2": {"n": 2}}
        async with rhtmx.connect(NOWHERE, store=file) as client:
            assert client.client_id == name
            assert shown(client) == {"1": {"n": 1}, "2": {"n": 2}}
            (waiting,) = client.queue
            assert (waiting.entity_id, waiting.data, waiting.stored) == ("2", {"n": 2}, True)
        async with rhtmx.connect(app.url, store=file) as client:
            await eventually(lambda: client.queue == ())
            assert shown(client) == {"1": {"n": 1}, "2": {"n": 2}}
        assert await stored(app.url) == {"1": {"n": 1}, "2": {"n": 2}}


async def test_offline_is_a_wish_and_online_ends_it_at_once(app: App, file: Path) -> None:
    async with rhtmx.connect(app.url, store=file) as client, asyncio.timeout(PATIENCE):
        await client.collection("tasks").synced()
        client.offline()
        assert client.state is rhtmx.State.OFFLINE
        async with unsent(client, ("1", 1), ("1", 2)):
            assert shown(client) == {"1": 2}
            assert await stored(app.url) == {}
            client.online()
            await eventually(lambda: client.queue == ())
        assert await stored(app.url) == {"1": 2}


async def test_a_month_offline_is_made_good(app: App, file: Path) -> None:
    """The clock is an argument; what is written then carries the time at which it was."""
    long_ago = datetime.now(UTC) - timedelta(days=31)
    async with asyncio.timeout(PATIENCE):
        async with rhtmx.connect(app.url, store=file) as client:
            await client.collection("tasks").set("1", {"title": "old", "done": False})
            await client.collection("tasks").synced()
        session, endpoint = Session("", lambda: 0.0), WebSocketEndpoint(NOWHERE, Format.JSON)
        store = SqliteStore(file)
        async with Client(session, endpoint, store=store, clock=lambda: long_ago) as client:
            tasks = client.collection("tasks")
            assert shown(client) == {"1": {"title": "old", "done": False}}
            call = asyncio.create_task(tasks.patch("1", {"done": True}))
            await asyncio.sleep(0)
            await client.saved()
            assert client.queue[0].since == long_ago
            call.cancel()
        async with rhtmx.connect(app.url) as other:
            await other.push_fields("tasks", "1", {"title": "new"})
        async with rhtmx.connect(app.url, store=file) as client:
            await client.collection("tasks").synced()
            await eventually(lambda: client.queue == ())
            assert shown(client) == {"1": {"title": "new", "done": True}}


async def test_a_cancelled_write_stays_in_the_queue(app: App, file: Path) -> None:
    async with rhtmx.connect(app.url, store=file) as client, asyncio.timeout(PATIENCE):
        client.offline()
        call = asyncio.create_task(client.collection("tasks").set("1", 1))
        await asyncio.sleep(0)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        assert [each.entity_id for each in client.queue] == ["1"]
        client.online()
        await eventually(lambda: client.queue == ())
    assert await stored(app.url) == {"1": 1}


async def test_leaving_stores_what_is_not_stored_yet(file: Path) -> None:
    async with rhtmx.connect(NOWHERE, store=file) as client:
        call = asyncio.create_task(client.collection("tasks").set("1", 1))
        await asyncio.sleep(0)
    with pytest.raises(rhtmx.ConnectionClosed, match="the client was closed"):
        await call
    async with rhtmx.connect(NOWHERE, store=file) as client:
        assert [(each.entity_id, each.seq) for each in client.queue] == [("1", 1)]


async def test_a_store_that_is_open_is_refused_in_words(file: Path) -> None:
    async with rhtmx.connect(NOWHERE, store=file):
        with pytest.raises(rhtmx.RhtmxError, match="another client has it open") as caught:
            async with rhtmx.connect(NOWHERE, store=file):
                pass
        assert caught.value.code is ErrorCode.STORAGE_FAILED
    async with rhtmx.connect(NOWHERE, store=file):
        pass


async def test_a_server_that_is_restarted_is_nothing_special(file: Path, tmp_path: Path) -> None:
    async with asyncio.timeout(PATIENCE), serving(folder=tmp_path) as first:
        url, port = first.url, int(first.url.split(":")[2].split("/")[0])
        async with rhtmx.connect(url, store=file) as client:
            tasks = client.collection("tasks")
            await tasks.set("1", 1)
            await tasks.synced()
            await first.kill()
            writing = asyncio.create_task(tasks.set("2", 2))
            async with serving(folder=tmp_path, port=port):
                assert (await writing).version == 2
                assert shown(client) == {"1": 1, "2": 2}
                assert await stored(url) == {"1": 1, "2": 2}


async def test_conflicts_of_two_clients_are_told_and_answered(app: App, file: Path) -> None:
    async with (
        asyncio.timeout(PATIENCE),
        rhtmx.connect(app.url, store=file) as mine,
        rhtmx.connect(app.url) as theirs,
    ):
        tasks = mine.collection("tasks")
        await tasks.set("1", {"title": "old"})
        await tasks.synced()
        mine.offline()
        writing = asyncio.create_task(tasks.patch("1", {"title": "mine"}))
        await mine.saved()
        await asyncio.sleep(0)
        await theirs.push_fields("tasks", "1", {"title": "theirs"}, base_version=1)
        mine.online()
        await writing
        async for conflict in mine.conflicts():
            assert {conflict.mine, conflict.theirs} == {"mine", "theirs"}
            assert (conflict.entity, conflict.entity_id, conflict.field) == ("tasks", "1", "title")
            await conflict.merge("ours")
            break
        await eventually(lambda: shown(mine) == {"1": {"title": "ours"}})
        assert await stored(app.url) == {"1": {"title": "ours"}}


async def test_two_offline_edits_of_a_field_do_not_conflict_with_each_other(
    app: App, file: Path
) -> None:
    async with rhtmx.connect(app.url, store=file) as client, asyncio.timeout(PATIENCE):
        tasks = client.collection("tasks")
        await tasks.set("1", {"title": "old"})
        await tasks.synced()
        client.offline()
        calls = [asyncio.create_task(tasks.patch("1", {"title": n})) for n in ("one", "two")]
        await asyncio.sleep(0)
        client.online()
        results = await asyncio.gather(*calls)
        assert [each.conflicts for each in results] == [(), ()]
        assert shown(client) == {"1": {"title": "two"}}


async def test_a_rejected_write_is_kept_over_a_restart_until_someone_decides(
    app: App, file: Path
) -> None:
    async with asyncio.timeout(PATIENCE):
        async with rhtmx.connect(app.url, store=file) as client:
            tasks = client.collection("tasks")
            await tasks.set("1", 1)
            with pytest.raises(rhtmx.RhtmxError) as caught:
                await tasks.set("1", 2, base_version=0)
            assert caught.value.code is ErrorCode.CONFLICT
        async with rhtmx.connect(app.url, store=file) as client:
            async for rejected in client.rejections():
                assert (rejected.data, rejected.error.code) == (2, ErrorCode.CONFLICT)
                rejected.discard()
                break
            assert client.rejected == ()
        async with rhtmx.connect(NOWHERE, store=file) as client:
            assert client.rejected == ()


async def test_both_granularities_show_the_same(app: App, file: Path) -> None:
    async with rhtmx.connect(app.url, store=file) as client, asyncio.timeout(PATIENCE):
        tasks = client.collection("tasks", granularity="fields")
        await tasks.set("1", {"a": 1, "b": {"c": [None]}})
        await tasks.patch("1", {"d": None}, delete=["a"])
        await tasks.synced()
        expected = {"1": {"b": {"c": [None]}, "d": None}}
        await eventually(lambda: {row.id: row.data for row in tasks.all()} == expected)
        assert await stored(app.url) == expected
    async with rhtmx.connect(NOWHERE, store=file) as client:
        assert shown(client) == expected


async def test_watch_yields_each_new_snapshot_and_leaves_nothing_behind(
    app: App, file: Path
) -> None:
    async with rhtmx.connect(app.url, store=file) as client, asyncio.timeout(PATIENCE):
        tasks = client.collection("tasks")
        seen: list[dict[str, Any]] = []

        async def look() -> None:
            async for rows in tasks.subscribe():
                seen.append({row.id: row.data for row in rows})

        looking = asyncio.create_task(look())
        await tasks.set("1", 1)
        await tasks.set("1", 2)
        await eventually(lambda: seen[-1:] == [{"1": 2}])
        assert {"1": 1} in seen
        signal = client._runtime.router.signal("tasks")
        await eventually(lambda: len(signal) == 1)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        assert len(signal) == 0
