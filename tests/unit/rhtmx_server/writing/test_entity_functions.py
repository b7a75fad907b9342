"""The program's functions about a write: what fills in a record, and how each is measured."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from msgspec import structs

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    ChangeAction,
    Error,
    FieldAction,
    FieldPushAck,
    FieldUpdate,
    Push,
    PushAck,
    PushFields,
    Transaction,
    TransactionAck,
    TransactionWrite,
)
from rhtmx.values.transaction_writes import writes_of
from rhtmx.wire import ServerMessage
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.guard import Guard
from rhtmx_server.access.parts import Partitions
from rhtmx_server.access.rules import Rule, anyone, claim, nobody, owner, role
from rhtmx_server.model import Commit, Granularity, Mutation, Record
from rhtmx_server.stores.memory import MemoryStore
from rhtmx_server.times import to_datetime
from rhtmx_server.trackers.changes import changes_decider
from rhtmx_server.trackers.policy import policies
from rhtmx_server.verdicts import Forbidden, Invalid
from rhtmx_server.writing.batch import Batch
from rhtmx_server.writing.entity_functions import EntityFunctions
from tests.unit.rhtmx_server.delivery.reading_world import DECIDERS, run
from tests.unit.rhtmx_server.fakes import NOW, push_fields, update

ADA, EVE, CLERK = Grant("ada"), Grant("eve"), Grant("bob", roles={"clerk"})
OWNERS = Partitions([["owner"]])

Functions = list[Callable[..., Any]]


class Server:
    """A store of `tasks` with functions of the program, and batches on it."""

    def __init__(
        self,
        *prepares: Callable[..., Any],
        checks: Functions | None = None,
        functions: EntityFunctions | None = None,
        **rules: Rule,
    ) -> None:
        named: Any = rules
        self.guard = Guard(OWNERS if rules else None, named, checks or (), prepares)
        self.functions = functions or EntityFunctions()
        self.deciders = dict(DECIDERS)
        self.store = MemoryStore(new_epoch=lambda: "e")
        self.commits: list[Commit] = []
        self.now = NOW

    def take(self, mutation: Mutation) -> list[ServerMessage]:
        self.now += 10
        batch = Batch(
            [mutation],
            self.deciders,
            "e",
            self.now,
            guards={"tasks": self.guard},
            functions=self.functions,
        )
        run(self.store.commit(batch.wanted(), batch.decide))
        self.commits += batch.commits
        return list(batch.replies[0])

    def one(self, message: Push | PushFields, who: Grant | None = ADA) -> Any:
        """The last message of the answer."""
        client = None if who is None or message.seq is None else f"c-{who.subject}"
        subject = "" if who is None else who.subject
        return self.take(Mutation(message, lambda _: None, client, subject, who=who))[-1]

    @property
    def record(self) -> Record:
        record = run(self.store.record("tasks", "1"))
        assert record is not None
        return record

    @property
    def data(self) -> Any:
        return json.loads(self.record.data or b"null")


def put(seq: int | None = None, **data: Any) -> Push:
    text = json.dumps(data).encode()
    return Push("tasks", "1", ChangeAction.UPDATE, text, seq=seq)


def drop() -> Push:
    return Push("tasks", "1", ChangeAction.DELETE)


TIMES = count(NOW + 10**6, 10**6)


def patch(**values: Any) -> PushFields:
    """Each is later than the one before."""
    at = next(TIMES)
    made = [update(name, json.dumps(each).encode(), at) for name, each in values.items()]
    return push_fields(*made)


def told(answer: Any) -> Any:
    """What an acknowledgement says was filled in."""
    assert isinstance(answer, PushAck | FieldPushAck), answer
    return None if answer.prepared is None else json.loads(answer.prepared)


def stamp(who: Any, after: Any) -> Any:
    return {"owner": who.subject if who else "nobody", "status": after.get("status", "open")}


# What is filled in.


@pytest.mark.parametrize("write", [put, patch])
def test_what_is_filled_in_is_part_of_the_commit_that_creates_and_its_author_is_told(
    write: Callable[..., Any],
) -> None:
    tasks = Server(stamp)
    answer = tasks.one(write(title="a", owner="eve"))
    assert tasks.data == {"title": "a", "owner": "ada", "status": "open"}
    assert told(answer) == {"owner": "ada", "status": "open"}
    assert answer.version == 1
    (commit,) = tasks.commits
    assert commit.changed == ["owner", "status", "title"]
    assert {name: clock.version for name, clock in tasks.record.clocks.items()} == {
        "owner": 1,
        "status": 1,
        "title": 1,
    }


def test_a_pushed_field_that_was_replaced_does_not_count_as_applied() -> None:
    tasks = Server(stamp)
    answer = tasks.one(patch(title="a", owner="eve", status="open"))
    assert (answer.applied, told(answer)) == (2, {"owner": "ada"})


@pytest.mark.parametrize("write", [put, patch])
def test_only_what_creates_a_record_is_filled_in(write: Callable[..., Any]) -> None:
    seen: list[Any] = []
    tasks = Server(lambda who, after: seen.append(after))
    tasks.one(write(n=1))
    assert told(tasks.one(write(n=2))) is None
    tasks.one(drop())
    tasks.one(drop())
    tasks.one(write(n=3))
    assert seen == [{"n": 1}, {"n": 3}]


def test_what_an_operation_begins_is_filled_in() -> None:
    tasks = Server(stamp)
    tasks.one(push_fields(FieldUpdate("n", b"2", FieldAction.INCREMENT, to_datetime(NOW))))
    assert tasks.data == {"n": 2, "owner": "ada", "status": "open"}


def test_what_the_program_writes_is_filled_in_too() -> None:
    tasks = Server(stamp)
    assert told(tasks.one(put(), None)) == {"owner": "nobody", "status": "open"}


@pytest.mark.parametrize("answer", [None, {}, {"n": 1.0, "o": {"a": 1, "b": [2]}}])
def test_where_nothing_differs_nothing_is_told_and_nothing_rewritten(answer: Any) -> None:
    tasks = Server(lambda who, after: answer)
    text = b'{ "n":1.00,"o":{"b":[2],"a":1} }'
    assert told(tasks.one(Push("tasks", "1", ChangeAction.UPDATE, text))) is None
    assert tasks.record.data == text


def test_what_is_not_filled_in_is_kept_to_the_digit() -> None:
    tasks = Server(lambda who, after: {"at": b"7"[0], "id": 12345678901234567890})
    tasks.one(Push("tasks", "1", ChangeAction.UPDATE, b'{"n": 1.50, "at":1}'))
    assert tasks.record.data == b'{"n":1.50,"at":55,"id":12345678901234567890}'


def test_each_function_sees_what_those_before_it_filled_in_and_cannot_change_it() -> None:
    seen: list[Any] = []

    def second(who: Any, after: Any) -> Any:
        seen.append(dict(after))
        after["title"] = "changed"
        return {"status": "late", "by": after["owner"]}

    tasks = Server(stamp, second, lambda who, after: seen.append(after))
    tasks.one(put(title="a"))
    assert seen == [
        {"title": "a", "owner": "ada", "status": "open"},
        {"title": "a", "owner": "ada", "status": "late", "by": "ada"},
    ]
    assert tasks.data == seen[1]


def test_what_is_filled_in_comes_after_the_delete_before_it() -> None:
    tasks = Server(stamp)
    tasks.one(put())
    tasks.one(drop())
    gone = tasks.record.clocks["owner"].timestamp
    tasks.now -= 1_000  # the clock was set back
    tasks.one(put())
    assert tasks.record.clocks["owner"].timestamp > gone


def test_an_entity_without_fields_is_filled_in_like_any_other() -> None:
    tasks = Server(stamp)
    tasks.deciders[Push] = changes_decider(policies({"tasks": None}))
    assert told(tasks.one(put())) == {"owner": "ada", "status": "open"}
    assert tasks.commits[0].granularity is Granularity.RECORDS


@pytest.mark.parametrize("data", [None, b"null", b"[1]", b'"text"', b"7"])
def test_what_has_no_fields_is_rejected_in_words(data: bytes | None) -> None:
    tasks = Server(stamp)
    answer = tasks.one(Push("tasks", "1", ChangeAction.UPDATE, data))
    assert isinstance(answer, Error)
    assert answer.code is ErrorCode.INVALID_DATA
    assert answer.message.startswith("tasks/1: a JSON object expected")


def test_a_record_does_not_grow_beyond_the_limit_by_what_is_filled_in() -> None:
    tasks = Server(stamp, functions=EntityFunctions(max_record=100))
    answer = tasks.one(put(title="x" * 60))
    assert isinstance(answer, Error)
    assert answer.code is ErrorCode.INVALID_DATA
    assert "with what the server fills in, at most 100 are allowed" in answer.message
    assert told(tasks.one(put(title="x" * 40))) is not None


DEEP: Any = []
for _ in range(40):
    DEEP = [DEEP]


async def waits(who: Any, after: Any) -> Any: ...


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (True, "returned bool: return a dict of fields, or nothing"),
        ([("a", 1)], "returned list"),
        ({"a": float("nan")}, "holds NaN or an infinity"),
        ({"a": object()}, "cannot be written as JSON"),
        ({"__proto__": 1}, "its fields"),
        ({"a": DEEP}, "its fields"),
    ],
)
def test_what_cannot_be_fields_writes_nothing_and_is_logged(
    answer: Any, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    tasks = Server(lambda who, after: answer)
    error = tasks.one(put(a=1))
    assert isinstance(error, Error)
    assert error.code is ErrorCode.INTERNAL
    assert tasks.commits == []
    assert words in caplog.text
    assert "prepare test_what_cannot_be_fields" in caplog.text


def test_one_that_waits_is_refused_in_words(caplog: pytest.LogCaptureFixture) -> None:
    """A plain function may return a coroutine: that is seen when it is called only."""
    tasks = Server(checks=[lambda who, before, after: waits(who, after)])
    error = tasks.one(put(a=1))
    assert isinstance(error, Error)
    assert error.code is ErrorCode.INTERNAL
    assert "returned coroutine, which waits, and a check runs in the transaction" in caplog.text
    tasks = Server(waits)
    assert isinstance(tasks.one(put(a=1)), Error)
    assert "a prepare runs in the transaction: return a dict" in caplog.text


@pytest.mark.parametrize(
    ("verdict", "code"),
    [(Invalid("no", field="a"), ErrorCode.INVALID), (Forbidden(), ErrorCode.FORBIDDEN)],
)
def test_what_fills_in_may_refuse(verdict: Exception, code: ErrorCode) -> None:
    def refuse(who: Any, after: Any) -> Any:
        raise verdict

    answer = Server(refuse).one(put(a=1))
    assert isinstance(answer, Error)
    assert answer.code is code


# With checks and access.


def test_checks_and_access_look_at_what_was_filled_in() -> None:
    seen: list[Any] = []
    tasks = Server(
        stamp,
        checks=[lambda who, before, after: seen.append(after["owner"])],
        read=owner("owner"),
        create=owner("owner"),
    )
    assert told(tasks.one(put(owner="eve"))) == {"owner": "ada", "status": "open"}
    assert seen == ["ada"]
    assert tasks.commits[0].after == {'{"owner":"ada"}'}


def give_away(who: Any, after: Any) -> Any:
    return {"owner": "eve", "secret": "canary"}


@pytest.mark.parametrize(("who", "reads"), [(ADA, False), (EVE, True), (CLERK, True)])
def test_only_who_may_read_what_they_created_is_told_what_was_filled_in(
    who: Grant, reads: bool
) -> None:
    tasks = Server(give_away, read=owner("owner") | role("clerk"), create=anyone)
    assert ("canary" in str(told(tasks.one(put(), who)))) is reads


def test_a_hidden_record_is_answered_as_any_that_may_not_be_created() -> None:
    answers = []
    for has in (True, False):
        tasks = Server(stamp, read=owner("owner"), create=nobody)
        if has:
            tasks.one(put(), None)
        answers.append((tasks.one(put()), tasks.one(patch(n=1))))
    assert answers[0] == answers[1]
    assert {each.code for each in answers[0]} == {ErrorCode.FORBIDDEN}


def test_a_write_that_is_sent_once_more_gets_the_same_answer() -> None:
    numbers = count()
    tasks = Server(lambda who, after: {"number": next(numbers)})
    first = tasks.one(put(seq=1, a=1))
    assert told(first) == {"number": 0}
    again = tasks.one(put(seq=1, a=1))
    assert again == replace(first, duplicate=True)
    assert (next(numbers), len(tasks.commits)) == (1, 1)


@pytest.mark.parametrize("lost_by", ["moved", "moved back", "deleted"])
def test_an_answer_that_is_sent_once_more_tells_nothing_that_may_not_be_read_any_more(
    lost_by: str,
) -> None:
    def secret(who: Any, after: Any) -> Any:
        return {"secret": "canary"}

    tasks = Server(secret, read=owner("owner"), create=anyone, update=anyone)
    assert "canary" in str(told(tasks.one(put(seq=1, owner="ada"))))
    assert "canary" in str(told(tasks.one(put(seq=1, owner="ada"))))
    tasks.one(drop() if lost_by == "deleted" else put(owner="eve"), None)
    if lost_by == "moved back":
        tasks.one(put(owner="ada", secret="another"), None)
    again = told(tasks.one(put(seq=1, owner="ada")))
    # It was theirs then, and is theirs now.
    assert ("canary" in str(again)) is (lost_by == "moved back")


def test_nor_what_it_was_when_its_author_may_read_only_what_it_is_now() -> None:
    team = claim("team", field="team")
    tasks = Server(lambda who, after: {"secret": "canary"}, read=team, create=anyone)
    red, blue = (Grant("ada", claims={"team": each}) for each in ("red", "blue"))
    assert told(tasks.one(put(seq=1, team="red"), red)) == {"secret": "canary"}
    tasks.one(put(team="blue"), None)
    assert told(tasks.one(put(seq=1, team="red"), blue)) is None


def test_each_write_of_a_transaction_tells_what_was_filled_in() -> None:
    tasks = Server(stamp)
    writes = [
        TransactionWrite("tasks", "1", ChangeAction.UPDATE, b"{}"),
        TransactionWrite("tasks", "1", fields=[update("n", b"1")]),
        TransactionWrite("tasks", "2", fields=[update("n", b"1")]),
    ]
    message = Transaction(writes, seq=1)
    whole = Mutation(message, lambda _: None, "c", "ada", who=ADA)
    whole.writes = [structs.replace(whole, message=each) for each in writes_of(message)]
    for duplicate in (None, True):
        (answer,) = tasks.take(whole)
        assert isinstance(answer, TransactionAck)
        assert answer.duplicate is duplicate
        prepared = [each.prepared for each in answer.results]
        assert prepared[1] is None
        assert {prepared[0], prepared[2]} == {b'{"owner":"ada","status":"open"}'}


# Measured.


class Clock:
    """Seconds, of which each function takes some."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def slow(self, seconds: float) -> Callable[..., None]:
        def sleepy(*_: Any) -> None:
            self.now += seconds

        return sleepy


