"""`if_unchanged`: fields that are written only if nobody has written them since.

How it is with what its author may not see is in `writing/test_judgement.py`.
"""

from __future__ import annotations

import json

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import FieldAction, FieldUpdate, PushFields
from rhtmx_server.model import Clock, Context, Decision, Record
from rhtmx_server.trackers.changes import decide_push
from rhtmx_server.trackers.fields import decide_push_fields
from rhtmx_server.trackers.policy import Policy, parse_policy
from tests.unit.rhtmx_server.trackers.builders import (
    DELETE,
    NOW,
    SECOND,
    committed,
    context,
    drop,
    push,
    push_fields,
    put,
    record,
    tombstone,
    values,
)

ME = context(9, NOW, "me")


def unchanged(*fields: FieldUpdate, since: int | None = None) -> PushFields:
    message = push_fields(*fields, base_version=since)
    message.if_unchanged = True
    return message


def decide(
    message: PushFields, current: Record | None, when: Context = ME, policy: Policy | None = None
) -> Decision:
    return decide_push_fields(message, current, when, policy or Policy())


def refusal(
    message: PushFields, current: Record | None, policy: Policy | None = None
) -> RhtmxError:
    with pytest.raises(RhtmxError) as refused:
        decide(message, current, policy=policy)
    assert refused.value.code is ErrorCode.CONFLICT
    return refused.value


def named(error: RhtmxError) -> list[str]:
    fields = json.loads(error.details or b"{}")["fields"]
    assert isinstance(fields, list)
    return fields


TITLE_AT_5 = record(
    b'{"title":"a","done":true}',
    version=7,
    clocks={"title": Clock(5, NOW, "ann"), "done": Clock(7, NOW, "ann")},
)


def test_fields_that_nobody_wrote_since_are_written() -> None:
    message = unchanged(put("title", b'"b"'), put("other", b"1"), since=5)
    commit = committed(decide(message, TITLE_AT_5))
    assert values(commit.record)["title"] == b'"b"'
    assert commit.changed == ["other", "title"]


def test_a_slow_clock_does_not_matter_where_nothing_was_written_since() -> None:
    decision = decide(unchanged(put("title", b'"b"', NOW - SECOND), since=5), TITLE_AT_5)
    assert values(committed(decision).record)["title"] == b'"b"'
    assert len(decision.reply) == 1


def test_one_that_was_written_since_rejects_all_of_the_push() -> None:
    message = unchanged(put("other", b"1"), put("title", b'"b"'), put("done", b"0"), since=4)
    error = refusal(message, TITLE_AT_5)
    assert error.message == (
        "push_fields.if_unchanged: 'title' of users/1 was written in version 5, none after "
        "version 4 was expected; 1 more fields were written, too; nothing was written"
    )
    assert named(error) == ["title", "done"]


def test_the_details_hold_the_record_and_the_names_of_the_fields() -> None:
    error = refusal(unchanged(put("done", b"0"), since=6), TITLE_AT_5)
    assert json.loads(error.details or b"") == {
        "entity": "users",
        "entity_id": "1",
        "action": "update",
        "data": {"title": "a", "done": True},
        "version": 7,
        "created_at": "2026-09-21T14:13:20Z",
        "fields": ["done"],
    }


@pytest.mark.parametrize("since", [None, 0])
def test_without_a_version_only_a_field_that_was_never_written_is(since: int | None) -> None:
    assert committed(decide(unchanged(put("a", b"1"), since=since), None)).changed == ["a"]
    assert committed(decide(unchanged(put("a", b"1"), since=since), TITLE_AT_5)).changed == ["a"]
    assert named(refusal(unchanged(put("title", b"1"), since=since), TITLE_AT_5)) == ["title"]


def test_ones_own_write_counts_too() -> None:
    mine = record(b'{"a":1}', version=5, client_id="me")
    assert named(refusal(unchanged(put("a", b"2"), since=4), mine)) == ["a"]


def test_that_both_say_the_same_does_not_matter() -> None:
    assert named(refusal(unchanged(put("title", b'"a"'), since=4), TITLE_AT_5)) == ["title"]


@pytest.mark.parametrize("strategy", ["client_wins", "last_write_wins", "counter"])
def test_no_strategy_decides_otherwise(strategy: str) -> None:
    policy = parse_policy(strategy)
    later = put("title", b'"b"', NOW + SECOND)
    assert named(refusal(unchanged(later, since=4), TITLE_AT_5, policy)) == ["title"]
    assert committed(decide(unchanged(later, since=5), TITLE_AT_5, policy=policy))


@pytest.mark.parametrize(
    ("action", "operand", "data"),
    [
        (FieldAction.INCREMENT, b"1", b'{"f":1}'),
        (FieldAction.MAX, b"0", b'{"f":1}'),
        (FieldAction.ADD, b"[2]", b'{"f":[1]}'),
        (FieldAction.REMOVE, b"[2]", b'{"f":[1]}'),
        (FieldAction.SET_KEY, b'{"k":2}', b'{"f":{"j":1}}'),
        (FieldAction.DELETE_KEY, b'["k"]', b'{"f":{"j":1}}'),
    ],
)
def test_an_operation_is_not_applied_to_what_was_written_since(
    action: FieldAction, operand: bytes, data: bytes
) -> None:
    update = put("f", operand)
    update.action = action
    before = record(data, version=5)
    assert named(refusal(unchanged(update, since=4), before)) == ["f"]
    assert decide(unchanged(update, since=5), before).lost == []


def test_an_operation_is_a_write_of_its_field() -> None:
    add = put("n", b"1")
    add.action = FieldAction.INCREMENT
    after = committed(decide(push_fields(add), record(b'{"n":1}', version=5))).record
    assert named(refusal(unchanged(put("n", b"0"), since=5), after)) == ["n"]


def test_the_delete_of_a_field_is_a_write_of_it() -> None:
    gone = committed(decide(push_fields(drop("title")), TITLE_AT_5)).record
    assert named(refusal(unchanged(put("title", b'"b"'), since=8), gone)) == ["title"]
    assert named(refusal(unchanged(drop("title")), gone)) == ["title"]
    assert committed(decide(unchanged(drop("done"), since=7), TITLE_AT_5)).changed == ["done"]


@pytest.mark.parametrize("since", [None, 4])
def test_the_delete_of_a_record_is_a_write_of_each_field_that_it_could_have(
    since: int | None,
) -> None:
    message = unchanged(put("title", b"1"), put("never", b"1"), since=since)
    error = refusal(message, tombstone(version=5, fields=["title"]))
    assert named(error) == ["title", "never"]
    assert json.loads(error.details or b"")["action"] == "delete"
    again = unchanged(put("title", b"1"), since=5)
    assert committed(decide(again, tombstone(version=5, fields=["title"]))).changed == ["title"]


def test_a_push_of_the_whole_record_is_a_write_of_the_fields_that_it_changes() -> None:
    pushed = decide_push(push(b'{"title":"b","done":true}'), TITLE_AT_5, context(9))
    after = committed(pushed).record
    assert named(refusal(unchanged(put("title", b"1"), put("done", b"1"), since=7), after)) == [
        "title"
    ]
    buried = committed(decide_push(push(None, DELETE), after, context(10))).record
    assert named(refusal(unchanged(put("done", b"1"), since=9), buried)) == ["done"]
