r"""Patterns of RE2 as patterns of JSON Schema, which has those of ECMA-262.

Knows how each part of a pattern is written so that RE2, ECMA-262 (with its flag `u`) and Python
read the same in it: `\d` becomes `[0-9]`, and `.` becomes `[^\n]`. Must not know rules.

Where no such way is, there is no pattern: places within a text (`\b`, and `^` with the flag `m`),
and sets with characters beyond U+FFFF, which are two for who reads without the flag `u`.
"""

from __future__ import annotations

from rhtmx.patterns.parser import parse
from rhtmx.patterns.ranges import EVERY, LAST, Ranges, complement
from rhtmx.patterns.tree import Characters, Choice, Node, Place, PlaceKind, Repeat, Sequence

__all__ = ["pattern_of"]

_PLACES = {PlaceKind.TEXT_START: "^", PlaceKind.TEXT_END: "$"}
_SPECIAL = frozenset("^$\\.*+?()[]{}|/")
_IN_A_SET = frozenset("\\]-[^")
_NARROW = 0xFFFF
_MOST_RANGES = 64
_DELETE = 0x7F


class _NoWayError(Exception):
    """A part of the pattern cannot be written so that all read the same."""


def pattern_of(pattern: str) -> str | None:
    r"""A pattern that means in JSON Schema what this one means to RE2.

    Args:
        pattern: one that `rhtmx.patterns` compiles.

    Returns:
        The pattern; `None` if there is none.

    Example:
        >>> pattern_of(r"(?i)^\w{1,3}$"), pattern_of(r"\bword\b")
        ('^[0-9A-Z_a-z\u017f\u212a]{1,3}$', None)
    """
    try:
        return _written(parse(pattern))
    except _NoWayError:
        return None


def _written(node: Node) -> str:
    match node:
        case Characters(ranges):
            return _set(ranges)
        case Place(kind):
            if kind not in _PLACES:
                raise _NoWayError
            return _PLACES[kind]
        case Sequence(items):
            return "".join(
                f"(?:{_written(each)})" if isinstance(each, Choice) else _written(each)
                for each in items
            )
        case Choice(items):
            return "|".join(map(_written, items))
        case Repeat(item, least, most):
            inner = _written(item)
            return (inner if _is_one(item) else f"(?:{inner})") + _times(least, most)


def _is_one(node: Node) -> bool:
    """A repeat behind it repeats it, and nothing else."""
    return isinstance(node, Characters)


def _times(least: int, most: int | None) -> str:
    short = {(0, None): "*", (1, None): "+", (0, 1): "?"}.get((least, most))
    if short is not None:
        return short
    if most is None:
        return f"{{{least},}}"
    return f"{{{least}}}" if least == most else f"{{{least},{most}}}"


def _set(ranges: Ranges) -> str:
    if ranges == EVERY:
        return "[\\s\\S]"
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return _letter(ranges[0][0], _SPECIAL)
    others = ranges[-1][1] == LAST if ranges else True
    shown = complement(ranges) if others else ranges
    if not ranges or len(shown) > _MOST_RANGES:
        raise _NoWayError
    return f"[{'^' if others else ''}{''.join(map(_range, shown))}]"


def _range(pair: tuple[int, int]) -> str:
    first, last = (_letter(each, _IN_A_SET) for each in pair)
    if first == last:
        return first
    return f"{first}{last}" if pair[1] == pair[0] + 1 else f"{first}-{last}"


def _letter(code_point: int, special: frozenset[str]) -> str:
    if code_point > _NARROW:
        raise _NoWayError
    if code_point < ord(" ") or code_point == _DELETE:
        return f"\\x{code_point:02x}"
    letter = chr(code_point)
    return f"\\{letter}" if letter in special else letter
