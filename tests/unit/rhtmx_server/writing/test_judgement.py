"""Who may write what: each write is judged where it is decided, by the record before and after."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    ChangeAction,
    Error,
    FieldAction,
    FieldConflict,
    FieldPushAck,
    FieldUpdate,
    Push,
    PushAck,
    PushFields,
)
from rhtmx.wire import ServerMessage
from rhtmx_server.access.entity import Action
from rhtmx_server.access.grant import BACKEND, Grant
from rhtmx_server.access.guard import Guard
from rhtmx_server.access.parts import Partitions
from rhtmx_server.access.rules import (
    Rule,
    anyone,
    backend,
    claim,
    nobody,
    owner,
    role,
)
from rhtmx_server.model import Commit, Departure, Mutation, PartRow, Scope
from rhtmx_server.ports import BatchWrites, Snapshot
from rhtmx_server.stores.memory import MemoryStore
from rhtmx_server.times import to_datetime
from rhtmx_server.verdicts import Forbidden, Invalid
from rhtmx_server.writing.batch import Batch
from tests.unit.rhtmx_server.delivery.reading_world import DECIDERS, run
from tests.unit.rhtmx_server.fakes import NOW, push_fields, update

CANARY = "canary"
ADA, EVE = Grant("ada", claims={"team": "red"}), Grant("eve", claims={"team": "blue"})
CLERK, SERVICE = Grant("bob", roles={"clerk"}), Grant("billing", roles={BACKEND})
TEAMS = Partitions([["team"], ["team", "status"]])
RED, BLUE, OPEN = '{"team":"red"}', '{"team":"blue"}', '{"status":"open","team":"red"}'


class Server:
    """A store of `tasks` with a guard, and batches on it."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self.store = MemoryStore(new_epoch=lambda: "e")
        run(self.store.divide("tasks", TEAMS.spelt, lambda data: ()))
        self.commits: list[Commit] = []
        self.now = NOW
        self.rows: list[PartRow] = []

    def batch(self, *mutations: Mutation) -> list[list[ServerMessage]]:
        self.now += 1
        batch = Batch(mutations, DECIDERS, "e", self.now, guards={"tasks": self.guard})

        def decide(snapshot: Snapshot) -> BatchWrites:
            writes = batch.decide(snapshot)
            self.rows += writes.parts
            return writes

        run(self.store.commit(batch.wanted(), decide))
        self.commits += batch.commits
        return [list(reply) for reply in batch.replies]

    def one(
        self,
        message: Push | PushFields,
        who: Grant | None = None,
        *,
        reads: Scope = frozenset(),
        client: str | None = None,
    ) -> list[ServerMessage]:
        subject = "" if who is None else who.subject
        return self.batch(Mutation(message, lambda _: None, client, subject, who=who, reads=reads))[
            0
        ]

    def has(self, **data: Any) -> None:
        """The program writes record 1."""
        assert isinstance(self.one(put(**data))[-1], PushAck)

    def data(self, entity_id: str = "1") -> Any:
        record = run(self.store.record("tasks", entity_id))
        return None if record is None or record.data is None else json.loads(record.data)

    @property
    def history(self) -> list[Any]:
        return [entry.record.data for entry in run(self.store.history("tasks"))]

    def in_part(self, part: str, after: int = 0) -> list[tuple[str, bool]]:
        """(id, whether it left) of what happened to a part."""
        return [
            (each.entity_id, isinstance(each, Departure) or not each.live)
            for each in run(self.store.since_in("tasks", [part], after, 1000, 1000))
        ]


def closed(read: Rule, write: Rule) -> Server:
    """One rule for all that changes something."""
    return Server(Guard(TEAMS, {"read": read, "create": write, "update": write, "delete": write}))


def server(*checks: Callable[[Any, Any, Any], Any], scoped: bool = False, **rules: Rule) -> Server:
    return Server(Guard(TEAMS, rules, checks, scoped=scoped))  # type: ignore[arg-type]


def put(entity_id: str = "1", base: int | None = None, seq: int | None = None, **data: Any) -> Push:
    text = json.dumps(data).encode()
    return Push("tasks", entity_id, ChangeAction.UPDATE, text, base_version=base, seq=seq)


