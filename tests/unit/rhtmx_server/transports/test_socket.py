"""A socket: what arrives is handled in turns, and nothing is written that nobody can hear."""

from __future__ import annotations

import asyncio
import gc
import itertools
import random
import socket as system
import weakref
from collections.abc import Iterator

import pytest
from websockets.frames import Opcode

from rhtmx_server.transports import socket
from rhtmx_server.transports.socket import FRAMES
from rhtmx_server.transports.socket_link import SocketLink
from tests.unit.rhtmx_server.transports.sockets import Peer, Wire, deflated, frame, text

EMPTY_CONTINUATION = frame(Opcode.CONT, fin=False)


async def test_a_message_is_handled_in_the_callback_that_brings_it() -> None:
    peer = Peer()
    peer.say(text(b"a"))
    assert peer.got == [b"a"]
    assert peer.soon == []
    assert peer.wire.reading


async def test_a_burst_is_handled_a_share_at_a_time_and_nothing_more_is_read_meanwhile() -> None:
    peer = Peer()
    said = [b"%d" % number for number in range(100)]
    peer.say(*map(text, said))
    assert 0 < len(peer.got) < 20, "one share"
    assert not peer.wire.reading
    turns = peer.rest()
    assert peer.got == said
    assert turns > 5
    assert peer.wire.reading


@pytest.mark.parametrize(
    "flood",
    [
        frame(Opcode.PING),
        frame(Opcode.PONG, b"x"),
        frame(Opcode.PING, b"x" * 125),
        EMPTY_CONTINUATION,
        frame(Opcode.CONT, b"x", fin=False),
    ],
    ids=["pings", "pongs", "large pings", "empty continuations", "continuations of a byte"],
)
async def test_frames_that_are_no_messages_take_turns_as_well(flood: bytes) -> None:
    peer = Peer(most=100_000)
    peer.say(frame(Opcode.TEXT, fin=False), flood * 1000)
    assert len(peer.taker.spent) < 200, "one share"
    assert not peer.wire.reading
    assert peer.rest() >= 5
    assert len(peer.taker.spent) == 1001, "each counts"
    assert peer.wire.reading


@pytest.mark.parametrize("opcode", [Opcode.PING, Opcode.PONG])
async def test_control_frames_alone_take_turns_and_none_is_left_lying(opcode: Opcode) -> None:
    peer = Peer()
    peer.say(frame(opcode) * 1000)
    assert 0 < len(peer.taker.spent) < 200, "one share"
    assert not peer.wire.reading
    assert peer.rest() >= 5
    assert len(peer.taker.spent) == 1000
    assert peer.wire.reading


async def test_a_socket_at_rest_has_nothing_that_it_did_not_handle() -> None:
    for count in range(1, 3 * FRAMES):
        peer = Peer()
        peer.say(frame(Opcode.PING) * count)
        peer.rest()
        assert len(peer.taker.spent) == count


async def test_what_arrives_while_it_waits_for_its_turn_stays_behind_what_was_first() -> None:
    peer = Peer()
    said = [b"%d" % number for number in range(60)]
    peer.say(*map(text, said[:50]))
    peer.say(*map(text, said[50:]))  # uvloop hands over what it had read already
    peer.rest()
    assert peer.got == said


async def test_a_frame_in_many_pieces_is_one_message() -> None:
    peer = Peer()
    data = text(b"x" * 1000)
    for byte in data:
        peer.say(bytes((byte,)))
    assert peer.got == [b"x" * 1000]


@pytest.mark.parametrize("cut", [1, 7, 333, 1024, 40_000])
async def test_where_the_pieces_are_cut_makes_no_difference(cut: int) -> None:
    peer = Peer(most=50_000)
    said = [b"y" * size for size in (0, 1, 125, 126, 40_000, 3, 50_000, 2)] * 3
    data = b"".join(map(text, said))
    for start in range(0, len(data), cut):
        peer.say(data[start : start + cut])
        if start % 3 == 0:
            peer.turn()
    peer.rest()
    assert peer.got == said
    assert peer.wire.reading


async def test_a_connection_that_takes_no_more_gets_no_more_until_it_resumes() -> None:
    peer = Peer()
    peer.taker.takes = 3
    said = [b"%d" % number for number in range(40)]
    peer.say(*map(text, said))
    peer.rest()
    assert peer.got == said[:3]
    assert not peer.wire.reading
    peer.say(text(b"late"))
    peer.taker.takes = 100
    peer.socket.resume()
    peer.rest()
    assert peer.got == [*said, b"late"]
    assert peer.wire.reading


