"""How values are shown to people, the same in every language.

Knows numbers and texts. Must not know kinds or rules.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from decimal import Decimal
from math import isfinite
from typing import Any

__all__ = ["shown_choices", "shown_number", "shown_text"]

_CHOICES = 10
_PLAIN_FROM, _PLAIN_BELOW = 1e-6, 1e21


def shown_text(value: Any) -> str:
    """A value as it is; `true` and `false` as JSON has them.

    Example:
        >>> shown_text("red"), shown_text(True)
        ('red', 'true')
    """
    return str(value).lower() if isinstance(value, bool) else str(value)


def shown_number(value: float) -> str:
    """A number as JavaScript writes it.

    Example:
        >>> shown_number(1.0), shown_number(0.1), shown_number(1e-05), shown_number(1e22)
        ('1', '0.1', '0.00001', '1e+22')
    """
    if not isfinite(value):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    if value == 0:
        return "0"
    if _PLAIN_FROM <= abs(value) < _PLAIN_BELOW:
        text = f"{Decimal(repr(value)):f}"
        return text.removesuffix(".0")
    digits, _, power = repr(value).partition("e")
    return f"{digits.removesuffix('.0')}e{power[0]}{power[1:].lstrip('0')}"


def shown_choices(values: Collection[Any], show: Callable[[Any], str]) -> str:
    """Several values in a row; no more than ten.

    Example:
        >>> shown_choices(("a", "b"), str)
        'a, b'
    """
    first = [show(value) for value, _ in zip(values, range(_CHOICES), strict=False)]
    return ", ".join(first) + (", …" if len(values) > _CHOICES else "")
