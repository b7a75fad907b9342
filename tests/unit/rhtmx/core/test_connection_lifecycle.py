"""Facts about `rhtmx.core.connection_lifecycle`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rhtmx.core.connection_lifecycle import (
    LEGAL,
    ConnectionLifecycle,
    ConnectionPhase,
    Fence,
    Heartbeat,
    Sleep,
)
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Change, Hello, Ping, Pong, Push, Welcome
from rhtmx.messages.tables import SERVER_MESSAGES


def test_twenty_seconds_until_the_server_says_otherwise() -> None:
    heartbeat = Heartbeat()
    heartbeat.start(100)
    assert (heartbeat.ping_at, heartbeat.gone_at) == (120, 140)


def test_the_server_names_the_interval() -> None:
    heartbeat = Heartbeat()
    heartbeat.start(100)
    heartbeat.every(5)
    assert (heartbeat.ping_at, heartbeat.gone_at) == (105, 110)


def test_an_interval_of_zero_is_none_at_all() -> None:
    heartbeat = Heartbeat()
    heartbeat.start(100)
    heartbeat.every(0)
    assert heartbeat.ping_at == 120


def test_sending_puts_off_the_ping_and_receiving_the_end() -> None:
    heartbeat = Heartbeat()
    heartbeat.start(100)
    heartbeat.sent(110)
    heartbeat.received(115)
    assert (heartbeat.ping_at, heartbeat.gone_at) == (130, 155)


def test_a_new_connection_forgets_the_old_interval() -> None:
    heartbeat = Heartbeat()
    heartbeat.start(0)
    heartbeat.every(5)
    heartbeat.start(100)
    assert heartbeat.ping_at == 120


def heart() -> Heartbeat:
    heartbeat = Heartbeat()
    heartbeat.start(100)
    return heartbeat


def test_what_has_to_prove_itself_is_gone_after_three_seconds_of_silence() -> None:
    heartbeat = heart()
    assert heartbeat.prove(110)
    assert (heartbeat.ping_at, heartbeat.gone_at) == (120, 113)


def test_what_comes_before_the_proof_puts_it_off_and_the_proof_ends_it() -> None:
    heartbeat = heart()
    heartbeat.prove(110)
    heartbeat.received(112)
    assert heartbeat.gone_at == 115
    heartbeat.proved()
    assert heartbeat.gone_at == 152


def test_asking_for_a_proof_again_does_not_put_off_the_end() -> None:
    heartbeat = heart()
    heartbeat.prove(110)
    assert not heartbeat.prove(112)
    assert heartbeat.gone_at == 113


def test_an_end_that_is_near_is_not_put_off_by_asking_for_a_proof() -> None:
    heartbeat = heart()
    heartbeat.prove(139)
    assert heartbeat.gone_at == 140


def test_a_new_connection_has_nothing_to_prove() -> None:
    heartbeat = heart()
    heartbeat.prove(110)
    heartbeat.start(111)
    assert heartbeat.gone_at == 151


@pytest.mark.parametrize(
    ("now", "wall", "slept"),
    [
        (1.0, 1.0, False),
        (1.0, 3601.0, True),  # the machine slept for an hour
        (1.0, 4.0, True),
        (1.0, 2.5, False),  # the clock was set right by a moment
        (1.0, -3599.0, False),  # it was set back
        (30.0, 30.0, False),  # the program was busy, or was stopped
        (3601.0, 3601.0, False),  # a clock that goes on in sleep: its timers are all due
    ],
)
def test_sleep_is_when_only_the_wall_has_gone_on(now: float, wall: float, slept: bool) -> None:
    sleep = Sleep()
    assert not sleep.look(1000.0, 1.8e9)
    assert sleep.look(1000.0 + now, 1.8e9 + wall) is slept
    assert not sleep.look(1001.0 + now, 1.8e9 + 1 + wall), "one sleep is told once"


@pytest.fixture
def link() -> ConnectionLifecycle:
    link = ConnectionLifecycle(random=lambda: 0.5)
    link.connected(0)
    link.welcomed(20, 0)
    return link


def test_every_phase_says_what_is_legal_in_it() -> None:
    assert set(LEGAL) == set(ConnectionPhase)
    assert LEGAL[ConnectionPhase.OPEN] | {Welcome} == set(SERVER_MESSAGES)


@pytest.mark.parametrize("message", [Welcome(), Push(), Hello()])
def test_what_does_not_belong_here_is_an_error(
    link: ConnectionLifecycle, message: Welcome | Push | Hello
) -> None:
    with pytest.raises(RhtmxError, match="where it does not belong") as caught:
        link.received(message, 1)
    assert caught.value.code is ErrorCode.BAD_MESSAGE


def test_nothing_but_the_greeting_comes_before_welcome() -> None:
    link = ConnectionLifecycle(random=lambda: 0.5)
    link.connected(0)
    link.received(Ping(), 0)
    with pytest.raises(RhtmxError, match="'change'"):
        link.received(Change(), 0)


def test_it_pings_when_nothing_was_sent_for_an_interval(link: ConnectionLifecycle) -> None:
    assert link.deadline == 20
    assert link.tick(19.9)
    assert link.take(19.9) == []
    link.received(Pong(), 20)
    assert link.tick(20)
    assert link.take(20) == [Ping()]
    assert link.deadline == 40


def test_what_is_not_known_is_a_sign_of_life_too(link: ConnectionLifecycle) -> None:
    link.received(None, 39)
    assert link.tick(60)
    assert not link.tick(79)


def test_what_is_sent_puts_off_the_ping(link: ConnectionLifecycle) -> None:
    link.send(Pong())
    link.take(10)
    assert link.deadline == 30


def test_a_ping_that_is_not_taken_is_not_repeated(link: ConnectionLifecycle) -> None:
    link.tick(20)
    link.tick(21)
    assert link.take(21) == [Ping()]


def test_two_silent_intervals_are_the_end(link: ConnectionLifecycle) -> None:
    assert link.tick(39.9)
    assert not link.tick(40)


def test_a_greeting_without_answer_ends_as_well() -> None:
    link = ConnectionLifecycle(random=lambda: 0.5)
    link.connected(0)
    assert link.deadline == 40
    assert link.tick(39)
    assert not link.tick(40)
    assert link.take(40) == []


def test_without_a_connection_there_is_nothing_to_wait_for(link: ConnectionLifecycle) -> None:
    link.lost(50)
    assert link.deadline is None
    assert link.tick(1000)


def test_pongs_answer_fences_in_order(link: ConnectionLifecycle) -> None:
    first, second = Fence(lambda: None), Fence(lambda: None)
    link.fence(first)
    link.fence(None)
    link.fence(second)
    assert link.next_fence is first
    assert link.pong() is first
    assert link.next_fence is None
    assert link.pong() is None
    assert link.pong() is second
    assert link.pong() is None


def test_a_lost_connection_takes_its_messages_and_fences_with_it(link: ConnectionLifecycle) -> None:
    link.fence(Fence(lambda: None))
    assert link.lost(1) == 0.5
    assert link.take(1) == []
    assert link.next_fence is None


def test_a_closed_link_takes_nothing(link: ConnectionLifecycle) -> None:
    link.close()
    assert link.phase is ConnectionPhase.CLOSED
    with pytest.raises(RhtmxError):
        link.received(Pong(), 1)


def test_an_open_connection_that_is_woken_has_three_seconds_to_answer(
    link: ConnectionLifecycle,
) -> None:
    link.wake(10)
    assert link.take(10) == [Ping()]
    assert link.deadline == 13
    assert link.tick(12.9)
    assert not link.tick(13)


def test_only_the_answer_proves_it_not_what_lay_there_before(link: ConnectionLifecycle) -> None:
    fence = Fence(lambda: None)
    link.fence(fence)
    link.wake(10)
    link.received(Pong(), 10.1)
    assert link.pong() is fence
    assert link.deadline == 13.1
    link.received(Pong(), 10.2)
    woken = link.pong()
    assert woken is not None
    woken.passed()
    assert link.tick(13.2)
    assert link.deadline == 20


def test_waking_again_asks_no_second_time_until_the_first_is_answered(
    link: ConnectionLifecycle,
) -> None:
    for at in (10, 11, 12):
        link.wake(at)
    assert link.take(12) == [Ping()]
    assert not link.tick(13)


def test_a_greeting_that_is_woken_has_to_prove_itself_as_well() -> None:
    link = ConnectionLifecycle(random=lambda: 0.5)
    link.connected(0)
    link.wake(1)
    assert link.take(1) == [Ping()]
    assert not link.tick(4)


def test_without_a_connection_waking_asks_nobody(link: ConnectionLifecycle) -> None:
    link.lost(1)
    link.wake(2)
    assert link.take(2) == []
    assert link.deadline is None


STEPS: dict[str, Callable[[ConnectionLifecycle], object]] = {
    "connected": lambda link: link.connected(0),
    "welcomed": lambda link: link.welcomed(20, 0),
    "lost": lambda link: link.lost(0),
    "close": ConnectionLifecycle.close,
}


@pytest.mark.parametrize(
    ("steps", "phase"),
    [
        ([], ConnectionPhase.OFFLINE),
        (["connected"], ConnectionPhase.GREETING),
        (["connected", "welcomed"], ConnectionPhase.OPEN),
        (["connected", "lost"], ConnectionPhase.OFFLINE),
        (["connected", "welcomed", "lost"], ConnectionPhase.OFFLINE),
        (["lost"], ConnectionPhase.OFFLINE),
        (["close"], ConnectionPhase.CLOSED),
        (["connected", "close"], ConnectionPhase.CLOSED),
        (["connected", "welcomed", "close"], ConnectionPhase.CLOSED),
    ],
)
def test_a_phase_follows_another_as_the_table_says(
    steps: list[str], phase: ConnectionPhase
) -> None:
    link = ConnectionLifecycle(random=lambda: 0.5)
    for each in steps:
        STEPS[each](link)
    assert link.phase is phase
