"""Facts about `rhtmx_server.buses.backoff`."""

from __future__ import annotations

from itertools import pairwise

from rhtmx_server.buses.backoff import LONGEST, pause


def test_a_pause_grows_with_each_failure_up_to_a_longest_one() -> None:
    pauses = [pause(failures, 0.999) for failures in range(40)]
    assert all(before <= after <= LONGEST for before, after in pairwise(pauses))
    assert pauses[0] < 0.2
    assert pauses[-1] > 0.99 * LONGEST


def test_a_pause_is_spread_by_chance_from_nothing_on() -> None:
    for failures in (0, 5, 10_000):
        assert pause(failures, 0.0) == 0.0
        assert pause(failures, 0.25) * 2 == pause(failures, 0.5)
