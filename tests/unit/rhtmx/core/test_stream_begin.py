"""Facts about `sync_begin` in `rhtmx.core.stream`: it tells what comes, before it does."""

from __future__ import annotations

import pytest

from rhtmx.core.cursor import Cursor
from rhtmx.core.granularity import Granularity
from rhtmx.core.stream import Stream
from rhtmx.core.streams import Streams
from rhtmx.core.where import Where, where_of
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Position, SyncBegin, SyncComplete
from rhtmx.values.progress import Progress
from tests.unit.rhtmx.wire_side import WireSide, part, record

SEVEN, EIGHT = (where_of({"c": each}, "tasks") for each in "78")


def at(version: int, scope: str | None = None, epoch: str = "e") -> Position:
    return Position(epoch=epoch, version=version, scope=scope)


def begin(
    scope: str | None, where: Where | None = None, *, reset: bool = False, epoch: str = "e"
) -> SyncBegin:
    text = None if where is None else where.text.encode()
    return SyncBegin("tasks", epoch, reset, fields=False, where=text, scope=scope)


def complete(version: int, scope: str | None, *, reset: bool = False) -> SyncComplete:
    return SyncComplete("tasks", version, "e", reset, scope=scope)


@pytest.fixture
def wire() -> WireSide:
    return WireSide()


@pytest.fixture
def stream(wire: WireSide) -> Stream:
    return Stream("tasks", Granularity.RECORDS, wire.outgoing)


def again(stream: Stream, wire: WireSide) -> list[object]:
    """The connection is lost, and another one is there; returns what is said."""
    stream.lost()
    wire.fences.clear()
    wire.said()
    stream.settle()
    return wire.said()


def test_a_first_load_that_is_cut_off_goes_on_in_its_scope(stream: Stream, wire: WireSide) -> None:
    cursor = Cursor(at(0))
    stream.add(cursor)
    stream.begin(begin("a"))
    assert cursor.position == at(0, "a")
    stream.receive(record(3))
    assert wire.news(cursor) == [3]
    assert again(stream, wire) == [at(3, "a")]
    stream.complete(complete(5, "a"))
    assert cursor.position == at(5, "a")


def test_a_reset_that_is_cut_off_goes_on_in_the_scope_that_it_began_in(
    stream: Stream, wire: WireSide
) -> None:
    cursor = Cursor(at(9, "a"))
    stream.add(cursor)
    stream.begin(begin("b", reset=True))
    stream.receive(record(2))
    assert wire.news(cursor) == ["WasReset", 2]
    assert again(stream, wire) == [at(2, "b")]


def test_rights_that_change_and_come_back_are_told_apart_from_those_that_stayed(
    stream: Stream, wire: WireSide
) -> None:
    """A, then B, cut off in the middle of B: what it has is of B, though A is what it may read."""
    cursor = Cursor(at(9, "a"))
    stream.add(cursor)
    stream.complete(complete(9, "a"))
    stream.begin(begin("b", reset=True))
    assert cursor.position == at(0, "b"), "before anything of it comes"
    stream.receive(record(2))
    assert again(stream, wire) == [at(2, "b")]
    stream.begin(begin("a", reset=True))
    assert cursor.position == at(0, "a")
    assert wire.news(cursor) == ["Synced", "WasReset", 2, "WasReset"]


def test_a_reset_of_which_it_knows_from_the_beginning_ends_without_another_one(
    stream: Stream, wire: WireSide
) -> None:
    cursor = Cursor(at(9, "a"))
    stream.add(cursor)
    stream.begin(begin("b", reset=True))
    stream.receive(record(12))  # nothing in it shows that it is a snapshot
    stream.complete(complete(12, "b", reset=True))
    assert wire.news(cursor) == ["WasReset", 12, "Synced"]
    assert wire.said() == [at(9, "a")]


