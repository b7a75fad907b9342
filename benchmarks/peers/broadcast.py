"""A server on `websockets` and uvloop: what one client sends, all get, by `broadcast`."""

from __future__ import annotations

import asyncio
import contextlib
import sys

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed


async def main() -> None:
    connections: set[ServerConnection] = set()

    async def handle(connection: ServerConnection) -> None:
        connections.add(connection)
        with contextlib.suppress(ConnectionClosed):
            while True:
                data = await connection.recv(decode=False)
                # As the pushing client is no subscriber of ours, it is none here.
                broadcast(connections - {connection}, data, text=True)
        connections.discard(connection)

    compression = "deflate" if "--deflate" in sys.argv else None
    async with serve(
        handle, "127.0.0.1", 0, ping_interval=None, compression=compression, open_timeout=60
    ) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        sys.stdout.write(f"ready ws://127.0.0.1:{port}/\n")
        sys.stdout.flush()
        await asyncio.get_running_loop().create_future()


uvloop.run(main())
