"""Facts about `rhtmx_server.transports.grpc.protocol` (the rest is tested with real peers)."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from typing import Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, Event, PingAckReceived

from rhtmx_server.connections.turns import Work
from rhtmx_server.transports.grpc.frames import FRAMES
from rhtmx_server.transports.grpc.guards import GrpcLimits
from rhtmx_server.transports.grpc.protocol import GuardedProtocol, configuration
from tests.unit.rhtmx_server.connecting import Clock
from tests.unit.rhtmx_server.transports.grpc.peers import Transport


class Turns:
    """Turns of the loop that a test ends itself."""

    share = 0.001

    def __init__(self) -> None:
        self.waiting: list[Work] = []

    def wait(self, work: Work) -> None:
        assert work not in self.waiting
        self.waiting.append(work)

    def step(self) -> bool:
        """Let everyone do one step; whether somebody has more to do."""
        self.waiting = [work for work in self.waiting if work()]
        return bool(self.waiting)

    def all(self) -> None:
        while self.step():
            pass


class Recorder(Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.data = b""
        self.full: Callable[[], None] | None = None

    def write(self, data: bytes) -> None:
        super().write(data)
        self.data += data
        if self.full is not None:
            self.full()


class Calls:
    """Takes note of calls."""

    closed = False

    def __init__(self) -> None:
        self.streams: list[Any] = []
        self.releases: list[Callable[[], None]] = []

    def accept(self, stream: Any, headers: Any, release: Callable[[], None]) -> None:
        self.streams.append(stream)
        self.releases.append(release)

    def cancel(self, stream: Any) -> None: ...

    def close(self) -> None:
        self.closed = True


class Peer:
    """A peer, and the server's side of its connection."""

    def __init__(self, turns: Turns, patience: float = 10.0) -> None:
        self.turns, self.calls, self.transport = turns, Calls(), Recorder()
        calls: Any = self.calls
        served: Any = turns
        self.lost_count = self.stalled_count = 0
        self.protocol = GuardedProtocol(
            calls,
            configuration(20.0),
            self,
            GrpcLimits(10, 1000, now=Clock()),
            served,
            kept=1000,
            patience=patience,
        )
        self.protocol.connection_made(self.transport)
        self.h2 = H2Connection(H2Configuration(client_side=True))
        self.h2.initiate_connection()
        self.say()
        turns.all()

    def opened(self, protocol: GuardedProtocol) -> bool:
        return True

    def lost(self, protocol: GuardedProtocol) -> None:
        self.lost_count += 1

    def stalled(self) -> None:
        self.stalled_count += 1

    def say(self, raw: bytes = b"") -> None:
        self.protocol.data_received(self.h2.data_to_send() + raw)

    def call(self) -> int:
        number = self.h2.get_next_available_stream_id()
        head = {":method": "POST", ":path": "/x", ":scheme": "http", ":authority": "t"}
        self.h2.send_headers(number, list(head.items()))
        return number

    def told(self) -> list[Event]:
        data, self.transport.data = self.transport.data, b""
        return self.h2.receive_data(data)

    @property
    def kept(self) -> int:
        """Bytes that wait to be handled."""
        return len(self.protocol._frames)


def frame(kind: int, content: bytes = b"", stream: int = 0, flags: int = 0) -> bytes:
    head = len(content).to_bytes(3, "big") + bytes([kind, flags])
    return head + stream.to_bytes(4, "big") + content


GROWN = struct.pack(">I", 1)
FLOODS = {
    "window": frame(0x8, GROWN),
    "window of a stream": frame(0x8, GROWN, 1),
    "ping": frame(0x6, bytes(8)),
    "answered ping": frame(0x6, bytes(8), flags=1),
    "settings": frame(0x4),
    "many settings": frame(0x4, struct.pack(">HI", 4, 70_000) * 50),
    "acknowledged settings": frame(0x4, flags=1),
    "priority": frame(0x2, struct.pack(">IB", 3, 1), 5),
    "reset": frame(0x3, bytes(4), 1),
    "empty data": frame(0x0, b"", 1),
    "padding": frame(0x0, b"\x00", 1, 8),
    "one byte": frame(0x0, b"x", 1),
    "continuation": frame(0x9, b"", 1),
    "unknown": frame(0xBE),
    "unknown of a stream": frame(0xBE, b"x", 1),
    "alternative service": frame(0xA, b"\x00\x01aa"),
    "goodbye": frame(0x7, bytes(8)),
}


