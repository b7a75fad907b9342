"""One entity of a client: what is held of it, and its calls without its name.

Knows the client's calls, what is shown, and who else has it open: with the last one, reading
it ends. Decides nothing else.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar
from weakref import WeakSet

from rhtmx.api import pending_call
from rhtmx.api.pending_call import Writing
from rhtmx.core.events import Reset
from rhtmx.core.granularity import Granularity
from rhtmx.core.local_state import EntityView
from rhtmx.core.overlay import Record
from rhtmx.core.where import Where, WhereValues, where_of
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Position
from rhtmx.runtime.client_runtime import ClientRuntime
from rhtmx.runtime.subscription import Subscription
from rhtmx.values.changes import Change, FieldChange
from rhtmx.values.json_value import Data, Json
from rhtmx.values.results import FieldPushResult, PushResult, SyncResult

if TYPE_CHECKING:
    from rhtmx.api.client import Client

__all__ = ["Collection", "OpenCollections"]


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


T = TypeVar("T")


class Collection(Generic[Data]):
    """One entity of a client, or a part of it.

    What is read here is held here: entering it, or the first `get`, `all`, `where`,
    `subscribe` or `synced`, begins to read the entity, and keeps it up to date from
    then on, until `close` or the end of the client. Own writes show at once, before the
    server has them.

    `Collection[Task]` is one whose records have the data `Task`. That is for type
    checkers: nothing looks at the data for it.

    Example:
        >>> async with client.collection("tasks") as tasks:
        ...     result = await tasks.set("1", {"title": "Write it down"})
        ...     tasks.get("1").data
        {'title': 'Write it down'}
    """

    def __init__(
        self,
        client: Client,
        runtime: ClientRuntime,
        others: OpenCollections,
        entity: str,
        granularity: Granularity = Granularity.RECORDS,
        where: WhereValues | None = None,
    ) -> None:
        self.client = client
        self.entity = entity
        self._runtime = runtime
        self._others = others
        self._granularity = granularity
        self._values = where
        self._part = where_of(where, entity)
        self._closed = False
        self._reads = False
        self._made: WeakSet[Subscription[Any]] = WeakSet()

    async def __aenter__(self) -> Self:
        """Begin to read the entity; wait for nothing.

        Raises:
            RhtmxError: `NOT_SUPPORTED`, it is being read at another granularity, or this
                was closed.
            ConnectionClosed: the client was not entered.
        """
        self._open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Read the entity no longer. What iterates over it ends, and `synced` raises.

        Others who have the entity open, as objects that somebody still holds, are not
        concerned; with the last of them the server is told, and what was held is let go:
        with a store it stays in the file, and whoever opens the entity again goes on from
        there. Writes are not concerned either. To close twice is no error; to read after
        it is one: ask the client for a collection again.
        """
        if self._closed:
            return
        self._closed = True
        for each in list(self._made):
            each.end()
        if self._reads:
            self._others.close(self.entity, self._part, self)

    # What is held.

    def get(self, entity_id: str) -> Record[Data] | None:
        """A record as it is now; `None` if there is none, or it has not come yet.

        The same object as long as nothing about the record changes.

        Args:
            entity_id: the record.

        Raises:
            RhtmxError: `NOT_SUPPORTED`, it is being read at another granularity, or this
                was closed.
            ConnectionClosed: the client was not entered.
        """
        return self._open().overlay.get(entity_id)

    def all(self) -> tuple[Record[Data], ...]:
        """All records as they are now, by id; the same tuple as long as nothing changes.

        Raises:
            RhtmxError: `NOT_SUPPORTED`, it is being read at another granularity, or this
                was closed.
            ConnectionClosed: the client was not entered.

        Example:
            >>> await tasks.synced()
            >>> [(row.id, row.data, row.pending) for row in tasks.all()]
            [('1', {'title': 'Write it down', 'done': False}, False)]
        """
        return self._open().overlay.snapshot()

    def where(self, predicate: Callable[[Record[Data]], bool]) -> tuple[Record[Data], ...]:
        """The records that a condition holds for; see `all`.

        Args:
            predicate: says of a record whether it does.

        Example:
            >>> await tasks.synced()
            >>> [row.id for row in tasks.where(lambda row: not row.data["done"])]
            ['1']
        """
        return tuple(record for record in self.all() if predicate(record))

    async def synced(self) -> None:
        """Wait until everything that the server has is here, once.

        Raises:
            RhtmxError: the server does not let it be read, such as
                `TOO_MANY_SUBSCRIPTIONS`; or this was closed.
            ConnectionClosed: there is no connection, and there will be none.
        """
        replica = self._open().replica
        signal = self._runtime.router.signal(self.entity)
        while not replica.caught_up:
            if replica.error is not None:
                raise replica.error.with_traceback(None)
            await signal.wait()
            self._check_open()

    async def subscribe(
        self, predicate: Callable[[Record[Data]], bool] | None = None
    ) -> AsyncGenerator[tuple[Record[Data], ...], None]:
        """All records now, and each time that something has changed; a slow reader skips.

        It ends when this is closed.

        Args:
            predicate: only the records that this condition holds for. Nothing is
                yielded for changes of others.

        Raises:
            RhtmxError: the server does not let it be read.
            ConnectionClosed: there is no connection, and there will be none.

        Example:
            >>> await tasks.synced()
            >>> async for rows in tasks.subscribe(lambda row: not row.data["done"]):
            ...     print(len(rows), "to do")
            1 to do
        """
        view = self._open()
        signal = self._runtime.router.signal(self.entity)
        seen: tuple[Record[Data], ...] | None = None
        while not self._closed:
            rows: tuple[Record[Data], ...] = view.overlay.snapshot()
            if predicate is not None:
                rows = tuple(record for record in rows if predicate(record))
            if seen is None or (rows is not seen and not _alike(rows, seen)):
                seen = rows
                yield rows
                continue
            if view.replica.error is not None:
                raise view.replica.error.with_traceback(None)
            await signal.wait()

    # Writing.

    def set(
        self, entity_id: str, data: Data, *, base_version: int | None = None
    ) -> Writing[PushResult]:
        """Write a whole record. It shows at once; await it until it is durable.

        See `Client.push`, and `Writing` for how to go on without waiting.

        Args:
            entity_id: the record.
            data: the whole of it.
            base_version: the version of the record that the author has seen (0: none).
                Without it, the write takes the place of what is there.

        Raises:
            RhtmxError: `CONFLICT`, the record has moved on since `base_version`;
                or another refusal.
            ConnectionClosed: there is no connection, and there will be none.

        Example:
            >>> result = await tasks.set("2", {"title": "Read it", "done": False})
            >>> result.version
            2
        """
        return pending_call.push(self._runtime, self.entity, entity_id, data, base_version)

    def delete(self, entity_id: str, *, base_version: int | None = None) -> Writing[PushResult]:
        """Delete a record; see `set` and `Client.delete`.

        Example:
            >>> result = await tasks.delete("1")
            >>> tasks.get("1") is None
            True
        """
        return pending_call.delete(self._runtime, self.entity, entity_id, base_version)

    def patch(
        self,
        entity_id: str,
        fields: Mapping[str, Json],
        *,
        delete: Iterable[str] = (),
        base_version: int | None = None,
    ) -> Writing[FieldPushResult]:
        """Write some fields of a record, and leave the others; see `set`.

        Args:
            entity_id: the record; it is created if need be.
            fields: new values by top-level key, or operations, such as `Increment(1)`.
            delete: keys to remove.
            base_version: the version that the write is based on. If left out,
                what this collection has seen of the record, if it is read.

        Raises:
            RhtmxError: it was rejected.
            ConnectionClosed: there is no connection, and there will be none.

        Example:
            >>> await tasks.synced()
            >>> writing = tasks.patch("1", {"done": True})
            >>> tasks.get("1").data  # it shows already
            {'title': 'Write it down', 'done': True}
            >>> result = await writing
            >>> writing = tasks.patch("1", {"votes": rhtmx.Increment(1)})  # whatever they are
            >>> tasks.get("1").data["votes"]
            1
        """
        if base_version is None:
            base_version = self._runtime.session.local.base_version(self.entity, entity_id)
        return pending_call.push_fields(
            self._runtime,
            self.entity,
            entity_id,
            fields,
            delete=delete,
            base_version=base_version,
        )

    # The protocol's streams.

    def changes(
        self,
        *,
        since: Position | int | None = None,
        on_reset: Callable[[Reset], None] | None = None,
    ) -> Subscription[Change[Data | None]]:
        """The live stream of whole records; see `Client.changes`. A delete has no data."""
        return self._ending(
            self.client.changes(self.entity, since=since, on_reset=on_reset, where=self._values)
        )

    def field_changes(
        self,
        *,
        since: Position | int | None = None,
        on_reset: Callable[[Reset], None] | None = None,
    ) -> Subscription[FieldChange]:
        """The live stream of field changes; see `Client.field_changes`."""
        return self._ending(
            self.client.field_changes(
                self.entity, since=since, on_reset=on_reset, where=self._values
            )
        )

    async def sync(self, since: Position | int = 0) -> SyncResult[Change[Data | None]]:
        """Everything that changed after a position; see `Client.sync`.

        A read that ends, past what is held here. To wait until what is held is
        up to date, use `synced`.
        """
        return await self.client.sync(self.entity, since, where=self._values)

    def _open(self) -> EntityView:
        self._check_open()
        self._reads = True
        return self._others.open(self.entity, self._granularity, self._part, self)

    def _ending(self, made: Subscription[T]) -> Subscription[T]:
        """A stream that ends when this is closed."""
        self._check_open()
        self._made.add(made)
        return made

    def _check_open(self) -> None:
        if self._closed:
            raise RhtmxError(
                ErrorCode.NOT_SUPPORTED,
                f"this collection of '{self.entity}' was closed: "
                f"client.collection('{self.entity}') opens another one",
            )


def _alike(rows: tuple[Record[Data], ...], others: tuple[Record[Data], ...]) -> bool:
    """Whether two selections hold the same objects."""
    return len(rows) == len(others) and all(a is b for a, b in zip(rows, others, strict=True))
