"""Nobody can tell from outside by which way a handshake went: the usual one, or the library's.

On both loops: they hand over what arrives in pieces of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
import socket
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import pytest
import uvloop
from hypothesis import example, given, settings
from hypothesis import strategies as st
from websockets.frames import Opcode

from rhtmx_server import App, Config
from tests.support.sockets import PATIENCE
from tests.unit.rhtmx_server.transports.heads import heads
from tests.unit.rhtmx_server.transports.sockets import REQUEST, deflated, frame, text
from tests.unit.rhtmx_server.transports.test_openings import handshakes

PING = text(b'{"type":"ping"}')
BYE = frame(Opcode.CLOSE, b"\x03\xe8")
FRAMES = [
    PING,
    text(b"{"),
    frame(Opcode.BINARY, b"\x00"),
    frame(Opcode.PING, b"still there?"),
    frame(Opcode.TEXT, b'{"type":', fin=False) + frame(Opcode.CONT, b'"ping"}'),
    deflated(b'{"type":"ping"}'),
    b"garbage",
]

_DATE = re.compile(rb"\r\nDate: [^\r]*")


class Doors:
    """Two servers that differ in one thing: the second leaves all handshakes to the library."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._run = runner.run
        self._apps = [self._run(_serve()) for _ in range(2)]
        server = self._apps[1]._life.server
        assert server is not None
        server._websockets._openings.accept = lambda said: None  # type: ignore[method-assign]

    def close(self) -> None:
        for app in self._apps:
            self._run(app.stop())

    def answers(self, pieces: Sequence[bytes]) -> list[bytes]:
        """What each of them says to a peer that says this."""
        return [self._run(_exchange(app.url, pieces)) for app in self._apps]


async def _serve() -> App:
    config = Config(port=0, origins=("https://good.example",))
    app = App(store="memory://", config=config, undeclared=True)
    await app.start()
    return app


async def _exchange(url: str, pieces: Sequence[bytes]) -> bytes:
    """Say something to a server; returns what it says until the end, but for the date."""
    loop, address, said = asyncio.get_running_loop(), urlsplit(url), b""
    with socket.socket() as peer:
        peer.setblocking(False)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.sock_connect(peer, (address.hostname, address.port))
        # The server may have heard enough before all is said; what it has answered is there then.
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                await loop.sock_sendall(peer, piece)
                await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionError):
                while more := await loop.sock_recv(peer, 1 << 16):
                    said += more
    return _DATE.sub(b"", said)


@pytest.fixture(scope="module", params=[asyncio.new_event_loop, uvloop.new_event_loop])
def doors(request: pytest.FixtureRequest) -> Iterator[Doors]:
    with asyncio.Runner(loop_factory=request.param) as runner:
        found = Doors(runner)
        yield found
        found.close()


def cut(said: bytes, places: Sequence[int]) -> list[bytes]:
    """The same in pieces."""
    at = [0, *sorted(place % len(said) for place in places), len(said)]
    return [said[start:end] for start, end in itertools.pairwise(at) if start < end]


@settings(max_examples=60)
@given(
    st.one_of(handshakes, handshakes, heads.filter(bool)),
    st.lists(st.integers(0, 2000), max_size=3),
    st.lists(st.sampled_from(FRAMES), max_size=4).map(b"".join),
    st.booleans(),
)
@example(REQUEST, [], PING, True)
@example(REQUEST.replace(b"websocket", b", websocket"), [], PING, True)
def test_both_ways_say_the_same_whatever_they_are_told_and_wherever_it_is_cut(
    doors: Doors, head: bytes, places: list[int], frames: bytes, at_once: bool
) -> None:
    pieces = cut(head, places)
    if at_once:
        pieces[-1] += frames + BYE
    else:
        pieces.append(frames + BYE)
    usual, library = doors.answers(pieces)
    assert usual == library
