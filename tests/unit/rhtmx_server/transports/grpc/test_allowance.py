"""Facts about `rhtmx_server.transports.grpc.allowance`."""

from __future__ import annotations

from rhtmx_server.transports.grpc.allowance import Allowance
from tests.unit.rhtmx_server.connections import Clock


def test_so_many_at_once_and_so_many_a_second() -> None:
    clock = Clock()
    allowance = Allowance(3, 2.0, clock)
    assert [allowance.take() for _ in range(4)] == [True, True, True, False]
    clock.seconds += 1
    assert [allowance.take() for _ in range(3)] == [True, True, False]


def test_it_never_grows_above_what_is_allowed_at_once() -> None:
    clock = Clock()
    allowance = Allowance(2, 1.0, clock)
    clock.seconds += 1000
    assert [allowance.take() for _ in range(3)] == [True, True, False]


def test_it_can_be_filled_again() -> None:
    allowance = Allowance(1, 0.0, Clock())
    assert allowance.take()
    allowance.refill()
    assert [allowance.take(), allowance.take()] == [True, False]
