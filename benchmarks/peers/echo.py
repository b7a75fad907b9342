"""A server on `websockets` and uvloop that sends back what it gets, and does nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import sys

import uvloop
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed


async def handle(connection: ServerConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        while True:
            await connection.send(await connection.recv(decode=False), text=True)


async def main() -> None:
    async with serve(handle, "127.0.0.1", 0, ping_interval=None, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        sys.stdout.write(f"ready ws://127.0.0.1:{port}/\n")
        sys.stdout.flush()
        await asyncio.get_running_loop().create_future()


uvloop.run(main())
