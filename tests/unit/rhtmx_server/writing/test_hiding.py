"""Facts about `rhtmx_server.writing.hiding`: writes of records with hidden fields, in batches."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from rhtmx.errors import ErrorCode, Violation
from rhtmx.messages import (
    ChangeAction,
    Error,
    FieldAction,
    FieldPushAck,
    FieldUpdate,
    Push,
    PushAck,
    PushFields,
)
from rhtmx.wire import ServerMessage
from rhtmx_server.access.entity import EntityCheck, EntityJudge, EntityPrepare
from rhtmx_server.access.grant import BACKEND, Grant
from rhtmx_server.access.guard import Guard
from rhtmx_server.model import Commit, Granularity, Mutation, Record
from rhtmx_server.ports import Decide
from rhtmx_server.stores.memory import MemoryStore
from rhtmx_server.times import to_datetime
from rhtmx_server.trackers.changes import changes_decider
from rhtmx_server.trackers.fields import fields_decider
from rhtmx_server.trackers.policy import PolicyOf, entity_policy, policies
from rhtmx_server.writing.batch import Batch
from tests.unit.rhtmx_server.delivery.reading_world import run
from tests.unit.rhtmx_server.fakes import NOW

ADA, SERVICE = Grant("ada"), Grant("billing", roles={BACKEND})
HIDDEN = {"secret": Violation("secret", "server_only", "is ours")}
SECRET = b'{"secret":"s"}'


def deciders(policy_of: PolicyOf) -> dict[type[Push | PushFields], Decide]:
    return {Push: changes_decider(policy_of), PushFields: fields_decider(policy_of)}


class Server:
    """A store of `tasks` with a hidden field, and batches on it."""

    def __init__(
        self,
        *checks: EntityCheck,
        hidden: Mapping[str, Violation] = HIDDEN,
        prepares: tuple[EntityPrepare, ...] = (),
        judge: EntityJudge | None = None,
        merge: Any = None,
        fields: bool = True,
    ) -> None:
        guard = Guard(checks=checks, prepares=prepares, judge=judge, hidden=hidden)
        self.guards = {"tasks": guard}
        self.store = MemoryStore(new_epoch=lambda: "e")
        self.commits: list[Commit] = []
        self.now = NOW
        policy = entity_policy("tasks", merge, fields=fields)
        self._deciders = deciders(policies({"tasks": policy}))

    def one(self, message: Push | PushFields, who: Grant | None = None) -> list[ServerMessage]:
        self.now += 1
        mutation = Mutation(message, lambda _: None, who=who)
        batch = Batch([mutation], self._deciders, "e", self.now, guards=self.guards)
        run(self.store.commit(batch.wanted(), batch.decide))
        self.commits += batch.commits
        return list(batch.replies[0])

    @property
    def record(self) -> Record:
        record = run(self.store.record("tasks", "1"))
        assert record is not None
        return record

    def holds(self, data: bytes | None, hidden: bytes | None) -> None:
        """Its record is this, and nothing that is told of it says a word of what is hidden."""
        assert (self.record.data, self.record.hidden) == (data, hidden)
        assert "secret" not in self.record.clocks
        assert all("secret" not in each.changed for each in self.commits)
        history = [each.record for each in run(self.store.history("tasks"))]
        assert all(each.hidden is None for each in history)
        assert b"secret" not in b"".join(each.data or b"" for each in history)


def put(base: int | None = None, **data: Any) -> Push:
    text = msgspec.json.encode(data)
    return Push("tasks", "1", ChangeAction.UPDATE, text, base_version=base)


DROP = Push("tasks", "1", ChangeAction.DELETE)


def fields(
    *removed: str,
    base: int | None = None,
    at: int = NOW + 1_000,
    unchanged: bool | None = None,
    action: FieldAction = FieldAction.UPDATE,
    **values: Any,
) -> PushFields:
    time = to_datetime(at)
    updates = [
        FieldUpdate(name, msgspec.json.encode(value), action, time)
        for name, value in values.items()
    ]
    updates += [FieldUpdate(name, None, FieldAction.DELETE, time) for name in removed]
    return PushFields("tasks", "1", updates, base_version=base, if_unchanged=unchanged)


def error(reply: list[ServerMessage]) -> Error:
    assert isinstance(reply[-1], Error)
    return reply[-1]


def done(reply: list[ServerMessage]) -> PushAck | FieldPushAck:
    (ack,) = reply
    assert isinstance(ack, PushAck | FieldPushAck)
    return ack


def test_the_program_writes_it_as_part_of_the_record() -> None:
    server = Server()
    done(server.one(put(a=1, secret="s")))
    server.holds(b'{"a":1}', SECRET)
    assert server.commits[-1].changed == ["a"]
    done(server.one(put(secret="t")))
    server.holds(b"{}", b'{"secret":"t"}')


@pytest.mark.parametrize("who", [None, ADA])
def test_whoever_writes_a_whole_record_without_it_leaves_it(who: Grant | None) -> None:
    server = Server()
    server.one(put(a=1, secret="s"))
    done(server.one(put(b=2), who))
    server.holds(b'{"b":2}', SECRET)
    done(server.one(fields(c=3), who))
    server.holds(b'{"b":2,"c":3}', SECRET)


def test_it_goes_with_its_record_and_does_not_come_back() -> None:
    server = Server()
    server.one(put(a=1, secret="s"))
    done(server.one(DROP, ADA))
    server.holds(None, None)
    done(server.one(put(a=2), ADA))
    server.holds(b'{"a":2}', None)


@pytest.mark.parametrize("who", [ADA, SERVICE])
@pytest.mark.parametrize(
    "write",
    [
        put(a=2, secret="t"),
        put(secret=None),
        Push("tasks", "1", ChangeAction.UPDATE, b'{"se\\u0063ret":1}'),
        Push("tasks", "1", ChangeAction.CREATE, SECRET),
        fields(a=2, secret="t"),
        fields("secret"),
        fields(secret=1, action=FieldAction.INCREMENT),
        fields(secret="s", unchanged=True),
    ],
)
@pytest.mark.parametrize("there", [True, False])
def test_a_client_that_names_it_is_refused(
    write: Push | PushFields, who: Grant, *, there: bool
) -> None:
    server = Server()
    if there:
        server.one(put(a=1, secret="s"))
    said = error(server.one(write, who))
    assert (said.code, said.message) == (ErrorCode.INVALID, "tasks/1: is ours")
    (wrong,) = json.loads(said.details or b"")["violations"]
    assert (wrong["field"], wrong["code"]) == ("secret", "server_only")
    assert len(server.commits) == there


def test_the_program_writes_it_alone_and_nobody_is_told_that_anything_has_changed() -> None:
    server = Server()
    server.one(put(a=1))
    ack = done(server.one(fields(secret="s")))
    assert isinstance(ack, FieldPushAck)
    assert (ack.version, ack.applied, ack.conflicts) == (2, 1, 0)
    server.holds(b'{"a":1}', SECRET)
    commit = server.commits[-1]
    assert (commit.record.version, commit.record.action) == (2, ChangeAction.UPDATE)
    assert (commit.granularity, list(commit.changed)) == (Granularity.RECORDS, [])
    assert commit.record.clocks["a"].version == 1


def test_fields_of_both_kinds_are_one_commit() -> None:
    server = Server()
    ack = done(server.one(fields(a=1, secret="s")))
    assert isinstance(ack, FieldPushAck)
    assert (ack.version, ack.applied) == (1, 2)
    server.holds(b'{"a":1}', SECRET)
    done(server.one(fields("a", "secret", at=NOW + 2_000)))
    server.holds(b"{}", None)
    assert server.commits[-1].changed == ["a"]


def test_a_record_may_begin_with_nothing_else() -> None:
    server = Server()
    done(server.one(fields(secret="s")))
    server.holds(b"{}", SECRET)
    assert server.commits[-1].record.action is ChangeAction.CREATE


def test_operations_go_by_what_is_hidden() -> None:
    server = Server(merge={"secret": "counter"})
    for expected in (b'{"secret":2}', b'{"secret":4}'):
        done(server.one(fields(secret=2, action=FieldAction.INCREMENT)))
        server.holds(b"{}", expected)
    ack = done(server.one(fields(secret=0, action=FieldAction.INCREMENT)))
    assert (ack.version, len(server.commits)) == (2, 2)


@pytest.mark.parametrize("strategy", ["last_write_wins", "keep_both", "server_wins", "counter"])
@pytest.mark.parametrize("base", [None, 0, 1])
@pytest.mark.parametrize("at", [NOW - 10**9, -(10**15), NOW])
def test_what_the_program_writes_last_stays_and_is_in_no_conflict(
    strategy: str, base: int | None, at: int
) -> None:
    """Also where its time, or the version that it has seen, is of long ago: a loss is kept."""
    server = Server(merge={"secret": strategy})
    server.one(put(a=1, secret="s"))
    server.one(DROP)
    for _ in range(3):
        server.one(put(a=1), ADA)
    for word in ("t", "u"):
        ack = done(server.one(fields(secret=word, base=base, at=at)))
        assert isinstance(ack, FieldPushAck)
        assert (ack.applied, ack.conflicts) == (1, 0)
    server.holds(b'{"a":1}', b'{"secret":"u"}')
    assert not any(each.lost for each in run(server.store.history("tasks")))


def test_a_time_of_the_future_is_counted_once_for_each_field() -> None:
    ack = done(Server().one(fields(a=1, secret="s", at=NOW + 10**12)))
    assert isinstance(ack, FieldPushAck)
    assert ack.clamped == 2


def test_a_conflict_about_another_field_says_nothing_of_it() -> None:
    server = Server()
    server.one(put(a=1, secret="s"))
    said = error(server.one(put(base=0, b=1), ADA))
    assert said.code is ErrorCode.CONFLICT
    assert b"secret" not in (said.details or b"")
    reply = server.one(fields(a=5, base=0, at=NOW - 10**9), ADA)
    assert len(reply) == 2
    assert "secret" not in repr(reply)


@pytest.mark.parametrize(
    ("base", "version"),
    [(None, None), (0, None), (1, None), (2, 3)],
)
def test_unchanged_is_by_the_version_of_the_record(base: int | None, version: int | None) -> None:
    server = Server()
    server.one(put(a=1, secret="s"))
    server.one(put(a=2), ADA)
    reply = server.one(fields(secret="t", base=base, unchanged=True))
    if version is not None:
        assert done(reply).version == version
        return
    said = error(reply)
    assert said.code is ErrorCode.CONFLICT
    assert "'secret' of tasks/1 may have been written up to version 2" in said.message
    details = json.loads(said.details or b"")
    assert (details["data"], details["fields"]) == ({"a": 2, "secret": "s"}, ["secret"])


def test_one_that_was_never_written_is_unchanged() -> None:
    server = Server()
    done(server.one(fields(secret="s", unchanged=True)))
    server.holds(b"{}", SECRET)
    server = Server()
    server.one(put(a=1))
    done(server.one(fields(secret="s", a=2, base=1, unchanged=True)))
    server.holds(b'{"a":2}', SECRET)


def test_checks_see_the_record_as_a_whole_whoever_writes() -> None:
    seen: list[Any] = []
    server = Server(lambda who, before, after: seen.append((before, after)))
    server.one(put(a=1, secret="s"))
    server.one(fields(a=2), ADA)
    server.one(DROP, ADA)
    one, two = {"a": 1, "secret": "s"}, {"a": 2, "secret": "s"}
    assert seen == [(None, one), (one, two), (two, None)]


def test_what_fills_in_a_record_may_fill_it_in_and_tells_nobody() -> None:
    seen: list[Any] = []

    def fill(who: Any, after: Any) -> Any:
        seen.append(after)
        return {"secret": "s", "b": 2}

    server = Server(prepares=(fill,))
    ack = done(server.one(put(a=1), ADA))
    assert ack.prepared == b'{"b":2}'
    server.holds(b'{"a":1,"b":2}', SECRET)
    assert server.commits[-1].changed == ["a", "b"]
    server = Server(prepares=(fill,))
    done(server.one(put(a=1, b=2, secret="t")))
    server.holds(b'{"a":1,"b":2}', SECRET)
    assert seen == [{"a": 1}, {"a": 1, "b": 2, "secret": "t"}]


def test_what_is_no_object_is_left_to_the_checks() -> None:
    server = Server()
    server.one(put(a=1, secret="s"))
    done(server.one(Push("tasks", "1", ChangeAction.UPDATE, b'["secret"]'), ADA))
    assert (server.record.data, server.record.hidden) == (b'["secret"]', SECRET)


def test_an_entity_without_fields_hides_as_well() -> None:
    server = Server(fields=False)
    server.one(put(a=1, secret="s"))
    done(server.one(put(a=2), ADA))
    server.holds(b'{"a":2}', SECRET)
    assert error(server.one(put(secret="t"), ADA)).code is ErrorCode.INVALID
    assert error(server.one(fields(secret="t"))).code is ErrorCode.NOT_SUPPORTED


def test_what_was_told_before_it_was_hidden_is_hidden_by_the_next_write() -> None:
    server = Server(hidden={})
    server.one(put(a=1, secret="s"), ADA)
    server.one(fields(secret="t", b=0), ADA)
    server.guards = Server().guards
    done(server.one(fields(b=2), ADA))
    assert (server.record.data, server.record.hidden) == (b'{"a":1,"b":2}', b'{"secret":"t"}')
    assert server.record.clocks.keys() == {"a", "b"}
    assert server.commits[-1].changed == ["b"]


@pytest.mark.parametrize("guarded", [True, False])
@pytest.mark.parametrize("with_fields", [True, False])
def test_what_is_hidden_no_more_stays_so_until_somebody_writes_it(
    *, guarded: bool, with_fields: bool
) -> None:
    server = Server(fields=with_fields)
    server.one(put(a=1, secret="s"))
    server.guards = {"tasks": Guard()} if guarded else {}
    done(server.one(put(a=2), ADA))
    assert (server.record.data, server.record.hidden) == (b'{"a":2}', SECRET)
    done(server.one(put(secret="mine"), ADA))
    assert (server.record.data, server.record.hidden) == (b'{"secret":"mine"}', None)


Judged = tuple[bytes | None, bytes | None, list[str]]


def judged(*writes: Push | PushFields, hidden: Mapping[str, Violation] = HIDDEN) -> list[Judged]:
    """What the rules of a schema are asked about each write of the program."""
    asked: list[Judged] = []

    def judge(who: Any, before: Any, after: Any, written: Any, named: Any) -> None:
        asked.append((before, after, sorted(written)))

    server = Server(judge=judge, hidden=hidden)
    for each in writes:
        done(server.one(each))
    return asked


def test_the_rules_are_told_of_each_field_that_was_written_hidden_or_not() -> None:
    asked = judged(
        put(a=1, b=1, secret="s"),
        fields(a=1),  # by the same value, too: it is of its author now
        fields(a=2, secret="t", at=NOW + 2_000),
    )
    assert [written for *_, written in asked] == [["a", "b", "secret"], ["a"], ["a", "secret"]]
    assert asked[2][1] == b'{"a":2,"b":1,"secret":"t"}'


def test_where_only_what_is_hidden_was_written_the_rules_are_told_so() -> None:
    told = judged(put(a=1), fields(secret="s"))[1]
    assert told == (b'{"a":1}', b'{"a":1,"secret":"s"}', ["secret"])


@pytest.mark.parametrize("hidden", [HIDDEN, {}])
def test_to_the_rules_a_record_that_holds_null_is_not_none(
    hidden: Mapping[str, Violation],
) -> None:
    nothing = Push("tasks", "1", ChangeAction.UPDATE, None)
    asked = judged(put(a=1), nothing, put(a=1), DROP, put(a=1), hidden=hidden)
    assert [each[:2] for each in asked] == [
        (None, b'{"a":1}'),
        (b'{"a":1}', b"null"),
        (b"null", b'{"a":1}'),
        (b'{"a":1}', None),
        (None, b'{"a":1}'),
    ]
