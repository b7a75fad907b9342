"""Conditions and collections of a rule at run time, where Python's own operators are not enough.

Knows how CEL absorbs errors, and how it compares and looks up. Must not know messages or rules.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rhtmx.schema.cel.errors import CelError, quoted

__all__ = [
    "cel_all",
    "cel_all_of",
    "cel_any_of",
    "cel_discreet",
    "cel_equal",
    "cel_exists",
    "cel_field",
    "cel_in",
    "cel_is_set",
    "cel_item",
    "cel_known",
    "cel_present",
    "cel_unique",
    "cel_value",
]


def cel_all_of(*sides: Callable[[], bool]) -> bool:
    """Tell whether all sides hold; one that does not absorbs the errors of others.

    Args:
        sides: each side of `&&`.

    Raises:
        CelError: a side erred and none is false.
    """
    return cel_all(sides, lambda side: side())


def cel_any_of(*sides: Callable[[], bool]) -> bool:
    """Tell whether a side holds; one that does absorbs the errors of others.

    Args:
        sides: each side of `||`.

    Raises:
        CelError: a side erred and none is true.
    """
    return cel_exists(sides, lambda side: side())


def cel_all(items: Iterable[Any], holds: Callable[[Any], bool]) -> bool:
    """Tell whether something holds of all items; one of which it does not absorbs errors.

    Args:
        items: of a list, or the keys of a map.
        holds: of one.

    Raises:
        CelError: it erred for an item and is false for none.
    """
    return not cel_exists(items, lambda item: not holds(item))


def cel_exists(items: Iterable[Any], holds: Callable[[Any], bool]) -> bool:
    """Tell whether something holds of an item; one of which it does absorbs errors.

    Args:
        items: of a list, or the keys of a map.
        holds: of one.

    Raises:
        CelError: it erred for an item and is true for none.
    """
    failure: CelError | None = None
    for item in items:
        try:
            if holds(item):
                return True
        except CelError as error:
            failure = error
    if failure is not None:
        raise failure
    return False


def cel_equal(one: Any, other: Any) -> bool:
    """Tell whether two lists or maps are equal, where NaN is not equal to itself.

    Args:
        one: a value.
        other: another of the same type.
    """
    if isinstance(one, list):
        return len(one) == len(other) and all(map(cel_equal, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(
            cel_equal(value, other[key]) for key, value in one.items()
        )
    return bool(one == other)


def cel_in(value: Any, items: Sequence[Any]) -> bool:
    """Tell whether a list has a value. Python's own `in` would find the same NaN.

    Args:
        value: what to look for.
        items: where.
    """
    return any(cel_equal(value, item) for item in items)


def cel_unique(items: Sequence[Any]) -> bool:
    """Tell whether no two items are equal. NaN equals nothing.

    Args:
        items: scalars.
    """
    numbers = [item for item in items if item == item]
    return len(set(numbers)) == len(numbers)


def cel_item(items: Sequence[Any], index: int) -> Any:
    """Return an item of a list.

    Args:
        items: the list.
        index: from 0.

    Raises:
        CelError: there is none.
    """
    if 0 <= index < len(items):
        return items[int(index)]
    raise CelError(f"there is no item {index}")


def cel_value(entries: Mapping[Any, Any], key: Any) -> Any:
    """Return a value of a map.

    Args:
        entries: the map.
        key: its key.

    Raises:
        CelError: there is none.
    """
    if key in entries:
        return entries[key]
    raise CelError(f"there is no entry {quoted(str(key))}")


def cel_field(message: Mapping[str, Any] | None, name: str, default: Any) -> Any:
    """Return a field of a message that can be absent.

    Args:
        message: the message.
        name: of the field.
        default: what it is in an absent message, and where it is absent itself.
    """
    value = None if message is None else message[name]
    return default if value is None else value


def cel_is_set(value: float) -> bool:
    """Tell whether a number without presence is set: -0.0 is, as it is no zero on the wire.

    Args:
        value: the number.
    """
    return value != 0 or math.copysign(1, value) < 0


def cel_present(value: Any) -> Any:
    """Return a value that must be there to be compared or counted with.

    Args:
        value: that of a wrapper.

    Raises:
        CelError: it is absent.
    """
    if value is None:
        raise CelError("a value that the rule needs is not there")
    return value


def cel_known(number: int | str) -> int:
    """Return the number of an enum.

    Args:
        number: it, or a word that this program does not know.

    Raises:
        CelError: it is such a word.
    """
    if isinstance(number, str):
        raise CelError(f"{quoted(number)} is a value that this program does not know")
    return number


def cel_discreet(holds: Callable[[Any, int], Any]) -> Callable[[Any, int], Any]:
    """The function of a rule about a secret: why it failed, it does not say.

    Args:
        holds: it.
    """

    def judged(this: Any, now: int) -> Any:
        try:
            return holds(this, now)
        except (CelError, TypeError):
            raise CelError("a value is secret") from None

    return judged
