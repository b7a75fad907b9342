"""One entity as the program of the server reads and writes it, typed by the schema: `app.of`.

Knows how records are read and written by their shape. Rules are judged where all are, in the
transaction; everything else is the untyped collection's, `raw`.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Generic, TypeVar

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.schema.convert import Unreadable, from_json, to_json
from rhtmx.schema.declared import Entity
from rhtmx.schema.typed_edit import created, edit_of, part_of
from rhtmx.values.json_value import Json
from rhtmx.values.results import FieldPushResult, PushResult
from rhtmx.values.uuid7 import uuid7
from rhtmx_server.program.collection import AppCollection
from rhtmx_server.program.record import StoredRecord

__all__ = ["AppTypedCollection"]

R = TypeVar("R")

log = logging.getLogger("rhtmx_server")

_now = partial(datetime.now, UTC)


class AppTypedCollection(Generic[R]):
    """One entity, or a part of it, whose records are dataclasses. See `App.of`.

    A record that was written under another schema, and has something else in a field than this one
    says, cannot be read: it is left out of `all` and `where`, and is in `unreadable`, with what is
    wrong; `get` raises that. A warning in the log says so once. `raw` has every record as it is.

    Args:
        raw: the collection of the same records as JSON values.
        entity: what is declared of it.
        trusted: the program itself writes, and so every field.
        now: the time.
        random: gives a number from 0 to 1, 1 excluded, each time it is called.

    Attributes:
        raw: the same records as JSON values, and calls for what is not here.
        unreadable: the records that could not be read when several were asked for last.
    """

    def __init__(
        self,
        raw: AppCollection[Json],
        entity: Entity[R],
        *,
        trusted: bool,
        now: Callable[[], datetime] = _now,
        random: Callable[[], float] = random.random,
    ) -> None:
        self.raw = raw
        self.unreadable: tuple[Unreadable, ...] = ()
        self._entity = entity
        self._trusted = trusted
        self._now = now
        self._random = random
        self._warned: set[str] = set()

    # Reading.

    async def get(self, entity_id: str) -> StoredRecord[R] | None:
        """A record as it is stored; `None` if there is none. See `AppCollection.get`.

        Args:
            entity_id: the record.

        Raises:
            Unreadable: a field has something else than the schema says.
            RhtmxError: as `AppCollection.get`.
        """
        row = await self.raw.get(entity_id)
        return None if row is None else self._read(row)

    async def all(self) -> list[StoredRecord[R]]:
        """All records that can be read, by id. See `AppCollection.all`."""
        return self._readable(await self.raw.all())

    async def where(
        self, condition: Mapping[str, Any] | Callable[[StoredRecord[R]], bool]
    ) -> list[StoredRecord[R]]:
        """The records that a condition holds for, by id. See `AppCollection.where`.

        Args:
            condition: values by the schema's names of fields, or a function.
        """
        if isinstance(condition, Mapping):
            return self._readable(await self.raw.where(part_of(self._entity, condition)))
        return [row for row in await self.all() if condition(row)]

    # Writing.

    def new_id(self) -> str:
        """An id for a record that is to be created: a UUID of version 7."""
        return uuid7(self._now(), self._random)

    async def create(self, record: R, entity_id: str | None = None) -> PushResult:
        """Write a record that is not there yet, and wait until it is durable.

        Args:
            record: all of it. What the server fills in may be left as it is.
            entity_id: its id; a new one, if left out. The result has it.

        Raises:
            RhtmxError: `INVALID`, it breaks a rule; `CONFLICT`, there is such a record; or another
                refusal.
        """
        entity = self._entity
        if not isinstance(record, entity.cls):
            raise TypeError(f"create: a {entity.cls.__name__} expected, got {record!r:.40}")
        data = created(entity, to_json(record), trusted=self._trusted)
        return await self.raw.set(entity_id or self.new_id(), data, base_version=0)

    async def edit(self, entity_id: str, /, *_: Any, **fields: Any) -> PushResult | FieldPushResult:
        """Write some fields of a record, and leave the others; see `create`.

        Args:
            entity_id: the record.
            fields: new values, or operations that fit, such as `Increment(1)`. `None`: a field with
                presence goes. What sets a field of a oneof takes its others away.

        Raises:
            TypeError: there is no such field.
            RhtmxError: it was rejected. Of an entity that is kept without fields: `NOT_FOUND`,
                there is no such record; `CONFLICT`, somebody else wrote it meanwhile.
        """
        if _:
            raise TypeError("edit: fields by their names expected, such as title='Read it'")
        whole = self._entity.whole
        edit = edit_of(self._entity, fields, whole=whole, trusted=self._trusted)
        if not whole:
            return await self.raw.patch(entity_id, edit.values, delete=edit.deletes)
        row = await self.raw.get(entity_id)
        if row is None or not isinstance(row.data, dict):
            raise RhtmxError(
                ErrorCode.NOT_FOUND, f"there is no record {self.raw.entity[:40]}/{entity_id[:40]}"
            )
        return await self.raw.set(entity_id, edit.applied(row.data), base_version=row.version)

    async def delete(self, entity_id: str, *, base_version: int | None = None) -> PushResult:
        """Delete a record; see `AppCollection.delete`."""
        return await self.raw.delete(entity_id, base_version=base_version)

    # Inside.

    def _read(self, row: StoredRecord[Json]) -> StoredRecord[R]:
        name = f"{self.raw.entity}/{row.id}"
        return replace(row, data=from_json(self._entity.cls, row.data, record=name))

    def _readable(self, rows: list[StoredRecord[Json]]) -> list[StoredRecord[R]]:
        found: list[StoredRecord[R]] = []
        wrong: list[Unreadable] = []
        for row in rows:
            try:
                found.append(self._read(row))
            except Unreadable as error:
                wrong.append(error)
                if row.id not in self._warned:
                    self._warned.add(row.id)
                    log.warning("a record is left out, it does not fit the schema: %s", error)
        self.unreadable = tuple(wrong)
        return found
