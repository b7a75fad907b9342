"""Who reads an entity of a client: with the last one, reading it ends.

Knows the session and who wants to be told. Must not know what is shown.
"""

from __future__ import annotations

from weakref import WeakSet

from rhtmx.core.granularity import Granularity
from rhtmx.core.local_state import EntityView
from rhtmx.runtime.client_runtime import ClientRuntime

__all__ = ["OpenCollections"]


class OpenCollections:
    """See the head of the file. A reader that nobody holds any more does not count.

    Args:
        runtime: the client's.
    """

    def __init__(self, runtime: ClientRuntime) -> None:
        self._runtime = runtime
        self._readers: dict[str, WeakSet[object]] = {}

    def open(self, entity: str, granularity: Granularity, reader: object) -> EntityView:
        """Hold an entity for this reader, too.

        Raises:
            RhtmxError: `NOT_SUPPORTED`, it is being read at the other granularity.
            ConnectionClosed: the client was not entered.
        """
        self._runtime.check_open()
        session = self._runtime.session
        view = session.local.get(entity)
        if view is None or view.replica.granularity is not granularity:
            view = session.open(entity, granularity)
            self._runtime.changed()
        self._readers.setdefault(entity, WeakSet()).add(reader)
        return view

    def close(self, entity: str, reader: object) -> None:
        """A reader reads no longer; with the last one, the entity is let go."""
        router, session = self._runtime.router, self._runtime.session
        self._readers[entity].discard(reader)
        view = session.local.get(entity)
        if self._readers[entity] or view is None:
            router.signal(entity).notify()
            return
        del self._readers[entity]
        session.shut(view)
        router.forget(entity)
        self._runtime.changed()
