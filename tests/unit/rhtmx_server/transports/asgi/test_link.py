"""A socket of an ASGI server: what waits is counted, and nobody waits for a peer."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from rhtmx.errors import ErrorCode
from rhtmx.messages.tables import ERRORS
from rhtmx_server.encoding.framing import TEXT, frame
from rhtmx_server.transports.asgi import link as module
from rhtmx_server.transports.asgi.events import AsgiEvent, Splitter, send_event
from rhtmx_server.transports.asgi.link import AsgiLink
from tests.support.waiting import eventually

LIMIT = 1000
STALLED = ERRORS[ErrorCode.STALLED].close_code


class Server:
    """An ASGI server whose peer takes what it is told to."""

    def __init__(self) -> None:
        self.sent: list[AsgiEvent] = []
        self.takes = asyncio.Event()
        self.takes.set()
        self.said: asyncio.Queue[AsgiEvent] = asyncio.Queue()
        self.gone = False

    async def send(self, event: AsgiEvent) -> None:
        if self.gone:
            raise OSError("gone")
        self.sent.append(event)
        await self.takes.wait()

    async def receive(self) -> AsgiEvent:
        return await self.said.get()

    def say(self, *texts: str) -> None:
        for text in texts:
            self.said.put_nowait({"type": "websocket.receive", "text": text, "bytes": None})

    def leave(self, code: int = 1005) -> None:
        self.said.put_nowait({"type": "websocket.disconnect", "code": code})

    @property
    def texts(self) -> list[str]:
        return [event["text"] for event in self.sent if event["type"] == "websocket.send"]

    @property
    def closes(self) -> list[tuple[int, str]]:
        return [(e["code"], e["reason"]) for e in self.sent if e["type"] == "websocket.close"]


class Taker:
    """A connection that notes what it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[bytes, bool]] = []
        self.said: list[str] = []
        self.takes = True
        self.fails = False
        self.link: Any = None

    def receive(self, data: bytes, text: bool) -> bool:
        if self.fails:
            raise ValueError("unexpected")
        if not self.takes:
            self.link.pause()
            return False
        self.got.append((data, text))
        return True

    def alive(self) -> None: ...

    def ended(self, code: int) -> None:
        self.said.append(f"ended with {code}")

    def overfull(self) -> None:
        self.said.append("overfull")

    def drained_enough(self) -> None:
        if self.said and self.said[-1] == "overfull":
            self.said.append("drained")

    def send(self, message: Any) -> None:
        self.said.append(message.code.name)

    def close(self, code: ErrorCode, reason: str) -> None:
        self.link.close(ERRORS[code].close_code, reason)


class Peer:
    """A link, with both of its ends."""

    def __init__(self, patience: float = 60.0) -> None:
        self.server, self.taker = Server(), Taker()
        self.clock: Iterator[float] = itertools.repeat(0.0)
        self.shares = 0
        self.link = self.taker.link = AsgiLink(
            self.server.send,
            Splitter().pieces,
            send_event,
            limit=LIMIT,
            patience=patience,
            now=lambda: next(self.clock),
            share=1.0,
            another=self.another,
        )

    async def another(self) -> None:
        self.shares += 1

    async def live(self) -> None:
        taker: Any = self.taker
        await self.link.run(taker, self.server.receive, 100)
        await self.link.say_goodbye()


@contextlib.asynccontextmanager
async def running(patience: float = 60.0) -> AsyncIterator[Peer]:
    peer = Peer(patience)
    task = asyncio.create_task(peer.live())
    await asyncio.sleep(0)  # it has begun
    yield peer
    await task


def message(text: str) -> bytes:
    return frame(TEXT, text.encode())


async def test_joined_frames_are_sent_as_messages_in_order() -> None:
    async with running() as peer:
        peer.link.write(message("1") + message("2"))
        peer.link.write(message("3"))
        await eventually(lambda: peer.server.texts == ["1", "2", "3"])
        assert peer.link.waiting() == 0
        peer.server.leave()
    assert peer.server.closes == [], "nobody is there to hear it"


async def test_a_peer_that_takes_nothing_is_behind_until_it_has_taken_most() -> None:
    async with running() as peer:
        peer.server.takes.clear()
        for _ in range(12):
            peer.link.write(message("x" * 98))
        assert peer.taker.said[:1] == ["overfull"]
        assert peer.link.waiting() == 1200
        await eventually(lambda: len(peer.server.sent) == 1)
        assert peer.link.waiting() == 1200, "what the server has not taken over waits"
        peer.server.takes.set()
        await eventually(lambda: peer.taker.said[-1] == "drained")
        peer.server.leave()


async def test_a_close_comes_after_what_was_written_before() -> None:
    async with running() as peer:
        peer.link.write(message("last"))
        peer.link.close(4000, "stopping")
    assert [event["type"] for event in peer.server.sent] == ["websocket.send", "websocket.close"]
    assert peer.server.closes == [(4000, "stopping")]