def drop(entity_id: str = "1", base: int | None = None) -> Push:
    return Push("tasks", entity_id, ChangeAction.DELETE, base_version=base)


LATER = NOW + 1000
"""Not yet: it counts as now."""
PAST = NOW - 1_000_000


def fields(
    entity_id: str = "1",
    time: int = LATER,
    more: Mapping[str, Any] = MappingProxyType({}),
    **values: Any,
) -> PushFields:
    made = [
        update(name, json.dumps(value).encode(), time) for name, value in {**values, **more}.items()
    ]
    return push_fields(*made, entity_id=entity_id)


def code(reply: list[ServerMessage]) -> ErrorCode | None:
    last = reply[-1]
    return last.code if isinstance(last, Error) else None


def forbidden(reply: list[ServerMessage], entity_id: str = "1") -> bool:
    """Whether it is the one answer to every write that is not allowed."""
    words = f"tasks/{entity_id}: you may not write this"
    return reply == [Error(message=words, code=ErrorCode.FORBIDDEN)]


# Rules.


TEAM = claim("team")


@pytest.mark.parametrize(
    ("rules", "who", "message", "allowed"),
    [
        ({"create": TEAM}, ADA, put("2", team="red"), True),
        ({"create": TEAM}, ADA, put("2", team="blue"), False),
        ({"create": TEAM}, ADA, put("2"), False),
        ({"create": TEAM}, ADA, put("2", team=["red"]), None),
        ({"create": TEAM}, CLERK, put("2", team="red"), False),
        ({"create": backend}, SERVICE, put("2"), True),
        ({"create": backend}, ADA, put("2"), False),
        ({"create": nobody}, SERVICE, put("2"), False),
        ({"update": anyone}, ADA, put("2", team="red"), False),
        ({"create": TEAM}, ADA, fields("2", team="red"), True),
        ({"create": TEAM}, ADA, fields("2", team="blue"), False),
        ({"create": TEAM}, ADA, fields("2", title="x"), False),
        ({"update": TEAM}, ADA, put(team="red", title="x"), True),
        ({"update": TEAM}, ADA, put(team="blue"), False),
        ({"update": TEAM}, ADA, put(title="x"), False),
        ({"update": TEAM}, ADA, fields(title="x"), True),
        ({"update": TEAM}, ADA, fields(team="blue"), False),
        ({"update": anyone}, ADA, fields(team="blue"), True),
        ({"update": owner("author")}, ADA, put(team="red", author="ada"), False),
        ({"update": owner("author")}, CLERK, fields(author="bob"), False),
        ({"create": anyone}, ADA, put(team="red"), False),
        ({"create": anyone}, ADA, fields(title="x"), False),
        ({"delete": TEAM}, ADA, drop(), True),
        ({"delete": nobody}, ADA, drop(), False),
        ({"update": anyone}, ADA, drop(), False),
        ({"delete": owner("author")}, ADA, drop(), False),
    ],
)
def test_a_write_is_judged_before_and_after_it(
    rules: dict[Action, Rule], who: Grant, message: Any, allowed: bool | None
) -> None:
    tasks = Server(Guard(TEAMS, {"read": TEAM | role("clerk"), **rules}))
    tasks.has(team="red", author="eve")
    before = tasks.history
    reply = tasks.one(message, who)
    if allowed is None:
        assert code(reply) is ErrorCode.INVALID
    elif allowed:
        assert code(reply) is None
        assert len(tasks.history) == 2
    else:
        assert forbidden(reply, message.entity_id)
    if not allowed:
        assert tasks.history == before


def test_the_program_itself_may_everything_that_is_not_impossible() -> None:
    tasks = server(read=nobody, write=nobody)
    for message in (put(team="red"), fields(team="blue"), drop()):
        assert code(tasks.one(message)) is None
    assert code(tasks.one(put(team=["red"]))) is ErrorCode.INVALID


