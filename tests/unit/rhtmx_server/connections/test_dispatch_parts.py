"""Messages about parts of entities: who may read what, in the order in which they were said."""

from __future__ import annotations

import asyncio

import pytest

from rhtmx.errors import ErrorCode
from rhtmx.messages import (
    Blame,
    BlameResult,
    ChangeAction,
    Error,
    Hello,
    History,
    HistoryResult,
    Ping,
    Pong,
    Position,
    Subscribe,
    SubscribeFields,
    Sync,
    SyncBegin,
    SyncComplete,
    SyncFieldsComplete,
    Unsubscribe,
)
from rhtmx.wire import Message
from rhtmx_server.access.grant import Grant
from rhtmx_server.connections.session import SessionLimits
from rhtmx_server.model import ClientRow, Clock, Granularity, HistoryEntry, Record
from rhtmx_server.ports import BatchNeeds, BatchWrites, Snapshot
from tests.support.divided import SimpleAccess
from tests.unit.rhtmx_server.connecting import Side
from tests.unit.rhtmx_server.fakes import NOW

A, B = b'{"team":"a"}', b'{"team":"b"}'


@pytest.fixture
async def side() -> Side:
    side = Side(limits=SessionLimits(subscriptions=2))
    side.services.access = SimpleAccess()
    side.say(Hello(client_id="ann"))
    await side.rest()
    assert side.heard
    return side


def by_tasks(where: bytes) -> bytes:
    return b'{"tasks":%s}' % where


def slow(side: Side) -> asyncio.Event:
    """Have rules wait for an event."""
    go = asyncio.Event()

    async def ask() -> None:
        await go.wait()

    side.services.access = SimpleAccess(ask=ask)
    return go


async def test_a_subscription_to_a_part_is_answered_with_it(side: Side) -> None:
    side.say(Subscribe(entities=["tasks"], where=by_tasks(A)))
    (answer,) = side.heard
    assert isinstance(answer, SyncComplete)
    assert (answer.where, len(answer.scope or "")) == (A, 16)


async def test_a_whole_entity_has_no_scope(side: Side) -> None:
    side.say(SubscribeFields(entities=["tasks"]))
    assert side.heard == [SyncFieldsComplete(entity="tasks", epoch="e")]


async def test_a_rule_that_need_not_wait_is_asked_without_a_task(side: Side) -> None:
    side.say(Subscribe(entities=["tasks"], where=by_tasks(A)), Ping())
    assert side.connection._tasks == set()
    assert [type(each) for each in side.heard] == [SyncComplete, Pong]


async def test_what_is_said_after_a_subscription_waits_for_its_rule(side: Side) -> None:
    go = slow(side)
    side.say(Subscribe(entities=["tasks"], where=by_tasks(A)), Ping())
    await asyncio.sleep(0)
    assert (side.heard, side.connection.requests) == ([], 1)
    go.set()
    await side.rest()
    assert [type(each) for each in side.heard] == [SyncComplete, Pong]
    assert side.connection.requests == 0


async def test_what_is_said_after_a_sync_waits_for_its_rule(side: Side) -> None:
    go = slow(side)
    side.say(Sync(entity="tasks", where=A, request_id="1"), Ping())
    await asyncio.sleep(0)
    assert side.heard == []
    go.set()
    await side.rest()
    kinds = [type(each) for each in side.heard]
    assert sorted(kinds, key=str) == sorted([Pong, SyncComplete], key=str)


async def test_rights_that_change_while_a_rule_is_asked_are_asked_for_again(side: Side) -> None:
    go = slow(side)
    access = side.services.access
    assert isinstance(access, SimpleAccess)
    side.say(Subscribe(entities=["tasks"]))
    await asyncio.sleep(0)
    await side.connection.rescope()
    access.rights["", "tasks"] = [{"team": "a"}]
    go.set()
    await side.rest()
    assert access.asked == 2
    (answer,) = side.heard
    assert isinstance(answer, SyncComplete)
    assert answer.scope is not None


