"""One entity as the program of the server reads and writes it: `app.collection`.

Knows the calls of the client's collection, whose names mean the same here. Decides nothing: reads
go to the store by somebody's rights, and writes take the road of a socket's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Generic, TypeAlias

from rhtmx import messages, wire
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Position
from rhtmx.values.history import FieldAuthor, History
from rhtmx.values.json_value import Data
from rhtmx.values.reset import Reset
from rhtmx.values.results import FieldPushResult, PushResult
from rhtmx_server.connections.services import Services
from rhtmx_server.model import Granularity, Record
from rhtmx_server.program.author import Author
from rhtmx_server.program.change_stream import AppChanges, position_of
from rhtmx_server.program.condition import Condition, where_text
from rhtmx_server.program.life import AppLife
from rhtmx_server.program.record import StoredRecord
from rhtmx_server.program.record_reader import RecordReader
from rhtmx_server.trackers.changes import ChangeTracker
from rhtmx_server.trackers.fields import FieldTracker

__all__ = ["AppCollection", "EntityPart"]

EntityPart: TypeAlias = Mapping[str, object] | None
"""Fields with a value, or several in a list: the part of an entity that has them; `None`: all."""


class AppCollection(Generic[Data]):
    """One entity, or a part of it, for the program of the server. See `App.collection`.

    It reads what is stored, at the time of the call, and keeps nothing. Each write is durable when
    it returns. It may be made before the app runs, and used by any number of tasks.

    `AppCollection[Order]` is one whose records have the data `Order`. That is for type checkers:
    nothing looks at the data for it.

    Args:
        life: of the app.
        author: in whose name it reads and writes.
        entity: the collection.
        where: the part; `None` for all that may be read.

    Attributes:
        entity: the collection.

    Example:
        >>> orders = app.collection("orders")
        >>> result = await orders.set("2", {"goods": "rice", "count": 1})
        >>> [row.id for row in await orders.where({"goods": ["rice", "tea"]})]
        ['1', '2']
        >>> result = await orders.delete("2")
    """

    def __init__(
        self,
        life: AppLife,
        author: Author,
        entity: str,
        where: EntityPart = None,
    ) -> None:
        given: object = entity
        if not isinstance(given, str):
            raise TypeError(
                f"collection: the name of an entity expected, got {given!r:.40}; for a dataclass "
                "of the schema: app.of(…)"
            )
        self.entity = entity
        self._life = life
        self._author = author
        self._where = where_text(entity, where)
        self._reader = RecordReader(author, entity, self._where)

    # Reading.

    async def get(self, entity_id: str) -> StoredRecord[Data] | None:
        """A record as it is stored; `None` if there is none, or none that may be read.

        Args:
            entity_id: the record.

        Raises:
            RhtmxError: `FORBIDDEN`, nothing of the entity may be read; and what the store raises.

        Example:
            >>> (await app.collection("orders").get("1")).data["goods"]
            'tea'
        """
        record = await self._reader.one(self._id(entity_id))
        return None if record is None else StoredRecord.of(record)

    async def all(self) -> list[StoredRecord[Data]]:
        """All records that may be read, by id. Many of them take as much memory: see `where`.

        Raises:
            RhtmxError: as `get`; `FORBIDDEN`, too, if what may be read has changed meanwhile.
        """
        return await self._reader.all(StoredRecord.of)

    async def where(
        self, condition: Mapping[str, object] | Callable[[StoredRecord[Data]], bool]
    ) -> list[StoredRecord[Data]]:
        """The records that a condition holds for, by id.

        Args:
            condition: the values that fields have to have, `{"team": "red"}`, or one of several,
                `{"team": ["red", "blue"]}`; or a function that says of a record whether it is
                wanted. Where the entity is divided by some of these fields, only that part of it
                is read; else all of it is, page by page, and only what is wanted is kept.

        Raises:
            RhtmxError: as `all`; `BAD_MESSAGE`, no record can have such a value.

        Example:
            >>> rows = await app.collection("orders").where(lambda row: row.data["count"] > 1)
            >>> [row.id for row in rows]
            ['1']
        """
        if not isinstance(condition, Mapping):
            return await self._chosen(condition)
        found = Condition(self.entity, condition)

        def choose(record: Record) -> StoredRecord[Data] | None:
            return StoredRecord.of(record) if found.holds(record.data) else None

        def part(services: Services) -> bytes | None:
            return found.part(services.access.partitions(self.entity))

        return await self._reader.all(choose, part)

    async def _chosen(
        self, predicate: Callable[[StoredRecord[Data]], bool]
    ) -> list[StoredRecord[Data]]:
        if not callable(predicate):
            raise TypeError(
                f"where: fields and values, or a function, expected, got {predicate!r:.40}"
            )

        def choose(record: Record) -> StoredRecord[Data] | None:
            row: StoredRecord[Data] = StoredRecord.of(record)
            return row if predicate(row) else None

        return await self._reader.all(choose)

    def changes(
        self,
        *,
        since: Position | int | None = None,
        on_reset: Callable[[Reset], None] | None = None,
    ) -> AppChanges[Data]:
        """The changes of the records: those since a position, then each new one; see `AppChanges`.

        A record that leaves what may be read, or the part, comes as a `delete` with `left`.

        Args:
            since: where to start: 0 for everything, or the `position` of another stream; by
                default at the next change.
            on_reset: is called when all that was yielded is void and comes anew. If left out, the
                `Reset` is raised.

        Raises:
            RhtmxError: `BAD_MESSAGE`, that is no place to start.
        """
        return AppChanges(
            self._life,
            self._author,
            self.entity,
            self._where,
            since=position_of(since),
            on_reset=on_reset,
        )

    # Writing.

    async def set(
        self, entity_id: str, data: Data, *, base_version: int | None = None
    ) -> PushResult:
        """Write a whole record, and wait until it is durable.

        Args:
            entity_id: the record.
            data: the whole of it: any value that can be written as JSON.
            base_version: the version that must still be the record's (0: there must be none).
                Without it, the write takes the place of what is there.

        Raises:
            RhtmxError: `CONFLICT`, the record has moved on since `base_version`; `FORBIDDEN` or
                `INVALID`, it may not be written; or another refusal.

        Example:
            >>> orders = app.collection("orders")
            >>> row = await orders.get("1")
            >>> result = await orders.set("1", {**row.data, "count": 2}, base_version=row.version)
        """
        if hasattr(type(data), "__rhtmx__"):
            raise TypeError(
                f"set: {type(data).__name__} is a dataclass of the schema: write it with "
                f"app.of({type(data).__name__}).create(…) or edit(…)"
            )
        return await self._changes.push(
            self.entity, self._id(entity_id), data, base_version=base_version
        )

    async def delete(self, entity_id: str, *, base_version: int | None = None) -> PushResult:
        """Delete a record; see `set`. It is no error if there is none."""
        return await self._changes.delete(
            self.entity, self._id(entity_id), base_version=base_version
        )

    async def patch(
        self,
        entity_id: str,
        fields: Mapping[str, object],
        *,
        delete: Iterable[str] = (),
        base_version: int | None = None,
        if_unchanged: bool = False,
    ) -> FieldPushResult:
        """Write some fields of a record, and leave the others; see `set`.

        Args:
            entity_id: the record; it is created if need be.
            fields: new values by top-level key, or operations, such as `rhtmx.Increment(1)`.
            delete: keys to remove.
            base_version: the version that the write is based on.
            if_unchanged: write only if none of these fields was written after that (without a
                version: ever), by whomever; else it is rejected with `CONFLICT`.

        Raises:
            RhtmxError: it was rejected.

        Example:
            >>> from rhtmx import Increment
            >>> result = await app.collection("orders").patch("1", {"count": Increment(1)})
        """
        return await self._fields.push(
            self.entity,
            self._id(entity_id),
            fields,
            delete=delete,
            base_version=base_version,
            if_unchanged=if_unchanged,
        )

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
            entity_id: the record; it may be deleted.
            before: only commits before this version, as `before` of an earlier answer has it.
            until: only commits up to this time.
            limit: at most so many, 1 to 1000; 100, if left out.

        Raises:
            RhtmxError: `NOT_FOUND`, nothing is kept of such a record, or it may not be read.
        """
        asked = messages.History(self.entity, self._id(entity_id), before, until, limit)
        services = self._author.services(self.entity)
        with self._author.visiting(services) as visit:
            reading = await services.reading(self.entity, self._author.who, self._where)
            found = await services.past.commits(asked, reading.scope)
            if visit is not None:
                visit.check()
        return History[Data | None].of(found)

    async def blame(self, entity_id: str) -> dict[str, FieldAuthor]:
        """Who wrote which field of a record, and when; by field.

        Args:
            entity_id: the record.

        Raises:
            RhtmxError: `NOT_FOUND`, there is no such record, or it may not be read.
        """
        asked = messages.Blame(self.entity, self._id(entity_id))
        services = self._author.services(self.entity)
        services.known(self.entity, Granularity.FIELDS)
        with self._author.visiting(services) as visit:
            reading = await services.reading(self.entity, self._author.who, self._where)
            found = await services.past.blame(asked, reading.scope)
            if visit is not None:
                visit.check()
        return {each.field: FieldAuthor.of(each) for each in found.fields}

    # Inside.

    @property
    def _changes(self) -> ChangeTracker:
        services = self._author.services(self.entity)
        return ChangeTracker(self._author.submit, services.store, wire.check_json, services.past)

    @property
    def _fields(self) -> FieldTracker:
        services, clock = self._author.services(self.entity), self._life.running.clock
        return FieldTracker(
            self._author.submit, services.store, wire.check_json, clock, services.past
        )

    def _id(self, entity_id: str) -> str:
        given: Any = entity_id
        if not isinstance(given, str):
            raise RhtmxError(
                ErrorCode.BAD_MESSAGE,
                f"'{self.entity[:40]}': the id of a record is a str, got {given!r:.40} "
                f"({type(given).__name__}): pass str(…)",
            )
        return entity_id
