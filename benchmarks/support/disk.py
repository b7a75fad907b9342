"""What the disk itself takes to make a small commit durable."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

FRAME = 24 + 4096
"""A page in SQLite's log, with its head: the least that a commit can be."""


def fsyncs(count: int) -> list[float]:
    """Write one page and sync it, so often; in seconds, sorted.

    In a file beside those of the servers' databases, as SQLite writes its log:
    `fdatasync`, and after 1,000 pages from the start again.
    """
    took = []
    page = os.urandom(FRAME)
    with tempfile.TemporaryDirectory(prefix="rhtmx-bench-") as folder:
        file = os.open(Path(folder) / "log", os.O_RDWR | os.O_CREAT)
        try:
            os.pwrite(file, bytes(FRAME * 1000), 0)
            os.fsync(file)
            for number in range(count):
                began = time.perf_counter()
                os.pwrite(file, page, number % 1000 * FRAME)
                os.fdatasync(file)
                took.append(time.perf_counter() - began)
        finally:
            os.close(file)
    return sorted(took)
