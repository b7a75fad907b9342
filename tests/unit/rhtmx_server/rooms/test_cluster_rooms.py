"""Rooms of several servers: a bus that loses, delays, repeats and reorders costs time only."""

from __future__ import annotations

import random

import pytest

from rhtmx_server.rooms.cluster_rooms import LOOK_EVERY, ClusterRooms
from rhtmx_server.rooms.ports import RoomLimits
from rhtmx_server.rooms.wire import DumpRequest, pack
from tests.unit.rhtmx_server.rooms.room_world import ROOM, RoomPeer, RoomWorld

HEARTBEAT = 4.0


class Wire:
    """A bus between servers that a test drives: what it carries arrives when time passes."""

    def __init__(self, seed: int = 0, lose: float = 0.0) -> None:
        self.chance = random.Random(seed)
        self.lose = lose
        self.nodes: list[ServerNode] = []
        self.on_its_way: list[tuple[float, ServerNode, bytes]] = []
        self.cut: set[ServerNode] = set()

    def carry(self, author: ServerNode, message: bytes) -> None:
        for node in self.nodes:
            if node is author or {node, author} & self.cut or self.chance.random() < self.lose:
                continue
            for _ in range(1 + (self.chance.random() < 0.2)):
                late = self.chance.choice([0.0, 0.0, 0.0, 0.3])
                self.on_its_way.append((author.world.seconds + late, node, message))

    def pass_time(self, seconds: float) -> None:
        for _ in range(round(seconds / LOOK_EVERY)):
            for node in self.nodes:
                node.world.pass_time(LOOK_EVERY)
                node.rooms.look()
            now = self.nodes[0].world.seconds
            due = [each for each in self.on_its_way if each[0] <= now]
            self.on_its_way = [each for each in self.on_its_way if each[0] > now]
            self.chance.shuffle(due)
            for _, node, message in due:
                if node in self.nodes:
                    node.rooms.hear(message)


class ServerNode:
    """One server, and its end of the bus."""

    dropped = 0

    def __init__(self, wire: Wire, name: str, most_bytes: int = 5949) -> None:
        self.most_bytes = most_bytes
        self.world = RoomWorld(RoomLimits(sweep=0.5))
        if wire.nodes:
            self.world.seconds = wire.nodes[0].world.seconds
        self._wire = wire
        wire.nodes.append(self)
        self.rooms = ClusterRooms(
            self.world.rooms,
            self,
            lambda: name,
            heartbeat=HEARTBEAT,
            now=lambda: self.world.seconds,
            later=self.world.later,
        )
        self.announce(pack(DumpRequest(name, "")))

    def announce(self, message: bytes) -> None:
        assert len(message) <= self.most_bytes
        self._wire.carry(self, message)

    async def open(self, *said: object) -> None: ...

    def ready(self) -> bool:
        return True

    async def close(self) -> None: ...

    @property
    def here(self) -> dict[str, bytes | None]:
        return {each.id: each.state for each in self.world.rooms.members(ROOM)}


async def test_members_of_all_servers_are_one_room() -> None:
    wire = Wire()
    one, other = ServerNode(wire, "a"), ServerNode(wire, "b")
    ada = await one.world.enter("ada", state=b"1")
    bob = await other.world.enter("bob")
    wire.pass_time(1)
    assert ada.here == bob.here == {"ada": b"1", "bob": None}
    one.world.rooms.leave(ada, ROOM)
    wire.pass_time(1)
    assert bob.here == {"bob": None}


async def test_a_server_that_comes_later_knows_everybody_soon() -> None:
    wire = Wire()
    one = ServerNode(wire, "a")
    await one.world.enter("ada")
    wire.pass_time(2)
    other = ServerNode(wire, "b")
    wire.pass_time(1)
    assert other.here == {"ada": None}


async def test_what_is_told_at_one_server_is_heard_once_at_the_others() -> None:
    wire = Wire(seed=3)
    one, other = ServerNode(wire, "a"), ServerNode(wire, "b")
    ada = await one.world.enter("ada")
    bob = await other.world.enter("bob")
    wire.pass_time(1)
    assert bob.here
    for number in range(20):
        one.world.rooms.tell_as(ada, ROOM, b"%d" % number)
    wire.pass_time(1)
    assert sorted(map(int, filter(None, bob.told))) == [*range(20)]


