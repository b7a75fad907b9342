"""Values of enums: words of JSON, open for those that only a newer schema knows.

Knows what generated enums have in common. Must not know fields, nor how they stand in JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

__all__ = ["Word", "words"]


class Word(str):
    """A value of an enum, as its word in JSON. Generated enums are subclasses, with constants.

    Enums are open: a word, or a number, that only a newer schema knows is kept as it is, and
    written back as it is.

    Attributes:
        numbers: the number of each word that the schema has, in its order.

    Example:
        >>> class Priority(Word):
        ...     LOW: ClassVar["Priority"]
        ...     HIGH: ClassVar["Priority"]
        >>> words(Priority, LOW=("low", 1), HIGH=("high", 2))
        >>> Priority.HIGH, Priority.HIGH.number, Priority("urgent").is_known
        (Priority('high'), 2, False)
    """

    __slots__ = ()

    numbers: ClassVar[Mapping[str, int]] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    @classmethod
    def known(cls) -> tuple[Self, ...]:
        """The words that the schema has, in its order."""
        return tuple(map(cls, cls.numbers))

    @property
    def is_known(self) -> bool:
        """The schema has it."""
        return self in self.numbers

    @property
    def number(self) -> int | None:
        """Its number; `None`, if the schema does not have it."""
        return self.numbers.get(self)


def words(cls: type[Word], **constants: tuple[str, int]) -> None:
    """Give an enum its constants.

    Args:
        cls: the enum.
        constants: of each constant, its word and its number.
    """
    cls.numbers = dict(constants.values())
    for name, (word, _) in constants.items():
        setattr(cls, name, cls(word))
