"""Commit: what a group commit costs on the loop, and in a thread beside a busy loop.

One batch is 64 writes of 200 bytes and a COMMIT with fsync. The loop is kept busy
by a task that never waits.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apsw

from benchmarks.support.figures import Scale, Table
from benchmarks.support.processes import CORES, be_the_load

BATCH = 64
ON_THE_LOOP = "on the loop"
IN_A_THREAD = "in a thread"


def open_database(folder: str) -> apsw.Connection:
    connection = apsw.Connection(str(Path(folder) / "bench.db"))
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "full")
    connection.execute("CREATE TABLE records(id INTEGER PRIMARY KEY, data BLOB) STRICT")
    return connection


def commit(connection: apsw.Connection, content: bytes) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for key in range(BATCH):
        connection.execute("REPLACE INTO records VALUES(?, ?)", (key, content))
    connection.execute("COMMIT")


async def keep_busy() -> None:
    while True:
        sum(range(2000))
        await asyncio.sleep(0)


async def measure(one: Callable[[bytes], Awaitable[None]], batches: int) -> list[float]:
    """Milliseconds of each batch."""
    busy = asyncio.create_task(keep_busy())
    times = []
    for number in range(batches):
        content = b"%3d" % number + b"x" * 197
        started = time.perf_counter()
        await one(content)
        times.append((time.perf_counter() - started) * 1000)
        await asyncio.sleep(0)
    busy.cancel()
    return times


async def measure_both(batches: int) -> dict[str, list[float]]:
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as thread:
        connection = open_database(folder)
        loop = asyncio.get_running_loop()

        async def inline(content: bytes) -> None:
            commit(connection, content)

        async def handed(content: bytes) -> None:
            await loop.run_in_executor(thread, commit, connection, content)

        found = {}
        for subject, one in ((ON_THE_LOOP, inline), (IN_A_THREAD, handed)):
            found[subject] = await measure(one, batches)
            written = connection.execute("SELECT count(*), min(data) FROM records").get
            if written != (BATCH, b"%3d" % (batches - 1) + b"x" * 197):
                raise RuntimeError(f"{subject}: the last batch is not in the database")
        connection.close()
        return found


def run(scale: Scale) -> list[Table]:
    """Measure both ways in turn."""
    median = Table("Commit of a batch of 64: median", "ms", ours=ON_THE_LOOP)
    worst = Table("Commit of a batch of 64: worst", "ms", ours=ON_THE_LOOP)
    os.sched_setaffinity(0, CORES)  # as in a server, the thread may have the other core
    try:
        for _ in range(scale.rounds):
            for subject, times in asyncio.run(measure_both(scale.pick(30, 3))).items():
                median.add("a busy loop", subject, statistics.median(times))
                worst.add("a busy loop", subject, max(times))
    finally:
        be_the_load()
    return [median, worst]