@pytest.fixture
def turns() -> Turns:
    return Turns()


def test_a_peer_is_asked_for_a_sign_of_life_once_in_a_heartbeat() -> None:
    config = configuration(20.0)
    assert (config._keepalive_time, config._keepalive_timeout) == (20.0, 20.0)
    assert config._keepalive_permit_without_calls


@pytest.mark.parametrize("kind", FLOODS)
async def test_however_much_arrives_a_few_frames_are_handled_in_a_step(
    kind: str, turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile, good = Peer(turns), Peer(turns)
    hostile.call()
    hostile.say()
    turns.all()
    took: list[int] = []
    take = H2Connection.receive_data

    def receive_data(h2: H2Connection, data: bytes) -> list[Event]:
        if h2 is hostile.protocol.connection._connection:
            took.append(len(data))
        return take(h2, data)

    monkeypatch.setattr(H2Connection, "receive_data", receive_data)
    each, many = FLOODS[kind], 20_000
    hostile.say(each * many)
    assert took == []  # nothing in the callback that brings it
    assert hostile.transport.paused
    good.h2.ping(b"12345678")
    good.say()
    turns.step()
    assert PingAckReceived in map(type, good.told())
    assert len(took) <= 1
    assert sum(took) <= len(each) * FRAMES
    turns.all()
    assert max(took, default=0) <= len(each) * FRAMES
    assert hostile.kept == 0


async def test_what_arrives_in_pieces_is_handled_in_order(turns: Turns) -> None:
    peer = Peer(turns)
    number = peer.call()
    said = bytes(range(200)) * 4
    for start in range(0, len(said), 8):
        peer.h2.send_data(number, said[start : start + 8])
    raw = peer.h2.data_to_send()
    for start in range(0, len(raw), 100):
        peer.protocol.data_received(raw[start : start + 100])
        if start % 300 == 0:
            turns.step()
    turns.all()
    (stream,) = peer.calls.streams
    assert await stream.recv_data(len(said)) == said


async def test_reading_goes_on_when_all_of_it_is_handled(turns: Turns) -> None:
    peer = Peer(turns)
    assert not peer.transport.paused
    whole = frame(0x6, b"12345678")
    peer.say(whole + whole[:10])
    assert peer.transport.paused
    turns.all()
    assert (peer.transport.paused, peer.kept) == (False, 10)
    peer.say(whole[10:])
    turns.all()
    acks = [event for event in peer.told() if isinstance(event, PingAckReceived)]
    assert [ack.ping_data for ack in acks] == [b"12345678"] * 2


async def test_a_peer_that_takes_nothing_is_not_read_either(turns: Turns) -> None:
    peer = Peer(turns)
    peer.protocol.pause_writing()
    before = peer.transport.written
    peer.say(frame(0x6, bytes(8)) * 5)
    turns.all()
    assert (peer.transport.written, peer.transport.paused, turns.waiting) == (before, True, [])
    peer.protocol.resume_writing()
    turns.all()
    assert peer.transport.written > before
    assert not peer.transport.paused


async def test_a_peer_whose_last_words_filled_the_socket_is_read_again(turns: Turns) -> None:
    peer = Peer(turns)
    peer.transport.full = peer.protocol.pause_writing
    peer.say(frame(0x6, bytes(8)))
    turns.all()
    assert peer.transport.paused
    peer.transport.full = None
    peer.protocol.resume_writing()
    turns.all()
    assert not peer.transport.paused


async def test_nothing_is_handled_after_the_end(turns: Turns) -> None:
    peer = Peer(turns)
    peer.call()
    peer.say(frame(0xBE) * 50)
    peer.protocol.connection_lost(None)
    turns.all()
    assert (peer.calls.streams, peer.kept, turns.waiting) == ([], 0, [])
    assert peer.lost_count == 1
    peer.say(frame(0xBE))
    assert turns.waiting == []


@pytest.mark.parametrize("end", [GuardedProtocol.close, GuardedProtocol.abort])
async def test_nothing_is_handled_or_written_once_it_is_ending(
    turns: Turns, end: Callable[[GuardedProtocol], None]
) -> None:
    peer = Peer(turns)
    peer.call()
    peer.say(frame(0x6, bytes(8)) * 50)
    end(peer.protocol)
    turns.all()
    peer.protocol.announce_end()
    peer.protocol.close()
    peer.protocol.resume_writing()
    turns.all()
    assert (peer.calls.streams, peer.kept) == ([], 0)


async def test_a_frame_that_is_too_large_ends_it_before_it_is_kept(turns: Turns) -> None:
    peer = Peer(turns)
    peer.say((2**24 - 1).to_bytes(3, "big") + bytes(6))
    turns.all()
    (goodbye,) = [each for each in peer.told() if isinstance(each, ConnectionTerminated)]
    assert goodbye.error_code == ErrorCodes.FRAME_SIZE_ERROR
    assert peer.transport.aborted
    assert peer.calls.closed


async def test_a_window_that_opens_for_all_wakes_all_and_only_then(turns: Turns) -> None:
    peer = Peer(turns)
    peer.call()
    peer.call()
    peer.say()
    turns.all()
    h2 = peer.protocol.connection._connection
    updated = [stream.window_updated for stream in peer.calls.streams]
    assert len(updated) == 2
    peer.say(frame(0x8, GROWN))
    turns.all()
    assert not any(event.is_set() for event in updated)  # it was open
    peer.say(frame(0x8, GROWN, 1))
    turns.all()
    assert [event.is_set() for event in updated] == [True, False]
    updated[0].clear()
    h2.outbound_flow_control_window = 0
    peer.say(frame(0x8, GROWN) * 3)
    turns.all()
    assert all(event.is_set() for event in updated)


async def test_a_call_that_is_reset_before_its_task_begins_leaves_nothing_behind(
    turns: Turns,
) -> None:
    peer = Peer(turns)
    size, window = 0, peer.h2.outbound_flow_control_window
    while size <= window // 2:  # that much has to be taken before a peer is told
        number = peer.call()
        while room := peer.h2.local_flow_control_window(number):
            data = bytes(min(room, peer.h2.max_outbound_frame_size))
            peer.h2.send_data(number, data)
            size += len(data)
        peer.h2.reset_stream(number)
    peer.say()
    turns.all()
    assert peer.calls.streams
    assert peer.protocol.processor.streams == {}
    peer.told()
    assert peer.h2.outbound_flow_control_window > window - window // 4


async def test_the_end_of_a_connection_forgets_its_streams(turns: Turns) -> None:
    peer = Peer(turns)
    peer.call()
    peer.say()
    turns.all()
    (stream,) = peer.calls.streams
    assert peer.protocol.processor.streams == {1: stream}
    peer.protocol.connection_lost(None)
    assert peer.protocol.processor.streams == {}
    peer.calls.releases[0]()  # its task ends later


class Timers:
    """Timers that a test runs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.due: list[Callable[[], None]] = []
        monkeypatch.setattr(asyncio.get_running_loop(), "call_later", self)

    def __call__(self, delay: float, function: Callable[..., None], *args: object) -> Timers:
        def run() -> None:
            function(*args)

        self.due.append(run)
        return self

    def cancel(self) -> None:
        self.due.clear()


async def test_a_full_socket_that_nobody_empties_is_dropped(
    turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer, timers = Peer(turns), Timers(monkeypatch)
    peer.transport.written = 1000
    peer.protocol.pause_writing()
    peer.transport.written = 999  # some of it
    timers.due.pop()()
    assert (peer.transport.aborted, peer.stalled_count) == (False, 0)
    timers.due.pop()()
    assert (peer.transport.aborted, peer.stalled_count) == (True, 1)


async def test_a_socket_that_is_empty_again_is_watched_no_more(
    turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer, timers = Peer(turns), Timers(monkeypatch)
    peer.protocol.pause_writing()
    peer.protocol.resume_writing()
    assert timers.due == []
    peer.protocol.pause_writing()
    peer.protocol.connection_lost(None)
    for run in timers.due:
        run()
    assert peer.stalled_count == 0
