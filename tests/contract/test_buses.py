"""What every bus does: on each of them, with nodes that are alone on it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from rhtmx_server.buses import open_bus
from rhtmx_server.sharing import Bus
from tests.support.buses import Join, joining
from tests.support.nats import NatsServer, running
from tests.support.postgres import Postgres
from tests.support.waiting import eventually

_names = count()


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[NatsServer]:
    with running(tmp_path) as server:
        yield server


@pytest.fixture(params=["memory", "nats", "notify"])
def make(request: pytest.FixtureRequest) -> Callable[[], Bus]:
    """Makes a bus; all of them reach one another."""
    match request.param:
        case "memory":
            name = f"memory://test{next(_names)}"
            return lambda: open_bus(name)
        case "nats":
            server: NatsServer = request.getfixturevalue("nats")
            return lambda: open_bus(server.url)
        case _:
            postgres: Postgres = request.getfixturevalue("postgres")
            place = postgres.place()
            return lambda: open_bus("notify:", store=place)


@pytest.fixture
async def join(make: Callable[[], Bus]) -> AsyncIterator[Join]:
    async with joining(make) as made:
        yield made


async def test_everybody_else_hears_what_is_announced_and_nobody_oneself(join: Join) -> None:
    a, b, c = [await join(name) for name in "abc"]
    a.bus.announce(b"from a")
    b.bus.announce(b"from b")
    await a.hears(b"from b")
    await b.hears(b"from a")
    await c.hears(b"from a", b"from b")
    c.bus.announce(b"later")  # by now it would have come back
    await a.hears(b"later")
    await b.hears(b"later")
    assert a.heard == [b"from b", b"later"]
    assert b.heard == [b"from a", b"later"]
    assert a.missed == b.missed == c.missed == 0


async def test_any_bytes_arrive_as_they_are(join: Join) -> None:
    a, b = await join("a"), await join("b")
    messages = [bytes(range(256)), b"\r\n", b"MSG x 1 0\r\n", "ü ÿ".encode(), b"\0", b""]
    for each in messages:
        a.bus.announce(each)
    await b.hears(*messages)
    assert b.heard == messages


async def test_in_quiet_times_messages_keep_their_order(join: Join) -> None:
    a, b = await join("a"), await join("b")
    messages = [b"%d" % number for number in range(500)]
    for each in messages:
        a.bus.announce(each)
    await b.hears(*messages)
    assert b.heard == messages
    assert a.bus.dropped == 0


async def test_clusters_do_not_hear_each_other(join: Join) -> None:
    a, b = await join("a"), await join("b")
    stranger, other = await join("c", cluster="two"), await join("d", cluster="two")
    a.bus.announce(b"of one")
    stranger.bus.announce(b"of two")
    await b.hears(b"of one")
    await other.hears(b"of two")
    assert a.heard == stranger.heard == []
    assert (b.heard, other.heard) == ([b"of one"], [b"of two"])


async def test_the_largest_message_arrives_and_a_larger_one_is_dropped_and_counted(
    join: Join,
) -> None:
    a, b = await join("a"), await join("b")
    most = a.bus.most_bytes
    assert most >= 1000
    a.bus.announce(b"x" * (most + 1))
    assert a.bus.dropped == 1
    a.bus.announce(b"y" * most)
    await b.hears(b"y" * most)
    assert len(b.heard) == 1
    assert a.bus.dropped == 1
    assert a.bus.ready()


async def test_after_close_announcing_does_nothing_and_nothing_is_heard(join: Join) -> None:
    a, b, c = [await join(name) for name in "abc"]
    assert a.bus.ready()
    await a.bus.close()
    assert not a.bus.ready()
    a.bus.announce(b"too late")
    assert a.bus.dropped == 1
    b.bus.announce(b"still here")
    await c.hears(b"still here")
    assert a.heard == []
    assert c.heard == [b"still here"]
    await a.bus.close()


async def test_before_open_announcing_does_nothing(make: Callable[[], Bus]) -> None:
    bus = make()
    bus.announce(b"too early")
    assert bus.dropped == 1
    assert not bus.ready()
    await bus.close()


async def test_a_node_that_fails_to_take_a_message_takes_the_next_one(
    make: Callable[[], Bus], join: Join, caplog: pytest.LogCaptureFixture
) -> None:
    taken: list[bytes] = []

    def heard(message: bytes) -> None:
        if message == b"bad":
            raise RuntimeError("no")
        taken.append(message)

    bus = make()
    await bus.open("one", "b", heard, lambda: None)
    a = await join("a")
    a.bus.announce(b"bad")
    a.bus.announce(b"good")
    await eventually(lambda: taken == [b"good"])
    assert "what another node has told was not taken" in caplog.text
    await bus.close()


@pytest.mark.parametrize("name", ["", "a.b", "a b", "*", "x" * 65, "ü"])
async def test_a_name_that_cannot_be_sent_is_refused(make: Callable[[], Bus], name: str) -> None:
    for names in ((name, "a"), ("one", name)):
        bus = make()
        with pytest.raises(ValueError, match=re.escape(repr(name))):
            await bus.open(*names, lambda _: None, lambda: None)
        await bus.close()
