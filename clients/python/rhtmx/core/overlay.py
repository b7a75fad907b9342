"""What is shown of an entity, or of a part of it: what the server has, and own writes on top. Pure.

Knows which records are shown, and in which order. Must not know how a write looks (`fold` does),
how either side comes about, nor stores, connections or clocks.

A write is shown from the call until its change has come back from the server,
so it never flickers: between the acknowledgement and the change it stays on
top, with the values that won in place of those that lost. What is an operation
is applied to what is beneath it, whatever that is by then; where it cannot be,
that shows as it is: the server will reject it.

Snapshots are stable: a record is the same object as long as nothing about it
has changed, and all of them are the same object as long as nothing has. After a change it shares
with the one before all but a few of its records: what is shown of 100,000 is not copied.
"""

from __future__ import annotations

from collections.abc import Iterable

from rhtmx.core.fold import Folds
from rhtmx.core.replica import Replica
from rhtmx.core.sorted_chunks import SortedChunks
from rhtmx.core.write_queue import WriteQueue
from rhtmx.values.chunked_tuple import ChunkedTuple
from rhtmx.values.record import Record, TextRecord, same

__all__ = ["Overlay"]


class Overlay:
    """What is shown of one entity, or of the part of it that the replica is.

    A record is in the part, or is not, as it is shown: an own write that takes it out makes it
    vanish at once.

    Args:
        replica: the entity as the server has it.
        queue: the writes of this client.

    Attributes:
        dirty: the records about which something may have changed since they were shown.
        folds: puts its records together.
    """

    def __init__(self, replica: Replica, queue: WriteQueue) -> None:
        self._replica = replica
        self._queue = queue
        self.folds = Folds(replica.entity, replica.granularity)
        self._shown: SortedChunks[str, Record] = SortedChunks()
        self.dirty = replica.ids() | queue.records(replica.entity)

    def touch(self, ids: Iterable[str]) -> None:
        """Something about these records may have changed."""
        self.dirty.update(ids)

    def get(self, entity_id: str) -> Record | None:
        """One record."""
        if entity_id in self.dirty:
            self._refresh()
        return self._shown.get(entity_id)

    def snapshot(self) -> ChunkedTuple[Record]:
        """All records, by id."""
        self._refresh()
        return self._shown.snapshot()

    # Inside.

    def _refresh(self) -> None:
        """Put together anew what may have changed."""
        changed: dict[str, Record | None] = {}
        for entity_id in self.dirty:
            before = self._shown.get(entity_id)
            now = self._put_together(entity_id)
            if before is None or now is None:
                if before is not now:
                    changed[entity_id] = now
            elif not same(before, now):
                changed[entity_id] = now
        self.dirty.clear()  # the same set: the write queue adds to it
        self._shown.update(changed)

    def _put_together(self, entity_id: str) -> Record | None:
        held = self._replica.get(entity_id)
        rows = self._queue.of(self._replica.entity, entity_id)
        if not rows:
            self.folds.forget(entity_id)
            if held is None or not self._replica.has(held):
                return None
            return TextRecord(entity_id, held.data, held.version, pending=False)
        where = self._replica.where
        there, data = self.folds.of(entity_id, held, rows)
        if not there or (where is not None and not where.has(data)):
            return None
        version = 0 if held is None else held.version
        for row in rows:
            if row.settled is None:
                break  # those that are settled come first
            version = max(version, row.settled.version)
        # The last ones that wait, if there are any: asked from there, it is a short question.
        pending = any(row.settled is None for row in reversed(rows))
        return Record(entity_id, data, version, pending)
