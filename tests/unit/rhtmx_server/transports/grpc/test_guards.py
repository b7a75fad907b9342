"""Facts about `rhtmx_server.transports.grpc.guards` (the rest is tested with real peers)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from h2.connection import H2Connection

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.transports.grpc.guards import GrpcLimits, GuardedConnection, GuardedStream
from rhtmx_server.transports.grpc.protocol import H2_CONFIG, configuration
from tests.unit.rhtmx_server.connecting import Clock
from tests.unit.rhtmx_server.transports.grpc.peers import Transport


class Line:
    """A stream of a connection, and the windows of its peer."""

    def __init__(self, window: int = 1000) -> None:
        self.transport, self.h2 = Transport(), H2()
        self.h2.window = window
        h2: Any = self.h2
        transport: Any = self.transport
        self.connection = GuardedConnection(
            h2,
            transport,
            config=configuration(20.0),
            limits=GrpcLimits(10, 1000, now=Clock()),
            kept=1000,
            patience=10.0,
        )
        stream = self.connection.create_stream(stream_id=1)
        assert isinstance(stream, GuardedStream)
        self.stream = stream


class H2:
    """The windows of a connection."""

    max_outbound_frame_size = 100

    def __init__(self) -> None:
        self.window = 0
        self.sent: list[bytes] = []
        self.credit = 0

    def local_flow_control_window(self, number: int) -> int:
        return self.window

    def send_data(self, number: int, data: bytes) -> None:
        assert len(data) <= self.window
        self.window -= len(data)
        self.sent.append(data)

    def data_to_send(self) -> bytes:
        return b"."

    def acknowledge_received_data(self, size: int, number: int) -> None:
        self.credit += size


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_who_is_sent_something_may_ping_again() -> None:
    limits = GrpcLimits(10, 1000, now=Clock())
    while limits.pings.take():
        pass
    limits.pings.refill()
    assert limits.pings.take()


def test_all_streams_may_be_reset_at_once() -> None:
    limits = GrpcLimits(10, 1000, now=Clock())
    assert sum(limits.resets.take() for _ in range(100)) == 10


def test_so_many_calls_a_second() -> None:
    clock = Clock()
    limits = GrpcLimits(10, 1000, 5, clock)
    assert sum(limits.calls.take() for _ in range(100)) == 5
    assert limits.calls.wait() == pytest.approx(0.2)


async def test_a_message_goes_out_in_frames_as_the_window_opens() -> None:
    line = Line(window=150)
    sending = asyncio.create_task(line.stream.send_data(bytes(300)))
    await settle()
    assert [len(each) for each in line.h2.sent] == [100, 50]
    line.h2.window = -20  # settings may make it so
    line.stream.window_updated.set()
    await settle()
    assert len(line.h2.sent) == 2
    line.h2.window = 1000
    line.stream.window_updated.set()
    await sending
    assert [len(each) for each in line.h2.sent] == [100, 50, 100, 50]
    assert line.stream.data_sent == line.connection.data_sent == 300


async def test_of_many_that_wait_for_the_socket_none_writes_into_a_full_one() -> None:
    line = Line()
    line.connection.pause_writing()
    streams = [line.connection.create_stream(stream_id=n) for n in range(3)]
    tasks = [asyncio.create_task(stream.send_data(b"x")) for stream in streams]
    await settle()
    line.connection.resume_writing()
    line.connection.pause_writing()  # the first one has filled it
    await settle()
    assert line.h2.sent == []
    line.connection.resume_writing()
    await asyncio.gather(*tasks)
    assert len(line.h2.sent) == 3


async def test_while_the_socket_is_full_the_window_is_shut() -> None:
    line = Line(window=7)
    assert (line.stream.window(), await line.stream.opened()) == (7, 7)
    line.connection.pause_writing()
    opening = asyncio.create_task(line.stream.opened())
    await settle()
    assert (line.stream.window(), opening.done()) == (0, False)
    line.connection.resume_writing()
    assert await opening == 7


async def test_nothing_is_written_after_the_end() -> None:
    line = Line()
    line.transport.abort()
    line.stream.send_now(b"x")
    line.connection.ack(1, 10)
    line.connection.flush()
    line.connection.close()
    line.connection.ack(1, 10)  # grpclib has taken its transport away by now
    line.connection.flush()
    assert (line.h2.credit, line.transport.written) == (0, 0)


async def test_a_large_message_is_refused_before_it_is_read() -> None:
    line = Line()
    with pytest.raises(RhtmxError) as caught:
        await line.stream.recv_data(1001)
    assert caught.value.code is ErrorCode.TOO_LARGE


async def test_a_part_of_a_message_is_none() -> None:
    line = Line()
    line.stream.buffer.add(b"abc", 3)
    line.stream.buffer.eof()
    with pytest.raises(RhtmxError, match="in the middle") as caught:
        await line.stream.recv_data(4)
    assert caught.value.code is ErrorCode.BAD_MESSAGE
    assert await line.stream.recv_data(4) == b""


def test_what_comes_in_is_checked_by_h2() -> None:
    assert H2_CONFIG.validate_inbound_headers
    assert isinstance(H2Connection(H2_CONFIG), H2Connection)
