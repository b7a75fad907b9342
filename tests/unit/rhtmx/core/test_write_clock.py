"""Facts about `rhtmx.core.write_clock`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rhtmx.core.write_clock import MOST_AHEAD, WriteClock

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MICRO = timedelta(microseconds=1)

jumps = st.sampled_from(
    [0, 0, 0, 1, 2, -1, -2, 10**6, -(10**6), 61 * 10**6, -61 * 10**6, -(10**14), 10**14]
)


def test_a_time_is_what_the_clock_says() -> None:
    ticks = WriteClock()
    assert ticks.next(NOON) == NOON
    assert ticks.next(NOON + MICRO) == NOON + MICRO


def test_a_burst_in_one_moment_is_a_microsecond_apart() -> None:
    ticks = WriteClock()
    times = [ticks.next(NOON, waits=True) for _ in range(10_000)]
    assert times == [NOON + each * MICRO for each in range(10_000)]


def test_a_clock_that_is_set_back_a_little_is_not_followed() -> None:
    ticks = WriteClock()
    ticks.next(NOON)
    assert ticks.next(NOON - MOST_AHEAD) == NOON + MICRO


def test_a_clock_that_was_wrong_once_does_not_stay_so() -> None:
    ticks, wrong = WriteClock(), NOON + timedelta(days=40)
    ticks.next(wrong)
    assert ticks.next(NOON) == NOON


def test_while_a_write_waits_no_time_goes_back_however_far_the_clock_does() -> None:
    ticks, wrong = WriteClock(), NOON + timedelta(days=40)
    ticks.next(wrong)
    assert ticks.next(NOON, waits=True) == wrong + MICRO
    assert ticks.next(NOON) == NOON


def test_the_next_time_is_later_than_one_that_was_used_before() -> None:
    ticks = WriteClock()
    ticks.used(NOON + MICRO)
    ticks.used(NOON)
    assert ticks.next(NOON - timedelta(days=400), waits=True) == NOON + 2 * MICRO


@given(st.lists(st.tuples(jumps, st.booleans()), max_size=30))
def test_whatever_the_clock_does_times_go_forward_until_it_is_far_behind(
    steps: list[tuple[int, bool]],
) -> None:
    ticks, clock, before = WriteClock(), NOON, None
    for jump, waits in steps:
        clock += timedelta(microseconds=jump)
        time = ticks.next(clock, waits=waits)
        assert time >= clock
        if before is not None and (waits or before - clock <= MOST_AHEAD):
            assert time > before
        elif before is not None:
            assert time == clock
        before = time
