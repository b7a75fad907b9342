"""A database file with what hostile readers ask for, written by our own server.

`small` has ten records; `big` has records of 50 KB; `lost` has one record, and writes of
one of its fields that lost, all at one version.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import apsw

from benchmarks.support.processes import rhtmx
from benchmarks.support.sockets import Client

TOGETHER = 200
"""Pushes under way at a time, fewer than the server lets wait on one connection."""

RECORD = 50_000
"""Bytes of a record of `big`."""


@contextlib.contextmanager
def stocked(size: int, losers: int) -> Iterator[Path]:
    """A closed file.

    Args:
        size: bytes in `big`.
        losers: how many writes lost in `lost`.
    """
    with tempfile.TemporaryDirectory(prefix="rhtmx-bench-") as folder:
        path = Path(folder) / "stocked.db"
        with rhtmx(store=f"sqlite:///{path}") as server:
            _write(server.port, [_record("small", number, 100) for number in range(10)])
            some = range(size // RECORD)
            _write(server.port, [_record("big", number, RECORD) for number in some])
            _write(server.port, [_field("winner", 2025)])
            for start in range(0, losers, 10_000):
                some = range(start, min(start + 10_000, losers))
                _write(server.port, [_field(f"loser {number}", 2001) for number in some])
        # The server was killed, as a crash would have done it: take over its log.
        connection = apsw.Connection(str(path))
        connection.pragma("wal_checkpoint(TRUNCATE)")
        connection.close()
        yield path


def _record(entity: str, number: int, size: int) -> dict[str, Any]:
    text = (f"{number} " * size)[:size]
    return {
        "type": "push", "entity": entity, "entity_id": str(number), "action": "create",
        "data": {"text": text},
    }  # fmt: skip


def _field(value: str, year: int) -> dict[str, Any]:
    update = {
        "field": "name", "value": value, "action": "update", "timestamp": f"{year}-01-01T00:00:00Z"
    }  # fmt: skip
    return {"type": "push_fields", "entity": "lost", "entity_id": "1", "fields": [update]}


def _write(port: int, messages: Sequence[dict[str, Any]]) -> None:
    client = Client(port)
    client.say(type="hello", client_id=f"stock-{client.socket.getsockname()[1]}")
    client.until(b'"welcome"')
    for start in range(0, len(messages), TOGETHER):
        some = messages[start : start + TOGETHER]
        client.send(*(json.dumps(each).encode() for each in some))
        left = len(some)
        while left:
            left -= sum(
                b'"type":"push_ack"' in each or b'"type":"field_push_ack"' in each
                for each in client.some()
            )
    client.close()
