"""Facts about `rhtmx.core.backoff`."""

from __future__ import annotations

from rhtmx.core.backoff import Backoff


def test_the_ceiling_doubles_up_to_thirty_seconds() -> None:
    backoff = Backoff(lambda: 0.5)
    assert [backoff.wait(0) for _ in range(7)] == [0.5, 1, 2, 4, 8, 15, 15]


def test_the_whole_range_under_the_ceiling_is_used() -> None:
    numbers = iter([0.0, 0.25])
    backoff = Backoff(lambda: next(numbers))
    assert [backoff.wait(0), backoff.wait(0)] == [0, 0.5]


def test_a_connection_of_less_than_a_minute_proves_nothing() -> None:
    backoff = Backoff(lambda: 0.5)
    assert backoff.wait(0) == 0.5
    backoff.opened(10)
    assert backoff.wait(69.9) == 1


def test_a_stable_minute_starts_the_count_anew() -> None:
    backoff = Backoff(lambda: 0.5)
    assert [backoff.wait(0), backoff.wait(0)] == [0.5, 1]
    backoff.opened(10)
    assert [backoff.wait(70), backoff.wait(70)] == [0.5, 1]


def test_a_failed_attempt_after_a_stable_connection_counts() -> None:
    backoff = Backoff(lambda: 0.5)
    backoff.opened(0)
    assert [backoff.wait(100), backoff.wait(200)] == [0.5, 1]
