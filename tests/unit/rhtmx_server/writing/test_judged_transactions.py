"""Who may write what in a transaction: write by write, by the rules of a write alone."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from msgspec import structs

from rhtmx.errors import ErrorCode
from rhtmx.messages import Error, FieldConflict, Push, PushFields, TransactionAck
from rhtmx.values.transaction_writes import transaction_of, writes_of
from rhtmx.wire import ServerMessage
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.rules import Rule, anyone, claim, role
from rhtmx_server.model import Mutation
from tests.unit.rhtmx_server.fakes import NOW
from tests.unit.rhtmx_server.writing.test_judgement import (
    ADA,
    BLUE,
    CANARY,
    EVE,
    RED,
    Server,
    closed,
    code,
    drop,
    fields,
    put,
    server,
)

TEAM = claim("team")
PAST = NOW - 1_000_000


def together(who: Grant | None, *writes: Push | PushFields, seq: int | None = None) -> Mutation:
    """A transaction of somebody, as `Services.submit` puts it in line."""
    subject = "" if who is None else who.subject
    client_id = f"c-{subject}" if seq else None
    message = transaction_of(writes, seq)
    whole = Mutation(message, lambda _: None, client_id, subject, who=who)
    whole.writes = [structs.replace(whole, message=each) for each in writes_of(message)]
    return whole


def answered(tasks: Server, mutation: Mutation) -> list[ServerMessage]:
    return tasks.batch(mutation)[0]


def faults(reply: list[ServerMessage]) -> list[tuple[int, str, str]]:
    """(index, code, words) of each rejected write."""
    last = reply[-1]
    assert isinstance(last, Error)
    told = json.loads(last.details or b"{}")["writes"]
    return [(each["index"], each["code"], each["message"]) for each in told]


def test_one_write_that_is_forbidden_rejects_all_of_them() -> None:
    tasks = closed(TEAM, TEAM)
    tasks.one(put("2", team="blue", title=CANARY))
    writes = put("1", team="red"), fields("2", title="mine"), put("3", team="red")
    reply = answered(tasks, together(ADA, *writes))
    assert code(reply) is ErrorCode.FORBIDDEN
    assert faults(reply) == [(1, "forbidden", "tasks/2: you may not write this")]
    assert CANARY not in repr(reply)
    assert (tasks.data("1"), tasks.data("3")) == (None, None)
    assert tasks.data("2") == {"team": "blue", "title": CANARY}
    assert (tasks.in_part(RED), tasks.in_part(BLUE)) == ([], [("2", False)])
    assert len(tasks.history) == 1, "the history tells nothing of what was taken back"


def test_each_write_is_judged_by_what_the_ones_before_it_made() -> None:
    tasks = closed(TEAM, TEAM)
    reply = answered(tasks, together(ADA, put(team="red"), fields(title="a"), drop()))
    assert isinstance(reply[-1], TransactionAck)
    # To give a record away in the middle is as forbidden as at the end.
    reply = answered(tasks, together(ADA, put(team="red"), fields(team="blue"), drop()))
    assert [index for index, _, _ in faults(reply)] == [1]
    assert tasks.data() is None


def test_a_check_of_one_write_rejects_all_and_sees_what_is_merged() -> None:
    seen: list[object] = []

    def check(who: object, before: object, after: object) -> None:
        seen.append((before, after))
        if after == {"n": 2}:
            raise ZeroDivisionError(CANARY)

    tasks = server(check)
    reply = answered(tasks, together(ADA, put("1", n=1), fields("1", n=2), put("2", n=3)))
    assert seen == [(None, {"n": 1}), ({"n": 1}, {"n": 2}), (None, {"n": 3})]
    assert [(index, word) for index, word, _ in faults(reply)] == [(1, "internal")]
    assert CANARY not in repr(reply)
    assert tasks.history == []


def test_what_is_hidden_is_answered_as_what_is_not_there() -> None:
    def told(entity_id: str, write: Callable[[str], Push | PushFields]) -> str:
        tasks = closed(TEAM, TEAM)
        tasks.one(put("1", team="blue", title=CANARY))
        reply = answered(tasks, together(ADA, put("3", team="red"), write(entity_id)))
        assert CANARY not in repr(reply)
        return repr(reply).replace(f"tasks/{entity_id}", "")

    for write in (
        lambda entity_id: put(entity_id, base=7, team="red"),
        lambda entity_id: put(entity_id, team="blue"),
        lambda entity_id: fields(entity_id, time=PAST, title="x"),
    ):
        assert told("1", write) == told("2", write)


@pytest.mark.parametrize("lost_by", ["claims", "record", "delete"])
@pytest.mark.parametrize("place", [0, 1], ids=["of its first record", "of its second record"])
def test_an_answer_that_was_kept_tells_no_values_of_any_record_once_a_right_is_lost(
    lost_by: str, place: int
) -> None:
    tasks = server(read=TEAM | role("clerk"), create=anyone, update=anyone, delete=anyone)
    ids = ("1", "2")
    for entity_id in ids:
        tasks.one(put(entity_id, team="red", title=CANARY))
    transactions: list[Callable[[Grant], Mutation]] = [
        lambda who: together(who, *(fields(each, PAST, title="old", x=1) for each in ids), seq=1),
        lambda who: together(who, *(put(each, 7, team="red") for each in ids), seq=2),
    ]
    for make in transactions:
        first, again = (repr(answered(tasks, make(ADA))) for _ in "12")
        assert first.count(CANARY) == again.count(CANARY) == 2
    who = Grant("ada", claims={"team": "blue"}) if lost_by == "claims" else ADA
    if lost_by == "record":
        tasks.one(fields(ids[place], team="blue"))
    elif lost_by == "delete":
        tasks.one(drop(ids[place]))
    (ack,), (error,) = (answered(tasks, make(who)) for make in transactions)
    assert CANARY not in repr((ack, error))
    assert isinstance(ack, TransactionAck)
    assert (ack.duplicate, [each.conflicts for each in ack.results]) == (True, [0, 0])
    assert isinstance(error, Error)
    assert (error.code, error.details) == (ErrorCode.CONFLICT, None)
    assert "when it came first" in error.message
    clerk = Grant("ada", roles={"clerk"})
    kept = answered(tasks, transactions[0](clerk))
    assert [type(each) for each in kept] == [FieldConflict, FieldConflict, TransactionAck]


@pytest.mark.parametrize("rule", [TEAM, anyone], ids=["closed", "open"])
def test_one_that_is_rejected_leaves_no_trace_for_those_after_it_in_its_batch(rule: Rule) -> None:
    """What was deleted in sight of somebody, still is: an old write of theirs loses against it."""

    def told(*before: Mutation) -> str:
        tasks = closed(rule, rule)
        tasks.one(put("1", team="blue", title="x"))
        tasks.one(drop("1"))
        late = Mutation(fields("1", PAST, title="late", team="blue"), lambda _: None, "c", "eve")
        late.who = EVE
        return repr(tasks.batch(*before, late)[-1])

    brought_back = together(None, put("1", team="red"), put("2", base=7, team="red"))
    assert told(brought_back) == told()
    assert "FieldConflict" in told()


def test_it_is_written_in_the_parts_of_each_of_its_records() -> None:
    tasks = closed(TEAM, TEAM)
    answered(tasks, together(None, put("1", team="red"), put("2", team="blue")))
    assert tasks.in_part(RED) == [("1", False)]
    assert tasks.in_part(BLUE) == [("2", False)]
    assert [commit.after for commit in tasks.commits] == [{RED}, {BLUE}]
