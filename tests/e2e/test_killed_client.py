"""A client that is killed at any point loses no write that was queued, and doubles none.

`RHTMX_KILLS=1000` runs a long campaign.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections import Counter
from pathlib import Path

import rhtmx
from rhtmx_server import App
from tests.support.process import ROOT, ran, running
from tests.support.sockets import PATIENCE
from tests.support.waiting import eventually

WRITER = ROOT / "tests" / "support" / "writer.py"
KILLS = int(os.environ.get("RHTMX_KILLS", "4"))


async def watch(url: str, seen: Counter[str]) -> None:
    async with rhtmx.connect(url) as client:
        async for change in client.changes("tasks", since=0):
            seen[change.entity_id] += 1


async def test_a_killed_client_loses_nothing_and_doubles_nothing(app: App, tmp_path: Path) -> None:
    store, dice = str(tmp_path / "replica.db"), random.Random(KILLS)
    queued: set[str] = set()
    begun = 0
    seen: Counter[str] = Counter()
    watching = asyncio.create_task(watch(app.url, seen))
    for _ in range(KILLS):
        first = begun + 1
        async with running(WRITER, app.url, store, str(first), at_once=True) as process:
            assert process.stdout is not None
            async with asyncio.timeout(PATIENCE):
                for _ in range(dice.randrange(1, 120)):
                    word, number = (await process.stdout.readline()).decode().split()
                    begun = max(begun, int(number))
                    if word == "queued":
                        queued |= {str(each) for each in range(first, int(number) + 1)}
            process.kill()
            said, _ = await process.communicate()
        for line in said.decode().splitlines():
            with contextlib.suppress(ValueError):  # the last line may be cut
                begun = max(begun, int(line.split()[1]))
    await ran(WRITER, app.url, store, at_once=True)
    async with asyncio.timeout(PATIENCE):
        async with rhtmx.connect(app.url) as client:
            there = {change.entity_id for change in await client.sync("tasks")}
        await eventually(lambda: there <= set(seen))
    watching.cancel()
    assert queued <= there, "a write that was queued is lost"
    assert max(seen.values(), default=1) == 1, "a write took effect twice"
    assert all(int(number) <= begun for number in there)
    assert queued, "the killing came before everything"
