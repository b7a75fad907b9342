"""The Python client: a large collection, a long queue, and what a record takes.

One change of a collection that somebody watches; a write while many wait; and the memory of a
record. Without sockets and servers: the client alone, on a line in memory.

    nox -s bench -- clients_python
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.support.figures import Scale, Table
from benchmarks.support.scripted import ENTITY, Line, client_on
from rhtmx import Collection, Increment
from rhtmx.stores.memory import MemoryStore

CHANGE = "Python client: CPU of one change, with a watcher"
CHANGE_RELATIVE = "Python client: CPU of one change, as a multiple of that at 1,000 records"
LOAD = "Python client: CPU of a first load, for each record"
WRITE = "Python client: CPU of one write while others wait"
WRITE_RELATIVE = "Python client: CPU of one write, as a multiple of that while 100 wait"
MEMORY = "Python client: memory of a record"

BASE, QUEUED = 1000, 100


@asynccontextmanager
async def watched(values: Callable[[], Any]) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Have somebody watch something; gives what waits until they have seen something new."""
    seen = asyncio.Event()

    async def watch() -> None:
        async for rows in values():
            len(rows)
            seen.set()

    async def news() -> None:
        await seen.wait()
        seen.clear()

    watching = asyncio.create_task(watch())
    try:
        await news()
        yield news
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _one_change(size: int, changes: int, conditional: bool) -> tuple[float, float]:
    """CPU seconds of one change, and of the first load for each record."""
    line = Line(size)
    async with client_on(line) as client:
        tasks = client.collection(ENTITY)
        condition = (lambda row: row.data["done"]) if conditional else None
        gc.collect()
        began = time.process_time()
        tasks.all()
        await tasks.synced()
        loaded = time.process_time() - began
        async with watched(lambda: tasks.subscribe(condition)) as news:
            took = []
            for number in range(changes):
                began = time.process_time()
                line.change(number * 7919 % size)
                await news()
                took.append(time.process_time() - began)
    return min(_halves(took)), loaded / size


def _halves(took: list[float]) -> list[float]:
    """The means of some parts of what was measured: the best of them has no disturbance."""
    size = max(1, len(took) // 10)
    return [sum(took[each : each + size]) / size for each in range(0, len(took) - size + 1, size)]


Write = Callable[[Collection, int], Coroutine[Any, Any, object]]


def _many(tasks: Collection, number: int) -> Any:
    return tasks.set(f"task-{number}", {"title": "Write it down", "rank": number})


def _one(tasks: Collection, number: int) -> Any:
    return tasks.patch("task-1", {"rank": number, "votes": Increment(1)})


async def _a_write(waiting: int, writes: int, write: Write) -> float:
    """CPU seconds of one write while so many wait; somebody watches records and queue."""
    async with client_on(Line(), MemoryStore("bench")) as client:
        tasks = client.collection(ENTITY)
        await tasks.synced()
        client.offline()
        calls = [write(tasks, number) for number in range(waiting)]
        await client.saved()
        async with watched(tasks.subscribe) as rows, watched(client.queues) as queue:
            took = []
            for number in range(waiting, waiting + writes):
                began = time.process_time()
                calls.append(write(tasks, number))
                await rows()
                await queue()
                took.append(time.process_time() - began)
                await client.saved()
    return min(_halves(took))


async def _all_stored(waiting: int) -> float:
    """CPU seconds of one write of so many, each of which somebody awaits in the store."""
    async with client_on(Line(), MemoryStore("bench")) as client:
        tasks = client.collection(ENTITY)
        client.offline()
        began = time.process_time()
        calls = [_many(tasks, number) for number in range(waiting)]
        await asyncio.gather(*[each.stored() for each in calls])
        return (time.process_time() - began) / waiting


WAYS: dict[str, Callable[[int, int], Coroutine[Any, Any, float]]] = {
    "with listeners": lambda waiting, writes: _a_write(waiting, writes, _many),
    "with listeners, all of one record": lambda waiting, writes: _a_write(waiting, writes, _one),
    "gather(stored()) of all": lambda waiting, writes: _all_stored(waiting),
}


def held_bytes(size: int, *, looks: bool) -> float:
    """Bytes that a process holds for each record; to be called in one of its own.

    Args:
        size: how many records.
        looks: whether somebody looks at the data of each.
    """

    async def read() -> float:
        async with client_on(Line(size)) as client:
            before = _private()
            tasks = client.collection(ENTITY)
            tasks.all()
            await tasks.synced()
            rows = tasks.all()
            if looks and not all(row.data for row in rows):
                raise RuntimeError("a record has no data")
            gc.collect()
            return (_private() - before) / len(rows)

    return asyncio.run(read())


def _private() -> int:
    rollup = Path("/proc/self/smaps_rollup").read_text()
    lines = dict(line.split(":") for line in rollup.splitlines()[1:])
    return int(lines["Private_Dirty"].split()[0]) * 1024


def _relative(table: Table, relative: Table, base: str) -> None:
    """Every case as a multiple of the one that begins with `base`."""
    last = {(row.case, row.subject): row.values[-1] for row in table.rows()}
    for (case, subject), value in last.items():
        _, of, rest = case.partition(" ")
        relative.add(case, subject, value / last[f"{base}{of}{rest}", subject])


def run(scale: Scale) -> list[Table]:
    """Measure all of it."""
    changes = Table(CHANGE, "µs", note="from the bytes of a message until a watcher has the rows")
    changes_relative = Table(CHANGE_RELATIVE, "of 1", note="budget: at most 3 at 100,000")
    load = Table(LOAD, "µs", note="from the bytes of the messages until `synced` returns")
    writes = Table(WRITE, "µs", note="until it shows in the collection and in the queue")
    writes_relative = Table(WRITE_RELATIVE, "of 1")
    memory = Table(MEMORY, "KiB", note="130 bytes of JSON with five fields; held, and shown")
    sizes = scale.pick((BASE, 10_000, 100_000), (BASE, 2 * BASE))
    queues = scale.pick((QUEUED, 1000, 10_000), (QUEUED, 2 * QUEUED))
    for _ in range(scale.rounds):
        for size in sizes:
            for words, conditional in (("", False), (", some by a condition", True)):
                change, loaded = asyncio.run(_one_change(size, scale.pick(200, 20), conditional))
                changes.add(f"{size:,} records{words}", changes.ours, change * 1e6)
            load.add(f"{size:,} records", load.ours, loaded * 1e6)
        for way, measure in WAYS.items():
            for waiting in queues:
                took = asyncio.run(measure(waiting, scale.pick(200, 20)))
                writes.add(f"{waiting:,} wait, {way}", writes.ours, took * 1e6)
        _relative(changes, changes_relative, f"{BASE:,}")
        _relative(writes, writes_relative, f"{QUEUED:,}")
        size = scale.pick(100_000, BASE)
        for words, looks in (("nobody looks at them", False), ("somebody looks at each", True)):
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
                held = process.submit(held_bytes, size, looks=looks).result()
            memory.add(f"{size:,} records, {words}", memory.ours, held / 1024)
    return [changes, changes_relative, load, writes, writes_relative, memory]
