"""What waits for the server, and what it has rejected: shown, and tried again or given up.

Knows the queue and the rejected writes. Must not know how they got there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol, TypeAlias

from rhtmx.api.pending_call import written
from rhtmx.core.queued_write import QueuedWrite, WriteState
from rhtmx.core.sorted_chunks import SortedChunks
from rhtmx.core.storage_ops import Mutation, StoredRejection, Write
from rhtmx.errors import RhtmxError
from rhtmx.messages import FieldAction, FieldUpdate, Push, Transaction
from rhtmx.messages.tables import CHANGE_ACTION_SPELLINGS
from rhtmx.runtime.client_runtime import ClientRuntime
from rhtmx.values.chunked_tuple import ChunkedTuple
from rhtmx.values.field_operations import operation_of
from rhtmx.values.json_value import Json, from_json
from rhtmx.values.operations import OPERATIONS
from rhtmx.values.results import WriteResult
from rhtmx.values.transaction_writes import writes_of

__all__ = ["Decider", "Decisions", "Pending", "RejectedWrite", "TransactionPart"]

WriteAction: TypeAlias = Literal["update", "delete", "patch", "transaction"]
"""What a write is."""


class Decider(Protocol):
    """Who carries a decision about a rejected write out."""

    async def retry(self, request_id: str) -> WriteResult | None:
        """Write a rejected write again."""

    def discard(self, request_id: str) -> None:
        """Give a rejected write up."""


@dataclass(frozen=True, slots=True)
class TransactionPart:
    """One write of a transaction.

    Attributes:
        entity: the collection.
        entity_id: the record.
        action: `update` and `delete` are about the whole record, `patch` about fields.
        data: the whole record, or the fields that are written: values, and operations.
        deleted: the fields that are deleted.
    """

    entity: str
    entity_id: str
    action: WriteAction
    data: Json
    deleted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pending:
    """A write that waits for the server.

    Attributes:
        id: the one of the write.
        seq: its number; 0 while it is being stored.
        entity: the collection; of a transaction, that of its first write.
        entity_id: the record; of a transaction, that of its first write.
        action: `update` and `delete` are about the whole record, `patch` about fields; a
            `transaction` has several `writes`.
        data: the whole record, or the fields that are written: values, and operations.
        deleted: the fields that are deleted.
        since: when it was made.
        stored: it is in the store, and survives the end of this process.
        writes: those of a transaction.
    """

    id: str
    seq: int
    entity: str
    entity_id: str
    action: WriteAction
    data: Json
    deleted: tuple[str, ...]
    since: datetime
    stored: bool
    writes: tuple[TransactionPart, ...] = ()

    @classmethod
    def of(cls, row: QueuedWrite) -> Pending:
        """Make it from a row of the queue."""
        since = datetime.fromtimestamp(row.since, UTC)
        said, writes = _said(row.message)
        return cls(row.id, row.seq, *said, since, row.stored, writes)


@dataclass(frozen=True, slots=True)
class RejectedWrite:
    """A write that the server rejected. It is kept until you decide.

    Attributes:
        id: the one of the write.
        entity: the collection; of a transaction, that of its first write.
        entity_id: the record; of a transaction, that of its first write.
        action: `update` and `delete` are about the whole record, `patch` about fields; a
            `transaction` has several `writes`, of which none was written.
        data: the whole record, or the fields that were written: values, and operations.
        deleted: the fields that were deleted.
        since: when it was made.
        error: why; of a transaction, its `details` say it for each write that is the reason:
            `{"writes": [{"index": 0, "code": "conflict", "message": …, "details": …}]}`. Which
            fields are at fault, its `violations` say.
        writes: those of a transaction.

    Example:
        >>> for rejected in client.rejected:
        ...     print(rejected.entity_id, rejected.error.code.name, rejected.data)
        ...     rejected.discard()
        1 CONFLICT {'title': 'Keep it'}
        >>> client.rejected
        ()
    """

    id: str
    entity: str
    entity_id: str
    action: WriteAction
    data: Json
    deleted: tuple[str, ...]
    since: datetime
    error: RhtmxError
    _decider: Decider = dataclasses.field(repr=False, compare=False)
    writes: tuple[TransactionPart, ...] = ()

    @classmethod
    def of(cls, write: StoredRejection, decider: Decider) -> RejectedWrite:
        """Make it from what is kept."""
        error = RhtmxError(write.code, write.text, request_id=write.id, details=write.details)
        since = datetime.fromtimestamp(write.since, UTC)
        said, writes = _said(write.message)
        return cls(write.id, *said, since, error, decider, writes)

    async def retry(self) -> WriteResult | None:
        """Write it again; it is a new write from now on. Returns when it is durable.

        Returns:
            What came of it; `None` if it had been tried again or given up already.

        Raises:
            RhtmxError: it was rejected again.
        """
        return await self._decider.retry(self.id)

    def discard(self) -> None:
        """Give it up."""
        self._decider.discard(self.id)


def _said(
    message: Mutation,
) -> tuple[tuple[str, str, WriteAction, Json, tuple[str, ...]], tuple[TransactionPart, ...]]:
    """What a mutation says, as an application would put it, and its writes if it has several."""
    writes = [(each.entity, each.entity_id, *_written(each)) for each in writes_of(message)]
    if not isinstance(message, Transaction):
        return writes[0], ()
    parts = tuple(TransactionPart(*each) for each in writes)
    return (parts[0].entity, parts[0].entity_id, "transaction", None, ()), parts


def _written(message: Write) -> tuple[WriteAction, Json, tuple[str, ...]]:
    """Action, data and deleted fields of one write."""
    if isinstance(message, Push):
        action: Any = CHANGE_ACTION_SPELLINGS[message.action]
        return action, from_json(message.data), ()
    deletes = [each.field for each in message.fields if each.action is FieldAction.DELETE]
    updates = [each for each in message.fields if each.action is not FieldAction.DELETE]
    return "patch", {each.field: _value(each) for each in updates}, tuple(deletes)


def _value(update: FieldUpdate) -> Json:
    """What is written of a field: a value, or an operation."""
    if update.action in OPERATIONS:
        return operation_of(update.action, update.value)
    return from_json(update.value)


class Decisions:
    """What one client has to decide. What it shows is the same object until that changes.

    Args:
        runtime: the client's.
    """

    def __init__(self, runtime: ClientRuntime) -> None:
        self._runtime = runtime
        self._pending: SortedChunks[int, Pending] = SortedChunks()
        self._pending_at = -1
        self._queue: ChunkedTuple[Pending] = ChunkedTuple()
        self._rejected: tuple[RejectedWrite, ...] = ()
        self._rejected_at = -1

    @property
    def queue(self) -> ChunkedTuple[Pending]:
        """The writes that wait for the server, in order."""
        writes = self._runtime.session.local.writes
        if self._pending_at != writes.revision:
            altered, known = writes.queue.altered.take(), self._pending
            if altered is None:
                altered, self._pending = {row.place: row for row in writes.queue}, SortedChunks()
            self._show(altered, known)
            self._pending_at = writes.revision
            now = self._pending.snapshot()
            # What has come since somebody looked may have gone, too.
            self._queue = self._queue if now.holds_same(self._queue) else now
        return self._queue

    @property
    def rejected(self) -> tuple[RejectedWrite, ...]:
        """The writes that the server rejected, oldest first."""
        writes = self._runtime.session.local.writes
        if self._rejected_at != writes.revision:
            shown = {each.id: each for each in self._rejected}
            kept = writes.rejected.values()
            now = tuple(shown.get(each.id) or RejectedWrite.of(each, self) for each in kept)
            self._rejected = self._rejected if self._rejected == now else now
            self._rejected_at = writes.revision
        return self._rejected

    async def queues(self) -> AsyncGenerator[ChunkedTuple[Pending], None]:
        """The `queue` now, and each time that it has changed."""
        self._runtime.check_open()
        seen: ChunkedTuple[Pending] | None = None
        while True:
            if self.queue is not seen:
                seen = self.queue
                yield seen
            else:
                await self._runtime.router.queue.wait()

    async def rejections(self) -> AsyncGenerator[RejectedWrite, None]:
        """The rejected writes that are kept, then each new one."""
        self._runtime.check_open()
        async with aclosing(self._runtime.router.rejections.listen()) as writes:
            async for each in writes:
                yield RejectedWrite.of(each, self)

    async def retry(self, request_id: str) -> WriteResult | None:
        """Write a rejected write again."""
        dropped = self._let_go(request_id)
        writes = self._runtime.session.local.writes
        kept = writes.rejected.get(request_id)
        again = self._runtime.session.retry(request_id, self._runtime.now().timestamp())
        row = writes.queue.get(again or "")
        if kept is None or again is None or row is None:
            self._runtime.changed()
            return None
        try:
            return written(kept.message, await self._runtime.answer(again))
        except RhtmxError:
            if row.not_kept is not None:  # by the store: it is kept as rejected as before
                self._runtime.router.rejections.restore(dropped)
            raise

    def discard(self, request_id: str) -> None:
        """Give a rejected write up."""
        self._let_go(request_id)
        self._runtime.session.local.writes.discard(request_id)
        self._runtime.changed()

    def _show(self, altered: Mapping[int, QueuedWrite], known: SortedChunks[int, Pending]) -> None:
        """Take over what has become of these writes, each under its place in the queue.

        Args:
            altered: the writes.
            known: what was shown before: what is equal stays the same object.
        """
        changed: dict[int, Pending | None] = {}
        for place, row in altered.items():
            waits = row.place == place and row.settled is None and row.state is not WriteState.GONE
            now, before = Pending.of(row) if waits else None, known.get(place)
            now = before if now == before else now
            if now is not self._pending.get(place):
                changed[place] = now
        self._pending.update(changed)

    def _let_go(self, request_id: str) -> Mapping[int, StoredRejection]:
        """Nobody need be told of this rejected write any more."""
        return self._runtime.router.rejections.drop(lambda each: each.id == request_id)