async def test_a_link_that_was_ended_before_it_began_says_so() -> None:
    peer = Peer()
    peer.link.write(message("why"))
    peer.link.close(4500, "a bad id")
    await peer.live()
    assert peer.server.texts == ["why"]
    assert peer.server.closes == [(4500, "a bad id")]


async def test_what_an_aborted_peer_has_not_taken_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LAST_WORDS", 0.0)
    async with running() as peer:
        peer.server.takes.clear()
        peer.link.write(message("a") + message("b"))
        await eventually(lambda: bool(peer.server.sent))
        peer.link.abort()
        peer.link.write(message("c"))
    assert peer.server.texts == ["a"]
    assert peer.server.closes == [(STALLED, "")]
    assert peer.link.waiting() == 0


async def test_a_peer_that_does_not_take_the_end_has_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LAST_WORDS", 0.0)
    async with running(patience=0.0) as peer:
        peer.server.takes.clear()
        peer.link.write(message("a") + message("b"))
        await eventually(lambda: bool(peer.server.sent))
        peer.link.close(4000, "stopping")
    assert peer.server.texts == ["a"]
    assert peer.server.closes == [(4000, "stopping")]


async def test_a_server_that_raises_has_lost_its_peer() -> None:
    async with running() as peer:
        peer.server.gone = True
        peer.link.write(message("a"))
    assert peer.server.sent == []


async def test_a_peer_that_leaves_while_the_server_waits_for_it_is_gone() -> None:
    async with running() as peer:
        peer.server.takes.clear()
        peer.link.write(message("a"))
        await eventually(lambda: bool(peer.server.sent))
        peer.server.leave()
    assert peer.server.closes == []


@pytest.mark.parametrize("code", [1000, 1001, 4100, 1005])
async def test_a_goodbye_is_told_but_not_a_code_that_may_be_of_a_peer_that_vanished(
    code: int,
) -> None:
    async with running() as peer:
        peer.server.leave(code)
    assert peer.taker.said == ([] if code == 1005 else [f"ended with {code}"])


async def test_text_and_binary_messages_are_told_apart() -> None:
    async with running() as peer:
        peer.server.say("é", "")
        peer.server.said.put_nowait({"type": "websocket.receive", "bytes": b"\xff"})
        await eventually(lambda: len(peer.taker.got) == 3)
        peer.server.leave()
    assert peer.taker.got == [("é".encode(), True), (b"", True), (b"\xff", False)]


async def test_a_message_that_is_refused_for_now_is_brought_again_before_the_next() -> None:
    async with running() as peer:
        peer.taker.takes = False
        peer.server.say("1", "2", "3")
        await eventually(lambda: peer.server.said.qsize() == 2)
        await asyncio.sleep(0)
        assert peer.server.said.qsize() == 2, "nothing more is taken from the host"
        peer.taker.takes = True
        peer.link.resume()
        await eventually(lambda: len(peer.taker.got) == 3)
        peer.server.leave()
    assert [data for data, _ in peer.taker.got] == [b"1", b"2", b"3"]


async def test_a_message_that_is_too_large_ends_the_connection_in_words() -> None:
    async with running() as peer:
        peer.server.say("x" * 101)
    assert peer.taker.said == ["TOO_LARGE"]
    assert peer.taker.got == []
    code, reason = peer.server.closes[0]
    assert code == ERRORS[ErrorCode.TOO_LARGE].close_code
    assert reason == "a message of at most 100 bytes expected, got a larger one"


async def test_a_share_is_spent_by_work_and_not_by_waiting() -> None:
    async with running() as peer:
        peer.clock = itertools.chain([0.0, 0.4, 50.0, 50.4, 90.0, 90.4], itertools.repeat(91.0))
        peer.server.say("1", "2")
        await eventually(lambda: len(peer.taker.got) == 2)
        assert peer.shares == 0
        peer.server.say("3")
        await eventually(lambda: peer.shares == 1)
        peer.server.leave()


async def test_who_has_much_to_send_goes_on_share_by_share() -> None:
    async with running() as peer:
        peer.clock = itertools.count(0.0, 1.0)
        peer.link.write(message("1") + message("2") + message("3"))
        await eventually(lambda: len(peer.server.texts) == 3)
        assert peer.shares == 3
        peer.server.leave()


async def test_a_failure_of_ours_ends_the_connection_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running() as peer:
        peer.taker.fails = True
        peer.server.say("1")
    assert peer.server.closes[0][0] == ERRORS[ErrorCode.INTERNAL].close_code
    assert "receiving on a socket" in caplog.text


async def test_a_host_that_cancels_a_socket_leaves_no_task_behind() -> None:
    peer = Peer()
    before = asyncio.all_tasks()
    task = asyncio.create_task(peer.live())
    await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() == before
