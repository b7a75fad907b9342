"""What an edit of a whole record builds on, and what is remembered for it. Pure.

Knows records, own writes and what they are based on. Must not know how an edit is made, nor what
is read of an entity.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rhtmx.core.fold import Folds, fold
from rhtmx.core.granularity import Granularity
from rhtmx.core.record_writes import RecordWrites
from rhtmx.core.storage_ops import HeldRecord, Settled, Write
from rhtmx.messages import Push

__all__ = ["AnsweredWrites", "EditBase", "edit_base"]

_MOST = 100
"""So many answered writes of entities that are not read are remembered."""


@dataclass(frozen=True, slots=True)
class EditBase:
    """A record as this client knows it, own writes included.

    Attributes:
        data: it.
        version: what a write that takes its place is based on; 0: that there is none.
        epoch: of that version.
        builds_on: the id of the own write without an answer that is in it, if there is one; then
            what that becomes is the version, and `version` what that one is based on.
    """

    data: Any
    version: int
    epoch: str | None
    builds_on: str | None = None


def edit_base(
    entity: str,
    entity_id: str,
    held: HeldRecord | None,
    rows: RecordWrites,
    *,
    folds: Folds,
    epoch: str | None,
) -> EditBase | None:
    """What is known of a record; `None` for nothing, or that it is not there.

    Args:
        entity: the collection.
        entity_id: the record.
        held: it, as the server has told it.
        rows: the own writes of it, in order: those that are settled, then those that wait.
        folds: puts records of the entity together.
        epoch: of the version that is held.
    """
    record = (entity, entity_id)
    if held is None and not any(isinstance(each, Push) for each in _latest(rows, record)):
        return None  # of what is beneath fields nothing is known
    there, data = folds.of(entity_id, held, rows)
    if not there:
        return None
    version = 0 if held is None else held.version
    for row in rows:
        if row.settled is None:
            break  # those that are settled come first
        if row.settled.version >= version:
            version, epoch = row.settled.version, row.settled.epoch
    last = rows[-1] if rows else None
    if last is None or last.settled is not None:
        return EditBase(data, version, epoch)
    base = next(_latest(rows, record)).base_version
    if base is None:
        return EditBase(data, version, epoch, last.id)
    return EditBase(data, base, last.epoch, last.id)


def _latest(rows: RecordWrites, record: tuple[str, str]) -> Iterator[Write]:
    """The writes of a record, the latest first."""
    for row in reversed(rows):
        for each in reversed(row.writes):
            if (each.entity, each.entity_id) == record:
                yield each


class AnsweredWrites:
    """The last own writes of whole records that were answered, and that nothing else tells of.

    What somebody else has written since, is not in them: what builds on one says its version, and
    is in conflict then. So one is forgotten as soon as a write of its record is rejected.
    """

    def __init__(self) -> None:
        self._writes: OrderedDict[tuple[str, str], tuple[Write, Settled]] = OrderedDict()

    def remember(self, write: Write, settled: Settled) -> None:
        """A write is durable, and nobody reads its entity."""
        record = (write.entity, write.entity_id)
        self._writes.pop(record, None)
        if isinstance(write, Push):
            self._writes[record] = write, settled
            if len(self._writes) > _MOST:
                self._writes.popitem(last=False)

    def forget(self, entity: str, entity_id: str) -> None:
        """What is remembered of a record is not what it is any more."""
        self._writes.pop((entity, entity_id), None)

    def get(self, entity: str, entity_id: str) -> EditBase | None:
        """A record as it was left, if that is remembered."""
        write, settled = self._writes.get((entity, entity_id), (None, None))
        if write is None or settled is None:
            return None
        there, data = fold(None, [(write, settled)], Granularity.RECORDS)
        return EditBase(data, settled.version, settled.epoch) if there else None
