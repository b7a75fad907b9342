"""A part of an entity, as a reader asks for it: fields, and the values they may have.

Knows equality of JSON values. Must not know who asks, records or the wire's messages.

Values are texts, numbers and booleans; a list means any of its values. Two that are equal
as JSON are equal here: `1`, `1.0` and `10e-1` are one number, and none of them is the text
`"1"`, nor `true`. A record whose field is missing, `null`, a list or an object is in no
part by that field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, TypeAlias

import msgspec

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.values.json_value import Json, from_json, to_json

__all__ = ["Where", "WhereValue", "WhereValues", "where_of"]

WhereValue: TypeAlias = str | int | float | bool
"""One value of a field by which an entity is divided."""

WhereValues: TypeAlias = Mapping[str, WhereValue | Sequence[WhereValue]]
"""A part as an application names it: `{"customer": "7"}`, `{"customer": ["7", "8"]}`."""

_Key: TypeAlias = str | tuple[bool, int | float]

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

_INTEGRAL = 1e21
"""Below this a number without a fraction is written as an integer."""


def _key(value: object) -> _Key | None:
    """What is equal for equal values, and only for those; `None` for what has no value here."""
    if isinstance(value, str):
        return value
    # To Python, 1 and True are equal, and so are their hashes.
    return (isinstance(value, bool), value) if isinstance(value, int | float) else None


@dataclass(frozen=True, slots=True)
class Where:
    """A part of an entity. Made by `where_of`; two that mean the same part are equal.

    Args:
        text: it as JSON, always spelt the same.
        fields: each field, with the values that it may have.
    """

    text: str
    fields: tuple[tuple[str, frozenset[_Key]], ...]

    def has(self, data: Json) -> bool:
        """Whether a record with this data is in it."""
        if not isinstance(data, dict):
            return False
        return all(_key(data.get(name)) in values for name, values in self.fields)

    def has_text(self, data: bytes | None) -> bool:
        """The same, of data as JSON text; only the fields in question are read."""
        if data is None or not data.lstrip().startswith(b"{"):
            return False
        members = _members(data)
        return all(
            name in members and _key(from_json(bytes(members[name]))) in values
            for name, values in self.fields
        )


def where_of(values: WhereValues | None, entity: str) -> Where | None:
    """Read a part as it was asked for; `None` is the whole entity, and so is one without fields.

    Args:
        values: its fields, and their values.
        entity: of which entity, for the error.

    Raises:
        RhtmxError: `BAD_MESSAGE`, it cannot be a part of any entity.

    Example:
        >>> where_of({"open": True, "customer": ["8", "7", "8"]}, "orders").text
        '{"customer":["7","8"],"open":true}'
    """
    if not values:
        return None
    if not isinstance(values, Mapping):
        raise _wrong(entity, f"field and value expected, got {values!r}")
    fields: dict[str, frozenset[_Key]] = {}
    spelt: dict[str, Json] = {}
    for name in sorted(values, key=str):
        if not isinstance(name, str) or not name:
            raise _wrong(entity, f"the name of a field expected, got {name!r}")
        options = _options(values[name], entity, name)
        fields[name] = frozenset(options)
        texts = [options[key] for key in options]
        spelt[name] = texts[0] if len(texts) == 1 else sorted(texts, key=_order)
    text = to_json(spelt, f"where of '{entity}'") or b""
    return Where(text.decode(), tuple(fields.items()))


def _options(value: Any, entity: str, name: str) -> dict[_Key, WhereValue]:
    options: dict[_Key, WhereValue] = {}
    for each in value if isinstance(value, list | tuple) else [value]:
        key = _key(each)
        if key is None or (isinstance(each, float) and not isfinite(each)):
            words = f"'{name}': a text, a number or a boolean expected, or a list of them"
            raise _wrong(entity, f"{words}, got {each!r}")
        integral = isinstance(each, float) and each.is_integer() and abs(each) < _INTEGRAL
        options[key] = int(each) if integral else each
    if not options:
        raise _wrong(entity, f"'{name}': at least one value expected, got an empty list")
    return options


def _order(value: WhereValue) -> tuple[str, str, float]:
    """An order of values: booleans, numbers, texts."""
    return (
        type(value).__name__ if isinstance(value, bool | str) else "number",
        value if isinstance(value, str) else "",
        0.0 if isinstance(value, str) else value,
    )


def _wrong(entity: str, words: str) -> RhtmxError:
    return RhtmxError(ErrorCode.BAD_MESSAGE, f"where of '{entity}': {words}")
