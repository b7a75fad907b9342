"""Disks that are slow or full, as SQLite file systems."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import apsw

Hook: TypeAlias = Callable[[], None]

_names = (f"faulty-{number}" for number in itertools.count())


class FaultyDisk(apsw.VFS):
    """A file system that calls a hook before each write and each sync."""

    def __init__(self, before_write: Hook, before_sync: Hook) -> None:
        self.vfs_name = next(_names)
        self.before_write = before_write
        self.before_sync = before_sync
        super().__init__(self.vfs_name, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802  # SQLite's name
        return _File(self, name, flags)


class _File(apsw.VFSFile):
    def __init__(
        self, disk: FaultyDisk, name: str | apsw.URIFilename | None, flags: list[int]
    ) -> None:
        super().__init__("", name, flags)
        self._disk = disk

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802  # SQLite's name
        self._disk.before_write()
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802  # SQLite's name
        self._disk.before_sync()
        super().xSync(flags)


def nothing() -> None:
    """A hook that does nothing."""


@contextmanager
def faulty(*, before_write: Hook = nothing, before_sync: Hook = nothing) -> Iterator[FaultyDisk]:
    """A faulty disk, known to SQLite for as long as it is used."""
    disk = FaultyDisk(before_write, before_sync)
    try:
        yield disk
    finally:
        disk.unregister()


class Gate:
    """Lets through, until it is shut; whoever comes then waits until it is opened."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._open = threading.Event()
        self._open.set()

    def shut(self) -> None:
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    def pass_through(self) -> None:
        if not self._open.is_set():
            self.reached.set()
            assert self._open.wait(10), "nobody opened the gate"