def test_a_reset_while_live_may_begin_with_what_is_old(stream: Stream, wire: WireSide) -> None:
    cursor = Cursor(at(9))
    stream.add(cursor)
    stream.complete(complete(9, None))
    stream.begin(begin(None, reset=True))
    stream.receive(record(4))
    stream.receive(record(6))
    stream.complete(complete(9, None, reset=True))
    assert wire.news(cursor) == ["Synced", "WasReset", 4, 6, "Synced"]


def test_a_second_reset_in_the_middle_of_one_begins_anew(stream: Stream, wire: WireSide) -> None:
    cursor = Cursor(at(0))
    stream.add(cursor)
    stream.begin(begin("a"))
    stream.receive(record(7))
    stream.begin(begin("b", reset=True))
    stream.receive(record(2))  # no error: it is not out of order
    assert wire.news(cursor) == [7, "WasReset", 2]
    assert cursor.position == at(2, "b")


def test_a_reset_says_of_which_epoch_it_is(stream: Stream) -> None:
    cursor = Cursor(at(9, epoch="e"))
    stream.add(cursor)
    stream.begin(begin("b", reset=True, epoch="f"))
    assert cursor.position == at(0, "b", "f")


@pytest.mark.parametrize(("scope", "far_news"), [("a", []), ("b", ["WasReset"])])
def test_a_reader_further_on_goes_back_if_it_is_brought_in_by_other_rights(
    stream: Stream, wire: WireSide, scope: str, far_news: list[str]
) -> None:
    far, new = Cursor(at(9, "a")), Cursor(at(0))
    stream.add(far)
    stream.complete(complete(9, "a"))
    stream.add(new)
    while wire.fences:
        wire.pong()
    wire.told.clear()
    stream.begin(begin(scope))
    assert wire.news(far) == far_news
    assert far.position == (at(0, "b") if far_news else at(9, "a"))
    assert new.position == at(0, scope)


def test_a_collection_reads_anew_though_nothing_of_its_own_has_come(
    stream: Stream, wire: WireSide
) -> None:
    """Another part may have brought what has gone by now."""
    cursor = Cursor(at(0), tolerant=True)
    stream.add(cursor)
    wire.told.clear()
    stream.begin(begin("a"))
    assert wire.news(cursor) == ["WasReset"]
    assert cursor.position == at(0, "a")


def test_a_commit_that_was_cut_in_the_middle_does_not_count() -> None:
    cursor = Cursor(at(0))
    cursor.begin(holding=False)
    assert cursor.accept(part(4, "x", more=True), "e")
    cursor.restart("e", "b")
    assert cursor.accept(part(4, "x", more=True), "e"), "it comes again"


def test_what_is_paused_is_not_concerned(stream: Stream, wire: WireSide) -> None:
    paused, other = Cursor(at(9, "a")), Cursor(at(9, "a"))
    for cursor in (paused, other):
        stream.add(cursor)
    stream.complete(complete(9, "a"))
    stream.pause(paused)
    wire.told.clear()
    stream.begin(begin("b", reset=True))
    assert wire.news(paused) == []
    assert paused.position == at(9, "a")


def test_what_is_being_ended_is_not_concerned(stream: Stream, wire: WireSide) -> None:
    cursor = Cursor(at(9, "a"))
    stream.add(cursor)
    stream.complete(complete(9, "a"))
    stream.remove(cursor)
    wire.told.clear()
    stream.begin(begin("b", reset=True))
    assert wire.told == []


def test_of_several_parts_the_one_that_is_named_begins(wire: WireSide) -> None:
    streams = Streams(wire.outgoing)
    seven, eight = (Cursor(at(0), where=each, tolerant=True) for each in (SEVEN, EIGHT))
    for cursor in (seven, eight):
        streams.add("tasks", Granularity.RECORDS, cursor)
    streams.begin(begin("s8", EIGHT))
    assert (seven.position, eight.position) == (at(0), at(0, "s8"))
    other = begin("f", SEVEN)
    other.fields = True
    streams.begin(other)  # of what nobody reads like that
    assert seven.position == at(0)


