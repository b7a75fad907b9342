"""Facts about `rhtmx_server.trackers.merge`: rules, one by one."""

from __future__ import annotations

import pytest

from rhtmx.messages import MergeStrategy
from rhtmx_server.model import Clock
from rhtmx_server.trackers.merge import (
    MAX_AHEAD,
    FieldWrite,
    MergeOutcome,
    clamp,
    follow,
    is_later,
    merge,
    move,
)
from tests.unit.rhtmx_server.trackers.builders import NOW, SECOND

LWW = MergeStrategy.LAST_WRITE_WINS
KEEP_BOTH = MergeStrategy.KEEP_BOTH
SERVER_WINS = MergeStrategy.SERVER_WINS
CLIENT_WINS = MergeStrategy.CLIENT_WINS
ALL = [LWW, KEEP_BOTH, SERVER_WINS, CLIENT_WINS]
COUNTER = MergeStrategy.COUNTER


def write(
    value: bytes | None,
    timestamp: int,
    client_id: str | None = None,
    *,
    version: int = 0,
    deleted: bool = False,
) -> FieldWrite:
    return FieldWrite(value, Clock(version, timestamp, client_id, deleted))


# The order of writes.


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (write(b'"z"', 1, "z"), write(b'"a"', 2, "a")),
        (write(b'"z"', 1, "a"), write(b'"a"', 1, "b")),
        (write(b'"z"', 1, None), write(b'"a"', 1, "a")),
        (write(b'"z"', 1, None), write(b'"a"', 1, " ")),
        (write(b'"a"', 1, "a"), write(b'"b"', 1, "a")),
        (write(b"10", 1, "a"), write(b"9", 1, "a")),
        (write(None, 1, "a", deleted=True), write(None, 1, "a")),
        (write(None, 1, "a", deleted=True), write(b'""', 1, "a")),
        # The bytes of UTF-8 decide: UTF-16 code units would say the opposite.
        (write(b"1", 1, "\uffff"), write(b"1", 1, "\U0001f600")),
    ],
    ids=[
        "timestamp before client id",
        "client id before value",
        "unknown client first",
        "unknown client before any other id",
        "value",
        "value as text, not as number",
        "deletion before null",
        "deletion before the empty string",
        "client ids as UTF-8",
    ],
)
def test_the_order_is_timestamp_client_id_value(earlier: FieldWrite, later: FieldWrite) -> None:
    assert is_later(later, earlier)
    assert not is_later(earlier, later)


def test_neither_of_two_equal_writes_is_later_however_they_are_spelled() -> None:
    one, other = write(b'{"a":1,"b":"A"}', 1, "c"), write(b'{ "b":"\\u0041", "a":1 }', 1, "c")
    assert not is_later(one, other)
    assert not is_later(other, one)


# Writes that are not concurrent.


@pytest.mark.parametrize("strategy", ALL)
@pytest.mark.parametrize("base_version", [None, 0, 7])
def test_the_first_write_of_a_field_is_taken(
    strategy: MergeStrategy, base_version: int | None
) -> None:
    pushed = write(b"1", NOW)
    assert merge(None, pushed, strategy, base_version) == (MergeOutcome.TAKEN, pushed.clock)


@pytest.mark.parametrize("strategy", ALL)
def test_without_base_version_a_later_write_is_taken_without_conflict(
    strategy: MergeStrategy,
) -> None:
    pushed = write(b"2", 2, "a")
    assert merge(write(b"1", 1, "b"), pushed, strategy, None) == (MergeOutcome.TAKEN, pushed.clock)


@pytest.mark.parametrize("strategy", ALL)
@pytest.mark.parametrize("timestamp", [5, 15])
def test_who_saw_the_stored_version_is_not_in_conflict_whatever_the_clocks_say(
    strategy: MergeStrategy, timestamp: int
) -> None:
    stored = write(b"1", 10, version=3)
    verdict, _ = merge(stored, write(b"2", timestamp), strategy, 3)
    assert verdict is MergeOutcome.TAKEN


