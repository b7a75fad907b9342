"""The writes of one client, from the call until their change has come back. Pure.

Knows order and numbers: what is due, what is in flight, what is sent again.
Must not know the connection, clocks, disks, or what an answer means.

A write is sent on every connection until it is answered. The server knows by
its number whether it has taken effect, and then only repeats the answer. So a
number must be stored before it is sent: a write that came back after a crash
under another one would take effect twice.

State and event → state, of one write; what is empty cannot happen:

=========  ========  ======  ================  ===========  =======  =========  ======
state      `number`  `due`   `begin`,          `close_gap`  `renew`  `settle`   `drop`
                             `rewind`
=========  ========  ======  ================  ===========  =======  =========  ======
`NEW`      `UNSENT`
`UNSENT`             `SENT`  `UNSENT`          `UNSENT`     `NEW`    `SETTLED`  `GONE`
`SENT`               `SENT`  `UNSENT`; with    `UNSENT`,    `NEW`    `SETTLED`  `GONE`
                             `rewind` those    those after
                             from `row` on     the gap
`SETTLED`                                                                       `GONE`
=========  ========  ======  ================  ===========  =======  =========  ======

`due` takes an `UNSENT` write only if it is stored as it is, and so are all before it; and not
while what it builds on is ahead of it (`QueuedWrite.builds_on`).
Where there is no store, a `NEW` one is `UNSENT` at once; one that the store cannot take is
`GONE` (`forget`), or, if it was renewed, `NEW` again, at the end (`not_numbered`).

What always holds, of the collections below:

- A write is in one of `_sent`, `_unsent` (`NEW` ones, too) and `_settled`, as its state says.
- The order of those that wait is first `_sent`, then `_unsent`; along it the numbers rise,
  and those that have none yet are last.
- `_numbers` are the writes that wait and have a number, each under its own.
- `_records` are all writes, each under its record, and under no other; a transaction is under
  each of its records. When it is answered, each of its writes is one of its own.
- `_doubtful` are the operations (and what else a write with one says) that wait, and of which
  only the answer will say whether they are in what the server sends: those that are `SENT`,
  and those that the server had decided before this connection began.
- `_leaving` are numbers whose end is not in the store yet. They are never confirmed: the
  server would forget the answer, and a write that came back after a crash get another one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain, count

from rhtmx.core.altered_writes import AlteredWrites
from rhtmx.core.queued_write import QueuedWrite, WriteState
from rhtmx.core.record_writes import RecordWrites
from rhtmx.core.storage_ops import (
    AddWrite,
    DropWrite,
    PendingOps,
    PutWrite,
    SetLast,
    Settled,
    StoredWrite,
)
from rhtmx.messages import Transaction

__all__ = ["WriteQueue"]


class WriteQueue:
    """The writes of one client, in order.

    Args:
        pending_ops: where what changes is put down.

    Attributes:
        last: the last number that was given.
        touched: the entities of which writes have come, gone or been settled since this
            was cleared.
        altered: the writes that have come, gone or changed since somebody looked.
        unstored_marks: how often a write has become one that is not in the store as it is here.
    """

    def __init__(self, pending_ops: PendingOps) -> None:
        self.last = 0
        self.touched: set[str] = set()
        self.altered = AlteredWrites()
        self.unstored_marks = 0
        self._pending_ops = pending_ops
        self._sent: dict[str, QueuedWrite] = {}
        self._unsent: dict[str, QueuedWrite] = {}
        self._settled: dict[str, dict[str, QueuedWrite]] = {}
        self._numbers: dict[int, QueuedWrite] = {}
        self._records: dict[tuple[str, str], RecordWrites] = {}
        self._building: dict[str, list[QueuedWrite]] = {}
        self._unstored: dict[str, int] = {}
        self._places = count(1)
        self._leaving: dict[str, int] = {}
        self._doubtful: dict[str, dict[str, QueuedWrite]] = {}
        self._decided = 0
        self._watched: dict[str, list[set[str]]] = {}

    def load(self, rows: Iterable[StoredWrite], last: int) -> None:
        """Begin with what was kept."""
        self.last = last
        numberless = []
        for kept in rows:
            row = QueuedWrite(kept.id, kept.message, kept.seq, kept.epoch, kept.since, kept.settled)
            row.builds_on, row.stored = kept.builds_on, True
            if not row.seq and row.settled is None:
                numberless.append(row)  # renewed, and then the program ended
                continue
            self._enter(row)
            if row.settled is not None:
                self._put_settled(row)
            else:
                row.state = WriteState.UNSENT
                self._unsent[row.id] = self._numbers[row.seq] = row
        for row in numberless:
            row.renewed = True
            self.add(row)

    # What is in it.

    def __iter__(self) -> Iterator[QueuedWrite]:
        """The writes without an answer, in order."""
        return chain(self._sent.values(), self._unsent.values())

    def __len__(self) -> int:
        return len(self._sent) + len(self._unsent)

    def get(self, request_id: str) -> QueuedWrite | None:
        """A write without an answer, by its id."""
        return self._sent.get(request_id) or self._unsent.get(request_id)

    def numbered(self, seq: int | None) -> QueuedWrite | None:
        """A write without an answer, by its number."""
        return self._numbers.get(seq or 0)

    def of(self, entity: str, entity_id: str) -> RecordWrites:
        """The writes of one record, in order: those that are settled, then those that wait."""
        return self._records.get((entity, entity_id)) or RecordWrites()

    def records(self, entity: str) -> set[str]:
        """The records of an entity that have any."""
        return {each for name, each in self._records if name == entity}

    def settled(self, entity: str) -> Collection[QueuedWrite]:
        """The writes of an entity whose change has not arrived, in the order of their answers."""
        return self._settled.get(entity, {}).values()

    @property
    def oldest_unstored(self) -> int | None:
        """The mark of the first write that waits and is not in the store; `None`: all are.

        Of those that had a lower one each has been stored, or has gone.
        """
        return next(iter(self._unstored.values()), None)

    def unstored(self) -> list[QueuedWrite]:
        """The writes that wait and would not survive the end of the program."""
        return [row for each in self._unstored if (row := self.get(each)) and not row.survives]

    def is_unstored(self, row: QueuedWrite) -> bool:
        """Whether a write is one of these."""
        return row.id in self._unstored and not row.survives

    @property
    def confirmed(self) -> int:
        """Every answer up to this number has arrived, and is stored."""
        first = next(iter(self), None)
        waiting = [first.seq] if first is not None and first.seq else []
        return min([self.last + 1, *waiting, *self._leaving.values()]) - 1

    def doubtful(self, entity: str) -> tuple[int, int] | None:
        """The first and the last number of the operations that may be in what arrives now.

        An operation takes effect once, so it must not be shown on top of a value that has it.
        """
        rows = self._doubtful.get(entity)
        if not rows:
            return None
        return next(iter(rows.values())).seq, next(reversed(rows.values())).seq

    def watch(self, entity: str, changed: set[str]) -> None:
        """From now on, put the records of an entity whose writes change into `changed`."""
        self._watched.setdefault(entity, []).append(changed)

    def unwatch(self, entity: str, changed: set[str]) -> None:
        """Put nothing into `changed` any more."""
        # By identity: two sets may be equal.
        left = [each for each in self._watched.pop(entity, ()) if each is not changed]
        if left:
            self._watched[entity] = left

    # Coming in.

    def add(self, row: QueuedWrite, instead: str | None = None) -> None:
        """Put a write at the end; the store gives it its number."""
        self._unsent[row.id] = row
        self._enter(row)
        if not row.stored:
            self._mark_unstored(row)
        self._touch(row)
        if self._pending_ops.durable:
            self._pending_ops.add(AddWrite(row.kept(), instead))
        else:
            self.number(row, row.kept(), self.last + 1)

    def number(self, row: QueuedWrite, kept: StoredWrite, seq: int) -> None:
        """The store has a write, under this number.

        It gets another one if the server has meanwhile turned out to know fewer
        numbers, or more.
        """
        self._leaving.pop(row.id, None)
        row.state = WriteState.UNSENT
        row.stored = seq == self.last + 1 and row.message is kept.message
        self.last = row.seq = self.last + 1
        self._numbers[row.seq] = row
        if seq != self.last:
            self._pending_ops.put(SetLast(self.last))
        if row.stored:
            self._unstored.pop(row.id, None)
            self.altered.note(row)
        else:
            self._keep(row)

    def renew(self, row: QueuedWrite) -> None:
        """Give a write a fresh number, at the end."""
        self._leave(row)
        self.forget(row)
        row.seq, row.renewed, row.state = 0, True, WriteState.NEW
        # The store lets go of the old number, too: it may be given to another write meanwhile,
        # if the server has forgotten it, and two under one number could not be told apart.
        self._keep(row)
        self.add(row)

    def not_numbered(self, row: QueuedWrite) -> None:
        """The store could not give a renewed write its number: it waits for another, at the end.

        At the end, since those behind it may have got theirs: numbers rise along the queue,
        else the server would be sent a gap, and an answer be taken for another write's.
        """
        self.forget(row)
        row.state = WriteState.NEW
        self.add(row)

    def stored(self, ops: Iterable[object]) -> None:
        """What was put down is stored."""
        for op in ops:
            if isinstance(op, DropWrite):
                self._leaving.pop(op.id, None)
            elif isinstance(op, PutWrite):
                row = self.get(op.row.id)
                if row is not None:
                    # It may have changed while this was under way.
                    row.stored = (op.row.seq, op.row.message) == (row.seq, row.message)
                    if row.stored:
                        self._unstored.pop(row.id, None)
                    self.altered.note(row)
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
            self._count_from(settled)
        elif numbered and numbered[0].seq > settled + 1:
            self.renumber(numbered, settled)
        elif settled > self.last:
            self._count_from(settled)
        for row in self:
            # One that the server may have taken keeps its base: the answer is repeated.
            if row.epoch not in (None, epoch) and not 0 < row.seq <= settled:
                row.rebase()
                if row.seq:
                    self._keep(row)
        self._decided = settled
        self._unsend(list(self._sent.values()))
        self._doubtful.clear()
        for row in self:
            if 0 < row.seq <= settled:
                self._doubt(row)

    def sent(self) -> list[QueuedWrite]:
        """What was sent on this connection and has no answer, in order."""
        return list(self._sent.values())

    def due(self, most: int | None = None) -> list[QueuedWrite]:
        """What is to be sent now, in order, `most` of it; it counts as sent."""
        due: dict[str, QueuedWrite] = {}
        for row in self._unsent.values():
            # Nothing overtakes: the server takes numbers in their order only.
            if not (row.seq and row.stored) or len(due) == most:
                break
            if row.builds_on in self._sent or row.builds_on in due:
                break
            due[row.id] = row
        for row in due.values():
            row.state = WriteState.SENT
            self._sent[row.id] = self._unsent.pop(row.id)
            self._doubt(row)
        return list(due.values())

    def rewind(self, row: QueuedWrite) -> None:
        """Send a write and all after it again."""
        if row.state is WriteState.SENT:  # else all after it are unsent, too
            sent = list(self._sent.values())
            self._unsend(sent[sent.index(row) :])

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

    def settle(self, row: QueuedWrite, *settled: Settled) -> list[QueuedWrite]:
        """A write is answered, and its change has not arrived.

        `settled` is the answer; of a transaction, that to each of its writes.

        Returns:
            The write; of a transaction each of its writes, as each waits for its own change.
        """
        for write, each in zip(row.writes, settled, strict=True):
            self._bequeath(row, (write.entity, write.entity_id), each.version, each.epoch)
        if isinstance(row.message, Transaction):
            return self._settle_apart(row, settled)
        waiting = self._sent if row.state is WriteState.SENT else self._unsent
        del waiting[row.id], self._numbers[row.seq]
        self._unstored.pop(row.id, None)
        self._leave(row)
        self._resolve(row)
        (row.settled,) = settled
        if row.settled.lost or row.settled.prepared is not None:  # else it shows as before
            self._records[row.records[0]].revision += 1
        self._put_settled(row)
        self._touch(row)
        self._keep(row)
        return [row]

    def drop(self, row: QueuedWrite) -> None:
        """Forget a write."""
        if row.settled is None:
            self._leave(row)
        self.forget(row)
        self._pending_ops.put(DropWrite(row.id))

    def forget(self, row: QueuedWrite) -> None:
        """Forget a write, without a word to the store."""
        match row.state:
            case WriteState.SENT:
                del self._sent[row.id]
            case WriteState.NEW | WriteState.UNSENT:
                del self._unsent[row.id]
            case WriteState.SETTLED:
                del self._settled[row.writes[0].entity][row.id]
            case WriteState.GONE:
                return
        row.state = WriteState.GONE
        self._unstored.pop(row.id, None)
        self._resolve(row)
        if row.seq and row.settled is None:
            del self._numbers[row.seq]
        for record in row.records:
            rows = self._records[record]
            rows.take_out(row)
            if not rows:
                del self._records[record]
        if row.builds_on is not None:
            self._leave_chain(row, row.builds_on)
        self._touch(row)

    # Inside.

    def _enter(self, row: QueuedWrite) -> None:
        row.place = next(self._places)
        for record in row.records:
            self._records.setdefault(record, RecordWrites()).append(row)
        if row.builds_on is not None:
            self._building.setdefault(row.builds_on, []).append(row)

    def _leave_chain(self, row: QueuedWrite, builds_on: str) -> None:
        building = self._building[builds_on]
        building.remove(row)
        if not building:
            del self._building[builds_on]
        if row.settled is None:
            (write,) = row.writes
            self._bequeath(row, row.records[0], write.base_version, row.epoch)

    def _bequeath(
        self, row: QueuedWrite, record: tuple[str, str], version: int | None, epoch: str | None
    ) -> None:
        """What builds on a write is based on what came of it, or on what that was based on.

        What builds on such an heir is not sent before that is answered or gone, and inherits then.
        """
        for heir in self._building.get(row.id, ()):
            if heir.settled is None and record in heir.records:
                heir.inherit(version, epoch)
                if heir.seq:  # else the store hears of it with its number
                    self._keep(heir)

    def _settle_apart(self, row: QueuedWrite, settled: Sequence[Settled]) -> list[QueuedWrite]:
        rows = []
        for index, (write, each) in enumerate(zip(row.writes, settled, strict=True)):
            part = QueuedWrite(f"{row.id}/{index}", write, row.seq, row.epoch, row.since, each)
            # What was written later stays on top of it.
            self._records[part.records[0]].put_before(row, part)
            rows.append(part)
        self.drop(row)
        for part in rows:  # in one batch with that, so that a store has the one or the others
            self._put_settled(part)
            self._keep(part)
        return rows

    def _unsend(self, rows: list[QueuedWrite]) -> None:
        """These, the last ones that were sent, are to be sent again, before all others."""
        for row in rows:
            row.state = WriteState.UNSENT
            del self._sent[row.id]
            if row.seq > self._decided:
                self._resolve(row)
        self._unsent = {row.id: row for row in chain(rows, self._unsent.values())}

    def _put_settled(self, row: QueuedWrite) -> None:
        row.state = WriteState.SETTLED
        self._settled.setdefault(row.writes[0].entity, {})[row.id] = row

    def _touch(self, row: QueuedWrite) -> None:
        self.altered.note(row)
        for entity, entity_id in row.records:
            self.touched.add(entity)
            for watcher in self._watched.get(entity, ()):
                watcher.add(entity_id)

    def _doubt(self, row: QueuedWrite) -> None:
        if row.operates:
            for entity, _ in row.records:
                self._doubtful.setdefault(entity, {})[row.id] = row

    def _resolve(self, row: QueuedWrite) -> None:
        if row.operates:
            for entity, _ in row.records:
                self._doubtful.get(entity, {}).pop(row.id, None)

    def _leave(self, row: QueuedWrite) -> None:
        if self._pending_ops.durable:
            self._leaving[row.id] = row.seq

    def _keep(self, row: QueuedWrite) -> None:
        row.stored = not self._pending_ops.durable
        if not row.stored:
            if row.settled is None:
                self._mark_unstored(row)
            self._pending_ops.put(PutWrite(row.kept()))
        self.altered.note(row)

    def _mark_unstored(self, row: QueuedWrite) -> None:
        if row.id not in self._unstored:
            self.unstored_marks += 1
            self._unstored[row.id] = self.unstored_marks

    def _count_from(self, settled: int) -> None:
        self.last = settled
        self._pending_ops.put(SetLast(settled))
