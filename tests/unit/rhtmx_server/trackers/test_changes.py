"""Facts about `rhtmx_server.trackers.changes`."""

from __future__ import annotations

import json

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    ChangeAction,
    History,
    HistoryCommit,
    HistoryResult,
    Push,
    PushAck,
)
from rhtmx.values.changes import Change
from rhtmx.values.results import PushResult
from rhtmx.wire import check_json
from rhtmx_server.model import DELETED, Clock, Granularity, Mutation, Record
from rhtmx_server.stores.memory import MemoryStore
from rhtmx_server.times import to_datetime
from rhtmx_server.trackers.changes import ChangeTracker, changes_decider, decide_push
from rhtmx_server.trackers.policy import Policy
from rhtmx_server.trackers.views import change_log
from tests.unit.rhtmx_server.trackers.builders import (
    DELETE,
    NOW,
    SECOND,
    OneRecord,
    Past,
    committed,
    context,
    push,
    record,
    tombstone,
)

# What happened.


@pytest.mark.parametrize("claimed", list(ChangeAction)[:3])
@pytest.mark.parametrize("current", [None, tombstone()], ids=["nothing", "a tombstone"])
def test_a_record_where_none_was_live_is_a_create(
    claimed: ChangeAction, current: Record | None
) -> None:
    commit = committed(decide_push(push(b"1", claimed), current, context(6)))
    assert commit.record.action is ChangeAction.CREATE


@pytest.mark.parametrize("claimed", list(ChangeAction)[:3])
def test_a_record_over_a_live_one_is_an_update(claimed: ChangeAction) -> None:
    commit = committed(decide_push(push(b"1", claimed), record(b"0"), context(2)))
    assert commit.record.action is ChangeAction.UPDATE


def test_a_commit_holds_version_time_and_author_and_the_data_untouched() -> None:
    data = b'{ "a": 1.50, "b": 12345678901234567890 }'
    commit = committed(decide_push(push(data), None, context(7, NOW + 5, "c")))
    assert commit.record == Record(
        "users",
        "1",
        7,
        ChangeAction.CREATE,
        data,
        "c",
        NOW + 5,
        {"a": Clock(7, NOW + 5, "c"), "b": Clock(7, NOW + 5, "c")},
    )
    assert commit.granularity is Granularity.RECORDS
    assert commit.changed == ["a", "b"]


def test_the_acknowledgement_names_the_request_and_the_position() -> None:
    decision = decide_push(push(b"1", request_id="r", seq=3), None, context(7, NOW))
    assert decision.reply == [
        PushAck(
            entity="users",
            entity_id="1",
            version=7,
            request_id="r",
            seq=3,
            epoch="e1",
            server_time=to_datetime(NOW),
        )
    ]
    assert decision.lost == ()


def test_a_delete_leaves_a_tombstone_without_data() -> None:
    commit = committed(decide_push(push(b'{"a":1}', DELETE), record(b'{"a":1}'), context(2)))
    assert commit.record.action is DELETE
    assert commit.record.data is None
    assert not commit.record.live


@pytest.mark.parametrize("current", [None, tombstone()], ids=["nothing", "a tombstone"])
def test_deleting_what_is_not_there_is_acknowledged_and_logs_nothing(
    current: Record | None,
) -> None:
    decision = decide_push(push(None, DELETE), current, context(9))
    assert decision.commit is None
    (ack,) = decision.reply
    assert isinstance(ack, PushAck)
    assert ack.version == 8


def test_data_may_be_null() -> None:
    commit = committed(decide_push(push(None), None, context()))
    assert commit.record.live
    assert commit.record.data is None


# The base version.


@pytest.mark.parametrize(
    ("base_version", "current"),
    [
        (0, None),
        (0, tombstone(version=5)),
        (5, tombstone(version=5)),
        (3, record(b"1", version=3)),
    ],
)
def test_a_push_over_what_the_client_saw_is_taken(
    base_version: int, current: Record | None
) -> None:
    decision = decide_push(push(b"2", base_version=base_version), current, context(9))
    assert committed(decision).record.version == 9