async def test_pings_are_not_answered_while_it_takes_no_more() -> None:
    peer = Peer()
    peer.socket.stop()
    peer.say(frame(Opcode.PING, b"x") * 100)
    assert peer.wire.written == []
    peer.socket.resume()
    peer.rest()
    assert b"".join(peer.wire.written) == b"\x8a\x01x" * 100


async def test_a_message_of_endless_empty_frames_keeps_nothing() -> None:
    peer = Peer()
    peer.say(frame(Opcode.TEXT, fin=False))
    for _ in range(50):
        peer.say(EMPTY_CONTINUATION * 100)
        peer.rest()
    assert len(peer.socket._message) == 0
    assert len(peer.socket._frames) == 0
    peer.say(frame(Opcode.CONT, b"end"))
    assert peer.got == [b"end"]


async def test_a_message_in_parts_arrives_whole_with_control_frames_in_between() -> None:
    peer = Peer()
    parts = [frame(Opcode.TEXT, b"a", fin=False), frame(Opcode.CONT, b"b", fin=False)]
    peer.say(*parts, frame(Opcode.PING), frame(Opcode.CONT, b"c"), text(b"next"))
    peer.rest()
    assert peer.got == [b"abc", b"next"]


# What is taken past the library's parser, and what is left to it.


def _heard(said: bytes, cuts: list[int], *, compressed: bool) -> tuple[object, ...]:
    """What a peer gets out of these bytes, in pieces, and what it is answered."""
    peer = Peer(most=300, compressed=compressed)
    for start, end in itertools.pairwise([0, *cuts, len(said)]):
        if not peer.taker.over:
            peer.say(said[start:end])
        if start % 2:
            peer.turn()
    peer.rest()
    protocol = peer.socket.protocol
    # Of what comes after the end nothing is left to compare but that it is the end.
    left = b"" if peer.taker.over else bytes(protocol.reader.buffer)
    state = (protocol.state, protocol.current_size, left)
    return peer.got, peer.taker.spent, peer.wire.written, peer.taker.over, *state


def _some_bytes(chance: random.Random) -> bytes:
    """Frames of all kinds, most of them as they should be."""
    frames = []
    for _ in range(chance.randrange(1, 40)):
        opcode = chance.choice([*[Opcode.TEXT] * 6, Opcode.BINARY, Opcode.CONT, Opcode.PING])
        size = chance.choice([0, 1, 2, 7, 50, 125, 126, 127, 299, 300, chance.randrange(300)])
        control = opcode is Opcode.PING
        data = b"x" * (min(size, 125) if control else size)
        said = frame(opcode, data, fin=control or chance.random() < 0.9)
        frames.append(deflated(b"y" * size) if chance.random() < 0.1 else said)
    if chance.random() < 0.2:
        frames.append(frame(Opcode.CLOSE, b"\x03\xe8"))
        frames.append(text(b"too late"))
    if chance.random() < 0.1:
        frames.append(text(b"z" * chance.choice([301, 400, 70_000])))
    every = bytearray(b"".join(frames))
    if chance.random() < 0.3:
        every[chance.randrange(len(every))] ^= 1 << chance.randrange(8)
    return bytes(every)


@pytest.mark.parametrize("seed", range(100))
async def test_a_message_is_the_same_whoever_takes_it_out_of_the_bytes(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    said = _some_bytes(chance)
    cuts = sorted(chance.randrange(len(said) + 1) for _ in range(chance.randrange(6)))
    compressed = chance.random() < 0.5
    ours = _heard(said, cuts, compressed=compressed)
    monkeypatch.setattr(socket, "whole_message", lambda buffer, most: None)
    assert ours == _heard(said, cuts, compressed=compressed)


@pytest.mark.parametrize("data", [b"a", b"hello", b"x" * 125, b"x" * 126, b"x" * 300])
@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.BINARY])
def test_a_whole_small_message_is_taken_and_nothing_of_what_follows(
    opcode: Opcode, data: bytes
) -> None:
    said = frame(opcode, data)
    buffer = bytearray(said + b"next")
    if len(data) > 1:
        assert socket.whole_message(bytearray(said[:-1]), 300) is None, "not all there"
    found = socket.whole_message(buffer, 300)
    assert found is not None
    assert (found.opcode, found.data, found.fin, found.rsv1) == (opcode, data, True, False)
    assert buffer == b"next"


