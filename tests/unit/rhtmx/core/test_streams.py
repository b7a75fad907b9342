"""Facts about `rhtmx.core.streams`."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from rhtmx.core.cursor import Cursor
from rhtmx.core.granularity import Granularity
from rhtmx.core.streams import Streams
from rhtmx.core.where import Where, where_of
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import ChangeLog, Position, Subscribe, SubscribeFields, SyncComplete
from tests.unit.rhtmx.wire_side import WireSide, at, complete, record


@pytest.fixture
def wire() -> WireSide:
    return WireSide()


@pytest.fixture
def streams(wire: WireSide) -> Streams:
    return Streams(wire.outgoing)


def test_each_entity_has_a_stream_of_its_own(streams: Streams, wire: WireSide) -> None:
    tasks, users = Cursor(), Cursor()
    streams.add("tasks", Granularity.RECORDS, tasks)
    streams.add("users", Granularity.RECORDS, users)
    streams.receive(Granularity.RECORDS, ChangeLog("users", "1", version=3))
    assert wire.news(tasks) == []
    assert wire.news(users) == [3]


def test_changes_of_what_nobody_reads_are_dropped(streams: Streams, wire: WireSide) -> None:
    streams.receive(Granularity.RECORDS, record(1))
    streams.complete(Granularity.RECORDS, complete(1))
    streams.receive(Granularity.RECORDS, None)
    assert wire.told == []


@pytest.mark.parametrize(
    ("granularity", "word"), [(Granularity.RECORDS, "fields"), (Granularity.FIELDS, "whole")]
)
def test_an_entity_is_read_at_one_grain_at_a_time(
    streams: Streams, granularity: Granularity, word: str
) -> None:
    other = Granularity.FIELDS if granularity is Granularity.RECORDS else Granularity.RECORDS
    streams.add("tasks", other, Cursor())
    with pytest.raises(RhtmxError, match=word) as caught:
        streams.add("tasks", granularity, Cursor())
    assert caught.value.code is ErrorCode.NOT_SUPPORTED


@pytest.mark.parametrize("entity", ["a\0b", "\ud800", None, 5])
def test_a_name_that_no_server_reads_is_refused_and_others_are_read(
    streams: Streams, wire: WireSide, entity: Any
) -> None:
    with pytest.raises(RhtmxError, match=r"subscribe\.entities\[0\]: a "):
        streams.add(entity, Granularity.RECORDS, Cursor())
    streams.add("tasks", Granularity.RECORDS, Cursor(at(0)))
    assert wire.said() == [at(0)]


def test_the_other_grain_waits_until_the_first_has_left_the_wire(
    streams: Streams, wire: WireSide
) -> None:
    records = Cursor(at(0))
    streams.add("tasks", Granularity.RECORDS, records)
    wire.pong()
    streams.remove(records)
    streams.add("tasks", Granularity.FIELDS, Cursor())
    assert [type(each) for each in wire.sent] == [Subscribe]
    streams.complete(Granularity.RECORDS, complete(5))
    assert type(wire.sent[-1]) is SubscribeFields


def test_a_new_connection_starts_all_of_them(streams: Streams, wire: WireSide) -> None:
    for entity in ("tasks", "users"):
        streams.add(entity, Granularity.RECORDS, Cursor(at(0)))
    streams.lost()
    wire.sent.clear()
    streams.opened("e")
    assert [each.entities for each in wire.sent if isinstance(each, Subscribe)] == [
        ["tasks"],
        ["users"],
    ]


def test_unknown_readers_are_no_error(streams: Streams) -> None:
    streams.remove(Cursor())
    streams.pause(Cursor())
    streams.resume(Cursor())


def caught_up(streams: Streams, wire: WireSide, entity: str) -> None:
    """The server has sent what there is of an entity."""
    wire.pong()
    streams.complete(Granularity.RECORDS, replace(complete(1), entity=entity))


def subscribed(wire: WireSide) -> list[str]:
    """The entities that were subscribed to since the last call."""
    named = [each.entities[0] for each in wire.sent if isinstance(each, Subscribe)]
    wire.sent.clear()
    return named


def test_what_nobody_reads_any_more_is_forgotten(streams: Streams, wire: WireSide) -> None:
    for number in range(10):
        cursor = Cursor(at(0))
        streams.add(f"room{number}", Granularity.RECORDS, cursor)
        caught_up(streams, wire, f"room{number}")
        streams.remove(cursor)
        wire.pong()
    assert len(streams._families) == 1
    assert streams._owners == {}


def test_a_stream_that_is_still_ending_is_not_forgotten(streams: Streams, wire: WireSide) -> None:
    cursor = Cursor(at(0))
    streams.add("tasks", Granularity.RECORDS, cursor)
    caught_up(streams, wire, "tasks")
    streams.remove(cursor)
    streams.add("users", Granularity.RECORDS, Cursor(at(0)))
    streams.add("tasks", Granularity.RECORDS, Cursor(at(0)))
    assert subscribed(wire) == ["tasks", "users"]
    wire.pong()
    assert subscribed(wire) == ["tasks"]


def test_reads_that_end_wait_for_one_another_in_their_order(
    streams: Streams, wire: WireSide
) -> None:
    streams.opened("e", 2)
    streams.add("live", Granularity.RECORDS, Cursor(at(0)))
    reads = {name: Cursor(at(0), ends=True) for name in "abc"}
    for name, cursor in reads.items():
        streams.add(name, Granularity.RECORDS, cursor)
    assert subscribed(wire) == ["live", "a"]
    caught_up(streams, wire, "live")
    for name, then in (("a", ["b"]), ("b", ["c"]), ("c", [])):
        caught_up(streams, wire, name)
        streams.remove(reads[name])
        assert subscribed(wire) == then
        wire.pong()


def test_where_nothing_ends_by_itself_there_is_nothing_to_wait_for(
    streams: Streams, wire: WireSide
) -> None:
    streams.opened("e", 1)
    streams.add("live", Granularity.RECORDS, Cursor(at(0)))
    streams.add("a", Granularity.RECORDS, Cursor(at(0), ends=True))
    assert subscribed(wire) == ["live", "a"], "the server says why not"


def test_whoever_waits_for_a_read_that_goes_on_waits_no_longer(
    streams: Streams, wire: WireSide
) -> None:
    streams.opened("e", 1)
    streams.add("a", Granularity.RECORDS, Cursor(at(0), ends=True))
    streams.add("b", Granularity.RECORDS, Cursor(at(0), ends=True))
    assert subscribed(wire) == ["a"]
    streams.add("a", Granularity.RECORDS, Cursor(at(0)))
    assert subscribed(wire) == ["b"]


def test_whoever_waits_for_a_read_that_is_refused_takes_its_place(
    streams: Streams, wire: WireSide
) -> None:
    streams.opened("e", 1)
    for name in "ab":
        streams.add(name, Granularity.RECORDS, Cursor(at(0), ends=True))
    assert subscribed(wire) == ["a"]
    streams.refused("a", Granularity.RECORDS, RhtmxError(ErrorCode.UNKNOWN_ENTITY, "no 'a'"))
    assert subscribed(wire) == ["b"]


def test_what_waits_is_read_on_the_next_connection(streams: Streams, wire: WireSide) -> None:
    streams.opened("e", 1)
    for name in "ab":
        streams.add(name, Granularity.RECORDS, Cursor(at(0), ends=True))
    streams.lost()
    assert subscribed(wire) == ["a"]
    streams.opened("e", 2)
    assert subscribed(wire) == ["a", "b"]


def test_an_end_is_told_where_nobody_waits_for_it(wire: WireSide) -> None:
    ended: list[str] = []
    streams = Streams(wire.outgoing, lambda: ended.append("room"))
    streams.opened("e", 2)
    cursors = [Cursor(at(0)), Cursor(at(0))]
    for name, cursor in zip("ab", cursors, strict=True):
        streams.add(name, Granularity.RECORDS, cursor)
    streams.refused("a", Granularity.RECORDS, RhtmxError(ErrorCode.UNKNOWN_ENTITY, "no 'a'"))
    assert ended == [], "what was refused had taken no room"
    wire.pong()
    caught_up(streams, wire, "b")
    streams.remove(cursors[1])
    assert ended == ["room"]


def test_a_reader_that_pauses_keeps_its_room(wire: WireSide) -> None:
    ended: list[str] = []
    streams = Streams(wire.outgoing, lambda: ended.append("room"))
    streams.opened("e", 2)
    slow = Cursor(at(0))
    streams.add("slow", Granularity.RECORDS, slow)
    for name in "ab":
        streams.add(name, Granularity.RECORDS, Cursor(at(0), ends=True))
    assert subscribed(wire) == ["slow", "a"]
    caught_up(streams, wire, "slow")
    streams.pause(slow)
    wire.fences.pop(0)  # that of `a`, which reads on
    wire.pong()
    assert (subscribed(wire), ended) == ([], [])
    streams.resume(slow)
    assert subscribed(wire) == ["slow"]


def test_what_cannot_wait_comes_first_on_the_next_connection(
    streams: Streams, wire: WireSide
) -> None:
    streams.opened("e", 2)
    for name in "ab":
        streams.add(name, Granularity.RECORDS, Cursor(at(0), ends=True))
    streams.add("live", Granularity.RECORDS, Cursor(at(0)))
    streams.lost()
    wire.sent.clear()
    streams.opened("e", 2)
    assert subscribed(wire) == ["live", "a"]


SEVEN, EIGHT = (where_of({"c": each}, "tasks") for each in "78")


def part_of(where: Where | None, version: int = 0, scope: str | None = None) -> Cursor:
    """A replica's place in a part."""
    return Cursor(Position(epoch="e", version=version, scope=scope), where=where, tolerant=True)


