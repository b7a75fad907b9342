"""A database file with many records, written by our own server, and copies of it."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import apsw

from benchmarks.support.processes import WITHOUT_LIMITS, rhtmx
from benchmarks.support.sockets import Client

TOGETHER = 200
"""Pushes under way at a time, fewer than the server lets wait on one connection."""


def content(number: int) -> bytes:
    """The data of record `number`: an object of four fields, about 300 bytes."""
    words = " ".join(f"{(number + word) * 7919 % 9973:04d}" for word in range(46))
    record = {
        "title": f"record {number}",
        "done": number % 2 == 0,
        "owner": f"owner-{number % 97}",
        "text": words,
    }
    return json.dumps(record, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Filled:
    """A closed database file.

    Args:
        path: the file; nothing waits in a log beside it.
        head: the version of its last record: number `head`, as no record was
            written twice.
        epoch: its epoch.
    """

    path: Path
    head: int
    epoch: str

    @contextlib.contextmanager
    def copy(self) -> Iterator[Path]:
        """A copy for one server, deleted at the end."""
        with tempfile.TemporaryDirectory(prefix="rhtmx-bench-") as folder:
            yield Path(shutil.copy(self.path, folder))


@contextlib.contextmanager
def filled(count: int) -> Iterator[Filled]:
    """A file with `count` records of the collection `bench`, each written once."""
    with tempfile.TemporaryDirectory(prefix="rhtmx-bench-") as folder:
        path = Path(folder) / "filled.db"
        with rhtmx(*WITHOUT_LIMITS, store=f"sqlite:///{path}") as server:
            client = Client(server.port)
            client.say(type="hello", client_id="writer")
            epoch = json.loads(client.until(b'"welcome"'))["epoch"]
            for start in range(1, count + 1, TOGETHER):
                numbers = range(start, min(start + TOGETHER, count + 1))
                client.send(*(_push(number) for number in numbers))
                client.take(len(numbers))
        # The server was killed, as a crash would have done it: take over its log.
        connection = apsw.Connection(str(path))
        connection.pragma("wal_checkpoint(TRUNCATE)")
        head = connection.execute("SELECT max(version) FROM records").get
        connection.close()
        if head != count:
            raise RuntimeError(f"{count} records pushed, {head} in the file")
        yield Filled(path, count, epoch)


def _push(number: int) -> bytes:
    head = b'{"type":"push","entity":"bench","entity_id":"%d","action":"create","data":'
    return head % number + content(number) + b"}"
