"""A cursor: where a reader stands, and from where it may go on."""

from __future__ import annotations

import pytest

from rhtmx.messages import SyncBegin, SyncComplete, SyncFieldsComplete
from rhtmx_server.delivery.cursor import LONG, Cursor, Mark, Reading, resume
from rhtmx_server.model import Granularity, Head
from rhtmx_server.ports import EVERY_VERSION
from tests.unit.rhtmx_server.fakes import BOTH, FIELDS, RECORDS

HEAD = Head(version=10, floor=4)


def counts(epoch: str | None) -> int:
    """As a store whose epoch is `e`."""
    return EVERY_VERSION if epoch == "e" else -1


@pytest.mark.parametrize("version", [4, 7, 10])
def test_a_known_position_between_floor_and_head_is_resumed(version: int) -> None:
    assert resume(version, "e", HEAD, counts("e"), trusting=False) == (version, False)


@pytest.mark.parametrize(
    ("version", "epoch"),
    [(7, "other"), (7, ""), (7, None), (11, "e"), (3, "e"), (2**60, "e")],
    ids=["epoch", "empty epoch", "no epoch", "above head", "below floor", "far above"],
)
def test_any_other_position_is_reset(version: int, epoch: str | None) -> None:
    assert resume(version, epoch, HEAD, counts(epoch), trusting=False) == (0, True)


@pytest.mark.parametrize("epoch", ["e", "", None])
def test_one_who_has_nothing_is_not_reset(epoch: str | None) -> None:
    assert resume(0, epoch, HEAD, counts(epoch), trusting=False) == (0, False)


@pytest.mark.parametrize("version", [0, 4, 8])
def test_a_position_of_a_former_epoch_is_resumed_as_far_as_it_counts(version: int) -> None:
    assert resume(version, "before", HEAD, 8, trusting=False) == (version, False)


@pytest.mark.parametrize("version", [3, 9, 11])
def test_beyond_that_it_is_reset(version: int) -> None:
    assert resume(version, "before", HEAD, 8, trusting=False) == (0, True)


def test_one_who_was_in_another_epoch_is_reset_even_without_a_version() -> None:
    assert resume(0, "other", HEAD, counts("other"), trusting=False) == (0, True)


def test_trusting_takes_only_a_missing_epoch_for_the_current_one() -> None:
    assert resume(7, None, HEAD, counts(None), trusting=True) == (7, False)
    assert resume(7, "other", HEAD, counts("other"), trusting=True) == (0, True)
    assert resume(3, None, HEAD, counts(None), trusting=True) == (0, True)
    assert resume(11, None, HEAD, counts(None), trusting=True) == (0, True)


def test_what_was_sent_before_the_cursor_is_known() -> None:
    cursor = Cursor("tasks", RECORDS, 7)
    assert (cursor.sent, cursor.base, cursor.live) == (7, 7, False)


def test_reading_on_leaves_the_base_where_it_was() -> None:
    cursor = Cursor("tasks", FIELDS, 7)
    cursor.reached(9)
    assert (cursor.sent, cursor.base) == (9, 7)


def test_a_live_cursor_is_taken_back_to_the_start_that_was_asked_for() -> None:
    cursor = Cursor("tasks", FIELDS, 3, live=True)
    cursor.rewind(8)
    assert (cursor.sent, cursor.base, cursor.live) == (8, 8, False)


def test_one_that_is_catching_up_goes_back_only_never_forth() -> None:
    cursor = Cursor("tasks", FIELDS, 5)
    cursor.reached(9)
    cursor.rewind(7)
    assert (cursor.sent, cursor.base) == (7, 5)
    cursor.rewind(8)
    assert (cursor.sent, cursor.base) == (7, 5)
    cursor.rewind(2)
    assert (cursor.sent, cursor.base) == (2, 2)


def test_one_that_falls_knows_everything_up_to_there() -> None:
    cursor = Cursor("tasks", FIELDS, 1, live=True)
    cursor.fall(9)
    assert (cursor.sent, cursor.base, cursor.live) == (9, 9, False)


@pytest.mark.parametrize(
    ("granularity", "form"), [(RECORDS, RECORDS), (BOTH, RECORDS), (FIELDS, FIELDS)]
)
def test_whoever_reads_records_catches_up_in_records(
    granularity: Granularity, form: Granularity
) -> None:
    assert Cursor("tasks", granularity, 0).catches_up_by is form


def test_cursors_are_told_apart_by_identity() -> None:
    assert Cursor("tasks", RECORDS, 0) != Cursor("tasks", RECORDS, 0)


