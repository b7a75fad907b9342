"""What versions of a schema have called otherwise.

Knows the names. Must not know how an older write is read.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Rename", "Retired"]


@dataclass(frozen=True, slots=True, order=True)
class Rename:
    """A key that a version of the schema has renamed: older writes are up-cast by it.

    Attributes:
        version: the one that has the new key.
        entity: the name of the entity.
        old: the key in the version before.
        new: the key from then on.
    """

    version: int
    entity: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Retired:
    """What a version of the schema calls otherwise, and no code translates in older writes.

    Attributes:
        version: the one that has the new name.
        entity: the name of the entity.
        path: the keys that lead to it in a record; an empty one stands for each item of a list
            and each value of a map. None at all: it is the entity itself.
        word: the old word of an enum there; `None`: the last of the keys is the old name.
    """

    version: int
    entity: str
    path: tuple[str, ...] = ()
    word: str | None = None
