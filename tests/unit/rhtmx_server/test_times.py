"""Facts about `rhtmx_server.times`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhtmx_server.times import to_datetime, to_micros

YEAR_1 = to_micros(datetime(1, 1, 1, tzinfo=UTC))
YEAR_9999 = to_micros(datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC))


@given(st.integers(YEAR_1, YEAR_9999))
def test_no_microsecond_is_lost_there_and_back(micros: int) -> None:
    assert to_micros(to_datetime(micros)) == micros


def test_the_zone_of_a_time_does_not_change_the_moment() -> None:
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert to_micros(noon.astimezone(timezone(timedelta(hours=5)))) == to_micros(noon)


def test_times_are_in_utc() -> None:
    assert to_datetime(1_500_000) == datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)
    assert to_datetime(0).tzinfo is UTC


def test_a_time_without_a_zone_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        to_micros(datetime(2026, 11, 22))


def test_a_time_outside_the_calendar_is_refused() -> None:
    with pytest.raises(OverflowError):
        to_datetime(YEAR_9999 + 1)
