"""A connection: what arrives is handled in order, and what waits goes on."""

from __future__ import annotations

import asyncio
import gc
import warnings

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    Authenticate,
    Authenticated,
    Change,
    Error,
    Hello,
    Ping,
    Pong,
    PushAck,
    Subscribe,
    Sync,
    SyncComplete,
    Unsubscribe,
    Welcome,
)
from rhtmx.wire import Message
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.request import Request
from rhtmx_server.config import Config
from rhtmx_server.connections.connection import REFUSED
from rhtmx_server.connections.services import Authenticator
from rhtmx_server.connections.session import Phase, SessionLimits
from tests.support.waiting import eventually
from tests.unit.rhtmx_server.connecting import Side
from tests.unit.rhtmx_server.fakes import RECORDS, commit, push

GARBAGE = b'{"type":"pu'


@pytest.fixture
async def side() -> Side:
    return Side()


def ack(version: int = 1) -> PushAck:
    return PushAck(entity="tasks", entity_id="1", version=version)


def codes(heard: list[Message]) -> list[ErrorCode | None]:
    return [message.code for message in heard if isinstance(message, Error)]


class Gate:
    """An authenticator that answers when it is told to."""

    def __init__(self) -> None:
        self.open = asyncio.Event()

    async def __call__(self, request: Request) -> Grant:
        await self.open.wait()
        return Grant(request.token)


# Handling what arrives.


async def test_a_message_is_handled_in_the_callback_that_brings_it(side: Side) -> None:
    side.say(Ping())
    assert side.heard == [Pong()]


async def test_what_cannot_be_understood_is_answered_and_the_connection_goes_on(
    side: Side,
) -> None:
    side.say_raw(GARBAGE)
    side.say(Ping())
    heard = side.heard
    assert codes(heard) == [ErrorCode.BAD_MESSAGE]
    assert heard[-1] == Pong()
    assert side.link.closed == []


async def test_one_bad_message_too_many_closes_for_good() -> None:
    side = Side(limits=SessionLimits(bad_messages=2))
    side.say_raw(GARBAGE, GARBAGE)
    assert side.link.closed == []
    side.say_raw(GARBAGE)
    assert [code for code, _ in side.link.closed] == [4500]
    assert codes(side.heard) == [ErrorCode.BAD_MESSAGE] * 3


async def test_a_handler_that_fails_unforeseen_is_answered_without_its_reasons(
    side: Side, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: object) -> None:
        raise ZeroDivisionError("the secret reason")

    monkeypatch.setattr(side.connection.subscriptions, "sync", fail)
    side.say(Sync(entity="tasks", since=0, request_id="r"))
    (error,) = side.heard
    assert isinstance(error, Error)
    assert (error.code, error.request_id) == (ErrorCode.INTERNAL, "r")
    assert "secret" not in error.message
    assert "ZeroDivisionError" in caplog.text


async def test_an_error_in_a_message_names_the_request(side: Side) -> None:
    side.say(Sync(entity="", since=0, request_id="r"))
    (error,) = side.heard
    assert isinstance(error, Error)
    assert (error.code, error.request_id) == (ErrorCode.BAD_MESSAGE, "r")


# How much may arrive.


QUESTION = Unsubscribe(entities=["tasks"])
"""A message without an answer."""


@pytest.fixture
async def brisk() -> Side:
    """A server that takes four messages at once, and two a second."""
    return Side(config=Config(messages_per_second=2))


async def test_who_sends_too_much_is_told_when_to_send_it_again(brisk: Side) -> None:
    brisk.say(*[Ping()] * 4)
    assert brisk.heard == [Pong()] * 4
    brisk.say(Sync(entity="tasks", since=0, request_id="r"))
    (error,) = brisk.heard
    assert isinstance(error, Error)
    assert (error.code, error.request_id) == (ErrorCode.RATE_LIMITED, "r")
    assert (error.retryable, error.retry_after) == (True, 500)
    brisk.now.seconds += 0.5
    brisk.say(Ping())
    assert brisk.heard == [Pong()]


async def test_it_is_no_strike_and_the_connection_goes_on(brisk: Side) -> None:
    brisk.say(*[QUESTION] * 60)
    assert brisk.link.closed == []
    assert codes(brisk.heard).count(ErrorCode.RATE_LIMITED) == 56


