"""Pages with an old client beside new ones that use operations and transactions, on one record.

An old client writes values only, and is told values only: what comes of an operation, and each
change of a transaction, in messages that it knows (`OldClient.receive` refuses others).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

import rhtmx
from rhtmx import Add, Append, DeleteKey, Increment, Max, Remove, SetKey
from rhtmx_server import App
from tests.support.old_clients import OldFields, OldRecords
from tests.support.sockets import PATIENCE


class Beside:
    """Both old clients and a new one, which reads record `1` of `tasks`."""

    def __init__(self, app: App, client: Any) -> None:
        self.app = app
        self.client = client
        self.tasks = client.collection("tasks")
        self.records = OldRecords(app.url, "tasks")
        self.fields = OldFields(app.url, "tasks")

    async def everywhere(self, **right: dict[str, Any]) -> None:
        """Everybody comes to hold exactly these records, as the server does: `_1={…}`."""
        data = {name.removeprefix("_"): each for name, each in right.items()}
        for entity_id, each in data.items():
            kept = await self.app.changes.get("tasks", entity_id)
            assert kept is not None
            assert kept.data == each
        async with asyncio.timeout(PATIENCE):
            while self.records.records != data:
                await self.records.receive()
            while self.fields.fields != data:
                await self.fields.receive()
            async for rows in self.tasks.subscribe():
                if {row.id: row.data for row in rows} == data:
                    break


@pytest.fixture
async def beside(app: App) -> AsyncIterator[Beside]:
    async with rhtmx.connect(app.url) as client:
        three = Beside(app, client)
        async with three.tasks, three.records.open(), three.fields.open():
            await three.tasks.synced()
            yield three


def now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


async def test_old_clients_are_told_what_comes_of_operations(beside: Beside) -> None:
    await beside.tasks.patch("1", {"votes": Increment(2), "labels": Add("b", "a")})
    await beside.tasks.patch("1", {"votes": Increment(3), "labels": Remove("b"), "best": Max(7)})
    await beside.tasks.patch("1", {"log": Append(1), "notes": SetKey({"mon": 1, "tue": 2})})
    await beside.tasks.patch("1", {"notes": DeleteKey("mon")})
    await beside.everywhere(
        _1={"votes": 5, "labels": ["a"], "best": 7, "log": [1], "notes": {"tue": 2}}
    )


async def test_operations_are_applied_to_what_old_clients_write(beside: Beside) -> None:
    await beside.records.push("1", {"votes": 10, "labels": ["a", "b"]})
    await beside.records.until("push_ack")
    await beside.tasks.patch("1", {"votes": Increment(1), "labels": Add("c")})
    await beside.everywhere(_1={"votes": 11, "labels": ["a", "b", "c"]})
    await beside.fields.push("1", now(), votes=20, title="old")
    await beside.fields.until("push_ack")
    await beside.tasks.patch("1", {"votes": Increment(1)})
    await beside.everywhere(_1={"votes": 21, "labels": ["a", "b", "c"], "title": "old"})


async def test_what_a_new_one_counted_offline_is_added_to_what_the_old_ones_wrote_meanwhile(
    beside: Beside,
) -> None:
    await beside.tasks.patch("1", {"votes": Increment(1), "labels": Add("a")})
    await beside.client.sync("tasks")  # by then it has been told of its own write, too
    beside.client.offline()
    last = [
        beside.tasks.patch("1", {"votes": Increment(1), "labels": Remove("a", "late")})
        for _ in range(3)
    ][-1]
    await beside.records.push("1", {"votes": 100, "labels": ["a", "late"]})
    await beside.records.until("push_ack")
    beside.client.online()
    await last
    # It had seen `a`, but not that somebody has written it again since.
    await beside.everywhere(_1={"votes": 103, "labels": ["a", "late"]})


async def test_old_clients_get_each_change_of_a_transaction(beside: Beside) -> None:
    async with beside.client.transaction() as both:
        both.set("tasks", "1", {"votes": 1})
        both.patch("tasks", "2", {"votes": Increment(-1)})
        both.set("lines", "1", {"of": "others"})
    await beside.everywhere(_1={"votes": 1}, _2={"votes": -1})


@pytest.mark.parametrize("seed", range(3))
async def test_they_end_with_the_same_whatever_they_write(beside: Beside, seed: int) -> None:
    random, counted, moved = Random(seed), 0, 0
    for n in range(60):
        match random.randrange(4):
            case 0:
                await beside.tasks.patch("1", {"votes": Increment(n), "labels": Add(f"{n % 7}")})
                counted += n
            case 1:
                async with beside.client.transaction() as both:
                    both.patch("tasks", "1", {"votes": Increment(-n), "log": Append(n)})
                    both.patch("tasks", "2", {"votes": Increment(n)})
                counted, moved = counted - n, moved + n
            case 2:
                await beside.fields.push("1", now(), **{f"of {n % 3}": n})
                await beside.fields.until("push_ack")
            case _:
                await beside.records.push("3", {"n": n})
                await beside.records.until("push_ack")
    kept = [await beside.app.changes.get("tasks", each) for each in "123"]
    one, two, three = (each.data for each in kept if each is not None)
    assert (one["votes"], two["votes"]) == (counted, moved)
    await beside.everywhere(_1=one, _2=two, _3=three)