def test_a_write_from_a_slow_clock_is_stored_as_later_than_the_one_it_replaces() -> None:
    stored = write(b"1", 10, "a", version=3)
    pushed = write(b"2", 4, "b", version=4)
    verdict, clock = merge(stored, pushed, LWW, 3)
    assert (verdict, clock) == (MergeOutcome.TAKEN, Clock(4, 11, "b", claimed=4))
    # So a late copy of the replaced write cannot come back.
    late, _ = merge(FieldWrite(b"2", clock), stored, LWW, None)
    assert late is MergeOutcome.LOST


CENTURY = 100 * 365 * 86_400 * SECOND


@pytest.mark.parametrize("strategy", ALL)
@pytest.mark.parametrize("base_version", [None, 0, 2, 3])
@pytest.mark.parametrize("timestamp", [NOW - CENTURY, NOW - 1, NOW, NOW + 1, NOW + MAX_AHEAD])
@pytest.mark.parametrize(
    ("earlier", "later"),
    [(b"1", b"2"), (b"true", b"false"), (b"9", b"10"), (b"10", b"9"), (b"1", None), (None, b"1")],
)
def test_the_later_of_two_own_writes_is_taken_whatever_its_clock_its_base_and_its_value(
    strategy: MergeStrategy,
    base_version: int | None,
    timestamp: int,
    earlier: bytes | None,
    later: bytes | None,
) -> None:
    stored = write(earlier, NOW, "a", version=3, deleted=earlier is None)
    pushed = write(later, timestamp, "a", version=4, deleted=later is None)
    verdict, clock = merge(stored, pushed, strategy, base_version)
    assert verdict is MergeOutcome.TAKEN
    assert (clock.version, clock.client_id, clock.deleted) == (4, "a", later is None)
    assert clock.timestamp == max(timestamp, NOW)


@pytest.mark.parametrize("strategy", ALL)
@pytest.mark.parametrize("base_version", [None, 2])
@pytest.mark.parametrize("client_id", [None, ""])
def test_a_write_of_nobody_known_is_not_an_own_one(
    strategy: MergeStrategy, base_version: int | None, client_id: str | None
) -> None:
    stored = write(b"2", 10, client_id, version=3)
    pushed = write(b"1", 10, client_id, version=4)
    assert merge(stored, pushed, strategy, base_version)[0].conflict


@pytest.mark.parametrize("base_version", [None, 2])
def test_a_write_of_another_is_not_an_own_one(base_version: int | None) -> None:
    stored = write(b"1", 10, "b", version=3)
    assert merge(stored, write(b"2", 9, "a", version=4), LWW, base_version)[0] is MergeOutcome.LOST


def test_a_write_of_another_stands_between_two_own_ones() -> None:
    first = write(b"1", 10, "a", version=1)
    verdict, clock = merge(first, write(b"2", 5, "b", version=2), LWW, 1)
    assert (verdict, clock) == (MergeOutcome.TAKEN, Clock(2, 11, "b", claimed=5))
    between = FieldWrite(b"2", clock)
    # It had seen the first one; the third had not seen it.
    assert merge(between, write(b"3", 10, "a", version=3), LWW, None)[0] is MergeOutcome.LOST
    assert merge(between, write(b"3", 12, "a", version=3), LWW, None)[0] is MergeOutcome.TAKEN
    assert merge(between, write(b"3", 12, "a", version=3), LWW, 1)[0] is MergeOutcome.WON
    assert merge(between, write(b"3", 12, "a", version=3), LWW, 2)[0] is MergeOutcome.TAKEN


def test_an_own_write_that_says_the_same_again_leaves_the_clock_alone() -> None:
    stored = write(b"1", 10, "a", version=3)
    again, clock = merge(stored, write(b"1.0", 4, "a", version=4), LWW, None)
    assert again is MergeOutcome.TAKEN  # another text is another value
    assert clock.timestamp == 10
    assert merge(stored, write(b"1", 4, "a", version=4), LWW, None)[0] is MergeOutcome.SETTLED
    # Also of two that are no copies, and were brought back to one time.
    stored, pushed = (write(b"1", time, "a", version=time) for time in (20, 21))
    stored = FieldWrite(b"1", move(stored.clock, 10))
    again, _ = merge(stored, FieldWrite(b"1", move(pushed.clock, 10)), LWW, None)
    assert again is MergeOutcome.SETTLED


