"""What is wrong with a pattern, and how much effort one may take.

Knows words, places and counts. Must not know how a pattern is read or compiled.
"""

from __future__ import annotations

__all__ = ["MAX_EFFORT", "Effort", "NotRegularError", "PatternError"]

MAX_EFFORT = 3_000_000
"""Steps that compiling one pattern may take: up to three seconds of them."""


class PatternError(ValueError):
    """A pattern that cannot be compiled.

    Args:
        words: what is wrong, and what to write instead.
        offset: where, in characters from the beginning of the pattern.
    """

    def __init__(self, words: str, offset: int = 0) -> None:
        self.words = words
        self.offset = offset
        super().__init__(f"{words}, at character {offset + 1}")


class NotRegularError(PatternError):
    """What was meant cannot be said as a pattern, however it is written: only a program can."""


class Effort:
    """Counts what a pattern costs, so that none holds up a build or the start of a server.

    Args:
        most: how much is allowed.
    """

    def __init__(self, most: int = MAX_EFFORT) -> None:
        self._left = most

    def spend(self, steps: int) -> None:
        """Count some steps.

        Raises:
            PatternError: it was too much.
        """
        self._left -= steps
        if self._left < 0:
            raise PatternError("the pattern is too large: repeat less, or look at less at a time")
