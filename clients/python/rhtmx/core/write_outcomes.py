"""What becomes of this client's writes: sent, answered, rejected, in conflict. Pure.

Knows what an answer means for the queue. Must not know the connection, clocks,
randomness or disks: times are arguments. Nothing that was not acknowledged is
ever forgotten: what the server rejects is kept until the application
tries it again or gives it up.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

from rhtmx.core.conflict import of_field, of_record, standing_text
from rhtmx.core.conflict_log import answered_meanwhile, is_removal
from rhtmx.core.edit_base import AnsweredWrites
from rhtmx.core.error_policy import Reaction, reaction_to
from rhtmx.core.events import Answered, Conflicted, Event, Refused, Rejected, TokenNeeded
from rhtmx.core.queued_write import QueuedWrite, WriteState
from rhtmx.core.retry_after import RetryAfter
from rhtmx.core.storage_ops import (
    AddWrite,
    DropRejection,
    Image,
    Op,
    PendingOps,
    PutRejection,
    PutWrite,
    Settled,
    StoredRejection,
    Write,
)
from rhtmx.core.write_clock import WriteClock
from rhtmx.core.write_queue import WriteQueue
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    FieldConflict,
    FieldPushAck,
    Push,
    PushAck,
    PushFields,
    TransactionAck,
    Winner,
    WriteResult,
)
from rhtmx.values.transaction_writes import conflicts_of

__all__ = ["WriteOutcomes"]

_MOST_REJECTED = 1000
"""So many rejected writes are kept where there is no store: their callers were told."""


class WriteOutcomes:
    """The writes of one client, and what becomes of each.

    Args:
        pending_ops: where what changes is put down.
        random: for the wait after a refusal that may pass.
        tell: reports an event.

    Attributes:
        queue: the writes without an answer, and those whose change has not arrived.
        rejected: those that were rejected, oldest first.
        hold: the wait after a refusal that may pass.
        recent: the last ones that were answered, of entities that are not read.
        revision: another number whenever anything here has changed.
    """

    def __init__(
        self,
        pending_ops: PendingOps,
        random: Callable[[], float],
        tell: Callable[[Event], None],
    ) -> None:
        self.queue = WriteQueue(pending_ops)
        self.rejected: dict[str, StoredRejection] = {}
        self.recent = AnsweredWrites()
        self.revision = 0
        self._pending_ops = pending_ops
        self.hold = RetryAfter(random)
        self._tell = tell
        self._needs_token = False
        self._conflicts: dict[int, list[FieldConflict]] = {}
        self._replaced: dict[str, StoredRejection] = {}
        self._ticks = WriteClock()

    def load(self, image: Image) -> None:
        """Begin with what was kept."""
        self.queue.load(image.rows, image.last)
        for row in image.rows:
            self._ticks.used(datetime.fromtimestamp(row.since, UTC))
        self.rejected = {each.id: each for each in image.rejected}
        self.revision += 1

    # What the application does.

    def time(self, now: datetime) -> datetime:
        """The time of the next write: later than that of every other; see `write_clock`."""
        return self._ticks.next(now, waits=len(self.queue) > 0)

    def add(self, row: QueuedWrite, instead: str | None = None) -> None:
        """Write; in the place of a rejected write, if that is named."""
        if instead in self.rejected:
            self._replaced[row.id] = self.rejected.pop(instead)
            if not self._pending_ops.durable:
                del self._replaced[row.id]
        self.queue.add(row, instead)
        self.revision += 1

    def discard(self, request_id: str) -> None:
        """Give a rejected write up."""
        if self.rejected.pop(request_id, None) is not None:
            self._pending_ops.put(DropRejection(request_id))
            self.revision += 1

    # What the store says.

    def stored(self, ops: Sequence[Op]) -> None:
        """What was put down is stored."""
        if any(isinstance(op, PutWrite) for op in ops):
            self.revision += 1
        self.queue.stored(ops)

    def added(self, add: AddWrite, seq: int) -> None:
        """A new write is stored, under this number."""
        self._replaced.pop(add.row.id, None)
        row = self.queue.get(add.row.id)
        if row is not None:
            self.queue.number(row, add.row, seq)
            self.revision += 1

    def not_added(self, add: AddWrite, error: RhtmxError) -> None:
        """A new write cannot be stored: it is taken back."""
        row = self.queue.get(add.row.id)
        if row is None:
            return
        if row.renewed:  # it is in the store, and only waits for its next number
            self.queue.not_numbered(row)
            self.revision += 1
            return
        row.not_kept = error
        self.queue.forget(row)
        replaced = self._replaced.pop(row.id, None)
        if replaced is not None:
            self.rejected = {replaced.id: replaced, **self.rejected}
        self.revision += 1
        self._tell(Refused(row.id, error))

    # What the connection says.

    def begin(self, settled: int, epoch: str) -> None:
        """A connection begins; `settled` is the last number that the server knows."""
        self._conflicts.clear()
        self._needs_token = False
        self.hold.clear()
        self.revision += 1
        self.queue.begin(settled, epoch)

    def authenticated(self) -> None:
        """There is a fresh token."""
        self._needs_token = False

    def due(self, most: int | None = None) -> Sequence[QueuedWrite]:
        """What is to be sent, in order, `most` of it; it counts as sent."""
        return () if self._needs_token or self.hold.until is not None else self.queue.due(most)

    def conflict(self, conflict: FieldConflict) -> None:
        """Keep a conflict until the answer to its write."""
        if conflict.seq is not None:
            self._conflicts.setdefault(conflict.seq, []).append(conflict)

    def answered(
        self, answer: PushAck | FieldPushAck | TransactionAck, epoch: str
    ) -> list[QueuedWrite]:
        """A write is durable: from now on it only waits for its change.

        Args:
            answer: what the server says of it.
            epoch: the connection's.

        Returns:
            The write, or those of a transaction; none if it was answered before.
        """
        row = self._find(answer.seq, answer.request_id)
        if row is None:
            return []
        conflicts = self._conflicts.pop(row.seq, [])
        self.hold.passed()
        epoch = answer.epoch or epoch
        parts = _parts(row, answer, conflicts)
        rows = self.queue.settle(row, *[_settled(each, lost, epoch) for _, each, lost in parts])
        self.revision += 1
        self._tell(Answered(row.id, answer, conflicts))
        for write, result, its_own in parts:
            if its_own and isinstance(write, PushFields):
                for each in its_own:
                    self._tell(Conflicted(of_field(each, write, result.version, epoch)))
        return rows

    def refuse(self, error: RhtmxError, now: float) -> bool:
        """Something was refused; returns whether it was a write."""
        row = self._find(error.seq, error.request_id)
        if row is None:
            return error.seq is not None  # said of a number that no write has any more
        becomes = reaction_to(error)
        if becomes is Reaction.RETRY:
            self.hold.refused(error, now)
        if becomes not in (Reaction.REJECT, Reaction.RENEW) and row.state is not WriteState.SENT:
            return True  # it is sent again in any case
        self._conflicts.pop(row.seq, None)
        match becomes:
            case Reaction.RETRY:
                self.queue.rewind(row)
            case Reaction.REAUTHENTICATE:
                self.queue.rewind(row)
                self._needs_token = True
                self._tell(TokenNeeded())
            case Reaction.RENEW:
                self.queue.renew(row)
                self.revision += 1
            case Reaction.REORDER if self._reorder(row, error):
                pass
            case _:
                self.reject(row, error)
        return True

    def reject(self, row: QueuedWrite, error: RhtmxError) -> None:
        """A write is rejected.

        It is kept; but that a conflict is answered has nothing of its own that could be lost.
        """
        for record in row.records:
            self.recent.forget(*record)
        late = answered_meanwhile(row.message, error)
        error = late or error
        if late is not None and is_removal(row.message):
            self.queue.drop(row)
            self.revision += 1
            self._tell(Refused(row.id, error))
            return
        write = StoredRejection(
            row.id, row.message, error.code, error.message, error.details, row.since, row.epoch
        )
        self.queue.drop(row)
        self.rejected[write.id] = write
        self._pending_ops.put(PutRejection(write))
        if not self._pending_ops.durable and len(self.rejected) > _MOST_REJECTED:
            del self.rejected[next(iter(self.rejected))]
        self.revision += 1
        self._tell(Refused(row.id, error))
        self._tell(Rejected(write))
        if error.code is ErrorCode.CONFLICT and isinstance(row.message, Push):
            self._tell(Conflicted(of_record(write)))

    # Inside.

    def _find(self, seq: int | None, request_id: str | None) -> QueuedWrite | None:
        if seq is not None:
            return self.queue.numbered(seq)
        row = self.queue.get(request_id or "")
        # One without a number was not sent: what is said of it is about its former number.
        return None if row is None or row.state is WriteState.NEW else row

    def _reorder(self, row: QueuedWrite, error: RhtmxError) -> bool:
        """Close a gap; returns whether there is one."""
        settled = json.loads(error.details or b"{}").get("last_seq")
        if not isinstance(settled, int) or settled >= row.seq:
            return False  # it was answered long ago, and the answer is forgotten
        if error.request_id in (None, row.id):  # or it is about a number's former owner
            self.queue.close_gap(settled)
        return True


_Result: TypeAlias = PushAck | FieldPushAck | WriteResult


def _parts(
    row: QueuedWrite,
    answer: PushAck | FieldPushAck | TransactionAck,
    conflicts: Sequence[FieldConflict],
) -> list[tuple[Write, _Result, Sequence[FieldConflict]]]:
    """Each write that an answer is about, what came of it, and its conflicts.

    Raises:
        RhtmxError: `BAD_MESSAGE`, it is no answer to that.
    """
    results = answer.results if isinstance(answer, TransactionAck) else (answer,)
    if len(results) != len(row.writes):
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE,
            f"seq {row.seq}: a result for each of its {len(row.writes)} writes expected, got "
            f"{len(results)}",
        )
    if len(results) == 1:
        return [(row.writes[0], results[0], conflicts)]
    return [
        (write, result, conflicts_of(write, conflicts))
        for write, result in zip(row.writes, results, strict=True)
    ]


def _settled(result: _Result, conflicts: Sequence[FieldConflict], epoch: str) -> Settled:
    """What a write waits with for its change."""
    lost = {each.field: standing_text(each) for each in conflicts if _has_taken_a_field(each)}
    return Settled(result.version or 0, epoch, lost, result.prepared)


def _has_taken_a_field(conflict: FieldConflict) -> bool:
    """Whether another value stands in a whole field; of a key, the conflict does not say it."""
    return conflict.winner is Winner.SERVER and conflict.key is None
