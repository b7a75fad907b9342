"""The ready-made rules of a form field, combined into one.

Knows which rules there are and in which order they speak. Must not know forms,
messages, or anything that waits: a field that has no other rules is judged at
once.

A form field holds text, so every rule takes a `str`. White space alone is an
empty value: `required` refuses it, and no other rule looks at it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import TypedDict

from rhtmx_server.trackers.rules import (
    BOUNDS,
    Check,
    email,
    max_length,
    min_length,
    number,
    one_of,
    pattern,
    url,
)

__all__ = ["Rules", "check_all"]


class Rules(TypedDict, total=False):
    """The ready-made rules of a field, checked in this order.

    Args:
        required: refuse an empty value. Without it an empty value is valid.
        min_length: at least so many characters (see `min_length`).
        max_length: at most so many characters.
        type: `int` or `float`: the value must be such a number.
        ge: a number, at least this.
        gt: a number, above this.
        le: a number, at most this.
        lt: a number, below this.
        pattern: a regular expression that the whole value must match.
        one_of: the value must be one of these.
        email: the value must be an email address.
        url: the value must be an `http` or `https` address.
        message: takes the place of what these rules would say.
    """

    required: bool
    min_length: int
    max_length: int
    type: type[int] | type[float]
    ge: float | Decimal
    gt: float | Decimal
    le: float | Decimal
    lt: float | Decimal
    pattern: str | re.Pattern[str]
    one_of: Sequence[str]
    email: bool
    url: bool
    message: str


def check_all(rules: Rules) -> Check:
    """Build one rule out of several: the first that fails speaks.

    Args:
        rules: what to check, as given to `Form.field`.

    Raises:
        TypeError: there is no rule of that name.
        ValueError: a rule makes no sense, with the reason.

    Example:
        >>> check = check_all({"required": True, "ge": 18})
        >>> check("17")
        'must be 18 or more'
    """
    unknown = sorted(set(rules) - set(Rules.__annotations__))
    if unknown:
        known = ", ".join(Rules.__annotations__)
        raise TypeError(f"no ready-made rule {unknown[0]!r}: there are {known}")
    required, message, checks = rules.get("required", False), rules.get("message"), _checks(rules)

    def check(value: str) -> str | None:
        if not value or value.isspace():
            return (message or "is required") if required else None
        for one in checks:
            error = one(value)
            if error is not None:
                return message or error
        return None

    return check


def _checks(rules: Rules) -> tuple[Check, ...]:
    checks: list[Check] = []
    least, most = rules.get("min_length"), rules.get("max_length")
    if least is not None and most is not None and least > most:
        raise ValueError(f"min_length {least} is above max_length {most}: nothing would be valid")
    if most is not None:
        checks.append(max_length(most))
    if least is not None:
        checks.append(min_length(least))
    if any(name in rules for name in ("type", "ge", "gt", "le", "lt")):
        bounds = {name: bound for name, bound in rules.items() if name in BOUNDS}
        checks.append(number(rules.get("type", float), bounds))
    if "pattern" in rules:
        checks.append(pattern(rules["pattern"]))
    if "one_of" in rules:
        checks.append(one_of(rules["one_of"]))
    if rules.get("email"):
        checks.append(email)
    if rules.get("url"):
        checks.append(url)
    return tuple(checks)
