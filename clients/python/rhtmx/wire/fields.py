"""What the generated glue calls for single fields.

Knows how one value of each kind is read strictly. Must not know messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

from rhtmx.wire.limits import MAX_INTEGER
from rhtmx.wire.refusal import bad_message, expected, out_of_range
from rhtmx.wire.times import from_timestamp
from rhtmx.wire.value import check_json, check_key, is_plain

__all__ = [
    "check_map_key",
    "embedded",
    "in_range",
    "integral",
    "missing",
    "refuse_enum",
    "required",
    "time",
]

T = TypeVar("T")


def integral(number: float) -> int:
    """Return an integer that JSON spelled as `1.0` or `1e3`; ValueError for 1.5."""
    if not number.is_integer():
        raise ValueError("not an integer")
    return int(number)


def required(value: T | None, field: str) -> T:
    """Return a value that must be there to be written; ValueError if it is None."""
    if value is None:
        raise ValueError(f"{field} is required")
    return value


def missing(where: str, field: str) -> NoReturn:
    """Refuse a message without a required field."""
    raise bad_message(f"{where}.{field}", "required, but missing")


def in_range(value: int, where: str, field: str) -> int:
    """Return a protocol integer that JavaScript can hold, or refuse it."""
    if not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise out_of_range(where, field, value)
    return value


def refuse_enum(spellings: Mapping[Any, str], number: int, where: str, field: str) -> NoReturn:
    """Refuse an enum number that the schema does not know, or the unspecified one."""
    raise expected(f"{where}.{field}", f"one of {', '.join(spellings.values())}", number)


def embedded(data: bytes, where: str, field: str) -> bytes | None:
    """Return an embedded value of a binary message; None for `null`."""
    if data != b"null" and is_plain(data):
        return data
    return check_json(data, f"{where}.{field}")


def time(timestamp: Any, where: str, field: str) -> Any:
    """Return a protobuf Timestamp as a `datetime` in UTC, or refuse it."""
    try:
        return from_timestamp(timestamp.seconds, timestamp.nanos)
    except ValueError as error:
        raise bad_message(f"{where}.{field}", f"a time expected, got {error}") from None


def check_map_key(key: str, where: str, field: str) -> str:
    """Return the key of a map, or refuse it."""
    check_key(key, f"{where}.{field}")
    return key