def test_each_call_is_measured_whatever_comes_of_it() -> None:
    clock, measured = Clock(), list[tuple[str, float]]()

    def refuse(who: Any, before: Any, after: Any) -> None:
        clock.now += 4
        raise Invalid("no")

    functions = EntityFunctions(lambda *each: measured.append(each), elapsed=clock)
    tasks = Server(clock.slow(1), checks=[clock.slow(2), refuse], functions=functions)
    tasks.one(put(a=1))
    assert measured == [("tasks", 1), ("tasks", 2), ("tasks", 4)]


def test_a_function_that_takes_long_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    slow, quick = clock.slow(0.5), clock.slow(0.25)
    slow.__qualname__, quick.__qualname__ = "slow", "quick"
    functions = EntityFunctions(budget=0.25, elapsed=clock)
    tasks = Server(slow, checks=[quick, slow], functions=functions)
    for _ in range(3):
        tasks.one(put(a=1))
        tasks.one(drop())
    assert [each.getMessage().partition(", and")[0] for each in caplog.records] == [
        "entity 'tasks': prepare slow took 0.500 s",
        "entity 'tasks': check slow took 0.500 s",
    ]


@pytest.mark.parametrize("measured", [True, False])
def test_rules_are_measured_where_what_is_not_ours_judges(
    caplog: pytest.LogCaptureFixture, measured: bool
) -> None:
    clock, seen = Clock(), list[tuple[str, float]]()
    functions = EntityFunctions(lambda *said: seen.append(said), budget=0.25, elapsed=clock)
    mutation = Mutation(put(a=1), lambda reply: None)
    functions.judge(clock.slow(0.5), mutation, None, b"{}", (), measured=measured)
    assert seen == ([("tasks", 0.5)] if measured else [])
    said = [each.getMessage().partition(", and")[0] for each in caplog.records]
    assert said == (["entity 'tasks': server_only_rules took 0.500 s"] if measured else [])


def _refusal(*wrong: Invalid) -> RhtmxError:
    def judge(*write: object) -> None:
        raise Invalid.several(wrong)

    with pytest.raises(RhtmxError) as caught:
        EntityFunctions().judge(judge, Mutation(put(a=1), lambda reply: None), None, b"{}", ())
    return caught.value


def test_a_broken_rule_is_told_with_its_field() -> None:
    title, whole = Invalid("is required", field="title"), Invalid("is due before it starts")
    assert _refusal(title, whole).message == "title: is required; is due before it starts"


def test_of_many_broken_rules_the_message_is_short_and_the_details_have_all() -> None:
    error = _refusal(*(Invalid("is wrong", field=f'notes["{n:0500}"]') for n in range(50)))
    assert len(error.message) == 1001
    assert len(error.violations) == 50
