"""The text of a pattern, read from left to right.

Knows characters and where they stand. Must not know what they mean.
"""

from __future__ import annotations

from rhtmx.patterns.problems import Effort, NotRegularError, PatternError

__all__ = ["Scanner"]


class Scanner:
    """Reads a pattern.

    Args:
        text: the pattern.
        effort: counts what it costs.

    Attributes:
        at: how many characters are read.
        effort: as given.
    """

    def __init__(self, text: str, effort: Effort) -> None:
        self._text = text
        self.at = 0
        self.effort = effort

    def done(self) -> bool:
        """Whether nothing is left."""
        return self.at >= len(self._text)

    def peek(self, ahead: int = 0) -> str:
        """A character that is not read yet; empty at the end."""
        at = self.at + ahead
        return self._text[at] if at < len(self._text) else ""

    def take(self) -> str:
        """Read one character; empty at the end."""
        character = self.peek()
        self.at += len(character)
        return character

    def accept(self, words: str) -> bool:
        """Read these characters, if they are what comes next."""
        if not self._text.startswith(words, self.at):
            return False
        self.at += len(words)
        return True

    def find(self, words: str) -> str | None:
        """What lies before these words, without reading it; `None` if they do not come."""
        end = self._text.find(words, self.at)
        return None if end < 0 else self._text[self.at : end]

    def rest(self) -> str:
        """All that is left, without reading it."""
        return self._text[self.at :]

    def digits(self) -> str:
        """Read ASCII digits, as many as there are."""
        start = self.at
        while self.peek() and self.peek() in "0123456789":
            self.at += 1
        return self._text[start : self.at]

    def cannot(self, what: str, at: int) -> NotRegularError:
        """Say what no pattern can, and where one tried to."""
        return NotRegularError(f"a pattern cannot {what}", at)

    def error(self, words: str, at: int | None = None) -> PatternError:
        """Say what is wrong here, or there."""
        return PatternError(words, self.at if at is None else at)
