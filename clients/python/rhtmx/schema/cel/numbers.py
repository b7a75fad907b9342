"""Numbers of a rule at run time, where Python's own operators are not enough.

Knows the ranges of CEL's numbers and how it divides. Must not know messages or rules.
"""

from __future__ import annotations

import math
import re

from rhtmx.schema.cel.errors import CelError, quoted

__all__ = [
    "cel_divide",
    "cel_int",
    "cel_int_from_double",
    "cel_is_inf",
    "cel_is_nan",
    "cel_parse_bool",
    "cel_parse_double",
    "cel_parse_int",
    "cel_quotient",
    "cel_remainder",
    "cel_uint",
    "cel_uint_from_double",
]

_LEAST, _MOST, _MOST_UINT = -(2**63), 2**63 - 1, 2**64 - 1
_WHOLE = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(
    r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|nan|inf(?:inity)?)", re.IGNORECASE
)
_WORDS = {
    **dict.fromkeys(("true", "True", "TRUE", "t", "1"), True),
    **dict.fromkeys(("false", "False", "FALSE", "f", "0"), False),
}


def cel_int(value: int) -> int:
    """Return a whole number that fits 64 bits.

    Args:
        value: a result.

    Raises:
        CelError: it does not.
    """
    if _LEAST <= value <= _MOST:
        return value
    raise CelError("a number is too large to count with")


def cel_uint(value: int) -> int:
    """Return a whole number that fits 64 bits without a sign.

    Args:
        value: a result.

    Raises:
        CelError: it does not.
    """
    if 0 <= value <= _MOST_UINT:
        return value
    raise CelError("a number is below zero or too large to count with")


def cel_quotient(one: int, other: int) -> int:
    """Divide, and cut off what is behind the point.

    Args:
        one: the dividend.
        other: the divisor.

    Raises:
        CelError: the divisor is zero, or the result does not fit.
    """
    _check_division(one, other)
    whole = abs(one) // abs(other)
    return whole if (one < 0) == (other < 0) else -whole


def cel_remainder(one: int, other: int) -> int:
    """Return what is left of a division, with the sign of the dividend.

    Args:
        one: the dividend.
        other: the divisor.

    Raises:
        CelError: the divisor is zero, or the quotient does not fit.
    """
    _check_division(one, other)
    left = abs(one) % abs(other)
    return -left if one < 0 else left


def _check_division(one: int, other: int) -> None:
    if other == 0:
        raise CelError("a number is divided by zero")
    if one == _LEAST and other == -1:
        raise CelError("a number is too large to count with")


def cel_divide(one: float, other: float) -> float:
    """Divide as IEEE 754 does: by zero there is an infinity, or NaN.

    Args:
        one: the dividend.
        other: the divisor.
    """
    if other:
        return one / other
    if one != one or not one:
        return math.nan
    return math.copysign(math.inf, one) * math.copysign(1, other)


def cel_int_from_double(value: float) -> int:
    """Cut off what is behind the point.

    Args:
        value: a number.

    Raises:
        CelError: it does not fit 64 bits. The least number itself counts as not fitting.
    """
    if -(2.0**63) < value < 2.0**63:
        return int(value)
    raise CelError("a number is too large to count with")


def cel_uint_from_double(value: float) -> int:
    """Cut off what is behind the point.

    Args:
        value: a number.

    Raises:
        CelError: it is below zero, or does not fit 64 bits.
    """
    if 0 <= value < 2.0**64:
        return int(value)
    raise CelError("a number is below zero or too large to count with")


def cel_parse_int(text: str) -> int:
    """Return the whole number that a text says, of any size.

    Args:
        text: ASCII numerals, perhaps with a sign.

    Raises:
        CelError: it says none.
    """
    if len(text) < 100 and _WHOLE.fullmatch(text):
        return int(text)
    raise CelError(f"{quoted(text)} is no whole number")


def cel_parse_double(text: str) -> float:
    """Return the number that a text says.

    Args:
        text: such as `-1.5e3`, `NaN` or `Infinity`.

    Raises:
        CelError: it says none.
    """
    if _DECIMAL.fullmatch(text):
        return float(text)
    raise CelError(f"{quoted(text)} is no number")


def cel_parse_bool(text: str) -> bool:
    """Return the truth that a text says.

    Args:
        text: `true`, `True`, `TRUE`, `t`, `1`, or the same of false.

    Raises:
        CelError: it says neither.
    """
    if text in _WORDS:
        return _WORDS[text]
    raise CelError(f"{quoted(text)} is neither true nor false")


def cel_is_nan(value: float) -> bool:
    """Tell whether a number is none.

    Args:
        value: the number.
    """
    return math.isnan(value)


def cel_is_inf(value: float, sign: int = 0) -> bool:
    """Tell whether a number is infinite.

    Args:
        value: the number.
        sign: above zero for positive infinity only, below for the negative one, zero for both.
    """
    return math.isinf(value) and (sign == 0 or (sign > 0) == (value > 0))
