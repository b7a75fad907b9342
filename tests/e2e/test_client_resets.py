"""A server that cannot go on where a client was: what that shows then, and what it still sends."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

import rhtmx
from rhtmx_server import App, Config
from rhtmx_server.stores import SqliteStore
from tests.support.process import serving
from tests.support.sockets import PATIENCE


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rhtmx.core.backoff._LONGEST", 0.05)  # or the waits make a minute


def shown(client: rhtmx.Client) -> dict[str, Any]:
    return {row.id: row.data for row in client.collection("tasks").all()}


async def until_shown(client: rhtmx.Client, wanted: dict[str, Any]) -> None:
    async for rows in client.collection("tasks").subscribe():
        if {row.id: row.data for row in rows} == wanted and not client.queue:
            return


async def restored(backup: Path, database: Path) -> None:
    """The server's file is what it was, as docs/operations.md says how."""
    for each in database.parent.glob(f"{database.name}*"):
        each.unlink()
    shutil.copy(backup, database)
    store = SqliteStore(database)
    await store.open()
    await store.renew_epoch()
    await store.close()


async def test_after_a_restore_the_client_shows_what_there_is_and_sends_what_waits(
    tmp_path: Path,
) -> None:
    database, backup = tmp_path / "live.db", tmp_path / "backup.db"
    async with asyncio.timeout(2 * PATIENCE):
        async with serving(folder=tmp_path) as server:
            url, port = server.url, int(server.url.split(":")[2].split("/")[0])
            async with rhtmx.connect(url, store=tmp_path / "replica.db") as client:
                await client.collection("tasks").set("1", "old")
                await server.terminate()
                shutil.copy(database, backup)
                async with serving(folder=tmp_path, port=port) as server:
                    await client.push("tasks", "1", "new")
                    await client.push("tasks", "2", "lost with the disk")
                    await until_shown(client, {"1": "new", "2": "lost with the disk"})
                    client.offline()
                    waiting = client.push("tasks", "3", "written offline")
                    await server.terminate()
                await restored(backup, database)
                async with serving(folder=tmp_path, port=port):
                    client.online()
                    assert not (await waiting).duplicate
                    await until_shown(client, {"1": "old", "3": "written offline"})
    assert not client.rejected


async def test_a_client_that_was_away_for_too_long_forgets_what_was_deleted_meanwhile(
    tmp_path: Path,
) -> None:
    config = Config(port=0, tombstone_days=0)
    async with App(store=f"sqlite:///{tmp_path / 'a.db'}", config=config) as app:
        async with rhtmx.connect(app.url, store=tmp_path / "replica.db") as client:
            for name in ("stays", "goes"):
                await client.push("tasks", name, {})
            await client.collection("tasks").synced()
            await until_shown(client, {"goes": {}, "stays": {}})
        await app.changes.delete("tasks", "goes")
    # The server collects when it starts.
    async with App(store=f"sqlite:///{tmp_path / 'a.db'}", config=config) as app:
        async with asyncio.timeout(PATIENCE):
            async with rhtmx.connect(app.url, store=tmp_path / "replica.db") as client:
                assert shown(client) == {"goes": {}, "stays": {}}
                await client.collection("tasks").synced()
                assert shown(client) == {"stays": {}}