@pytest.mark.parametrize(
    "other",
    [
        text(b"x" * 301),
        frame(Opcode.TEXT, b"hello", fin=False),
        frame(Opcode.CONT, b"hello"),
        frame(Opcode.PING, b"hello"),
        frame(Opcode.CLOSE, b"\x03\xe8hello"),
        deflated(b"hello hello hello"),
        b"\x81\x05hello, and more",
        b"\x81\x7e\x00\x05hello, and more",
        b"\x81\xff\0\0\0\0\0\0\0\x02\0\0\0\0ab",
        b"\xa1\x85\0\0\0\0hello",
        b"\x83\x85\0\0\0\0hello",
    ],
    ids=[
        *("too large", "a part", "another part", "a ping", "a close frame", "compressed"),
        *("not masked", "longer and not masked", "a size of 64 bits", "a reserved bit"),
        "an unknown opcode",
    ],
)
def test_of_any_other_frame_nothing_is_taken(other: bytes) -> None:
    buffer = bytearray(other)
    assert socket.whole_message(buffer, 300) is None
    assert buffer == other


# Sizes. websockets 17.4 applies its `max_size` to the frame on the wire as well as to what comes
# out of the decompressor; what does not compress is larger on the wire.

INCOMPRESSIBLE = random.Random(7).randbytes(65_536)


@pytest.mark.parametrize("size", [65_400, 65_535, 65_536])
@pytest.mark.parametrize("level", [0, 1, 6, 9])
async def test_the_limit_is_of_the_message_and_not_of_its_frame_on_the_wire(
    size: int, level: int
) -> None:
    peer = Peer(65_536, compressed=True)
    peer.say(deflated(INCOMPRESSIBLE[:size], level))
    peer.rest()
    assert [len(each) for each in peer.got] == [size]


@pytest.mark.parametrize("more", [1, 2, 100, 10_000, 10_000_000])
@pytest.mark.parametrize("way", ["plain", "compressed", "in parts"])
async def test_a_byte_more_is_too_large_however_it_comes(more: int, way: str) -> None:
    peer = Peer(1024, compressed=way == "compressed")
    data = b"a" * (1024 + more)
    if way == "in parts":
        peer.say(frame(Opcode.TEXT, data[:1000], fin=False), frame(Opcode.CONT, data[1000:]))
    else:
        peer.say(deflated(data) if way == "compressed" else text(data))
    peer.rest()
    assert peer.got == []
    assert peer.close_codes == [4502]
    assert b"a message of at most 1024 bytes expected" in peer.wire.written[0]
    assert peer.taker.over


async def test_what_was_said_before_a_message_that_is_too_large_is_handled() -> None:
    peer = Peer(1024)
    peer.say(text(b"a"), text(b"b"), text(b"c" * 1100), text(b"d"))
    peer.rest()
    assert peer.got == [b"a", b"b"]


async def test_a_peer_that_does_not_hang_up_after_that_is_dropped() -> None:
    peer = Peer(1024)
    peer.socket.close_timeout = 0
    peer.say(text(b"x" * 5000))
    dropped = peer.socket._drop_at
    assert dropped is not None
    while not dropped.cancelled() and not peer.wire.aborted:
        await _turn()
    assert peer.wire.aborted


# The end.


async def test_after_the_end_of_the_peer_nothing_is_written() -> None:
    peer = Peer()
    peer.taker.outbox.put(b"on its way")
    peer.say(*[text(b"x")] * 100)
    peer.socket.eof_received()
    peer.wire.closed = True  # as uvloop does at once
    before = list(peer.wire.written)
    peer.rest()
    assert peer.wire.written == before
    assert peer.taker.over


async def test_what_waited_for_its_turn_at_the_end_is_not_handled_any_more() -> None:
    peer = Peer()
    peer.say(*[text(b"x")] * 100)
    handled = len(peer.got)
    peer.socket.eof_received()
    peer.rest()
    assert len(peer.got) == handled


def on(transport: Wire, plain: system.socket, **extra: object) -> None:
    """Have a transport say that it is on a socket."""
    found = extra | {"socket": plain}
    transport.get_extra_info = lambda name, default=None: found.get(name, default)  # type: ignore[method-assign]


@pytest.fixture
def plain() -> Iterator[system.socket]:
    with system.socket() as found:
        found.setblocking(False)
        yield found


async def test_who_writes_is_told_the_descriptor_while_nothing_waits(plain: system.socket) -> None:
    peer = Peer(attached=False)
    on(peer.wire, plain)
    peer.attach()
    assert peer.socket.write(b"all of it goes out") == plain.fileno()
    peer.wire.waiting = 1
    assert peer.socket.write(b"this does not") is None
    peer.wire.waiting = 0
    peer.wire.is_closing = lambda: True  # type: ignore[method-assign]
    assert peer.socket.write(b"it is being closed") is None


