"""What a client keeps, in memory: as long as the process, and no longer.

Knows ops. Must not know what they are for. It does what a durable store does,
so that tests can stop a client and start it again with what was stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rhtmx.core.granularity import Granularity
from rhtmx.core.storage_ops import (
    AddWrite,
    DropRecord,
    DropRejection,
    DropWrite,
    Image,
    Op,
    PutRecord,
    PutRejection,
    PutWrite,
    SetIdentity,
    SetLast,
    SetPosition,
    StoredEntity,
    StoredRejection,
    StoredWrite,
)
from rhtmx.errors import RhtmxError
from rhtmx.messages import Position

__all__ = ["MemoryStore"]


class MemoryStore:
    """A store that forgets with the process.

    Args:
        client_id: the client whose store it is.

    Attributes:
        secret: what gives that client the right to its id.
        failure: raised in place of every change, while it is set.
    """

    def __init__(self, client_id: str) -> None:
        self.client_id = client_id
        self.secret: str | None = None
        self.failure: RhtmxError | None = None
        self._last = 0
        self._rows: dict[str, StoredWrite] = {}
        self._refused: dict[str, StoredRejection] = {}
        self._entities: dict[str, StoredEntity] = {}

    def load(self) -> Image:
        """Read everything."""
        rows = sorted(self._rows.values(), key=_order)
        entities = {
            name: StoredEntity(
                kept.position, kept.granularity, dict(kept.records), dict(kept.parts)
            )
            for name, kept in self._entities.items()
        }
        refused = list(self._refused.values())
        return Image(self.client_id, self._last, rows, refused, entities, self.secret)

    def add(self, adds: Sequence[AddWrite], ops: Sequence[Op] = ()) -> list[int]:
        """Apply ops, then number and store new writes.

        Raises:
            RhtmxError: the `failure` that was set.
        """
        if self.failure is not None:
            raise self.failure
        for op in ops:
            self._apply(op)
        numbers = []
        for each in adds:
            self._last += 1
            self._rows[each.row.id] = replace(each.row, seq=self._last)
            self._refused.pop(each.instead or "", None)
            numbers.append(self._last)
        return numbers

    def close(self) -> None:
        """Nothing to let go of."""

    def _apply(self, op: Op) -> None:
        match op:
            case PutRecord(entity, entity_id, held):
                self._entity(entity).records[entity_id] = held
            case DropRecord(entity, entity_id):
                self._entity(entity).records.pop(entity_id, None)
            case SetPosition(entity, position, granularity, where):
                self._entity(entity).set_place(where, position, granularity)
            case PutWrite(row):
                self._rows[row.id] = row
            case DropWrite(row_id):
                self._rows.pop(row_id, None)
            case PutRejection(refused):
                self._refused[refused.id] = refused
            case DropRejection(refused_id):
                self._refused.pop(refused_id, None)
            case SetLast(last):
                self._last = last
            case SetIdentity(client_id, secret):
                self.client_id, self.secret = client_id, secret

    def _entity(self, entity: str) -> StoredEntity:
        beginning = StoredEntity(Position(epoch="", version=0), Granularity.RECORDS)
        return self._entities.setdefault(entity, beginning)


def _order(row: StoredWrite) -> tuple[bool, int, int]:
    """What is settled first, by its version; then what waits, by its number."""
    if row.settled is not None:
        return (False, row.settled.version, row.seq)
    return (True, row.seq, 0)
