"""What a database file must be like, and how it is opened.

Knows paths and connections. Must not know what is in the tables.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import apsw

from rhtmx_server.stores.sqlite.failures import failed

__all__ = [
    "DEFAULTS",
    "FileOptions",
    "check_path",
    "connect",
    "connect_to_read",
    "opening",
    "prepare_reader",
    "prepare_writer",
]

BUSY_TIMEOUT = 250
"""How long to wait for a backup tool's short lock; milliseconds."""


@dataclass(frozen=True, slots=True)
class FileOptions:
    """How the file is treated.

    Args:
        synchronous: `FULL` makes an acknowledged write survive a power loss;
            with `NORMAL` only a crash of the process.
        max_pages: the file may grow to so many pages of 4 KiB; `None` for no limit.
        vfs: the name of a registered SQLite file system; empty for the
            operating system's.
    """

    synchronous: Literal["FULL", "NORMAL"] = "FULL"
    max_pages: int | None = None
    vfs: str = ""
    checkpoint_pages: int = 4000


DEFAULTS = FileOptions()


_HEADER = 100
"""Bytes of the header that every SQLite database begins with."""


def check_path(path: Path) -> None:
    """Find out what SQLite could only call "unable to open".

    Raises:
        RhtmxError: `STORAGE_FAILED`, with what is wrong and what to do.
    """
    folder = path.parent
    if not folder.is_dir():
        raise failed(f"cannot open {path}: there is no folder {folder}, create it first")
    if path.is_dir():
        raise failed(f"cannot open {path}: it is a folder, name a file in it")
    # The superuser may write to a read-only file. Who made it one did not mean that.
    if path.exists() and not (path.stat().st_mode & 0o222 and os.access(path, os.W_OK)):
        raise failed(f"cannot open {path}: it is read-only, a server must write to it")
    # SQLite takes a file that is shorter than its header for an empty one.
    if path.exists() and 0 < path.stat().st_size < _HEADER:
        raise failed(f"cannot open {path}: it is not a SQLite database, choose another file")
    if not os.access(folder, os.W_OK):
        raise failed(
            f"cannot open {path}: the folder {folder} is read-only, "
            "a server must write its log beside the file"
        )


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Put what SQLite or the system raises while the file is opened into words.

    Raises:
        RhtmxError: `STORAGE_FAILED`, with what is wrong and what to do.
    """
    try:
        yield
    except apsw.Error as error:
        raise failed(f"cannot open {path}: {_reason(error)}") from error
    except OSError as error:
        raise failed(f"cannot open {path}: {error.strerror}") from error


def connect(path: Path, options: FileOptions) -> apsw.Connection:
    """Open one connection; what kind is up to `prepare_writer` and `prepare_reader`."""
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    connection = apsw.Connection(str(path), flags, options.vfs or None)
    connection.set_busy_timeout(BUSY_TIMEOUT)
    return connection


def connect_to_read(path: Path, options: FileOptions) -> apsw.Connection:
    """Open one connection that cannot write: where another process has the file."""
    connection = apsw.Connection(str(path), apsw.SQLITE_OPEN_READONLY, options.vfs or None)
    connection.set_busy_timeout(BUSY_TIMEOUT)
    return connection


def prepare_writer(connection: apsw.Connection, path: Path, options: FileOptions) -> None:
    """Set up the connection that writes, once the file is known to be ours.

    Raises:
        RhtmxError: `STORAGE_FAILED`, if the file system cannot do what it takes.
    """
    # SQLite does not fail where it cannot: it answers with the mode that it has stayed in.
    if connection.pragma("journal_mode", "wal") != "wal":
        raise failed(
            f"cannot open {path}: its file system has no shared memory, as is usual for "
            "network folders: use a local disk"
        )
    connection.pragma("synchronous", options.synchronous)
    connection.pragma("fullfsync", True)  # macOS leaves writes in the drive otherwise
    connection.pragma("checkpoint_fullfsync", True)
    connection.pragma("cache_size", -32 * 1024)  # KiB
    connection.pragma("wal_autocheckpoint", options.checkpoint_pages)
    # A log that grew while a reader held it would stay that large.
    connection.pragma("journal_size_limit", 64 * 1024 * 1024)
    if options.max_pages is not None:
        connection.pragma("max_page_count", options.max_pages)


def prepare_reader(connection: apsw.Connection) -> None:
    """Set up a connection that only reads."""
    connection.pragma("query_only", True)
    connection.pragma("cache_size", -8 * 1024)  # KiB


def _reason(error: apsw.Error) -> str:
    match error:
        case apsw.NotADBError():
            return "it is not a SQLite database, choose another file"
        case apsw.CorruptError():
            return "it is damaged, restore a backup"
        case apsw.BusyError():
            return "another program keeps it locked, close that program"
        case apsw.FullError():
            return "the disk is full, make room"
        case _:
            return f"the disk or the file system refuses it ({type(error).__name__})"