def side_by_side(streams: Streams, wire: WireSide) -> tuple[Cursor, Cursor]:
    """Two parts; the first is live at 5, the second catches up."""
    seven, eight = part_of(SEVEN), part_of(EIGHT)
    for cursor in (seven, eight):
        streams.add("tasks", Granularity.RECORDS, cursor)
        wire.pong()
    streams.complete(Granularity.RECORDS, completed(5, SEVEN))
    wire.told.clear()
    return seven, eight


def completed(version: int, where: Where | None, *, reset: bool = False) -> SyncComplete:
    assert where is not None
    # As another server may spell it: what it says is compared, not how.
    spelt = json.dumps(json.loads(where.text), indent=1).encode()
    return SyncComplete("tasks", version, "e", reset, where=spelt, scope=f"s{where.text}")


def test_each_part_is_subscribed_to_and_ended_by_its_where(
    streams: Streams, wire: WireSide
) -> None:
    seven, _ = side_by_side(streams, wire)
    streams.remove(seven)
    said = [(type(each).__name__, getattr(each, "where", None)) for each in wire.sent]
    assert said == [
        ("Subscribe", b'{"tasks":{"c":"7"}}'),
        ("Subscribe", b'{"tasks":{"c":"8"}}'),
        ("Unsubscribe", b'{"tasks":{"c":"7"}}'),
    ]


