"""A call without HTTP/2: what the peer says is given, what it is told is noted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, TypeVar

from rhtmx import wire
from rhtmx_server.transports.grpc.door import Door
from rhtmx_server.transports.grpc.framing import GLUE, prefixed
from rhtmx_server.transports.grpc.guards import GrpcLimits
from rhtmx_server.transports.grpc.headroom import Headroom
from tests.unit.rhtmx_server.connecting import Side

M = TypeVar("M")


class H2:
    """The windows of a connection."""

    def __init__(self) -> None:
        self.window = 1_000_000
        self.max_outbound_frame_size = 16_384
        self.sent: list[bytes] = []

    def local_flow_control_window(self, number: int) -> int:
        return self.window

    def send_data(self, number: int, data: bytes) -> None:
        self.window -= len(data)
        self.sent.append(data)

    def data_to_send(self) -> bytes:
        return b""


class Transport:
    """A transport that takes everything."""

    aborted = False
    paused = False
    written = 0

    def write(self, data: bytes) -> None:
        assert not self.aborted, "written after the end"
        self.written += len(data)

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True

    close = abort

    def get_extra_info(self, name: str) -> None: ...

    def pause_reading(self) -> None:
        assert not self.paused
        self.paused = True

    def resume_reading(self) -> None:
        assert self.paused
        self.paused = False

    def get_write_buffer_size(self) -> int:
        return self.written


class Peering:
    """The connection of a stream."""

    def __init__(self) -> None:
        self.write_ready = asyncio.Event()
        self.write_ready.set()
        self.data_sent = 0
        self.pages = Headroom(1_000_000, 1, 10.0)
        self.answers = Headroom(1_000_000, 16, 10.0)
        self.limits = GrpcLimits(1000, 1_000_000, 1000, lambda: 0.0)

    def data_send_process(self) -> None: ...


class Source:
    """The HTTP/2 stream of a call."""

    id = 1

    def __init__(self, said: bytes = b"") -> None:
        self.data_sent = 0
        self.connection = Peering()
        self._h2_connection = H2()
        self._transport = Transport()
        self._said = said
        self.more = asyncio.Event()
        self.over = True
        self.taken: list[bytes] = []
        self.window_updated = asyncio.Event()
        self.takes = asyncio.Event()
        self.takes.set()

    def say(self, data: bytes) -> None:
        self._said += data
        self.more.set()

    async def recv_data(self, size: int) -> bytes:
        while len(self._said) < size and not self.over:
            self.more.clear()
            await self.more.wait()
        data, self._said = self._said[:size], self._said[size:]
        return data

    def drop_peer(self) -> None:
        self._transport.abort()

    def window(self) -> int:
        return self._h2_connection.window if self.connection.write_ready.is_set() else 0

    def fits(self, data: bytes) -> bool:
        most = min(self.window(), self._h2_connection.max_outbound_frame_size)
        return self.takes.is_set() and len(data) <= most

    async def opened(self) -> int:
        while not self.window():
            self.window_updated.clear()
            await self.window_updated.wait()
        return self.window()

    def send_now(self, data: bytes) -> None:
        self._h2_connection.send_data(self.id, data)
        self.data_sent += len(data)
        self.taken.append(data)

    async def send_data(self, data: bytes) -> None:
        await self.takes.wait()
        self.taken.append(data)
        self.data_sent += len(data)


class HttpPeer:
    """The other end of the connection, as grpclib tells of it."""

    def addr(self) -> tuple[str, int]:
        return "192.0.2.7", 4711

    def cert(self) -> Mapping[str, Any] | None:
        return None


class Call:
    """A call, as the methods see it."""

    def __init__(self, *said: object, metadata: Mapping[str, str] | None = None) -> None:
        self.metadata = dict(metadata or {})
        self.peer = HttpPeer()
        self._method_name = "/rhtmx.v1.Trackers/Called"
        self._stream = Source(b"".join(prefixed(wire.encode_message(each)) for each in said))
        self._send_initial_metadata_done = False
        self._send_message_done = False
        self.ended: dict[str, Any] | None = None

    @property
    def began(self) -> bool:
        return self._send_initial_metadata_done

    async def send_initial_metadata(self) -> None:
        self._send_initial_metadata_done = True

    async def send_message(self, message: Any) -> None:
        if not self.began:
            await self.send_initial_metadata()
        await self._stream.send_data(prefixed(GLUE.encode(message, type(message))))

    def heard(self, kind: type[M]) -> list[M]:
        """What the peer was sent."""
        data, got = b"".join(self._stream.taken), []
        while data:
            end = 5 + int.from_bytes(data[1:5], "big")
            got.append(GLUE.decode(data[5:end], kind))
            data = data[end:]
        return got

    async def send_trailing_metadata(self, **ended: Any) -> None:
        self.ended = ended

    @property
    def stream(self) -> Any:
        """Itself, for what expects grpclib's class."""
        return self


def door(side: Side, *, ready: bool = True) -> Door:
    """The door of a server that commits when a test says so."""
    return Door(side.services, lambda: ready)
