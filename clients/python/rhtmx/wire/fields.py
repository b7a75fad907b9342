"""What the generated glue calls for single fields.

Knows how one value of each kind is read strictly. Must not know messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import msgspec

from rhtmx.wire.embedded_json import check_json, check_key, is_harmless, is_plain
from rhtmx.wire.limits import FORBIDDEN_KEYS, MAX_INTEGER, MIN_INTEGER
from rhtmx.wire.refusal import bad_message, expected, out_of_range
from rhtmx.wire.times import from_timestamp

__all__ = [
    "NULL",
    "absent",
    "check_map_key",
    "embedded",
    "in_range",
    "integral",
    "missing",
    "plain_key",
    "plain_value",
    "raw_value",
    "refuse_enum",
    "time",
]

NULL: Any = msgspec.Raw(b"null")
"""Stands for an embedded value that is absent."""

_encode = msgspec.json.Encoder().encode


def integral(number: float) -> int:
    """Return an integer that JSON spelled as `1.0` or `1e3`; ValueError for 1.5."""
    if not number.is_integer():
        raise ValueError("not an integer")
    return int(number)


def plain_value(value: object) -> bytes | None:
    """Return a parsed embedded value of a canonical frame as it was written there.

    Raises:
        ValueError: it is not certain that it is safe.
    """
    if value is None or value is NULL:
        return None
    data = _encode(value)
    if not is_harmless(data):
        raise ValueError("not certainly safe")
    return data


def plain_key(key: str) -> str:
    """Return the key of a map; ValueError if it is forbidden."""
    if key in FORBIDDEN_KEYS:
        raise ValueError("a forbidden key")
    return key


def raw_value(value: msgspec.Raw) -> bytes | None:
    """Return an embedded value as it was written; None for `null` or if it is absent."""
    data = bytes(value)
    return None if data == b"null" else data


def absent(field: str) -> NoReturn:
    """Refuse to write a message without a required field."""
    raise ValueError(f"{field} is required")


def missing(where: str, field: str) -> NoReturn:
    """Refuse a message without a required field."""
    raise bad_message(f"{where}.{field}", "required, but missing")


def in_range(value: int, where: str, field: str) -> int:
    """Return a protocol integer that JavaScript can hold, or refuse it."""
    if not MIN_INTEGER <= value <= MAX_INTEGER:
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
