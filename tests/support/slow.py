"""A client that reads only when it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from tests.support.sockets import PATIENCE


class SlowReader:
    """A socket without a library that would read behind the test's back."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, url: str
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._protocol = ClientProtocol(parse_uri(url), max_size=None)

    async def handshake(self) -> None:
        self._protocol.send_request(self._protocol.connect())
        self._flush()
        while self._protocol.handshake_exc is None and not self._protocol.events_received():
            self._protocol.receive_data(await self._reader.read(4096))

    def send(self, message: dict[str, Any]) -> None:
        self._protocol.send_text(json.dumps(message).encode())
        self._flush()

    def end(self) -> None:
        """Say nothing more; go on being there."""
        self._writer.write_eof()

    async def read(self) -> list[dict[str, Any]]:
        """Some of what has arrived; empty at the end of the connection."""
        async with asyncio.timeout(PATIENCE):
            while True:
                data = await self._reader.read(65536)
                if not data:
                    return []
                self._protocol.receive_data(data)
                events = self._protocol.events_received()
                frames = [e for e in events if isinstance(e, Frame) and e.opcode is Opcode.TEXT]
                if frames:
                    return [json.loads(bytes(frame.data)) for frame in frames]

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            self._writer.write(data)


@contextlib.asynccontextmanager
async def slow_reader(url: str) -> AsyncIterator[SlowReader]:
    """Open a socket with small buffers that nobody reads."""
    parts = urlsplit(url)
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, (parts.hostname, parts.port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=1024)
    client = SlowReader(reader, writer, url)
    try:
        await client.handshake()
        yield client
    finally:
        writer.transport.abort()