def test_a_part_is_resumed_with_the_scope_of_its_position(streams: Streams, wire: WireSide) -> None:
    streams.add("tasks", Granularity.RECORDS, part_of(SEVEN, 4, "s7"))
    assert wire.said() == [Position(epoch="e", version=4, scope="s7")]


def test_while_one_part_catches_up_a_change_moves_no_position(
    streams: Streams, wire: WireSide
) -> None:
    seven, eight = side_by_side(streams, wire)
    streams.receive(Granularity.RECORDS, record(7))
    streams.receive(Granularity.RECORDS, record(2))  # the past of the other one
    assert (seven.position, eight.position) == (
        Position(epoch="e", version=5, scope=f"s{SEVEN and SEVEN.text}"),
        at(0),
    )
    assert [getattr(each, "position", 0) for each in wire.told] == [None, None]


def test_the_end_of_one_part_moves_those_that_are_live(streams: Streams, wire: WireSide) -> None:
    seven, eight = side_by_side(streams, wire)
    streams.complete(Granularity.RECORDS, completed(9, EIGHT))
    assert [each.position and each.position.version for each in (seven, eight)] == [9, 9]
    assert wire.news(seven) == wire.news(eight) == ["Synced"]
    streams.receive(Granularity.RECORDS, record(11))
    assert [each.position and each.position.version for each in (seven, eight)] == [11, 11]
    assert len({each.position.scope for each in (seven, eight) if each.position}) == 2


