"""What is said of something that a newer server says.

Knows the words of a note, and what is taken for an action that is not known. Must not
know any format.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeAlias

from betterproto2 import Enum

__all__ = ["LEFT_OUT", "Kept", "Note", "field", "guessed", "message", "word"]

Note: TypeAlias = Callable[[str, str], None]
"""Is told of what is not known: its place, and what it is."""

Kept: TypeAlias = tuple[tuple[str | int, ...], Enum]
"""A word that is not known: its path in the message, and the value that stands for it."""

LEFT_OUT = "left out"
"""Of a time that must be there."""

_MAX_ECHO = 40


def field(name: str | int) -> str:
    """A field that is not known: its name, or its number."""
    return f"field {_quoted(name)}"


def message(name: str | int) -> str:
    """A message that is not known: its `type`, or its number in the envelope."""
    return f"message {_quoted(name)}"


def word(spelling: str) -> str:
    """A word of an enum that is not known."""
    return f"the word {_quoted(spelling)}"


def guessed(*, has_value: bool) -> str:
    """The action that one which is not known is taken for."""
    return "update" if has_value else "delete"


def _quoted(name: str | int) -> str:
    """A text in quotes, safe to print: no more than forty characters of it."""
    return json.dumps(name[:_MAX_ECHO]) if isinstance(name, str) else str(name)
