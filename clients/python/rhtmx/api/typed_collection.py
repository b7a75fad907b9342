"""One entity of a client, typed by the application's schema: records are its dataclasses.

Knows how records are read and written by their shape, and that nothing is queued that breaks
a rule. Everything else is the untyped collection's, `raw`.
"""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from types import TracebackType
from typing import Any, Generic, Literal, Self, TypeAlias, TypeVar

from rhtmx.api import pending_call
from rhtmx.api.collection import Collection
from rhtmx.api.open_conflict import OpenConflict
from rhtmx.api.pending_call import Writing
from rhtmx.core.edit_base import EditBase
from rhtmx.errors import ErrorCode, Invalid, RhtmxError
from rhtmx.runtime.client_runtime import ClientRuntime
from rhtmx.schema.convert import Unreadable, from_json, to_json
from rhtmx.schema.declared import Entity, entity_of
from rhtmx.schema.judge import judge
from rhtmx.schema.typed_edit import TypedEdit, changed_of, created, edit_of, part_of, said_of
from rhtmx.values.chunked_tuple import ChunkedTuple, ChunkMemo, choosing
from rhtmx.values.history import FieldAuthor, History, HistoryCommit
from rhtmx.values.json_value import Json
from rhtmx.values.progress import Progress
from rhtmx.values.record import Record
from rhtmx.values.results import FieldPushResult, PushResult
from rhtmx.values.uuid7 import uuid7

__all__ = ["Edited", "TypedCollection", "Written", "typed_collection"]

R = TypeVar("R")

Edited: TypeAlias = Writing[FieldPushResult]
"""What an edit returns."""

Written: TypeAlias = Writing[PushResult]
"""What a write of a whole record returns."""

_log = logging.getLogger("rhtmx")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_GONE = 1000
"""So many typed records are kept beside what there is: to forget each at once costs more."""


def typed_collection(
    collect: Callable[..., Collection[Json]],
    runtime: ClientRuntime,
    declared: type[R],
    *,
    granularity: Literal["records", "fields"] = "records",
    where: Mapping[str, Any] | None = None,
) -> TypedCollection[R]:
    """The collection of an entity, or of a part of it; see `Client.of`.

    Args:
        collect: the client's own `collection`.
        runtime: the client's.
        declared: the dataclass of its records.
        granularity: see `Client.collection`.
        where: the part.

    Raises:
        TypeError: that is none.
    """
    entity: Entity[R] = entity_of(declared)
    local = runtime.session.local
    part = None if where is None else part_of(entity, where)
    raw = collect(entity.name, granularity=granularity, where=part)
    raw.schema_version = entity.version

    def replace(entity_id: str, data: Json, base: EditBase) -> Written:
        version = raw.schema_version
        return pending_call.replace(runtime, entity.name, entity_id, data, base, version)

    held = partial(local.edit_base, entity.name)
    return TypedCollection(raw, entity, runtime.now, random.random, held, replace)


