"""The standard rules of `buf.validate`, as rows of checks.

Knows each rule that the library brings along, and which of them make no sense together. Must not
know CEL, fields, or how a row is written.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

from rhtmx.patterns.pattern import compile_pattern
from rhtmx.patterns.problems import PatternError
from rhtmx.schema.times import (
    MAX_DURATION,
    MAX_TIMESTAMP,
    MIN_DURATION,
    MIN_TIMESTAMP,
    write_duration,
)
from rhtmx_codegen.model import Kind, Type
from rhtmx_codegen.rules.table import Nanoseconds, Row, Words

__all__ = ["RuleError", "rows_of"]


class RuleError(Exception):
    """A rule cannot be turned into a row.

    Args:
        id: of the rule.
        words: why, and what to do.
        is_rule: it is one, which somebody else may judge.
    """

    def __init__(self, id: str, words: str, *, is_rule: bool = True) -> None:  # noqa: A002 (the schema's own word)
        self.id = id
        self.words = words
        self.is_rule = is_rule
        super().__init__(f"{id}: {words}")


_SILENT = frozenset(("example", "strict"))
_SECOND = 1_000_000_000

# Checks by the rule's name, where they are not called the same.
_CHECKS = {"in": "is_in", "len": "length", "len_bytes": "length_bytes"}
_BOUNDS = ("gt", "gte", "lt", "lte")
_SIZES = (
    *product(("min_len", "len"), ("max_len", "len")),
    *product(("min_bytes", "len_bytes"), ("max_bytes", "len_bytes")),
    # A character has a byte, at least.
    *product(("min_len", "len"), ("max_bytes", "len_bytes")),
    ("min_items", "max_items"),
    ("min_pairs", "max_pairs"),
)
"""Rules of sizes: the first must not be more than the second."""

_ENDS: dict[str, tuple[int, int]] = {
    **dict.fromkeys(("int32", "sint32", "sfixed32"), (-(2**31), 2**31 - 1)),
    **dict.fromkeys(("uint32", "fixed32"), (0, 2**32 - 1)),
    **dict.fromkeys(("int64", "sint64", "sfixed64"), (-(2**63), 2**63 - 1)),
    **dict.fromkeys(("uint64", "fixed64"), (0, 2**64 - 1)),
    "timestamp": (MIN_TIMESTAMP, MAX_TIMESTAMP),
    "duration": (MIN_DURATION, MAX_DURATION),
}
"""The least and the greatest value of what has steps: whole numbers, and times in nanoseconds."""
_SWITCHES = frozenset(("finite", "unique", "lt_now", "gt_now"))
_PLAIN = frozenset(
    (
        "const",
        "min_len",
        "max_len",
        "len",
        "min_bytes",
        "max_bytes",
        "len_bytes",
        "prefix",
        "suffix",
        "contains",
        "not_contains",
        "in",
        "not_in",
        "min_items",
        "max_items",
        "min_pairs",
        "max_pairs",
    )
)
_HEADERS = {1: "header_name", 2: "header_value"}


def rows_of(rules: Any, word: str, value: Type) -> Iterator[Row | RuleError]:
    """The rows of the standard rules of one value.

    Args:
        rules: one of `buf.validate`'s messages of rules, such as `StringRules`.
        word: what its rules begin with, `string`.
        value: the type of the value; of a list or map, of what is in it.

    Yields:
        A row for each rule, or why there is none. Rules that an application has declared itself
        (extensions) are left to others.
    """
    said = {each.name: each for each, _ in rules.ListFields() if not each.is_extension}
    yield from _impossible(rules, word, said)
    yield from _bounds(rules, word, said)
    known = (
        {None: None}
        if rules.DESCRIPTOR.oneofs_by_name.get("well_known") is None
        else {each.name: each for each in rules.DESCRIPTOR.oneofs_by_name["well_known"].fields}
    )
    for name in said:
        if name in _SILENT or name in _BOUNDS or _holds_rules(said[name]):
            continue
        if name in known:
            yield from _form(rules, word, name)
        else:
            yield _row(rules, word, name, value)


def _holds_rules(descriptor: Any) -> bool:
    return getattr(descriptor.message_type, "name", "") == "FieldRules"


def _impossible(rules: Any, word: str, said: dict[str, Any]) -> Iterator[RuleError]:
    """Sizes of which none can be right."""
    for least, most in _SIZES:
        if least in said and most in said and getattr(rules, least) > getattr(rules, most):
            yield RuleError(
                f"{word}.{least}",
                f"{least} is more than {most}, so that no value is right: change one of them",
            )


def _bounds(rules: Any, word: str, said: dict[str, Any]) -> Iterator[Row | RuleError]:
    """The rule of a lower and an upper bound, which is one if there are both."""
    low = next((each for each in ("gt", "gte") if each in said), "")
    high = next((each for each in ("lt", "lte") if each in said), "")
    values = [_constant(getattr(rules, each)) for each in (low, high) if each]
    code = "_".join(each for each in (low, high) if each)
    if any(isinstance(each, float) and math.isnan(each) for each in values):
        yield RuleError(f"{word}.{code}", "nothing compares with NaN: write a number")
    elif code and _is_nothing_within(rules, word, low, high):
        yield RuleError(f"{word}.{code}", "no value is right: change a bound")
    elif code:
        yield Row(code, tuple(values))


def _is_nothing_within(rules: Any, word: str, low: str, high: str) -> bool:
    """Whether no value is within bounds; outside of them, if the first is the greater one."""
    values = {each: _constant(getattr(rules, each)) for each in (low, high) if each}
    has_steps = word in _ENDS
    first, last = ((each, 0) for each in _ENDS.get(word, (-math.inf, math.inf)))
    least = max(first, _edge(values[low], int(low == "gt"), has_steps)) if low else first
    most = min(last, _edge(values[high], -int(high == "lt"), has_steps)) if high else last
    if low and high and values[low] > values[high]:
        return least > last and first > most
    return least > most


def _edge(bound: Any, beyond: int, has_steps: bool) -> tuple[Any, int]:
    """Where values begin or end: at a bound, or just beyond it; as what can be compared."""
    return (bound + beyond, 0) if has_steps else (bound, beyond)


def _form(rules: Any, word: str, name: str) -> Iterator[Row | RuleError]:
    """One of the forms that a text, or bytes, can have."""
    value = getattr(rules, name)
    if name == "well_known_regex":
        if value in _HEADERS:
            strict = rules.strict if rules.HasField("strict") else True
            yield Row(_HEADERS[value] if strict else f"loose_{_HEADERS[value]}")
        elif value:
            yield RuleError(f"{word}.{name}", f"{value} is none of its values")
    elif value:  # `email: false` says nothing
        yield Row(f"{name}_bytes" if word == "bytes" else name)


def _row(rules: Any, word: str, name: str, value: Type) -> Row | RuleError:
    own = _OWN.get((word, name)) or _OWN.get(("", name))
    if own is not None:
        return own(rules, word, name, value)
    said = getattr(rules, name)
    if name in _SWITCHES:
        return Row(name) if said else Row("")
    if name not in _PLAIN:
        return RuleError(f"{word}.{name}", "this edition of rhtmx does not know the rule")
    value_of_it = _constant(said)
    if name in ("in", "not_in"):
        value_of_it = tuple(dict.fromkeys(value_of_it))  # what is said twice, is shown once
    return Row(_CHECKS.get(name, name), (value_of_it,))


def _constant(value: Any) -> Any:
    """A value of an option as plain data."""
    if hasattr(value, "seconds"):
        return Nanoseconds(value.seconds * _SECOND + value.nanos)
    if hasattr(value, "paths"):
        return tuple(value.paths)
    if isinstance(value, (str, bytes, int, float)):
        return value
    return tuple(_constant(each) for each in value)


def _pattern(rules: Any, word: str, name: str, value: Type) -> Row | RuleError:
    try:
        table = compile_pattern(rules.pattern).table
    except PatternError as error:
        return RuleError(f"{word}.{name}", str(error))
    return Row("pattern_bytes" if word == "bytes" else "pattern", (table,))


def _defined_only(rules: Any, word: str, name: str, value: Type) -> Row | RuleError:
    return Row("defined_only", (Words(value.name),)) if rules.defined_only else Row("")


def _within(rules: Any, word: str, name: str, value: Type) -> Row | RuleError:
    distance = _constant(rules.within)
    if distance < 0:
        return RuleError(f"{word}.{name}", "it is less than nothing, so that no time is right")
    return Row("within", (distance, write_duration(distance)))


def _unique(rules: Any, word: str, name: str, value: Type) -> Row | RuleError:
    if not rules.unique:
        return Row("")
    if value.wrapper or value.kind in _MESSAGES:
        return RuleError(f"{word}.{name}", "messages are not compared: only scalars and enums are")
    return Row("unique")


_MESSAGES = frozenset(
    (
        *(Kind.MESSAGE, Kind.TIMESTAMP, Kind.DURATION, Kind.ANY, Kind.FIELD_MASK),
        *(Kind.VALUE, Kind.STRUCT, Kind.LIST_VALUE),
    )
)


def _of(prefix: str) -> Callable[[Any, str, str, Type], Row | RuleError]:
    def row(rules: Any, word: str, name: str, value: Type) -> Row | RuleError:
        return Row(f"{prefix}_{name}", (_constant(getattr(rules, name)),))

    return row


_OWN: dict[tuple[str, str], Callable[[Any, str, str, Type], Row | RuleError]] = {
    ("", "pattern"): _pattern,
    ("enum", "defined_only"): _defined_only,
    ("timestamp", "within"): _within,
    ("repeated", "unique"): _unique,
    ("any", "in"): _of("any"),
    ("any", "not_in"): _of("any"),
    ("field_mask", "const"): _of("paths"),
    ("field_mask", "in"): _of("paths"),
    ("field_mask", "not_in"): _of("paths"),
}
