"""Facts about `rhtmx.schema.times`."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given

from rhtmx.schema.times import (
    MAX_DURATION,
    MAX_TIMESTAMP,
    MIN_DURATION,
    MIN_TIMESTAMP,
    from_datetime,
    from_timedelta,
    parse_duration,
    parse_timestamp,
    to_datetime,
    to_timedelta,
    write_duration,
    write_timestamp,
)

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "vectors" / "times.json").read_text()
)
READ: dict[str, Callable[[str], int | None]] = {
    "timestamp": parse_timestamp,
    "duration": parse_duration,
}
WRITE: dict[str, Callable[[int], str]] = {
    "timestamp": write_timestamp,
    "duration": write_duration,
}
TIMESTAMPS = st.integers(MIN_TIMESTAMP, MAX_TIMESTAMP)
DURATIONS = st.integers(MIN_DURATION, MAX_DURATION)


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: f"{case['form']} {case['text']!a}")
def test_a_text_is_read_and_written_as_the_vector_says(case: dict[str, Any]) -> None:
    nanoseconds = READ[case["form"]](case["text"])
    assert (None if nanoseconds is None else str(nanoseconds)) == case["nanoseconds"]
    if nanoseconds is not None:
        assert WRITE[case["form"]](nanoseconds) == case["canonical"]


@given(TIMESTAMPS)
def test_a_time_comes_back_as_it_was_written_and_the_official_library_writes_the_same(
    nanoseconds: int,
) -> None:
    text = write_timestamp(nanoseconds)
    assert parse_timestamp(text) == nanoseconds
    official = Timestamp()
    official.FromNanoseconds(nanoseconds)
    assert official.ToJsonString() == text


@given(DURATIONS)
def test_a_duration_comes_back_as_it_was_written_and_the_official_library_writes_the_same(
    nanoseconds: int,
) -> None:
    text = write_duration(nanoseconds)
    assert parse_duration(text) == nanoseconds
    official = Duration()
    official.FromNanoseconds(nanoseconds)
    assert official.ToJsonString() == text


@given(TIMESTAMPS, st.integers(-1439, 1439))
def test_an_offset_is_subtracted(nanoseconds: int, minutes: int) -> None:
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    local = nanoseconds + minutes * 60_000_000_000
    if MIN_TIMESTAMP <= local <= MAX_TIMESTAMP:
        text = f"{write_timestamp(local)[:-1]}{sign}{hours:02}:{rest:02}"
        assert parse_timestamp(text) == nanoseconds


@pytest.mark.parametrize("nanoseconds", [MIN_TIMESTAMP - 1, MAX_TIMESTAMP + 1, 10**40])
def test_a_time_outside_the_years_is_not_written(nanoseconds: int) -> None:
    with pytest.raises(ValueError, match="years 1 to 9999"):
        write_timestamp(nanoseconds)
    with pytest.raises(ValueError, match="years 1 to 9999"):
        to_datetime(nanoseconds)


@pytest.mark.parametrize("nanoseconds", [MIN_DURATION - 1, MAX_DURATION + 1])
def test_a_duration_beyond_ten_thousand_years_is_not_written(nanoseconds: int) -> None:
    with pytest.raises(ValueError, match="315576000000 seconds"):
        write_duration(nanoseconds)


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5, minutes=-30))])))
def test_a_datetime_comes_back_as_the_same_moment_in_utc(moment: datetime) -> None:
    try:
        nanoseconds = from_datetime(moment)
    except ValueError:
        assert moment.year in (1, 9999)
        return
    assert to_datetime(nanoseconds) == moment
    assert to_datetime(nanoseconds).tzinfo is UTC


def test_a_datetime_is_cut_to_its_microsecond_back_in_time() -> None:
    assert to_datetime(1_999) == datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
    assert to_datetime(-1) == datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert to_datetime(MIN_TIMESTAMP) == datetime.min.replace(tzinfo=UTC)
    assert to_datetime(MAX_TIMESTAMP) == datetime.max.replace(tzinfo=UTC)


def test_a_datetime_without_a_zone_is_refused_and_told_what_to_write() -> None:
    with pytest.raises(ValueError, match=r"time zone expected, got 2026-11-29T15:00:00 .*tzinfo"):
        from_datetime(datetime(2026, 11, 29, 15))


def test_a_datetime_whose_moment_is_outside_the_years_is_refused() -> None:
    for moment in (
        datetime.min.replace(tzinfo=timezone(timedelta(hours=1))),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))),
    ):
        with pytest.raises(ValueError, match="years 1 to 9999 in UTC"):
            from_datetime(moment)


@given(DURATIONS)
def test_a_timedelta_is_cut_to_its_microsecond_towards_zero(nanoseconds: int) -> None:
    back = from_timedelta(to_timedelta(nanoseconds))
    assert abs(nanoseconds) - abs(back) in range(1000)
    assert back * nanoseconds >= 0


@given(st.timedeltas())
def test_a_timedelta_comes_back(length: timedelta) -> None:
    assert to_timedelta(from_timedelta(length)) == length