async def test_nobody_writes_past_a_transport_that_has_to_see_all(plain: system.socket) -> None:
    encrypted, blocking = Peer(attached=False), Peer(attached=False)
    on(encrypted.wire, plain, sslcontext=object())
    encrypted.attach()
    assert encrypted.socket.write(b"by TLS") is None
    plain.setblocking(True)
    on(blocking.wire, plain)
    blocking.attach()
    assert blocking.socket.write(b"it would hold the loop up") is None


async def test_nothing_overtakes_a_pong_that_waits(plain: system.socket) -> None:
    peer = Peer()
    peer.taker.outbox.direct = plain.fileno()
    peer.say(frame(Opcode.PING))
    assert peer.taker.outbox.direct == plain.fileno()
    peer.wire.waiting = 2
    peer.say(frame(Opcode.PING))
    assert peer.taker.outbox.direct is None


async def test_nothing_overtakes_a_ping_that_waits(plain: system.socket) -> None:
    peer = Peer()
    link = SocketLink(peer.socket)
    peer.taker.outbox.direct = plain.fileno()
    link.ping()
    assert peer.wire.written == [b"\x89\x00"]
    assert peer.taker.outbox.direct == plain.fileno()
    peer.wire.waiting = 2
    link.ping()
    assert peer.taker.outbox.direct is None


async def test_a_pong_for_a_transport_that_is_gone_is_not_written() -> None:
    peer = Peer()
    peer.wire.closed = True
    peer.say(frame(Opcode.PING))
    assert peer.wire.written == []


async def test_a_close_frame_is_answered_and_what_was_said_before_it_is_handled() -> None:
    peer = Peer()
    peer.say(text(b"a"), frame(Opcode.CLOSE, b"\x03\xe8"))
    peer.rest()
    assert peer.got == [b"a"]
    assert peer.close_codes == [1000]
    assert peer.taker.over


async def test_frames_that_come_before_the_handshake_is_over_are_few_and_kept() -> None:
    peer = Peer(attached=False)
    said = [b"%d" % number for number in range(100)]
    peer.say(*map(text, said))
    assert len(peer.socket._frames) <= 16
    peer.attach()
    peer.rest()
    assert peer.got == said


@pytest.mark.parametrize(
    "said",
    [b"garbage", b"\xff" * 100, frame(Opcode.CLOSE)],
    ids=["garbage", "reserved bits", "a close frame"],
)
async def test_what_comes_before_the_handshake_is_over_cannot_end_it(said: bytes) -> None:
    peer = Peer(attached=False)
    peer.say(said)
    assert not peer.wire.written
    assert not peer.socket.protocol.eof_sent
    peer.attach()
    peer.rest()
    assert peer.taker.over
    assert len(peer.close_codes) == 1


async def test_a_flood_before_the_handshake_is_over_is_not_read() -> None:
    peer = Peer(attached=False)
    peer.say(text(b"x" * 100) * 1000)
    assert not peer.wire.reading
    peer.attach()
    peer.rest()
    assert len(peer.got) == 1000
    assert peer.wire.reading


@pytest.mark.parametrize("said", [frame(Opcode.PING), text(b"x")], ids=["pings", "messages"])
async def test_nothing_more_is_read_while_what_came_before_the_end_of_the_handshake_is_handled(
    said: bytes,
) -> None:
    peer = Peer(attached=False)
    peer.say(said * 100)
    assert peer.wire.reading, "it is little"
    peer.attach()
    assert not peer.wire.reading
    peer.rest()
    assert len(peer.got) + len(peer.taker.spent) == 100, "each counts"
    assert not peer.socket.protocol.reader.buffer
    assert peer.wire.reading


@pytest.mark.parametrize("busy", [False, True], ids=["at rest", "in line"])
async def test_a_socket_that_is_gone_leaves_no_circle(busy: bool) -> None:
    peer = Peer()
    if busy:
        peer.say(*[text(b"x")] * 100)
    gc.collect()
    gc.disable()
    try:
        peer.socket.connection_lost(None)
        peer.rest()
        gone = weakref.ref(peer.socket.protocol)
        peer.taker.socket = None
        del peer.socket
        await _turn()
        assert gone() is None
    finally:
        gc.enable()


async def _turn() -> None:
    await asyncio.sleep(0)
