"""What a group commit costs on the loop, and in a thread beside a busy loop.

    python benchmarks/commit_handoff.py

One batch is 64 writes of 200 bytes and a COMMIT with fsync. The loop is kept
busy by a task that never waits. Prints JSON: milliseconds for each way.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apsw

BATCH = 64
BATCHES = 30


def open_database(folder: str) -> apsw.Connection:
    connection = apsw.Connection(str(Path(folder) / "bench.db"))
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "full")
    connection.execute("CREATE TABLE records(id INTEGER PRIMARY KEY, data BLOB) STRICT")
    return connection


def commit(connection: apsw.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for key in range(BATCH):
        connection.execute("REPLACE INTO records VALUES(?, ?)", (key, b"x" * 200))
    connection.execute("COMMIT")


async def keep_busy() -> None:
    while True:
        sum(range(2000))
        await asyncio.sleep(0)


async def measure(one: Callable[[], Awaitable[None]]) -> dict[str, float]:
    busy = asyncio.create_task(keep_busy())
    times = []
    for _ in range(BATCHES):
        started = time.perf_counter()
        await one()
        times.append((time.perf_counter() - started) * 1000)
        await asyncio.sleep(0)
    busy.cancel()
    return {"median": round(statistics.median(times), 2), "worst": round(max(times), 2)}


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as thread:
        connection = open_database(folder)
        loop = asyncio.get_running_loop()

        async def inline() -> None:
            commit(connection)

        async def handed() -> None:
            await loop.run_in_executor(thread, commit, connection)

        result = {"on_the_loop_ms": await measure(inline), "in_a_thread_ms": await measure(handed)}
        connection.close()
    print(json.dumps(result))


asyncio.run(main())
