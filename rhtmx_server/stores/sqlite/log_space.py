"""Room in SQLite's log (`app.db-wal`) before it is needed.

Knows the log as a file that grows. Must not know SQL, nor what is in it.

A commit that makes the log longer has the file system write two things to the disk: the
pages, and how long the file is now. On ext4 that takes nearly twice as long as the pages alone
(`nox -s bench -- commit_handoff`). SQLite writes its log from the beginning again after each
checkpoint, so only a young log grows; but where a push comes now and then it stays young for
long. So what it will need is filled with zeros ahead, each time it has grown beyond that: as
much as there is, and at most so much as a commit can well wait for.

Zeros are no frame of the log: SQLite takes a log to end where salt or checksum are wrong, as they
are in what is left of a log that was begun anew.
"""

from __future__ import annotations

import os
from contextlib import suppress

__all__ = ["FIRST", "STEP", "LogSpace", "most_bytes"]

FIRST = 512 * 1024
"""Bytes that are made ready at first: about 120 pages."""

STEP = 2 * 1024 * 1024
"""Bytes at a time at most: 7 ms on a disk that writes 300 MB a second."""

_FRAME = 24 + 4096
_AT_ONCE = 1024 * 1024


def most_bytes(checkpoint_pages: int) -> int:
    """How long a log gets that begins anew after so many pages, with a large batch at its end."""
    return checkpoint_pages * 5 // 4 * _FRAME


class LogSpace:
    """Makes the log longer before it has to grow.

    Args:
        descriptor: the log, opened to be written; `None` for one that is to be left alone.
        most: bytes; a log that is longer grows by itself.
    """

    def __init__(self, descriptor: int | None, most: int) -> None:
        self._descriptor = descriptor
        self._most = most
        self._ready = 0

    def is_outgrown(self) -> bool:
        """Whether the log has grown beyond what was made ready: `extend` is due."""
        if self._descriptor is None or self._ready >= self._most:
            return False
        return os.fstat(self._descriptor).st_size > self._ready

    def extend(self) -> None:
        """Make the log longer, and that durable: takes milliseconds.

        To be called within a transaction that writes, from which nobody else can write to
        the log: what SQLite writes next begins within the file as it is now.
        """
        if self._descriptor is None:
            return
        size = os.fstat(self._descriptor).st_size
        self._ready = min(self._most, max(FIRST, size + min(size, STEP)))
        try:
            _fill(self._descriptor, size, self._ready)
            os.fsync(self._descriptor)
        except OSError:  # no room, for one: what is there is left to SQLite, which tells of it
            self._ready = self._most
            with suppress(OSError):
                os.ftruncate(self._descriptor, size)


def _fill(descriptor: int, start: int, end: int) -> None:
    """Write zeros: a hole, or space that is only reserved, is written down when it is filled."""
    zeros = memoryview(bytes(_AT_ONCE))
    while start < end:
        start += os.pwrite(descriptor, zeros[: end - start], start)
