"""One entity as the server has it: records, position, and how it catches up. Pure.

Knows records, fields and positions. Must not know what this client writes, nor
stores, connections or clocks. It is one more reader of the entity's stream: the
stream says what is new, when it has caught up, and when all comes anew.

What is held is **stale** from the moment in which everything comes from the
beginning until its own change has come; what is stale at the end is no more.
While something is stale, or the past of a known position is being sent, the
position stays: whoever is cut off there begins there again.

========  ================  ============  ========  ========
state     `begin` in the    `start_over`  `synced`  `lost`
          same epoch
========  ================  ============  ========  ========
behind    behind            stale         live      behind
stale     stale             stale         live      stale
live                        stale         live      behind
========  ================  ============  ========  ========

`begin` in another epoch is `start_over`; without a position everything is stale.
"""

from __future__ import annotations

import json

import msgspec

from rhtmx.core.cursor import Cursor, Log
from rhtmx.core.granularity import Granularity
from rhtmx.core.storage_ops import (
    DropRecord,
    HeldRecord,
    PendingOps,
    PutRecord,
    SetPosition,
    Settled,
    StoredEntity,
)
from rhtmx.errors import RhtmxError
from rhtmx.messages import ChangeAction, FieldAction, FieldChangeLog, Position

__all__ = ["Replica"]

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Replica:
    """One entity as the server has it. Methods that change records return the ids of those.

    Args:
        entity: the collection.
        granularity: whether it is read as records or field by field.
        pending_ops: where what changes is put down.
        kept: what was held of it before.

    Attributes:
        cursor: its place in the stream.
        position: where to resume it after a restart.
        live: it has caught up, and hears of everything that happens.
        caught_up: it has been live at some time.
        error: the server does not let it be read.
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
        self.live = False
        self.caught_up = False
        self.error: RhtmxError | None = None
        self._pending_ops = pending_ops
        self._records: dict[str, HeldRecord] = {} if kept is None else kept.records
        self._fields: dict[str, dict[str, bytes]] = {}
        self._parts: list[FieldChangeLog] = []
        self._stale: set[tuple[str, str]] = set()
        self._gone: dict[str, int] = {}
        self.position = Position(epoch="", version=0)
        if kept is not None:
            same = kept.granularity is granularity
            self.position = kept.position if same else Position(epoch=kept.position.epoch)
        if not self.position.version:
            self._stale = self._all()
        self.cursor = Cursor(self.position)

    # What is in it.

    def get(self, entity_id: str) -> HeldRecord | None:
        """A record."""
        return self._records.get(entity_id)

    def kept(self) -> StoredEntity:
        """What is held, for whoever reads it later on."""
        return StoredEntity(self.position, self.granularity, self._records)

    def ids(self) -> set[str]:
        """All of them."""
        return set(self._records)

    def base_version(self, entity_id: str) -> int | None:
        """What the author of a write to a record has seen of it; `None`: nothing."""
        return max(self._delivered(entity_id), self.position.version) or None

    def covers(self, entity_id: str, settled: Settled) -> bool:
        """Whether an acknowledged write of a record is in what is held."""
        if settled.epoch != self.position.epoch:
            return self.live  # its store is no more, and the new one has been read
        if settled.version <= self._delivered(entity_id):
            return True
        return self.live and settled.version <= self.position.version

    # What the stream tells.

    def begin(self, epoch: str) -> None:
        """There is a connection, to a store of this epoch."""
        self.error = None
        if self.position.epoch != epoch or not self.position.version:
            self.start_over(epoch)

    def lost(self) -> None:
        """The connection is gone."""
        self.live = False
        if self._stale and self.position.epoch:
            # What was read since does not count: it begins again.
            self.cursor.restart(self.position.epoch)
            self._parts.clear()

    def start_over(self, epoch: str) -> None:
        """Everything comes anew."""
        self.live = False
        self._parts.clear()
        self._gone.clear()
        self._stale = self._all()
        self._move(Position(epoch=epoch, version=0))

    def deliver(self, log: Log, position: Position | None) -> set[str]:
        """A change arrived; `position` is where to resume after it."""
        if isinstance(log, FieldChangeLog):
            changed = self._deliver_field(log)
        else:
            self._stale.discard((log.entity_id, ""))
            if log.action is ChangeAction.DELETE:
                self._drop(log.entity_id, log.version)
            else:
                self._put(log.entity_id, HeldRecord(log.version, log.data))
            changed = {log.entity_id}
        if position is not None and not self._stale and not self._parts:
            self._move(position)
        return changed

    def synced(self, position: Position) -> set[str]:
        """Everything up to `position` has arrived."""
        changed = self._apply_parts()
        for entity_id, field in self._stale:
            changed.add(entity_id)
            if self.granularity is Granularity.FIELDS and field:
                self._fields_of(entity_id).pop(field, None)
                held = self._records.get(entity_id)
                self._rebuild(entity_id, 0 if held is None else held.version)
            else:
                self._drop(entity_id, 0)
        self._stale.clear()
        self._gone.clear()
        self.live = self.caught_up = True
        self._move(position)
        return changed

    # Inside.

    def _delivered(self, entity_id: str) -> int:
        """The newest version of a record that has come, as far as that still counts."""
        held = self._records.get(entity_id)
        if held is None or (entity_id, "") in self._stale:
            return self._gone.get(entity_id, 0)
        return held.version

    def _move(self, position: Position) -> None:
        if position != self.position:
            self.position = position
            self._pending_ops.put(SetPosition(self.entity, position, self.granularity))

    def _put(self, entity_id: str, held: HeldRecord) -> None:
        self._records[entity_id] = held
        self._gone.pop(entity_id, None)
        self._pending_ops.put(PutRecord(self.entity, entity_id, held))

    def _drop(self, entity_id: str, version: int) -> None:
        self._fields.pop(entity_id, None)
        if not self.live and version:
            self._gone[entity_id] = version
        if self._records.pop(entity_id, None) is not None:
            self._pending_ops.put(DropRecord(self.entity, entity_id))

    # Fields.

    def _deliver_field(self, log: FieldChangeLog) -> set[str]:
        changed = set()
        if self._parts and self._parts[0].version != log.version:
            changed = self._apply_parts()
        self._parts.append(log)
        return changed if log.more else changed | self._apply_parts()

    def _apply_parts(self) -> set[str]:
        """What was written at one time shows at one time."""
        parts, self._parts = self._parts, []
        before = {part.entity_id: self._delivered(part.entity_id) for part in parts}
        for part in parts:
            fields = self._fields_of(part.entity_id)
            self._stale -= {(part.entity_id, part.field), (part.entity_id, "")}
            if part.action is FieldAction.DELETE:
                fields.pop(part.field, None)
            else:
                fields[part.field] = part.value or b"null"
        versions = {part.entity_id: part.version for part in parts}
        for entity_id, version in versions.items():
            self._rebuild(entity_id, max(version, before[entity_id]))
        return set(versions)

    def _fields_of(self, entity_id: str) -> dict[str, bytes]:
        fields = self._fields.get(entity_id)
        if fields is None:
            held = self._records.get(entity_id)
            fields = self._fields[entity_id] = {} if held is None else _split(held.data)
        return fields

    def _rebuild(self, entity_id: str, version: int) -> None:
        fields = self._fields_of(entity_id)
        if not fields:
            self._drop(entity_id, version)
            return
        pairs = (json.dumps(name).encode() + b":" + value for name, value in fields.items())
        self._put(entity_id, HeldRecord(version, b"{" + b",".join(pairs) + b"}"))

    def _all(self) -> set[tuple[str, str]]:
        if self.granularity is Granularity.RECORDS:
            return {(entity_id, "") for entity_id in self._records}
        # `(id, "")` stands for the record's version: that is stale until any field has come.
        held = {(i, name) for i in self._records for name in self._fields_of(i)}
        return held | {(i, "") for i in self._records}


def _split(data: bytes | None) -> dict[str, bytes]:
    """The members of an object, each as its text; of anything else, none."""
    if data is None or not data.lstrip().startswith(b"{"):
        return {}
    return {name: bytes(value) for name, value in _members(data).items()}
