"""Sets of characters in brackets.

Knows what may stand between `[` and `]`. Must not know what may stand outside.
"""

from __future__ import annotations

from rhtmx.patterns.escapes import character, in_case, opposite, several
from rhtmx.patterns.properties import POSIX
from rhtmx.patterns.ranges import Ranges, ranges
from rhtmx.patterns.scanner import Scanner

__all__ = ["brackets"]


def brackets(scanner: Scanner, flags: frozenset[str]) -> Ranges:
    """Read a set, whose `[` is read already.

    Raises:
        PatternError: it has no end, or holds what no set can.
    """
    start = scanner.at - 1
    negative = scanner.accept("^")
    plain: list[tuple[int, int]] = []  # folded all at once
    sets: list[tuple[int, int]] = []
    first = True
    while first or scanner.peek() != "]":
        if scanner.done():
            raise scanner.error("] is missing", start)
        first = False
        scanner.effort.spend(1)
        found = _named(scanner, flags)
        if found is None:
            found = several(scanner, flags)
        if found is None:
            plain.append(_range(scanner, start))
        else:
            scanner.effort.spend(len(found))
            sets.extend(found)
    scanner.at += 1
    both = ranges([*in_case(ranges(plain), scanner, flags), *sets])
    return opposite(both, negative=negative)


def _named(scanner: Scanner, flags: frozenset[str]) -> Ranges | None:
    """Read `[:alpha:]`, or `[:^alpha:]` for the opposite; `None` if none comes."""
    start = scanner.at
    if scanner.peek() != "[" or scanner.peek(1) != ":":
        return None
    scanner.at += 2
    name = scanner.find(":]")
    if name is None:
        scanner.at = start
        return None
    scanner.at += len(name) + 2
    negative = name.startswith("^")
    if name.removeprefix("^") not in POSIX:
        there = ", ".join(POSIX)
        raise scanner.error(f"no set is called [:{name[:40]}:]: there are {there}", start)
    found = in_case(POSIX[name.removeprefix("^")], scanner, flags)
    return opposite(found, negative=negative)


def _range(scanner: Scanner, opening: int) -> tuple[int, int]:
    start = scanner.at
    first = last = _one(scanner, opening)
    if scanner.peek() == "-" and scanner.peek(1) not in ("", "]"):
        scanner.at += 1
        last = _one(scanner, opening)
    if last < first:
        raise scanner.error("the range ends before it begins", start)
    return (first, last)


def _one(scanner: Scanner, opening: int) -> int:
    if scanner.done():
        raise scanner.error("] is missing", opening)
    if scanner.peek() != "\\":
        return ord(scanner.take())
    if scanner.peek(1) == "b":
        raise scanner.error("\\b in brackets is no character: write \\x08 for a backspace")
    return character(scanner)