@pytest.mark.parametrize(
    ("base_version", "current", "words"),
    [
        (0, record(b"1", version=3), "exists already, in version 3"),
        (2, record(b"1", version=3), "has moved on to version 3, version 2 was expected"),
        (4, record(b"1", version=3), "has moved on to version 3, version 4 was expected"),
        (4, tombstone(version=5), "was deleted in version 5, version 4 was expected"),
        (4, None, "does not exist, version 4 was expected"),
    ],
)
@pytest.mark.parametrize("action", [ChangeAction.UPDATE, DELETE])
def test_a_push_over_something_else_is_refused_in_words(
    action: ChangeAction, base_version: int, current: Record | None, words: str
) -> None:
    with pytest.raises(RhtmxError, match=f"users/1 {words}; nothing was written") as refused:
        decide_push(push(b"2", action, base_version=base_version), current, context(9))
    assert refused.value.code is ErrorCode.CONFLICT


def test_a_conflict_holds_the_record_as_it_is_to_the_byte() -> None:
    current = record(b'{"n": 9007199254740993.0}', version=3, client_id="c")
    with pytest.raises(RhtmxError) as refused:
        decide_push(push(b"2", base_version=2), current, context(9))
    details = refused.value.details
    assert details is not None
    assert b'{"n": 9007199254740993.0}' in details
    view = json.loads(details)
    assert (view["entity"], view["entity_id"], view["version"]) == ("users", "1", 3)
    assert view["client_id"] == "c"


def test_a_conflict_over_nothing_has_no_details() -> None:
    with pytest.raises(RhtmxError) as refused:
        decide_push(push(b"2", base_version=4), None, context(9))
    assert refused.value.details is None


# The fields of a pushed record.


def test_only_fields_that_really_differ_get_a_new_clock() -> None:
    before = record(b'{"same":{"x":1,"y":2},"other":1,"gone":1}', version=3, client_id="a")
    after = push(b'{"new":1,"other":2,"same":{ "y":2, "x":1 }}')
    commit = committed(decide_push(after, before, context(4, NOW + SECOND, "b")))
    assert commit.changed == ["gone", "new", "other"]
    assert commit.record.clocks == {
        "same": Clock(3, NOW, "a"),
        "other": Clock(4, NOW + SECOND, "b"),
        "new": Clock(4, NOW + SECOND, "b"),
        "gone": Clock(4, NOW + SECOND, "b", True),
    }


def test_a_push_that_changes_no_field_is_a_commit_all_the_same() -> None:
    before = record(b'{"a":1}', version=3)
    commit = committed(decide_push(push(b'{ "a": 1 }'), before, context(4)))
    assert commit.changed == []
    assert commit.record.data == b'{ "a": 1 }'
    assert commit.record.clocks == before.clocks


@pytest.mark.parametrize("data", [b"[1]", b'"text"', None])
def test_data_that_is_no_object_has_no_fields(data: bytes | None) -> None:
    commit = committed(decide_push(push(data), record(b'{"a":1}', version=3), context(4, NOW + 1)))
    assert commit.changed == ["a"]
    assert commit.record.clocks == {"a": Clock(4, NOW + 1, None, True)}


def test_a_delete_is_the_last_write_of_every_field_even_of_those_gone_before() -> None:
    before = record(
        b'{"a":1}', version=3, clocks={"a": Clock(3, NOW), "b": Clock(2, NOW - 5, "x", True)}
    )
    commit = committed(decide_push(push(None, DELETE), before, context(4, NOW + 1, "d")))
    assert commit.changed == ["a"]
    deleted = Clock(4, NOW + 1, "d", True)
    assert commit.record.clocks == {"a": deleted, "b": deleted, DELETED: deleted}


def test_a_record_created_anew_keeps_the_tombstones_of_fields_that_it_lacks() -> None:
    before = tombstone(version=5, fields=["a", "b"])
    commit = committed(decide_push(push(b'{"a":1}'), before, context(6, NOW + 1)))
    deleted = Clock(5, NOW, None, True)
    assert commit.record.clocks == {"a": Clock(6, NOW + 1), "b": deleted, DELETED: deleted}
    assert commit.changed == ["a"]


