"""Who may use a database: one server at a time, and as long as its files are in their place.

Knows inodes, descriptors and locks. Must not know SQL, nor what is in the files.

SQLite itself would let two processes write in turns, but each of them believes
that it has seen every commit. So a server locks the database: the file itself
(its inode), by whatever name it was opened. It locks the log (`app.db-wal`) and
its index (`app.db-shm`) as well: a server that finds a new database beside the
log of another one, which still runs, would take that log for its own.

The lock belongs to an open descriptor: it is gone when the process is, however
that ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import math
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.stores.sqlite.failures import failed

__all__ = ["LOOK_EVERY", "FileLock", "InUseError", "by_byte", "whole"]

log = logging.getLogger("rhtmx_server")

Inode: TypeAlias = tuple[int, int]
"""Device and number: what stays the same when a file gets another name."""

_in_use: set[Inode] = set()
_one_at_a_time = threading.Lock()
"""The files that this process has locked. To close any descriptor of a file ends all POSIX
locks that the process has on it (fcntl(2)), and those are what SQLite works with: so a file
that is in use here is not even opened a second time."""

_BEYOND = 2**62
"""A byte that SQLite does not lock: it uses 1 GiB and the 511 bytes after it in the database,
and bytes 120 to 128 of the index (SQLite 3.54, os.h and os_unix.c)."""


LOOK_EVERY = 0.1
"""Seconds between two looks at where the files of a database are that is written to."""


class InUseError(RhtmxError):
    """Another server has the file."""


def whole(descriptor: int) -> None:
    """Lock a file by flock(2); on Linux it has nothing to do with SQLite's own locks.

    Raises:
        BlockingIOError: another descriptor has it.
    """
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def by_byte(descriptor: int) -> None:
    """Lock one byte of a file: on macOS and BSD flock(2) would keep out SQLite's own locks.

    Raises:
        BlockingIOError: another process has it.
    """
    fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _BEYOND)


_LOCK = whole if sys.platform == "linux" else by_byte


class FileLock:
    """Keeps a second server away from a database, and sees when it is not there any more.

    Args:
        database: the file, links followed.
        lock: locks a descriptor, or raises `BlockingIOError`.
        named: the file as its owner calls it, which may be a link that later
            leads elsewhere; by default it is the file.

    Attributes:
        lost: whether it was seen that one of the files is not where it was.
    """

    def __init__(
        self, database: Path, lock: Callable[[int], None] = _LOCK, named: Path | None = None
    ) -> None:
        self._database = str(database)
        self._named = str(named or database)
        self._log = (f"{database}-wal", f"{database}-shm")
        self._lock = lock
        self._held: dict[Inode, int] = {}
        self._places: list[tuple[str, Inode]] = []
        self._next = 0.0
        self.lost = False

    def acquire(self) -> None:
        """Lock the database, made empty if need be, and a log that lies beside it.

        To be called before SQLite opens them.

        Raises:
            RhtmxError: `STORAGE_FAILED`, if another server holds one of them.
        """
        try:
            with _one_at_a_time:
                self._hold(self._database, self._database_in_use, os.O_CREAT)
                self._hold_log()
        except BaseException:
            self.release()
            raise

    def settle(self) -> None:
        """Lock what SQLite has made by now, and take note of where the files are.

        Raises:
            RhtmxError: `STORAGE_FAILED`, if one of them is not the one that was locked.
        """
        with _one_at_a_time:
            self._hold_log()
        for path in (self._database, *self._log):
            inode = _inode(path)
            if inode is not None:
                self._places.append((path, inode))
        if not self._places or self._places[0][1] not in self._held:
            raise failed(f"cannot open {self._database}: it was replaced at this moment, try again")

    def check(self, now: float = math.inf) -> None:
        """Make sure that the files are where they were.

        Each time: that the database has a name at all; 2 µs, and each commit needs
        it before it is acknowledged. Every `LOOK_EVERY`: that all of them are in
        their places. What was committed to a file that was only moved is in that
        file, and what was committed before the log went is lost with it: so for
        those that is soon enough.

        Args:
            now: seconds, of a clock that does not jump; without it all are looked at.

        Raises:
            RhtmxError: `STORAGE_FAILED`, now and from now on, if one is not.
        """
        if not self.lost:
            # No name is left of a file that was deleted: what is written there is gone with the
            # process.
            if now < self._next and os.fstat(self._held[self._places[0][1]]).st_nlink:
                return
            moved = self._moved()
            if moved is None:
                self._next = now + LOOK_EVERY if now < math.inf else self._next
                return
            self.lost = True
            log.critical(
                "%s was deleted, moved or replaced while the server has it open: nothing is "
                "acknowledged any more. Stop the server, put the file back, and start it again",
                moved,
            )
        raise failed(
            "the server's database was deleted, moved or replaced while it was in use: nothing "
            "is acknowledged until it was put back and the server started again"
        )

    def release(self) -> None:
        """Give back what is held. To be called after SQLite has closed its descriptors."""
        with _one_at_a_time:
            while self._held:
                inode, descriptor = self._held.popitem()
                os.close(descriptor)
                _in_use.discard(inode)
        self._places.clear()

    def _moved(self) -> str | None:
        """The name of a file that is not where it was, if there is one."""
        for path, inode in self._places:
            if _inode(path) != inode:
                return path
        inode = self._places[0][1]
        return None if _inode(self._named, follow=True) == inode else self._named

    def _hold_log(self) -> None:
        for path in self._log:
            if os.path.lexists(path):
                self._hold(path, self._log_in_use)

    def _hold(self, path: str, refusal: Callable[[Inode], RhtmxError], flags: int = 0) -> None:
        # By inode: a hard link is another name of the same database.
        inode = _inode(path)
        if inode in self._held:
            return
        if inode in _in_use:
            raise refusal(inode)
        with contextlib.ExitStack() as undo:
            try:
                descriptor = os.open(path, os.O_RDWR | flags, 0o644)
                undo.callback(os.close, descriptor)
                # Of what was opened, not of the path: between the two looks it may have been
                # replaced.
                opened = os.fstat(descriptor)
                inode = (opened.st_dev, opened.st_ino)
                self._lock(descriptor)
            except BlockingIOError:
                raise refusal(inode or (0, 0)) from None
            except OSError as error:
                raise failed(f"cannot lock {path}: {error.strerror}") from error
            undo.pop_all()
        self._held[inode] = descriptor
        _in_use.add(inode)

    def _database_in_use(self, inode: Inode) -> RhtmxError:
        return InUseError(
            ErrorCode.STORAGE_FAILED,
            f"{self._database} is in use by another rhtmx server{_holder(inode)}: "
            "stop that one, or give this one a file of its own. Several processes on one store "
            "(workers) need PostgreSQL and a bus: App(store='postgresql://…', bus='notify:')",
        )

    def _log_in_use(self, inode: Inode) -> RhtmxError:
        return failed(
            f"{self._database} was deleted or replaced while another rhtmx server{_holder(inode)} "
            "was using it, and that one still runs: stop it first"
        )


def _inode(path: str, *, follow: bool = False) -> Inode | None:
    try:
        found = os.stat(path, follow_symlinks=follow)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _holder(inode: Inode) -> str:
    """Who has locked a file, in words, where the system tells."""
    if inode in _in_use:
        return f" (process {os.getpid()})"
    device, number = inode
    file = f"{os.major(device):02x}:{os.minor(device):02x}:{number}"
    with contextlib.suppress(OSError), open("/proc/locks", encoding="ascii") as locks:
        for line in locks:  # 1: FLOCK  ADVISORY  WRITE 4711 fe:01:131074 0 EOF
            match line.split():
                case [_, "FLOCK", _, "WRITE", process, where, *_] if where == file:
                    return f" (process {process})" if int(process) > 0 else ""
    return ""
