r"""Text that others wrote, made fit for a terminal.

Knows which characters are not to be trusted, and how wide the others are. Must
not know what the text is about.
"""

from __future__ import annotations

import json
import unicodedata

from rhtmx.values.json_value import Json

__all__ = ["cut", "escape", "json_text", "pad", "width"]

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def escape(text: str) -> str:
    r"""Make visible what a terminal would obey, or a reader would not see.

    Control characters, marks that turn the direction of text, odd spaces. Inside
    a JSON text the result is the same JSON.

    Example:
        >>> escape("a\x1b[2Jb")
        'a\\u001b[2Jb'
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else _visible(each) for each in text)


def _visible(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))


def json_text(value: Json) -> str:
    """A JSON value on one line, readable, and safe on a terminal."""
    return escape(json.dumps(value, ensure_ascii=False))


def width(text: str) -> int:
    """Columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(map(_width_of, text))


def _width_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def pad(text: str, columns: int) -> str:
    """Fill up with spaces on the right."""
    return text + " " * (columns - width(text))


def cut(text: str, columns: int) -> str:
    """Shorten to a number of columns; an ellipsis says that something is missing.

    Example:
        >>> cut("Write it down", 6)
        'Write…'
    """
    if width(text) <= columns:
        return text
    kept, used = [], 1  # the ellipsis
    for each in text:
        used += _width_of(each)
        if used > columns:
            break
        kept.append(each)
    return "".join(kept) + "…"