async def test_a_connection_that_ends_while_a_rule_is_asked_subscribes_to_nothing(
    side: Side,
) -> None:
    go = slow(side)
    side.say(Subscribe(entities=["tasks"]))
    await asyncio.sleep(0)
    side.connection.close(ErrorCode.STALLED, "over")
    go.set()
    await side.rest()
    assert side.connection.subscriptions.count == 0


@pytest.mark.parametrize("wait", [False, True])
async def test_what_may_not_be_read_is_refused_and_nothing_of_the_message_is_done(
    side: Side, wait: bool
) -> None:
    go = slow(side) if wait else asyncio.Event()
    go.set()
    access = side.services.access
    assert isinstance(access, SimpleAccess)
    access.forbidden.add(("", "users"))
    side.say(Subscribe(entities=["tasks", "users"]))
    await side.rest()
    (error,) = side.heard
    assert isinstance(error, Error)
    assert (error.code, side.connection.subscriptions.count) == (ErrorCode.FORBIDDEN, 0)


async def test_each_part_counts_as_a_subscription(side: Side) -> None:
    side.say(Subscribe(entities=["tasks"], where=by_tasks(A)))
    side.say(Subscribe(entities=["tasks"], where=by_tasks(B)))
    side.say(Subscribe(entities=["tasks"], where=by_tasks(B)))
    assert [type(each) for each in side.heard] == [SyncComplete] * 3
    side.say(Subscribe(entities=["tasks"]))
    (error,) = side.heard
    assert isinstance(error, Error)
    assert error.code is ErrorCode.TOO_MANY_SUBSCRIPTIONS


async def test_unsubscribe_ends_the_part_that_it_names(side: Side) -> None:
    side.say(Subscribe(entities=["tasks"], where=by_tasks(A)))
    side.say(Subscribe(entities=["tasks"]))
    side.say(Unsubscribe(entities=["tasks"]))
    assert side.connection.subscriptions.subscribed("tasks", A)
    assert not side.connection.subscriptions.subscribed("tasks")
    side.say(Unsubscribe(entities=["tasks"], where=by_tasks(A)))
    assert side.connection.subscriptions.count == 0


async def test_a_position_names_its_scope(side: Side) -> None:
    side.say(Sync(entity="tasks", where=A, epoch="e", request_id="1"))
    await side.rest()
    (first,) = side.heard
    assert isinstance(first, SyncComplete)
    for scope, reset in ((first.scope, False), ("another", True)):
        since = {"tasks": Position(epoch="e", version=0, scope=scope)}
        side.say(Subscribe(entities=["tasks"], where=by_tasks(A), since=since))
        await side.rest()
        begin, answer = side.heard
        assert isinstance(begin, SyncBegin)
        assert isinstance(answer, SyncComplete)
        assert (begin.reset, answer.reset) == (reset, reset)
        assert begin.scope == answer.scope == first.scope


# What has become of a record.


async def written(side: Side) -> None:
    """A record that was red's, and a client of ada's who wrote it."""

    def write(snapshot: Snapshot) -> BatchWrites:
        one = Record("tasks", "1", 1, ChangeAction.CREATE, b'{"team":"a","n":1}', "c1", NOW)
        one.clocks = {"team": Clock(1, NOW, "c1"), "n": Clock(1, NOW, "c1")}
        entry = HistoryEntry(one, Granularity.RECORDS, previous=0)
        client = ClientRow("c1", "ada", 1, NOW)
        return BatchWrites([one], {"tasks": 1}, [entry], [client])

    await side.store.commit(BatchNeeds(), write)


