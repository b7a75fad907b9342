"""How much a peer may send in a time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhtmx.errors import ErrorCode
from rhtmx_server.connections.rate import BURST, PAUSE, Rate


def test_two_seconds_worth_may_come_at_once() -> None:
    rate = Rate(messages=128, size=0)
    assert [rate.admit(0.0, 1) for _ in range(256)] == [0.0] * 256
    assert rate.admit(0.0, 1) == PAUSE


def test_bytes_are_counted_as_messages_are() -> None:
    rate = Rate(messages=0, size=1000)
    assert rate.admit(0.0, 1500) == 0.0
    assert rate.admit(0.0, 500) == 0.0
    assert rate.admit(0.0, 500) == pytest.approx(0.5)


def test_the_wait_is_as_long_as_the_message_is_large() -> None:
    rate = Rate(messages=0, size=1000)
    assert rate.admit(0.0, 2000) == 0.0
    assert rate.admit(0.0, 1000) == pytest.approx(1.0)


def test_everything_is_refused_until_the_wait_is_over() -> None:
    rate = Rate(messages=0, size=1000)
    rate.admit(0.0, 2000)
    wait = rate.admit(0.0, 1000)
    assert rate.admit(wait / 2, 1) == pytest.approx(wait / 2), "or the order would be lost"
    assert rate.admit(wait, 1000) == 0.0


def test_a_refused_message_costs_nothing() -> None:
    rate = Rate(messages=10, size=0)
    for _ in range(20):
        rate.admit(0.0, 1)
    waits = [rate.admit(0.0, 1) for _ in range(1000)]
    assert set(waits) == {PAUSE}
    assert rate.admit(PAUSE, 1) == 0.0


def test_who_keeps_to_the_rate_is_never_refused() -> None:
    rate = Rate(messages=100, size=1000)
    assert not any(rate.admit(n / 100, 10) for n in range(10_000))


def test_zero_is_no_limit() -> None:
    rate = Rate(messages=0, size=0)
    assert not any(rate.admit(0.0, 10**9) for _ in range(1000))


@given(
    st.lists(st.tuples(st.floats(0, 0.2), st.integers(0, 900)), max_size=300),
    st.integers(1, 200),
    st.integers(500, 5000),
)
def test_no_time_takes_more_than_its_rate_and_one_burst(
    said: list[tuple[float, int]], messages: int, size: int
) -> None:
    rate, now = Rate(messages, size), 0.0
    taken: list[tuple[float, int]] = []
    for pause, length in said:
        now += pause
        if not rate.admit(now, length):
            taken.append((now, length))
    for first, (since, _) in enumerate(taken):
        for last in range(first, len(taken)):
            allowed = BURST + taken[last][0] - since + 1e-6
            within = taken[first : last + 1]
            assert len(within) <= messages * allowed
            assert sum(length for _, length in within) <= size * allowed + 1e-3


def test_the_refusal_says_what_is_allowed_and_when_to_come_again() -> None:
    error = Rate(messages=100, size=2048).refusal(0.25)
    assert error.code is ErrorCode.RATE_LIMITED
    assert error.retry_after == 0.25
    assert error.message == (
        "too much at a time: at most 100 messages and 2048 bytes a second, "
        "and 2 seconds' worth of them at once; send it again in 0.250 s"
    )
