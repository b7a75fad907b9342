"""Facts about `rhtmx_server.transports.grpc.events` (the rest is tested with real peers)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from h2.events import (
    DataReceived,
    Event,
    PingAckReceived,
    PingReceived,
    PriorityUpdated,
    RemoteSettingsChanged,
    RequestReceived,
    SettingsAcknowledged,
    UnknownFrameReceived,
    WindowUpdated,
)

from rhtmx_server.transports.grpc.events import GuardedProcessor
from rhtmx_server.transports.grpc.guards import GrpcLimits
from tests.unit.rhtmx_server.connecting import Clock


class Stream:
    """A stream that notes when its window grows."""

    id = 1

    def __init__(self) -> None:
        self.window_updated = asyncio.Event()

    def __terminated__(self, reason: str) -> None: ...


class Connection:
    """A connection that notes what it is told to do."""

    def __init__(self) -> None:
        self.goodbyes: list[bytes] = []
        self.acks: list[int] = []
        self.closed = False

    def create_stream(self, **how: Any) -> Stream:
        return Stream()

    def ack(self, number: int, size: int) -> None:
        self.acks.append(size)

    def ping_ack_process(self) -> None: ...

    def goodbye(self, code: Any, why: bytes) -> None:
        self.goodbyes.append(why)

    def close(self) -> None:
        self.closed = True


class Handler:
    """Notes the headers of calls."""

    def __init__(self) -> None:
        self.headers: list[Any] = []

    def accept(self, stream: Any, headers: Any, release: Callable[[], None]) -> None:
        self.headers.append(headers)

    def close(self) -> None: ...


class Peer:
    """What a peer's events meet."""

    def __init__(self) -> None:
        self.connection, self.handler = Connection(), Handler()
        connection: Any = self.connection
        handler: Any = self.handler
        self.processor = GuardedProcessor(handler, connection, GrpcLimits(10, 1000, now=Clock()))


def data(*, end: bool = False, padding: int = 0) -> DataReceived:
    ended: Any = object() if end else None
    return DataReceived(stream_id=1, data=b"", flow_controlled_length=padding, stream_ended=ended)


CHEAP: dict[str, Callable[[], Event]] = {
    "pings": lambda: PingReceived(ping_data=b""),
    "answered pings": lambda: PingAckReceived(ping_data=b""),
    "settings": RemoteSettingsChanged,
    "acknowledged settings": SettingsAcknowledged,
    "priorities": PriorityUpdated,
    "unknown frames": lambda: UnknownFrameReceived(frame=None),  # type: ignore[arg-type]
    "empty data": data,
    "padding": lambda: data(padding=9),
}


@pytest.mark.parametrize("kind", CHEAP)
async def test_what_costs_nothing_is_taken_but_not_without_end(kind: str) -> None:
    peer = Peer()
    for _ in range(8):
        peer.processor.process(CHEAP[kind]())
    assert peer.connection.goodbyes == []
    for _ in range(200):
        peer.processor.process(CHEAP[kind]())
    why = b"too_many_pings" if kind == "pings" else b"too_many_frames"
    assert peer.connection.goodbyes == [why]
    assert peer.connection.closed


async def test_an_end_without_data_is_no_empty_data() -> None:
    peer = Peer()
    for _ in range(1000):
        peer.processor.process(data(end=True))
    assert peer.connection.goodbyes == []


async def test_padding_is_given_back_at_once() -> None:
    peer = Peer()
    peer.processor.process(data(padding=9))
    assert peer.connection.acks == [9]


async def test_headers_that_grpclib_trips_over_are_mended() -> None:
    peer = Peer()
    headers: Any = [("a", "1"), ("x-bin", "%%"), ("grpc-timeout", "soon")]
    peer.processor.process(RequestReceived(stream_id=1, headers=headers))
    headers = [("grpc-timeout", "10S")]
    peer.processor.process(RequestReceived(stream_id=3, headers=headers))
    assert peer.handler.headers == [
        [("a", "1"), ("grpc-timeout", "none")],
        [("grpc-timeout", "10S")],
    ]


async def test_a_window_wakes_its_own_stream_and_that_of_all_nobody_by_itself() -> None:
    peer = Peer()
    one: Any = Stream()
    two: Any = Stream()
    peer.processor.streams = {1: one, 3: two}
    peer.processor.process(WindowUpdated(stream_id=0, delta=1))
    assert not one.window_updated.is_set()
    peer.processor.process(WindowUpdated(stream_id=1, delta=1))
    assert (one.window_updated.is_set(), two.window_updated.is_set()) == (True, False)
    peer.processor.widened()
    assert two.window_updated.is_set()
