"""The writes of one client, from the call until their change has come back. Pure.

Knows order and numbers: what is due, what is in flight, what is sent again.
Must not know the connection, clocks, disks, or what an answer means.

A write is sent on every connection until it is answered. The server knows by
its number whether it has taken effect, and then only repeats the answer. So a
number must be stored before it is sent: a write that came back after a crash
under another one would take effect twice.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from rhtmx.core.storage_ops import (
    Add,
    DropWrite,
    Mutation,
    PendingOps,
    PutWrite,
    SetLast,
    Settled,
    StoredWrite,
)

__all__ = ["QueuedWrite", "WriteQueue"]


@dataclass(slots=True, eq=False)
class QueuedWrite:
    """One write.

    Attributes:
        id: its request id.
        message: what it says, without a number.
        seq: its number; 0 while the store has not given it one.
        epoch: that of its base version.
        since: when it was made, in seconds since 1970.
        settled: the answer, while its change has not arrived.
        stored: the store has it as it is here.
        renewed: it has been stored before, and only needs another number.
    """

    id: str
    message: Mutation
    seq: int = 0
    epoch: str | None = None
    since: float = 0.0
    settled: Settled | None = None
    stored: bool = False
    renewed: bool = False

    @property
    def record(self) -> tuple[str, str]:
        """The record that it is about."""
        return self.message.entity, self.message.entity_id

    def numbered(self) -> Mutation:
        """It, as it is sent."""
        # betterproto2 0.10 (`Message.__copy__`) leaves unknown fields out. There are none:
        # the wire reads none, and a store that holds any is not opened.
        message = copy.copy(self.message)
        message.request_id, message.seq = self.id, self.seq
        return message

    def kept(self) -> StoredWrite:
        """It, as it is stored."""
        return StoredWrite(self.id, self.seq, self.message, self.epoch, self.since, self.settled)


class WriteQueue:
    """See the head of the file.

    Args:
        pending_ops: where what changes is put down.

    Attributes:
        last: the last number that was given.
    """

    def __init__(self, pending_ops: PendingOps) -> None:
        self.last = 0
        self._pending_ops = pending_ops
        self._waiting: dict[str, QueuedWrite] = {}
        self._settled: dict[str, dict[str, QueuedWrite]] = {}
        self._unsent: dict[str, QueuedWrite] = {}
        self._numbers: dict[int, QueuedWrite] = {}
        self._leaving: dict[str, int] = {}
        self._records: dict[tuple[str, str], list[QueuedWrite]] = {}

    def load(self, rows: Iterable[StoredWrite], last: int) -> None:
        """Begin with what was kept."""
        self.last = last
        for kept in rows:
            row = QueuedWrite(*_values(kept), stored=True)
            self._records.setdefault(row.record, []).append(row)
            if row.settled is not None:
                self._settled.setdefault(row.message.entity, {})[row.id] = row
            else:
                self._waiting[row.id] = self._numbers[row.seq] = row
        self._unsent = dict(self._waiting)

    # What is in it.

    def __iter__(self) -> Iterator[QueuedWrite]:
        """The writes without an answer, in order."""
        return iter(self._waiting.values())

    def __len__(self) -> int:
        return len(self._waiting)

    def get(self, request_id: str) -> QueuedWrite | None:
        """A write without an answer, by its id."""
        return self._waiting.get(request_id)

    def numbered(self, seq: int | None) -> QueuedWrite | None:
        """A write without an answer, by its number."""
        return self._numbers.get(seq or 0)

    def of(self, entity: str, entity_id: str) -> list[QueuedWrite]:
        """The writes of one record, in order: those that are settled, then those that wait."""
        return self._records.get((entity, entity_id), [])

    def records(self, entity: str) -> set[str]:
        """The records of an entity that have any."""
        return {each for name, each in self._records if name == entity}

    def settled(self, entity: str) -> Collection[QueuedWrite]:
        """The writes of an entity whose change has not arrived, in the order of their answers."""
        return self._settled.get(entity, {}).values()

    @property
    def confirmed(self) -> int:
        """Every answer up to this number has arrived, and is stored.

        The server forgets what is confirmed. A write that came back after a crash
        would get another answer than the one it had.
        """
        first = next(iter(self._waiting.values()), None)
        waiting = [first.seq] if first is not None and first.seq else []
        return min([self.last + 1, *waiting, *self._leaving.values()]) - 1

    # Coming in.

    def add(self, row: QueuedWrite, instead: str | None = None) -> None:
        """Put a write at the end; the store gives it its number."""
        self._waiting[row.id] = self._unsent[row.id] = row
        self._records.setdefault(row.record, []).append(row)
        if self._pending_ops.durable:
            self._pending_ops.add(Add(row.kept(), instead))
        else:
            self.number(row, row.kept(), self.last + 1)

    def number(self, row: QueuedWrite, kept: StoredWrite, seq: int) -> None:
        """The store has a write, under this number.

        It gets another one if the server has meanwhile turned out to know fewer
        numbers, or more.
        """
        self._leaving.pop(row.id, None)
        row.stored = seq == self.last + 1 and row.message is kept.message
        self.last = row.seq = self.last + 1
        self._numbers[row.seq] = row
        if seq != self.last:
            self._pending_ops.put(SetLast(self.last))
        if not row.stored:
            self._keep(row)

    def renew(self, row: QueuedWrite) -> None:
        """Give a write a fresh number, at the end."""
        self.forget(row)
        self._leave(row)
        row.seq, row.stored, row.renewed = 0, False, True
        self.add(row)

    def stored(self, ops: Iterable[object]) -> None:
        """What was put down is stored."""
        for op in ops:
            if isinstance(op, DropWrite):
                self._leaving.pop(op.id, None)
            elif isinstance(op, PutWrite):
                row = self._waiting.get(op.row.id)
                if row is not None:
                    row.stored = (op.row.seq, op.row.message) == (row.seq, row.message)
                elif op.row.settled is not None:
                    self._leaving.pop(op.row.id, None)

    # Going out.

    def begin(self, settled: int, epoch: str) -> None:
        """A connection begins.

        Args:
            settled: the last number that the server knows.
            epoch: that of its store.
        """
        numbered = [row for row in self if row.seq]
        if not numbered and settled != self.last:
            self.last = settled
            self._pending_ops.put(SetLast(settled))
        elif numbered and numbered[0].seq > settled + 1:
            self.renumber(numbered, settled)
        elif settled > self.last:
            self.last = settled
            self._pending_ops.put(SetLast(settled))
        for row in self:
            if row.epoch not in (None, epoch) and not 0 < row.seq <= settled:
                self._rebase(row)
        self._unsent = dict(self._waiting)

    def sent(self) -> list[QueuedWrite]:
        """What was sent on this connection and has no answer, in order."""
        return [row for row in self if row.id not in self._unsent]

    def due(self, most: int | None = None) -> list[QueuedWrite]:
        """What is to be sent now, in order, `most` of it; it counts as sent."""
        due: list[QueuedWrite] = []
        for row in self._unsent.values():
            if not (row.seq and row.stored) or len(due) == most:
                break
            due.append(row)
        for row in due:
            del self._unsent[row.id]
        return due

    def is_unsent(self, row: QueuedWrite) -> bool:
        """Whether a write is yet to be sent, for the first time or again."""
        return row.id in self._unsent

    def rewind(self, row: QueuedWrite) -> None:
        """Send a write and all after it again."""
        ids = list(self._waiting)
        self._unsent = {each: self._waiting[each] for each in ids[ids.index(row.id) :]}

    def close_gap(self, settled: int) -> None:
        """The server knows nothing above `settled`: go on from there."""
        after = [row for row in self if row.seq > settled]
        if after and after[0].seq != settled + 1:
            self.renumber(after, settled)
        if after:
            self.rewind(after[0])

    def renumber(self, rows: list[QueuedWrite], settled: int) -> None:
        """Number these anew, from the one after `settled`."""
        for row in rows:
            del self._numbers[row.seq]
        for self.last, row in enumerate(rows, settled + 1):
            row.seq = self.last
            self._numbers[row.seq] = row
            self._keep(row)
        self._pending_ops.put(SetLast(self.last))

    # Going away.

    def settle(self, row: QueuedWrite, settled: Settled) -> None:
        """A write is answered, and its change has not arrived."""
        self._waiting.pop(row.id)
        self._unsent.pop(row.id, None)
        del self._numbers[row.seq]
        self._leave(row)
        row.settled = settled
        self._settled.setdefault(row.message.entity, {})[row.id] = row
        self._keep(row)

    def drop(self, row: QueuedWrite) -> None:
        """Forget a write."""
        if row.settled is None:
            self._leave(row)
        self.forget(row)
        self._pending_ops.put(DropWrite(row.id))

    def forget(self, row: QueuedWrite) -> None:
        """Forget a write of which the store knows nothing."""
        self._waiting.pop(row.id, None)
        self._settled.get(row.message.entity, {}).pop(row.id, None)
        self._unsent.pop(row.id, None)
        if self._numbers.get(row.seq) is row:  # or it is another write's now
            del self._numbers[row.seq]
        rows = self._records.get(row.record, [])
        if row in rows:
            rows.remove(row)
        if not rows:
            self._records.pop(row.record, None)

    # Inside.

    def _leave(self, row: QueuedWrite) -> None:
        if self._pending_ops.durable:
            self._leaving[row.id] = row.seq

    def _keep(self, row: QueuedWrite) -> None:
        row.stored = not self._pending_ops.durable
        self._pending_ops.put(PutWrite(row.kept()))

    def _rebase(self, row: QueuedWrite) -> None:
        """Its base version is of a store that is no more."""
        row.message = copy.copy(row.message)
        row.message.base_version = row.epoch = None
        if row.seq:
            self._keep(row)


def _values(kept: StoredWrite) -> tuple[str, Mutation, int, str | None, float, Settled | None]:
    return kept.id, kept.message, kept.seq, kept.epoch, kept.since, kept.settled
