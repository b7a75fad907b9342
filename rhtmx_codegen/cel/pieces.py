"""Pieces of emitted code, and when they need parentheses.

Knows how tightly operators of Python and TypeScript bind. Must not know CEL.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import IntEnum

__all__ = ["Level", "Piece", "python_text", "typescript_text"]


class Level(IntEnum):
    """How tightly the outermost operator of a piece binds, the loosest first."""

    CHOICE = 0
    OR = 1
    AND = 2
    NOT = 3
    COMPARE = 4
    SUM = 5
    TERM = 6
    UNARY = 7
    ATOM = 8


@dataclass(frozen=True, slots=True)
class Piece:
    """Emitted code.

    Attributes:
        text: the code.
        level: of its outermost operator.
    """

    text: str
    level: Level

    def __format__(self, least: str) -> str:
        """Return the code, in parentheses if it binds looser than `least`, the name of a level.

        Args:
            least: such as `sum`; empty where anything may stand, as between parentheses.

        Example:
            >>> f"{Piece('a + b', Level.SUM):term} * 2"
            '(a + b) * 2'
        """
        if not least or self.level >= Level[least.upper()]:
            return self.text
        return f"({self.text})"


def python_text(value: str) -> str:
    r"""Return a string of Python.

    Args:
        value: what it is worth. A string of JSON is no string of Python: `"\ud83d\ude42"`.
    """
    if value.isprintable() and '"' not in value and "\\" not in value:
        return f'"{value}"'
    return repr(value)


def typescript_text(value: str) -> str:
    """Return a string of TypeScript.

    Args:
        value: what it is worth.
    """
    return json.dumps(value, ensure_ascii=not value.isprintable())
