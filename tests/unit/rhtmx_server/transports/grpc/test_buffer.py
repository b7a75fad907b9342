"""Facts about `rhtmx_server.transports.grpc.buffer`."""

from __future__ import annotations

import asyncio
import sys

from rhtmx_server.transports.grpc.buffer import Buffer


class Peer:
    """A peer with a window."""

    def __init__(self) -> None:
        self.credit: list[int] = []
        self.buffer = Buffer(self.credit.append)


async def test_bytes_are_given_as_they_are_asked_for() -> None:
    buffer = Peer().buffer
    buffer.add(b"abc", 3)
    buffer.add(b"defg", 4)
    assert [await buffer.read(n) for n in (2, 0, 3, 2)] == [b"ab", b"", b"cde", b"fg"]


async def test_who_asks_for_more_waits_and_lets_the_peer_send_it() -> None:
    peer = Peer()
    peer.buffer.add(b"ab", 2)
    reading = asyncio.create_task(peer.buffer.read(5))
    await asyncio.sleep(0)
    assert (peer.credit, reading.done()) == ([2], False)
    peer.buffer.add(b"cd", 2)
    await asyncio.sleep(0)
    peer.buffer.add(b"ef", 2)
    assert await reading == b"abcde"
    assert sum(peer.credit) <= 5


async def test_every_byte_is_credited_once() -> None:
    peer = Peer()
    for _ in range(20):
        peer.buffer.add(bytes(1000), 1000)
        await peer.buffer.read(900)
    assert 0 < sum(peer.credit) <= 18_000
    assert sum(peer.credit) + peer.buffer.unacked_size() == 20_000
    assert peer.buffer.unacked_size() == 0


async def test_nothing_is_credited_that_nobody_has_read() -> None:
    peer = Peer()
    for _ in range(100):
        peer.buffer.add(bytes(1000), 1000)
    assert peer.credit == []
    assert peer.buffer.unacked_size() == 100_000


async def test_padding_is_not_kept() -> None:
    peer = Peer()
    peer.buffer.add(b"a", 201)
    peer.buffer.add(b"", 50)
    assert peer.credit == [200, 50]
    assert await peer.buffer.read(1) == b"a"


async def test_a_byte_costs_a_byte_however_small_the_pieces_are() -> None:
    buffer = Peer().buffer
    for _ in range(10_000):
        buffer.add(b"x", 1)
    assert sys.getsizeof(buffer._data) < 20_000
    assert await buffer.read(10_000) == b"x" * 10_000


async def test_at_the_end_there_is_what_is_left() -> None:
    buffer = Peer().buffer
    buffer.add(b"ab", 2)
    reading = asyncio.create_task(buffer.read(5))
    await asyncio.sleep(0)
    buffer.eof()
    assert await reading == b"ab"
    assert await buffer.read(5) == b""
