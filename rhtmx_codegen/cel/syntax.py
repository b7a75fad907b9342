"""What a rule says, before it is known what its names mean.

Knows the shapes of expressions. Must not know types or fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "Binary",
    "Call",
    "Choice",
    "Index",
    "ListOf",
    "Literal",
    "MapOf",
    "Name",
    "Select",
    "Syntax",
    "Unary",
]


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant; `kind` is one of `bool`, `int`, `uint`, `double`, `string`, `bytes`, `null`."""

    kind: str
    value: bool | int | float | str | bytes | None
    offset: int


@dataclass(frozen=True, slots=True)
class Name:
    """A variable of a macro, a type, `now` or `this`."""

    name: str
    offset: int


@dataclass(frozen=True, slots=True)
class Select:
    """`of.name`."""

    of: Syntax
    name: str
    offset: int


@dataclass(frozen=True, slots=True)
class Index:
    """`of[key]`."""

    of: Syntax
    key: Syntax
    offset: int


@dataclass(frozen=True, slots=True)
class Call:
    """`name(arguments)`, or `target.name(arguments)`."""

    target: Syntax | None
    name: str
    arguments: tuple[Syntax, ...]
    offset: int


@dataclass(frozen=True, slots=True)
class Unary:
    """`!of` or `-of`."""

    sign: str
    of: Syntax
    offset: int


@dataclass(frozen=True, slots=True)
class Binary:
    """`left sign right`."""

    sign: str
    left: Syntax
    right: Syntax
    offset: int


@dataclass(frozen=True, slots=True)
class Choice:
    """`condition ? then : otherwise`."""

    condition: Syntax
    then: Syntax
    otherwise: Syntax
    offset: int


@dataclass(frozen=True, slots=True)
class ListOf:
    """`[a, b]`."""

    items: tuple[Syntax, ...]
    offset: int


@dataclass(frozen=True, slots=True)
class MapOf:
    """`{a: b}`."""

    entries: tuple[tuple[Syntax, Syntax], ...]
    offset: int


Syntax: TypeAlias = (
    Literal | Name | Select | Index | Call | Unary | Binary | Choice | ListOf | MapOf
)
