"""How generated Python is laid out: as `ruff format` would, without it being there.

Knows lines, brackets and docstrings. Must not know what is generated.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["WIDTH", "Call", "Code", "docstring", "flat", "keyword", "lines_of", "quoted"]

WIDTH = 100
"""Columns of a line."""

_STEP = "    "


@dataclass(frozen=True, slots=True)
class Call:
    """What stands in brackets: the arguments of a call, the items of a tuple, a list or a dict.

    Attributes:
        opening: what is before them, with the bracket: `field(`.
        items: they.
        closing: what is behind them, with the bracket.
    """

    opening: str
    items: Sequence[Code]
    closing: str = ")"


Code: TypeAlias = str | Call
"""An expression: a text that stays on one line, or what may need several."""


def flat(code: Code) -> str:
    """An expression on one line."""
    if isinstance(code, str):
        return code
    comma = "," if code.opening.endswith("(") and _is_pair(code) else ""
    return f"{code.opening}{', '.join(map(flat, code.items))}{comma}{code.closing}"


def _is_pair(code: Call) -> bool:
    """Whether a comma makes it a tuple: there is one item, and no name before the bracket."""
    return len(code.items) == 1 and code.opening[:-1].rpartition("=")[2] == ""


def keyword(name: str, value: Code) -> Code:
    """A value with a name, as an argument."""
    if isinstance(value, str):
        return f"{name}={value}"
    return Call(f"{name}={value.opening}", value.items, value.closing)


def lines_of(code: Code, indent: str = "", suffix: str = "") -> list[str]:
    """An expression on as few lines as it needs.

    Args:
        code: it.
        indent: what is before each line.
        suffix: what is behind the last one.

    Example:
        >>> lines_of(Call("x = f(", ["1", "2"]))
        ['x = f(1, 2)']
    """
    one = f"{indent}{flat(code)}{suffix}"
    if isinstance(code, str) or len(one) <= WIDTH or not code.items:
        return [one]
    inner = indent + _STEP
    body = f"{inner}{', '.join(map(flat, code.items))}"
    opening, last = indent + code.opening.rstrip(), f"{indent}{code.closing.lstrip()}{suffix}"
    if len(body) <= WIDTH and not _is_pair(code):
        return [opening, body, last]
    lines = [line for item in code.items for line in lines_of(item, inner, ",")]
    return [opening, *lines, last]


def quoted(text: str) -> str:
    """A text as Python writes it, in double quotes.

    Example:
        >>> print(quoted('say "hi"'))
        'say "hi"'
    """
    if '"' in text and "'" not in text and text.isprintable() and "\\" not in text:
        return f"'{text}'"
    return _escaped(text)


def _escaped(text: str) -> str:
    pieces = (each if each.isprintable() else _escape(each) for each in text)
    plain = "".join(_BARE.get(each, each) for each in pieces)
    return f'"{plain}"'


_BARE = {'"': '\\"', "\\": "\\\\"}


def _escape(letter: str) -> str:
    return str(json.dumps(letter))[1:-1] if ord(letter) < _ASTRAL else f"\\U{ord(letter):08x}"


_ASTRAL = 0x10000


def docstring(
    text: str, attributes: Iterable[tuple[str, str]] = (), indent: str = _STEP
) -> list[str]:
    """The lines of a docstring.

    Args:
        text: what it says; its first paragraph is its first line, if there is room.
        attributes: names with what is said of them.
        indent: what is before each line.
    """
    paragraphs = [" ".join(each.split()) for each in text.split("\n\n") if each.strip()]
    width = WIDTH - len(indent)
    said = [line for each in paragraphs for line in [*textwrap.wrap(each, width - 6), ""]]
    named = [(name, " ".join(words.split())) for name, words in attributes if words.strip()]
    if named:
        said.append("Attributes:")
        for name, words in named:
            said += textwrap.wrap(
                f"{name}: {words}", width, initial_indent=_STEP, subsequent_indent=_STEP * 2
            )
    said = [_safe(each) for each in said]
    while said and not said[-1]:
        said.pop()
    if len(said) == 1:
        space = " " if said[0].endswith('"') else ""
        return [f'{indent}"""{said[0]}{space}"""']
    first, *rest = said
    return [
        f'{indent}"""{first}',
        *(f"{indent}{each}" if each else "" for each in rest),
        f'{indent}"""',
    ]


def _safe(line: str) -> str:
    return line.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
