"""Numbers as a short text of ASCII, which any language can read in a few lines.

Knows digits. Must not know what the numbers mean.

A number ends with one of the 34 characters from `]` to `~`; before it, where it is 34 or more, are
digits to the base of 57, `#` to `[`. No character needs an escape between double quotes.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["numbers", "text"]

_FIRST = 35  # "#"
_ENDS = 93  # "]", after the backslash
_BASE = 57
_LAST_BASE = 34


def text(values: Iterable[int]) -> str:
    """Write whole numbers from 0 on.

    Example:
        >>> text([0, 33, 34, 100_000])
        ']~$]VEc'
    """
    return "".join(map(_written, values))


def _written(value: int) -> str:
    value, last = divmod(value, _LAST_BASE)
    characters = [chr(_ENDS + last)]
    while value:
        value, digit = divmod(value, _BASE)
        characters.append(chr(_FIRST + digit))
    return "".join(reversed(characters))


def numbers(written: str) -> list[int]:
    """Read what `text` has written.

    Example:
        >>> numbers("]~$]")
        [0, 33, 34]
    """
    found = []
    value = 0
    for character in written.encode("ascii"):
        if character < _ENDS:
            value = value * _BASE + character - _FIRST
        else:
            found.append(value * _LAST_BASE + character - _ENDS)
            value = 0
    return found
