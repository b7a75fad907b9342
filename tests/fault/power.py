"""A disk whose power can be cut: what was not synced is gone, or half of it is.

A kill of the process proves nothing about durability, for the operating system
still writes what the process had written. This SQLite file system keeps, beside
each file, the bytes that a sync has promised to keep.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import apsw


@dataclass
class Platter:
    """One file: what is safe, and what was written since the last sync."""

    safe: bytes = b""
    unsafe: list[tuple[int, bytes | None]] = field(default_factory=list)
    """(offset, bytes) of a write, (size, None) of a truncation, in order."""

    def sync(self) -> None:
        self.safe = self.after(self.unsafe)
        self.unsafe = []

    def after(self, changes: list[tuple[int, bytes | None]]) -> bytes:
        content = bytearray(self.safe)
        for position, data in changes:
            if data is None:
                del content[position:]
            else:
                content.extend(bytes(max(0, position - len(content))))
                content[position : position + len(data)] = data
        return bytes(content)


class Disk(apsw.VFS):
    """The file system.

    Args:
        name: under which SQLite finds it.
        cut_at: the power goes before this write or sync, counted from 1.
        keep: the share of what was not synced that reaches the disk all the
            same, in no order.
        seed: which part that is.
    """

    def __init__(self, name: str, *, cut_at: int, keep: float, seed: int) -> None:
        super().__init__(name, "")
        self.platters: dict[str, Platter] = {}
        self.acknowledged = 0
        self.acknowledged_at_cut = 0
        self.survived: dict[str, bytes] | None = None
        self._operations = 0
        self._cut_at = cut_at
        self._keep = keep
        self._random = random.Random(seed)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802  # SQLite's name
        path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        platter = self.platters.setdefault(path, Platter())
        return _File(self, platter, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802  # SQLite's name
        self.platters.pop(filename, None)
        super().xDelete(filename, syncdir)

    def count(self) -> None:
        """Called before each write and sync."""
        self._operations += 1
        if self._operations == self._cut_at:
            self.cut()

    def cut(self) -> None:
        """Take down what a machine would find that starts now."""
        if self.survived is None:
            self.acknowledged_at_cut = self.acknowledged
            self.survived = {
                name: platter.after(
                    [c for c in platter.unsafe if self._random.random() < self._keep]
                )
                for name, platter in self.platters.items()
            }

    def _left(self, platter: Platter) -> bytes:
        return platter.after([one for one in platter.unsafe if self._random.random() < self._keep])

    def restart_in(self, folder: Path) -> None:
        """Write what survived into another folder."""
        assert self.survived is not None
        folder.mkdir()
        for name, content in self.survived.items():
            (folder / Path(name).name).write_bytes(content)


class _File(apsw.VFSFile):
    def __init__(
        self, disk: Disk, platter: Platter, name: str | apsw.URIFilename | None, flags: list[int]
    ) -> None:
        super().__init__("", name, flags)
        self._disk = disk
        self._platter = platter

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802  # SQLite's name
        self._disk.count()
        self._platter.unsafe.append((offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802  # SQLite's name
        self._disk.count()
        self._platter.unsafe.append((newsize, None))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802  # SQLite's name
        self._disk.count()
        self._platter.sync()


@contextmanager
def powered(name: str, *, cut_at: int, keep: float, seed: int) -> Iterator[Disk]:
    """A disk that SQLite knows by `name` for as long as it is used."""
    disk = Disk(name, cut_at=cut_at, keep=keep, seed=seed)
    try:
        yield disk
    finally:
        disk.unregister()
