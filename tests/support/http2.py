"""A bare HTTP/2 client that says what it is told to, be it wrong."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)

from tests.support.sockets import PATIENCE

PUSH = "/rhtmx.v1.Trackers/Push"


class Http2:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.h2 = H2Connection(
            H2Configuration(
                client_side=True,
                header_encoding="utf-8",
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self.h2.initiate_connection()
        self.flush()
        self.headers: dict[int, dict[str, str]] = {}
        self.data: dict[int, bytes] = {}
        self.ended: set[int] = set()
        self.goodbye: ConnectionTerminated | None = None
        self.closed = False

    def flush(self) -> None:
        self.writer.write(self.h2.data_to_send())

    def request(
        self,
        path: str = PUSH,
        data: bytes | None = None,
        *,
        end: bool = True,
        **headers: str | None,
    ) -> int:
        """Open a stream; `None` leaves a header out."""
        number = self.h2.get_next_available_stream_id()
        every: dict[str, Any] = {
            ":method": "POST",
            ":scheme": "http",
            ":path": path,
            ":authority": "test",
            "te": "trailers",
            "content-type": "application/grpc",
        }
        every |= {name.replace("_", "-"): value for name, value in headers.items()}
        if "method" in every:
            every[":method"] = every.pop("method")
        sent = [(name, value) for name, value in every.items() if value is not None]
        self.h2.send_headers(number, sent)
        if data is not None:
            self.h2.send_data(number, data, end_stream=end)
        self.flush()
        return number

    async def answer(self, number: int) -> dict[str, str]:
        """All headers and trailers of a stream, once it has ended."""
        await self.until(lambda: number in self.ended)
        return self.headers[number]

    async def until(self, condition: Any) -> None:
        """Read until something is so, or the connection is closed."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                received = await self.reader.read(65536)
                if not received:
                    self.closed = True
                    if not condition():
                        raise ConnectionError("closed")
                    return
                for event in self.h2.receive_data(received):
                    self._take(event)
                self.flush()

    async def end(self) -> ConnectionTerminated | None:
        """Read until the server closes; what it said about that."""
        with contextlib.suppress(ConnectionError):
            await self.until(lambda: self.closed)
        return self.goodbye

    def _take(self, event: Event) -> None:
        if isinstance(event, ResponseReceived | TrailersReceived):
            got: Any = event.headers
            self.headers.setdefault(event.stream_id, {}).update(got)
        elif isinstance(event, DataReceived):
            self.data[event.stream_id] = self.data.get(event.stream_id, b"") + event.data
        elif isinstance(event, StreamEnded | StreamReset):
            assert event.stream_id is not None
            self.ended.add(event.stream_id)
        elif isinstance(event, ConnectionTerminated):
            self.goodbye = event


@contextlib.asynccontextmanager
async def http2(address: str) -> AsyncIterator[Http2]:
    """A connection, in plain text."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield Http2(reader, writer)
    finally:
        writer.transport.abort()
