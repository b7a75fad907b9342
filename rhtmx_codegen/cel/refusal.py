"""The one way in which a rule is refused.

Knows words and a place in the rule's text. Must not know what was refused.
"""

from __future__ import annotations

__all__ = ["NotInSubset"]


class NotInSubset(Exception):  # noqa: N818 (it is not always an error: `server_only`)
    """A rule that does not compile: it is wrong, or it uses what the subset leaves out.

    Args:
        words: what, and what to do about it.
        offset: where it stands, in characters from the beginning of the rule.
    """

    def __init__(self, words: str, offset: int = 0) -> None:
        self.words = words
        self.offset = offset
        super().__init__(f"{words} (at character {offset + 1} of the rule)")
