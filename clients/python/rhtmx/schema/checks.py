"""The standard rules of values, one function for each.

Knows how to judge one value by one argument, and to say in words what is wrong with it. Must not
know fields, paths, or how a value came to be: a check is a pure function.

A check takes a value and its argument, and returns `None` where the value is right, else a
`Failure`. One without an argument is given `None`, one with several a tuple. Those in `TIMED` are
given the time, too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final, TypeAlias

from rhtmx.patterns.matching import matches

__all__ = [
    "TIMED",
    "Check",
    "Failure",
    "any_in",
    "any_not_in",
    "const",
    "contains",
    "defined_only",
    "finite",
    "gt",
    "gt_lt",
    "gt_lte",
    "gt_now",
    "gte",
    "gte_lt",
    "gte_lte",
    "is_in",
    "length",
    "length_bytes",
    "lt",
    "lt_now",
    "lte",
    "max_bytes",
    "max_items",
    "max_len",
    "max_pairs",
    "min_bytes",
    "min_items",
    "min_len",
    "min_pairs",
    "not_contains",
    "not_in",
    "paths_const",
    "paths_in",
    "paths_not_in",
    "pattern",
    "pattern_bytes",
    "prefix",
    "suffix",
    "unique",
    "within",
]

Check: TypeAlias = Callable[..., "Failure | None"]
"""Judges a value by an argument; see above."""

_BOUNDS = {
    "gt": "more than {}",
    "gte": "{} or more",
    "lt": "less than {}",
    "lte": "{} or less",
}


class Failure:
    """What is wrong with a value.

    Args:
        code: the id of the rule, without the word of the kind: `min_len`.
        words: why, with `{}` where a value of the rule is shown.
        shown: those values; the kind of the judged value knows how to show them.
    """

    __slots__ = ("code", "shown", "words")

    def __init__(self, code: str, words: str, *shown: Any) -> None:
        self.code = code
        self.words = words
        self.shown = shown


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


# Any kind of value


def const(value: Any, wanted: Any) -> Failure | None:
    """It is equal to the argument."""
    return None if value == wanted else Failure("const", "must be {}", wanted)


def is_in(value: Any, choices: Collection[Any]) -> Failure | None:
    """It is one of the argument's."""
    return None if value in choices else Failure("in", "must be one of: {}", choices)


def not_in(value: Any, choices: Collection[Any]) -> Failure | None:
    """It is none of the argument's."""
    return Failure("not_in", "must be none of: {}", choices) if value in choices else None


# Numbers, times and durations. NaN holds in no bound, as a comparison with it never does.


def gt(value: Any, bound: Any) -> Failure | None:
    """It is more than the argument."""
    return None if value > bound else Failure("gt", "must be more than {}", bound)


def gte(value: Any, bound: Any) -> Failure | None:
    """It is the argument or more."""
    return None if value >= bound else Failure("gte", "must be {} or more", bound)


def lt(value: Any, bound: Any) -> Failure | None:
    """It is less than the argument."""
    return None if value < bound else Failure("lt", "must be less than {}", bound)


def lte(value: Any, bound: Any) -> Failure | None:
    """It is the argument or less."""
    return None if value <= bound else Failure("lte", "must be {} or less", bound)


def gt_lt(value: Any, bounds: tuple[Any, Any]) -> Failure | None:
    """It is between two bounds; outside of them if the first is the greater one."""
    low, high = bounds
    held = low < value < high if low <= high else value > low or value < high
    return None if held else _outside("gt", "lt", low, high)


def gt_lte(value: Any, bounds: tuple[Any, Any]) -> Failure | None:
    """As `gt_lt`, and the second bound itself is right."""
    low, high = bounds
    held = low < value <= high if low <= high else value > low or value <= high
    return None if held else _outside("gt", "lte", low, high)


def gte_lt(value: Any, bounds: tuple[Any, Any]) -> Failure | None:
    """As `gt_lt`, and the first bound itself is right."""
    low, high = bounds
    held = low <= value < high if low <= high else value >= low or value < high
    return None if held else _outside("gte", "lt", low, high)


def gte_lte(value: Any, bounds: tuple[Any, Any]) -> Failure | None:
    """As `gt_lt`, and both bounds themselves are right."""
    low, high = bounds
    if low > high:
        return None if value >= low or value <= high else _outside("gte", "lte", low, high)
    return (
        None if low <= value <= high else Failure("gte_lte", "must be between {} and {}", low, high)
    )


def _outside(above: str, below: str, low: Any, high: Any) -> Failure:
    code = f"{above}_{below}"
    more, less = _BOUNDS[above], _BOUNDS[below]
    if low <= high:
        return Failure(code, f"must be {more}, and {less}", low, high)
    return Failure(f"{code}_exclusive", f"must be {less}, or {more}", high, low)


def finite(value: float, _: None = None) -> Failure | None:
    """It is neither NaN nor infinite."""
    return None if value - value == 0 else Failure("finite", "must be a finite number")


# Texts: lengths are counted in code points


def length(value: Any, wanted: int) -> Failure | None:
    """It has exactly so many characters; of bytes: bytes."""
    return (
        None if len(value) == wanted else Failure("len", f"must have exactly {_of(value, wanted)}")
    )


def min_len(value: Any, least: int) -> Failure | None:
    """It has so many characters or more; of bytes: bytes."""
    return (
        None
        if len(value) >= least
        else Failure("min_len", f"must have at least {_of(value, least)}")
    )


def max_len(value: Any, most: int) -> Failure | None:
    """It has so many characters or fewer; of bytes: bytes."""
    return (
        None if len(value) <= most else Failure("max_len", f"must have at most {_of(value, most)}")
    )