def test_a_right_to_too_many_parts_writes_nothing_and_costs_nobody_else_anything() -> None:
    many = Grant("ada", claims={"team": [str(n) for n in range(2000)]})
    tasks = server(read=TEAM, create=anyone, update=anyone)
    tasks.has(team="1")
    replies = tasks.batch(
        Mutation(put(team="1"), lambda _: None, who=many),
        Mutation(put("2", team="red"), lambda _: None, who=ADA),
    )
    assert (code(replies[0]), code(replies[1])) == (ErrorCode.FORBIDDEN, None)


# What one may not see is not there.


HIDDEN: list[tuple[str, Callable[[str], Push | PushFields]]] = [
    ("delete", drop),
    ("delete of a version", lambda entity_id: drop(entity_id, 1)),
    ("push that expects a version", lambda entity_id: put(entity_id, 1, team="red")),
    ("field named twice", lambda entity_id: PushFields("tasks", entity_id, [*_two("a", "a")])),
    ("field without a time", lambda entity_id: PushFields("tasks", entity_id, [FieldUpdate("a")])),
    ("field that nobody wrote", lambda entity_id: unchanged(fields(entity_id, team="blue"))),
    ("field unchanged since", lambda entity_id: unchanged(fields(entity_id, title="x"), 1)),
    ("what no part can have", lambda entity_id: put(entity_id, team=[CANARY[:1]])),
    ("what a check refuses", lambda entity_id: put(entity_id, team="red", title="")),
    ("another team's", lambda entity_id: put(entity_id, team="blue")),
    ("another team's by field", lambda entity_id: fields(entity_id, team="blue")),
]


def unchanged(message: PushFields, since: int | None = None) -> PushFields:
    message.base_version, message.if_unchanged = since, True
    return message


def _two(*names: str) -> list[FieldUpdate]:
    return [update(name, b"1") for name in names]


def has_title(who: Any, before: Any, after: Any) -> None:
    if after is not None and after.get("title") == "":
        raise Invalid(f"was {before}", field="title")


@pytest.mark.parametrize("message", [each for _, each in HIDDEN], ids=[name for name, _ in HIDDEN])
def test_a_write_to_what_is_hidden_is_answered_as_one_to_what_is_not_there(message: Any) -> None:
    replies = []
    for entity_id in ("1", "2"):
        tasks = server(has_title, read=TEAM, write=nobody, create=TEAM, update=TEAM, delete=TEAM)
        tasks.has(team="blue", title=CANARY)
        reply = tasks.one(message(entity_id), ADA)
        assert len(tasks.history) == 1
        replies.append(
            repr(reply)
            .replace(f"tasks/{entity_id}", "tasks/_")
            .replace(f"entity_id='{entity_id}'", "entity_id='_'")
        )
    assert replies[0] == replies[1]
    assert CANARY not in replies[0]


@pytest.mark.parametrize(
    "message",
    [
        put(team="red"),
        put(base=0, team="red"),
        fields(team="red"),
        fields(title="x"),
        unchanged(fields(title="x")),
    ],
)
def test_what_is_hidden_cannot_be_created_once_more(message: Any) -> None:
    tasks = server(read=TEAM, create=anyone, update=anyone)
    tasks.has(team="blue", title=CANARY)
    assert forbidden(tasks.one(message, ADA))
    assert tasks.data() == {"team": "blue", "title": CANARY}


def test_a_check_is_not_told_of_what_is_hidden() -> None:
    seen: list[Any] = []
    tasks = server(lambda who, before, after: seen.append(before), read=TEAM, create=anyone)
    tasks.has(team="blue", title=CANARY)
    assert forbidden(tasks.one(put(team="red"), ADA))
    assert seen == [None, None]


def test_a_conflict_shows_the_record_to_those_only_who_may_see_it() -> None:
    tasks = server(read=TEAM | role("clerk"), update=anyone)
    tasks.has(team="blue", title=CANARY)
    for who, shown in ((EVE, True), (CLERK, True), (ADA, False)):
        reply = tasks.one(put(base=7, team="blue"), who)
        assert code(reply) is ErrorCode.CONFLICT
        assert (CANARY in repr(reply)) is shown


