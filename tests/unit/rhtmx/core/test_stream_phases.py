"""Facts about one stream of `rhtmx.core.stream`: its phases."""

from __future__ import annotations

import pytest

from rhtmx.core.cursor import Cursor
from rhtmx.core.events import Stopped, WasReset
from rhtmx.core.granularity import Granularity
from rhtmx.core.stream import Stream, StreamPhase
from rhtmx.errors import ErrorCode, RhtmxError
from tests.unit.rhtmx.wire_side import WireSide, at, complete, part, record


@pytest.fixture
def wire() -> WireSide:
    return WireSide()


@pytest.fixture
def stream(wire: WireSide) -> Stream:
    return Stream("tasks", Granularity.RECORDS, wire.outgoing)


def live(stream: Stream, wire: WireSide, version: int) -> Cursor:
    """A reader that has caught up."""
    cursor = Cursor(at(0))
    stream.add(cursor)
    wire.pong()
    stream.complete(complete(version))
    wire.said()
    wire.news(cursor)
    return cursor


def test_without_since_it_starts_at_the_next_change(stream: Stream, wire: WireSide) -> None:
    cursor = Cursor()
    stream.add(cursor)
    assert wire.said() == ["Subscribe"]
    stream.receive(record(8))
    assert wire.news(cursor) == [8]
    assert cursor.position == at(8)


def test_a_server_that_tells_the_head_gives_the_position_at_once(
    stream: Stream, wire: WireSide
) -> None:
    cursor = Cursor()
    stream.add(cursor)
    stream.complete(complete(7))
    assert cursor.position == at(7)


def test_a_reader_is_told_when_the_server_has_taken_the_subscription(
    stream: Stream, wire: WireSide
) -> None:
    first, second = Cursor(), Cursor()
    stream.add(first)
    stream.add(second)
    assert wire.news(first) == wire.news(second) == []
    wire.pong()
    assert wire.news(first) == wire.news(second) == ["Started"]
    third = Cursor()
    stream.add(third)
    assert wire.news(third) == ["Started"]


def test_since_zero_reads_everything_and_then_goes_live(stream: Stream, wire: WireSide) -> None:
    cursor = Cursor(at(0, ""))
    stream.add(cursor)
    assert wire.said() == [at(0)]
    for version in (2, 5):
        stream.receive(record(version))
    stream.complete(complete(5))
    stream.receive(record(6))
    assert wire.news(cursor) == [2, 5, "Synced", 6]


def test_after_a_loss_it_resumes_where_it_was(stream: Stream, wire: WireSide) -> None:
    live(stream, wire, 5)
    stream.receive(record(6))
    stream.lost()
    stream.settle()
    assert wire.said() == [at(6)]


def test_without_a_connection_nothing_is_sent(wire: WireSide) -> None:
    wire.outgoing.epoch = None
    stream = Stream("tasks", Granularity.RECORDS, wire.outgoing)
    stream.add(Cursor())
    assert wire.said() == []


def test_a_reader_that_waits_and_may_have_missed_the_next_change_is_reset(
    stream: Stream, wire: WireSide
) -> None:
    cursor = Cursor()
    stream.add(cursor)
    stream.lost()
    wire.news(cursor)
    wire.said()
    stream.settle()
    assert wire.news(cursor) == ["WasReset"]
    assert wire.said() == [at(0)]


def test_another_epoch_is_a_reset_before_anything_is_read(stream: Stream, wire: WireSide) -> None:
    cursor = Cursor(at(9, "old"))
    stream.add(cursor)
    assert wire.said() == [at(0)]
    reset = wire.told[0]
    assert isinstance(reset, WasReset)
    assert reset.reset.position == at(9, "old")
    stream.receive(record(3))
    assert wire.news(cursor) == ["WasReset", 3]


def test_a_version_that_was_there_before_since_tells_a_snapshot(
    stream: Stream, wire: WireSide
) -> None:
    cursor = Cursor(at(9))
    stream.add(cursor)
    stream.receive(record(3))
    stream.receive(record(12))
    stream.complete(complete(12, reset=True))
    assert wire.news(cursor) == ["WasReset", 3, 12, "Synced"]
    assert stream.phase is StreamPhase.LIVE


def test_a_snapshot_that_tells_itself_only_at_its_end_is_read_again_as_one(
    stream: Stream, wire: WireSide
) -> None:
    cursor = Cursor(at(9))
    stream.add(cursor)
    wire.pong()
    stream.receive(record(12))
    stream.complete(complete(12, reset=True))
    assert wire.news(cursor) == ["Started", 12, "WasReset"]
    wire.pong()
    assert wire.said() == [at(9), "Unsubscribe", at(0)]
    stream.receive(record(12))
    assert wire.news(cursor) == [12]


def test_a_cut_before_that_end_does_not_hide_the_reset(stream: Stream, wire: WireSide) -> None:
    stream.add(Cursor(at(9)))
    stream.receive(record(12))
    stream.lost()
    wire.said()
    stream.settle()
    assert wire.said() == [at(9)]