async def test_a_ping_is_never_refused_but_nothing_is_read_for_a_while_after_it(
    brisk: Side,
) -> None:
    brisk.say(*[Ping()] * 8)
    assert brisk.heard == [Pong()] * 5, "whoever counts pongs must not miss one"
    assert brisk.link.paused
    brisk.now.seconds += 10
    await eventually(lambda: not brisk.link.paused)
    assert brisk.heard == [Pong()] * 3


async def test_a_refused_push_uses_up_no_number_and_those_after_it_are_refused_in_order(
    brisk: Side,
) -> None:
    brisk.session.introduce("ada")
    brisk.say(*[push(seq=number) for number in range(1, 9)])
    assert [message.seq for message in brisk.committer.pushed] == [1, 2, 3, 4]
    refused = [m for m in brisk.heard if isinstance(m, Error)]
    assert [(m.code, m.seq) for m in refused] == [(ErrorCode.RATE_LIMITED, n) for n in (5, 6, 7, 8)]


async def test_garbage_beyond_the_rate_is_refused_like_everything_else(brisk: Side) -> None:
    brisk.say(*[Ping()] * 4)
    brisk.say_raw(*[GARBAGE] * 20)
    assert codes(brisk.heard) == [ErrorCode.RATE_LIMITED] * 20
    assert brisk.link.closed == []


async def test_who_goes_on_all_the_same_is_not_read_for_a_while(brisk: Side) -> None:
    brisk.say(*[QUESTION] * (4 + REFUSED + 1000))
    assert brisk.link.paused
    assert len(brisk.link.unsaid) == 1000
    assert codes(brisk.heard) == [ErrorCode.RATE_LIMITED] * REFUSED
    brisk.now.seconds += 100
    brisk.link.unsaid = brisk.link.unsaid[:3]
    await eventually(lambda: not brisk.link.paused)
    assert codes(brisk.heard) == []
    assert brisk.link.unsaid == []


@pytest.mark.parametrize("size", [0, 125])
async def test_frames_that_are_no_messages_count_and_are_not_read_beyond_the_rate(
    brisk: Side, size: int
) -> None:
    for _ in range(4):
        brisk.connection.spend(size)
    assert not brisk.link.paused
    brisk.connection.spend(size)
    assert brisk.link.paused
    assert brisk.heard == [], "nothing answers a ping or a part of a message"
    brisk.now.seconds += 1
    await eventually(lambda: not brisk.link.paused)


async def test_bytes_count_as_messages_do() -> None:
    side = Side(config=Config(max_size=1024, bytes_per_second=1024, messages_per_second=0))
    side.say(*[push(data=b'"%s"' % (b"x" * 900))] * 3)
    assert len(side.committer.pushed) == 2
    assert codes(side.heard) == [ErrorCode.RATE_LIMITED]


async def test_a_connection_that_is_gone_leaves_no_timer(brisk: Side) -> None:
    for _ in range(5):
        brisk.connection.spend(1)
    held = brisk.connection._holding
    assert held is not None
    brisk.connection.lost()
    assert held.cancelled()


# Pushes.


async def test_pushes_go_to_the_committer_in_order_and_are_answered_when_it_says_so(
    side: Side,
) -> None:
    side.say(push("1"), push("2"))
    assert [message.entity_id for message in side.committer.pushed] == ["1", "2"]
    assert side.heard == []
    side.answer(ack(1))
    assert side.heard == [ack(1)]


async def test_a_push_carries_who_and_on_whose_behalf(side: Side) -> None:
    side.session.introduce("ada")
    side.session.unlock(Grant("user-1"), None)
    side.say(push(seq=1))
    (mutation,) = side.committer.mutations
    assert (mutation.client_id, mutation.subject, mutation.rejection) == ("ada", "user-1", None)


async def test_an_impossible_push_takes_its_place_in_the_order_with_its_refusal(
    side: Side,
) -> None:
    side.session.introduce("ada")
    side.say(push(seq=1), push("", seq=2), push(seq=3))
    refusals = [mutation.rejection for mutation in side.committer.mutations]
    assert [refusal and refusal.code for refusal in refusals] == [
        None,
        ErrorCode.BAD_MESSAGE,
        None,
    ]


