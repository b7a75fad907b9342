from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest

from rhtmx.wire.times import fill_timestamp, from_text, from_timestamp, to_utc

TEN = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-22T10:00:00Z", TEN),
        ("2026-11-22T12:00:00+02:00", TEN),
        ("2026-11-22T10:00:00-00:00", TEN),
        ("2026-11-22T10:00:00.5Z", TEN + timedelta(milliseconds=500)),
        ("2026-11-22T10:00:00.500Z", TEN + timedelta(milliseconds=500)),
        ("2026-11-22T12:00:00.500+02:00", TEN + timedelta(milliseconds=500)),
        ("2026-11-22T10:00:00.000001Z", TEN + timedelta(microseconds=1)),
        ("2026-11-22T10:00:00.000001999Z", TEN + timedelta(microseconds=1)),
        ("9999-12-31T23:59:59.999999999Z", datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_rfc_3339_is_read_as_utc_in_microseconds(text: str, time: datetime) -> None:
    read = from_text(text)
    assert read == time
    assert read.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-22",
        "2026-11-22T10:00:00",
        "2026-11-22T24:00:00Z",
        "2026-11-22T10:00:60Z",
        "2026-11-22T10:00:00.Z",
        "2026-11-22T10:00:00,5Z",
        "2026-11-22T10:00:00.0000000001Z",
        "2026-11-22 10:00:00Z",
        "2026-11-22T10:00:00z",
        "20261122T100000Z",
        "2026-W47-7T10:00:00Z",
        "\uff12026-11-22T10:00:00Z",
        "2026-02-29T10:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
    ],
)
def test_anything_else_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"RFC 3339|out of range|must be in"):
        from_text(text)


@pytest.mark.parametrize(
    "time",
    [
        TEN,
        datetime(1, 1, 1, tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999999, UTC),
    ],
)
def test_a_timestamp_brings_back_the_same_time(time: datetime) -> None:
    target = SimpleNamespace()
    fill_timestamp(time, target)
    assert 0 <= target.nanos < 10**9
    assert from_timestamp(target.seconds, target.nanos) == time


def test_a_timestamp_counts_from_1970_in_utc() -> None:
    target = SimpleNamespace()
    fill_timestamp(datetime(1970, 1, 1, 2, tzinfo=timezone(timedelta(hours=1))), target)
    assert (target.seconds, target.nanos) == (3600, 0)


@pytest.mark.parametrize(
    ("seconds", "nanos"), [(0, -1), (0, 10**9), (253402300800, 0), (-62135596801, 0), (2**63, 0)]
)
def test_numbers_that_are_no_time_are_a_value_error(seconds: int, nanos: int) -> None:
    with pytest.raises(ValueError, match="out of range"):
        from_timestamp(seconds, nanos)


def test_a_time_without_a_zone_cannot_be_written() -> None:
    naive = TEN.replace(tzinfo=None)
    with pytest.raises(ValueError, match="without a zone"):
        to_utc(naive)
    with pytest.raises(TypeError):
        fill_timestamp(naive, SimpleNamespace())


def test_a_time_that_leaves_the_calendar_in_utc_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="out of range"):
        to_utc(datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))))