# Concurrent writes.


@pytest.mark.parametrize(
    ("strategy", "older", "newer"),
    [
        (LWW, MergeOutcome.LOST, MergeOutcome.WON),
        (KEEP_BOTH, MergeOutcome.LOST, MergeOutcome.LOST),
        (SERVER_WINS, MergeOutcome.LOST, MergeOutcome.LOST),
        (CLIENT_WINS, MergeOutcome.WON, MergeOutcome.WON),
    ],
)
def test_the_strategy_decides_over_a_version_that_the_author_had_not_seen(
    strategy: MergeStrategy, older: MergeOutcome, newer: MergeOutcome
) -> None:
    stored = write(b"1", 10, version=3)
    assert merge(stored, write(b"2", 9), strategy, 2)[0] is older
    assert merge(stored, write(b"2", 11), strategy, 2)[0] is newer


@pytest.mark.parametrize(
    ("strategy", "verdict"),
    [
        (LWW, MergeOutcome.LOST),
        (KEEP_BOTH, MergeOutcome.LOST),
        (SERVER_WINS, MergeOutcome.LOST),
        (CLIENT_WINS, MergeOutcome.WON),
    ],
)
def test_without_base_version_the_strategy_decides_over_a_later_stored_write(
    strategy: MergeStrategy, verdict: MergeOutcome
) -> None:
    assert merge(write(b"1", 10), write(b"2", 9), strategy, None)[0] is verdict


@pytest.mark.parametrize("strategy", ALL)
@pytest.mark.parametrize("base_version", [None, 2])
def test_two_authors_who_say_the_same_are_not_in_conflict(
    strategy: MergeStrategy, base_version: int | None
) -> None:
    stored = write(b'{"a":1,"b":2}', 10, "a", version=3)
    older = write(b'{"b": 2, "a": 1}', 9, "b", version=4)
    newer = write(b'{"b": 2, "a": 1}', 11, "b", version=4)
    assert merge(stored, older, strategy, base_version)[0] is MergeOutcome.SETTLED
    assert merge(stored, newer, strategy, base_version) == (MergeOutcome.TAKEN, newer.clock)


@pytest.mark.parametrize("strategy", ALL)
def test_the_same_write_again_changes_nothing(strategy: MergeStrategy) -> None:
    stored, again = write(b"1", 10, "a", version=3), write(b"1", 10, "a", version=4)
    assert merge(stored, again, strategy, None)[0] is MergeOutcome.SETTLED


def test_null_and_deleted_are_two_things() -> None:
    stored = write(None, 10, version=3, deleted=True)
    assert merge(stored, write(None, 9), LWW, None)[0] is MergeOutcome.LOST
    assert merge(stored, write(None, 9, deleted=True), LWW, None)[0] is MergeOutcome.SETTLED


def test_a_deletion_is_a_write_like_any_other() -> None:
    deletion = write(None, 10, version=3, deleted=True)
    assert merge(deletion, write(b"1", 9), LWW, None)[0] is MergeOutcome.LOST
    assert merge(write(b"1", 9), deletion, LWW, None) == (MergeOutcome.TAKEN, deletion.clock)


def test_the_later_client_id_wins_a_tie_and_keeps_its_time() -> None:
    # A winner of a tie that moved its clock would beat a third write of that moment.
    stored, pushed = write(b"1", 10, "a"), write(b"2", 10, "b")
    assert merge(stored, pushed, LWW, None) == (MergeOutcome.TAKEN, pushed.clock)
    assert merge(pushed, stored, LWW, None)[0] is MergeOutcome.LOST
    unseen = write(b"1", 10, "a", version=3)
    assert merge(unseen, pushed, LWW, 2) == (MergeOutcome.WON, pushed.clock)


def test_a_client_that_wins_against_time_is_stored_as_later() -> None:
    verdict, clock = merge(write(b"1", 10, version=3), write(b"2", 5, version=4), CLIENT_WINS, None)
    assert (verdict, clock) == (MergeOutcome.WON, Clock(4, 11, claimed=5))


