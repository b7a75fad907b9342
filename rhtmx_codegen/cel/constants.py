"""Values that are known when a rule is compiled, as literals of both languages.

Knows how a value of each type is written. Must not know where it came from.
"""

from __future__ import annotations

import math
from typing import Any

from rhtmx_codegen.cel.pieces import Level, Piece, python_text, typescript_text
from rhtmx_codegen.cel.types import BOOL, BYTES, DOUBLE, DURATION, NULL, STRING, TIMESTAMP, Type

__all__ = ["python_constant", "typescript_constant"]

_SAFE = 2**53 - 1


def python_constant(type_: Type, value: Any) -> Piece:
    """Return a value in Python.

    Args:
        type_: its type.
        value: as at run time.
    """
    if type_.name == "list":
        items = ", ".join(python_constant(type_.of[0], each).text for each in value)
        return Piece(f"[{items}]", Level.ATOM)
    if type_.name == "map":
        entries = ", ".join(
            f"{python_constant(type_.of[0], key)}: {python_constant(type_.of[1], each)}"
            for key, each in value.items()
        )
        return Piece(f"{{{entries}}}", Level.ATOM)
    if type_.bare == STRING:
        return Piece(python_text(value), Level.ATOM)
    if type_.bare == DOUBLE and not math.isfinite(value):
        return Piece(f'float("{value!r}")', Level.ATOM)
    return _signed(repr(value))


def typescript_constant(type_: Type, value: Any) -> Piece:
    """Return a value in TypeScript: nanoseconds as a bigint, other whole numbers if they must be.

    Args:
        type_: its type.
        value: as at run time of Python.
    """
    if type_.name == "list":
        items = ", ".join(typescript_constant(type_.of[0], each).text for each in value)
        return Piece(f"[{items}]", Level.ATOM)
    if type_.name == "map":
        entries = ", ".join(
            f"[{typescript_constant(type_.of[0], key)}, {typescript_constant(type_.of[1], each)}]"
            for key, each in value.items()
        )
        return Piece(f"new Map([{entries}])", Level.ATOM)
    return _typescript_scalar(type_.bare, value)


def _typescript_scalar(type_: Type, value: Any) -> Piece:
    if type_ == STRING:
        return Piece(typescript_text(value), Level.ATOM)
    if type_ == BYTES:
        return Piece(f"new Uint8Array([{', '.join(map(str, value))}])", Level.ATOM)
    if type_ == BOOL:
        return Piece(str(value).lower(), Level.ATOM)
    if type_ == NULL or value is None:
        return Piece("null", Level.ATOM)
    if type_ == DOUBLE:
        return _signed(_typescript_double(value))
    big = type_ in {TIMESTAMP, DURATION} or abs(value) > _SAFE
    return _signed(f"{value}n" if big else str(value))


def _typescript_double(value: float) -> str:
    if math.isnan(value):
        return "Number.NaN"
    if math.isinf(value):
        return "Number.POSITIVE_INFINITY" if value > 0 else "Number.NEGATIVE_INFINITY"
    return repr(value).removesuffix(".0")


def _signed(text: str) -> Piece:
    return Piece(text, Level.UNARY if text.startswith("-") else Level.ATOM)
