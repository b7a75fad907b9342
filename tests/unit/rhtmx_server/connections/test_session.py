"""A session: what may be said when, and whether anybody is still there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Authenticate, Hello, Ping, Pong, Push, PushAck, Subscribe
from rhtmx.messages.tables import CLIENT_MESSAGES, NAMES
from rhtmx.wire import Message
from rhtmx_server.access.grant import Grant
from rhtmx_server.connections import session as session_module
from rhtmx_server.connections.session import (
    LEGAL,
    LOGIN_SECONDS,
    LivenessCheck,
    Phase,
    Session,
    SessionLimits,
)
from tests.support.state_tables import state_table

SERVER_MESSAGES = [kind for kind in NAMES if kind not in CLIENT_MESSAGES]
LIMITS = SessionLimits(heartbeat=20.0, bad_messages=2)


@pytest.fixture
def session() -> Session:
    return Session("s1", LIMITS, 1000.0)


@pytest.fixture
def locked() -> Session:
    return Session("s1", LIMITS, 1000.0, locked=True)


def refused(session: Session, message: Message, code: ErrorCode = ErrorCode.BAD_MESSAGE) -> str:
    with pytest.raises(RhtmxError) as caught:
        session.receive(message)
    assert caught.value.code is code
    return caught.value.message


def test_the_table_of_phases_is_complete() -> None:
    assert set(LEGAL) == set(Phase)


@pytest.mark.parametrize("kind", CLIENT_MESSAGES, ids=lambda kind: NAMES[kind])
def test_anything_a_client_may_say_may_be_said_first(session: Session, kind: type[Message]) -> None:
    session.receive(kind())


@pytest.mark.parametrize("kind", SERVER_MESSAGES, ids=lambda kind: NAMES[kind])
def test_what_the_server_says_is_not_for_clients(session: Session, kind: type[Message]) -> None:
    said = refused(session, kind())
    assert said == f"'{NAMES[kind]}' is sent by the server, not by a client"


def test_pong_is_said_by_both(session: Session) -> None:
    session.receive(Pong())


def test_hello_comes_first_or_not_at_all(session: Session) -> None:
    session.receive(Ping())
    assert refused(session, Hello()) == (
        "'hello' must be the first message of a connection, and sent once"
    )
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


def test_a_secret_comes_and_goes_with_its_id(session: Session) -> None:
    assert (session.client_id, session.secret) == (None, None)
    session.introduce("ada", b"hash")
    session.introduce(None, b"other")
    assert (session.client_id, session.secret) == ("ada", b"hash")
    session.introduce("bob")
    assert (session.client_id, session.secret) == ("bob", None)


@pytest.mark.parametrize("kind", CLIENT_MESSAGES, ids=lambda kind: NAMES[kind])
def test_after_the_end_nothing_may_be_said(session: Session, kind: type[Message]) -> None:
    session.close()
    assert refused(session, kind()) == f"'{NAMES[kind]}' after the end of the connection"


def test_an_introduction_after_the_end_opens_nothing(session: Session) -> None:
    session.receive(Hello())
    session.close()
    session.introduce("ada")
    assert session.phase is Phase.CLOSED
    refused(session, Push())


# Behind a token.


@pytest.mark.parametrize("kind", CLIENT_MESSAGES, ids=lambda kind: NAMES[kind])
def test_without_a_token_a_client_may_only_say_who_it_is(
    locked: Session, kind: type[Message]
) -> None:
    if kind in (Hello, Authenticate, Ping, Pong):
        locked.receive(kind())
    else:
        said = refused(locked, kind(), ErrorCode.UNAUTHENTICATED)
        assert said == "say hello or authenticate with a token first"
    assert locked.phase is Phase.LOCKED


def test_without_a_token_too_what_the_server_says_is_not_for_clients(locked: Session) -> None:
    assert "sent by the server" in refused(locked, PushAck())


def test_with_a_token_anything_may_be_said_hello_too(locked: Session) -> None:
    locked.receive(Ping())
    locked.unlock(Grant("user-1"), None)
    assert (locked.phase, locked.subject) == (Phase.NEW, "user-1")
    locked.receive(Hello())


def test_where_no_token_is_asked_for_nothing_is_locked_and_nobody_in_particular_speaks(
    session: Session,
) -> None:
    assert (session.phase, session.until, session.subject) == (Phase.NEW, None, "")


@pytest.mark.parametrize("phase", [Phase.PLAIN, Phase.KNOWN, Phase.CLOSED])
def test_another_token_of_the_subject_only_moves_the_end(session: Session, phase: Phase) -> None:
    session.unlock(Grant("user-1"), 1010.0)
    session.receive(Ping())
    if phase is Phase.KNOWN:
        session.introduce(None)
    elif phase is Phase.CLOSED:
        session.close()
    session.unlock(Grant("user-1"), 1030.0)
    assert (session.phase, session.subject, session.until) == (phase, "user-1", 1030.0)


def test_a_token_of_another_subject_changes_nothing(locked: Session) -> None:
    locked.unlock(Grant("user-1"), 1010.0)
    with pytest.raises(RhtmxError) as caught:
        locked.unlock(Grant("user-2"), 1030.0)
    assert caught.value.code is ErrorCode.UNAUTHENTICATED
    assert caught.value.message == (
        "the token belongs to another user: open a new connection for them"
    )
    assert (locked.subject, locked.until) == ("user-1", 1010.0)


def test_who_brings_no_token_has_only_the_time_to_bring_one(locked: Session) -> None:
    assert locked.look(1000.0 + LOGIN_SECONDS - 0.1) is LivenessCheck.FINE
    assert locked.look(1000.0 + LOGIN_SECONDS) is LivenessCheck.LOCKED


def test_the_time_is_over_when_the_token_expires(locked: Session) -> None:
    locked.unlock(Grant("user-1"), 1010.0)
    assert locked.look(1009.9) is LivenessCheck.FINE
    assert locked.look(1010.0) is LivenessCheck.LOCKED
    locked.unlock(Grant("user-1"), None)
    assert locked.look(1010.0) is LivenessCheck.FINE


# Misunderstandings, and signs of life.


def test_a_session_keeps_its_name_and_its_limits(session: Session) -> None:
    assert (session.session_id, session.limits) == ("s1", LIMITS)


def test_the_strike_after_the_last_allowed_one_is_too_many(session: Session) -> None:
    assert [session.strike() for _ in range(4)] == [False, False, True, True]


def test_a_peer_that_was_heard_just_now_is_fine(session: Session) -> None:
    assert session.look(1010.0) is LivenessCheck.FINE


def test_after_a_heartbeat_the_peer_is_asked_once(session: Session) -> None:
    assert [session.look(1020.0 + after) for after in (0, 1, 2)] == [
        LivenessCheck.PING,
        LivenessCheck.FINE,
        LivenessCheck.FINE,
    ]


def test_after_another_heartbeat_it_is_asked_again(session: Session) -> None:
    session.look(1020.0)
    session.heard = 1021.0
    assert session.look(1040.0) is LivenessCheck.PING


def test_two_heartbeats_of_silence_are_the_end(session: Session) -> None:
    assert session.look(1040.0) is LivenessCheck.PING
    assert session.look(1040.1) is LivenessCheck.GONE


def test_whoever_is_heard_stays(session: Session) -> None:
    now = 1000.0
    for _ in range(100):
        now += 19.0
        session.heard = now
        assert session.look(now) is not LivenessCheck.GONE


# The table.


def in_phase(phase: Phase) -> Session:
    session = Session("s1", LIMITS, 1000.0, locked=phase is Phase.LOCKED)
    if phase is Phase.PLAIN:
        session.receive(Subscribe())
    elif phase is Phase.KNOWN:
        session.introduce("ada")
    elif phase is Phase.CLOSED:
        session.close()
    assert session.phase is phase
    return session


def receive(session: Session) -> None:
    with contextlib.suppress(RhtmxError):  # what may not be said moves nothing on
        session.receive(Ping())


EVENTS: dict[str, Callable[[Session], None]] = {
    "receive": receive,
    "unlock": lambda session: session.unlock(Grant("ada"), None),
    "introduce": lambda session: session.introduce("ada"),
    "close": lambda session: session.close(),
}


def test_the_table_is_what_happens() -> None:
    happened = {}
    for phase in Phase:
        for event, do in EVENTS.items():
            session = in_phase(phase)
            do(session)
            happened[phase.name, event] = session.phase.name
    assert happened == state_table(session_module)
