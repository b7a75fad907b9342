"""What a backslash means in a pattern.

Knows escapes, of single characters and of sets of them. Must not know places, nor brackets.
"""

from __future__ import annotations

from rhtmx.patterns.folding import folded
from rhtmx.patterns.problems import PatternError
from rhtmx.patterns.properties import LETTERS, named
from rhtmx.patterns.ranges import LAST, Ranges, complement
from rhtmx.patterns.scanner import Scanner

__all__ = ["character", "in_case", "opposite", "several"]

_CONTROLS = {"a": 7, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_OCTAL = "01234567"
_HEXADECIMAL = "0123456789abcdefABCDEF"

_INSTEAD = {
    "C": "single bytes (\\C) do not exist here: a text is made of characters",
    "E": "\\E without \\Q",
    "G": "\\G is unknown",
    "K": "\\K is unknown",
    "N": "\\N is unknown: write [^\\n], or the code point as \\x{1F600}",
    "R": "\\R is unknown: write (?:\\r\\n|[\\n\\v\\f\\r])",
    "U": "\\U is unknown: write the code point as \\x{1F600}",
    "X": "\\X is unknown: a character is one code point here",
    "Z": "\\Z is unknown: write \\z for the end of the text",
    "h": "\\h is unknown: write [ \\t]",
    "u": "\\u is unknown: write the code point as \\x{1F600}",
}
"""What is said of an escape that others know."""


def in_case(given: Ranges, scanner: Scanner, flags: frozenset[str]) -> Ranges:
    """A set, in both cases where the flags say so."""
    return folded(given, scanner.effort) if "i" in flags else given


def opposite(given: Ranges, *, negative: bool) -> Ranges:
    """A set or, where it is negative, what is not in it."""
    return complement(given) if negative else given


def several(scanner: Scanner, flags: frozenset[str]) -> Ranges | None:
    r"""Read an escape that stands for a set, such as `\d` or `\p{L}`; `None` if none comes.

    The case is folded before the set is turned round, as RE2 does.

    Raises:
        PatternError: there is no such set.
    """
    letter = scanner.peek(1)
    if scanner.peek() != "\\" or letter.lower() not in ("d", "s", "w", "p"):
        return None
    if letter in "pP":
        return _property(scanner, flags)
    scanner.at += 2
    return opposite(in_case(LETTERS[letter.lower()], scanner, flags), negative=letter.isupper())


def _property(scanner: Scanner, flags: frozenset[str]) -> Ranges:
    start = scanner.at
    negative = scanner.accept("\\P") or not scanner.accept("\\p")
    if scanner.accept("{"):
        name = scanner.find("}")
        if name is None:
            raise scanner.error("} is missing after \\p{", start)
        scanner.at += len(name) + 1
    else:
        name = scanner.take()
    if name.startswith("^"):
        negative = not negative
        name = name[1:]
    if name == "C":
        raise scanner.error("\\p{C} differs between versions: write \\p{Cc}, \\p{Cf} …", start)
    found = named(name)
    if found is None:
        raise scanner.error(
            f"no category or script is called {name[:40]!r}: they are spelt as in "
            "\\p{Lu}, \\p{L}, \\p{Greek}",
            start,
        )
    return opposite(in_case(found, scanner, flags), negative=negative)


def character(scanner: Scanner) -> int:
    """Read an escape that stands for one character: its code point.

    Raises:
        PatternError: it stands for none.
    """
    start = scanner.at
    scanner.at += 1
    letter = scanner.take()
    if letter in _CONTROLS:
        return _CONTROLS[letter]
    if letter == "x":
        return _hexadecimal(scanner, start)
    if letter and letter in _OCTAL:
        return _octal(scanner, letter, start)
    if letter.isascii() and letter and not letter.isalnum():
        return ord(letter)
    raise _unknown(scanner, letter, start)


def _unknown(scanner: Scanner, letter: str, start: int) -> PatternError:
    if not letter:
        return scanner.error("a backslash at the end: write \\\\ for a backslash", start)
    if letter == "k":
        return scanner.cannot("ask for what a group has matched (\\k)", start)
    return scanner.error(_INSTEAD.get(letter, f"\\{letter} is unknown"), start)


def _octal(scanner: Scanner, digits: str, start: int) -> int:
    """Up to three digits; a single one that is not zero looks like a reference to a group."""
    while len(digits) < 3 and scanner.peek() and scanner.peek() in _OCTAL:
        digits += scanner.take()
    if len(digits) == 1 and digits != "0":
        raise scanner.cannot(f"ask for what a group has matched (\\{digits})", start)
    return int(digits, 8)


def _hexadecimal(scanner: Scanner, start: int) -> int:
    if scanner.accept("{"):
        digits = scanner.find("}") or ""
        scanner.at += len(digits) + 1
        valid = len(digits) > 0
    else:
        digits = scanner.take() + scanner.take()
        valid = len(digits) == 2
    if not valid or any(digit not in _HEXADECIMAL for digit in digits):
        raise scanner.error("two hexadecimal digits expected after \\x, or some in \\x{…}", start)
    value = int(digits, 16)
    if value > LAST:
        raise scanner.error(f"no character has the code point {digits}", start)
    return value
