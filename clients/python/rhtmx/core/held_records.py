"""The records of one entity that a client holds, whatever parts of it are read. Pure.

Knows records, fields and versions. Must not know positions in the log beyond putting them
down, what this client writes, nor stores, connections or clocks.

The server sends a change once, for whatever part it concerns, so what is held of an entity
is one set of records. Each is as new as any stream has brought it: where several parts are
read side by side, an older state may come after a newer one, and is passed over. For that
the version of a record that has gone is remembered until every position is beyond it.

Field by field a server that resumes sends what has changed since, and what that is depends on
the part: it fits only what was held of this part alone. So where several parts are held,
each is read from its beginning (`mixed`). A record that enters one comes whole, with the
fields that were deleted. What comes of one that is in a part already is what has changed,
and the server counts a part until it has heard that it is read no longer. So what that part
has stays until then (`ended`).

What is kept of a part that is not read now was read by the rights of then. If a record that comes,
or is found to be no more, says otherwise, the rights have changed since, and may come back: that
part is read from its beginning, once it is read again.
"""

from __future__ import annotations

import json
from typing import Protocol

import msgspec

from rhtmx.core.cursor import Cursor, Log
from rhtmx.core.granularity import Granularity
from rhtmx.core.storage_ops import (
    DropRecord,
    HeldRecord,
    PendingOps,
    PutRecord,
    SetPosition,
    StoredEntity,
)
from rhtmx.core.where import Where, where_of
from rhtmx.messages import ChangeAction, FieldAction, FieldChangeLog, Position
from rhtmx.values.json_value import from_json

__all__ = ["HeldRecords", "ReadPart"]

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class ReadPart(Protocol):
    """A part of an entity that is read (`Replica`), as its records see it."""

    where: Where | None
    cursor: Cursor
    live: bool
    stale: set[tuple[str, str]]
    unconfirmed: set[str]
    position: Position

    def has(self, held: HeldRecord) -> bool:
        """Whether a record is in this part."""

    def follow(self, version: int) -> None:
        """All up to `version` is here, by a change that came to another part of the entity."""


