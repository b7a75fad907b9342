"""Facts about `rhtmx_server.trackers.draft`."""

from __future__ import annotations

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import ChangeAction, FieldAction, FieldUpdate, MergeStrategy
from rhtmx_server.model import DELETED, Clock, LostWrite, Record
from rhtmx_server.trackers.draft import RecordDraft
from rhtmx_server.trackers.merge import MAX_AHEAD, MergeOutcome
from rhtmx_server.trackers.policy import Policy, parse_policy
from tests.unit.rhtmx_server.trackers.builders import (
    NOW,
    SECOND,
    context,
    drop,
    put,
    record,
    tombstone,
)


def draft(
    current: Record | None, policy: Policy | None = None, base_version: int | None = None
) -> RecordDraft:
    return RecordDraft(current, context(9, NOW, "me"), policy or Policy(), base_version)


def test_fields_that_are_not_written_keep_their_text_and_place() -> None:
    drafting = draft(record(b'{ "a": 1.50, "b": [ 1 ], "c": "x" }', time=NOW - 5))
    drafting.write(put("new", b"true"))
    drafting.write(put("b", b"2e0"))
    drafting.write(drop("c"))
    after = drafting.record("users", "1")
    assert after.data == b'{"a":1.50,"b":2e0,"new":true}'
    assert drafting.written == ["new", "b", "c"]
    assert drafting.applied == 3


def test_all_written_fields_get_the_same_version() -> None:
    drafting = draft(record(b'{"a":1,"b":1}', version=3, time=NOW - 5))
    drafting.write(put("a", b"2", NOW - 1))
    drafting.write(drop("c", NOW - 2))
    after = drafting.record("users", "1")
    assert after.version == 9
    assert after.client_id == "me"
    assert after.time == NOW
    assert after.clocks == {
        "a": Clock(9, NOW - 1, "me"),
        "b": Clock(3, NOW - 5),
        "c": Clock(9, NOW - 2, "me", True),
    }


@pytest.mark.parametrize("current", [None, tombstone(version=3, time=NOW - 5)])
def test_a_record_that_was_not_live_is_created(current: Record | None) -> None:
    drafting = draft(current)
    drafting.write(put("a", b"1"))
    after = drafting.record("users", "1")
    assert after.action is ChangeAction.CREATE
    assert after.data == b'{"a":1}'


def test_deleting_a_field_that_was_never_there_is_remembered() -> None:
    # So that an older write of it loses, whichever of the two arrives first.
    drafting = draft(record(b"{}"))
    drafting.write(drop("a", NOW))
    assert drafting.record("users", "1").clocks == {"a": Clock(9, NOW, "me", True)}
    assert drafting.applied == 1


def test_a_timestamp_ahead_of_the_server_is_brought_back_before_merging() -> None:
    century = 100 * 365 * 86_400 * SECOND
    ahead = Clock(3, NOW + MAX_AHEAD + 1, "fast")
    drafting = draft(record(b'{"a":1,"b":1}', clocks={"a": ahead, "b": Clock(3, NOW - 5)}))
    drafting.write(put("a", b"2", NOW + century))
    drafting.write(put("b", b"2", NOW + century))
    drafting.write(put("c", b"2", NOW + MAX_AHEAD))
    assert drafting.clamped == 2
    assert drafting.lost == [LostWrite("a", b"2", NOW + MAX_AHEAD)]
    clock = drafting.record("users", "1").clocks["b"]
    assert clock == Clock(9, NOW + MAX_AHEAD, "me", claimed=NOW + century)


def test_a_loser_is_a_conflict_and_kept_for_the_history() -> None:
    drafting = draft(record(b'{"a":1}', version=3, time=NOW))
    drafting.write(put("a", b"2", NOW - 1))
    (conflict,) = drafting.conflicts
    assert conflict.verdict is MergeOutcome.LOST
    assert conflict.strategy is MergeStrategy.LAST_WRITE_WINS
    assert (conflict.stored.value, conflict.pushed.value) == (b"1", b"2")
    assert drafting.lost == [LostWrite("a", b"2", NOW - 1)]
    assert (drafting.written, drafting.applied) == ([], 0)


