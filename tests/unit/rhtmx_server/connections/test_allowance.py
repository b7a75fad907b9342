"""Facts about `rhtmx_server.connections.allowance`."""

from __future__ import annotations

import math

from rhtmx_server.connections.allowance import Allowance
from tests.unit.rhtmx_server.connecting import Clock


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


def test_several_are_taken_together_or_not_at_all() -> None:
    allowance = Allowance(3, 1.0, Clock())
    assert [allowance.take(2), allowance.take(2), allowance.take(1.0)] == [True, False, True]


def test_it_says_how_long_it_takes_until_the_next_one_is_there() -> None:
    clock = Clock()
    allowance = Allowance(2, 4.0, clock)
    assert allowance.wait() == 0
    allowance.take(2)
    assert allowance.wait() == 0.25
    clock.seconds += 0.25
    assert (allowance.wait(), allowance.take()) == (0, True)


def test_what_never_comes_is_waited_for_for_ever() -> None:
    allowance = Allowance(1, 0.0, Clock())
    allowance.take()
    assert allowance.wait() == math.inf
