"""Bare SELECT-and-send on `websockets`, uvloop and apsw: the rows of our file as they lie there.

What a client says is the version that it has. It is sent every newer row of the
collection as one JSON text message, and then `{"end":true}`. Nothing is
checked, escaped or converted: the columns are put between quotes.

With `--send` each message goes through the library's `send`; otherwise ready-made
frames are joined, a page in one write, which is several times as fast.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
import sys
from typing import Any

import apsw
import uvloop
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

PAGE = 256
ROWS = """
    SELECT entity_id, records.version, action, data, client_id, time
    FROM versions CROSS JOIN records ON records.id = record
    WHERE versions.entity = 'bench' AND versions.version > ? ORDER BY versions.version LIMIT ?"""
MESSAGE = (
    b'{"type":"change","change":{"entity":"bench","entity_id":"%b","action":%d,'
    b'"data":%b,"version":%d,"client_id":"%b","created_at":%d}}'
)
DONE = b'{"end":true}'


def frame(payload: bytes) -> bytes:
    """One text frame (RFC 6455 section 5.2)."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    return struct.pack("!BBH", 0x81, 126, size) + payload


def message(row: tuple[Any, ...]) -> bytes:
    """One row as JSON."""
    entity_id, version, action, data, client_id, time = row
    return MESSAGE % (entity_id.encode(), action, data, version, (client_id or "").encode(), time)


async def main() -> None:
    database = apsw.Connection(sys.argv[1], apsw.SQLITE_OPEN_READWRITE)
    by_send = "--send" in sys.argv

    async def answer(connection: ServerConnection, since: int) -> None:
        while True:
            page: list[Any] = database.execute(ROWS, (since, PAGE)).fetchall()
            if not page:
                break
            since = page[-1][1]
            if by_send:
                for row in page:
                    await connection.send(message(row), text=True)
            else:
                connection.transport.write(b"".join([frame(message(row)) for row in page]))
                await connection.drain()
                await asyncio.sleep(0)
        await connection.send(DONE, text=True)

    async def handle(connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await answer(connection, int(await connection.recv()))

    async with serve(
        handle,
        "127.0.0.1",
        0,
        ping_interval=None,
        compression=None,
        open_timeout=60,
        backlog=4096,
        write_limit=256 * 1024,  # as ours
    ) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        sys.stdout.write(f"ready ws://127.0.0.1:{port}/\n")
        sys.stdout.flush()
        await asyncio.get_running_loop().create_future()


uvloop.run(main())