GONE: list[tuple[str, Callable[[str], Push | PushFields]]] = [
    ("create", lambda entity_id: put(entity_id, team="red")),
    ("create what must not be there", lambda entity_id: put(entity_id, 0, team="red")),
    ("expect what was deleted", lambda entity_id: put(entity_id, 1, team="red")),
    ("expect the delete", lambda entity_id: put(entity_id, 2, team="red")),
    ("expect another version", lambda entity_id: put(entity_id, 7, team="red")),
    ("delete", lambda entity_id: drop(entity_id)),
    ("delete what is expected", lambda entity_id: drop(entity_id, 1)),
    ("an old field", lambda entity_id: fields(entity_id, time=PAST, team="red", title="old")),
    ("an old field that it had", lambda entity_id: fields(entity_id, time=PAST, title="old")),
    ("a field of now", lambda entity_id: fields(entity_id, team="red", title="new")),
    ("fields of which it saw some", lambda entity_id: seeing(1, fields(entity_id, team="red"))),
    ("a field that nobody wrote", lambda entity_id: unchanged(fields(entity_id, team="red"))),
    ("a field unchanged since", lambda entity_id: unchanged(fields(entity_id, team="red"), 1)),
    ("another team's", lambda entity_id: put(entity_id, team="blue")),
    ("the delete of a field", lambda entity_id: push_fields(
        FieldUpdate("title", action=FieldAction.DELETE, timestamp=to_datetime(PAST)),
        update("team", b'"red"', PAST),
        entity_id=entity_id,
    )),
]  # fmt: skip
"""Writes of somebody of team red, to what another team had and deleted."""


def seeing(base: int, message: PushFields) -> PushFields:
    message.base_version = base
    return message


@pytest.mark.parametrize("together", [False, True], ids=["later", "in the same batch"])
@pytest.mark.parametrize("message", [each for _, each in GONE], ids=[name for name, _ in GONE])
def test_a_write_to_what_was_deleted_out_of_sight_is_answered_as_one_to_what_never_was(
    message: Any, together: bool
) -> None:
    told = []
    for entity_id in ("1", "2"):
        tasks = closed(TEAM | role("clerk"), TEAM)
        tasks.has(team="blue", title=CANARY)
        mutation = Mutation(message(entity_id), lambda _: None, "c", "ada", who=ADA)
        last = (Mutation(drop(), lambda _: None), mutation)
        replies = tasks.batch(*last) if together else [tasks.batch(each)[0] for each in last]
        # And what follows once it is made: old writes to other fields, and to those it had.
        follow: list[Push | PushFields] = [
            fields(entity_id, time=PAST, title="2"),
            fields(entity_id, time=PAST, other=1),
            seeing(1, fields(entity_id, time=PAST, third=1)),
            put(entity_id, team="red", title="3"),
            drop(entity_id),
            fields(entity_id, time=PAST, title="late"),
            fields(entity_id, time=PAST, fourth=1),
        ]
        replies += [tasks.one(each, ADA) for each in follow]
        record = run(tasks.store.record("tasks", entity_id))
        told.append(
            (repr(replies[1:]).replace(f"entity_id='{entity_id}'", "").replace(
                f"tasks/{entity_id}", ""), record.data if record and record.live else None)
        )  # fmt: skip
    assert told[0] == told[1]
    assert CANARY not in told[0][0]


def test_those_who_saw_a_record_are_told_that_it_was_deleted() -> None:
    for scoped in (False, True):
        tasks = server(read=TEAM | role("clerk"), update=anyone, create=anyone, scoped=scoped)
        tasks.has(team="blue")
        tasks.one(drop())
        reads = frozenset({BLUE})
        assert "was deleted in version 2" in repr(tasks.one(put(base=1), EVE, reads=reads))
        assert "does not exist" in repr(tasks.one(put(base=1), ADA))
        if scoped:
            assert "was deleted in version 2" in repr(tasks.one(put(base=1), ADA, reads=None))
        else:
            assert "was deleted in version 2" in repr(tasks.one(put(base=1), CLERK))
        assert "was deleted in version 2" in repr(tasks.one(put(base=1), None))


