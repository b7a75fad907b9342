"""Facts about `rhtmx_server.transports.grpc.protocol` (the rest is tested with real peers)."""

from __future__ import annotations

from rhtmx_server.transports.grpc.guards import Limits
from rhtmx_server.transports.grpc.protocol import H2_CONFIG, configuration
from tests.unit.rhtmx_server.connections import Clock


def test_a_peer_is_asked_for_a_sign_of_life_once_in_a_heartbeat() -> None:
    config = configuration(20.0)
    assert (config._keepalive_time, config._keepalive_timeout) == (20.0, 20.0)
    assert config._keepalive_permit_without_calls


def test_what_comes_in_is_checked_by_h2() -> None:
    assert H2_CONFIG.validate_inbound_headers


def test_who_is_sent_something_may_ping_again() -> None:
    limits = Limits(10, 1000, now=Clock())
    while limits.pings.take():
        pass
    limits.pings.refill()
    assert limits.pings.take()


def test_all_streams_may_be_reset_at_once() -> None:
    limits = Limits(10, 1000, now=Clock())
    assert sum(limits.resets.take() for _ in range(100)) == 20
