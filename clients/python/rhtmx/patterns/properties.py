r"""The sets of characters that have a name: `\d`, `[:alpha:]`, `\p{Greek}`.

Knows names and what they stand for. Must not know where a pattern may have them.
"""

from __future__ import annotations

from functools import cache
from itertools import chain

from rhtmx.patterns.compact import numbers
from rhtmx.patterns.ranges import EVERY, Ranges, ranges
from rhtmx.patterns.unicode_data import CATEGORIES, CATEGORY_RUNS, SCRIPT_RUNS, SCRIPTS

__all__ = ["LETTERS", "NEWLINE", "POSIX", "WORD", "named"]

NEWLINE: Ranges = ((10, 10),)
_DIGIT: Ranges = ((48, 57),)
WORD: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
"""What is a part of a word: ASCII only."""

LETTERS: dict[str, Ranges] = {"d": _DIGIT, "s": ((9, 10), (12, 13), (32, 32)), "w": WORD}
"""What follows a backslash; a capital is the opposite."""

POSIX: dict[str, Ranges] = {
    "alnum": ((48, 57), (65, 90), (97, 122)),
    "alpha": ((65, 90), (97, 122)),
    "ascii": ((0, 127),),
    "blank": ((9, 9), (32, 32)),
    "cntrl": ((0, 31), (127, 127)),
    "digit": _DIGIT,
    "graph": ((33, 126),),
    "lower": ((97, 122),),
    "print": ((32, 126),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ((9, 13), (32, 32)),
    "upper": ((65, 90),),
    "word": WORD,
    "xdigit": ((48, 57), (65, 70), (97, 102)),
}
"""What may stand between `[:` and `:]`."""


@cache
def named(name: str) -> Ranges | None:
    """The characters of a general category or of a script, or `None` where there is no such.

    Args:
        name: such as `Lu`, `L`, `Greek`, or `Any`, in just this spelling.

    Example:
        >>> named("Zl")
        ((8232, 8232),)
    """
    if name == "Any":
        return EVERY
    if name in SCRIPTS.split(" "):
        return ranges(_pieces(SCRIPTS, SCRIPT_RUNS)[name])
    pieces = _pieces(CATEGORIES, CATEGORY_RUNS)
    found = [pieces[each] for each in pieces if name in (each, each[0])]
    return ranges(chain.from_iterable(found)) if found else None


@cache
def _pieces(names: str, runs: str) -> dict[str, list[tuple[int, int]]]:
    order = names.split(" ")
    pieces: dict[str, list[tuple[int, int]]] = {name: [] for name in order}
    given = numbers(runs)
    start = 0
    for length, number in zip(given[::2], given[1::2], strict=True):
        if number:
            pieces[order[number - 1]].append((start, start + length))
        start += length + 1
    return pieces
