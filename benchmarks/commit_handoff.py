"""Commit: what a group commit costs on the loop, and in a thread beside a busy loop.

One batch is 64 writes of 200 bytes and a COMMIT with fsync. The loop is kept busy
by a task that never waits.

And what one push has to wait for at least: SQLite alone, writing as many pages as the server
does for a push, in a log that has its length and in one that grows; beside it the same pages
without SQLite.
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

from benchmarks.support.disk import FRAME, fsyncs
from benchmarks.support.figures import Scale, Table
from benchmarks.support.processes import CORES, be_the_load

BATCH = 64
ON_THE_LOOP = "on the loop"
IN_A_THREAD = "in a thread"
PAGES = 6
"""What a push writes in the median: its record, its commit, three indexes and the head."""
ROOMY = "SQLite, in a log that has its length"


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


def lone_commits(count: int, *, grows: bool) -> list[float]:
    """Milliseconds of transactions that write `PAGES` pages each."""
    with tempfile.TemporaryDirectory(prefix="rhtmx-bench-") as folder:
        connection = open_database(folder)
        connection.pragma("wal_autocheckpoint", 0)  # the log grows all the time, or never
        for number in range(PAGES):
            connection.execute(f"CREATE TABLE t{number}(id INTEGER PRIMARY KEY, data BLOB) STRICT")
            connection.execute(f"INSERT INTO t{number} VALUES (1, x'')")
        if not grows:
            log = Path(folder) / "bench.db-wal"
            with log.open("ab") as file:
                file.write(bytes(FRAME * PAGES * (count + 1)))
                os.fsync(file.fileno())
        length, times = os.stat(Path(folder) / "bench.db-wal").st_size, []
        for _ in range(count):
            content = os.urandom(200)
            began = time.perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            for number in range(PAGES):
                connection.execute(f"UPDATE t{number} SET data = ?", (content,))
            connection.execute("COMMIT")
            times.append((time.perf_counter() - began) * 1000)
        grown = os.stat(Path(folder) / "bench.db-wal").st_size - length
        if grown != (count * PAGES * FRAME if grows else 0):
            raise RuntimeError(f"{count} commits made the log {grown} bytes longer")
        connection.close()
    return times


def measure_floor(count: int, to: Table) -> None:
    """What a push waits for at least, in the same round with what the disk takes."""
    case = f"{PAGES} pages, one commit after the other"
    to.add(case, ROOMY, statistics.median(lone_commits(count, grows=False)))
    to.add(case, "SQLite, in a log that grows", statistics.median(lone_commits(count, grows=True)))
    to.add(case, "one page in place", statistics.median(fsyncs(count)) * 1000)
    to.add(case, "the pages in place", statistics.median(fsyncs(count, pages=PAGES)) * 1000)
    grown = fsyncs(count, pages=PAGES, grows=True)
    to.add(case, "the pages at the end", statistics.median(grown) * 1000)


def run(scale: Scale) -> list[Table]:
    """Measure both ways in turn, and the floor."""
    median = Table("Commit of a batch of 64: median", "ms", ours=ON_THE_LOOP)
    worst = Table("Commit of a batch of 64: worst", "ms", ours=ON_THE_LOOP)
    floor = Table("Commit of one push: median of what it waits for at least", "ms", ours=ROOMY)
    os.sched_setaffinity(0, CORES)  # as in a server, the thread may have the other core
    try:
        for _ in range(scale.rounds):
            for subject, times in asyncio.run(measure_both(scale.pick(30, 3))).items():
                median.add("a busy loop", subject, statistics.median(times))
                worst.add("a busy loop", subject, max(times))
            measure_floor(scale.pick(300, 3), floor)
    finally:
        be_the_load()
    return [median, worst, floor]
