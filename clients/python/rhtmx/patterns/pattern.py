"""Compiles patterns.

Knows what becomes of a pattern, step by step, and how large a table may be. Must not know how any
of the steps is done.
"""

from __future__ import annotations

from dataclasses import dataclass

from rhtmx.patterns.automaton import automaton
from rhtmx.patterns.matching import matches
from rhtmx.patterns.numbering import table
from rhtmx.patterns.parser import parse
from rhtmx.patterns.problems import Effort, PatternError
from rhtmx.patterns.subsets import states
from rhtmx.patterns.table import write
from rhtmx.patterns.tree import Place, PlaceKind, Sequence

__all__ = ["MAX_ENTRIES", "MAX_STATES", "Pattern", "compile_pattern"]

MAX_STATES = 2_000
"""States that the table of a pattern may have."""

MAX_ENTRIES = 60_000
"""Entries that the table of a pattern may have: its states times its classes of characters."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that is compiled.

    Attributes:
        text: the pattern, as it was written.
        table: what it has become: a text of ASCII that needs no escapes between double quotes,
            which `matches` reads in Python and in TypeScript.
    """

    text: str
    table: str

    def matches(self, text: str) -> bool:
        """Whether the pattern matches somewhere in a text."""
        return matches(self.table, text)


def compile_pattern(text: str, *, whole: bool = False, flags: str = "") -> Pattern:
    r"""Compile a pattern in the syntax of RE2.

    It is looked for anywhere in a text, as `matches` of CEL does: `^` and `$` are the beginning and
    the end of the text, unless the flag `m` makes them those of a line.

    Args:
        text: the pattern.
        whole: the whole text has to match, as if the pattern stood between `^(?:` and `)$`.
        flags: those that hold from the beginning: `i` for either case, `s` for a `.` that takes
            the end of a line, too, and `m`.

    Raises:
        PatternError: it is none, or too large, with the reason and the place.

    Example:
        >>> word = compile_pattern(r"^[a-z]+$")
        >>> word.matches("kelvin"), word.matches("two words")
        (True, False)
        >>> compile_pattern(r"a(?=b)")
        Traceback (most recent call last):
        rhtmx.patterns.problems.NotRegularError: a pattern cannot look ahead, at character 2
    """
    effort = Effort()
    node = parse(text, flags, effort)
    if whole:
        node = Sequence((Place(PlaceKind.TEXT_START), node, Place(PlaceKind.TEXT_END)))
    small = table(states(automaton(node), effort), effort)
    count, entries = len(small.rows), len(small.rows) * len(small.rows[0])
    if count > MAX_STATES or entries > MAX_ENTRIES:
        raise PatternError(
            f"the pattern is too large: {count} states and a table of {entries} entries, "
            f"{MAX_STATES} and {MAX_ENTRIES} are allowed"
        )
    return Pattern(text, write(small))
