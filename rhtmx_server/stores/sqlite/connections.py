"""What exists between opening and closing a store.

Knows the order in which things are opened, and that they are closed the other
way round. Must not know what they are used for.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import apsw

from rhtmx_server.stores.sqlite.file import (
    FileOptions,
    check_path,
    connect,
    opening,
    prepare_reader,
    prepare_writer,
)
from rhtmx_server.stores.sqlite.lock import FileLock
from rhtmx_server.stores.sqlite.schema import check_identity, migrate

__all__ = ["Connections", "open_all"]


@dataclass(slots=True)
class Connections:
    """An opened database file.

    Args:
        path: the file, links followed.
        epoch: the store's epoch.
        writer: the connection that writes.
        committer: the thread that commits where the disk is slow.
        reader: the connection that reads on the event loop's thread.
        historian: the thread that reads the history, which may take long.
        archive: its connection; only that thread uses it.
        lock: keeps the file, and knows whether it is still there.
        undo: closes all of it, and gives the file back.
    """

    path: Path
    epoch: str
    writer: apsw.Connection
    committer: ThreadPoolExecutor
    reader: apsw.Connection
    historian: ThreadPoolExecutor
    archive: apsw.Connection
    lock: FileLock
    undo: ExitStack

    def close(self) -> None:
        """Close the connections and release the file."""
        self.undo.close()


def open_all(path: Path, options: FileOptions, new_epoch: Callable[[], str]) -> Connections:
    """Open the file; create it or bring it to today's format if need be.

    Raises:
        RhtmxError: `STORAGE_FAILED`, with what is wrong with the file and what
            to do.
    """
    # The log lies beside the file, not beside a link to it.
    named, path = path.absolute(), path.resolve()
    with ExitStack() as undo, opening(path):
        check_path(path)
        lock = FileLock(path, named=named)
        # Before the first connection: closing any descriptor of the file would drop SQLite's locks.
        lock.acquire()
        undo.callback(lock.release)
        writer = connect(path, options)
        undo.callback(writer.close)
        # Before `prepare_writer` changes the journal mode: another program's file stays as it is.
        check_identity(writer, str(path))
        prepare_writer(writer, path, options)
        epoch = migrate(writer, new_epoch)
        reader = _open_reader(path, options, undo)
        archive = _open_reader(path, options, undo)
        committer = _start_thread("rhtmx-commit", undo)
        historian = _start_thread("rhtmx-history", undo)
        # Last: by now SQLite has made the log and its index, which have to be locked as well.
        lock.settle()
        return Connections(
            path, epoch, writer, committer, reader, historian, archive, lock, undo.pop_all()
        )


def _open_reader(path: Path, options: FileOptions, undo: ExitStack) -> apsw.Connection:
    connection = connect(path, options)
    undo.callback(connection.close)
    prepare_reader(connection)
    return connection


def _start_thread(name: str, undo: ExitStack) -> ThreadPoolExecutor:
    thread = ThreadPoolExecutor(1, thread_name_prefix=name)
    undo.callback(thread.shutdown, cancel_futures=True)
    return thread