@pytest.mark.parametrize("how", ["pong", "lost", "refused"])
def test_who_left_is_told_when_nothing_of_it_comes_any_more(wire: WireSide, how: str) -> None:
    streams = Streams(wire.outgoing)
    cursor = Cursor(at(0), where=SEVEN, tolerant=True)
    streams.add("tasks", Granularity.RECORDS, cursor)
    fence = wire.fences[0]
    assert SEVEN is not None
    if how == "pong":
        wire.pong()
        streams.complete(
            Granularity.RECORDS, SyncComplete("tasks", 1, "e", where=SEVEN.text.encode())
        )
    streams.remove(cursor)
    wire.told.clear()
    assert cursor.leaving
    if how == "pong":
        wire.pong()
    elif how == "lost":
        streams.lost()
    else:
        assert fence.refused is not None
        fence.refused(RhtmxError(ErrorCode.FORBIDDEN, "no"))
    assert wire.news(cursor) == ["Ended"]
    assert not cursor.leaving


def test_who_was_never_on_the_wire_has_left_at_once(wire: WireSide) -> None:
    wire.outgoing.epoch = None
    streams = Streams(wire.outgoing)
    cursor = Cursor(at(0), where=SEVEN, tolerant=True)
    streams.add("tasks", Granularity.RECORDS, cursor)
    streams.remove(cursor)
    assert not cursor.leaving


@pytest.mark.parametrize(("level", "waits"), [(Granularity.FIELDS, 1), (Granularity.RECORDS, 0)])
def test_field_by_field_a_part_begins_once_what_nobody_reads_has_left_the_wire(
    wire: WireSide, level: Granularity, waits: int
) -> None:
    streams = Streams(wire.outgoing)
    seven, eight = (Cursor(at(0), where=each, tolerant=True) for each in (SEVEN, EIGHT))
    streams.add("tasks", level, seven)
    wire.pong()
    streams.remove(seven)
    streams.add("tasks", level, eight)
    assert len(wire.said()) == 2 - waits
    assert SEVEN is not None
    end = SyncComplete("tasks", 1, "e", where=SEVEN.text.encode())
    streams.complete(level, end)
    wire.said()
    wire.fences[-1].passed()
    assert len(wire.said()) == waits


# How far a long load is.


def long(head: int | None, where: Where | None = None) -> SyncBegin:
    message = begin(None, where)
    message.head = head
    return message


@pytest.mark.parametrize("tolerant", [True, False])
def test_a_long_load_is_as_far_as_the_version_that_has_come(
    stream: Stream, *, tolerant: bool
) -> None:
    cursor = Cursor(at(0), tolerant=tolerant)
    stream.add(cursor)
    assert cursor.progress is None
    stream.begin(long(300))
    assert cursor.progress == Progress(0, 300)
    stream.receive(record(30))
    assert cursor.progress == Progress(30, 300)
    stream.receive(record(301))
    assert cursor.progress == Progress(300, 300), "it was written meanwhile"
    stream.complete(complete(301, None))
    assert cursor.progress is None


def test_of_a_short_load_or_an_older_server_nothing_is_known(stream: Stream) -> None:
    cursor = Cursor(at(0))
    stream.add(cursor)
    stream.begin(long(None))
    stream.receive(record(30))
    assert cursor.progress is None


def test_without_a_connection_nothing_is_under_way(stream: Stream) -> None:
    cursor = Cursor(at(0))
    stream.add(cursor)
    stream.begin(long(300))
    stream.lost()
    assert cursor.progress is None


def test_while_several_parts_are_read_it_is_not_known_whose_a_change_is(wire: WireSide) -> None:
    streams = Streams(wire.outgoing)
    seven, eight = (Cursor(at(0), where=each, tolerant=True) for each in (SEVEN, EIGHT))
    for cursor in (seven, eight):
        streams.add("tasks", Granularity.RECORDS, cursor)
    streams.begin(long(300, SEVEN))
    assert seven.progress is None
