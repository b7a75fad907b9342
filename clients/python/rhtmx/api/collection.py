"""One entity of a client: what is held of it, and its calls without its name.

Knows the client's calls, and what is shown. Decides nothing.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from datetime import datetime
from types import TracebackType
from typing import Generic, Self

from rhtmx.api import pending_call
from rhtmx.api.entity_reader import EntityReader
from rhtmx.api.history import as_of, blame, history, undo
from rhtmx.api.open_collections import OpenCollections
from rhtmx.api.open_conflict import OpenConflict, logged_conflicts
from rhtmx.api.pending_call import Writing
from rhtmx.api.reading import field_stream, record_stream, sync_records
from rhtmx.core.conflict_log import log_of
from rhtmx.core.granularity import Granularity
from rhtmx.core.where import WhereValues
from rhtmx.messages import Position
from rhtmx.runtime.client_runtime import ClientRuntime
from rhtmx.runtime.subscription import Subscription
from rhtmx.values.changes import Change, FieldChange
from rhtmx.values.chunked_tuple import ChunkedTuple, choosing
from rhtmx.values.history import FieldAuthor, History, HistoryCommit
from rhtmx.values.json_value import Data, Json
from rhtmx.values.progress import Progress
from rhtmx.values.record import Record
from rhtmx.values.reset import Reset
from rhtmx.values.results import FieldPushResult, PushResult, SyncResult

__all__ = ["Collection"]


class Collection(Generic[Data]):
    """One entity of a client, or a part of it.

    What is read here is held here: entering it, or the first `get`, `all`, `where`,
    `subscribe` or `synced`, begins to read the entity, and keeps it up to date from
    then on, until `close` or the end of the client. Own writes show at once, before the
    server has them.

    `Collection[Task]` is one whose records have the data `Task`. That is for type
    checkers: nothing looks at the data for it.

    Attributes:
        schema_version: that of the application's schema under which it writes, if of any.

    Example:
        >>> async with client.collection("tasks") as tasks:
        ...     result = await tasks.set("1", {"title": "Write it down"})
        ...     tasks.get("1").data
        {'title': 'Write it down'}
    """

    def __init__(
        self,
        runtime: ClientRuntime,
        others: OpenCollections,
        entity: str,
        granularity: Granularity = Granularity.RECORDS,
        where: WhereValues | None = None,
    ) -> None:
        self.entity = entity
        self.schema_version: int | None = None
        self._runtime = runtime
        self._others = others
        self._where = where
        self._reader = EntityReader(runtime, others, entity, granularity, where)

    async def __aenter__(self) -> Self:
        """Begin to read the entity; wait for nothing.

        Raises:
            RhtmxError: `NOT_SUPPORTED`, it is being read at another granularity, or this
                was closed.
            ConnectionClosed: the client was not entered.
        """
        self._reader.view()
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
        self._reader.close()

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
        return self._reader.view().overlay.get(entity_id)

    def all(self) -> ChunkedTuple[Record[Data]]:
        """All records as they are now, by id; the same object as long as nothing changes.

        What comes after a change shares nearly all of it: that costs no copy.

        Raises:
            RhtmxError: `NOT_SUPPORTED`, it is being read at another granularity, or this
                was closed.
            ConnectionClosed: the client was not entered.

        Example:
            >>> await tasks.synced()
            >>> [(row.id, row.data, row.pending) for row in tasks.all()]
            [('1', {'title': 'Write it down', 'done': False}, False)]
        """
        return self._reader.view().overlay.snapshot()

    def where(self, predicate: Callable[[Record[Data]], bool]) -> tuple[Record[Data], ...]:
        """The records that a condition holds for; see `all`.

        Args:
            predicate: says of a record whether it does.

        Example:
            >>> await tasks.synced()
            >>> [row.id for row in tasks.where(lambda row: not row.data["done"])]
            ['1']
        """
        return tuple(filter(predicate, self.all()))

    @property
    def progress(self) -> Progress | None:
        """How far a long load is; `None`: none is under way, as far as the server has said.

        It moves on with what `subscribe` yields. While several parts are read, it is not known.
        """
        return self._reader.view().replica.cursor.progress

    async def synced(self) -> None:
        """Wait until everything that the server has is here, once.

        Raises:
            RhtmxError: the server does not let it be read, such as
                `TOO_MANY_SUBSCRIPTIONS`; or this was closed.
            ConnectionClosed: there is no connection, and there will be none.
        """
        replica = self._reader.view().replica
        while not replica.caught_up:
            if replica.error is not None:
                raise replica.error.with_traceback(None)
            await self._reader.changed()
            self._reader.check_open()

    async def subscribe(
        self, predicate: Callable[[Record[Data]], bool] | None = None
    ) -> AsyncGenerator[ChunkedTuple[Record[Data]], None]:
        """All records now, and each time that something has changed; a slow reader skips.

        It ends when this is closed.

        Args:
            predicate: only the records that this condition holds for. Nothing is yielded for
                changes of others. It must depend on the record alone: it is asked about those
                that have changed.

        Raises:
            RhtmxError: the server does not let it be read.
            ConnectionClosed: there is no connection, and there will be none.

        Example:
            >>> await tasks.synced()
            >>> async for rows in tasks.subscribe(lambda row: not row.data["done"]):
            ...     print(len(rows), "to do")
            1 to do
        """
        view = self._reader.view()
        chosen = None if predicate is None else choosing(predicate)
        seen: ChunkedTuple[Record[Data]] | None = None
        while not self._reader.closed:
            rows: ChunkedTuple[Record[Data]] = view.overlay.snapshot()
            if chosen is not None:
                rows = chosen.of(rows)
            if seen is None or (rows is not seen and not rows.holds_same(seen)):
                seen = rows
                yield rows
                continue
            if view.replica.error is not None:
                raise view.replica.error.with_traceback(None)
            await self._reader.changed()

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
        version = self.schema_version
        return pending_call.push(self._runtime, self.entity, entity_id, data, base_version, version)

    def delete(self, entity_id: str, *, base_version: int | None = None) -> Writing[PushResult]:
        """Delete a record; see `set` and `Client.delete`.

        Example:
            >>> result = await tasks.delete("1")
            >>> tasks.get("1") is None
            True
        """
        version = self.schema_version
        return pending_call.delete(self._runtime, self.entity, entity_id, base_version, version)

    def patch(
        self,
        entity_id: str,
        fields: Mapping[str, Json],
        *,
        delete: Iterable[str] = (),
        base_version: int | None = None,
        if_unchanged: bool = False,
    ) -> Writing[FieldPushResult]:
        """Write some fields of a record, and leave the others; see `set`.

        Args:
            entity_id: the record; it is created if need be.
            fields: new values by top-level key, or operations, such as `Increment(1)`.
            delete: keys to remove.
            base_version: the version that the write is based on. If left out,
                what this collection has seen of the record, if it is read.
            if_unchanged: write only if none of these fields was written after that
                (without a version: ever), by whomever; else it is rejected with `CONFLICT`.

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
            if_unchanged=if_unchanged,
            schema_version=self.schema_version,
        )

    # The protocol's streams.

    def changes(
        self,
        *,
        since: Position | int | None = None,
        on_reset: Callable[[Reset], None] | None = None,
    ) -> Subscription[Change[Data | None]]:
        """The live stream of whole records; see `Client.changes`. A delete has no data."""
        made = record_stream(self._runtime, self.entity, since, self._where, on_reset)
        return self._reader.ending(made)

    def field_changes(
        self,
        *,
        since: Position | int | None = None,
        on_reset: Callable[[Reset], None] | None = None,
    ) -> Subscription[FieldChange]:
        """The live stream of field changes; see `Client.field_changes`."""
        made = field_stream(self._runtime, self.entity, since, self._where, on_reset)
        return self._reader.ending(made)

    async def sync(self, since: Position | int = 0) -> SyncResult[Change[Data | None]]:
        """Everything that changed after a position; see `Client.sync`.

        A read that ends, past what is held here. To wait until what is held is
        up to date, use `synced`.
        """
        return await sync_records(self._runtime, self.entity, since, self._where, None)

    # What became of a record.

    async def history(
        self,
        entity_id: str,
        *,
        before: int | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> History[Data | None]:
        """The commits of a record that are still kept, the newest first.

        Args:
            entity_id: the record.
            before: only commits before this version, as `before` of an earlier answer has it.
            until: only commits up to this time.
            limit: at most so many, 1 to 1000; 100, if left out.

        Raises:
            RhtmxError: `NOT_FOUND`, nothing is kept of such a record, or it may not be read;
                or another refusal.
            ConnectionClosed: there is no connection, and there will be none.

        Example:
            >>> for each in await tasks.history("1"):
            ...     print(each.version, each.action, each.changed, each.data)
            1 create ('done', 'title') {'title': 'Write it down', 'done': False}
        """
        return await history(self._runtime, self.entity, entity_id, before, until, limit)

    async def as_of(self, entity_id: str, time: datetime) -> HistoryCommit[Data] | None:
        """A record as it was at a time: the last commit until then; `None` if it was not there.

        Args:
            entity_id: the record.
            time: when, by the server's clock.

        Raises:
            RhtmxError: `NOT_FOUND`, nothing is kept of the record, or not what it was then;
                or another refusal.
            ConnectionClosed: there is no connection, and there will be none.
        """
        return await as_of(self._runtime, self.entity, entity_id, time)

    async def blame(self, entity_id: str) -> dict[str, FieldAuthor]:
        """Who wrote which field of a record, and when; by field.

        Args:
            entity_id: the record.

        Raises:
            RhtmxError: `NOT_FOUND`, there is no such record; or another refusal.
            ConnectionClosed: there is no connection, and there will be none.

        Example:
            >>> result = await tasks.patch("1", {"done": True})
            >>> authors = await tasks.blame("1")
            >>> [(each.field, each.version) for each in authors.values()]
            [('done', 2), ('title', 1)]
            >>> authors["done"].client_id == client.client_id
            True
        """
        return await blame(self._runtime, self.entity, entity_id)

    async def undo(self, entity_id: str, version: int) -> PushResult | FieldPushResult:
        """Take back what a commit did to a record, if nothing came after it.

        The fields that it changed become what they were; others may have changed since. A
        commit that created the record, deleted it, or wrote one that is no object is taken
        back if the record has not changed at all since.

        Args:
            entity_id: the record.
            version: the commit.

        Returns:
            What came of the write.

        Raises:
            RhtmxError: `CONFLICT`, something came after it: nothing was written. `NOT_FOUND`,
                there is no such commit, or what was before is not kept any more. Or it was
                rejected otherwise.
            ConnectionClosed: there is no connection, and there will be none.

        Example:
            >>> result = await tasks.patch("1", {"title": "Write it up"})
            >>> result = await tasks.undo("1", result.version)
            >>> await tasks.synced()
            >>> tasks.get("1").data["title"]
            'Write it down'
        """
        return await undo(self._runtime, self.entity, entity_id, version)

    async def conflicts(self) -> AsyncGenerator[tuple[OpenConflict, ...], None]:
        """The open conflicts of this entity now, and each time that they have changed.

        They are those of everybody's writes that nobody has answered yet, the oldest first,
        for those who may read and update the record. They are held like records: they survive
        this client, and can be read and answered offline. What a client has not read before
        comes after a first list without it. It ends when this is closed.

        Raises:
            RhtmxError: the server does not let them be read.
            ConnectionClosed: there is no connection, and there will be none.

        Example:
            >>> async for conflicts in tasks.conflicts():
            ...     for conflict in conflicts:
            ...         lost, standing = conflict.lost, conflict.standing
            ...         print(f"{conflict.field}: {lost.value} lost against {standing.value}")
            title: Keep it lost against Tell everyone
        """
        name = log_of(self.entity)
        log: Collection[Json] = Collection(self._runtime, self._others, name, where=self._where)
        self._reader.ending_log(log._reader)
        try:
            logged = logged_conflicts(self._runtime, self.entity, log.subscribe())
            async with aclosing(logged) as changes:
                async for conflicts in changes:
                    yield conflicts
        finally:
            log.close()
