"""Rules of one value, as rows of a table.

Knows what a row is, and sorts rows for the judge. Must not know fields, nor how a row is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeAlias

from rhtmx.schema.checks import TIMED, is_in, not_in

__all__ = ["Checks", "RuleRow", "cel_check", "rules"]

RuleRow: TypeAlias = tuple[Any, ...]
"""One rule: a check and its arguments, `(min_len, 1)`."""

_LOOKED_UP_FROM = 8


def cel_check(value: Any, rule: tuple[str, str, Callable[..., Any]], now: int) -> None:
    """The row of a rule in CEL about one value: `(cel_check, id, words, function)`.

    The judge knows it by its identity, since what it fails with is of another form.
    """
    raise NotImplementedError("a rule in CEL is called by the judge")


class Checks:
    """The rules of one value: of a field, of the items of a list, or of keys.

    Attributes:
        checks: each check, with its argument.
        timed: those that are given the time, too.
        cels: the id, the words and the function of each rule in CEL.
        required: it is there; without presence, it is not zero.
        ignore_zero: zero is not judged.
    """

    __slots__ = ("cels", "checks", "ignore_zero", "required", "timed")

    def __init__(
        self, rows: Collection[RuleRow], *, required: bool = False, ignore_zero: bool = False
    ) -> None:
        plain = [row for row in rows if row[0] is not cel_check]
        self.checks = tuple(_pair(row) for row in plain if row[0] not in TIMED)
        self.timed = tuple(_pair(row) for row in plain if row[0] in TIMED)
        self.cels = tuple(row[1:] for row in rows if row[0] is cel_check)
        self.required = required
        self.ignore_zero = ignore_zero

    @property
    def passing(self) -> bool:
        """Nothing can fail it."""
        return not (self.checks or self.timed or self.cels or self.required)


def rules(*rows: RuleRow, ignore_zero: bool = False) -> Checks:
    """The rules of one value: of the keys or the values of a map.

    Args:
        rows: see `RuleRow`.
        ignore_zero: zero is not judged.

    Example:
        >>> from rhtmx import schema as _s
        >>> rules((_s.min_len, 1)).passing
        False
    """
    return Checks(rows, ignore_zero=ignore_zero)


def _pair(row: RuleRow) -> tuple[Any, Any]:
    """The check, and its arguments as the one that it is given."""
    check, *arguments = row
    if check in (is_in, not_in) and len(arguments[0]) >= _LOOKED_UP_FROM:
        return check, dict.fromkeys(arguments[0])
    if len(arguments) > 1:
        return check, tuple(arguments)
    return check, arguments[0] if arguments else None
