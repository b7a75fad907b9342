"""Facts about `rhtmx.streams`."""

from __future__ import annotations

import pytest

from rhtmx.cursor import Cursor
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.grain import Grain
from rhtmx.messages import ChangeLog, Subscribe, SubscribeFields
from rhtmx.streams import Streams
from tests.unit.rhtmx.wire_side import WireSide, at, complete, record


@pytest.fixture
def wire() -> WireSide:
    return WireSide()


@pytest.fixture
def streams(wire: WireSide) -> Streams:
    return Streams(wire.outlet)


def test_each_entity_has_a_stream_of_its_own(streams: Streams, wire: WireSide) -> None:
    tasks, users = Cursor(), Cursor()
    streams.add("tasks", Grain.RECORDS, tasks)
    streams.add("users", Grain.RECORDS, users)
    streams.receive(Grain.RECORDS, ChangeLog("users", "1", version=3))
    assert wire.news(tasks) == []
    assert wire.news(users) == [3]


def test_changes_of_what_nobody_reads_are_dropped(streams: Streams, wire: WireSide) -> None:
    streams.receive(Grain.RECORDS, record(1))
    streams.complete(Grain.RECORDS, complete(1))
    streams.receive(Grain.RECORDS, None)
    assert wire.told == []


@pytest.mark.parametrize(("grain", "word"), [(Grain.RECORDS, "fields"), (Grain.FIELDS, "whole")])
def test_an_entity_is_read_at_one_grain_at_a_time(
    streams: Streams, grain: Grain, word: str
) -> None:
    other = Grain.FIELDS if grain is Grain.RECORDS else Grain.RECORDS
    streams.add("tasks", other, Cursor())
    with pytest.raises(RhtmxError, match=word) as caught:
        streams.add("tasks", grain, Cursor())
    assert caught.value.code is ErrorCode.NOT_SUPPORTED


def test_the_other_grain_waits_until_the_first_has_left_the_wire(
    streams: Streams, wire: WireSide
) -> None:
    records = Cursor(at(0))
    streams.add("tasks", Grain.RECORDS, records)
    wire.pong()
    streams.remove(records)
    streams.add("tasks", Grain.FIELDS, Cursor())
    assert [type(each) for each in wire.sent] == [Subscribe]
    streams.complete(Grain.RECORDS, complete(5))
    assert type(wire.sent[-1]) is SubscribeFields


def test_a_new_connection_starts_all_of_them(streams: Streams, wire: WireSide) -> None:
    for entity in ("tasks", "users"):
        streams.add(entity, Grain.RECORDS, Cursor(at(0)))
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
