"""Facts about `rhtmx.heartbeat`."""

from __future__ import annotations

from rhtmx.heartbeat import Heartbeat


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
