"""What the disk itself takes to make a small commit durable."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

__all__ = ["FRAME", "fsyncs"]

FRAME = 24 + 4096
"""A page in SQLite's log, with its head: the least that a commit can be."""

_ROUND = 1000
"""Pages after which the file is written from the start again, as SQLite does with its log."""


def fsyncs(
    count: int, *, pages: int = 1, grows: bool = False, rate: float | None = None
) -> list[float]:
    """Write pages and sync them, so often; in seconds, sorted.

    In a file beside those of the servers' databases, as SQLite writes its log: `fdatasync`,
    and at the end from the start again.

    Args:
        count: how often.
        pages: what is written each time.
        grows: the file gets longer each time, instead.
        rate: how many a second; `None` for one after the other. A disk that has rested is slower.
            This process does not rest in between.
    """
    took = []
    content = os.urandom(FRAME * pages)
    places = max(1, _ROUND // pages)
    clock = time.perf_counter
    with tempfile.TemporaryDirectory(prefix="rhtmx-bench-") as folder:
        file = os.open(Path(folder) / "log", os.O_RDWR | os.O_CREAT)
        try:
            os.pwrite(file, b"" if grows else bytes(len(content) * places), 0)
            os.fsync(file)
            due = clock()
            for number in range(count):
                while rate is not None and clock() < due:
                    pass
                began = clock()
                os.pwrite(file, content, (number if grows else number % places) * len(content))
                os.fdatasync(file)
                took.append(clock() - began)
                due += 0 if rate is None else 1 / rate
        finally:
            os.close(file)
    return sorted(took)
