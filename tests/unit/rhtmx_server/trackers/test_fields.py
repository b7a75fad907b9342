"""Facts about `rhtmx_server.trackers.fields`."""

from __future__ import annotations

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    Blame,
    BlameResult,
    FieldAction,
    FieldAuthor,
    FieldConflict,
    FieldPushAck,
    FieldUpdate,
    MergeStrategy,
    PushFields,
    Winner,
)
from rhtmx.values.changes import FieldChange
from rhtmx.values.field_operations import Add, Increment
from rhtmx.values.results import FieldPushResult
from rhtmx.wire import check_json
from rhtmx_server.model import Clock, Context, Decision, Granularity, LostWrite, Mutation, Record
from rhtmx_server.stores.memory import MemoryStore
from rhtmx_server.times import to_datetime
from rhtmx_server.trackers.fields import (
    MAX_DEPTH,
    FieldTracker,
    decide_push_fields,
    fields_decider,
)
from rhtmx_server.trackers.policy import Policy, parse_policy
from tests.unit.rhtmx_server.trackers.builders import (
    NOW,
    SECOND,
    OneRecord,
    Past,
    committed,
    context,
    drop,
    push_fields,
    put,
    record,
    tombstone,
)


def decide(
    message: PushFields,
    current: Record | None,
    when: Context | None = None,
    policy: Policy | None = None,
) -> Decision:
    return decide_push_fields(message, current, when or context(9), policy or Policy())


def acknowledgement(decision: Decision) -> FieldPushAck:
    ack = decision.reply[-1]
    assert isinstance(ack, FieldPushAck)
    return ack


# What is written.


def test_all_fields_of_a_push_are_one_commit() -> None:
    message = push_fields(put("z", b"2"), put("a", b"1"), drop("m"))
    current = record(b'{"m":0,"k":0}', version=3, time=NOW - 5)
    commit = committed(decide(message, current, context(9, NOW, "me")))
    assert commit.granularity is Granularity.FIELDS
    assert commit.changed == ["a", "m", "z"]
    assert commit.record.version == 9
    assert commit.record.data == b'{"k":0,"z":2,"a":1}'


def test_winners_are_written_though_others_lose() -> None:
    current = record(b'{"a":1,"b":1}', time=NOW)
    decision = decide(push_fields(put("a", b"2", NOW - 1), put("b", b"2", NOW + 1)), current)
    assert committed(decision).changed == ["b"]
    assert committed(decision).record.data == b'{"a":1,"b":2}'
    assert decision.lost == [LostWrite("a", b"2", NOW - 1)]


@pytest.mark.parametrize("message", [push_fields(put("a", b"2", NOW - 1)), push_fields()])
def test_without_a_winner_nothing_is_written(message: PushFields) -> None:
    decision = decide(message, record(b'{"a":1}', version=3, time=NOW))
    assert decision.commit is None
    ack = acknowledgement(decision)
    assert (ack.applied, ack.version) == (0, 3)


def test_an_empty_push_into_nothing_creates_nothing() -> None:
    decision = decide(push_fields(), None)
    assert decision.commit is None
    assert acknowledgement(decision).version is None


# What is answered.


def test_the_acknowledgement_names_the_request_and_the_position() -> None:
    message = push_fields(put("a", b"1"), put("b", b"1"), request_id="r", seq=3)
    assert decide(message, None, context(9, NOW)).reply == [
        FieldPushAck(
            entity="users",
            entity_id="1",
            applied=2,
            conflicts=0,
            version=9,
            request_id="r",
            seq=3,
            epoch="e1",
            server_time=to_datetime(NOW),
        )
    ]


def test_a_loser_is_told_both_values_and_the_rule_before_the_acknowledgement() -> None:
    current = record(b'{"a":1}', version=3, time=NOW, client_id="other")
    message = push_fields(put("b", b"2", NOW), put("a", b"2", NOW - SECOND), seq=5)
    conflict, ack = decide(message, current, context(9, NOW)).reply
    assert conflict == FieldConflict(
        entity="users",
        entity_id="1",
        field="a",
        server_value=b"1",
        server_timestamp=to_datetime(NOW),
        client_value=b"2",
        client_timestamp=to_datetime(NOW - SECOND),
        version=9,
        winner=Winner.SERVER,
        strategy=MergeStrategy.LAST_WRITE_WINS,
        seq=5,
        server_client_id="other",
    )
    assert isinstance(ack, FieldPushAck)
    assert (ack.applied, ack.conflicts, ack.version) == (1, 1, 9)


