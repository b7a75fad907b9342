"""Who reads and answers a conflict: it is where its record is, for who may read and update that."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from rhtmx.errors import ErrorCode, RhtmxError, Violation
from rhtmx.messages import FieldPushAck, Push, PushFields, TransactionAck
from rhtmx_server.access.entity import Entity
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.parts import Partitions
from rhtmx_server.access.rules import Rule, anyone, claim, equals, nobody, owner, role
from rhtmx_server.connections.scope_functions import access_of
from rhtmx_server.model import Departure
from rhtmx_server.ports import BatchNeeds
from rhtmx_server.threads import DaemonPool
from rhtmx_server.trackers.fields import MAX_RECORD
from rhtmx_server.writing.committer import Committer
from tests.unit.rhtmx_server.delivery.reading_world import run
from tests.unit.rhtmx_server.fakes import NOW
from tests.unit.rhtmx_server.writing.log_world import (
    LOG,
    LoggedServer,
    answer,
    code,
    drop,
    fields,
    numbers,
    put,
)

ADA, EVE = Grant("ada", claims={"team": "red"}), Grant("eve", claims={"team": "blue"})
CLERK = Grant("bob", roles={"clerk"})
RED, BLUE = '{"team":"red"}', '{"team":"blue"}'
TEAM = claim("team")


MOVES: dict[str, Push | PushFields] = {
    "push": put(team="blue", title="z"),
    "fields": fields("1", 3, team="blue"),
    "conflict": fields("1", 1, time=NOW + 20, team="blue", title="z"),
}
"""Three ways in which a record comes to another team."""


class Divided(LoggedServer):
    """Tasks in teams, with their log, as an app would declare them."""

    def __init__(
        self,
        read: Rule | None = None,
        update: Rule | None = None,
        partition: list[list[str]] | None = None,
        **more: Any,
    ) -> None:
        entity = Entity("tasks")
        entity.divide(Partitions(partition or [["team"]]))
        if read is not None:
            entity.access(read=read, create=anyone, update=update, delete=anyone)
        pool = DaemonPool(1, "none")
        self.access = access_of({"tasks": entity}, {}, pool, 1.0)
        super().__init__(guards=self.access.guards, **more)
        self.divide()

    def divide(self) -> None:
        for name in ("tasks", LOG):
            parts_of = partial(self.access.parts_of, name)
            run(self.store.divide(name, self.access.declared(name), parts_of))

    def conflict(self, entity_id: str = "1", team: str = "red") -> None:
        """One of Ada and the clerk."""
        base = self.has(entity_id, team=team, title="a")
        self.one(fields(entity_id, base, time=NOW + 5, title="b"), "c1", who=None)
        self.one(fields(entity_id, base, time=NOW + 9, title="c"), "c2", who=None)

    def has(self, entity_id: str = "1", **data: Any) -> int:
        """The program writes a record; its version."""
        self.one(put(entity_id, **data), who=None)
        record = self.record("tasks", entity_id)
        assert record is not None
        return record.version

    def in_part(self, part: str, entity: str = LOG) -> list[tuple[str, bool]]:
        """(id, whether it left) of what happened to a part."""
        return [
            (each.entity_id, isinstance(each, Departure) or not each.live)
            for each in run(self.store.since_in(entity, [part], 0, 1000, 1000))
        ]

    def reads(self, who: Grant) -> set[str]:
        scope = run(self.access.readable(LOG, who))
        assert scope is not None
        return set(scope)


@pytest.fixture
def tasks() -> Divided:
    server = Divided(TEAM | role("clerk"), TEAM)
    server.conflict()
    return server


def test_a_conflict_is_in_the_parts_of_its_record(tasks: Divided) -> None:
    assert (tasks.log() or {})["team"] == "red"
    assert (tasks.in_part(RED), tasks.in_part(BLUE)) == ([("1", False)], [])


def test_who_may_read_and_update_the_record_reads_it(tasks: Divided) -> None:
    assert tasks.reads(ADA) == {RED}
    assert tasks.reads(EVE) == {BLUE}
    assert tasks.reads(CLERK) == set(), "the clerk may read all of them and update none"


def test_who_may_not_answer_learns_nothing_of_what_is_open(tasks: Divided) -> None:
    for who in (EVE, CLERK):
        for number in (1, 7):
            reply = tasks.one(answer(number), who=who)
            assert code(reply) is ErrorCode.CONFLICT
            assert "$conflicts/tasks/1" in repr(reply)
            assert b"title" not in repr(reply).encode()
    assert tasks.open() == ["$1"]
    eve = [repr(tasks.one(answer(number), who=EVE)) for number in (1, 7)]
    assert eve[0] == eve[1].replace("$7", "$1")


def test_who_may_answers_it(tasks: Divided) -> None:
    assert isinstance(tasks.one(answer(1), who=ADA)[-1], FieldPushAck)
    assert tasks.log() is None


def test_who_may_not_update_the_record_is_answered_as_if_nothing_was_open() -> None:
    server = Divided(anyone, equals("status", "open"))
    base = server.has(team="red", status="open", title="a")
    server.one(fields("1", base, time=NOW + 5, title="b"), "c1", who=None)
    server.one(fields("1", base, time=NOW + 9, title="c"), "c2", who=None)
    server.one(fields("1", 3, time=NOW + 10, status="closed"), "c2", who=None)
    assert (server.log() or {})["status"] == "closed"
    assert code(server.one(answer(1), who=ADA)) is ErrorCode.CONFLICT
    server.one(fields("1", 4, time=NOW + 11, status="open"), "c2", who=None)
    assert code(server.one(answer(1), who=ADA)) is None


@pytest.fixture
def shown() -> Divided:
    """Tasks that everybody reads, and their teams update."""
    server = Divided(anyone, TEAM)
    server.conflict()
    return server


@pytest.mark.parametrize("kind", ["push", "fields", "conflict"])
def test_what_lost_is_not_for_those_who_could_not_read_the_record(
    tasks: Divided, kind: str
) -> None:
    tasks.one(MOVES[kind], "c3", who=None)
    assert tasks.log() is None
    assert (tasks.in_part(RED), tasks.in_part(BLUE)) == ([("1", True)], [])


def test_a_record_that_moves_takes_its_conflicts_along(shown: Divided) -> None:
    tasks = shown
    tasks.one(fields("1", 3, time=NOW + 10, team="blue"), "c2", who=None)
    assert (tasks.log() or {})["team"] == "blue"
    assert tasks.open() == ["$1"]
    assert (tasks.in_part(RED), tasks.in_part(BLUE)) == ([("1", True)], [("1", False)])
    assert code(tasks.one(answer(1), who=ADA)) is not None
    assert isinstance(tasks.one(answer(1), who=EVE)[-1], FieldPushAck)


@pytest.mark.parametrize("kind", ["push", "fields"])
def test_a_record_moves_also_where_its_conflicts_have_no_room_for_it(
    shown: Divided, kind: str
) -> None:
    shown.one(fields("1", 3, n=1), "c1", who=None)
    log = shown.record()
    assert log is not None
    assert log.data is not None
    large = "x" * (MAX_RECORD - 500 - len(log.data))
    shown.one(fields("1", 3, time=NOW + 20, n=large), "c2", who=None)
    assert shown.open() == ["$1", "$2"]
    shown.one(fields("1", 5, n=2), "c2", who=None)
    blue = "blue" * 60
    moves: dict[str, Push | PushFields] = {
        "push": put(team=blue),
        "fields": fields("1", 6, team=blue),
    }
    shown.one(moves[kind], "c2", who=None)
    assert shown.data()["team"] == blue
    assert (shown.log() or {})["team"] == blue
    assert shown.open() == ["$2"], "the oldest has gone for it"
    assert shown.in_part(RED) == [("1", True)]


@pytest.mark.parametrize("kind", ["push", "fields", "conflict"])
def test_however_it_moves(shown: Divided, kind: str) -> None:
    shown.one(MOVES[kind], "c3", who=None)
    assert shown.in_part(RED) == [("1", True)]
    assert (shown.log() or {})["team"] == "blue"
    assert shown.open() == (["$1", "$3"] if kind == "conflict" else ["$1"])


def test_one_that_leaves_all_parts_is_seen_by_nobody_who_reads_one(tasks: Divided) -> None:
    tasks.one(put(title="z"), who=None)
    assert (tasks.log() or {}).keys() == {"$1"}
    assert tasks.in_part(RED) == [("1", True)]


def test_a_move_and_an_answer_are_one_step(tasks: Divided) -> None:
    reply = tasks.together(fields("1", 3, team="blue"), answer(1), who=None)
    assert isinstance(reply[-1], TransactionAck)
    assert [each.entity for each in reply[-1].results] == ["tasks", LOG], "as they were written"
    assert tasks.log() is None
    assert (tasks.in_part(RED), tasks.in_part(BLUE)) == ([("1", True)], [])


def test_what_moves_the_record_can_be_the_answer(tasks: Divided) -> None:
    base = tasks.has("2", team="red")
    tasks.one(fields("2", base, time=NOW + 5, team="green"), "c1", who=None)
    tasks.one(fields("2", base, time=NOW + 9, team="green", title="c"), "c2", who=None)
    tasks.one(fields("2", base, time=NOW + 3, title="b"), "c1", who=None)
    (name,) = [each for each in tasks.log("2") or {} if each.startswith("$")]
    back = fields("2", 4, time=NOW + 20, team="blue", title="b")
    reply = tasks.together(back, answer(int(name[1:]), entity_id="2"), who=None)
    assert isinstance(reply[-1], TransactionAck)
    assert (tasks.data("2")["title"], tasks.log("2")) == ("b", None)


def test_a_move_that_is_rejected_moves_no_conflict(tasks: Divided) -> None:
    before = tasks.record()
    reply = tasks.together(fields("1", 3, team="blue"), put("1", 1, title="x"), who=None)
    assert code(reply) is ErrorCode.CONFLICT
    assert (tasks.record(), tasks.in_part(BLUE)) == (before, [])


def test_what_was_open_of_a_deleted_record_is_not_of_one_that_others_create() -> None:
    server = Divided(TEAM, TEAM)
    base = server.has(team="red", title="a")
    server.one(drop(), who=None)
    server.one(fields("1", base, title="late"), "c1", who=None)
    assert server.in_part(RED) == [("1", False)], "it is where its record was"
    server.one(put(team="blue", title="new"), who=EVE)
    assert server.log() is None
    assert server.in_part(BLUE) == []


def test_what_was_open_of_a_deleted_record_stays_where_it_is_restored() -> None:
    server = Divided(TEAM, TEAM)
    base = server.has(team="red", title="a")
    server.one(drop(), who=None)
    server.one(fields("1", base, title="late"), "c1", who=None)
    assert code(server.together(put(team="red", title="late"), answer(1), who=ADA)) is None
    assert (server.data()["title"], server.log()) == ("late", None)


def test_where_all_read_all_a_new_record_takes_over_what_was_open() -> None:
    server = Divided()
    base = server.has(team="red", title="a")
    server.one(drop(), who=None)
    server.one(fields("1", base, title="late"), "c1")
    server.one(put(team="blue", title="new"))
    assert (server.log() or {})["team"] == "blue"
    assert server.open() == ["$1"]


def test_a_hidden_record_opens_no_conflict_for_who_guesses_it(tasks: Divided) -> None:
    assert code(tasks.one(fields("1", 0, title="x"), "c9", who=EVE)) is ErrorCode.FORBIDDEN
    assert tasks.open() == ["$1"]


def test_who_reads_by_one_field_and_updates_by_another_reads_by_both() -> None:
    server = Divided(TEAM, owner("owner") | role("clerk"))
    base = server.has(team="red", owner="ada", title="a")
    server.one(fields("1", base, time=NOW + 5, title="b"), "c1", who=None)
    server.one(fields("1", base, time=NOW + 9, title="c"), "c2", who=None)
    both = '{"owner":"ada","team":"red"}'
    assert server.reads(ADA) == {both}
    assert server.in_part(both) == [("1", False)]
    assert server.reads(Grant("x", claims={"team": "red"}, roles={"clerk"})) == {RED}
    assert isinstance(server.one(answer(1), who=ADA)[-1], FieldPushAck)


def test_nobody_reads_the_conflicts_of_what_nobody_updates() -> None:
    server = Divided(TEAM, nobody)
    server.conflict()
    with pytest.raises(Exception, match="you may not read it"):
        server.reads(ADA)
    assert code(server.one(answer(1), who=ADA)) is not None
    assert server.open() == ["$1"]


def realigned(server: Divided) -> None:
    """The server starts, with what is declared now."""
    server.divide()

    async def start() -> None:
        committer = Committer(
            server.store,
            server.deciders,
            lambda: NOW + 50,
            Meter(),
            guards=server.guards,
            logs=server.logs,
        )
        await committer.realign("tasks")

    asyncio.run(start())


class Meter:
    def committed(self, mutations: int, seconds: float) -> None:
        """Of no interest here."""


def test_what_moved_while_no_log_was_kept_is_not_shown_where_it_was(tasks: Divided) -> None:
    LoggedServer(tasks.store, guards=tasks.guards, unlogged={"tasks"}).one(
        put(team="blue", title="z"), who=None
    )
    assert tasks.in_part(RED) == [("1", False)]
    realigned(tasks)
    assert (tasks.log(), tasks.in_part(RED)) == (None, [("1", True)])


def test_a_server_that_cannot_have_a_conflict_follow_does_not_start(tasks: Divided) -> None:
    LoggedServer(tasks.store, guards=tasks.guards, unlogged={"tasks"}).one(
        put(team="blue", title="z"), who=None
    )

    async def full(wanted: BatchNeeds, decide: object) -> None:
        raise RhtmxError(ErrorCode.STORAGE_FULL, "the disk is full")

    tasks.store.commit = full  # type: ignore[method-assign]
    with pytest.raises(RhtmxError, match="the disk is full"):
        realigned(tasks)


def test_what_is_divided_otherwise_now_is_found_there() -> None:
    before = Divided()
    before.conflict()
    before.has(team="red", title="z", owner="ada")
    after = Divided(partition=[["owner"]], store=before.store)
    assert after.in_part('{"owner":"ada"}') == []
    realigned(after)
    assert after.in_part('{"owner":"ada"}') == [("1", False)]
    assert after.open() == ["$1"]


def test_what_is_where_it_belongs_is_not_written(tasks: Divided) -> None:
    before = run(tasks.store.heads())
    realigned(tasks)
    assert run(tasks.store.heads())[LOG].version == before[LOG].version


def test_many_are_realigned() -> None:
    before = Divided()
    for number in range(300):
        before.conflict(str(number))
        before.has(str(number), team="red", owner="ada")
    after = Divided(partition=[["owner"]], store=before.store)
    realigned(after)
    assert len(after.in_part('{"owner":"ada"}')) == 300


def hiding(server: Divided, *names: str) -> None:
    server.guards["tasks"].hidden = {name: Violation(name, "server_only", "") for name in names}


@pytest.mark.parametrize("deleted", [False, True])
def test_what_is_open_of_a_field_that_is_hidden_since_is_no_more(*, deleted: bool) -> None:
    server = Divided()
    base = server.has(team="red", title="a", note="a")
    if deleted:
        server.one(drop(), who=None)
    else:
        server.one(fields("1", base, time=NOW + 5, title="b", note="b"), "c1", who=None)
    late = fields("1", base, time=NOW - 5, title="c", note="c")
    server.one(late, "c2", who=None)
    assert len(server.open()) == 2
    hiding(server, "note")
    realigned(server)
    told = server.log()
    assert told is not None
    assert [told[name]["field"] for name in server.open()] == ["title"]
    hiding(server, "note", "title")
    realigned(server)
    assert server.log() is None


def test_numbers_go_on_over_all_records(tasks: Divided) -> None:
    base = tasks.has("2", team="blue", title="a")
    tasks.one(fields("2", base, time=NOW + 5, title="b"), "c1", who=None)
    assert numbers(tasks.one(fields("2", base, time=NOW + 9, title="c"), "c2", who=None)) == [2]
