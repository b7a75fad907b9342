"""Facts about `rhtmx.core.streams`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rhtmx.core.cursor import Cursor
from rhtmx.core.granularity import Granularity
from rhtmx.core.streams import Streams
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import ChangeLog, Subscribe, SubscribeFields
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
    assert len(streams._streams) == 2
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
