"""Facts about `rhtmx.core.session`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from rhtmx.core.conflict import ConflictSides
from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.core.events import (
    Answered,
    Conflicted,
    Delivered,
    Problem,
    Received,
    Refused,
    Rejected,
    Started,
    State,
    Stopped,
)
from rhtmx.core.granularity import Granularity
from rhtmx.core.session import Session
from rhtmx.core.storage_ops import Image, StoredWrite, keep
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    Authenticate,
    Change,
    ChangeAction,
    ChangeLog,
    Error,
    FieldConflict,
    FieldPushAck,
    Hello,
    Limits,
    Ping,
    Pong,
    Push,
    PushAck,
    PushFields,
    Subscribe,
    SyncComplete,
    ValidateField,
    ValidationResult,
    Welcome,
)
from rhtmx.messages.tables import ANSWERS, SCHEMA_HASH, SERVER_MESSAGES
from rhtmx.stores.memory import MemoryStore
from rhtmx.unknown_enum_values import unknown
from rhtmx.values.conflict_side import ConflictSide
from tests.support.stepped import Stepped


def welcome(last_seq: int = 0, epoch: str = "e", requests: int = 64) -> Welcome:
    limits = Limits(message_bytes=65536, subscriptions=128, requests=requests)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Welcome("s", epoch, last_seq, 20_000, limits, now, SCHEMA_HASH)


def push(name: str = "1") -> Push:
    return Push("tasks", name, ChangeAction.UPDATE, b"1")


def question() -> ValidateField:
    return ValidateField("", "signup", "email", "x")


@pytest.fixture
def session() -> Stepped:
    return Stepped("c1", random=lambda: 0.5, token="t1")


def opened(session: Stepped, **welcomed: Any) -> None:
    session.connected(0)
    session.take(0)
    session.receive(welcome(**welcomed), 0)
    session.events()


def test_it_introduces_itself_first(session: Stepped) -> None:
    session.connected(0)
    assert session.take(0) == [Hello("c1", "t1", SCHEMA_HASH, confirmed_seq=0)]


def test_nothing_else_is_said_before_the_welcome(session: Stepped) -> None:
    session.push(push())
    session.ask(question())
    session.subscribe("tasks", Granularity.RECORDS)
    session.connected(0)
    assert [type(each) for each in session.take(0)] == [Hello]
    session.receive(welcome(), 0)
    assert [type(each) for each in session.take(0)] == [Subscribe, Ping, Push, ValidateField]
    assert session.is_open


def test_a_later_hello_tells_what_was_seen_and_answered(session: Stepped) -> None:
    opened(session, last_seq=4, epoch="e7")
    session.lost(1)
    session.connected(2)
    assert session.take(2) == [
        Hello("c1", "t1", SCHEMA_HASH, epoch="e7", confirmed_seq=4),
    ]


def test_a_write_is_numbered_and_answered_once(session: Stepped) -> None:
    opened(session, last_seq=4)
    name = session.push(push()).id
    sent = session.take(0)
    assert [(each.request_id, each.seq) for each in sent if isinstance(each, Push)] == [(name, 5)]
    ack = PushAck("tasks", "1", 9, name, 5)
    session.receive(ack, 1)
    session.receive(ack, 1)
    assert session.events() == [Answered(name, ack, [])]


def test_a_write_is_sent_again_until_it_is_answered(session: Stepped) -> None:
    opened(session)
    session.push(push())
    first = session.take(0)
    session.lost(1)
    opened(session)
    assert session.take(2) == first


def test_conflicts_come_with_their_answer(session: Stepped) -> None:
    opened(session)
    name = session.push(PushFields("tasks", "1")).id
    session.take(0)
    conflict = FieldConflict("tasks", "1", "title", seq=1)
    ack = FieldPushAck("tasks", "1", 0, 1, request_id=name, seq=1)
    session.receive(conflict, 1)
    session.receive(ack, 1)
    answered, disputed = session.events()
    assert answered == Answered(name, ack, [conflict])
    assert isinstance(disputed, Conflicted)
    assert disputed.conflict.field == "title"


def test_a_refused_write_is_told_with_its_code(session: Stepped) -> None:
    opened(session)
    name = session.push(push()).id
    session.take(0)
    session.receive(Error("moved on", ErrorCode.CONFLICT, name, 1), 1)
    refused, rejected, disputed = session.events()
    assert isinstance(refused, Refused)
    assert (refused.request_id, refused.error.code) == (name, ErrorCode.CONFLICT)
    assert isinstance(rejected, Rejected)
    assert rejected.write.id == name
    assert isinstance(disputed, Conflicted)


def test_a_write_that_found_the_disk_full_is_sent_again_later(session: Stepped) -> None:
    opened(session)
    name = session.push(push()).id
    session.take(0)
    session.receive(Error("full", ErrorCode.STORAGE_FULL, name, 1, True), 10)
    assert session.events() == []
    assert session.deadline == 10.5
    assert session.take(10) == []
    session.tick(10.5)
    assert [type(each) for each in session.take(10.5)] == [Push]


def test_a_question_is_answered_by_its_id(session: Stepped) -> None:
    opened(session)
    first, second = session.ask(question()), session.ask(question())
    session.take(0)
    answer = ValidationResult(second, "signup", "email", valid=True)
    session.receive(answer, 1)
    session.receive(Error("superseded", ErrorCode.SUPERSEDED, first), 1)
    answered, refused = session.events()
    assert answered == Answered(second, answer)
    assert isinstance(refused, Refused)
    assert refused.request_id == first


def test_questions_wait_while_the_server_takes_no_more(session: Stepped) -> None:
    opened(session, requests=1)
    first = session.ask(question())
    session.ask(question())
    assert len(session.take(0)) == 1
    session.receive(ValidationResult(first, "signup", "email", valid=True), 1)
    assert len(session.take(1)) == 1


def test_a_fresh_token_is_used_for_the_next_hello(session: Stepped) -> None:
    opened(session)
    session.ask(Authenticate("t2"))
    session.lost(1)
    session.connected(2)
    (hello,) = session.take(2)
    assert isinstance(hello, Hello)
    assert hello.token == "t2"


def test_changes_reach_the_reader_of_their_entity(session: Stepped) -> None:
    opened(session)
    cursor = session.subscribe("tasks", Granularity.RECORDS)
    log = ChangeLog("tasks", "1", version=3)
    session.receive(Pong(), 1)
    session.receive(Change(log), 1)
    assert session.events() == [Started(cursor), Delivered(cursor, log, cursor.position)]


def test_a_subscription_goes_on_after_a_loss(session: Stepped) -> None:
    opened(session)
    cursor = session.subscribe("tasks", Granularity.RECORDS)
    session.receive(SyncComplete("tasks", 3, "e"), 1)
    session.lost(1)
    opened(session)
    (subscribe, _) = session.take(2)
    assert isinstance(subscribe, Subscribe)
    assert subscribe.since == {"tasks": cursor.position}


def test_an_error_before_the_fence_refuses_the_subscription(session: Stepped) -> None:
    opened(session)
    cursor = session.subscribe("nope", Granularity.RECORDS)
    session.receive(Error("no entity 'nope'", ErrorCode.UNKNOWN_ENTITY), 1)
    session.receive(Pong(), 1)
    (stopped,) = session.events()
    assert isinstance(stopped, Stopped)
    assert (stopped.cursor, stopped.error.code) == (cursor, ErrorCode.UNKNOWN_ENTITY)


def test_an_error_after_it_is_a_problem_of_its_own(session: Stepped) -> None:
    opened(session)
    session.subscribe("tasks", Granularity.RECORDS)
    session.receive(Pong(), 1)
    session.receive(Error("the disk smells", ErrorCode.INTERNAL), 1)
    assert [type(each) for each in session.events()] == [Started, Problem]


def test_a_ping_is_answered(session: Stepped) -> None:
    opened(session)
    session.receive(Ping(), 1)
    assert session.take(1) == [Pong()]


def test_a_silent_server_is_given_up(session: Stepped) -> None:
    opened(session)
    assert session.deadline == 20
    assert session.tick(20)
    assert session.take(20) == [Ping()]
    assert not session.tick(40)


def test_a_lost_connection_is_made_again_after_a_while(session: Stepped) -> None:
    opened(session)
    assert session.lost(1) == 0.5
    assert session.lost(2) == 1
    assert session.deadline is None


def test_a_final_close_code_ends_it_in_the_servers_words(session: Stepped) -> None:
    opened(session)
    session.receive(Error("at most 65536 bytes", ErrorCode.TOO_LARGE), 1)
    assert session.lost(1, 4502) is None
    assert session.error is not None
    assert session.error.code is ErrorCode.TOO_LARGE
    assert "at most 65536 bytes" in session.error.message
    with pytest.raises(ConnectionClosed):
        session.push(push())


def test_a_hello_that_is_refused_ends_it(session: Stepped) -> None:
    session.connected(0)
    with pytest.raises(ConnectionClosed, match="belongs to another user"):
        session.receive(Error("belongs to another user", ErrorCode.CLIENT_ID_TAKEN), 0)


@pytest.mark.parametrize("code", [ErrorCode.STORAGE_FAILED, ErrorCode.INTERNAL])
def test_a_hello_that_may_succeed_later_does_not(session: Stepped, code: ErrorCode) -> None:
    session.connected(0)
    with pytest.raises(RhtmxError) as caught:
        session.receive(Error("not now", code), 0)
    assert not isinstance(caught.value, ConnectionClosed)
    assert session.lost(0) is not None


def test_a_reset_keeps_the_writes_that_wait(session: Stepped) -> None:
    opened(session)
    session.subscribe("tasks", Granularity.RECORDS)
    session.receive(SyncComplete("tasks", 9, "e"), 1)
    name = session.push(push()).id
    session.take(1)
    session.lost(1)
    opened(session, epoch="restored")
    sent = session.take(2)
    assert [each.request_id for each in sent if isinstance(each, Push)] == [name]


def test_closing_is_for_good(session: Stepped) -> None:
    opened(session)
    session.close()
    assert session.lost(1) is None
    with pytest.raises(ConnectionClosed, match="the client was closed"):
        session.subscribe("tasks", Granularity.RECORDS)
    with pytest.raises(ConnectionClosed):
        session.connected(1)


def test_the_state_follows_connection_and_wish(session: Stepped) -> None:
    states = [session.state]
    opened(session)
    states.append(session.state)
    session.lost(1)
    states.append(session.state)
    session.connecting()
    states.append(session.state)
    session.offline(2)
    states.append(session.state)
    session.online()
    states.append(session.state)
    session.close()
    assert [*states, session.state] == [
        State.CONNECTING,
        State.OPEN,
        State.WAITING,
        State.CONNECTING,
        State.OFFLINE,
        State.CONNECTING,
        State.CLOSED,
    ]


def test_a_token_that_can_be_renewed_is_not_the_end_of_it() -> None:
    session = Stepped("c1", random=lambda: 0.5, renews=True)
    opened(session)
    assert session.lost(1, 4503) is not None
    session.connected(2)
    with pytest.raises(RhtmxError) as caught:
        session.receive(Error("expired", ErrorCode.UNAUTHENTICATED), 2)
    assert not isinstance(caught.value, ConnectionClosed)
    assert session.lost(2, 4501) is None


def test_an_id_that_is_another_s_is_the_end_where_the_application_gave_it() -> None:
    for session in (Stepped("c1", lambda: 0.5), Stepped("c1", lambda: 0.5, token="t")):
        session.connected(0)
        with pytest.raises(ConnectionClosed) as caught:
            session.receive(Error("taken", ErrorCode.CLIENT_ID_TAKEN), 0)
        assert caught.value.code is ErrorCode.CLIENT_ID_TAKEN


@pytest.mark.parametrize("who", [{"token": "t"}, {"renews": True}])
def test_an_id_that_is_another_user_s_is_the_end_and_the_queue_is_kept(who: Any) -> None:
    session = Stepped("", lambda: 0.5, **who)
    kept = StoredWrite("a", 1, push())
    session.local.load(Image("c1", 1, [kept]))
    session.connected(0)
    with pytest.raises(ConnectionClosed):
        session.receive(Error("taken", ErrorCode.CLIENT_ID_TAKEN), 0)
    assert [row.id for row in session.local.writes.queue] == ["a"]
    assert (session.local.identity.client_id, bool(session.local.pending_ops)) == ("c1", False)


def test_a_client_that_was_slower_to_number_under_an_id_leaves_and_its_queue_is_kept() -> None:
    session = Stepped("c1", lambda: 0.5)
    opened(session)
    name = session.push(push()).id
    session.take(0)
    with pytest.raises(RhtmxError) as caught:
        session.receive(Error("taken", ErrorCode.CLIENT_ID_TAKEN, seq=1, request_id=name), 0)
    assert not isinstance(caught.value, ConnectionClosed), "the next hello decides"
    assert session.lost(0) is not None
    assert [row.id for row in session.local.writes.queue] == [name]
    assert not session.local.writes.rejected


def test_a_write_that_has_no_number_yet_is_not_given_up_with_the_id() -> None:
    session = Stepped("", lambda: 0.5)
    session.local.load(Image("c1", 1, [StoredWrite("a", 1, push())]))
    name = session.push(push("2")).id
    session.connected(0)
    with pytest.raises(RhtmxError):
        session.receive(Error("taken", ErrorCode.CLIENT_ID_TAKEN), 0)
    assert [row.id for row in session.local.writes.queue] == [name]
    assert list(session.local.writes.rejected) == ["a"]


def test_an_entity_is_held_at_one_granularity(session: Stepped) -> None:
    opened(session)
    session.open("tasks", Granularity.RECORDS)
    with pytest.raises(RhtmxError, match="one granularity"):
        session.open("tasks", Granularity.FIELDS)
    session.subscribe("notes", Granularity.FIELDS)
    with pytest.raises(RhtmxError, match="is being read as fields"):
        session.open("notes", Granularity.RECORDS)
    assert session.local.get("notes") is None


def test_what_is_held_is_one_more_reader_beside_subscriptions(session: Stepped) -> None:
    opened(session)
    view = session.open("tasks", Granularity.RECORDS)
    session.receive(SyncComplete("tasks", 3, "e"), 1)
    cursor = session.subscribe("tasks", Granularity.RECORDS)
    log = ChangeLog("tasks", "1", ChangeAction.UPDATE, b"7", version=4)
    session.receive(Change(log), 1)
    assert [each.log for each in session.events() if isinstance(each, Delivered)] == [log]
    assert [each.data for each in view.overlay.snapshot()] == [7]
    session.streams.remove(cursor)


def test_an_entity_that_the_server_refuses_is_asked_for_again(session: Stepped) -> None:
    opened(session)
    view = session.open("nope", Granularity.RECORDS)
    session.take(1)
    session.receive(Error("no entity 'nope'", ErrorCode.UNKNOWN_ENTITY), 1)
    session.receive(Pong(), 1)
    assert view.replica.error is not None
    session.lost(2)
    opened(session)
    assert view.replica.error is None
    assert any(isinstance(each, Subscribe) for each in session.take(3))


def test_a_write_that_is_too_large_is_refused_and_the_next_one_goes_on(session: Stepped) -> None:
    session.push(push("big"))
    session.push(push("small"))
    opened(session)
    big, small = [each for each in session.take(0) if isinstance(each, Push)]
    assert session.fits(small, 65_536)
    assert not session.fits(big, 65_537)
    (refused, _) = session.events()
    assert isinstance(refused, Refused)
    assert refused.error.code is ErrorCode.TOO_LARGE
    gap = Error("gap", ErrorCode.OUT_OF_ORDER, small.request_id, 2, details=b'{"last_seq":0}')
    session.receive(gap, 1)
    (again,) = session.take(1)
    assert isinstance(again, Push)
    assert (again.entity_id, again.seq) == ("small", 1)


def test_what_is_written_again_is_not_based_on_a_version_of_a_store_that_is_no_more(
    session: Stepped,
) -> None:
    opened(session)
    session.push(Push("tasks", "1", ChangeAction.UPDATE, b"1", base_version=7))
    session.take(1)
    session.receive(Error("no", ErrorCode.CONFLICT, seq=1), 1)
    (rejected,) = session.local.writes.rejected
    session.lost(2)
    opened(session, last_seq=1, epoch="restored")
    session.retry(rejected)
    (again,) = session.take(3)
    assert isinstance(again, Push)
    assert (again.data, again.base_version) == (b"1", None)


def test_an_answer_to_a_conflict_of_a_store_that_is_no_more_names_no_version_of_it(
    session: Stepped,
) -> None:
    stored, pushed = ConflictSide(b"1"), ConflictSide(b"2")
    told = ConflictSides("tasks", "1", "a", stored, pushed, "server", 7, epoch="e", number=12)
    for epoch, base in (("e", 12), ("restored", None)):
        session.lost(1)
        opened(session, epoch=epoch)
        session.answer(told, stored, datetime(2026, 1, 1, tzinfo=UTC))
        answer = session.take(2)[-1]
        assert isinstance(answer, PushFields)
        assert (answer.base_version, answer.if_unchanged) == (base, True)


LIMITED = Error("slower", ErrorCode.RATE_LIMITED, retry_after=2_000)


def subscriptions(session: Stepped, now: float) -> list[str]:
    sent = [each for each in session.take(now) if isinstance(each, Subscribe)]
    return [each.entities[0] for each in sent]


def test_a_subscription_that_comes_too_fast_waits_and_so_do_those_after_it(
    session: Stepped,
) -> None:
    opened(session)
    session.subscribe("tasks", Granularity.RECORDS)
    assert subscriptions(session, 1) == ["tasks"]
    session.receive(LIMITED, 1)
    session.receive(Pong(), 1)
    session.subscribe("users", Granularity.RECORDS)
    assert subscriptions(session, 1) == []
    assert session.deadline == 3.5
    assert session.tick(3.5)
    assert subscriptions(session, 3.5) == ["tasks", "users"]
    assert [each for each in session.events() if not isinstance(each, Started)] == []


def test_a_subscription_that_is_too_large_stops_in_words_and_the_connection_goes_on(
    session: Stepped,
) -> None:
    opened(session)
    for granularity, entity in ((Granularity.RECORDS, "tasks"), (Granularity.FIELDS, "users")):
        cursor = session.subscribe(entity, granularity)
        message = next(each for each in session.take(1) if not isinstance(each, Ping))
        assert not session.fits(message, 65_537)
        [stopped] = session.events()
        assert isinstance(stopped, Stopped)
        assert stopped.cursor is cursor
        assert stopped.error.code is ErrorCode.TOO_LARGE
        assert "65536" in stopped.error.message
        assert "65537" in stopped.error.message
        session.receive(Pong(), 1)
        assert session.events() == []
    assert session.is_open


@pytest.mark.parametrize("asked", [question(), Authenticate("t")])
def test_a_question_that_is_too_large_is_refused(session: Stepped, asked: Any) -> None:
    opened(session)
    request_id = session.ask(asked)
    [message] = session.take(1)
    assert not session.fits(message, 65_537)
    [refused] = session.events()
    assert isinstance(refused, Refused)
    assert (refused.request_id, refused.error.code) == (request_id, ErrorCode.TOO_LARGE)


def test_what_cannot_be_smaller_and_what_comes_before_the_limit_is_sent(session: Stepped) -> None:
    session.connected(0)
    [hello] = session.take(0)
    assert session.fits(hello, 10**6)
    session.receive(welcome(), 0)
    assert session.fits(Ping(), 10**6)


def test_a_connection_that_was_refused_as_too_fast_is_made_again_after_that_time(
    session: Stepped,
) -> None:
    session.connected(0)
    session.take(0)
    with pytest.raises(RhtmxError):
        session.receive(LIMITED, 0)
    assert session.lost(0) == 2.5
    opened(session)
    assert session.lost(1) == 1


def test_what_names_no_request_and_is_too_fast_is_reported(session: Stepped) -> None:
    opened(session)
    session.receive(LIMITED, 1)
    [problem] = session.events()
    assert isinstance(problem, Problem)
    assert problem.error.retry_after == 2


def test_every_message_of_a_server_has_a_handler() -> None:
    assert set(Session.HANDLERS) == set(SERVER_MESSAGES)


@pytest.mark.parametrize("code", [4500, 4999, 4000, 1006])
def test_a_hello_refused_in_a_word_of_a_newer_server_ends_as_its_close_code_says(
    code: int,
) -> None:
    session = Stepped("c1", lambda: 0.5)
    session.connected(0)
    session.receive(Error("moved", unknown(ErrorCode, "tenant_moved")), 0)
    (told,) = session.events()
    assert isinstance(told, Problem)
    assert told.error.code.name == "tenant_moved"
    wait = session.lost(0, code)
    assert (session.state is State.CLOSED) == (code >= 4500)
    assert (wait is None) == (code >= 4500)
    assert session.error is None or isinstance(session.error, ConnectionClosed)


# What is ephemeral; `ping` stands for it, as no message of the product is.


def test_what_is_told_is_sent_at_once_and_never_again(session: Stepped) -> None:
    opened(session)
    assert session.tell(Ping())
    assert session.take(1) == [Ping()]
    session.lost(1)
    opened(session)
    assert session.take(2) == []


def test_what_is_told_before_the_welcome_is_gone_and_says_so(session: Stepped) -> None:
    assert not session.tell(Ping())
    session.connected(0)
    assert not session.tell(Ping())
    assert [type(each) for each in session.take(0)] == [Hello]
    session.receive(welcome(), 0)
    assert session.take(0) == []


def test_after_the_end_nothing_is_told(session: Stepped) -> None:
    session.close()
    with pytest.raises(ConnectionClosed):
        session.tell(Ping())


def test_an_error_that_names_a_type_is_not_about_the_subscription_before_the_fence(
    session: Stepped,
) -> None:
    opened(session)
    session.subscribe("tasks", Granularity.RECORDS)
    told = Error("no 'x'", ErrorCode.UNKNOWN_ENTITY, details=b'{"type":"whisper"}')
    session.receive(told, 1)
    session.receive(Pong(), 1)
    problem, started = session.events()
    assert isinstance(problem, Problem)
    assert problem.error.message == "no 'x'"
    assert isinstance(started, Started)


def test_every_answer_settles_its_question(session: Stepped) -> None:
    opened(session)
    for asked, kind in ANSWERS.items():
        question: Any = asked()
        name = session.ask(question)
        answer: Any = kind(request_id=name)  # type: ignore[call-arg]
        session.receive(answer, 1)
        assert session.events() == [Answered(name, answer)]


# One step.


def test_a_step_tells_what_happened_once(session: Stepped) -> None:
    opened(session)
    name = session.ask(question())
    session.open("notes", Granularity.RECORDS)
    session.push(push())
    answer = ValidationResult(name, "signup", "email", valid=True)
    result = session.step(Received(answer), 1)
    assert result.events == [Answered(name, answer)]
    assert "tasks" in result.touched
    again = session.step(None, 1)
    assert (again.events, again.touched, again.revision) == ([], set(), result.revision)


def test_messages_wait_for_a_step_that_can_send_them(session: Stepped) -> None:
    opened(session)
    session.push(push())
    result = session.step(Received(Ping()), 1)
    assert (result.messages, result.deadline) == ((), None)
    result = session.step(None, 1, sends=True)
    assert [type(each) for each in result.messages] == [Pong, Push]
    assert result.deadline == 21


def test_what_is_to_be_stored_waits_for_a_step_that_can_store_it(session: Stepped) -> None:
    session.local.load(Image("c1"))
    session.push(push())
    assert session.step(None, 0).batch is None
    batch = session.step(None, 0, stores=True).batch
    assert batch is not None
    assert [each.row.message for each in batch.adds] == [push()]
    assert session.step(None, 0, stores=True).batch is None


def test_what_came_of_a_batch_numbers_its_writes_and_sends_them(session: Stepped) -> None:
    session.local.load(Image("c1"))
    opened(session)
    session.push(push())
    batch = session.step(None, 0, stores=True).batch
    assert batch is not None
    assert session.take(0) == []
    before = session.step(None, 0).revision
    result = session.step(keep(MemoryStore("c1"), batch), 0, sends=True)
    assert [each.seq for each in result.messages if isinstance(each, Push)] == [1]
    assert result.revision != before


def test_what_had_happened_before_a_message_that_must_not_come_is_still_told(
    session: Stepped,
) -> None:
    opened(session)
    session.push(push())
    (message,) = session.take(0)
    assert not session.fits(message, 65_537)
    with pytest.raises(RhtmxError, match="does not belong"):
        session.step(Received(welcome()), 1)
    assert [type(each) for each in session.events()] == [Refused, Rejected]
