"""Facts about `rhtmx.core.retry_after`."""

from __future__ import annotations

from rhtmx.core.retry_after import RetryAfter
from rhtmx.errors import ErrorCode, RhtmxError


def busy(retry_after: float | None = None) -> RhtmxError:
    return RhtmxError(ErrorCode.RATE_LIMITED, "slower", retry_after=retry_after)


def half() -> RetryAfter:
    return RetryAfter(lambda: 0.5)


def test_it_waits_as_long_as_the_server_says_and_a_random_while_on_top() -> None:
    hold = half()
    hold.refused(busy(3.0), 10)
    assert hold.until == 13.5
    assert not hold.tick(13.4)
    assert hold.tick(13.5)
    assert hold.until is None
    assert not hold.tick(14)


def test_without_a_word_it_waits_a_random_while() -> None:
    hold = half()
    hold.refused(busy(), 10)
    assert hold.until == 10.5


def test_of_several_refusals_at_a_time_the_longest_wait_counts_and_they_are_one() -> None:
    hold = half()
    hold.refused(busy(3.0), 10)
    hold.refused(busy(1.0), 10)
    assert hold.until == 13.5
    hold.refused(busy(4.0), 10)
    assert hold.until == 14.5


def test_each_refusal_in_a_row_may_wait_longer_until_something_is_taken() -> None:
    hold, waits = half(), []
    for now in (0, 100, 200):
        hold.refused(busy(), now)
        assert hold.until is not None
        waits.append(hold.until - now)
        hold.passed()  # of before: what was refused is yet to come
        hold.tick(now + 50)
    assert waits == [0.5, 1, 2]
    hold.passed()
    hold.refused(busy(), 300)
    assert hold.until == 300.5


def test_a_connection_begins_without_a_wait() -> None:
    hold = half()
    hold.refused(busy(60.0), 10)
    hold.clear()
    assert hold.until is None