# Copies: a write that arrives twice.


@pytest.mark.parametrize("strategy", [*ALL, COUNTER, MergeStrategy.SET])
@pytest.mark.parametrize("base_version", [None, 0, 2, 3, 4])
@pytest.mark.parametrize("client_id", [None, "", "a"])
@pytest.mark.parametrize("value", [b"1", None])
@pytest.mark.parametrize("timestamp", [4, 10, 40])
def test_a_copy_of_the_stored_write_changes_nothing_however_its_clock_was_moved(
    strategy: MergeStrategy,
    base_version: int | None,
    client_id: str | None,
    value: bytes | None,
    timestamp: int,
) -> None:
    arrives = write(value, timestamp, client_id, version=4, deleted=value is None)
    for moved in (timestamp - 1, timestamp, timestamp + 1):
        stored = FieldWrite(value, move(arrives.clock, moved))
        for late in (timestamp - 1, timestamp, timestamp + 1):
            again = FieldWrite(value, move(arrives.clock, late))
            assert merge(stored, again, strategy, base_version)[0] is MergeOutcome.SETTLED


def test_a_count_of_nobody_that_had_to_look_later_is_known_again() -> None:
    verdict, clock = merge(write(b"6", 10, "b", version=3), write(b"7", 4, version=4), COUNTER, 3)
    assert verdict is MergeOutcome.TAKEN
    stored = FieldWrite(b"7", clock)
    assert merge(stored, write(b"7", 4, version=5), COUNTER, 3)[0] is MergeOutcome.SETTLED


@pytest.mark.parametrize(
    ("other", "verdict"),
    [
        (write(b"7", 3, version=5), MergeOutcome.LOST),
        (write(b"7", 11, version=5), MergeOutcome.LOST),
        (write(b"7", 12, version=5), MergeOutcome.WON),
        (write(b"7", 4, "a", version=5), MergeOutcome.LOST),
        (write(b"8", 4, version=5), MergeOutcome.LOST),
        (write(None, 4, version=5, deleted=True), MergeOutcome.LOST),
    ],
    ids=["earlier", "of the merged time", "later", "another author", "another value", "deletion"],
)
def test_what_differs_from_the_stored_count_in_anything_is_another_count(
    other: FieldWrite, verdict: MergeOutcome
) -> None:
    stored = FieldWrite(b"7", move(Clock(4, 4), 11))
    assert merge(stored, other, COUNTER, 3)[0] is verdict


# What a verdict means, and the helpers.


def test_a_verdict_says_whether_to_store_and_whether_to_report() -> None:
    assert [v for v in MergeOutcome if v.writes] == [MergeOutcome.TAKEN, MergeOutcome.WON]
    assert [v for v in MergeOutcome if v.conflict] == [MergeOutcome.WON, MergeOutcome.LOST]


def test_a_clock_may_be_a_minute_ahead_and_no_more() -> None:
    assert MAX_AHEAD == 60 * SECOND
    assert clamp(NOW + MAX_AHEAD, NOW) == NOW + MAX_AHEAD
    assert clamp(NOW + MAX_AHEAD + 1, NOW) == NOW + MAX_AHEAD
    assert clamp(NOW - 100 * 365 * 86_400 * SECOND, NOW) == NOW - 100 * 365 * 86_400 * SECOND


def test_a_clock_follows_the_one_that_it_replaces() -> None:
    assert follow(Clock(2, 10), None) == Clock(2, 10)
    assert follow(Clock(2, 10), Clock(1, 9, "x")) == Clock(2, 10)
    followed = follow(Clock(2, 10, "c", True), Clock(1, 10, "x"))
    assert followed == Clock(2, 11, "c", True, claimed=10)


def test_a_clock_that_is_moved_remembers_the_time_that_its_author_said() -> None:
    clock = Clock(2, 10, "c", True)
    assert move(clock, 10) == clock
    assert move(clock, 12) == Clock(2, 12, "c", True, claimed=10)
    assert move(move(clock, 8), 12) == Clock(2, 12, "c", True, claimed=10)