def test_whoever_could_not_see_a_record_makes_it_anew_for_those_who_could() -> None:
    tasks = closed(TEAM | role("clerk"), TEAM | role("clerk"))
    tasks.has(team="blue", title=CANARY, note="x")
    tasks.one(drop())
    tasks.one(fields(time=PAST - 5, team="red", title="mine"), ADA)
    record = run(tasks.store.record("tasks", "1"))
    assert record is not None
    assert (record.version, record.action) == (3, ChangeAction.CREATE)
    assert record.clocks["title"].timestamp == PAST - 5, "its time tells nothing of the delete"
    assert (record.clocks["note"].deleted, record.clocks["note"].version) == (True, 2)
    # Who saw the delete is compared with it: what is older loses.
    for author, name in ((CLERK, "note"), (None, "note"), (CLERK, "never"), (None, "never")):
        (conflict, ack) = tasks.one(fields(time=PAST, more={name: "late"}), author)
        assert isinstance(conflict, FieldConflict)
        assert isinstance(ack, FieldPushAck)
        assert ack.applied == 0
    # Also after the new one was deleted, with what it had never known of.
    tasks.one(drop(), ADA)
    (_, ack) = tasks.one(fields(time=NOW, note="late"), CLERK)
    assert isinstance(ack, FieldPushAck)
    assert (ack.applied, tasks.data()) == (0, None)


def test_a_field_that_was_gone_before_a_record_came_is_one_that_it_never_had() -> None:
    told = []
    for name in ("title", "other"):
        tasks = closed(TEAM | role("clerk"), TEAM | role("clerk"))
        tasks.has(team="blue", title=CANARY)
        tasks.has(team="blue")
        tasks.one(put(team="red"), CLERK)
        assert isinstance(tasks.one(fields(time=PAST, title="x"), CLERK)[0], FieldConflict)
        replies = [
            tasks.one(seeing(1, fields(time=PAST, more={name: 1})), ADA),
            tasks.one(fields(time=PAST - 1, more={name: 2}), ADA),
        ]
        told.append(repr(replies).replace(name, "_"))
    assert told[0] == told[1]


def test_a_field_that_was_gone_before_a_record_came_was_never_written() -> None:
    tasks = closed(TEAM | role("clerk"), TEAM | role("clerk"))
    tasks.has(team="blue", title=CANARY)
    tasks.has(team="blue")
    tasks.one(put(team="red"), CLERK)
    assert code(tasks.one(unchanged(fields(title="x")), CLERK)) is ErrorCode.CONFLICT
    assert code(tasks.one(unchanged(fields(team="red")), ADA)) is ErrorCode.CONFLICT
    assert code(tasks.one(unchanged(fields(title="x")), ADA)) is None


def test_a_field_that_is_removed_in_sight_stays_removed() -> None:
    tasks = closed(TEAM, TEAM)
    tasks.has(team="red", status="open", title="x")
    tasks.one(put(team="red", status="done"), ADA)  # another part, that gives nobody a right
    conflict, _ = tasks.one(fields(time=PAST, title="late"), ADA)
    assert isinstance(conflict, FieldConflict)


def test_a_field_write_older_than_the_delete_loses_whoever_writes() -> None:
    tasks = server(read=TEAM, write=anyone, create=TEAM, update=TEAM)
    tasks.has(team="red", title="x")
    tasks.one(drop())
    old = fields(time=NOW - 1_000_000, team="red", title="old")
    old.base_version = 1
    ack = tasks.one(old, ADA)[-1]
    assert isinstance(ack, FieldPushAck)
    assert (ack.applied, tasks.data()) == (0, None)
    assert forbidden(tasks.one(old, CLERK)), "who may create nothing is told nothing"


def test_a_field_write_that_loses_is_judged_too_and_leaves_no_trace() -> None:
    tasks = server(read=anyone, update=TEAM)
    tasks.has(team="blue", title=CANARY)
    late = fields(time=NOW - 1_000_000, title="old")
    assert forbidden(tasks.one(late, ADA))
    assert len(tasks.history) == 1
    conflict, ack = tasks.one(late, EVE)
    assert isinstance(conflict, FieldConflict)
    assert isinstance(ack, FieldPushAck)
    assert len(tasks.history) == 2


