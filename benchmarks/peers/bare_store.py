"""The store alone: the rows of pushes that were decided beforehand, without sockets.

    python bare_store.py --count 20000 --batch 64 [--lean] [--numbered]

Decides the pushes first, with the server's own rules, and keeps the rows. Then
writes them batch by batch through the store's `commit`, with fsync, and prints
JSON: seconds of wall time and of CPU, and what of it COMMIT took.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.support.pushes import push
from rhtmx.messages import Push, PushFields
from rhtmx_server.model import Mutation
from rhtmx_server.ports import BatchNeeds, BatchWrites, Decide, Snapshot
from rhtmx_server.stores.memory import MemoryStore
from rhtmx_server.stores.sqlite import SqliteStore
from rhtmx_server.trackers.changes import changes_decider
from rhtmx_server.trackers.policy import Policy
from rhtmx_server.writing.batch import Batch

CLIENTS = 64


def mutation(number: int, *, numbered: bool) -> Mutation:
    seq = number // CLIENTS + 1 if numbered else None
    client_id = f"pusher-{number % CLIENTS}" if numbered else None
    return Mutation(push("bench", number, seq), lambda reply: None, client_id, "pusher")


async def decided(
    count: int, size: int, *, lean: bool, numbered: bool
) -> list[tuple[BatchNeeds, BatchWrites]]:
    """What the server would write for these pushes."""
    deciders: dict[type[Push | PushFields], Decide] = {
        Push: changes_decider(lambda entity: None if lean else Policy())
    }
    memory, kept = MemoryStore(), []
    for start in range(0, count, size):
        mutations = [
            mutation(number, numbered=numbered) for number in range(start, min(start + size, count))
        ]
        batch = Batch(mutations, deciders, "epoch", time.time_ns() // 1000)
        made: list[BatchWrites] = []

        def decide(
            snapshot: Snapshot, batch: Batch = batch, made: list[BatchWrites] = made
        ) -> BatchWrites:
            writes = batch.decide(snapshot)
            made.append(
                BatchWrites(
                    list(writes.records), writes.heads, writes.history,
                    list(writes.clients), writes.outcomes,
                )
            )  # fmt: skip
            return made[0]

        await memory.commit(batch.wanted(), decide)
        kept.append((batch.wanted(), made[0]))
    return kept


class Clock:
    """Remembers how often and how far apart it was asked: around each COMMIT."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def __call__(self) -> float:
        self.times.append(time.perf_counter())
        return self.times[-1]

    @property
    def inside(self) -> float:
        pairs = zip(self.times[::2], self.times[1::2], strict=True)
        return sum(end - start for start, end in pairs)


@dataclass(frozen=True, slots=True)
class Already:
    """Decides what was decided before."""

    writes: BatchWrites

    def __call__(self, snapshot: Snapshot) -> BatchWrites:
        return self.writes


async def measure(batches: list[tuple[BatchNeeds, BatchWrites]]) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="rhtmx-bench-") as folder:
        clock = Clock()
        store = SqliteStore(Path(folder) / "bench.db", clock=clock)
        await store.open()
        began, burned = time.perf_counter(), time.process_time()
        for wanted, writes in batches:
            await store.commit(wanted, Already(writes))
        seconds, cpu = time.perf_counter() - began, time.process_time() - burned
        head = (await store.head("bench")).version
        await store.close()
    return {"seconds": seconds, "cpu": cpu, "commit": clock.inside, "head": head}


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--lean", action="store_true", help="without fields")
    parser.add_argument("--numbered", action="store_true", help="with clients and outcomes")
    options = parser.parse_args()
    batches = await decided(
        options.count, options.batch, lean=options.lean, numbered=options.numbered
    )
    print(json.dumps(await measure(batches)))


asyncio.run(main())
