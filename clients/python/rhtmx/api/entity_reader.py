"""What one collection reads: from its first question to its `close`.

Knows when reading begins and ends, and what ends with it. Must not know what is asked of what is
held.
"""

from __future__ import annotations

from typing import Any, TypeVar
from weakref import WeakSet

from rhtmx.api.open_collections import OpenCollections
from rhtmx.core.granularity import Granularity
from rhtmx.core.local_state import EntityView
from rhtmx.core.where import WhereValues, where_of
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.runtime.client_runtime import ClientRuntime
from rhtmx.runtime.subscription import Subscription

__all__ = ["EntityReader"]

T = TypeVar("T")


class EntityReader:
    """One reader of an entity, or of a part of it. It reads nothing before `view`.

    Args:
        runtime: the client's.
        others: who else reads which entity of the client.
        entity: the collection.
        granularity: how it is read.
        where: the part, as the caller said it.

    Attributes:
        closed: whether it was closed.

    Raises:
        RhtmxError: `BAD_MESSAGE`, there can be no such part.
    """

    def __init__(
        self,
        runtime: ClientRuntime,
        others: OpenCollections,
        entity: str,
        granularity: Granularity,
        where: WhereValues | None,
    ) -> None:
        self.closed = False
        self._runtime = runtime
        self._others = others
        self._entity = entity
        self._granularity = granularity
        self._part = where_of(where, entity)
        self._reads = False
        self._made: WeakSet[Subscription[Any]] = WeakSet()
        self._logs: WeakSet[EntityReader] = WeakSet()

    def view(self) -> EntityView:
        """What is held; reading begins with the first call.

        Raises:
            RhtmxError: `NOT_SUPPORTED`, it is being read at another granularity, or this
                was closed.
            ConnectionClosed: the client was not entered.
        """
        self.check_open()
        self._reads = True
        return self._others.open(self._entity, self._granularity, self._part, self)

    async def changed(self) -> None:
        """Wait until something of it may have changed."""
        await self._runtime.router.signal(self._entity).wait()

    def ending(self, made: Subscription[T]) -> Subscription[T]:
        """A stream that ends when this is closed."""
        self.check_open()
        self._made.add(made)
        return made

    def ending_log(self, log: EntityReader) -> None:
        """Close the reader of a conflict log when this is closed."""
        self.check_open()
        self._logs.add(log)

    def close(self) -> None:
        """Read no longer. To close twice is no error."""
        if self.closed:
            return
        self.closed = True
        for each in list(self._made):
            each.end()
        for log in list(self._logs):
            log.close()
        if self._reads:
            self._others.close(self._entity, self._part, self)

    def check_open(self) -> None:
        """Refuse to read what was closed.

        Raises:
            RhtmxError: `NOT_SUPPORTED`, this was closed.
        """
        if self.closed:
            raise RhtmxError(
                ErrorCode.NOT_SUPPORTED,
                f"this collection of '{self._entity}' was closed: "
                f"client.collection('{self._entity}') opens another one",
            )