def test_a_log_that_ends_before_what_was_read_is_a_reset(stream: Stream, wire: WireSide) -> None:
    far, behind = Cursor(at(40)), Cursor(at(5))
    stream.add(far)
    stream.lost()
    stream.add(behind)
    stream.complete(complete(20))
    assert wire.news(far) == ["WasReset"]
    assert wire.news(behind) == ["WasReset"]


def test_going_back_while_catching_up_is_an_error(stream: Stream, wire: WireSide) -> None:
    stream.add(Cursor(at(5)))
    stream.receive(record(9))
    with pytest.raises(RhtmxError, match="version 8 came after version 9") as caught:
        stream.receive(record(8))
    assert caught.value.code is ErrorCode.BAD_MESSAGE


def test_a_second_reader_at_the_head_joins_without_a_word(stream: Stream, wire: WireSide) -> None:
    live(stream, wire, 5)
    second = Cursor()
    stream.add(second)
    assert wire.said() == []
    assert second.position == at(5)
    stream.receive(record(6))
    assert wire.news(second) == ["Started", 6]


def test_a_second_reader_from_elsewhere_rewinds_and_the_first_skips_what_it_has(
    stream: Stream, wire: WireSide
) -> None:
    first = live(stream, wire, 5)
    second = Cursor(at(2))
    stream.add(second)
    assert wire.said() == ["Unsubscribe"]
    stream.receive(record(6))
    wire.pong()
    assert wire.said() == [at(2)]
    for version in (3, 6):
        stream.receive(record(version))
    assert wire.news(first) == [6]
    assert wire.news(second) == [3, 6]


def test_a_reader_that_comes_while_another_catches_up_waits(stream: Stream, wire: WireSide) -> None:
    stream.add(Cursor(at(5)))
    wire.pong()
    late, head = Cursor(at(1)), Cursor()
    stream.add(late)
    stream.add(head)
    assert wire.said() == [at(5)]
    stream.complete(complete(7))
    assert head.position == at(7)
    wire.pong()
    assert wire.said() == ["Unsubscribe", at(1)]


def test_a_position_is_checked_before_a_first_load_may_hide_it(
    stream: Stream, wire: WireSide
) -> None:
    wire.outgoing.epoch = None
    stream.add(Cursor(at(0)))
    stream.add(Cursor(at(5)))
    wire.outgoing.epoch = "e"
    stream.settle()
    assert wire.said() == [at(5)]
    wire.pong()
    stream.complete(complete(7))
    wire.pong()
    assert wire.said() == ["Unsubscribe", at(0)]


def test_the_last_reader_ends_the_subscription(stream: Stream, wire: WireSide) -> None:
    first, second = live(stream, wire, 5), Cursor()
    stream.add(second)
    stream.remove(first)
    assert wire.said() == []
    stream.remove(second)
    assert wire.said() == ["Unsubscribe"]
    wire.pong()
    assert stream.phase is StreamPhase.IDLE


def test_what_is_under_way_after_the_end_is_dropped(stream: Stream, wire: WireSide) -> None:
    cursor = live(stream, wire, 5)
    stream.remove(cursor)
    stream.receive(record(6))
    stream.complete(complete(6))
    assert wire.told == []


def test_a_catch_up_that_nobody_wants_any_more_ends_before_anything_else(
    stream: Stream, wire: WireSide
) -> None:
    cursor = Cursor(at(0))
    stream.add(cursor)
    wire.pong()
    stream.remove(cursor)
    stream.add(Cursor(at(3)))
    assert wire.said() == [at(0)]
    stream.complete(complete(9))
    wire.pong()
    assert wire.said() == ["Unsubscribe", at(3)]


def test_a_paused_reader_gets_nothing_and_goes_on_where_it_was(
    stream: Stream, wire: WireSide
) -> None:
    slow, quick = live(stream, wire, 5), Cursor()
    stream.add(quick)
    stream.pause(slow)
    stream.receive(record(6))
    assert wire.news(slow) == []
    assert wire.news(quick) == ["Started", 6]
    stream.resume(slow)
    wire.pong()
    assert wire.said() == ["Unsubscribe", at(5)]
    stream.receive(record(6))
    assert wire.news(slow) == [6]
    assert wire.news(quick) == []


def test_when_all_are_paused_the_server_sends_nothing(stream: Stream, wire: WireSide) -> None:
    cursor = live(stream, wire, 5)
    stream.pause(cursor)
    wire.pong()
    assert wire.said() == ["Unsubscribe"]
    stream.resume(cursor)
    assert wire.said() == [at(5)]


def test_a_refusal_stops_those_it_concerns(stream: Stream, wire: WireSide) -> None:
    cursor = Cursor()
    stream.add(cursor)
    refused = wire.fences[0].refused
    assert refused is not None
    refused(RhtmxError(ErrorCode.UNKNOWN_ENTITY, "no entity 'tasks'"))
    assert isinstance(wire.told[0], Stopped)
    assert stream.cursors == []
    assert stream.phase is StreamPhase.IDLE