@pytest.mark.parametrize(
    ("stored", "pushed", "told"),
    [
        (put("a", b"1"), put("a", b"2"), (None, None)),
        (put("a", None), put("a", b"2"), (False, None)),
        (drop("a"), put("a", b"2"), (True, None)),
        (put("a", b"1"), put("a", None), (None, False)),
        (put("a", b"1"), drop("a"), (None, True)),
        (put("a", None), drop("a"), (False, True)),
        (drop("a"), put("a", None), (True, False)),
    ],
)
def test_a_conflict_tells_null_from_a_delete_on_either_side(
    stored: FieldUpdate, pushed: FieldUpdate, told: tuple[bool | None, bool | None]
) -> None:
    before = decide(push_fields(put("b", b"1"), stored), None, context(1, NOW, "other"))
    assert before.commit is not None
    conflict, _ = decide(
        push_fields(pushed, base_version=0), before.commit.record, context(2, NOW, "me")
    ).reply
    assert isinstance(conflict, FieldConflict)
    assert (conflict.server_deleted, conflict.client_deleted) == told


def test_a_conflict_of_a_push_that_wrote_nothing_names_the_version_that_stays() -> None:
    decision = decide(push_fields(put("a", b"2", NOW - 1)), record(b'{"a":1}', version=3))
    conflict, _ = decision.reply
    assert isinstance(conflict, FieldConflict)
    assert conflict.version == 3


def test_who_wins_over_an_unseen_write_is_told_what_he_overwrote() -> None:
    current = record(b'{"a":1}', version=3, time=NOW - 5)
    decision = decide(push_fields(put("a", b"2"), base_version=2), current)
    conflict, ack = decision.reply
    assert isinstance(conflict, FieldConflict)
    assert (conflict.winner, conflict.server_value) == (Winner.CLIENT, b"1")
    assert isinstance(ack, FieldPushAck)
    assert (ack.applied, ack.conflicts) == (1, 1)
    assert decision.lost == []


def test_keep_both_reports_and_keeps_the_pushed_value() -> None:
    current = record(b'{"a":1}', version=3, time=NOW - 5)
    message = push_fields(put("a", b"2"), base_version=2)
    decision = decide(message, current, policy=parse_policy("keep_both"))
    assert decision.commit is None
    assert decision.lost == [LostWrite("a", b"2", NOW)]
    conflict, _ = decision.reply
    assert isinstance(conflict, FieldConflict)
    assert (conflict.server_value, conflict.client_value) == (b"1", b"2")
    assert conflict.strategy is MergeStrategy.KEEP_BOTH


def test_a_write_older_than_the_delete_is_told_of_the_delete() -> None:
    decision = decide(push_fields(put("a", b"1", NOW - 1)), tombstone(version=5, time=NOW))
    assert decision.commit is None
    conflict, ack = decision.reply
    assert isinstance(conflict, FieldConflict)
    assert conflict.server_value is None
    assert conflict.server_timestamp == to_datetime(NOW)
    assert isinstance(ack, FieldPushAck)
    assert (ack.applied, ack.conflicts, ack.version) == (0, 1, 5)


def test_times_that_were_brought_back_are_counted_for_the_client() -> None:
    message = push_fields(put("a", b"1", NOW + 3600 * SECOND), put("b", b"1"))
    ack = acknowledgement(decide(message, None, context(9, NOW)))
    assert ack.clamped == 1
    assert acknowledgement(decide(push_fields(put("a", b"1")), None)).clamped is None


# What is refused.


def refusal(message: PushFields, current: Record | None, policy: Policy | None) -> RhtmxError:
    with pytest.raises(RhtmxError) as refused:
        decide_push_fields(message, current, context(9), policy)
    return refused.value


