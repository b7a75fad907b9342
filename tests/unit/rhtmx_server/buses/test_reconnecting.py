"""Facts about `rhtmx_server.buses.reconnecting`, on a carrier that does what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeAlias

import pytest

from rhtmx.errors import RhtmxError
from rhtmx_server.buses import reconnecting
from rhtmx_server.buses.listener import Listener
from rhtmx_server.buses.reconnecting import BusLost, BusRefused, ReconnectingBus
from tests.support.buses import Node
from tests.support.state_tables import NOTHING, state_table
from tests.support.waiting import eventually

TABLE = state_table(reconnecting)


class Scripted:
    """A carrier and all of its lines.

    Attributes:
        fails: what the next attempts to connect raise.
        sent: on all lines.
        lost: whether the line that there is, is.
        held: unset to have the line take nothing.
        attempts: how many there were.
        open: lines that were made and not closed.
    """

    def __init__(self) -> None:
        self.fails: Exception | None = None
        self.sent: list[bytes] = []
        self.asked = 0
        self.lost = False
        self.held = asyncio.Event()
        self.held.set()
        self.attempts = 0
        self.open = 0
        self.listener: Listener | None = None
        self.most_bytes = 1000
        self.closing: Callable[[], None] = lambda: None

    async def connect(self, listener: Listener) -> Scripted:
        self.attempts += 1
        self.listener = listener
        if self.fails is not None:
            raise self.fails
        self.lost = False
        self.open += 1
        return self

    def alive(self) -> bool:
        return not self.lost

    async def send(self, messages: Sequence[bytes]) -> None:
        await self.held.wait()
        if self.lost:
            raise BusLost("it is gone")
        self.asked += not messages
        self.sent += messages

    async def close(self) -> None:
        self.open -= 1
        self.closing()

    def lose(self) -> None:
        assert self.listener is not None
        self.lost = True
        self.listener.ended()


@pytest.fixture
def carrier() -> Scripted:
    return Scripted()


@pytest.fixture
def node(carrier: Scripted) -> Node:
    return Node(ReconnectingBus(carrier, chance=lambda: 0.0))


Step: TypeAlias = tuple[str, str]
WAYS: dict[str, list[str]] = {
    "new": [],
    "connected": ["`open`"],
    "away": ["`open`", "a line is lost"],
    "closed": ["`open`", "`close`"],
}
"""How to come to each state."""


async def take(step: str, node: Node, carrier: Scripted) -> None:
    """Make an event of the table happen, and let what follows follow."""
    match step.strip("`"):
        case "open":
            await node.open("a")
        case "close":
            await node.bus.close()
        case "a line is lost":
            carrier.fails = BusLost("nobody is there")
            carrier.lose()
            await eventually(lambda: carrier.attempts > 1)
        case "a line is made":
            before = node.missed
            carrier.fails = None
            await eventually(lambda: node.missed == before + 1)


def seen(node: Node, carrier: Scripted) -> str:
    """In what state a bus is, by what it shows."""
    node.bus.announce(b"x")
    if node.bus.ready():
        assert carrier.open == 1
        return "connected"
    assert carrier.open == 0
    if carrier.listener is None:
        return "new"
    heard = len(node.heard)
    carrier.listener.heard(b"y")
    return "away" if len(node.heard) > heard else "closed"


@pytest.mark.parametrize(("state", "event"), [each for each in TABLE if TABLE[each] != NOTHING])
async def test_each_event_leads_where_the_table_says(
    state: str, event: str, node: Node, carrier: Scripted
) -> None:
    for step in WAYS[state]:
        await take(step, node, carrier)
    await take(event, node, carrier)
    following = TABLE[state, event].partition(";")[0]
    if event == "close" and state == "new":
        await take("open", node, carrier)  # it is too late for that
    assert seen(node, carrier) == following
    await node.bus.close()


async def test_a_bus_that_nobody_carries_is_away_and_one_that_is_refused_says_so(
    node: Node, carrier: Scripted
) -> None:
    carrier.fails = BusRefused("the password is wrong: write another one")
    with pytest.raises(RhtmxError, match="write another one"):
        await node.open("a")
    assert carrier.attempts == 1
    carrier.fails = BusLost("nobody is there")
    await node.open("a")
    assert not node.bus.ready()
    carrier.fails = None
    await eventually(node.bus.ready)
    assert node.missed == 1
    await node.bus.close()


async def test_a_bus_that_is_closed_while_it_opens_is_closed(node: Node, carrier: Scripted) -> None:
    opening = asyncio.create_task(node.open("a"))
    await node.bus.close()
    await opening
    assert seen(node, carrier) == "closed"


async def test_what_waits_is_dropped_with_its_line_and_counted(
    node: Node, carrier: Scripted
) -> None:
    await node.open("a")
    carrier.held.clear()
    for number in range(10):
        node.bus.announce(b"%d" % number)
    await asyncio.sleep(0)  # these are on their way, and others come after them
    for number in range(5):
        node.bus.announce(b"%d" % number)
    carrier.fails = BusLost("nobody is there")
    carrier.lose()
    carrier.held.set()
    await eventually(lambda: carrier.attempts > 1)
    assert node.bus.dropped == 15
    assert carrier.sent == []
    carrier.fails = None
    await eventually(node.bus.ready)
    node.bus.announce(b"new")
    await eventually(lambda: carrier.sent == [b"new"])
    await node.bus.close()


async def test_no_more_waits_than_there_is_room_for(
    node: Node, carrier: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconnecting, "_ROOM", 2500)
    monkeypatch.setattr(reconnecting, "_BATCH", 1200)
    node = Node(ReconnectingBus(carrier))
    await node.open("a")
    messages = [bytes([number]) * 1000 for number in range(4)]
    for each in messages:
        node.bus.announce(each)
    await eventually(lambda: carrier.sent == messages[:2])
    assert node.bus.dropped == 2
    await node.bus.close()


async def test_a_line_on_which_nothing_is_sent_is_asked_whether_it_is_there(
    node: Node, carrier: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconnecting, "_ASK_EVERY", 0.001)
    await node.open("a")
    await eventually(lambda: carrier.asked > 2)
    carrier.lost = True  # and nobody says so
    await eventually(lambda: node.missed == 1)
    assert node.bus.ready()
    await node.bus.close()


async def test_pauses_grow_until_a_line_has_lasted(
    carrier: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[int] = []

    def noted(count: int, chance: float) -> float:
        failures.append(count)
        return 0.0

    monkeypatch.setattr(reconnecting, "pause", noted)
    node = Node(ReconnectingBus(carrier))
    await node.open("a")
    for _ in range(3):
        missed = node.missed
        carrier.lose()
        await eventually(lambda: node.missed > missed)  # noqa: B023 (it is waited for here)
    assert failures == [0, 1, 2]
    monkeypatch.setattr(reconnecting, "_STABLE", 0.0)
    carrier.lose()
    await eventually(lambda: len(failures) == 4)
    assert failures[-1] == 0
    await node.bus.close()


async def test_an_outage_is_in_the_log_once(
    node: Node, carrier: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    carrier.fails = BusLost("nobody is there")
    await node.open("a")
    await eventually(lambda: carrier.attempts > 5)
    assert caplog.text.count("nobody is there") == 1
    await node.bus.close()


async def test_a_line_that_cannot_be_closed_holds_nobody_up(
    node: Node,
    carrier: Scripted,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail() -> None:
        raise OSError("already gone")

    carrier.closing = fail
    await node.open("a")
    carrier.lose()
    await eventually(lambda: node.missed == 1)
    await node.bus.close()
    assert "closing a connection of the bus failed" in caplog.text
