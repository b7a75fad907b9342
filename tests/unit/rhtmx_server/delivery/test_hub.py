"""The hub: each commit once, encoded once, to everyone who is live."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from rhtmx.messages import Change, FieldChange, TransactionComplete
from rhtmx.wire import ServerMessage
from rhtmx_server.conflict_log import RESERVED
from rhtmx_server.delivery.hub import Hub
from rhtmx_server.delivery.outbox import Outbox, Tick
from rhtmx_server.model import Clock, Commit, Head
from tests.unit.rhtmx_server.fakes import (
    BOTH,
    FIELDS,
    NOW,
    RECORDS,
    Lines,
    Peer,
    Soon,
    at_once,
    commit,
    messages,
    record,
)


class World:
    """A hub, and the turns of its loop."""

    def __init__(self) -> None:
        self.soon = Soon()
        self.counts: list[int] = []
        self.hub = Hub(Tick(self.soon), self.counts.append)

    def deliver(self, *commits: Commit) -> None:
        self.hub.deliver(commits)
        self.soon.turn()


@pytest.fixture
def world() -> World:
    return World()


def test_a_live_subscriber_gets_each_commit_once(world: World) -> None:
    peer = Peer()
    world.hub.join("tasks", RECORDS, peer)
    world.deliver(commit(1), commit(2))
    world.deliver(commit(3))
    assert peer.versions == [1, 2, 3]


def test_only_those_of_the_entity_get_it(world: World) -> None:
    tasks, users = Peer(), Peer()
    world.hub.join("tasks", RECORDS, tasks)
    world.hub.join("users", RECORDS, users)
    world.deliver(commit(1, "tasks"))
    assert (tasks.versions, users.versions) == ([1], [])


def test_the_commits_of_a_turn_are_joined_into_one_delivery(world: World) -> None:
    peer = Peer()
    world.hub.join("tasks", RECORDS, peer)
    world.hub.deliver([commit(1)])
    world.hub.deliver([commit(2), commit(3)])
    assert peer.deliveries == []
    world.soon.turn()
    assert len(peer.deliveries) == 1
    assert peer.versions == [1, 2, 3]


def test_a_commit_is_encoded_once_for_all_who_share_an_encoding(world: World) -> None:
    shared, other = Lines(), Lines()
    peers = [Peer(shared), Peer(shared), Peer(shared)]
    for peer in [*peers, Peer(other)]:
        world.hub.join("tasks", RECORDS, peer)
    world.deliver(commit(1))
    assert (len(shared.encoded), len(other.encoded)) == (1, 1)
    assert peers[0].deliveries[0] is peers[1].deliveries[0] is peers[2].deliveries[0]


def test_nothing_is_encoded_for_nobody(world: World) -> None:
    encoding = Lines()
    peer = Peer(encoding)
    world.hub.join("tasks", RECORDS, peer)
    world.hub.leave("tasks", RECORDS, peer)
    world.deliver(commit(1))
    assert encoding.encoded == []
    assert world.hub.position("tasks") == 1


def test_each_granularity_gets_its_own_form(world: World) -> None:
    records, fields, both = Peer(), Peer(), Peer()
    world.hub.join("tasks", RECORDS, records)
    world.hub.join("tasks", FIELDS, fields)
    world.hub.join("tasks", BOTH, both)
    by_field = record("1", 2, b'{"n":2}', clocks={"n": Clock(2, NOW, "ada")})
    world.deliver(commit(1), Commit(by_field, FIELDS, ["n"]))
    assert [type(message) for message in records.got] == [Change, Change]
    assert [type(message) for message in fields.got] == [FieldChange, FieldChange]
    assert [type(message) for message in both.got] == [Change, FieldChange]


def test_one_who_joins_in_the_middle_of_a_turn_gets_only_what_comes_after(world: World) -> None:
    early, late = Peer(shared := Lines()), Peer(shared)
    world.hub.join("tasks", RECORDS, early)
    world.hub.deliver([commit(1)])
    world.hub.join("tasks", RECORDS, late)
    world.deliver(commit(2))
    assert early.versions == [1, 2]
    assert late.versions == [2]


def test_one_who_leaves_in_the_middle_of_a_turn_has_everything_up_to_there(world: World) -> None:
    peer = Peer()
    world.hub.join("tasks", RECORDS, peer)
    world.hub.deliver([commit(1)])
    world.hub.leave("tasks", RECORDS, peer)
    world.deliver(commit(2))
    assert peer.versions == [1]


def test_leaving_where_one_never_was_is_no_error(world: World) -> None:
    peer, member = Peer(shared := Lines()), Peer(shared)
    world.hub.leave("tasks", RECORDS, peer)
    world.hub.join("tasks", RECORDS, member)
    world.hub.leave("tasks", RECORDS, peer)
    world.deliver(commit(1))
    assert (peer.versions, member.versions) == ([], [1])


def test_one_who_is_behind_is_handed_nothing_more(world: World) -> None:
    slow, quick = Peer(shared := Lines()), Peer(shared)
    world.hub.join("tasks", RECORDS, slow)
    world.hub.join("tasks", RECORDS, quick)
    world.deliver(commit(1))
    slow.outbox.behind = True
    world.deliver(commit(2), commit(3))
    world.deliver(commit(4))
    assert slow.versions == [1]
    assert quick.versions == [1, 2, 3, 4]


def test_one_who_is_behind_is_told_up_to_where_it_got_everything(world: World) -> None:
    slow = Peer()
    world.hub.join("tasks", RECORDS, slow)
    world.deliver(commit(1))
    slow.outbox.behind = True
    world.deliver(commit(2), commit(3))
    world.deliver(commit(4))
    assert slow.falls == [("tasks", 1)]


def test_one_who_is_behind_stays_live_as_long_as_there_is_nothing_to_send(world: World) -> None:
    slow = Peer()
    slow.outbox.behind = True
    world.hub.join("tasks", RECORDS, slow)
    world.deliver(commit(1, "users"))
    assert slow.falls == []


def test_one_who_fell_and_joined_again_goes_on_live(world: World) -> None:
    peer = Peer()
    world.hub.join("tasks", RECORDS, peer)
    peer.outbox.behind = True
    world.deliver(commit(1))
    peer.outbox.behind = False
    world.hub.join("tasks", RECORDS, peer)
    world.deliver(commit(2))
    assert (peer.versions, peer.falls) == ([2], [("tasks", 0)])


def test_a_gap_in_the_versions_sends_everyone_to_the_store(world: World) -> None:
    records, fields = Peer(), Peer()
    world.hub.join("tasks", RECORDS, records)
    world.hub.join("tasks", FIELDS, fields)
    world.deliver(commit(1), commit(3))
    assert (records.versions, fields.versions) == ([1], [1])
    assert (records.falls, fields.falls) == ([("tasks", 1)], [("tasks", 1)])
    assert world.hub.position("tasks") == 3


def test_a_gap_in_one_entity_is_none_in_another(world: World) -> None:
    peer = Peer()
    world.hub.join("users", RECORDS, peer)
    world.deliver(commit(5, "tasks"), commit(1, "users"), commit(9, "tasks"))
    assert (peer.versions, peer.falls) == ([1], [])


def test_the_hub_begins_at_the_heads_of_the_store(world: World) -> None:
    world.hub.start({"tasks": Head(7, 3)})
    peer = Peer()
    world.hub.join("tasks", RECORDS, peer)
    world.deliver(commit(8))
    assert (peer.versions, peer.falls) == ([8], [])
    assert world.hub.head("tasks") == Head(8, 3)


def test_an_entity_that_was_never_written_begins_at_nothing(world: World) -> None:
    assert world.hub.position("tasks") == 0
    assert world.hub.head("tasks") == Head(0, 0)


def test_entities_count_once_however_they_come_and_conflict_logs_are_none(world: World) -> None:
    world.hub.start({"tasks": Head(7, 2), f"{RESERVED}tasks": Head(1, 0)})
    assert world.hub.entities == 1
    world.deliver(commit(8, "tasks"), commit(1, "users"), commit(2, "users"))
    world.hub.raise_floors({"users": Head(2, 1), "teams": Head(3, 0), f"{RESERVED}teams": Head()})
    assert world.hub.position("nothing") == world.hub.head("nothing").floor == 0
    assert world.hub.entities == 3
    world.hub.start({"teams": Head(3, 0)})
    assert (world.hub.entities, world.hub.position("tasks")) == (1, 0)


def test_rising_floors_are_taken_over(world: World) -> None:
    world.hub.start({"tasks": Head(7, 3)})
    world.hub.raise_floors({"tasks": Head(7, 6)})
    assert world.hub.head("tasks") == Head(7, 6)


def test_what_is_durable_but_not_handed_out_yet_is_not_skipped_when_floors_rise(
    world: World,
) -> None:
    peer = Peer()
    world.hub.join("tasks", RECORDS, peer)
    world.hub.raise_floors({"tasks": Head(1, 0)})
    world.deliver(commit(1))
    assert (peer.versions, peer.falls) == ([1], [])


def test_deliveries_are_counted_by_change_and_subscriber(world: World) -> None:
    shared = Lines()
    for _ in range(3):
        world.hub.join("tasks", RECORDS, Peer(shared))
    world.deliver(commit(1), commit(2))
    assert sum(world.counts) == 6


def test_an_encoding_that_never_sends_a_message_makes_no_delivery(world: World) -> None:
    class Silent(Lines):
        def frame(self, message: ServerMessage) -> bytes:
            return b""

    peer = Peer(Silent())
    world.hub.join("tasks", RECORDS, peer)
    world.deliver(commit(1))
    assert (peer.deliveries, sum(world.counts)) == ([], 0)


def test_an_encoding_that_fails_costs_only_its_own_group(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Lines):
        def frame(self, message: ServerMessage) -> bytes:
            if isinstance(message, Change) and message.change and message.change.version == 2:
                raise OverflowError("no such date")
            return super().frame(message)

    broken, healthy = Peer(Broken()), Peer()
    world.hub.join("tasks", RECORDS, broken)
    world.hub.join("tasks", RECORDS, healthy)
    with caplog.at_level(logging.ERROR, "rhtmx_server"):
        world.deliver(commit(1), commit(2), commit(3))
    assert healthy.versions == [1, 2, 3]
    assert (broken.versions, broken.falls) == ([1], [("tasks", 1)])
    assert "OverflowError" in caplog.text


def test_a_group_that_everyone_left_is_forgotten(world: World) -> None:
    peers = [Peer(), Peer(), Peer()]
    for peer in peers:
        world.hub.join("tasks", RECORDS, peer)
    world.hub.leave("tasks", RECORDS, peers[0])
    peers[1].outbox.behind = True
    world.deliver(commit(1))
    peers[2].outbox.behind = True
    world.deliver(commit(2))
    assert world.hub._groups == {}


def test_what_reaches_a_peer_is_what_the_encoding_made(world: World) -> None:
    peer = Peer(encoding := Lines())
    world.hub.join("tasks", RECORDS, peer)
    world.deliver(commit(1), commit(2))
    assert messages(peer.deliveries[0]) == encoding.encoded


def test_of_a_large_burst_a_slow_subscriber_gets_only_the_beginning(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rhtmx_server.delivery.hub.EARLY", 1)
    slow, quick = Peer(), Peer()

    def fill(frames: bytes) -> None:  # what is written stays in its buffer
        slow.deliveries.append(frames)
        slow.outbox.behind = True

    slow.outbox = Outbox(fill, Tick(at_once))
    world.hub.join("tasks", RECORDS, slow)
    world.hub.join("tasks", RECORDS, quick)
    world.deliver(*(commit(version) for version in range(1, 11)))
    assert quick.versions == list(range(1, 11))
    assert slow.versions == [1]
    assert slow.falls == [("tasks", 1)]


# Transactions.


def part(version: int, entity: str, name: str = "t1") -> Commit:
    one = commit(version, entity)
    one.transaction = name
    return one


def test_a_reader_is_told_once_when_it_has_all_of_a_transaction(world: World) -> None:
    both, one, other = Peer(), Peer(), Peer()
    for entity in ("tasks", "users"):
        world.hub.join(entity, RECORDS, both)
    world.hub.join("tasks", RECORDS, one)
    world.hub.join("notes", RECORDS, other)
    world.deliver(part(1, "tasks"), commit(1, "notes"), part(1, "users"), commit(2, "users"))
    names = [getattr(getattr(each, "change", each), "transaction", None) for each in both.got]
    assert names == ["t1", "t1", None, "t1"]
    assert isinstance(both.got[-1], TransactionComplete)
    assert [type(each) for each in one.got] == [Change, TransactionComplete]
    assert [type(each) for each in other.got] == [Change]


def test_a_client_of_the_seed_is_not_told_of_transactions(world: World) -> None:
    peer = Peer()
    peer.takes_ephemeral = False
    world.hub.join("tasks", RECORDS, peer)
    world.deliver(part(1, "tasks"))
    assert [type(each) for each in peer.got] == [Change]


def test_who_is_behind_gets_nothing_of_a_transaction_rather_than_a_half(world: World) -> None:
    slow, quick = Peer(), Peer()
    for entity in ("tasks", "users"):
        world.hub.join(entity, RECORDS, slow)
        world.hub.join(entity, RECORDS, quick)
    world.deliver(commit(1, "tasks"), commit(1, "users"))
    slow.outbox.behind = True
    world.deliver(part(2, "tasks"), part(2, "users"))
    assert slow.falls == [("tasks", 1), ("users", 1)]
    assert slow.versions == [1, 1]
    assert len(quick.got) == 5


LOG = "$conflicts/tasks"


def opened(
    version: int, entity_id: str = "1", *, parts: tuple[str, str] = ("", ""), transaction: str = ""
) -> Commit:
    """A commit of a conflict log, in the part of before and that of now."""
    one = commit(version, LOG, entity_id)
    one.before, one.after = (frozenset({part} if part else ()) for part in parts)
    one.transaction = transaction
    return one


def test_of_commits_of_a_conflict_log_in_one_step_only_the_last_of_each_record_is_told(
    world: World,
) -> None:
    peer = Peer()
    world.hub.join(LOG, RECORDS, peer)
    world.deliver(opened(1), opened(2), opened(3, "2"), opened(4), opened(5, "2"))
    assert peer.versions == [4, 5]
    world.deliver(opened(6))
    assert peer.versions == [4, 5, 6]
    assert world.hub.position(LOG) == 6


def test_a_step_of_a_conflict_log_ends_with_its_transaction(world: World) -> None:
    peer = Peer()
    peer.takes_ephemeral = False  # nor the end of a transaction
    world.hub.join(LOG, RECORDS, peer)
    world.deliver(opened(1, transaction="t"), opened(2, transaction="t"), opened(3), opened(4))
    assert peer.versions == [2, 4]


def test_who_no_later_commit_of_a_conflict_log_concerns_is_told_of_the_last_that_does(
    world: World,
) -> None:
    red, blue = Peer(), Peer()
    world.hub.join(LOG, RECORDS, red, frozenset({"red"}))
    world.hub.join(LOG, RECORDS, blue, frozenset({"blue"}))
    world.deliver(
        opened(1, parts=("", "red")),
        opened(2, parts=("red", "red")),
        opened(3, parts=("red", "blue")),
        opened(4, parts=("blue", "blue")),
    )
    assert (red.versions, blue.versions) == ([3], [3, 4])


# What one group alone gets in a turn is written at once, where nothing waits.


class Direct(Peer):
    """A subscriber whose socket takes what is written past its transport; or a part, or nothing."""

    def __init__(self, number: int, takes: int = 1_000_000) -> None:
        super().__init__(SHARED)
        self.takes = takes
        self.outbox = Outbox(self.deliver, Tick(at_once))
        self.outbox.direct = number
        self.handed_over: list[bytes] = []

    def deliver(self, data: bytes) -> None:
        """What goes by its transport; it is behind from then on."""
        self.handed_over.append(data)
        self.deliveries.append(data)
        self.outbox.behind = True


SHARED = Lines()


class Sockets:
    """A hub, and sockets that it may write to."""

    def __init__(self, *peers: Direct) -> None:
        self.soon, self.peers, self.writes = Soon(), peers, 0
        self.tick = Tick(self.soon)
        self.hub = Hub(self.tick, send_each=self.send_each)

    def send_each(self, descriptors: Sequence[int], data: bytes) -> list[tuple[int, int]]:
        self.writes += 1
        short = []
        for place, number in enumerate(descriptors):
            peer = self.peers[number]
            taken = data[: peer.takes]
            if taken:
                peer.deliveries.append(taken)
            if taken != data:
                short.append((place, len(taken)))
        return short


def test_what_one_group_gets_alone_is_written_to_all_of_it_at_once() -> None:
    world = Sockets(Direct(0), Direct(1))
    for peer in world.peers:
        world.hub.join("tasks", RECORDS, peer)
    world.hub.deliver([commit(1), commit(2)])
    world.soon.turn()
    assert world.writes == 1
    assert [peer.versions for peer in world.peers] == [[1, 2], [1, 2]]
    assert [peer.handed_over for peer in world.peers] == [[], []]


def test_what_several_groups_get_is_one_write_for_each_connection() -> None:
    world = Sockets(Direct(0))
    (peer,) = world.peers
    peer.outbox = Outbox(peer.deliver, world.tick)
    for entity in ("tasks", "users"):
        world.hub.join(entity, RECORDS, peer)
        world.hub.deliver([commit(1, entity)])
    world.soon.turn()
    assert (world.writes, len(peer.deliveries)) == (0, 1)


def test_who_takes_a_part_has_all_of_it_and_is_behind_for_what_comes_next() -> None:
    world = Sockets(Direct(0), Direct(1, takes=5), Direct(2, takes=0))
    for peer in world.peers:
        world.hub.join("tasks", RECORDS, peer)
    world.hub.deliver([commit(1)])
    world.soon.turn()
    assert [peer.versions for peer in world.peers] == [[1], [1], [1]]
    assert [peer.falls for peer in world.peers] == [[], [], []]
    world.hub.deliver([commit(2)])
    world.soon.turn()
    assert [peer.versions for peer in world.peers] == [[1, 2], [1], [1]]
    assert [peer.falls for peer in world.peers] == [[], [("tasks", 1)], [("tasks", 1)]]