def test_an_entity_without_fields_takes_whole_records_only() -> None:
    error = refusal(push_fields(put("a", b"1")), None, None)
    assert error.code is ErrorCode.NOT_SUPPORTED
    assert error.message == "'users' is kept without fields: push whole records"


@pytest.mark.parametrize("data", [b"[1]", b'"{}"', b"7", None])
def test_a_record_that_is_no_object_takes_no_fields(data: bytes | None) -> None:
    error = refusal(push_fields(put("a", b"1")), record(data), Policy())
    assert error.code is ErrorCode.INVALID_DATA
    assert "users/1 holds no JSON object" in error.message


def test_a_field_named_twice_is_refused_by_name() -> None:
    error = refusal(push_fields(put("a", b"1"), put("b", b"1"), drop("a")), None, Policy())
    assert error.code is ErrorCode.BAD_MESSAGE
    assert "'a' is named twice" in error.message


class Counted(str):
    """A name that counts how often it is compared."""

    compared = 0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return str.__eq__(self, other)


def test_a_field_named_twice_at_the_end_is_found_in_one_go() -> None:
    names = [*(f"field {number}" for number in range(1000)), "field 999"]
    updates = [put(Counted(name), b"1") for name in names]
    with pytest.raises(RhtmxError, match="'field 999' is named twice"):
        decide(push_fields(*updates), None)
    assert Counted.compared < 2 * len(names)


def test_a_value_that_would_make_the_record_too_deep_to_read_is_refused() -> None:
    deepest = b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1)
    after = committed(decide(push_fields(put("a", deepest)), None)).record.data
    assert after is not None
    assert check_json(after, "the record") == after
    error = refusal(push_fields(put("a", b"1"), put("b", b"[" + deepest + b"]")), None, Policy())
    assert error.code is ErrorCode.INVALID_DATA
    assert "push_fields.fields[1].value: 31 levels at most" in error.message


def test_a_record_cannot_grow_without_bound_but_may_shrink() -> None:
    current = record(b'{"a":"%s","b":1}' % (b"x" * 100), time=NOW - 5)

    def limited(message: PushFields) -> Decision:
        return decide_push_fields(message, current, context(9), Policy(), max_record=50)

    with pytest.raises(RhtmxError, match="would grow to 120 bytes, at most 50") as refused:
        limited(push_fields(put("c", b"1")))
    assert refused.value.code is ErrorCode.INVALID_DATA
    assert committed(limited(push_fields(drop("b")))).record.data == b'{"a":"%s"}' % (b"x" * 100)


# The decider.


def test_the_decider_asks_for_the_policy_of_the_entity() -> None:
    policies = {"users": parse_policy("client_wins")}
    decider = fields_decider(policies.get)
    current = record(b'{"a":1}', time=NOW)
    commit = committed(decider(push_fields(put("a", b"2", NOW - 1)), current, context(9)))
    assert commit.changed == ["a"]
    with pytest.raises(RhtmxError, match="'prices' is kept without fields"):
        decider(PushFields(entity="prices", entity_id="1"), None, context())


def test_the_decider_holds_records_to_their_size() -> None:
    decider = fields_decider(lambda entity: Policy(), max_record=5)
    with pytest.raises(RhtmxError, match="at most 5 are allowed"):
        decider(push_fields(put("a", b"1")), None, context())


# The Python face.


class Committing:
    """A committer that decides over one record, without a store behind it."""

    def __init__(self, current: Record | None = None) -> None:
        self.current = current
        self.mutations: list[Mutation] = []

    def submit(self, mutation: Mutation) -> None:
        self.mutations.append(mutation)
        assert isinstance(mutation.message, PushFields)
        mutation.answer(decide(mutation.message, self.current).reply)


def tracker(committer: Committing, store: MemoryStore | None = None) -> FieldTracker:
    return FieldTracker(committer.submit, store or MemoryStore(), check_json, lambda: NOW, Past())


