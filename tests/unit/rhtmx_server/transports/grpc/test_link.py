"""Facts about `rhtmx_server.transports.grpc.link`."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.transports.grpc.link import StreamLink
from tests.unit.rhtmx_server.transports.grpc.peers import Call

LIMIT = 1000


class Told:
    """A connection that notes what its link says."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def overfull(self) -> None:
        self.notes.append("overfull")

    def drained_enough(self) -> None:
        self.notes.append("drained")

    def alive(self) -> None:
        self.notes.append("alive")


class Line:
    """A link, its stream and its connection."""

    def __init__(self, patience: float = 10.0) -> None:
        self.call, self.told = Call(), Told()
        self.source = self.call._stream
        self.link = StreamLink(self.call.stream, LIMIT, patience)
        told: Any = self.told
        self.link.attach(told)
        self.task = asyncio.create_task(self.link.run())

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    @property
    def sent(self) -> list[bytes]:
        return self.source._h2_connection.sent


async def test_what_fits_into_the_window_goes_out_at_once() -> None:
    line = Line()
    await line.settle()
    line.link.write(b"abc")
    assert (line.sent, line.link.waiting()) == ([b"abc"], 0)
    line.task.cancel()


async def test_nothing_goes_out_before_the_headers() -> None:
    line = Line()
    line.link.write(b"abc")
    assert (line.sent, line.link.waiting()) == ([], 3)
    await line.settle()
    assert line.source.taken == [b"abc"]
    assert line.call.began
    line.task.cancel()


@pytest.mark.parametrize("reason", ["window", "frame", "socket"])
async def test_what_does_not_fit_waits_for_its_turn(reason: str) -> None:
    line = Line()
    await line.settle()
    line.source.takes.clear()
    data = b"x" * 10
    if reason == "window":
        line.source._h2_connection.window = 5
    elif reason == "frame":
        line.source._h2_connection.max_outbound_frame_size = 5
    else:
        line.source.connection.write_ready.clear()
    line.link.write(data)
    line.source._h2_connection.window = 1000
    line.link.write(b"later")  # never before what waits
    assert line.link.waiting() == 15
    line.source.takes.set()
    await line.settle()
    assert (line.source.taken, line.sent) == ([data, b"later"], [])
    line.task.cancel()


async def test_the_connection_is_told_of_a_slow_peer_and_when_it_has_read() -> None:
    line = Line()
    await line.settle()
    line.source.takes.clear()
    line.source._h2_connection.window = 0
    line.link.write(b"x" * LIMIT)
    assert line.told.notes == []
    line.link.write(b"x")
    assert line.told.notes == ["overfull"]
    line.source.takes.set()
    await line.settle()
    assert line.told.notes[-1] == "drained"
    line.task.cancel()


async def test_it_ends_well_when_all_is_sent() -> None:
    line = Line()
    await line.settle()
    line.source._h2_connection.window = 0
    line.link.write(b"rest")
    line.link.end()
    await line.task
    assert line.source.taken == [b"rest"]


async def test_a_close_code_becomes_the_error_that_it_stands_for() -> None:
    line = Line()
    line.link.close(4000, "the server is stopping")
    with pytest.raises(RhtmxError, match="the server is stopping") as caught:
        await line.task
    assert caught.value.code is ErrorCode.SHUTTING_DOWN


async def test_a_peer_that_takes_nothing_has_its_time_at_the_end() -> None:
    line = Line(patience=0.01)
    await line.settle()
    line.source.takes.clear()
    line.source._h2_connection.window = 0
    line.link.write(b"rest")
    line.link.close(4000, "bye")
    with pytest.raises(RhtmxError, match="bye"):
        await line.task
    assert line.source.taken == []


async def test_cut_off_it_is_told_so_if_only_its_stream_is_stuck() -> None:
    line = Line()
    await line.settle()
    line.source.takes.clear()
    line.source._h2_connection.window = 0
    line.link.write(b"rest")
    line.link.abort()
    with pytest.raises(RhtmxError) as caught:
        await line.task
    assert caught.value.code is ErrorCode.STALLED
    assert not line.source._transport.aborted


async def test_cut_off_it_is_dropped_if_the_socket_is_stuck() -> None:
    line = Line()
    await line.settle()
    line.source.connection.write_ready.clear()
    line.link.abort()
    assert line.source._transport.aborted
    line.task.cancel()


async def test_messages_wait_while_the_connection_takes_none() -> None:
    line = Line()
    line.link.pause()
    reading = asyncio.create_task(line.link.readable())
    await line.settle()
    assert not reading.done()
    line.link.resume()
    await reading
    line.task.cancel()


async def test_signs_of_life_are_http2s_business() -> None:
    line = Line()
    line.link.ping()
    assert line.told.notes == ["alive"]
    line.task.cancel()
