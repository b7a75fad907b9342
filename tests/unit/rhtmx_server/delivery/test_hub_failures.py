"""What fails for one subscriber never costs another one anything.

A link is made to fail at its first call, at its second, and so on, until it is
never reached any more: each time everybody else gets everything, in order.
"""

from __future__ import annotations

import logging
from typing import Any

import pytest

from rhtmx.messages import Subscribe
from rhtmx_server.connections.connection import Connection
from rhtmx_server.connections.session import Session
from rhtmx_server.delivery.hub import EARLY
from rhtmx_server.model import Commit
from tests.unit.rhtmx_server.connecting import Link, Side
from tests.unit.rhtmx_server.fakes import RECORDS, Lines, Peer, commit, messages, record, version

LARGE = b'"%s"' % (b"x" * 30_000)


class Failing(Link):
    """A link that does its duty until one call, and raises from there on."""

    def __init__(self, calls: int) -> None:
        super().__init__()
        self.calls = calls
        self.connection: Connection | None = None
        self.full = 0

    def _call(self) -> None:
        self.calls -= 1
        if self.calls < 0:
            raise RuntimeError("unable to perform operation on <TCPTransport closed=True>")

    def write(self, data: bytes) -> None:
        self._call()
        self.full += len(data)
        if self.full > 200_000 and self.connection is not None:
            self.connection.overfull()

    def pause(self) -> None:
        self._call()

    def resume(self) -> None:
        self._call()

    def abort(self) -> None:
        self._call()
        super().abort()

    def close(self, code: int, reason: str) -> None:
        self._call()

    def waiting(self) -> int:
        self._call()
        return self.full


def join(side: Side, link: Any) -> Connection:
    """One more connection of the same server, subscribed."""
    session = Session("s", side.limits, side.now())
    connection = Connection(side.services, session, LINES, link)
    if isinstance(link, Failing):
        link.connection = connection
    session.receive(Subscribe(entities=["tasks"]))
    connection.subscriptions.subscribe("tasks", RECORDS, None)
    return connection


LINES = Lines()


def large(number: int) -> Commit:
    return Commit(record("1", number, LARGE), RECORDS, [])


@pytest.mark.parametrize("calls", range(12))
async def test_a_link_that_fails_at_any_call_costs_nobody_else_a_change(
    calls: int, caplog: pytest.LogCaptureFixture
) -> None:
    side = Side()
    before, after = Link(), Link()
    join(side, before)
    failing = join(side, Failing(calls))
    join(side, after)
    bursts = [range(1, 21), range(21, 24), range(24, 60)]  # 20 times 30 KB is one burst: see EARLY
    with caplog.at_level(logging.ERROR, "rhtmx_server"):
        for burst in bursts:
            side.hub.deliver([large(number) for number in burst])
            side.soon.turn()
    for healthy in (before, after):
        got = [version(message) for message in messages(b"".join(healthy.written))]
        assert got == list(range(1, 60))
    assert "ending a tick failed" not in caplog.text
    failing.subscriptions.close()
    await side.rest()


def test_the_burst_is_large_enough_to_be_flushed_early() -> None:
    assert 20 * len(LARGE) > EARLY


@pytest.mark.parametrize("failing", ["fell", "outbox"])
def test_a_subscriber_that_cannot_fall_back_is_dropped_and_comes_back(failing: str) -> None:
    side = Side()
    dropped: list[str] = []
    peers = [Peer(LINES), Peer(LINES), Peer(LINES)]
    for peer in peers:
        side.hub.join("tasks", RECORDS, peer)
    peers[1].outbox._broken = lambda: dropped.append("dropped")

    def fail(*args: object) -> None:
        raise RuntimeError

    if failing == "fell":
        peers[1].fell = fail  # type: ignore[assignment, method-assign]
        peers[1].outbox.behind = True
    else:
        peers[1].outbox._write = fail
    side.hub.deliver([commit(1), commit(2)])
    side.soon.turn()
    side.hub.deliver([commit(3)])
    side.soon.turn()
    assert peers[0].versions == peers[2].versions == [1, 2, 3]
    assert dropped == ["dropped"]
    assert peers[1].versions == []
