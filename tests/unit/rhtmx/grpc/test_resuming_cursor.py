"""Facts about `rhtmx.grpc.resuming_cursor`."""

from __future__ import annotations

import pytest

from rhtmx.core.events import Delivered, Synced, WasReset
from rhtmx.errors import RhtmxError
from rhtmx.grpc.resuming_cursor import News, ResumingCursor
from rhtmx.messages import Position, SyncBegin, SyncComplete
from tests.unit.rhtmx.grpc.fake import field, record


def at(version: int, epoch: str = "e1") -> Position:
    return Position(epoch=epoch, version=version)


def said(news: list[News]) -> list[object]:
    """News in short: a version, where it has caught up, or from where all comes anew."""
    return [
        each.log.version
        if isinstance(each, Delivered)
        else ("synced", each.position.version)
        if isinstance(each, Synced)
        else ("reset", each.reset.position)
        for each in news
    ]


def complete(version: int, epoch: str = "e1", *, reset: bool = False) -> SyncComplete:
    return SyncComplete("tasks", version, epoch, reset)


def test_at_the_head_the_position_is_known_once_the_server_says_it() -> None:
    place = ResumingCursor("tasks", None)
    assert place.begin() == []
    assert place.position is None
    assert said(place.complete(complete(4))) == [("synced", 4)]
    assert said(place.change(record(5))) == [5]
    assert place.position == at(5)


def test_while_catching_up_the_position_stays() -> None:
    place = ResumingCursor("tasks", at(4))
    place.begin()
    assert said(place.change(record(6))) == [6]
    assert place.position == at(4)
    place.complete(complete(9))
    assert place.position == at(9)


def test_what_was_delivered_is_not_delivered_again() -> None:
    place = ResumingCursor("tasks", at(4))
    place.begin()
    place.change(record(6))
    assert place.begin() == []
    assert said(place.change(record(6)) + place.change(record(7))) == [7]


def test_a_version_is_complete_after_its_last_field() -> None:
    place = ResumingCursor("tasks", None)
    place.begin()
    place.complete(complete(4))
    place.change(field(5, "a", more=True))
    assert place.position == at(4)
    place.change(field(5, "b"))
    assert place.position == at(5)


def test_a_first_load_can_be_resumed_once_its_epoch_is_known() -> None:
    place = ResumingCursor("tasks", Position(epoch="", version=0))
    place.begin()
    assert place.unknown
    place.learned("e1")
    assert not place.unknown
    place.change(record(3))
    assert place.position == at(3)


def test_one_of_an_unknown_epoch_cannot() -> None:
    place = ResumingCursor("tasks", Position(epoch="", version=0))
    place.begin()
    place.change(record(3))
    assert place.unknown
    [news] = place.begin()
    assert isinstance(news, WasReset)
    assert said(place.change(record(3))) == [3]


def test_a_head_that_was_lost_before_it_was_known_is_a_reset() -> None:
    place = ResumingCursor("tasks", None)
    place.begin()
    place.change(record(7))
    assert said(place.begin()) == [("reset", None)]


def test_one_that_was_never_taken_starts_at_the_head_again() -> None:
    place = ResumingCursor("tasks", None)
    place.begin()
    assert place.begin() == []
    assert place.position is None


def test_what_was_before_the_position_comes_only_after_a_reset() -> None:
    place = ResumingCursor("tasks", at(5))
    place.begin()
    assert said(place.change(record(2))) == [("reset", at(5)), 2]
    assert said(place.complete(complete(9, "e2", reset=True))) == [("synced", 9)]
    assert not place.stale
    assert place.position == at(9, "e2")


def test_a_reset_that_shows_at_the_end_has_all_read_again() -> None:
    place = ResumingCursor("tasks", at(5))
    place.begin()
    place.change(record(8))
    assert said(place.complete(complete(9, "e2", reset=True))) == [("reset", at(5))]
    assert place.stale
    assert place.begin() == []
    assert not place.stale
    assert place.position == at(0, "e2")
    assert said(place.change(record(8))) == [8]