BUSY = RhtmxError(ErrorCode.RATE_LIMITED, "slower")


def refuse(wire: WireSide, error: RhtmxError = BUSY) -> None:
    """The server refuses what was said before the next fence."""
    wire.outgoing.held = True
    refused = wire.fences[0].refused
    assert refused is not None
    refused(error)
    wire.pong()


def release(stream: Stream, wire: WireSide) -> None:
    wire.outgoing.held = False
    stream.settle()


def test_what_a_busy_server_refuses_is_said_again_once_it_may(
    stream: Stream, wire: WireSide
) -> None:
    cursor = Cursor(at(3))
    stream.add(cursor)
    assert wire.said() == [at(3)]
    refuse(wire)
    assert (stream.phase, wire.said(), wire.news(cursor)) == (StreamPhase.IDLE, [], [])
    stream.settle()
    assert wire.said() == []
    release(stream, wire)
    assert wire.said() == [at(3)]
    wire.pong()
    assert wire.news(cursor) == ["Started"]
    stream.receive(record(4))
    assert wire.news(cursor) == [4]


def test_a_reader_that_waits_for_the_next_change_is_not_reset_by_a_busy_server(
    stream: Stream, wire: WireSide
) -> None:
    cursor = Cursor()
    stream.add(cursor)
    refuse(wire)
    release(stream, wire)
    assert wire.said() == ["Subscribe", "Subscribe"]
    assert wire.news(cursor) == []
    wire.pong()
    stream.complete(complete(7))
    assert wire.news(cursor) == ["Started", "Synced"]


def test_one_that_was_told_that_it_reads_is(stream: Stream, wire: WireSide) -> None:
    cursor = Cursor()
    stream.add(cursor)
    wire.pong()
    stream.lost()
    stream.settle()
    assert wire.news(cursor) == ["Started", "WasReset"]  # it may have missed something


def test_an_end_that_a_busy_server_did_not_hear_is_said_again(
    stream: Stream, wire: WireSide
) -> None:
    cursor = live(stream, wire, 3)
    stream.remove(cursor)
    assert wire.said() == ["Unsubscribe"]
    refuse(wire)
    assert stream.phase is StreamPhase.ENDING
    again = Cursor(at(3))
    stream.add(again)
    assert wire.said() == []
    release(stream, wire)
    assert wire.said() == ["Unsubscribe"]
    wire.pong()
    assert wire.said() == [at(3)]


def test_a_lost_connection_ends_what_was_not_heard(stream: Stream, wire: WireSide) -> None:
    stream.remove(live(stream, wire, 3))
    wire.said()
    refuse(wire)
    stream.lost()
    release(stream, wire)
    assert (stream.phase, wire.said()) == (StreamPhase.IDLE, [])


def test_fields_resume_before_a_commit_that_was_cut(wire: WireSide) -> None:
    stream = Stream("tasks", Granularity.FIELDS, wire.outgoing)
    cursor = Cursor()
    stream.add(cursor)
    stream.complete(complete(4))
    stream.receive(part(5, "a", more=True))
    stream.lost()
    wire.said()
    wire.news(cursor)
    stream.settle()
    assert wire.said() == [at(4)]
    stream.receive(part(5, "a", more=True))
    stream.receive(part(5, "b"))
    assert wire.news(cursor) == [5]
    assert cursor.position == at(4)


def test_a_reader_that_fell_behind_while_it_was_live_is_told_of_a_reset(
    stream: Stream, wire: WireSide
) -> None:
    """The snapshot of one that fell below the floor looks like changes, until its end."""
    cursor = live(stream, wire, 5)
    stream.receive(record(7))
    stream.complete(complete(9, reset=True))
    assert wire.news(cursor) == [7, "WasReset"]
    assert wire.said() == ["Unsubscribe"]
    wire.pong()
    assert wire.said() == [at(0)]
    stream.receive(record(7))
    stream.complete(complete(9))
    assert wire.news(cursor) == [7, "Synced"]


def test_a_change_of_before_shows_a_live_reader_that_a_snapshot_has_begun(
    stream: Stream, wire: WireSide
) -> None:
    cursor = live(stream, wire, 5)
    stream.receive(record(2))
    assert stream.phase is StreamPhase.CATCHING_UP
    stream.receive(record(9))
    stream.complete(complete(9, reset=True))
    assert wire.news(cursor) == ["WasReset", 2, 9, "Synced"]
    assert wire.said() == []
    assert cursor.position == at(9)


def test_a_reader_that_joined_at_the_head_is_told_of_a_reset_too(
    stream: Stream, wire: WireSide
) -> None:
    cursor = Cursor()
    stream.add(cursor)
    stream.complete(complete(5))
    wire.said()
    wire.news(cursor)
    stream.complete(complete(8, reset=True))
    assert wire.news(cursor) == ["WasReset"]
    wire.pong()
    wire.pong()
    assert wire.said() == ["Unsubscribe", at(0)]
