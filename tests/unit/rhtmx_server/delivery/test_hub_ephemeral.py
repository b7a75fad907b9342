"""What is ephemeral: to everyone who is live, once, now or never."""

from __future__ import annotations

import pytest

from rhtmx.messages import Change, Error, FieldChange, Pong
from rhtmx.wire import ServerMessage
from rhtmx_server.delivery.hub import EARLY, Hub
from rhtmx_server.delivery.outbox import Tick
from tests.unit.rhtmx_server.fakes import (
    BOTH,
    FIELDS,
    RECORDS,
    Lines,
    Peer,
    Soon,
    commit,
)


class World:
    """A hub, and the turns of its loop."""

    def __init__(self) -> None:
        self.soon = Soon()
        self.counts: list[int] = []
        self.dropped: list[int] = []
        self.hub = Hub(Tick(self.soon), self.counts.append, self.dropped.append)

    def tell(self, entity: str = "tasks") -> None:
        self.hub.tell(entity, Pong())
        self.soon.turn()


@pytest.fixture
def world() -> World:
    return World()


def test_everyone_who_reads_the_entity_is_told_once_at_any_granularity(world: World) -> None:
    peers = [Peer() for _ in (RECORDS, FIELDS, BOTH)]
    for peer, granularity in zip(peers, (RECORDS, FIELDS, BOTH), strict=True):
        world.hub.join("tasks", granularity, peer)
    other = Peer()
    world.hub.join("users", RECORDS, other)
    world.tell()
    assert [peer.got for peer in peers] == [[Pong()], [Pong()], [Pong()]]
    assert other.got == []


def test_it_is_encoded_once_for_all_who_share_an_encoding(world: World) -> None:
    shared, other = Lines(), Lines()
    for granularity in (RECORDS, FIELDS, BOTH):
        world.hub.join("tasks", granularity, Peer(shared))
    world.hub.join("tasks", RECORDS, Peer(other))
    world.tell()
    assert (len(shared.encoded), len(other.encoded)) == (1, 1)


def test_nothing_is_encoded_for_nobody(world: World) -> None:
    peer = Peer(encoding := Lines())
    world.hub.join("tasks", RECORDS, peer)
    world.hub.leave("tasks", RECORDS, peer)
    world.tell()
    world.tell("nobody ever read this")
    assert encoding.encoded == []


def test_what_is_told_in_one_turn_is_joined_into_one_delivery(world: World) -> None:
    peer = Peer()
    world.hub.join("tasks", RECORDS, peer)
    world.hub.tell("tasks", Pong())
    world.hub.tell("tasks", Error("now"))
    assert peer.deliveries == []
    world.soon.turn()
    assert len(peer.deliveries) == 1
    assert peer.got == [Pong(), Error("now")]


def test_it_moves_no_position_and_makes_no_entity(world: World) -> None:
    peer = Peer()
    world.hub.join("tasks", RECORDS, peer)
    world.tell()
    assert (world.hub.position("tasks"), world.hub.entities) == (0, 0)
    world.hub.deliver([commit(1)])
    world.soon.turn()
    assert peer.falls == []
    assert [type(each) for each in peer.got] == [Pong, Change]


def test_it_is_no_delivery_of_a_change(world: World) -> None:
    world.hub.join("tasks", RECORDS, Peer())
    world.tell()
    assert sum(world.counts) == 0


def test_one_who_is_behind_misses_it_stays_live_and_is_counted(world: World) -> None:
    slow, quick = Peer(shared := Lines()), Peer(shared)
    for peer in (slow, quick):
        world.hub.join("tasks", RECORDS, peer)
    slow.outbox.behind = True
    world.hub.tell("tasks", Pong())
    world.tell()
    assert (slow.got, quick.got) == ([], [Pong(), Pong()])
    assert (slow.falls, world.dropped) == ([], [2])
    slow.outbox.behind = False
    world.tell()
    assert slow.got == [Pong()]


def test_one_who_falls_in_the_same_turn_is_counted_too(world: World) -> None:
    slow = Peer()
    world.hub.join("tasks", RECORDS, slow)
    slow.outbox.behind = True
    world.hub.deliver([commit(1)])
    world.tell()
    assert (slow.falls, world.dropped, slow.got) == ([("tasks", 0)], [1], [])


def test_one_who_said_no_hello_is_not_told_and_gets_the_changes(world: World) -> None:
    seed, ours = Peer(shared := Lines()), Peer(shared)
    seed.takes_ephemeral = False
    for peer in (seed, ours):
        world.hub.join("tasks", FIELDS, peer)
    world.hub.deliver([commit(1)])
    world.tell()
    assert [type(each) for each in seed.got] == [FieldChange]
    assert {type(each) for each in ours.got} == {FieldChange, Pong}
    assert sum(world.dropped) == 0


def test_one_who_joins_in_the_middle_of_a_turn_is_told_only_what_comes_after(world: World) -> None:
    early, late = Peer(shared := Lines()), Peer(shared)
    world.hub.join("tasks", RECORDS, early)
    world.hub.tell("tasks", Pong())
    world.hub.join("tasks", RECORDS, late)
    world.tell()
    assert (len(early.got), len(late.got)) == (2, 1)


def test_one_who_leaves_in_the_middle_of_a_turn_was_told_what_came_before(world: World) -> None:
    peer = Peer()
    world.hub.join("tasks", RECORDS, peer)
    world.hub.tell("tasks", Pong())
    world.hub.leave("tasks", RECORDS, peer)
    world.tell()
    assert peer.got == [Pong()]


def test_a_burst_goes_out_before_the_end_of_the_turn(world: World) -> None:
    """Else one sender could fill the memory of the server within a turn."""
    peer = Peer()
    world.hub.join("tasks", RECORDS, peer)
    long = Error("x" * (EARLY // 2))
    world.hub.tell("tasks", long)
    assert peer.deliveries == []
    world.hub.tell("tasks", long)
    assert peer.got == [long, long]


def test_an_encoding_that_never_sends_it_makes_no_delivery(world: World) -> None:
    class Silent(Lines):
        def frame(self, message: ServerMessage) -> bytes:
            return b""

    old, ours = Peer(Silent()), Peer()
    for peer in (old, ours):
        world.hub.join("tasks", RECORDS, peer)
    world.tell()
    assert (old.deliveries, ours.got) == ([], [Pong()])


def test_one_that_cannot_be_encoded_is_the_senders_matter_and_leaves_nothing_behind(
    world: World,
) -> None:
    class Broken(Lines):
        def frame(self, message: ServerMessage) -> bytes:
            raise OverflowError("no such date")

    ours, broken = Peer(), Peer(Broken())
    for peer in (ours, broken):
        world.hub.join("tasks", RECORDS, peer)
    with pytest.raises(OverflowError):
        world.hub.tell("tasks", Pong())
    world.soon.turn()
    assert ours.got == [Pong()]
    assert broken.falls == []