async def test_a_push_to_an_unknown_entity_uses_up_its_number() -> None:
    side = Side(entities=frozenset({"tasks"}))
    side.session.introduce("ada")
    side.say(push(entity="nope", seq=1))
    (mutation,) = side.committer.mutations
    assert mutation.rejection is not None
    assert mutation.rejection.code is ErrorCode.UNKNOWN_ENTITY


async def test_a_number_without_a_client_id_is_refused(side: Side) -> None:
    side.say(push(seq=1))
    (mutation,) = side.committer.mutations
    assert mutation.rejection is not None
    assert mutation.rejection.code is ErrorCode.BAD_MESSAGE


async def test_too_many_pushes_under_way_pause_the_peer_and_their_answers_resume_it() -> None:
    side = Side(config=Config(pushes_in_flight=2))
    side.say(*(push(str(index)) for index in range(5)))
    assert len(side.committer.mutations) == 2
    assert side.link.paused
    handled = 0
    while side.committer.mutations:
        side.answer(ack())
        handled += 1
    assert handled == 5
    assert not side.link.paused
    side.say(Ping())
    assert side.heard[-1] == Pong()


async def test_what_waits_behind_a_push_keeps_its_order() -> None:
    side = Side(config=Config(pushes_in_flight=1))
    side.say(push("1"), Ping(), push("2"))
    assert side.heard == []
    side.answer(ack(1))
    assert side.heard == [ack(1), Pong()]


async def test_the_answer_to_a_push_is_not_sent_after_the_end(side: Side) -> None:
    side.say(push("1"))
    side.connection.lost()
    side.answer(ack(1))
    assert side.heard == []


async def test_a_push_after_the_end_does_not_use_up_its_number() -> None:
    side = Side(limits=SessionLimits(bad_messages=0))
    side.session.introduce("ada")
    side.say_raw(GARBAGE)
    side.say(push(seq=1))
    assert side.committer.mutations == []


async def test_a_push_in_line_when_the_connection_ends_does_not_use_up_its_number() -> None:
    side = Side(config=Config(pushes_in_flight=1), limits=SessionLimits(bad_messages=0))
    side.session.introduce("ada")
    side.say(push(seq=1))
    side.say_raw(GARBAGE)
    side.say(push(seq=2))
    side.answer(ack(1))
    assert side.committer.mutations == []
    assert len(side.link.closed) == 1


# Answers that what follows depends on.


async def test_what_follows_hello_waits_for_its_answer() -> None:
    gate = Gate()
    side = Side(authenticate=gate)
    side.say(Hello(token="t", client_id="ada"), push(seq=1), Ping())
    assert side.committer.mutations == []
    assert side.link.paused
    gate.open.set()
    await side.rest()
    assert [type(message) for message in side.heard] == [Welcome, Pong]
    (mutation,) = side.committer.mutations
    assert (mutation.client_id, mutation.subject) == ("ada", "t")
    assert not side.link.paused


async def test_a_refused_hello_lets_the_rest_go_on() -> None:
    async def nobody(request: Request) -> Grant:
        raise RhtmxError(ErrorCode.UNAUTHENTICATED, "no such token")

    side = Side(authenticate=nobody)
    side.say(Hello(token="t"), Ping())
    await side.rest()
    heard = side.heard
    assert codes(heard) == [ErrorCode.UNAUTHENTICATED]
    assert heard[-1] == Pong()


async def test_an_authenticator_that_breaks_is_an_internal_error() -> None:
    async def broken(request: Request) -> Grant:
        raise ZeroDivisionError

    side = Side(authenticate=broken)
    side.say(Authenticate(token="t", request_id="r"))
    await side.rest()
    (error,) = side.heard
    assert isinstance(error, Error)
    assert (error.code, error.request_id) == (ErrorCode.INTERNAL, "r")


async def test_the_server_takes_nothing_more_once_it_stops_reading(side: Side) -> None:
    side.connection.stop_reading()
    side.say(push("1"), Ping())
    assert (side.committer.mutations, side.heard) == ([], [])
    assert side.link.paused


async def test_an_answer_that_comes_while_the_server_stops_takes_nothing_more() -> None:
    gate = Gate()
    side = Side(authenticate=gate)
    side.say(Authenticate(token="t"), push("1"))
    side.connection.stop_reading()
    gate.open.set()
    await side.rest()
    assert [type(message) for message in side.heard] == [Authenticated]
    assert side.committer.mutations == []
    assert side.link.paused