async def test_a_python_push_is_a_mutation_like_any_other() -> None:
    committer = Committing()
    result = await tracker(committer).push(
        "users", "1", {"a": [1]}, delete=["b"], base_version=2, client_id="c", seq=4
    )
    assert isinstance(result, FieldPushResult)
    assert (result.applied, result.conflicts, result.duplicate) == (2, (), False)
    (mutation,) = committer.mutations
    assert mutation.client_id == "c"
    assert mutation.message == PushFields(
        entity="users",
        entity_id="1",
        fields=[
            FieldUpdate(
                field="a", value=b"[1]", action=FieldAction.UPDATE, timestamp=to_datetime(NOW)
            ),
            FieldUpdate(field="b", action=FieldAction.DELETE, timestamp=to_datetime(NOW)),
        ],
        seq=4,
        base_version=2,
    )


async def test_a_python_push_may_be_for_unchanged_fields_only() -> None:
    committer = Committing(record(b'{"a":1}', version=3))
    with pytest.raises(RhtmxError, match="if_unchanged: 'a' of users/1") as refused:
        await tracker(committer).push("users", "1", {"a": 2}, base_version=2, if_unchanged=True)
    assert refused.value.code is ErrorCode.CONFLICT
    await tracker(committer).push("users", "1", {"a": 2}, base_version=3, if_unchanged=True)
    assert [mutation.message.if_unchanged for mutation in committer.mutations] == [True, True]  # type: ignore[union-attr]


async def test_an_operation_of_python_code_is_sent_as_its_action_and_operand() -> None:
    committer = Committing()
    await tracker(committer).push("users", "1", {"n": Increment(2), "tags": Add("new")})
    message = committer.mutations[0].message
    assert isinstance(message, PushFields)
    assert [(each.field, each.action, each.value) for each in message.fields] == [
        ("n", FieldAction.INCREMENT, b"2"),
        ("tags", FieldAction.ADD, b'["new"]'),
    ]


async def test_a_python_push_may_say_when_it_was_written() -> None:
    committer = Committing()
    written = to_datetime(NOW - SECOND)
    await tracker(committer).push("users", "1", {"a": 1}, timestamp=written)
    message = committer.mutations[0].message
    assert isinstance(message, PushFields)
    assert message.fields[0].timestamp == written


async def test_the_result_has_what_was_in_conflict() -> None:
    committer = Committing(record(b'{"a":1}', time=NOW + SECOND))
    result = await tracker(committer).push("users", "1", {"a": 2, "b": 2})
    assert result.applied == 1
    (conflict,) = result.conflicts
    assert (conflict.field, conflict.server_value, conflict.client_value) == ("a", 1, 2)
    assert (conflict.winner, conflict.strategy) == ("server", "last_write_wins")


async def test_a_value_that_is_not_json_is_refused_by_its_field() -> None:
    committer = Committing()
    with pytest.raises(RhtmxError, match=r"^fields\['a'\]: ") as refused:
        await tracker(committer).push("users", "1", {"a": float("nan")})
    assert refused.value.code is ErrorCode.BAD_MESSAGE
    assert committer.mutations == []


async def test_get_reads_the_fields_that_are_there() -> None:
    clocks = {"a": Clock(3, NOW, "c"), "b": Clock(4, NOW, None, True)}
    fields = tracker(Committing(), OneRecord(record(b'{"a":1}', version=4, clocks=clocks)))
    found = await fields.get("users", "1")
    assert found is not None
    assert list(found) == ["a"]
    change = found["a"]
    assert isinstance(change, FieldChange)
    assert (change.field, change.value, change.version, change.client_id) == ("a", 1, 3, "c")
    assert await fields.get("users", "2") is None
    assert await tracker(Committing(), OneRecord(tombstone())).get("users", "1") is None


async def test_a_record_that_is_no_object_has_no_fields() -> None:
    assert await tracker(Committing(), OneRecord(record(b"[1]"))).get("users", "1") == {}


async def test_blame_names_the_authors_by_field() -> None:
    past, store = Past(), MemoryStore()
    past.authors = BlameResult([FieldAuthor("a", 3, to_datetime(NOW), "c", "ada")])
    fields = FieldTracker(Committing().submit, store, check_json, lambda: NOW, past)
    (author,) = (await fields.blame("users", "1")).values()
    assert (author.field, author.version, author.client_id, author.subject) == ("a", 3, "c", "ada")
    assert past.asked == [(Blame("users", "1"), None)]
