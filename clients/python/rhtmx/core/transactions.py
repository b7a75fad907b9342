"""Several writes that take effect together, as one message and apart. Pure.

Knows how a write is said inside of a transaction, and which answer is whose. Must not know
queues, connections or clocks.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from rhtmx.core import build_message
from rhtmx.core.storage_ops import Mutation, Write
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    FieldConflict,
    Push,
    PushFields,
    Transaction,
    TransactionAck,
    TransactionWrite,
)
from rhtmx.values.json_value import Json
from rhtmx.values.results import (
    Conflict,
    FieldPushResult,
    PushResult,
    TransactionResult,
    filled_in,
)
from rhtmx.wire.check_outgoing import checked

_MOST = 500

__all__ = [
    "TransactionWrites",
    "conflicts_of",
    "result_of",
    "transaction",
    "without_base",
    "writes_of",
]


class TransactionWrites:
    """Collects what is to be written together.

    Args:
        at: the time of the writes.
        seen: the version that their author has seen of a record, where it is known.
    """

    def __init__(
        self,
        at: Callable[[], datetime],
        seen: Callable[[str, str], int | None] = lambda entity, entity_id: None,
    ) -> None:
        self._at = at
        self._seen = seen
        self._writes: list[Write] = []

    def set(
        self, entity: str, entity_id: str, data: Json, *, base_version: int | None = None
    ) -> None:
        """Write a whole record.

        Args:
            entity: the collection.
            entity_id: the record.
            data: any JSON value.
            base_version: the version that must still be the record's (0: there must be none).

        Raises:
            RhtmxError: `BAD_MESSAGE`, it cannot be written.
        """
        self._writes.append(build_message.push(entity, entity_id, data, base_version))

    def delete(self, entity: str, entity_id: str, *, base_version: int | None = None) -> None:
        """Delete a record; see `set`. It is no error if there is none."""
        self._writes.append(build_message.push_delete(entity, entity_id, base_version))

    def patch(
        self,
        entity: str,
        entity_id: str,
        fields: Mapping[str, Json],
        *,
        delete: Iterable[str] = (),
        base_version: int | None = None,
    ) -> None:
        """Write some fields of a record, and leave the others.

        Args:
            entity: the collection.
            entity_id: the record; it is created if need be.
            fields: new values by top-level key, or operations, such as `Increment(1)`.
            delete: keys to remove.
            base_version: the version that the write is based on. If left out, what this
                client has seen of the record, if it reads it.

        Raises:
            RhtmxError: `BAD_MESSAGE`, it cannot be written.
        """
        base = self._seen(entity, entity_id) if base_version is None else base_version
        self._writes.append(
            build_message.push_fields(entity, entity_id, fields, delete, base, self._at())
        )

    def message(self) -> Transaction:
        """All of it as one message.

        Raises:
            RhtmxError: `BAD_MESSAGE`, nothing is written, or more than a server takes.
        """
        return transaction(self._writes)


def transaction(writes: Sequence[Write]) -> Transaction:
    """The message that has all of these written, or none.

    Raises:
        RhtmxError: `BAD_MESSAGE`, there are none, or more than a server takes.
    """
    if not 1 <= len(writes) <= _MOST:
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE, f"transaction: 1 to {_MOST} writes expected, got {len(writes)}"
        )
    return checked(Transaction(writes=[_inside(each) for each in writes]))


def _inside(write: Write) -> TransactionWrite:
    if isinstance(write, Push):
        return TransactionWrite(
            entity=write.entity,
            entity_id=write.entity_id,
            action=write.action,
            data=write.data,
            base_version=write.base_version,
        )
    return TransactionWrite(
        entity=write.entity,
        entity_id=write.entity_id,
        fields=write.fields,
        base_version=write.base_version,
    )


def writes_of(message: Mutation) -> tuple[Write, ...]:
    """What is written: the message itself, or what it would be for each write alone."""
    if not isinstance(message, Transaction):
        return (message,)
    return tuple(_alone(each) for each in message.writes)


def _alone(write: TransactionWrite) -> Write:
    if write.action is None:
        return PushFields(
            entity=write.entity,
            entity_id=write.entity_id,
            fields=write.fields,
            base_version=write.base_version,
        )
    return Push(
        entity=write.entity,
        entity_id=write.entity_id,
        action=write.action,
        data=write.data,
        base_version=write.base_version,
    )


def conflicts_of(write: Write, conflicts: Iterable[FieldConflict]) -> list[FieldConflict]:
    """The conflicts of one write; of several of a transaction, all of them are told."""
    if isinstance(write, Push):
        return []
    fields = {each.field for each in write.fields}
    return [
        each
        for each in conflicts
        if (each.entity, each.entity_id) == (write.entity, write.entity_id) and each.field in fields
    ]


def result_of(
    message: Transaction, answer: TransactionAck, conflicts: Sequence[FieldConflict]
) -> TransactionResult:
    """What came of a transaction.

    Args:
        message: what was to be written.
        answer: what the server says of it.
        conflicts: the fields that were in conflict.
    """
    duplicate = bool(answer.duplicate)
    results: list[PushResult | FieldPushResult] = []
    for write, each in zip(writes_of(message), answer.results, strict=True):
        if isinstance(write, Push):
            results.append(
                PushResult(
                    each.entity,
                    each.entity_id,
                    each.version or 0,
                    duplicate,
                    filled_in(each.prepared),
                )
            )
        else:
            lost = tuple(map(Conflict.of, conflicts_of(write, conflicts)))
            results.append(
                FieldPushResult(
                    each.entity,
                    each.entity_id,
                    each.applied,
                    lost,
                    each.version,
                    duplicate,
                    each.clamped or 0,
                    filled_in(each.prepared),
                )
            )
    return TransactionResult(answer.transaction, tuple(results), duplicate)


def without_base(message: Mutation) -> Mutation:
    """The same message for a store that does not know the versions it is based on."""
    bare = copy.copy(message)
    if isinstance(bare, Transaction):
        bare.writes = [copy.copy(each) for each in bare.writes]
        for each in bare.writes:
            each.base_version = None
    else:
        bare.base_version = None
    return bare