def test_a_deletion_that_loses_is_kept_as_one() -> None:
    drafting = draft(record(b'{"a":1}', time=NOW))
    drafting.write(drop("a", NOW - 1))
    assert drafting.lost == [LostWrite("a", None, NOW - 1, deleted=True)]


def test_a_winner_over_an_unseen_write_is_a_conflict_but_not_lost() -> None:
    drafting = draft(record(b'{"a":1}', version=3, time=NOW - 5), base_version=2)
    drafting.write(put("a", b"2", NOW))
    (conflict,) = drafting.conflicts
    assert conflict.verdict is MergeOutcome.WON
    assert (drafting.lost, drafting.written, drafting.applied) == ([], ["a"], 1)


def test_what_the_field_says_already_counts_as_applied_and_is_not_written() -> None:
    drafting = draft(record(b'{"a":"A"}', time=NOW))
    drafting.write(put("a", b'"\\u0041"', NOW - 1))
    assert (drafting.written, drafting.applied, drafting.conflicts) == ([], 1, [])


def test_each_field_follows_its_own_strategy() -> None:
    policy = parse_policy({"kept": "keep_both", "mine": "client_wins", "yours": "server_wins"})
    drafting = draft(record(b'{"kept":1,"mine":1,"yours":1,"last":1}', time=NOW), policy)
    for name in ("kept", "mine", "yours", "last"):
        drafting.write(put(name, b"2", NOW - 1))
    assert {conflict.field: conflict.strategy for conflict in drafting.conflicts} == {
        "kept": MergeStrategy.KEEP_BOTH,
        "mine": MergeStrategy.CLIENT_WINS,
        "yours": MergeStrategy.SERVER_WINS,
        "last": MergeStrategy.LAST_WRITE_WINS,
    }
    assert drafting.written == ["mine"]
    assert [lost.field for lost in drafting.lost] == ["kept", "yours", "last"]


@pytest.mark.parametrize("strategy", ["last_write_wins", "keep_both", "server_wins", "client_wins"])
@pytest.mark.parametrize("base_version", [None, 4])
@pytest.mark.parametrize("field", ["there before", "never there"])
def test_a_write_older_than_the_delete_loses_under_every_strategy(
    strategy: str, base_version: int | None, field: str
) -> None:
    current = tombstone(version=5, time=NOW, fields=["there before"])
    drafting = draft(current, parse_policy(strategy), base_version)
    drafting.write(put(field, b"1", NOW - 1))
    assert drafting.written == []
    (conflict,) = drafting.conflicts
    assert conflict.verdict is MergeOutcome.LOST
    assert conflict.stored.value is None
    assert conflict.stored.clock.timestamp == NOW


@pytest.mark.parametrize("strategy", ["last_write_wins", "keep_both", "server_wins", "client_wins"])
def test_a_write_later_than_the_delete_creates_the_record_anew(strategy: str) -> None:
    drafting = draft(tombstone(version=5, time=NOW - 1, fields=["a"]), parse_policy(strategy))
    drafting.write(put("a", b"1", NOW))
    assert drafting.record("users", "1").data == b'{"a":1}'
    assert drafting.conflicts == []


def test_a_stale_write_that_arrives_again_after_the_record_came_back_still_loses() -> None:
    drafting = draft(tombstone(version=5, time=NOW - 5))
    drafting.write(put("stale", b"1", NOW - 6))
    drafting.write(put("fresh", b"1", NOW))
    back = drafting.record("users", "1")
    assert back.data == b'{"fresh":1}'
    again = draft(back)
    again.write(put("stale", b"1", NOW - 6))
    assert again.written == []


def test_who_saw_the_delete_may_create_the_record_anew_with_a_slow_clock() -> None:
    drafting = draft(tombstone(version=5, time=NOW), base_version=5)
    drafting.write(put("a", b"1", NOW - SECOND))
    clocks = drafting.record("users", "1").clocks
    assert clocks == {
        "a": Clock(9, NOW + 1, "me", claimed=NOW - SECOND),
        DELETED: Clock(5, NOW, None, True),
    }


def test_a_write_without_a_time_is_refused_by_name() -> None:
    with pytest.raises(RhtmxError, match="field 'a' has no timestamp") as refused:
        draft(None).write(FieldUpdate(field="a", value=b"1", action=FieldAction.UPDATE))
    assert refused.value.code is ErrorCode.BAD_MESSAGE
