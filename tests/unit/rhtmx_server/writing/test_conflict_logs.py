"""Conflicts that are kept until somebody answers them: what opens one, and what ends it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    ChangeAction,
    Conflict,
    ConflictSide,
    Error,
    FieldAction,
    FieldConflict,
    FieldPushAck,
    FieldUpdate,
    MergeStrategy,
    Push,
    PushAck,
    PushFields,
    TransactionAck,
)
from rhtmx_server.access.grant import Grant
from rhtmx_server.model import Mutation
from rhtmx_server.times import to_datetime
from rhtmx_server.trackers.policy import Policy
from rhtmx_server.writing.batch import Batch
from rhtmx_server.writing.conflict_logs import ConflictLogs, by_program
from rhtmx_server.writing.open_conflicts import MOST_OPEN
from tests.unit.rhtmx_server.delivery.reading_world import run
from tests.unit.rhtmx_server.fakes import NOW
from tests.unit.rhtmx_server.writing.log_world import (
    LOG,
    LoggedServer,
    answer,
    by,
    code,
    drop,
    field_push,
    fields,
    numbers,
    put,
    transaction,
)

STAMP = "2023-11-14T22:13:20.00000{}Z"


@pytest.fixture
def tasks() -> LoggedServer:
    """A task, of which Ada has written the title after Bob had seen it."""
    return two_writers()


def two_writers(strategy: MergeStrategy = MergeStrategy.LAST_WRITE_WINS) -> LoggedServer:
    server = LoggedServer(policy=Policy(strategy))
    server.one(put(title="a", n=1))
    server.one(fields("1", 1, time=NOW + 5, title="b"), "ada")
    return server


def meet(tasks: LoggedServer, value: Any = "c", client: str = "bob", **more: Any) -> list[Any]:
    """Bob writes the title, and has not seen that of Ada."""
    return tasks.one(fields("1", 1, time=NOW + 9, title=value), client, **more)


def kept(tasks: LoggedServer, number: int = 1) -> Any:
    return (tasks.log() or {})[f"${number}"]


# What opens one.


def test_a_conflict_is_kept_under_the_number_that_its_author_is_told(tasks: LoggedServer) -> None:
    assert numbers(meet(tasks)) == [1]
    assert tasks.log() == {
        "$1": {
            "field": "title",
            "winner": "client",
            "stored": {
                "value": "b",
                "action": "update",
                "timestamp": STAMP.format(5),
                "client_id": "ada",
            },
            "pushed": {
                "value": "c",
                "action": "update",
                "timestamp": STAMP.format(9),
                "client_id": "bob",
            },
            "base_version": 1,
            "version": 3,
            "strategy": "last_write_wins",
        }
    }


@pytest.mark.parametrize(
    ("strategy", "winner"),
    [
        (MergeStrategy.LAST_WRITE_WINS, "client"),
        (MergeStrategy.SERVER_WINS, "server"),
        (MergeStrategy.CLIENT_WINS, "client"),
        (MergeStrategy.KEEP_BOTH, "server"),
    ],
)
def test_whoever_wins_both_values_are_kept(strategy: MergeStrategy, winner: str) -> None:
    server = two_writers(strategy)
    meet(server)
    assert kept(server)["winner"] == winner
    assert (kept(server)["stored"]["value"], kept(server)["pushed"]["value"]) == ("b", "c")


def test_what_is_kept_is_what_the_schema_says_and_no_more(tasks: LoggedServer) -> None:
    meet(tasks, who=Grant("ben"))
    names = {each.name for each in dataclasses.fields(Conflict)}
    sides = {each.name for each in dataclasses.fields(ConflictSide)}
    assert kept(tasks).keys() == names - {"key"}
    assert kept(tasks)["pushed"].keys() == sides


def test_a_delete_is_told_from_null_on_either_side() -> None:
    server = LoggedServer()
    server.one(put(a=1, b=1, c=1, d=1))
    server.one(fields("1", 1, delete=["a"], b=None), "ada")
    server.one(fields("1", 1, a=None, b="x"), "bob")
    server.one(fields("1", 1, c=2, d=2), "ada")
    server.one(fields("1", 1, delete=["c"], d=None), "bob")
    told = {each["field"]: each for each in (server.log() or {}).values()}
    sides = {
        name: (each["stored"]["action"], each["stored"]["value"], each["pushed"]["action"])
        for name, each in told.items()
    }
    assert sides == {
        "a": ("delete", None, "update"),
        "b": ("update", None, "update"),
        "c": ("update", 2, "delete"),
        "d": ("update", 2, "update"),
    }
    assert told["d"]["pushed"]["value"] is None


def test_a_write_that_is_too_late_for_the_delete_of_its_record_is_kept(
    tasks: LoggedServer,
) -> None:
    tasks.one(drop(), "ada")
    tasks.one(fields("1", 2, time=NOW - 1, title="late"), "bob")
    assert tasks.data() is None
    assert (kept(tasks)["winner"], kept(tasks)["stored"]["action"]) == ("server", "delete")
    assert kept(tasks)["pushed"]["value"] == "late"


def test_a_conflict_about_a_key_names_it_and_what_was_done() -> None:
    server = LoggedServer()
    server.one(put(sizes={"s": 1}))

    def set_key(value: int, client: str) -> None:
        at, text = to_datetime(NOW), b'{"s":%d}' % value
        update = FieldUpdate("sizes", text, FieldAction.SET_KEY, at)
        server.one(PushFields("tasks", "1", [update], base_version=1), client)

    set_key(2, "ada")
    set_key(3, "bob")
    assert (kept(server)["field"], kept(server)["key"]) == ("sizes", "s")
    assert (kept(server)["stored"]["value"], kept(server)["pushed"]["value"]) == (2, 3)
    assert kept(server)["pushed"]["action"] == "set_key"
    assert kept(server)["stored"]["client_id"] == "ada"


def test_an_operation_that_lost_is_kept_with_its_operand() -> None:
    server = LoggedServer()
    server.one(put(n=1))
    server.one(fields("1", 1, time=NOW + 5, delete=["n"]), "ada")
    update = FieldUpdate("n", b"7", FieldAction.INCREMENT, to_datetime(NOW))
    server.one(PushFields("tasks", "1", [update], base_version=1), "bob")
    pushed = kept(server)["pushed"]
    assert (pushed["action"], pushed["value"]) == ("increment", 7)


def test_each_conflict_of_a_push_has_a_number_of_its_own() -> None:
    server = LoggedServer()
    server.one(put(a=1, b=1))
    server.one(fields("1", 1, a=2, b=2), "ada")
    assert numbers(server.one(fields("1", 1, a=3, b=3), "bob")) == [1, 2]
    assert server.open() == ["$1", "$2"]
    record = server.record()
    assert record is not None
    versions = {name: clock.version for name, clock in record.clocks.items()}
    assert versions == {"$1": 1, "$2": 2}, "a conflict's number is the version of its field"


def test_who_wrote_it_is_told_by_subject_where_that_is_known() -> None:
    server = LoggedServer()
    ann, ben = Grant("ann"), Grant("ben")
    server.one(put(title="a"))
    server.one(fields("1", 1, title="b"), "ada", who=ann)
    server.batch(by(put("2", x=1), "carol"), by(fields("1", 1, title="c"), "bob", who=ben))
    assert (kept(server)["stored"]["subject"], kept(server)["pushed"]["subject"]) == ("ann", "ben")


def test_without_a_subject_none_is_told(tasks: LoggedServer) -> None:
    meet(tasks)
    assert "subject" not in kept(tasks)["stored"]
    assert "subject" not in kept(tasks)["pushed"]


def test_the_other_conflict_of_one_batch_is_kept_as_well() -> None:
    server = LoggedServer()
    server.one(put(title="a"))
    replies = server.batch(
        by(fields("1", 1, title="b"), "ada", who=Grant("ann")),
        by(fields("1", 1, title="c"), "bob"),
        by(fields("1", 1, title="d"), "carol"),
    )
    assert list(map(numbers, replies)) == [[], [1], [2]]
    assert kept(server)["stored"] | {"timestamp": ""} == {
        "value": "b",
        "action": "update",
        "timestamp": "",
        "client_id": "ada",
        "subject": "ann",
    }


def test_without_a_conflict_nothing_is_kept(tasks: LoggedServer) -> None:
    tasks.one(fields("1", 2, title="c"), "bob")
    assert tasks.log() is None
    assert LOG not in run(tasks.store.heads())


def test_an_entity_that_has_none_keeps_none() -> None:
    server = LoggedServer(unlogged={"tasks"})
    server.one(put(title="a"))
    server.one(fields("1", 1, title="b"), "ada")
    reply = meet(server)
    assert (numbers(reply), server.log()) == ([None], None)


def test_a_log_that_is_new_takes_the_place_of_no_entity(tasks: LoggedServer) -> None:
    made: list[tuple[str, int]] = []
    tasks.admit = lambda entity, number: made.append((entity, number))
    others = [by(Push(name, "1", ChangeAction.UPDATE, b"1")) for name in ("notes", "users")]
    tasks.batch(by(fields("1", 1, time=NOW + 9, title="c"), "bob"), *others)
    assert made == [(LOG, 0), ("notes", 0), ("users", 1)]


def test_no_history_is_kept_of_a_log(tasks: LoggedServer) -> None:
    meet(tasks)
    tasks.one(answer(1))
    assert run(tasks.store.history(LOG)) == []
    assert [entry.record.version for entry in run(tasks.store.history("tasks"))] == [1, 2, 3]


# How many.


def test_the_oldest_goes_where_there_are_too_many() -> None:
    server = LoggedServer()
    server.one(put(title="a"))
    for number in range(MOST_OPEN + 2):
        server.one(fields("1", 1, title=number), f"c{number}")
    # The first one is in conflict with nobody.
    assert server.open() == [f"${number}" for number in range(2, MOST_OPEN + 2)]


def test_of_one_push_with_too_many_the_last_are_kept() -> None:
    server, names = LoggedServer(), [f"f{number}" for number in range(MOST_OPEN + 3)]
    server.one(put(**dict.fromkeys(names, 1)))
    server.one(field_push("1", 1, dict.fromkeys(names, 2)), "ada")
    reply = server.one(field_push("1", 1, dict.fromkeys(names, 3)), "bob")
    assert numbers(reply) == [None] * 3 + list(range(1, MOST_OPEN + 1))
    assert [kept(server, n)["field"] for n in range(1, MOST_OPEN + 1)] == names[3:]


@pytest.mark.parametrize("most", [1_000, 1_001, 1_100, 1_500])
def test_the_oldest_go_where_they_are_too_large(most: int) -> None:
    server = LoggedServer(most_bytes=most)
    server.one(put(title="a"))
    for number in range(8):
        server.one(fields("1", 1, title=f"{number}" * 100), f"c{number}")
    record = server.record()
    assert record is not None
    assert record.data is not None
    assert most - 420 < len(record.data) <= most
    assert server.open()[-1] == "$7"


def test_one_that_is_too_large_is_told_and_not_kept(tasks: LoggedServer) -> None:
    tasks = LoggedServer(most_bytes=1_000)
    tasks.one(put(title="a", n=1))
    tasks.one(fields("1", 1, title="b", n=2), "ada")
    assert numbers(tasks.one(fields("1", 1, n=3), "bob")) == [1]
    assert numbers(meet(tasks, "x" * 1_000)) == [None]
    assert tasks.data()["title"] == "x" * 1_000
    assert tasks.open() == ["$1"], "the others need not go for it"


@pytest.mark.parametrize(("levels", "number"), [(29, 1), (30, None), (31, None)])
def test_one_that_is_too_deep_is_told_and_not_kept(
    tasks: LoggedServer, levels: int, number: int | None
) -> None:
    deep: Any = 1
    for _ in range(levels):
        deep = [deep]
    assert numbers(meet(tasks, deep)) == [number]
    assert tasks.data()["title"] == deep


def test_one_of_the_same_field_and_loser_takes_the_place_of_the_other() -> None:
    server = two_writers(MergeStrategy.SERVER_WINS)
    meet(server, "c")
    meet(server, "d")
    meet(server, "e", "carol")
    assert server.open() == ["$2", "$3"]
    assert (kept(server, 2)["pushed"]["value"], kept(server, 3)["pushed"]["value"]) == ("d", "e")


def test_those_of_nobody_in_particular_replace_each_other_not() -> None:
    server = two_writers(MergeStrategy.SERVER_WINS)
    server.one(fields("1", 1, title="c"))
    server.one(fields("1", 1, title="d"))
    assert server.open() == ["$1", "$2"]


# What ends one.


@pytest.mark.parametrize("text", ["x", 1, None, [], {"field": "title"}])
def test_what_the_program_has_put_into_a_log_is_in_nobodys_way(
    tasks: LoggedServer, text: Any
) -> None:
    data = json.dumps({"$1": text}).encode()
    tasks.one(Push(LOG, "1", ChangeAction.UPDATE, data), who=None)
    assert numbers(meet(tasks)) == [2]
    assert tasks.open() == ["$1", "$2"]


def test_an_answer_ends_a_conflict_and_the_last_one_the_log(tasks: LoggedServer) -> None:
    meet(tasks)
    meet(tasks, "d", "carol")
    assert tasks.open() == ["$1", "$2"]
    assert isinstance(tasks.one(answer(1))[-1], FieldPushAck)
    assert tasks.open() == ["$2"]
    tasks.one(answer(2))
    record = tasks.record()
    assert record is not None
    assert record.action is ChangeAction.DELETE


def test_it_is_answered_once(tasks: LoggedServer) -> None:
    meet(tasks)
    meet(tasks, "d", "carol")
    tasks.one(answer(1), "ada")
    for client in ("ada", "bob", None):
        assert code(tasks.one(answer(1), client)) is ErrorCode.CONFLICT
    assert tasks.open() == ["$2"]


def test_the_last_one_is_answered_once_too(tasks: LoggedServer) -> None:
    meet(tasks)
    tasks.one(answer(1))
    assert code(tasks.one(answer(1))) is ErrorCode.CONFLICT
    assert tasks.log() is None


@pytest.mark.parametrize("base", [2, 1_000])
def test_who_claims_to_have_seen_the_answer_answers_nothing(tasks: LoggedServer, base: int) -> None:
    meet(tasks)
    meet(tasks, "d", "carol")
    tasks.one(answer(1))
    reply = tasks.one(answer(1, base=base))
    error = reply[-1]
    assert isinstance(error, Error)
    assert error.code is ErrorCode.CONFLICT
    assert "is not there any more" in error.message
    assert json.loads(error.details or b"")["fields"] == ["$1"]


def test_what_was_never_open_cannot_be_answered() -> None:
    server = LoggedServer()
    assert code(server.one(answer(7))) is ErrorCode.CONFLICT
    assert server.record() is None


def test_an_answer_writes_what_shall_stand_in_one_step(tasks: LoggedServer) -> None:
    meet(tasks)
    reply = tasks.together(fields("1", 3, title="b"), answer(1), client="ada")
    assert isinstance(reply[-1], TransactionAck)
    assert (tasks.data()["title"], tasks.log()) == ("b", None)
    assert tasks.last is not None
    assert len({commit.transaction for commit in tasks.last.commits}) == 1


def test_of_two_who_answer_one_writes_and_the_other_nothing(tasks: LoggedServer) -> None:
    meet(tasks)
    replies = tasks.batch(
        transaction(fields("1", 3, title="mine"), answer(1), client="ada"),
        transaction(fields("1", 3, title="theirs"), answer(1), client="bob"),
    )
    assert isinstance(replies[0][-1], TransactionAck)
    assert code(replies[1]) is ErrorCode.CONFLICT
    assert (tasks.data()["title"], tasks.log()) == ("mine", None)


def test_an_answer_that_is_rejected_leaves_it_open(tasks: LoggedServer) -> None:
    meet(tasks)
    before = tasks.record()
    reply = tasks.together(answer(1), put("1", 1, title="x"), client="ada")
    assert code(reply) is ErrorCode.CONFLICT
    assert (tasks.record(), tasks.data()["title"]) == (before, "c")


def test_what_was_answered_leaves_no_trace_in_the_log(tasks: LoggedServer) -> None:
    for number in range(20):
        meet(tasks, number, f"c{number}")
        if number:
            tasks.one(answer(int(tasks.open()[0][1:])))
    record = tasks.record()
    assert record is not None
    assert record.clocks.keys() == set(tasks.open())
    tasks.one(answer(int(tasks.open()[0][1:])))
    record = tasks.record()
    assert record is not None
    assert record.clocks == {}


def test_after_the_last_answer_there_is_a_next_conflict(tasks: LoggedServer) -> None:
    meet(tasks)
    tasks.one(answer(1))
    assert numbers(meet(tasks, "d", "carol")) == [4]
    assert tasks.open() == ["$4"]


def test_the_delete_of_a_record_ends_its_conflicts(tasks: LoggedServer) -> None:
    meet(tasks)
    tasks.one(drop(), "ada")
    assert tasks.log() is None


def test_what_is_written_over_with_the_whole_record_stays_open(tasks: LoggedServer) -> None:
    meet(tasks)
    tasks.one(put(title="z"))
    assert tasks.open() == ["$1"]


# What comes with a transaction, and what goes with it.


def test_a_transaction_that_is_rejected_opens_none(tasks: LoggedServer) -> None:
    tasks.one(put("2", x=1))
    before = run(tasks.store.heads())
    reply = tasks.together(fields("1", 1, title="c"), put("2", 1, x=2), put("2", 1, x=3))
    assert code(reply) is ErrorCode.CONFLICT
    assert (tasks.log(), run(tasks.store.heads())) == (None, before)
    assert tasks.last is not None
    assert tasks.last.commits == []
    assert numbers(meet(tasks)) == [1], "and its number is the next one's"


def test_one_that_is_rejected_leaves_the_log_as_it_was(tasks: LoggedServer) -> None:
    meet(tasks)
    before = tasks.record()
    tasks.together(fields("1", 1, title="d"), put("2", 7, x=2), client="carol")
    assert tasks.record() == before


def test_the_conflicts_of_a_transaction_are_told_with_their_numbers(tasks: LoggedServer) -> None:
    tasks.one(put("2", title="a"))
    tasks.one(fields("2", 3, title="b"), "ada")
    reply = tasks.together(fields("1", 1, title="c"), fields("2", 3, title="c"), client="bob")
    assert numbers(reply) == [1, 2]
    ack = reply[-1]
    assert isinstance(ack, TransactionAck)
    assert len(ack.results) == 2, "what is written into the logs is not told as a write"
    assert (tasks.open("1"), tasks.open("2")) == (["$1"], ["$2"])


def test_a_conflict_that_is_answered_again_comes_with_its_number(tasks: LoggedServer) -> None:
    push = fields("1", 1, title="c")
    push.seq = 1
    once = Mutation(push, lambda _: None, "bob", secret=b"s", who=Grant(""))
    first, again = tasks.batch(once)[0], tasks.batch(once)[0]
    assert numbers(first) == numbers(again) == [1]
    assert tasks.open() == ["$1"]


# What has to be at hand.

writes = st.tuples(
    st.sampled_from(["push", "drop", "fields", "delete", "set_key"]),
    st.sampled_from(["ada", "bob", None]),
    st.sampled_from(["a", "b"]),
    st.one_of(st.none(), st.integers(0, 6)),  # the version that its author had seen
    st.integers(-3, 3),  # when
    st.integers(0, 2),  # the value
)


def made(kind: str, field: str, base: int | None, when: int, value: int) -> Push | PushFields:
    if kind == "push":
        return put("1", **{field: {"k": value}})
    if kind == "drop":
        return drop()
    if kind != "set_key":
        deletes = [field] if kind == "delete" else []
        values = {} if deletes else {field: {"k": value}}
        return fields("1", base, NOW + when, deletes, **values)
    update = FieldUpdate(field, b'{"k":%d}' % value, FieldAction.SET_KEY, to_datetime(NOW + when))
    return PushFields("tasks", "1", [update], base_version=base)


@given(st.lists(st.lists(writes, min_size=1, max_size=4), max_size=6))
def test_every_conflict_was_seen_to_come_and_is_kept(batches: list[list[Any]]) -> None:
    """Only where one may come a log is read: where one does, it was."""
    server = LoggedServer()
    for batch in batches:
        mutations = [
            by(made(kind, field, base, when, value), client)
            for kind, client, field, base, when, value in batch
        ]
        for reply in server.batch(*mutations):
            conflicts = [each for each in reply if isinstance(each, FieldConflict)]
            assert all(each.conflict is not None for each in conflicts)
    record = server.record()
    if record is not None:
        assert record.live == bool(server.open()), "a log in which nothing is open is deleted"


@pytest.mark.parametrize(
    "message",
    [
        fields("1", 2, title="d"),  # it has seen all of it
        fields("1", 2, new=1),
        fields("1", time=NOW + 9, title="d"),  # it came later
        fields("2", 1, title="d"),  # nobody was there
        put(title="d"),
    ],
)
def test_a_write_that_meets_nobody_has_no_log_read(
    tasks: LoggedServer, message: Push | PushFields
) -> None:
    assert looked_up(tasks, by(message, "bob")) == []


def test_what_a_client_wrote_itself_meets_nobody(tasks: LoggedServer) -> None:
    assert looked_up(tasks, by(fields("1", 1, title="d"), "ada")) == []
    own = [by(fields("1", 1, n=n), "ada") for n in range(3)]
    assert looked_up(tasks, *own) == [], "not in one batch either"
    assert looked_up(tasks, *own, by(fields("1", 2, n=9), "bob")) == [(LOG, "1")]


def looked_up(tasks: LoggedServer, *mutations: Mutation) -> list[tuple[str, str]]:
    """The records of logs that are read for these."""
    batch = Batch(mutations, tasks.deciders, "e", NOW, logs=tasks.logs)
    needs, record = batch.wanted(), tasks.record("tasks")
    assert needs.more is not None
    assert record is not None
    return list(needs.more({("tasks", "1"): record}, None)[0])


def test_a_log_that_is_too_large_to_be_read_now_is_read_in_the_next_batch() -> None:
    server = LoggedServer()
    many, large = 20, "x" * 60_000
    for number in range(many):
        server.one(put(str(number), title="a"))
        base = server.record("tasks", str(number))
        assert base is not None
        server.one(fields(str(number), base.version, title="b"), "ada")
        server.one(fields(str(number), base.version, title=large), "bob")
        server.one(put(str(number), title="a"))
        server.one(fields(str(number), base.version, title="b"), "ada")
    mutations = [by(fields(str(number), 1, title="c"), "eve") for number in range(many)]
    replies: list[Any] = []
    while len(replies) < many:
        answered = server.batch(*mutations[len(replies) :])
        assert answered, "at least one is decided"
        replies += answered
    assert all(None not in numbers(reply) and numbers(reply) for reply in replies)


def test_a_program_writes_a_log_as_it_likes(tasks: LoggedServer) -> None:
    meet(tasks)
    push = Push(LOG, "1", ChangeAction.DELETE)
    assert isinstance(tasks.one(push, who=None)[-1], PushAck)
    assert tasks.log() is None


# What fails.


@pytest.mark.parametrize("failure", [RhtmxError(ErrorCode.STORAGE_FULL, "full"), KeyError("bug")])
def test_a_write_whose_conflict_cannot_be_kept_is_not_written_either(
    tasks: LoggedServer, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fail(*args: object) -> Iterator[Mutation]:
        yield by_program(Push(LOG, "1", ChangeAction.UPDATE, b"{}"))
        raise failure

    before = tasks.record("tasks"), tasks.record(), tasks.record("tasks", "2")
    monkeypatch.setattr(ConflictLogs, "after", fail)
    lost, other = tasks.batch(
        by(fields("1", 1, time=NOW + 30, title="z"), "c3"), by(put("2", title="x"), "c4")
    )
    expected = failure.code if isinstance(failure, RhtmxError) else ErrorCode.INTERNAL
    assert (code(lost), code(other)) == (expected, None)
    assert (tasks.record("tasks"), tasks.record()) == before[:2]
    assert tasks.record("tasks", "2") != before[2], "it costs nobody else a write"