def test_where_a_function_says_what_is_read_its_answer_judges_the_write() -> None:
    tasks = server(scoped=True, update=anyone, create=anyone)
    tasks.has(team="red")
    assert forbidden(tasks.one(put(team="red"), ADA))
    assert forbidden(tasks.one(put(team="red"), ADA, reads=frozenset({BLUE})))
    assert code(tasks.one(put(team="red"), ADA, reads=frozenset({RED}))) is None
    assert code(tasks.one(put(team="red"), ADA, reads=None)) is None


# Checks.


def test_a_check_sees_who_before_and_after_as_json_and_merged() -> None:
    seen: list[Any] = []
    tasks = server(lambda who, before, after: seen.append((who, before, after)))
    tasks.one(put(a=1, b=[2]), ADA)
    tasks.one(fields(a=3), EVE)
    tasks.one(drop(), ADA)
    assert seen == [
        (ADA, None, {"a": 1, "b": [2]}),
        (EVE, {"a": 1, "b": [2]}, {"a": 3, "b": [2]}),
        (ADA, {"a": 3, "b": [2]}, None),
    ]


def wrong(message: str, details: bytes) -> Error:
    return Error(message, ErrorCode.INVALID, details=details)


def test_a_check_is_run_for_the_program_too_and_is_told_of_nobody() -> None:
    seen: list[Any] = []

    def check(who: Any, before: Any, after: Any) -> None:
        seen.append(who)
        if after == {"a": 7}:
            raise Invalid("is 7", field="a")

    tasks = server(check, read=nobody, write=nobody)
    assert code(tasks.one(put(a=1))) is None
    for message in (put(a=7), fields(a=7)):
        assert code(tasks.one(message)) is ErrorCode.INVALID
    assert (seen, tasks.data()) == ([None] * 3, {"a": 1})


def test_a_check_sees_what_an_operation_makes_of_the_record() -> None:
    def in_stock(who: Any, before: Any, after: Any) -> None:
        if after["count"] < 0:
            raise Invalid("is sold out", field="count", code="sold_out")

    tasks = server(in_stock)
    tasks.has(count=2)
    taken = [
        code(
            tasks.one(
                push_fields(FieldUpdate("count", b"-1", FieldAction.INCREMENT, to_datetime(NOW))),
                ADA,
            )
        )
        for _ in range(3)
    ]
    assert taken == [None, None, ErrorCode.INVALID]
    assert tasks.data() == {"count": 0}


@pytest.mark.parametrize(
    ("verdict", "error"),
    [
        (Forbidden(), Error("tasks/1: you may not write this", ErrorCode.FORBIDDEN)),
        (Forbidden("not yours"), Error("not yours", ErrorCode.FORBIDDEN)),
        (
            Invalid("no"),
            wrong("no", b'{"violations":[{"field":"","code":"","message":"no"}]}'),
        ),
        (
            Invalid("late", field="end", code="too_late"),
            wrong(
                "late",
                b'{"field":"end","violations":[{"field":"end","code":"too_late","message":"late"}]}',
            ),
        ),
        (
            Invalid("late", {"max": 5}, "end"),
            wrong(
                "late",
                b'{"field":"end","metadata":{"max":5},"violations":[{"field":"end","code":"",'
                b'"message":"late","metadata":{"max":5}}]}',
            ),
        ),
        (
            Invalid.several([Invalid("late", field="end"), Invalid("no")]),
            wrong(
                "late; no",
                b'{"field":"end","violations":[{"field":"end","code":"","message":"late"},'
                b'{"field":"","code":"","message":"no"}]}',
            ),
        ),
        (RhtmxError(ErrorCode.NOT_FOUND, "gone"), Error("gone", ErrorCode.NOT_FOUND)),
    ],
)
def test_a_check_refuses_in_its_own_words(verdict: Exception, error: Error) -> None:
    def check(who: Any, before: Any, after: Any) -> None:
        raise verdict

    tasks = server(check)
    assert tasks.one(put(a=1), ADA) == [error]
    assert tasks.history == []


