"""Times of a rule at run time: whole nanoseconds.

Knows the ranges of timestamps and durations, and the calendar. Must not know messages or rules.
"""

from __future__ import annotations

from rhtmx.schema.cel.errors import CelError
from rhtmx.schema.times import MAX_TIMESTAMP, MIN_TIMESTAMP
from rhtmx.schema.times import write_duration as cel_text_duration
from rhtmx.schema.times import write_timestamp as cel_text_timestamp

__all__ = [
    "cel_date",
    "cel_day_of_week",
    "cel_day_of_year",
    "cel_duration",
    "cel_month",
    "cel_text_duration",
    "cel_text_timestamp",
    "cel_time_of_day",
    "cel_timestamp",
    "cel_year",
]

_SECOND = 10**9
_DAY = 86400 * _SECOND


def cel_timestamp(nanoseconds: int) -> int:
    """Return a time between the years 1 and 9999.

    Args:
        nanoseconds: since 1970.

    Raises:
        CelError: it is not between them.
    """
    if MIN_TIMESTAMP <= nanoseconds <= MAX_TIMESTAMP:
        return nanoseconds
    raise CelError("a time is before the year 1 or after 9999")


def cel_duration(nanoseconds: int) -> int:
    """Return a duration that fits 64 bits of nanoseconds, 292 years.

    Args:
        nanoseconds: how many.

    Raises:
        CelError: it does not.
    """
    if -(2**63) <= nanoseconds < 2**63:
        return nanoseconds
    raise CelError("a duration is longer than 292 years")


def cel_year(nanoseconds: int, minutes: int = 0) -> int:
    """Return the year of a time.

    Args:
        nanoseconds: since 1970.
        minutes: east of Greenwich.
    """
    return _civil(nanoseconds, minutes)[0]


def cel_month(nanoseconds: int, minutes: int = 0) -> int:
    """Return the month of a time, from 0.

    Args:
        nanoseconds: since 1970.
        minutes: east of Greenwich.
    """
    return _civil(nanoseconds, minutes)[1] - 1


def cel_date(nanoseconds: int, minutes: int = 0) -> int:
    """Return the day of the month of a time, from 1.

    Args:
        nanoseconds: since 1970.
        minutes: east of Greenwich.
    """
    return _civil(nanoseconds, minutes)[2]


def cel_day_of_year(nanoseconds: int, minutes: int = 0) -> int:
    """Return the day of the year of a time, from 0.

    Args:
        nanoseconds: since 1970.
        minutes: east of Greenwich.
    """
    year, month, day = _civil(nanoseconds, minutes)
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return (
        (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)[month - 1]
        + day
        - 1
        + (leap and month > 2)
    )


def cel_day_of_week(nanoseconds: int, minutes: int = 0) -> int:
    """Return the day of the week of a time, from 0, a Sunday.

    Args:
        nanoseconds: since 1970.
        minutes: east of Greenwich.
    """
    return (_days(nanoseconds, minutes) + 4) % 7


def cel_time_of_day(nanoseconds: int, minutes: int, unit: int, most: int) -> int:
    """Return the hour, minute, second or millisecond of a time.

    Args:
        nanoseconds: since 1970.
        minutes: east of Greenwich.
        unit: how many nanoseconds it has.
        most: how many of it make the next greater one.
    """
    return (nanoseconds + minutes * 60 * _SECOND) // unit % most


def _days(nanoseconds: int, minutes: int) -> int:
    return (nanoseconds + minutes * 60 * _SECOND) // _DAY


def _civil(nanoseconds: int, minutes: int) -> tuple[int, int, int]:
    # Years begin in March here, so that the leap day is their last one.
    era, day_of_era = divmod(_days(nanoseconds, minutes) + 719468, 146097)
    year_of_era = (
        day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    march = (5 * day_of_year + 2) // 153
    month = march + 3 if march < 10 else march - 9
    day = day_of_year - (153 * march + 2) // 5 + 1
    return year_of_era + era * 400 + (month <= 2), month, day