def _of(value: Any, number: int) -> str:
    return _count(number, "character" if isinstance(value, str) else "byte")


def _size(text: str) -> int:
    # Half of a surrogate pair is nothing that UTF-8 can say; it has three bytes everywhere.
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def length_bytes(value: str, wanted: int) -> Failure | None:
    """It has exactly so many bytes in UTF-8."""
    if _size(value) == wanted:
        return None
    return Failure("len_bytes", f"must have exactly {_count(wanted, 'byte')}")


def min_bytes(value: str, least: int) -> Failure | None:
    """It has so many bytes in UTF-8 or more."""
    if _size(value) >= least:
        return None
    return Failure("min_bytes", f"must have at least {_count(least, 'byte')}")


def max_bytes(value: str, most: int) -> Failure | None:
    """It has so many bytes in UTF-8 or fewer."""
    if _size(value) <= most:
        return None
    return Failure("max_bytes", f"must have at most {_count(most, 'byte')}")


def pattern(value: str, table: str) -> Failure | None:
    """The pattern, of which the argument is the table, is found in it."""
    return None if matches(table, value) else Failure("pattern", "does not have the expected form")


def pattern_bytes(value: bytes, table: str) -> Failure | None:
    """The pattern is found in the text that it is in UTF-8."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return Failure("pattern", "must be text in UTF-8")
    return pattern(text, table)


def prefix(value: Any, start: Any) -> Failure | None:
    """It begins with the argument."""
    return None if value.startswith(start) else Failure("prefix", "must begin with {}", start)


def suffix(value: Any, end: Any) -> Failure | None:
    """It ends with the argument."""
    return None if value.endswith(end) else Failure("suffix", "must end with {}", end)


def contains(value: Any, part: Any) -> Failure | None:
    """It contains the argument."""
    return None if part in value else Failure("contains", "must contain {}", part)


def not_contains(value: Any, part: Any) -> Failure | None:
    """It does not contain the argument."""
    return Failure("not_contains", "must not contain {}", part) if part in value else None


# Enums


def defined_only(value: Any, enum: Any) -> Failure | None:
    """It is a value that the enum, the argument, declares."""
    if value in enum.numbers:
        return None
    return Failure("defined_only", "must be one of: {}", tuple(enum.numbers))


# Lists and maps


def min_items(value: Collection[Any], least: int) -> Failure | None:
    """It has so many items or more."""
    if len(value) >= least:
        return None
    return Failure("min_items", f"must have at least {_count(least, 'item')}")


def max_items(value: Collection[Any], most: int) -> Failure | None:
    """It has so many items or fewer."""
    if len(value) <= most:
        return None
    return Failure("max_items", f"must have at most {_count(most, 'item')}")


def unique(value: list[Any], _: None = None) -> Failure | None:
    """No two of its items are equal. NaN is equal to nothing, and -0 to 0."""
    if len(set(value)) == len(value):
        # A set takes an object for equal to itself, so it sees too few only of the same NaN.
        return None
    numbers = [item for item in value if item == item]
    if len(set(numbers)) == len(numbers):
        return None
    return Failure("unique", "must not have the same item twice")


def min_pairs(value: Collection[Any], least: int) -> Failure | None:
    """It has so many entries or more."""
    if len(value) >= least:
        return None
    return Failure("min_pairs", f"must have at least {_count(least, 'entry', 'entries')}")


def max_pairs(value: Collection[Any], most: int) -> Failure | None:
    """It has so many entries or fewer."""
    if len(value) <= most:
        return None
    return Failure("max_pairs", f"must have at most {_count(most, 'entry', 'entries')}")


# Times, judged at a time


def lt_now(value: int, _: None, now: int) -> Failure | None:
    """It is not after now."""
    return None if value <= now else Failure("lt_now", "must be in the past")


def gt_now(value: int, _: None, now: int) -> Failure | None:
    """It is not before now."""
    return None if value >= now else Failure("gt_now", "must be in the future")


def within(value: int, distance: tuple[int, str], now: int) -> Failure | None:
    """It is not farther from now than so many nanoseconds; the argument has them as text, too."""
    nanoseconds, text = distance
    if abs(value - now) <= nanoseconds:
        return None
    return Failure("within", f"must be within {text} of now")


TIMED: Final[frozenset[Check]] = frozenset({lt_now, gt_now, within})
"""The checks that are given the time as a third argument, in nanoseconds since 1970."""


# What protobuf brings along


def any_in(value: dict[str, Any], types: Collection[str]) -> Failure | None:
    """Its type is one of the argument's."""
    if value["@type"] in types:
        return None
    return Failure("in", f"must be of one of the types {', '.join(types)}")


def any_not_in(value: dict[str, Any], types: Collection[str]) -> Failure | None:
    """Its type is none of the argument's."""
    if value["@type"] not in types:
        return None
    return Failure("not_in", f"must be of none of the types {', '.join(types)}")


def paths_const(value: list[str], paths: tuple[str, ...]) -> Failure | None:
    """Its paths are the argument's, in their order."""
    return None if tuple(value) == paths else Failure("const", f"must be {','.join(paths)}")


def paths_in(value: list[str], paths: tuple[str, ...]) -> Failure | None:
    """Each of its paths is one of the argument's, or under one."""
    if all(_under(path, paths) for path in value):
        return None
    return Failure("in", f"must only name {', '.join(paths)}")


def paths_not_in(value: list[str], paths: tuple[str, ...]) -> Failure | None:
    """None of its paths is one of the argument's, or under one."""
    if not any(_under(path, paths) for path in value):
        return None
    return Failure("not_in", f"must not name {', '.join(paths)}")


def _under(path: str, paths: tuple[str, ...]) -> bool:
    return any(path == each or path.startswith(f"{each}.") for each in paths)
