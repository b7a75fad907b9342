"""JSON values of messages as Python values, and back.

Knows what JSON can hold. Must not know messages. Values are `dict`, `list`,
`str`, `int`, `float`, `bool` and `None`; integers keep every digit.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from rhtmx.wire import check_json
from rhtmx.wire.limits import MAX_DEPTH
from rhtmx.wire.refusal import bad_message

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

_UNWRITABLE = (TypeError, ValueError, RecursionError)
"""What `json` raises about a value that it cannot write."""


def from_json(data: bytes | None) -> Json:
    """The Python value of an embedded JSON value; `None` is JSON `null`."""
    return None if data is None else _decode(data)


def to_json(value: Json, where: str) -> bytes | None:
    """The embedded JSON value of a Python value.

    Args:
        value: what `json.dumps` takes, without NaN and infinities.
        where: path of the field, for the error, which goes on with the place within it.

    Raises:
        RhtmxError: `BAD_MESSAGE`, it cannot be JSON, or the server would not
            take it.
    """
    try:
        data = _written(value)
    except _UNWRITABLE as error:
        words = f"a value that JSON can hold expected: {error}"
        raise bad_message(_place(value, where), words) from error
    return check_json(data, where)


def _written(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _place(value: Json, where: str) -> str:
    """The path of the first value within one that cannot be written."""
    for _ in range(MAX_DEPTH):  # one that holds itself has no end
        match value:
            case dict():
                within = [(f"{where}.{key}", each) for key, each in value.items()]
            case list() | tuple():
                within = [(f"{where}[{index}]", each) for index, each in enumerate(value)]
            case _:
                break
        for path, each in within:
            try:
                _written(each)
            except _UNWRITABLE:
                where, value = path, each
                break
        else:  # it is a key
            break
    return where