def test_a_restart_reads_everything_and_is_told_even_if_nobody_waited() -> None:
    cursor = Cursor("tasks", Granularity.FIELDS, 7)
    cursor.restart()
    assert (cursor.sent, cursor.base) == (0, 0)
    assert cursor.marks == [Mark(Granularity.FIELDS, reset=True)]


def test_a_restart_resets_every_answer_that_was_due() -> None:
    cursor = Cursor("tasks", Granularity.BOTH, 7)
    cursor.marks = [Mark(Granularity.RECORDS, False, "r"), Mark(Granularity.FIELDS, False)]
    cursor.restart()
    assert [mark.reset for mark in cursor.marks] == [True, True]


def test_a_restart_is_told_to_each_subscription_of_which_nothing_is_due() -> None:
    cursor = Cursor("tasks", BOTH, 7)
    cursor.marks = [Mark(RECORDS, False, since=3)]
    cursor.restart(6, fresh=5)
    assert cursor.marks == [Mark(RECORDS, True, since=3), Mark(FIELDS, True)]
    assert (cursor.began, cursor.fresh) == (6, 5)


def test_who_ends_is_owed_only_what_it_asked_for() -> None:
    cursor = Cursor("tasks", BOTH, 7)
    asked = [
        Mark(RECORDS, reset=True, request_id="r", asked=True),
        Mark(RECORDS, reset=True, since=4),
        Mark(RECORDS, reset=False),
    ]
    others = [Mark(FIELDS, reset=True), Mark(RECORDS, reset=True, where=b"{}")]
    cursor.marks = [*asked, Mark(RECORDS, reset=True), *others]
    cursor.forget(None, RECORDS)
    assert cursor.marks == [*asked, *others]


def scoped(sent: int, scope_id: str | None) -> Cursor:
    return Cursor("tasks", BOTH, sent, {b"{}": Reading("tasks", b"{}", scope_id=scope_id)})


@pytest.mark.parametrize(
    ("sent", "scope_id", "reset", "news"),
    [
        (0, "s", False, True),
        (0, None, False, False),
        (3, "s", False, False),
        (0, None, True, True),
    ],
)
def test_what_its_peer_cannot_know_is_news(
    sent: int, scope_id: str | None, *, reset: bool, news: bool
) -> None:
    assert scoped(sent, scope_id).has_news(Mark(RECORDS, reset, where=b"{}")) is news


@pytest.mark.parametrize(
    ("sent", "began", "behind", "head"),
    [
        (0, LONG, False, LONG),
        (0, LONG - 1, False, None),
        (1, LONG, False, None),
        (0, LONG, True, None),
    ],
)
def test_where_all_of_a_long_log_is_read_its_end_is_news(
    sent: int, began: int, head: int | None, *, behind: bool
) -> None:
    whole = Cursor("tasks", RECORDS, sent, began=began)
    mark = Mark(RECORDS, reset=False, behind=behind)
    assert whole.begin(mark, "e").head == head
    assert whole.has_news(mark) is (head is not None or behind)


@pytest.mark.parametrize("level", [RECORDS, FIELDS])
def test_the_beginning_and_the_end_say_the_same(level: Granularity) -> None:
    cursor = scoped(0, "s")
    mark = Mark(level, reset=True, request_id="r", where=b"{}")
    begin, end = cursor.begin(mark, "e"), cursor.complete(mark, "e", 8)
    assert begin == SyncBegin("tasks", "e", True, level is FIELDS, b"{}", "s")
    kind = SyncFieldsComplete if level is FIELDS else SyncComplete
    assert end == kind("tasks", 8, "e", True, "r", b"{}", "s")
    assert cursor.told == 8


def test_what_others_have_read_may_have_been_sent() -> None:
    cursor, elsewhere = Cursor("tasks", RECORDS, 0), Cursor("users", RECORDS, 1)
    assert cursor.never_sent(9, [cursor, elsewhere]) == 9
    loading, resuming = Cursor("tasks", RECORDS, 0), Cursor("tasks", RECORDS, 7)
    loading.fresh = 8
    assert cursor.never_sent(9, [cursor, loading]) == 8
    assert cursor.never_sent(9, [loading, cursor, resuming]) == 7


def test_only_a_first_load_that_somebody_waits_for_is_half_loaded() -> None:
    cursor = Cursor("tasks", RECORDS, 0)
    cursor.marks = [Mark(RECORDS, False, since=0)]
    assert not cursor.half_loaded
    cursor.reached(4)
    assert cursor.half_loaded
    for mark in (
        Mark(RECORDS, True),
        Mark(RECORDS, True, since=4),
        Mark(RECORDS, True, asked=True),
    ):
        cursor.marks = [mark]
        assert not cursor.half_loaded