class HeldRecords:
    """What is held of one entity. Methods that change records return the ids of those.

    Args:
        entity: the collection.
        granularity: whether it is read as records or field by field.
        pending_ops: where what changes is put down.
        kept: what was held of it before.

    Attributes:
        replicas: the parts of it that are read now.
        waits: a commit of several fields has not come to its end.
    """

    def __init__(
        self,
        entity: str,
        granularity: Granularity,
        pending_ops: PendingOps,
        kept: StoredEntity | None = None,
    ) -> None:
        self.entity = entity
        self.granularity = granularity
        self.pending_ops = pending_ops
        self.replicas: list[ReadPart] = []
        self._kept = kept or StoredEntity(Position(), granularity)
        self._records = self._kept.records
        self._ending: list[ReadPart] = []
        self._loaded = set(self._records)
        self._unfinished: list[FieldChangeLog] = []
        self._gone: dict[str, int] = {}
        places = [self._kept.position, *(place for place, _ in self._kept.parts.values())]
        self._epoch = next((each.epoch for each in places if each.epoch), "")
        self._unread = {text: _part(text, entity) for text in ("", *self._kept.parts)}

    # What is in it.

    def get(self, entity_id: str) -> HeldRecord | None:
        """A record."""
        return self._records.get(entity_id)

    def ids(self) -> set[str]:
        """All of them."""
        return set(self._records)

    @property
    def waits(self) -> bool:
        """A commit of several fields has not come to its end."""
        return bool(self._unfinished)

    def all(self, where: Where | None) -> set[tuple[str, str]]:
        """The records of a part, and their fields; `(id, "")` stands for a record's version."""
        records = self._records
        if where is not None:
            records = {i: held for i, held in records.items() if where.has_text(held.data)}
        ids = {(entity_id, "") for entity_id in records}
        if self.granularity is Granularity.RECORDS:
            return ids
        return ids | {(i, name) for i in records for name in self._fields_of(i)}

    def newer(self, version: int) -> set[str]:
        """The records that are newer than a version."""
        return {i for i, held in self._records.items() if held.version > version}

    def delivered(self, entity_id: str) -> int:
        """The newest version of a record that has come, as far as that still counts."""
        held = self._records.get(entity_id)
        if held is None or self._is_stale(entity_id, held):
            return self._gone.get(entity_id, 0)
        return held.version

    def mixed(self, where: Where | None) -> bool:
        """Whether a part cannot be resumed, since others are held, too."""
        if self.granularity is Granularity.RECORDS:
            return False
        kept = {text: place for text, (place, _) in self._kept.parts.items()}
        kept[""] = self._kept.position
        kept.pop(_text(where), None)
        return len(self.replicas) > 1 or any(place.version for place in kept.values())

    # What is kept.

    def place(self, where: Where | None) -> Position:
        """Where a part, or all of it, was read before."""
        self._unread.pop(_text(where), None)
        position, granularity = self._kept.place(_text(where))
        return position if granularity is self.granularity else Position(epoch=position.epoch)

    def kept(self) -> StoredEntity:
        """What is held, once nobody reads it, for whoever reads it later on."""
        return self._kept

    def leave(self, replica: ReadPart) -> set[str]:
        """A part is read no longer. With a store what is held of it stays."""
        self.replicas.remove(replica)
        if replica.cursor.leaving and self.granularity is Granularity.FIELDS:
            self._ending.append(replica)
        if self.pending_ops.durable:
            self._kept.set_place(_text(replica.where), replica.position, self.granularity)
            self._unread[_text(replica.where)] = replica.where
            return set()
        return self._drop_orphans()

    def ended(self, replica: ReadPart) -> set[str]:
        """Nothing comes any more of a part that is read no longer."""
        if replica not in self._ending:
            return set()
        self._ending.remove(replica)
        return set() if self.pending_ops.durable else self._drop_orphans()

    # What comes.

    def begin(self, replica: ReadPart, epoch: str) -> set[str]:
        """One of the replicas reads everything anew, in a log of this epoch."""
        if epoch != self._epoch or not any(each.cursor.reading for each in self.replicas):
            self._unfinished.clear()  # the rest of it came while nobody read
        # A server begins between two commits: else the snapshot would not take away what it lacks.
        changed = self.finish() if replica.cursor.reading else set()
        if epoch != self._epoch:
            self._gone.clear()
            # What nobody reads now has a version of a log that is no more.
            changed |= self._drop_orphans()
        self._epoch = epoch
        return changed

    def cut(self) -> None:
        """The connection is gone: what was unfinished comes again."""
        self._unfinished.clear()

    def deliver(self, log: Log) -> set[str]:
        """A change arrived."""
        if isinstance(log, FieldChangeLog):
            return self._deliver_field(log)
        gone = log.action is ChangeAction.DELETE
        old = self._is_old(log, self.delivered(log.entity_id), gone=gone)
        self._came(log.entity_id, "")
        if not gone:
            for replica in self.replicas:
                replica.unconfirmed.discard(log.entity_id)
        held = HeldRecord(log.version, log.data)
        if old or (not gone and log.entity_id not in self._records and self._is_over(held)):
            return set()
        if gone:
            self._drop(log.entity_id, log.version)
        else:
            self._put(log.entity_id, held)
        return {log.entity_id}

    def finish(self) -> set[str]:
        """What was written at one time shows at one time."""
        unfinished, self._unfinished = self._unfinished, []
        before = {each.entity_id: self.delivered(each.entity_id) for each in unfinished}
        versions: dict[str, int] = {}
        written: dict[str, dict[str, bytes]] = {}
        for log in unfinished:
            entity_id = log.entity_id
            old = self._is_old(log, before[entity_id], gone=bool(log.left))
            self._came(entity_id, log.field)
            if old:
                continue
            if entity_id not in versions:
                enters = self._enters(entity_id)
                written[entity_id] = {} if enters else self._fields_of(entity_id)
            versions[entity_id], fields = log.version, written[entity_id]
            if log.left:
                fields.clear()
            elif log.action is FieldAction.DELETE:
                fields.pop(log.field, None)
            else:
                fields[log.field] = log.value or b"null"
        for entity_id, version in versions.items():
            self._rebuild(entity_id, max(version, before[entity_id]), written[entity_id])
        return set(versions)

    def expire(self, entity_id: str, fields: set[str]) -> None:
        """What was held has not come again: it is no more.

        Args:
            entity_id: the record.
            fields: which of its fields. An empty name stands for its version: then all of it
                goes. That version may be of a log that is no more, so it says nothing of when.
        """
        if "" in fields:
            if (gone := self._records.get(entity_id)) is not None:
                self._doubt(gone)
            self._drop(entity_id)
            return
        there = self._fields_of(entity_id)
        for name in fields:
            there.pop(name, None)
        held = self._records.get(entity_id)
        self._rebuild(entity_id, 0 if held is None else held.version, there)

    def moved(self) -> None:
        """A position has moved: what went before all of them is known by them."""
        if self._gone:
            least = min(replica.position.version for replica in self.replicas)
            self._gone = {i: version for i, version in self._gone.items() if version > least}

    # Inside.

    def _is_over(self, held: HeldRecord) -> bool:
        """Whether a record that is not there was, and is no more: a part would have it."""
        return any(
            replica.live and held.version <= replica.position.version and replica.has(held)
            for replica in self.replicas
        )

    def _is_read(self, held: HeldRecord) -> bool:
        return any(part.has(held) for part in (*self.replicas, *self._ending))

    def _enters(self, entity_id: str) -> bool:
        """Whether what comes of a record is all of it: it is held, and in no part that is read."""
        held = self._records.get(entity_id)
        return held is not None and not self._is_read(held)

    def _drop_orphans(self) -> set[str]:
        """Drop what is in no part that is read."""
        orphans = {i for i, held in self._records.items() if not self._is_read(held)}
        for entity_id in orphans:
            self._drop(entity_id)
        return orphans

    def _is_stale(self, entity_id: str, held: HeldRecord) -> bool:
        """Whether a record's version counts for nothing: no part has it but as stale."""
        key = (entity_id, "")
        for replica in self.replicas:
            if key in replica.stale:
                return not any(key not in each.stale and each.has(held) for each in self.replicas)
        return False

    def _is_old(self, log: Log, before: int, *, gone: bool) -> bool:
        """Whether something newer of the record has come already."""
        if log.version != before or not gone:
            return log.version < before
        # It left one part for another one, by which it has come already. What no stream has
        # brought is an own write of before: that may have taken it out.
        held = self._records.get(log.entity_id)
        brought = len(self.replicas) > 1 or log.entity_id not in self._loaded
        return held is not None and brought and self._is_read(held)

    def _came(self, entity_id: str, field: str) -> None:
        for replica in self.replicas:
            if replica.stale:
                replica.stale.discard((entity_id, field))
                replica.stale.discard((entity_id, ""))

    def _put(self, entity_id: str, held: HeldRecord) -> None:
        before = self._records.get(entity_id)
        if before is None or before.version < held.version:
            self._doubt(held)
        self._records[entity_id] = held
        self._loaded.discard(entity_id)
        self._gone.pop(entity_id, None)
        self.pending_ops.put(PutRecord(self.entity, entity_id, held))

    def _doubt(self, held: HeldRecord) -> None:
        """Begin anew, once it is read, with what was read by other rights than this record was.

        It says otherwise of the record: that it was there, or was not.
        """
        for text, where in self._unread.items():
            place, granularity = self._kept.place(text)
            known = place.epoch == self._epoch and held.version <= place.version
            if known and (where is None or where.has_text(held.data)):
                nowhere = Position(epoch=place.epoch)
                self._kept.set_place(text, nowhere, granularity)
                self.pending_ops.put(SetPosition(self.entity, nowhere, granularity, text))

    def _drop(self, entity_id: str, version: int = 0) -> None:
        if version:
            self._gone[entity_id] = version
        if self._records.pop(entity_id, None) is not None:
            self.pending_ops.put(DropRecord(self.entity, entity_id))

    # Fields.

    def _deliver_field(self, log: FieldChangeLog) -> set[str]:
        changed = set()
        # By the commit by which it left one part it may have come to another one.
        if self._unfinished and (log.left or self._unfinished[0].version != log.version):
            changed = self.finish()
        self._unfinished.append(log)
        return changed if log.more else changed | self.finish()

    def _fields_of(self, entity_id: str) -> dict[str, bytes]:
        held = self._records.get(entity_id)
        return {} if held is None else _split(held.data)

    def _rebuild(self, entity_id: str, version: int, fields: dict[str, bytes]) -> None:
        """Put a record together of its fields."""
        if not fields:
            self._drop(entity_id, version)
            return
        pairs = (json.dumps(name).encode() + b":" + value for name, value in fields.items())
        held = HeldRecord(version, b"{" + b",".join(pairs) + b"}")
        there = entity_id in self._records
        if (there or not self._is_over(held)) and self._is_read(held):
            self._put(entity_id, held)
        else:
            self._drop(entity_id)  # the last of a part that was ended


def _text(where: Where | None) -> str:
    return "" if where is None else where.text


def _part(text: str, entity: str) -> Where | None:
    return where_of(from_json(text.encode() or None), entity)


def _split(data: bytes | None) -> dict[str, bytes]:
    """The members of an object, each as its text; of anything else, none."""
    if data is None or not data.lstrip().startswith(b"{"):
        return {}
    return {name: bytes(value) for name, value in _members(data).items()}
