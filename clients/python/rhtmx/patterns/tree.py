"""A pattern as a tree: characters, places, and how they are put together.

Knows what a pattern may consist of, and how large it is. Must not know how it is written.

Groups and laziness leave no trace: neither changes what matches.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from rhtmx.patterns.ranges import Ranges

__all__ = ["Characters", "Choice", "Node", "Place", "PlaceKind", "Repeat", "Sequence", "Size"]


class PlaceKind(Enum):
    """Where a place between two characters has to be."""

    TEXT_START = "text start"
    TEXT_END = "text end"
    LINE_START = "line start"
    LINE_END = "line end"
    WORD_EDGE = "word edge"
    NO_WORD_EDGE = "no word edge"


@dataclass(frozen=True, slots=True)
class Size:
    """How large a part of a pattern is.

    Attributes:
        steps: of the automaton that it becomes, about.
        height: how deep it is nested.
        repeats: the highest product of counts of repeats in one another.
    """

    steps: int = 1
    height: int = 1
    repeats: int = 1


@dataclass(frozen=True, slots=True)
class Characters:
    """One character of a set."""

    ranges: Ranges
    size: Size = Size()


@dataclass(frozen=True, slots=True)
class Place:
    """No character, but a place."""

    kind: PlaceKind
    size: Size = Size()


@dataclass(slots=True)
class Sequence:
    """One part after the other."""

    items: tuple[Node, ...]
    size: Size = field(init=False)

    def __post_init__(self) -> None:
        self.size = _together(self.items)


@dataclass(slots=True)
class Choice:
    """One of several."""

    items: tuple[Node, ...]
    size: Size = field(init=False)

    def __post_init__(self) -> None:
        self.size = _together(self.items)


@dataclass(slots=True)
class Repeat:
    """The same several times.

    Attributes:
        item: what is repeated.
        least: how often at least.
        most: how often at most; `None`: any number.
        counted: it was written with braces, whose product is limited.
    """

    item: Node
    least: int
    most: int | None
    counted: bool = False
    size: Size = field(init=False)

    def __post_init__(self) -> None:
        inner = self.item.size
        times = max(1, self.least) if self.most is None else self.most
        steps = times * (inner.steps + 1) + 1
        repeats = inner.repeats
        if self.counted:
            repeats = times * repeats if times else 1
        self.size = Size(steps, inner.height + 1, repeats)


Node: TypeAlias = Characters | Place | Sequence | Choice | Repeat
"""Any part of a pattern."""


def _together(items: tuple[Node, ...]) -> Size:
    return Size(
        1 + sum(each.size.steps for each in items),
        1 + max((each.size.height for each in items), default=0),
        max((each.size.repeats for each in items), default=1),
    )
