"""Facts about `rhtmx.core.heartbeat`."""

from __future__ import annotations

import pytest

from rhtmx.core.heartbeat import Heartbeat, Sleep


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