# Tokens.


@pytest.fixture
async def known() -> Side:
    """A client that numbers, with a token that is good for a minute."""
    side = Side(authenticate=Gate())
    side.session.unlock(Grant("ada"), side.now() + 60)
    side.session.introduce("c")
    return side


@pytest.mark.parametrize("late", [0.0, 0.001, 0.8])
@pytest.mark.parametrize("seq", [None, 1])
async def test_an_expired_token_writes_nothing_more_also_before_anybody_looks_at_the_clock(
    known: Side, late: float, seq: int | None
) -> None:
    known.now.seconds += 60 + late
    known.say(push(seq=seq, request_id="r"), push("2"))
    assert known.committer.mutations == []
    (error,) = known.heard
    assert isinstance(error, Error)
    assert (error.code, error.request_id) == (ErrorCode.UNAUTHENTICATED, "r")
    assert [code for code, _ in known.link.closed] == [4503]


async def test_up_to_its_last_moment_a_token_is_good(known: Side) -> None:
    known.now.seconds += 59.999
    known.say(push())
    assert len(known.committer.mutations) == 1


@pytest.mark.parametrize("kind", ["push", "push_fields", "transaction"])
async def test_a_write_that_cannot_be_read_uses_up_its_number(known: Side, kind: str) -> None:
    known.say_raw(b'{"type":"%s","seq":1}' % kind.encode())
    known.say(push(seq=2))
    assert [each.message.seq for each in known.committer.mutations] == [1, 2]


async def test_a_message_that_cannot_be_read_uses_up_no_number_after_the_token(known: Side) -> None:
    known.now.seconds += 61
    known.say_raw(b'{"type":"push","entity":"tasks","seq":1}')
    assert known.committer.mutations == []
    assert [code for code, _ in known.link.closed] == [4503]


@pytest.mark.parametrize("question", [Ping(), Subscribe(entities=["tasks"]), Sync(entity="tasks")])
async def test_an_expired_token_reads_and_asks_nothing_more(known: Side, question: Message) -> None:
    known.now.seconds += 61
    known.say(question)
    await known.rest()
    assert codes(known.heard) == [ErrorCode.UNAUTHENTICATED]
    assert known.connection.subscriptions.count == 0


async def test_a_fresh_token_may_still_come_until_somebody_looks(known: Side) -> None:
    known.services.authenticate = a_minute_more(known)
    known.now.seconds += 60.5
    known.say(Authenticate(token="ada"), push())
    await known.rest()
    assert [type(message) for message in known.heard] == [Authenticated]
    assert len(known.committer.mutations) == 1


def a_minute_more(side: Side) -> Authenticator:
    async def authenticate(request: Request) -> Grant:
        return Grant(request.token, side.services.clock() + 60_000_000)

    return authenticate


# Peers that do not read.


async def test_a_peer_that_does_not_read_is_not_read_either(side: Side) -> None:
    side.connection.overfull()
    side.say(Ping())
    assert side.heard == []
    assert side.link.paused
    side.connection.drained_enough()
    assert side.heard == [Pong()]
    assert not side.link.paused


async def test_one_who_is_behind_is_caught_up_once_it_has_read(side: Side) -> None:
    side.say(Subscribe(entities=["tasks"]))
    side.connection.overfull()
    side.hub.deliver([commit(1)])
    side.soon.turn()
    assert side.heard == []
    assert side.connection.subscriptions.lagging == 1
    side.connection.drained_enough()
    await side.rest()
    assert side.connection.subscriptions.lagging == 0


async def test_a_peer_that_makes_no_progress_is_dropped(side: Side) -> None:
    side.link.buffered = 1000
    side.connection.overfull()
    side.now.seconds += side.config.stall_timeout + 1
    side.connection.look(side.now())
    assert side.link.aborted


async def test_a_peer_that_reads_slowly_is_kept(side: Side) -> None:
    side.link.buffered = 1000
    side.connection.overfull()
    for _ in range(10):
        side.now.seconds += side.config.stall_timeout - 1
        side.link.buffered -= 1
        side.connection.look(side.now())
    assert not side.link.aborted


# Signs of life.


