"""Whether a JSON text is a value that a field can have.

Knows how each kind is written in JSON. Must not know rules: a default may break one, and is then
judged as any other value.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from rhtmx.wire.limits import MAX_INTEGER
from rhtmx_codegen.model import Field, Kind, Schema, Type
from rhtmx_codegen.types import INTEGERS, LONG

__all__ = ["misfit"]

_UNSIGNED = frozenset((Kind.UINT32, Kind.FIXED32, Kind.UINT64, Kind.FIXED64))
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_SPAN = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,9})?s")
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,19}")
_FLOAT_MAX = 3.4028234663852886e38


def misfit(schema: Schema, field: Field, text: str) -> str:
    """Say why a JSON text is no value of a field; empty if it is one.

    Args:
        schema: with the enums that the field may have.
        field: the field.
        text: the JSON text.
    """
    try:
        value = json.loads(text, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return f"{text[:40]!r} is not JSON (a text has its quotes: '\"open\"')"
    if field.repeated or field.map_key is not None:
        expected = list if field.repeated else dict
        if not isinstance(value, expected):
            return f"a JSON {'list' if field.repeated else 'object'} expected, got {text[:40]}"
        items = value if isinstance(value, list) else list(value.values())
    else:
        items = [value]
    for item in items:
        if not _fits(schema, field.type, item):
            return f"{_expected(schema, field.type)} expected, got {json.dumps(item)[:40]}"
    return ""


def _no_json(word: str) -> None:
    """Refuse what Python's parser takes beyond JSON: NaN and the infinities."""
    raise ValueError(word)


def _fits(schema: Schema, kind: Type, value: Any) -> bool:
    if kind.kind in INTEGERS:
        return _is_integer(kind, value)
    if kind.kind is Kind.ENUM:
        enum = schema.enums.get(kind.name)
        return enum is not None and value in [each.word for each in enum.values]
    return _FITS[kind.kind](value)


def _is_integer(kind: Type, value: Any) -> bool:
    if kind.text:
        if not isinstance(value, str) or not _WHOLE.fullmatch(value):
            return False
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    low, high = _bounds(kind)
    return low <= value <= high


def _bounds(kind: Type) -> tuple[int, int]:
    if kind.kind in LONG and not kind.text:
        return 0 if kind.kind in _UNSIGNED else -MAX_INTEGER, MAX_INTEGER
    bits = 64 if kind.kind in LONG else 32
    return (0, 2**bits - 1) if kind.kind in _UNSIGNED else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_base64(value: Any) -> bool:
    try:
        return isinstance(value, str) and base64.b64decode(value, validate=True) is not None
    except (binascii.Error, ValueError):
        return False


def _is_text_like(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _is(expected: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, expected)


_FITS: Mapping[Kind, Callable[[Any], bool]] = {
    Kind.STRING: _is(str),
    Kind.BOOL: _is(bool),
    Kind.BYTES: _is_base64,
    Kind.DOUBLE: _is_number,
    Kind.FLOAT: lambda value: _is_number(value) and abs(value) <= _FLOAT_MAX,
    Kind.TIMESTAMP: _is_text_like(_TIME),
    Kind.DURATION: _is_text_like(_SPAN),
    Kind.FIELD_MASK: _is(str),
    Kind.MESSAGE: _is(dict),
    Kind.ANY: lambda value: isinstance(value, dict) and isinstance(value.get("@type"), str),
    Kind.STRUCT: _is(dict),
    Kind.LIST_VALUE: _is(list),
    Kind.VALUE: lambda value: True,
}


def _expected(schema: Schema, kind: Type) -> str:
    """What is wanted, in words."""
    if kind.kind is Kind.ENUM and kind.name in schema.enums:
        words = [json.dumps(value.word) for value in schema.enums[kind.name].values]
        return f"one of {', '.join(words)}"
    if kind.kind in INTEGERS:
        low, high = _bounds(kind)
        written = ", written as a text" if kind.text else ""
        return f"a whole number from {low} to {high}{written}"
    return _WORDS[kind.kind]


_WORDS: Mapping[Kind, str] = {
    Kind.STRING: "a JSON text",
    Kind.BOOL: "true or false",
    Kind.BYTES: "base64 in a JSON text",
    Kind.DOUBLE: "a finite number",
    Kind.FLOAT: "a finite number of 32 bits",
    Kind.TIMESTAMP: 'a time such as "2026-11-29T12:00:00Z"',
    Kind.DURATION: 'a duration such as "1.5s"',
    Kind.FIELD_MASK: "a JSON text",
    Kind.MESSAGE: "a JSON object",
    Kind.ANY: 'a JSON object with "@type"',
    Kind.STRUCT: "a JSON object",
    Kind.LIST_VALUE: "a JSON list",
    Kind.VALUE: "JSON",
}