def test_while_one_part_ends_nothing_moves_the_others(streams: Streams, wire: WireSide) -> None:
    seven, eight = side_by_side(streams, wire)
    streams.complete(Granularity.RECORDS, completed(5, EIGHT))
    streams.remove(eight)
    streams.receive(Granularity.RECORDS, record(7))
    streams.complete(Granularity.RECORDS, completed(9, EIGHT))  # that was due
    assert seven.position is not None
    assert seven.position.version == 5
    wire.pong()
    streams.receive(Granularity.RECORDS, record(10))
    assert seven.position.version == 10


def test_a_part_whose_snapshot_shows_at_its_end_is_read_again_beside_others(
    streams: Streams, wire: WireSide
) -> None:
    seven, _ = side_by_side(streams, wire)
    wire.sent.clear()
    streams.complete(Granularity.RECORDS, completed(6, SEVEN, reset=True))
    assert wire.news(seven) == ["WasReset"]
    wire.pong()
    assert wire.said() == ["Unsubscribe", at(0)]


def test_readers_in_order_wait_until_another_part_has_left_the_wire(
    streams: Streams, wire: WireSide
) -> None:
    seven, eight = side_by_side(streams, wire)
    with pytest.raises(RhtmxError, match="being read where"):
        streams.add("tasks", Granularity.RECORDS, Cursor(at(0), where=EIGHT))
    streams.complete(Granularity.RECORDS, completed(5, EIGHT))
    streams.remove(seven)
    streams.remove(eight)
    wire.said()
    streams.add("tasks", Granularity.RECORDS, Cursor(at(0), where=SEVEN))
    streams.add("tasks", Granularity.RECORDS, part_of(SEVEN))
    assert wire.said() == []
    wire.pong()
    assert wire.said() == []
    wire.pong()
    assert wire.said() == [at(0)]


def test_a_part_whose_subscription_is_too_large_is_refused_by_its_where(
    streams: Streams, wire: WireSide
) -> None:
    seven, eight = side_by_side(streams, wire)
    error = RhtmxError(ErrorCode.TOO_LARGE, "too large")
    streams.refused("tasks", Granularity.RECORDS, error, b'{"tasks":{"c":"8"}}')
    assert (wire.news(seven), wire.news(eight)) == ([], ["Stopped"])


def test_positions_of_different_scopes_are_not_resumed_together(
    streams: Streams, wire: WireSide
) -> None:
    for version, scope in ((4, "old"), (9, "new")):
        position = Position(epoch="e", version=version, scope=scope)
        streams.add("tasks", Granularity.RECORDS, Cursor(position, where=SEVEN))
    assert wire.said() == [Position(epoch="e", version=4, scope="old")]
    wire.pong()
    streams.complete(Granularity.RECORDS, completed(12, SEVEN))
    wire.pong()
    assert wire.said() == ["Unsubscribe", Position(epoch="e", version=9, scope="new")]
