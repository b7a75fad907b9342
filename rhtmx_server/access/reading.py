"""What the reading side of the server asks about rights.

Knows the question and who answers it where nobody restricts anything. Must not know
rules, stores, doors or the loop.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.grant import Grant
from rhtmx_server.model import NOWHERE, Scope

__all__ = ["Everything", "ReadAccess", "finished", "visible"]

T = TypeVar("T")


class ReadAccess(Protocol):
    """Which parts of an entity somebody may read."""

    def waits(self, entity: str) -> bool:
        """Whether `readable` of this entity may have to wait, so that it needs a task."""

    async def readable(self, entity: str, who: Grant | None, where: bytes | None) -> Scope:
        """The parts of an entity that somebody reads who asks for some of them.

        Args:
            entity: the collection.
            who: the reader; `None` for the program itself.
            where: the part that is wanted, as it came over the wire; `None` for all
                that may be read.

        Returns:
            The parts; none if there is nothing that may be read, `None` for the whole.

        Raises:
            RhtmxError: `FORBIDDEN`, no record of the entity can be read; `NOT_SUPPORTED`,
                the entity is not divided in this way; `BAD_MESSAGE`, `where` makes no
                sense.
        """

    def declared(self, entity: str) -> str:
        """How an entity is divided, spelt always the same; empty for not at all."""

    def parts_of(self, entity: str, data: bytes | None) -> frozenset[str]:
        """The parts that a record is in, by its data."""


class Everything:
    """Everybody may read everything, and no entity is divided."""

    def waits(self, entity: str) -> bool:
        """Whether `readable` of this entity may have to wait: never."""
        return False

    async def readable(self, entity: str, who: Grant | None, where: bytes | None) -> Scope:
        """The whole entity.

        Raises:
            RhtmxError: `NOT_SUPPORTED`, only a part of it is wanted.
        """
        if where is not None:
            raise RhtmxError(
                ErrorCode.NOT_SUPPORTED,
                f"where: '{entity[:40]}' is not divided: declare by which fields it is, with "
                "app.entity(…, partition=[…]), or leave where out",
            )
        return None

    def declared(self, entity: str) -> str:
        """How an entity is divided: not at all."""
        return ""

    def parts_of(self, entity: str, data: bytes | None) -> frozenset[str]:
        """The parts that a record is in: none."""
        return NOWHERE


def visible(access: ReadAccess, entity: str, scope: Scope, data: bytes | None) -> bool:
    """Whether a record with this data is in a scope."""
    return scope is None or not scope.isdisjoint(access.parts_of(entity, data))


def finished(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that waits for nothing, without a task.

    Raises:
        RuntimeError: it waits.

    Example:
        >>> finished(Everything().readable("tasks", None, None)) is None
        True
    """
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    coroutine.close()
    raise RuntimeError("a rule that was said to answer at once has to wait")
