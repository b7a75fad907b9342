"""Database files that hold many records before the server opens them."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rhtmx.messages import ChangeAction, Push, PushFields
from rhtmx_server.model import Mutation
from rhtmx_server.ports import Decide
from rhtmx_server.stores.sqlite import SqliteStore
from rhtmx_server.trackers.changes import changes_decider
from rhtmx_server.trackers.policy import Policy
from rhtmx_server.writing.batch import Batch

BATCH = 2000


@contextlib.contextmanager
def grown(sizes: Sequence[int], data: bytes) -> Iterator[dict[int, Path]]:
    """Make a file of each size, in the entity `bench`, with the keys 0, 1, 2 …

    They are written by the server's own store and rules, without sockets, in
    large transactions; the history is there as after so many pushes.

    Args:
        sizes: how many records; rising.
        data: what is in each.
    """
    with tempfile.TemporaryDirectory(prefix="rhtmx-bench-") as folder:
        growing = Path(folder) / "growing.db"
        files, first = {}, 0
        for size in sizes:
            asyncio.run(_fill(growing, range(first, size), data))
            files[size] = Path(folder) / f"{size}.db"
            shutil.copyfile(growing, files[size])
            first = size
        growing.unlink()
        yield files


async def _fill(file: Path, numbers: range, data: bytes) -> None:
    store = SqliteStore(file)
    await store.open()
    policy = Policy()
    deciders: dict[type[Push | PushFields], Decide] = {Push: changes_decider(lambda entity: policy)}
    for first in range(numbers.start, numbers.stop, BATCH):
        mutations = [
            Mutation(
                Push(
                    entity="bench", entity_id=str(number), action=ChangeAction.UPDATE, data=data
                ),
                lambda reply: None,
            )
            for number in range(first, min(first + BATCH, numbers.stop))
        ]  # fmt: skip
        batch = Batch(mutations, deciders, store.epoch, int(time.time() * 1e6))
        await store.commit(batch.wanted(), batch.decide)
        if len(batch.commits) != len(mutations):
            raise RuntimeError(f"{len(batch.commits)} of {len(mutations)} records were written")
    await store.close()
