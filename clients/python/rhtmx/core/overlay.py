"""What is shown of an entity, or of a part of it: what the server has, and own writes on top. Pure.

Knows how a write looks before the server has taken it. Must not know how either
side comes about, nor stores, connections or clocks.

A write is shown from the call until its change has come back from the server,
so it never flickers: between the acknowledgement and the change it stays on
top, with the values that won in place of those that lost. What is an operation
is applied to what is beneath it, whatever that is by then; where it cannot be,
that shows as it is: the server will reject it.

Snapshots are stable: a record is the same object as long as nothing about it
has changed, and all of them are the same tuple as long as nothing has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic

from rhtmx.core.granularity import Granularity
from rhtmx.core.replica import Replica
from rhtmx.core.storage_ops import HeldRecord, Settled, Write
from rhtmx.core.write_queue import WriteQueue
from rhtmx.errors import RhtmxError
from rhtmx.messages import ChangeAction, FieldAction, FieldUpdate, PushFields
from rhtmx.values.json_value import Data, from_json, to_json
from rhtmx.values.operations import OPERATIONS, apply
from rhtmx.values.results import filled_in

__all__ = ["Overlay", "Record", "fold"]


@dataclass(frozen=True, slots=True)
class Record(Generic[Data]):
    """A record as it is shown. Do not change its `data`: write to the collection instead.

    `Record[Task]` is one whose data is said to be a `Task`; see `Client.collection`.

    Attributes:
        id: the record.
        data: the whole of it, own writes included.
        version: the newest one that is in it; 0 if the server does not have it yet.
        pending: own writes in it wait for the server.
    """

    id: str
    data: Data
    version: int
    pending: bool


class Overlay:
    """What is shown of one entity, or of the part of it that the replica is.

    A record is in the part, or is not, as it is shown: an own write that takes it out makes it
    vanish at once.

    Args:
        replica: the entity as the server has it.
        queue: the writes of this client.

    Attributes:
        dirty: the records about which something may have changed since they were shown.
    """

    def __init__(self, replica: Replica, queue: WriteQueue) -> None:
        self._replica = replica
        self._queue = queue
        self._shown: dict[str, Record] = {}
        self.dirty = replica.ids() | queue.records(replica.entity)
        self._snapshot: tuple[Record, ...] = ()
        self._order: list[str] | None = []

    def touch(self, ids: Iterable[str]) -> None:
        """Something about these records may have changed."""
        self.dirty.update(ids)

    def get(self, entity_id: str) -> Record | None:
        """One record."""
        if entity_id in self.dirty:
            self.snapshot()
        return self._shown.get(entity_id)

    def snapshot(self) -> tuple[Record, ...]:
        """All records, by id."""
        dirty = list(self.dirty)
        self.dirty.clear()  # the same set: the write queue adds to it
        changed = [entity_id for entity_id in dirty if self._refresh(entity_id)]
        if changed:
            if self._order is None:
                self._order = sorted(self._shown)
            self._snapshot = tuple(self._shown[entity_id] for entity_id in self._order)
        return self._snapshot

    def _refresh(self, entity_id: str) -> bool:
        """Put a record together anew; returns whether it is another one now."""
        before = self._shown.get(entity_id)
        held = self._replica.get(entity_id)
        rows = self._queue.of(self._replica.entity, entity_id)
        where = self._replica.where
        # What is in another part is not even decoded.
        within = where is None or rows or (held is not None and where.has_text(held.data))
        writes = [
            (each, row.settled)
            for row in rows
            for each in row.writes
            if each.entity_id == entity_id and each.entity == self._replica.entity
        ]
        there, data = fold(held if within else None, writes, self._replica.granularity)
        if not there or (where is not None and rows and not where.has(data)):
            self._order = self._order if before is None else None
            return self._shown.pop(entity_id, None) is not None
        versions = [row.settled.version for row in rows if row.settled is not None]
        version = max([held.version if held is not None else 0, *versions])
        record = Record(entity_id, data, version, any(row.settled is None for row in rows))
        if before is not None and _same(before, record):
            return False
        self._order = self._order if before is not None else None
        self._shown[entity_id] = record
        return True


def fold(
    held: HeldRecord | None,
    writes: Iterable[tuple[Write, Settled | None]],
    granularity: Granularity,
) -> tuple[bool, Any]:
    """A record with writes on top, each with its answer: whether there is one, and its value."""
    there, value = held is not None, None if held is None else from_json(held.data)
    for message, settled in writes:
        if isinstance(message, PushFields):
            fields = dict(value) if there and isinstance(value, dict) else {}
            value = _merge(fields, message, {} if settled is None else settled.lost)
            there = bool(value) or granularity is Granularity.RECORDS
        else:
            there = message.action is not ChangeAction.DELETE
            value = from_json(message.data) if there else None
        if settled is not None and settled.prepared is not None and isinstance(value, dict):
            value = {**value, **filled_in(settled.prepared)}
    return there, value


def _merge(
    fields: dict[str, Any], message: PushFields, lost: Mapping[str, bytes | None]
) -> dict[str, Any]:
    for update in message.fields:
        name = update.field
        if name in lost:
            gone, value = lost[name] is None, lost[name]
        elif update.action in OPERATIONS:
            _operate(fields, update)
            continue
        else:
            gone, value = update.action is FieldAction.DELETE, update.value
        if gone:
            fields.pop(name, None)
        else:
            fields[name] = from_json(value)
    return fields


def _operate(fields: dict[str, Any], update: FieldUpdate) -> None:
    name = update.field
    try:
        held = to_json(fields.get(name), name)
        after = apply(update.action, held, update.value, name)
    except RhtmxError:
        return
    if after is not None:
        fields[name] = from_json(after)


def _same(one: Record, other: Record) -> bool:
    """Whether two records are the same to the digit: to `==`, 1 and True are equal."""
    if (one.version, one.pending) != (other.version, other.pending):
        return False
    return one.data == other.data and repr(one.data) == repr(other.data)
