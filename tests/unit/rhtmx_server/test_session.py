"""A session: what may be said when, and whether anybody is still there."""

from __future__ import annotations

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Hello, Ping, Pong, Push, PushAck, Subscribe
from rhtmx.messages.tables import CLIENT_MESSAGES, NAMES
from rhtmx.wire import Message
from rhtmx_server.session import LEGAL, Limits, Phase, Session, Verdict
from tests.unit.rhtmx_server.fakes import push, push_fields

SERVER_MESSAGES = [kind for kind in NAMES if kind not in CLIENT_MESSAGES]
LIMITS = Limits(heartbeat=20.0, bad_messages=2)


@pytest.fixture
def session() -> Session:
    return Session("s1", LIMITS, 1000.0)


def refused(session: Session, message: Message) -> str:
    with pytest.raises(RhtmxError) as caught:
        session.receive(message)
    assert caught.value.code is ErrorCode.BAD_MESSAGE
    return caught.value.message


def test_the_table_of_phases_is_complete() -> None:
    assert set(LEGAL) == set(Phase)


@pytest.mark.parametrize("kind", CLIENT_MESSAGES, ids=lambda kind: NAMES[kind])
def test_anything_a_client_may_say_may_be_said_first(session: Session, kind: type[Message]) -> None:
    session.receive(kind())


@pytest.mark.parametrize("kind", SERVER_MESSAGES, ids=lambda kind: NAMES[kind])
def test_what_the_server_says_is_not_for_clients(session: Session, kind: type[Message]) -> None:
    assert "sent by the server" in refused(session, kind())


def test_pong_is_said_by_both(session: Session) -> None:
    session.receive(Pong())


def test_hello_comes_first_or_not_at_all(session: Session) -> None:
    session.receive(Ping())
    assert "must be the first" in refused(session, Hello())
    session.receive(Subscribe())


def test_hello_is_said_once(session: Session) -> None:
    session.receive(Hello())
    session.introduce("ada")
    assert "must be the first" in refused(session, Hello())


def test_a_message_out_of_place_does_not_change_the_phase(session: Session) -> None:
    refused(session, PushAck())
    session.receive(Hello())


def test_an_introduction_keeps_the_id_and_asks_for_heartbeats(session: Session) -> None:
    session.introduce("ada")
    assert (session.phase, session.client_id) == (Phase.KNOWN, "ada")


def test_an_introduction_without_an_id_keeps_the_one_of_the_url(session: Session) -> None:
    session.client_id = "from-url"
    session.introduce(None)
    assert (session.phase, session.client_id) == (Phase.KNOWN, "from-url")


def test_numbers_need_a_client_id(session: Session) -> None:
    assert "hello" in refused(session, push(seq=1))
    assert "hello" in refused(session, push_fields(seq=1))
    session.receive(push())
    session.introduce("ada")
    session.receive(push(seq=1))


@pytest.mark.parametrize("kind", CLIENT_MESSAGES, ids=lambda kind: NAMES[kind])
def test_after_the_end_nothing_may_be_said(session: Session, kind: type[Message]) -> None:
    session.close()
    assert "after the end" in refused(session, kind())


def test_an_introduction_after_the_end_opens_nothing(session: Session) -> None:
    session.receive(Hello())
    session.close()
    session.introduce("ada")
    assert session.phase is Phase.CLOSED
    refused(session, Push())


def test_the_strike_after_the_last_allowed_one_is_too_many(session: Session) -> None:
    assert [session.strike() for _ in range(4)] == [False, False, True, True]


def test_a_peer_that_was_heard_just_now_is_fine(session: Session) -> None:
    assert session.look(1010.0) is Verdict.FINE


def test_after_a_heartbeat_the_peer_is_asked_once(session: Session) -> None:
    assert [session.look(1020.0 + after) for after in (0, 1, 2)] == [
        Verdict.PING,
        Verdict.FINE,
        Verdict.FINE,
    ]


def test_after_another_heartbeat_it_is_asked_again(session: Session) -> None:
    session.look(1020.0)
    session.heard = 1021.0
    assert session.look(1040.0) is Verdict.PING


def test_two_heartbeats_of_silence_are_the_end(session: Session) -> None:
    assert session.look(1040.0) is Verdict.PING
    assert session.look(1040.1) is Verdict.GONE


def test_whoever_is_heard_stays(session: Session) -> None:
    now = 1000.0
    for _ in range(100):
        now += 19.0
        session.heard = now
        assert session.look(now) is not Verdict.GONE