async def test_the_history_of_a_record_is_answered_by_what_its_reader_sees(side: Side) -> None:
    await written(side)
    access = side.services.access
    assert isinstance(access, SimpleAccess)
    access.rights["", "tasks"] = [{"team": "a"}]
    side.say(History("tasks", "1", request_id="1"), Blame("tasks", "1", request_id="2"))
    assert side.connection.requests == 2
    await side.rest()
    history, blame = side.heard
    assert isinstance(history, HistoryResult)
    assert [(each.changed, each.subject) for each in history.commits] == [(["n", "team"], "ada")]
    assert (history.request_id, history.complete, side.connection.requests) == ("1", True, 0)
    assert isinstance(blame, BlameResult)
    assert [(each.field, each.subject) for each in blame.fields] == [("n", "ada"), ("team", "ada")]


@pytest.mark.parametrize("question", [History("tasks", "1"), Blame("tasks", "1")], ids=str)
async def test_a_record_that_may_not_be_seen_is_not_found(side: Side, question: Message) -> None:
    await written(side)
    access = side.services.access
    assert isinstance(access, SimpleAccess)
    access.rights["", "tasks"] = [{"team": "b"}]
    side.say(question)
    await side.rest()
    (error,) = side.heard
    assert isinstance(error, Error)
    assert (error.code, error.message) == (ErrorCode.NOT_FOUND, "there is no record tasks/1")


@pytest.mark.parametrize("question", [History("tasks", "1"), Blame("tasks", "1")], ids=str)
async def test_what_is_looked_up_while_rights_change_is_looked_up_again(
    side: Side, question: Message
) -> None:
    await written(side)
    go = slow(side)
    access = side.services.access
    assert isinstance(access, SimpleAccess)
    side.say(question)
    await asyncio.sleep(0)
    await side.connection.rescope()
    access.rights["", "tasks"] = [{"team": "b"}]
    go.set()
    await side.rest()
    assert access.asked == 2
    (error,) = side.heard
    assert isinstance(error, Error)
    assert error.code is ErrorCode.NOT_FOUND


async def test_who_turns_out_to_be_somebody_else_meanwhile_is_told_what_those_may_see(
    side: Side,
) -> None:
    await written(side)
    go = slow(side)
    access = side.services.access
    assert isinstance(access, SimpleAccess)
    access.rights["eve", "tasks"] = [{"team": "b"}]
    side.say(History("tasks", "1"))
    await asyncio.sleep(0)
    side.session.grant = Grant("eve")
    go.set()
    await side.rest()
    (error,) = side.heard
    assert isinstance(error, Error)
    assert error.code is ErrorCode.NOT_FOUND


async def test_a_connection_that_ends_meanwhile_is_told_nothing(side: Side) -> None:
    await written(side)
    go = slow(side)
    side.say(History("tasks", "1"))
    await asyncio.sleep(0)
    side.connection.close(ErrorCode.STALLED, "over")
    go.set()
    await side.rest()
    assert side.heard == []


@pytest.mark.parametrize("question", [History("tasks", "1"), Blame("tasks", "1")], ids=str)
async def test_questions_about_records_count_as_requests(question: Message) -> None:
    side = Side(limits=SessionLimits(requests=1))
    side.say(question, question)
    await side.rest()
    codes = [each.code for each in side.heard if isinstance(each, Error)]
    assert codes == [ErrorCode.TOO_MANY_REQUESTS, ErrorCode.NOT_FOUND]


async def test_an_entity_without_fields_has_a_history_and_nobody_to_blame() -> None:
    side = Side(entities=frozenset({"tasks"}))
    side.services.fieldless = frozenset({"tasks"})
    await written(side)
    side.say(History("tasks", "1"), Blame("tasks", "1"), History("else", "1"))
    await side.rest()
    refused, unknown, history = side.heard
    assert isinstance(refused, Error)
    assert isinstance(unknown, Error)
    assert (refused.code, unknown.code) == (ErrorCode.NOT_SUPPORTED, ErrorCode.UNKNOWN_ENTITY)
    assert isinstance(history, HistoryResult)