def test_a_field_never_gets_an_older_clock_than_it_had() -> None:
    ahead = Clock(3, NOW + 30 * SECOND, "fast")
    before = record(b'{"a":1,"b":1}', version=3, clocks={"a": ahead, "b": ahead})
    commit = committed(decide_push(push(b'{"a":2}'), before, context(4, NOW, "c")))
    assert commit.record.clocks == {
        "a": Clock(4, NOW + 30 * SECOND + 1, "c", claimed=NOW),
        "b": Clock(4, NOW + 30 * SECOND + 1, "c", True, claimed=NOW),
    }


def test_without_fields_nobody_looks_into_the_data() -> None:
    before = record(b'{"a":1}', version=3)
    commit = committed(decide_push(push(b'{"a":2}'), before, context(4), fields=False))
    assert commit.record.clocks == {}
    assert commit.changed == []
    assert commit.record.data == b'{"a":2}'


# The decider.


def test_the_decider_asks_for_the_policy_of_the_entity() -> None:
    asked: list[str] = []

    def policy_of(entity: str) -> Policy | None:
        asked.append(entity)
        return None if entity == "prices" else Policy()

    decide = changes_decider(policy_of)
    prices = Push(entity="prices", entity_id="1", data=b'{"a":1}')
    assert committed(decide(prices, None, context())).changed == []
    assert committed(decide(push(b'{"a":1}'), None, context())).changed == ["a"]
    assert asked == ["prices", "users"]


# The Python face.


class Committing:
    """A committer of one mutation at a time, without a store behind it."""

    def __init__(self) -> None:
        self.mutations: list[Mutation] = []

    def submit(self, mutation: Mutation) -> None:
        self.mutations.append(mutation)
        message = mutation.write
        assert isinstance(message, Push)
        mutation.answer(decide_push(message, None, context(7)).reply)


async def test_a_python_push_is_a_mutation_like_any_other() -> None:
    committer = Committing()
    tracker = ChangeTracker(committer.submit, MemoryStore(), check_json, Past())
    result = await tracker.push("users", "1", {"a": 1}, base_version=0, client_id="c", seq=4)
    assert result == PushResult("users", "1", 7, duplicate=False)
    (mutation,) = committer.mutations
    assert mutation.client_id == "c"
    assert mutation.message == Push(
        entity="users",
        entity_id="1",
        action=ChangeAction.UPDATE,
        data=b'{"a":1}',
        seq=4,
        base_version=0,
    )


async def test_a_python_delete_is_a_push_of_that_action() -> None:
    committer = Committing()
    tracker = ChangeTracker(committer.submit, MemoryStore(), check_json, Past())
    result = await tracker.delete("users", "1")
    assert result == PushResult("users", "1", 6, duplicate=False)
    (mutation,) = committer.mutations
    assert mutation.message == Push(entity="users", entity_id="1", action=DELETE)


async def test_python_data_is_checked_before_it_is_submitted() -> None:
    committer = Committing()
    tracker = ChangeTracker(committer.submit, MemoryStore(), check_json, Past())
    with pytest.raises(RhtmxError, match=r"^data: "):
        await tracker.push("users", "1", {"__proto__": 1})
    assert committer.mutations == []


async def test_get_reads_a_record_and_takes_a_tombstone_for_nothing() -> None:
    def tracker(held: Record) -> ChangeTracker:
        return ChangeTracker(Committing().submit, OneRecord(held), check_json, Past())

    found = await tracker(record(b'{"a":[1]}', version=3)).get("users", "1")
    assert isinstance(found, Change)
    assert (found.version, found.data) == (3, {"a": [1]})
    assert await tracker(record(b"1")).get("users", "2") is None
    assert await tracker(tombstone()).get("users", "1") is None


async def test_history_asks_for_the_commits_of_a_record_whoever_may_see_them() -> None:
    past = Past()
    log = change_log(record(b'{"a":1}', version=3))
    past.history = HistoryResult([HistoryCommit(log, ["a"], "ada")], before=3)
    tracker = ChangeTracker(Committing().submit, MemoryStore(), check_json, past)
    until = to_datetime(NOW)
    history = await tracker.history("users", "1", before=9, until=until, limit=1)
    assert past.asked == [(History("users", "1", 9, until, 1), None)]
    assert [(each.data, each.changed, each.subject) for each in history] == [
        ({"a": 1}, ("a",), "ada")
    ]
    assert (history.before, history.complete) == (3, False)
