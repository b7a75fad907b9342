"""An entity, or a part of it, as the server has it: where it was read to, and how it catches up.

Knows positions, and what of the records that are held counts. Must not know what this client
writes, nor stores, connections or clocks. It is one more reader of a stream: that says what is
new, when it has caught up, and when all comes anew. Several parts of an entity have a replica
each, and one set of records.

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

What is stale at the end of a snapshot goes, though another part may have it, too: everyone's
right is the same in all parts, so what is in a part by its data and is not in that part's
snapshot can be read in none. What of it has changed meanwhile is not stale.
"""

from __future__ import annotations

from rhtmx.core.cursor import Cursor, Log
from rhtmx.core.granularity import Granularity
from rhtmx.core.held_records import HeldRecords
from rhtmx.core.storage_ops import HeldRecord, PendingOps, SetPosition, Settled, StoredEntity
from rhtmx.core.where import Where
from rhtmx.errors import RhtmxError
from rhtmx.messages import Position

__all__ = ["Replica"]


class Replica:
    """A part of an entity as the server has it.

    Methods that change records return the ids of those.

    Args:
        entity: the collection.
        granularity: whether it is read as records or field by field.
        pending_ops: where what changes is put down.
        kept: what was held of it before.
        where: the part; the whole entity, if left out.
        records: the entity's records, where another part of it is read already.

    Attributes:
        cursor: its place in the stream.
        position: where to resume it after a restart.
        live: it has caught up, and hears of everything that happens.
        caught_up: it has been live at some time.
        error: the server does not let it be read.
        stale: the records and fields that have yet to come anew.
        unconfirmed: the records that are newer than the position from which it is resumed: another
            part has brought them, maybe by other rights. Those of this one have yet to come again.
        records: the entity's records.
    """

    def __init__(
        self,
        entity: str,
        granularity: Granularity,
        pending_ops: PendingOps,
        kept: StoredEntity | None = None,
        *,
        where: Where | None = None,
        records: HeldRecords | None = None,
    ) -> None:
        self.entity = entity
        self.granularity = granularity
        self.where = where
        self.live = False
        self.caught_up = False
        self.error: RhtmxError | None = None
        self.records = records or HeldRecords(entity, granularity, pending_ops, kept)
        self.stale: set[tuple[str, str]] = set()
        self.unconfirmed: set[str] = set()
        self.position = self.records.place(where)
        if not self.position.version:
            self.stale = self.records.all(where)
        self.cursor = Cursor(self.position, where=where, tolerant=True)
        self._pending_ops = pending_ops
        self.records.replicas.append(self)

    # What is in it.

    def get(self, entity_id: str) -> HeldRecord | None:
        """A record that is held of the entity."""
        return self.records.get(entity_id)

    def has(self, held: HeldRecord) -> bool:
        """Whether a record is in this part."""
        return self.where is None or self.where.has_text(held.data)

    def ids(self) -> set[str]:
        """All that are held of the entity."""
        return self.records.ids()

    def base_version(self, entity_id: str) -> int | None:
        """What the author of a write to a record has seen of it; `None`: nothing."""
        delivered, held = self.records.delivered(entity_id), self.get(entity_id)
        # Of what is in no part that is read, a position says nothing.
        known = self.where is None or (held is not None and self.has(held))
        return max(delivered, self.position.version if known else 0) or None

    def covers(self, entity_id: str, settled: Settled) -> bool:
        """Whether an acknowledged write of a record is in what is held."""
        if settled.epoch != self.position.epoch:
            return self.live  # its store is no more, and the new one has been read
        if settled.version <= self.records.delivered(entity_id):
            return True
        return self.live and settled.version <= self.position.version

    # What the stream tells.

    def begin(self, epoch: str) -> None:
        """There is a connection, to a store of this epoch."""
        self.error = None
        if self.records.mixed(self.where):
            self.start_over(self.cursor.restart(epoch))
        elif self.position.epoch != epoch or not self.position.version:
            self.start_over(Position(epoch=epoch, version=0))
        elif self.granularity is Granularity.RECORDS:
            self.unconfirmed = self.records.newer(self.position.version)

    def rewind(self) -> None:
        """What has come since its position was not taken: it is to come again."""
        self.cursor.rewind(self.position)

    def lost(self) -> None:
        """The connection is gone."""
        self.live = False
        self.cursor.cut()
        self.records.cut()
        if self.stale and self.position.epoch:
            # What was read since does not count: it begins again.
            self.cursor.restart(self.position.epoch)

    def start_over(self, position: Position) -> set[str]:
        """Everything comes anew, from a position before everything.

        It is put down before anything that comes: who finds that after a restart finds under
        which scope it came.
        """
        self.live = False
        changed = self.records.begin(self, position.epoch)
        self.stale = self.records.all(self.where)
        self.unconfirmed.clear()
        self._move(position)
        return changed

    def deliver(self, log: Log, position: Position | None) -> set[str]:
        """A change arrived; `position` is where to resume after it."""
        changed = self.records.deliver(log)
        if position is not None and not self.records.waits:
            if not self.stale:
                self._move(position)
            if len(self.records.replicas) > 1:
                for other in self.records.replicas:
                    other.follow(position.version)
            self.records.moved()
        return changed

    def follow(self, version: int) -> None:
        """All up to `version` is here, by a change that came to another part of the entity."""
        place = self.cursor.position
        if self.live and not self.stale and place is not None:
            # The cursor may be further on: at changes that have not been taken yet.
            least = min(version, place.version)
            if least > self.position.version:
                self._move(Position(epoch=place.epoch, version=least, scope=place.scope))

    def synced(self, position: Position) -> set[str]:
        """Everything up to `position` has arrived."""
        changed = self.records.finish()
        for entity_id, fields in self._stale_here().items():
            changed.add(entity_id)
            self.records.expire(entity_id, fields)
        self.stale.clear()
        self.unconfirmed.clear()
        self.live = self.caught_up = True
        self._move(position)
        self.records.moved()
        return changed

    # Inside.

    def _stale_here(self) -> dict[str, set[str]]:
        """What is stale of each record, but for those that have moved on, to another part."""
        stale: dict[str, set[str]] = {each: {""} for each in self.unconfirmed}
        for entity_id, field in self.stale:
            stale.setdefault(entity_id, set()).add(field)
        return {
            entity_id: fields
            for entity_id, fields in stale.items()
            if (held := self.get(entity_id)) is None or self.has(held)
        }

    def _move(self, position: Position) -> None:
        held = self.position
        # To compare two messages costs more than all the rest of this.
        if position.version != held.version or position != held:
            self.position = position
            where = "" if self.where is None else self.where.text
            self._pending_ops.put(SetPosition(self.entity, position, self.granularity, where))