async def test_a_client_that_moves_is_one_member_and_shows_what_it_said_last() -> None:
    wire = Wire()
    one, other = ServerNode(wire, "a"), ServerNode(wire, "b")
    ada = await one.world.enter("ada", state=b"1")
    wire.pass_time(1)
    one.world.rooms.lost(ada, one.world.seconds + 2)
    await other.world.enter("ada", state=b"2")
    wire.pass_time(1)
    assert one.here == other.here == {"ada": b"2"}
    wire.pass_time(5)
    assert one.here == other.here == {"ada": b"2"}


async def test_a_client_that_moves_shows_what_it_said_last_though_clocks_differ() -> None:
    wire = Wire()
    ahead, behind = ServerNode(wire, "a"), ServerNode(wire, "b")
    ahead.world.clock_error = 3600.0
    watcher = await behind.world.enter()
    ada = await ahead.world.enter("ada", state=b"1")
    wire.pass_time(1)
    ahead.world.rooms.lost(ada, ahead.world.seconds + 8)
    await behind.world.enter("ada", state=b"2")
    wire.pass_time(1)
    assert watcher.here == ahead.here == {"ada": b"2"}


async def test_members_of_a_server_that_is_gone_are_gone_after_two_heartbeats() -> None:
    wire = Wire()
    one, other = ServerNode(wire, "a"), ServerNode(wire, "b")
    await one.world.enter("ada")
    await other.world.enter("bob")
    wire.pass_time(1)
    wire.nodes.remove(one)
    wire.pass_time(2 * HEARTBEAT - 2)
    assert other.here == {"ada": None, "bob": None}
    wire.pass_time(4)
    assert other.here == {"bob": None}


async def test_after_a_bus_that_was_down_all_know_the_same_again() -> None:
    wire = Wire()
    one, other = ServerNode(wire, "a"), ServerNode(wire, "b")
    ada = await one.world.enter("ada")
    await other.world.enter("bob")
    wire.pass_time(1)
    wire.cut = {one}
    one.world.rooms.leave(ada, ROOM)
    await one.world.enter("cleo")
    wire.pass_time(20)
    assert (one.here, other.here) == ({"cleo": None}, {"bob": None})
    wire.cut = set()
    wire.pass_time(5)
    assert one.here == other.here == {"bob": None, "cleo": None}


async def test_many_members_are_told_in_messages_that_the_bus_carries() -> None:
    wire = Wire()
    one = ServerNode(wire, "a", most_bytes=1000)
    for number in range(200):
        await one.world.enter(str(number), state=b'"' + b"x" * 100 + b'"')
    wire.pass_time(1)
    other = ServerNode(wire, "b")
    wire.pass_time(2)
    assert len(other.here) == 200


@pytest.mark.parametrize("lose", [0.0, 0.1, 0.4])
@pytest.mark.parametrize("seed", range(15))
async def test_whatever_the_bus_does_all_servers_end_with_the_same_members(
    seed: int, lose: float
) -> None:
    wire = Wire(seed, lose)
    chance = random.Random(seed)
    nodes = [ServerNode(wire, name) for name in "abc"]
    peers: dict[RoomPeer, tuple[ServerNode, str]] = {}
    for step in range(120):
        peer = chance.choice([*peers, None])
        match chance.randrange(6):
            case 0 | 1:
                node, name = chance.choice(nodes), chance.choice(["ada", "bob", "cleo", "dan"])
                peers[await node.world.enter(name, state=b"%d" % step)] = node, name
            case 2 if peer is not None:
                peers.pop(peer)[0].world.rooms.leave(peer, ROOM)
            case 3 if peer is not None:
                node, _ = peers.pop(peer)
                node.world.rooms.lost(peer, node.world.seconds + 1)
            case 4:
                wire.cut = {chance.choice(nodes)} if chance.random() < 0.3 else set()
            case _:
                wire.pass_time(chance.choice([0.25, 0.5, 3]))
    wire.cut, wire.lose = set(), min(lose, 0.1)
    wire.pass_time(30)
    wire.lose = 0.0
    wire.pass_time(3)
    expected = {name for _, name in peers.values()}
    for node in nodes:
        assert node.here == nodes[0].here
        assert node.here.keys() == expected
    for peer in peers:
        assert peer.here == nodes[0].here
