"""The Python client against a real server that is killed under it."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any, Literal

import pytest

import rhtmx
from tests.support.process import serving
from tests.support.sockets import PATIENCE

ROUNDS = 4
WRITES = 100


async def _read_records(client: Any, replica: dict[str, Any]) -> None:
    last = 0
    async for change in client.changes("tasks", since=0):
        assert change.version > last
        last = change.version
        replica[change.entity_id] = change.data
        if change.action == "delete":
            del replica[change.entity_id]
        if change.entity_id == "end":
            return


async def _read_fields(client: Any, replica: dict[str, Any]) -> None:
    last, seen = 0, set()
    async for change in client.field_changes("tasks", since=0):
        assert change.version >= last
        assert (change.version, change.entity_id, change.field) not in seen
        last = change.version
        seen.add((change.version, change.entity_id, change.field))
        record = replica.setdefault(change.entity_id, {})
        if change.action == "delete":
            record.pop(change.field, None)
        else:
            record[change.field] = change.value
        if change.entity_id == "end":
            return


async def _write(client: Any, writer: int, seed: int) -> None:
    dice = random.Random(seed)
    for n in range(WRITES):
        entity_id = str(dice.randrange(20))
        kind = dice.random()
        if kind < 0.1:
            await client.delete("tasks", entity_id)
        elif kind < 0.5:
            await client.push_fields("tasks", entity_id, {dice.choice("xyz"): n}, delete=["w"])
        else:
            await client.push("tasks", entity_id, {dice.choice("xyzw"): n, "writer": writer})


@pytest.mark.parametrize("form", ["json", "proto"])
async def test_readers_and_writers_live_through_a_server_that_is_killed(
    tmp_path: Path, form: Literal["json", "proto"], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rhtmx.core.backoff._LONGEST", 0.1)  # or the waits make a minute
    records: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    port = 0
    writers: list[asyncio.Task[None]] = []
    readers: list[asyncio.Task[None]] = []
    async with asyncio.timeout(2 * PATIENCE), serving(folder=tmp_path) as first:
        port = int(first.url.split(":")[2].split("/")[0])
        async with (
            rhtmx.connect(first.url, format=form) as a,
            rhtmx.connect(first.url, format=form) as b,
        ):
            readers = [
                asyncio.create_task(_read_records(b, records)),
                asyncio.create_task(_read_fields(a, fields)),
            ]
            writers = [asyncio.create_task(_write(c, n, n)) for n, c in enumerate([a, b, a, b])]
            await a.push("tasks", "warm", {})
            await first.kill()
            for _ in range(ROUNDS):
                async with serving(folder=tmp_path, port=port) as server:
                    await a.push("tasks", "warm", {})  # it is back
                    await server.kill()
            async with serving(folder=tmp_path, port=port):
                await asyncio.gather(*writers)
                await a.push("tasks", "end", {"x": 1})
                await asyncio.gather(*readers)
                everything = await a.sync("tasks")
    state = {c.entity_id: c.data for c in everything.changes if c.action != "delete"}
    assert records == state
    assert {k: v for k, v in fields.items() if v} == {k: v for k, v in state.items() if v}