class TypedCollection(Generic[R]):
    """One entity of a client, or a part of it, whose records are dataclasses. See `Client.of`.

    A record that was written under another schema, and has something else in a field than this
    one says, cannot be read. It takes no others with it: it is left out of `all`, `where` and
    `subscribe`, and is in `unreadable`, with what is wrong; `get` raises that. A warning in the
    log of `rhtmx` says so once. `raw` has every record as it is.

    Args:
        raw: the collection of the same records as JSON values.
        entity: what is declared of it.
        now: the time.
        random: gives a number from 0 to 1, 1 excluded, each time it is called.
        held: gives what is known of a record here, without beginning to read.
        replace: writes a whole record in the place of one that is known.

    Attributes:
        raw: the same records as JSON values, and calls for what is not here.
        unreadable: the records that could not be read when they were asked for last.
    """

    def __init__(
        self,
        raw: Collection[Json],
        entity: Entity[R],
        now: Callable[[], datetime],
        random: Callable[[], float],
        held: Callable[[str], EditBase | None],
        replace: Callable[[str, Json, EditBase], Written],
    ) -> None:
        self.raw = raw
        self.unreadable: tuple[Unreadable, ...] = ()
        self._entity = entity
        self._now = now
        self._random = random
        self._held = held
        self._replace = replace
        self._rows: dict[str, tuple[Record[Json], Record[R] | Unreadable]] = {}
        self._typed: ChunkMemo[Record[Json], Record[R]] = ChunkMemo(self._readable)
        self._misfits: ChunkMemo[Record[Json], Unreadable] = ChunkMemo(self._unreadable)
        self._warned: set[str] = set()

    async def __aenter__(self) -> Self:
        """Begin to read the entity; wait for nothing. See `Collection`."""
        await self.raw.__aenter__()
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
        """Read the entity no longer; see `Collection.close`."""
        self.raw.close()

    # What is held.

    def get(self, entity_id: str) -> Record[R] | None:
        """A record as it is now; `None` if there is none. See `Collection.get`.

        Args:
            entity_id: the record.

        Raises:
            Unreadable: a field has something else than the schema says.
        """
        record = self.raw.get(entity_id)
        row = None if record is None else self._row(record)
        if isinstance(row, Unreadable):
            raise row.with_traceback(None)
        return row

    def all(self) -> ChunkedTuple[Record[R]]:
        """All records that can be read, by id; the same object as long as nothing changes."""
        records = self.raw.all()
        typed = self._typed.of(records)
        self.unreadable = tuple(self._misfits.of(records))
        if len(self._rows) > 2 * len(records) + _GONE:
            self._rows = {each.id: self._rows[each.id] for each in records}
        return typed

    def where(self, predicate: Callable[[Record[R]], bool]) -> tuple[Record[R], ...]:
        """The records that a condition holds for; see `all`."""
        return tuple(filter(predicate, self.all()))

    @property
    def progress(self) -> Progress | None:
        """How far a long first load is; see `Collection.progress`."""
        return self.raw.progress

    async def synced(self) -> None:
        """Wait until everything that the server has is here, once; see `Collection.synced`."""
        await self.raw.synced()

    async def subscribe(
        self, predicate: Callable[[Record[R]], bool] | None = None
    ) -> AsyncGenerator[ChunkedTuple[Record[R]], None]:
        """All records that can be read now, and after each change; see `Collection.subscribe`."""
        chosen = None if predicate is None else choosing(predicate)
        seen: ChunkedTuple[Record[R]] | None = None
        async with aclosing(self.raw.subscribe()) as changes:
            async for _ in changes:
                rows = self.all() if chosen is None else chosen.of(self.all())
                if seen is None or (rows is not seen and not rows.holds_same(seen)):
                    seen = rows
                    yield rows

    # Writing.

    def new_id(self) -> str:
        """An id for a record that is to be created: a UUID of version 7."""
        return uuid7(self._now(), self._random)

    def create(self, record: R, entity_id: str | None = None) -> Written:
        """Write a record that is not there yet. It shows at once; await it until it is durable.

        Args:
            record: all of it. What only the server writes is left as it is.
            entity_id: its id; a new one, if left out. The result has it.

        Raises:
            Invalid: at once: it would break a rule. Nothing was written.
            RhtmxError: `CONFLICT`, there is such a record; or another refusal.
        """
        entity = self._entity
        if not isinstance(record, entity.cls):
            raise TypeError(f"create: a {entity.cls.__name__} expected, got {record!r:.40}")
        data = created(entity, to_json(record))
        self._judge(data, said_of(entity, data))
        return self.raw.set(self.new_id() if entity_id is None else entity_id, data, base_version=0)

    def edit(self, entity_id: str, /, *_: Any, **fields: Any) -> Writing[Any]:
        """Write some fields of a record, and leave the others. It shows at once.

        Args:
            entity_id: the record.
            fields: new values, or operations that fit, such as `Increment(1)`. `None`: a field
                with presence goes. What sets a field of a oneof takes its others away.

        Raises:
            Invalid: at once: the record would break a rule about what is written. Nothing was.
            TypeError: there is no such field.
            RhtmxError: it was rejected.
        """
        if _:
            raise TypeError("edit: fields by their names expected, such as title='Read it'")
        edit = edit_of(self._entity, fields, whole=self._entity.whole)
        held = self._held(entity_id)
        after = self._judged(edit, held)
        if not self._entity.whole:
            return self.raw.patch(entity_id, edit.values, delete=edit.deletes)
        if held is None:
            raise RhtmxError(
                ErrorCode.NOT_FOUND,
                f"'{self.raw.entity}/{entity_id}' is not known here: records of this entity are "
                "written as a whole, so read it before you edit it: 'await synced()' waits until "
                "all of them are here",
            )
        return self._replace(entity_id, after, held)

    def _judged(self, edit: TypedEdit, held: EditBase | None) -> dict[str, Json]:
        """The record as it would be, which breaks no rule."""
        data = held.data if held is not None and isinstance(held.data, dict) else None
        if data is not None:
            after = edit.applied(data)
            names = changed_of(self._entity, data, after) if self._entity.whole else edit.names
            self._judge(after, names)
            return after
        # Of what is not here only new values can be judged, each by itself.
        after = edit.applied({})
        self._judge(after, edit.names - edit.operated(self._entity), alone=True)
        return after

    def _judge(
        self, data: Mapping[str, Json], names: frozenset[str], *, alone: bool = False
    ) -> None:
        now = (self._now() - _EPOCH) // _MICROSECOND * 1000
        found = judge(self._entity.rules, data, changed=names, now=now)
        wrong = [each for each in found if each.field or not alone]
        if wrong:
            raise Invalid(wrong)

    def delete(self, entity_id: str, *, base_version: int | None = None) -> Written:
        """Delete a record; see `Collection.delete`."""
        return self.raw.delete(entity_id, base_version=base_version)

    # What became of a record.

    async def history(
        self,
        entity_id: str,
        *,
        before: int | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> History[R | None]:
        """The commits of a record; see `Collection.history`.

        Of a commit that left something else than the schema says, `data` is `None`, as after a
        delete; `raw.history` has it as it is.
        """
        found = await self.raw.history(entity_id, before=before, until=until, limit=limit)
        return replace(found, commits=tuple(map(self._commit, found.commits)))

    def _commit(self, commit: HistoryCommit[Json]) -> HistoryCommit[R | None]:
        row = None if commit.data is None else self._read(commit.entity_id, commit.data)
        return replace(commit, data=None if isinstance(row, Unreadable) else row)

    async def as_of(self, entity_id: str, time: datetime) -> HistoryCommit[R] | None:
        """A record as it was at a time; see `Collection.as_of`.

        Raises:
            Unreadable: a field had something else than the schema says.
        """
        commit = await self.raw.as_of(entity_id, time)
        if commit is None:
            return None
        row = self._read(entity_id, commit.data)
        if isinstance(row, Unreadable):
            raise row
        return replace(commit, data=row)

    async def blame(self, entity_id: str) -> dict[str, FieldAuthor]:
        """Who wrote which field of a record, by key in JSON; see `Collection.blame`."""
        return await self.raw.blame(entity_id)

    async def undo(self, entity_id: str, version: int) -> PushResult | FieldPushResult:
        """Take back what a commit did to a record; see `Collection.undo`."""
        return await self.raw.undo(entity_id, version)

    def conflicts(self) -> AsyncGenerator[tuple[OpenConflict, ...], None]:
        """The open conflicts of this entity; see `Collection.conflicts`."""
        return self.raw.conflicts()

    # Inside.

    def _readable(self, records: tuple[Record[Json], ...]) -> tuple[Record[R], ...]:
        rows = map(self._row, records)
        return tuple(row for row in rows if not isinstance(row, Unreadable))

    def _unreadable(self, records: tuple[Record[Json], ...]) -> tuple[Unreadable, ...]:
        return tuple(row for row in map(self._row, records) if isinstance(row, Unreadable))

    def _row(self, record: Record[Json]) -> Record[R] | Unreadable:
        """A record as it is typed; the same object as long as it is the same."""
        before = self._rows.get(record.id)
        if before is not None and before[0] is record:
            return before[1]
        data = self._read(record.id, record.data)
        made = (
            data
            if isinstance(data, Unreadable)
            else Record(record.id, data, record.version, record.pending)
        )
        self._rows[record.id] = record, made
        return made

    def _read(self, entity_id: str, data: Json) -> R | Unreadable:
        record = f"{self.raw.entity}/{entity_id}"
        try:
            return from_json(self._entity.cls, data, record=record)
        except Unreadable as error:
            if entity_id not in self._warned:
                self._warned.add(entity_id)
                _log.warning("a record is left out, it does not fit the schema: %s", error)
            return error
