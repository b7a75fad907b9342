"""Who reads which entity of a client: with the last reader, reading it ends.

Knows readers, and what they read. Must not know what they do with it.
"""

from __future__ import annotations

from weakref import WeakSet

from rhtmx.core.granularity import Granularity
from rhtmx.core.local_state import EntityView
from rhtmx.core.where import Where
from rhtmx.runtime.client_runtime import ClientRuntime

__all__ = ["OpenCollections"]


class OpenCollections:
    """Who reads which entity of a client. A reader that nobody holds any more does not count.

    Args:
        runtime: the client's.
    """

    def __init__(self, runtime: ClientRuntime) -> None:
        self._runtime = runtime
        self._readers: dict[tuple[str, Where | None], WeakSet[object]] = {}

    def open(
        self, entity: str, granularity: Granularity, where: Where | None, reader: object
    ) -> EntityView:
        """Hold an entity, or a part of it, for this reader, too.

        Raises:
            RhtmxError: `NOT_SUPPORTED`, it is being read at the other granularity.
            ConnectionClosed: the client was not entered.
        """
        self._runtime.check_open()
        session = self._runtime.session
        view = session.local.get(entity, where)
        if view is None or view.replica.granularity is not granularity:
            view = session.open(entity, granularity, where)
            self._runtime.changed()
        self._readers.setdefault((entity, where), WeakSet()).add(reader)
        return view

    def close(self, entity: str, where: Where | None, reader: object) -> None:
        """A reader reads no longer; with the last one, the entity or its part is let go."""
        router, session = self._runtime.router, self._runtime.session
        readers = self._readers[entity, where]
        readers.discard(reader)
        view = session.local.get(entity, where)
        if readers or view is None:
            router.signal(entity).notify()
            return
        del self._readers[entity, where]
        session.shut(view)
        if session.local.parts(entity):
            router.signal(entity).notify()
        else:
            router.forget(entity)
        self._runtime.changed()