@pytest.mark.parametrize("answer", [False, True, {"a": 1}])
def test_a_check_that_returns_something_writes_nothing_and_is_logged(
    answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    tasks = server(lambda who, before, after: answer)
    assert code(tasks.one(put(a=1), ADA)) is ErrorCode.INTERNAL
    assert tasks.data() is None
    assert f"returned {type(answer).__name__}: return nothing, raise Forbidden" in caplog.text


@pytest.mark.parametrize("failure", [ZeroDivisionError(CANARY), SystemExit(CANARY)])
def test_a_check_that_fails_costs_its_write_only(
    failure: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    def check(who: Any, before: Any, after: Any) -> None:
        if after == {"a": 1}:
            raise failure

    tasks = server(check)
    replies = tasks.batch(
        Mutation(put(a=1), lambda _: None, who=ADA), Mutation(put(a=2), lambda _: None, who=ADA)
    )
    assert (code(replies[0]), code(replies[1])) == (ErrorCode.INTERNAL, None)
    assert CANARY not in caplog.text + repr(replies)


def test_a_check_cannot_change_what_is_written_nor_what_the_next_one_sees() -> None:
    seen: list[Any] = []

    def change(who: Any, before: Any, after: Any) -> None:
        after["a"] = 7

    tasks = server(change, lambda who, before, after: seen.append(after))
    tasks.one(put(a=1), ADA)
    assert (tasks.data(), seen) == ({"a": 1}, [{"a": 1}])


# Parts.


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ('"red"', True), ("1", True), ("1.0", True), ("false", True), ("null", True),
        ("[]", False), ("{}", False), ('["red"]', False), ('"' + "x" * 254 + '"', False),
        ('"' + "x" * 253 + '"', True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("who", [None, ADA])
def test_a_value_that_no_part_can_have_is_refused_for_everybody(
    value: str, fits: bool, who: Grant | None
) -> None:
    text = f'{{"team": {value}}}'.encode()
    for message in (
        Push("tasks", "1", ChangeAction.UPDATE, text),
        push_fields(update("team", None if value == "null" else value.encode())),
    ):
        tasks = server()
        reply = tasks.one(message, who)
        assert (code(reply) is None) is fits
        if not fits:
            (error,) = reply
            assert isinstance(error, Error)
            assert error.code is ErrorCode.INVALID
            assert error.message.startswith("tasks/1: 'team' divides its entity")
            details = json.loads(error.details or b"")
            assert details["field"] == "team"
            assert details["violations"][0]["code"] == "partition"


def test_a_commit_says_which_parts_the_record_was_in_and_is_in() -> None:
    tasks = server()
    for message in (
        put(team="red", status="open"),
        fields(status="done"),
        put(team="blue"),
        put(title="none"),
        put(team=1),
        put(team=1.0),
        put(team="1"),
        drop(),
        put(team="red"),
    ):
        tasks.one(message)
    done = '{"status":"done","team":"red"}'
    one, text = '{"team":1}', '{"team":"1"}'
    assert [(set(each.before), set(each.after)) for each in tasks.commits] == [
        (set(), {RED, OPEN}),
        ({RED, OPEN}, {RED, done}),
        ({RED, done}, {BLUE}),
        ({BLUE}, set()),
        (set(), {one}),
        ({one}, {one}),
        ({one}, {text}),
        ({text}, set()),
        (set(), {RED}),
    ]


def test_a_commit_by_which_a_record_leaves_says_which_fields_it_had() -> None:
    tasks = server()
    tasks.one(put(team="red", title="a"))
    tasks.one(put(team="red", title="b"))
    tasks.one(put(team="blue", note="c"))
    tasks.one(drop())
    assert [list(each.held) for each in tasks.commits] == [[], [], ["team", "title"], []]


@pytest.mark.parametrize("together", [True, False])
def test_the_store_learns_of_each_part_that_a_batch_visits(together: bool) -> None:
    tasks = server()
    messages = [
        put(team="red"), put("2", team="red"), put(team="blue"), put(team="green"),
        put("3", team="blue"), drop("3"), put("2", team="red", title="x"), drop(), put(team="red"),
    ]  # fmt: skip
    mutations = [Mutation(each, lambda _: None) for each in messages]
    for some in [mutations] if together else [[each] for each in mutations]:
        tasks.batch(*some)
    assert tasks.in_part(RED) == [("2", False), ("1", False)]
    assert sorted(tasks.in_part(BLUE)) == [("1", True), ("3", True)]
    assert tasks.in_part('{"team":"green"}') == [("1", True)]


def test_of_each_part_the_last_thing_that_happened_is_written() -> None:
    tasks = server()
    tasks.one(put(team="red"))
    tasks.rows.clear()
    messages = (put(team="blue"), put(team="green"), fields(title="x"), put("2", team="blue"))
    tasks.batch(*(Mutation(each, lambda _: None) for each in messages))
    assert sorted((row.part, row.entity_id, row.version, row.left) for row in tasks.rows) == [
        (BLUE, "1", 3, True),
        (BLUE, "2", 5, False),
        ('{"team":"green"}', "1", 4, False),
        (RED, "1", 2, True),
    ]
    assert {row.time for row in tasks.rows} == {tasks.now}


def test_what_is_refused_leaves_no_part_behind() -> None:
    tasks = server(read=TEAM, create=TEAM)
    tasks.one(put(team="blue"), ADA)
    assert (tasks.in_part(BLUE), tasks.commits) == ([], [])


def test_an_entity_without_parts_writes_none() -> None:
    tasks = Server(Guard(None, {"read": anyone, "create": anyone}))
    tasks.one(put(team="red"), ADA)
    assert (tasks.commits[0].before, tasks.commits[0].after) == (frozenset(), frozenset())
    assert tasks.in_part(RED) == []


# Exactly once.


def numbered(message: Push | PushFields, who: Grant, seq: int = 1) -> Mutation:
    message.seq = seq
    return Mutation(message, lambda _: None, f"c-{who.subject}", who.subject, who=who)


def test_a_forbidden_write_uses_up_its_number_and_is_answered_alike_again() -> None:
    tasks = server(read=TEAM, create=TEAM)
    first = tasks.batch(numbered(put(team="blue"), ADA))
    assert code(first[0]) is ErrorCode.FORBIDDEN
    assert tasks.batch(numbered(put(team="blue"), ADA)) == first
    assert code(tasks.batch(numbered(put(team="red"), ADA, 2))[0]) is None


@pytest.mark.parametrize("lost_by", ["claims", "record", "both", "delete"])
def test_an_answer_that_was_kept_holds_nothing_that_may_not_be_seen_any_more(lost_by: str) -> None:
    tasks = server(read=TEAM | role("clerk"), update=anyone)
    tasks.has(team="red", title=CANARY)
    messages: list[Callable[[], Push | PushFields]] = [
        lambda: put(base=7, team="red"),
        lambda: fields(time=NOW - 1_000_000, title="old", extra=1),
        lambda: fields(time=NOW - 1_000_000, title="old"),
    ]
    for seq, message in enumerate(messages, 1):
        assert CANARY in repr(tasks.batch(numbered(message(), ADA, seq)))
        assert CANARY in repr(tasks.batch(numbered(message(), ADA, seq))), "nothing changed"
    who = ADA
    if lost_by == "claims":
        who = Grant("ada", claims={"team": "blue"})
    elif lost_by == "record":
        tasks.one(fields(team="blue"))
    elif lost_by == "both":  # what it is now may be seen, what it was then may not
        who = Grant("ada", claims={"team": "blue"})
        tasks.one(fields(team="blue", title="for all to see"))
    else:
        tasks.one(drop())
    again = [tasks.batch(numbered(each(), who, seq))[0] for seq, each in enumerate(messages, 1)]
    assert CANARY not in repr(again)
    assert [code(reply) for reply in again] == [ErrorCode.CONFLICT, None, None]
    for reply in again[1:]:
        (ack,) = reply
        assert isinstance(ack, FieldPushAck)
        assert (ack.duplicate, ack.conflicts) == (True, 0)
    clerk = Grant("ada", roles={"clerk"})
    assert CANARY in repr(tasks.batch(numbered(messages[0](), clerk, 1))), "who sees all, sees it"


def test_deleting_a_field_of_what_is_hidden_is_forbidden_too() -> None:
    tasks = server(read=TEAM, write=anyone, create=anyone, update=anyone)
    tasks.has(team="blue", title=CANARY)
    gone = FieldUpdate("title", action=FieldAction.DELETE, timestamp=to_datetime(NOW))
    assert forbidden(tasks.one(push_fields(gone), ADA))