async def test_a_silent_peer_is_told_to_reconnect_once(side: Side) -> None:
    side.now.seconds += 2 * side.limits.heartbeat + 1
    side.connection.look(side.now())
    side.connection.look(side.now())
    assert [code for code, _ in side.link.closed] == [4001]


async def test_a_peer_that_is_not_listened_to_is_not_taken_for_silent(side: Side) -> None:
    side.link.buffered = 1000
    side.connection.overfull()
    side.say(Ping())
    for left in range(100, 0, -1):
        side.link.buffered = left
        side.now.seconds += 1
        side.connection.look(side.now())
    assert not side.link.aborted


async def test_a_client_that_said_hello_is_asked_by_a_message(side: Side) -> None:
    side.say(Hello())
    await side.rest()
    assert [type(message) for message in side.heard] == [Welcome]
    side.now.seconds += side.limits.heartbeat
    side.connection.look(side.now())
    assert side.heard == [Ping()]


async def test_another_one_is_asked_by_a_frame(side: Side) -> None:
    side.now.seconds += side.limits.heartbeat
    side.connection.look(side.now())
    assert (side.heard, side.link.pings) == ([], 1)


# The end.


async def test_the_end_sends_what_waits_before_the_close_code(side: Side) -> None:
    side.say(Ping())
    side.connection.close(ErrorCode.SHUTTING_DOWN, "bye")
    assert len(side.link.written) == 1
    assert side.link.closed == [(4000, "bye")]
    assert side.session.phase is Phase.CLOSED


async def test_nothing_is_written_after_the_close_frame(side: Side) -> None:
    side.connection.subscriptions.subscribe("users", RECORDS, None)
    side.connection.close(ErrorCode.SHUTTING_DOWN, "bye")
    side.hub.deliver([commit(1, "users")])
    side.connection.send(Pong())
    assert side.heard == []


async def test_nothing_is_written_to_a_peer_that_said_goodbye(side: Side) -> None:
    side.say(Ping())
    side.connection.ended()
    assert side.heard == []


async def test_the_end_leaves_nothing_running_and_nobody_subscribed(side: Side) -> None:
    side.connection.overfull()
    side.connection.subscriptions.subscribe("users", RECORDS, None)
    side.connection.spawn(asyncio.Event().wait())  # type: ignore[arg-type]
    side.connection.lost()
    await side.rest()
    assert side.hub._groups == {}
    assert side.connection.subscriptions.count == 0


async def test_a_task_that_never_began_is_no_warning(side: Side) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        side.say(Sync(entity="tasks", since=0))
        side.connection.lost()
        await side.rest()
        gc.collect()
    assert [str(each.message) for each in caught] == []


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (RhtmxError(ErrorCode.STORAGE_FAILED, "disk on fire"), ErrorCode.STORAGE_FAILED),
        (ZeroDivisionError("secret"), ErrorCode.INTERNAL),
    ],
)
async def test_a_task_that_fails_tells_the_peer_and_sends_it_away_to_reconnect(
    side: Side, monkeypatch: pytest.MonkeyPatch, failure: Exception, code: ErrorCode
) -> None:
    async def fail(*args: object, **options: object) -> None:
        raise failure

    monkeypatch.setattr(side.store, "since", fail)
    side.hub.deliver([commit(1)])
    side.say(Sync(entity="tasks", since=0))
    await side.rest()
    assert codes(side.heard) == [code]
    assert [close_code for close_code, _ in side.link.closed] == [4400]


# SessionLimits.


async def test_syncs_under_way_count_as_requests() -> None:
    side = Side(limits=SessionLimits(requests=2))
    side.connection.overfull()
    for name in ("a", "b", "c"):
        side.connection._dispatch(Sync(entity=name, since=0, request_id=name))
    (error,) = side.heard
    assert isinstance(error, Error)
    assert (error.code, error.request_id) == (ErrorCode.TOO_MANY_REQUESTS, "c")


async def test_an_answered_sync_makes_room_again() -> None:
    side = Side(limits=SessionLimits(requests=1))
    for name in ("a", "b"):
        side.say(Sync(entity=name, since=0))
        await side.rest()
    assert [type(message) for message in side.heard] == [SyncComplete, SyncComplete]


async def test_a_live_change_reaches_the_peer(side: Side) -> None:
    side.say(Subscribe(entities=["tasks"]))
    side.hub.deliver([commit(1)])
    assert [type(message) for message in side.heard] == [Change]