def test_a_log_that_ends_before_what_was_read_is_another_one() -> None:
    place = ResumingCursor("tasks", at(5))
    place.begin()
    assert said(place.complete(complete(4))) == [("reset", at(5))]


def test_a_reset_of_nothing_is_no_news() -> None:
    place = ResumingCursor("tasks", at(0, "old"))
    place.begin()
    place.change(record(3))
    assert said(place.complete(complete(3, "e2", reset=True))) == [("synced", 3)]


def test_a_first_load_of_a_log_that_became_another_is_a_reset() -> None:
    place = ResumingCursor("tasks", at(0))
    place.begin()
    place.change(record(3))
    place.begin()
    assert place.position == at(3)
    assert said(place.complete(complete(9, "e2", reset=True))) == [("reset", at(3))]


def test_a_live_stream_may_start_over() -> None:
    place = ResumingCursor("tasks", None)
    place.begin()
    place.complete(complete(4))
    place.change(record(5))
    assert said(place.change(record(2))) == []
    assert said(place.complete(complete(6, reset=True))) == [("reset", at(5))]
    assert place.stale


def test_versions_that_go_back_while_catching_up_are_refused() -> None:
    place = ResumingCursor("tasks", at(1))
    place.begin()
    place.change(record(7))
    with pytest.raises(RhtmxError, match="version 6 came after version 7"):
        place.change(record(6))


def test_the_position_of_a_part_has_its_scope() -> None:
    place = ResumingCursor("tasks", Position(epoch="e1", version=4, scope="s7"))
    place.begin()
    assert place.position == Position(epoch="e1", version=4, scope="s7")
    said = complete(6)
    said.scope = "s8"
    place.complete(said)
    place.change(record(7))
    assert place.position == Position(epoch="e1", version=7, scope="s8")


def began(scope: str | None, epoch: str = "e1", *, reset: bool = False) -> SyncBegin:
    return SyncBegin("tasks", epoch, reset, fields=False, scope=scope)


def scoped(version: int, scope: str | None, epoch: str = "e1") -> Position:
    return Position(epoch=epoch, version=version, scope=scope)


def test_a_first_load_that_is_cut_off_has_the_scope_that_it_began_in() -> None:
    place = ResumingCursor("tasks", at(0))
    place.begin()
    assert place.restarted(began("a")) == []
    assert place.position == scoped(0, "a")
    place.change(record(3))
    assert place.position == scoped(3, "a")


def test_a_reset_is_told_before_what_comes_anew() -> None:
    place = ResumingCursor("tasks", scoped(5, "a"))
    place.begin()
    assert said(place.restarted(began("b", "e2", reset=True))) == [("reset", scoped(5, "a"))]
    assert said(place.change(record(7))) == [7]
    assert place.position == scoped(7, "b", "e2"), "from its beginning it can be resumed"
    assert said(place.complete(complete(9, "e2", reset=True))) == [("synced", 9)]
    assert not place.stale


def test_a_reset_while_live_goes_back() -> None:
    place = ResumingCursor("tasks", at(5))
    place.begin()
    place.complete(complete(5))
    place.change(record(8))
    assert said(place.restarted(began("b", reset=True))) == [("reset", at(8))]
    assert said(place.change(record(2)) + place.change(record(8))) == [2, 8]
    assert said(place.complete(complete(8, reset=True))) == [("synced", 8)]
    assert not place.stale


def test_a_second_reset_in_the_middle_of_one_begins_anew() -> None:
    place = ResumingCursor("tasks", scoped(5, "a"))
    place.begin()
    place.restarted(began("b", reset=True))
    place.change(record(4))
    assert said(place.restarted(began("a", reset=True))) == [("reset", scoped(4, "b"))]
    assert said(place.change(record(1))) == [1]
    assert place.position == scoped(1, "a")


def test_a_reset_of_nothing_that_was_delivered_is_no_news() -> None:
    place = ResumingCursor("tasks", at(0, "old"))
    place.begin()
    assert place.restarted(began(None, reset=True)) == []
    assert said(place.change(record(3))) == [3]
    assert place.position == at(3)
    assert said(place.complete(complete(3, reset=True))) == [("synced", 3)]
