"""Facts about `rhtmx_server.delivery.traced_reading`."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine
from typing import Any

import pytest

from rhtmx_server.delivery.traced_reading import CountedReads, traced_spawn
from rhtmx_server.model import Departure, Record
from rhtmx_server.stores.memory import MemoryStore
from tests.unit.rhtmx_server.fakes import record
from tests.unit.rhtmx_server.spans_taken import NOBODY, Tracer


class Pages(MemoryStore):
    """Has one page of everything."""

    async def since(
        self, entity: str, after: int, upto: int, limit: int, *, clocks: bool = True
    ) -> list[Record]:
        return [record("1", 1), record("2", 2)]

    async def since_in(
        self,
        entity: str,
        parts: Collection[str],
        after: int,
        upto: int,
        limit: int,
        *,
        clocks: bool = True,
    ) -> list[Record | Departure]:
        return [record("3", 3)]


def spawn(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    return asyncio.get_running_loop().create_task(coroutine)


async def test_what_a_task_reads_is_one_span_with_what_it_read() -> None:
    tracer, reads = Tracer(), CountedReads(Pages())

    async def reading() -> None:
        await reads.store.since("tasks", 0, 9, 128, clocks=False)
        await reads.store.since_in("notes", frozenset({"a"}), 0, 9, 128, clocks=False)

    traced = traced_spawn(tracer.tracing, NOBODY, reads, spawn)
    for _ in range(2):  # each time it counts anew
        await traced(reading())
    assert [(each.name, each.ended) for each in tracer.spans] == [("catch_up", [None])] * 2
    for each in tracer.spans:
        assert each.attributes == {"rhtmx.entities": ["notes", "tasks"], "rhtmx.records": 3}


async def test_a_connection_that_ends_meanwhile_ends_it() -> None:
    tracer, reads = Tracer(), CountedReads(Pages())

    async def reading() -> None:
        await reads.store.since("tasks", 0, 9, 128, clocks=False)
        await asyncio.Event().wait()

    task = traced_spawn(tracer.tracing, NOBODY, reads, spawn)(reading())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert tracer.only.attributes["rhtmx.records"] == 2
    assert tracer.only.ended == ["CancelledError"]


def test_all_else_is_the_stores_own() -> None:
    store = Pages()
    reads = CountedReads(store).store
    assert (reads.epoch, reads.shared) == (store.epoch, store.shared)
