"""JSON values of messages as Python values, and back.

Knows what JSON can hold. Must not know messages. Values are `dict`, `list`,
`str`, `int`, `float`, `bool` and `None`; integers keep every digit.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.wire import check_json

__all__ = ["Data", "Json", "from_json", "to_json"]

Json: TypeAlias = Any
"""A JSON value as Python has it."""

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    Data = TypeVar("Data", default=Json)
else:  # a default only matters to type checkers, and Python has it from 3.13 on
    from typing import TypeVar

    Data = TypeVar("Data")

_decode = msgspec.json.Decoder().decode


def from_json(data: bytes | None) -> Json:
    """The Python value of an embedded JSON value; `None` is JSON `null`."""
    return None if data is None else _decode(data)


def to_json(value: Json, where: str) -> bytes | None:
    """The embedded JSON value of a Python value.

    Args:
        value: what `json.dumps` takes, without NaN and infinities.
        where: path of the field, for the error.

    Raises:
        RhtmxError: `BAD_MESSAGE`, it cannot be JSON, or the server would not
            take it.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        data = text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE, f"{where}: a value that JSON can hold expected: {error}"
        ) from error
    return check_json(data, where)
