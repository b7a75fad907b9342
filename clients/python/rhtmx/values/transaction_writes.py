"""A transaction as the single writes that it is made of, and back. Pure.

Knows how a write is said inside of a transaction, and which conflict is of which write. Must
not know how a write is made, queued or decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import FieldConflict, Push, PushFields, Transaction, TransactionWrite

__all__ = ["MOST_WRITES", "conflicts_of", "transaction_of", "writes_of"]

MOST_WRITES = 500
"""Writes in one transaction."""


def transaction_of(writes: Sequence[Push | PushFields], seq: int | None = None) -> Transaction:
    """The message that has all of these written, or none.

    Args:
        writes: each as the message that would do it alone.
        seq: the number of all of it.

    Raises:
        RhtmxError: `BAD_MESSAGE`, there are none, or more than a server takes.
    """
    if not 1 <= len(writes) <= MOST_WRITES:
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE,
            f"transaction: 1 to {MOST_WRITES} writes expected, got {len(writes)}",
        )
    return Transaction(writes=[_inside(each) for each in writes], seq=seq)


def _inside(write: Push | PushFields) -> TransactionWrite:
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
        if_unchanged=write.if_unchanged,
    )


def writes_of(message: Push | PushFields | Transaction) -> tuple[Push | PushFields, ...]:
    """What is written: the message itself, or what it would be for each write alone."""
    if not isinstance(message, Transaction):
        return (message,)
    return tuple(_alone(each) for each in message.writes)


def _alone(write: TransactionWrite) -> Push | PushFields:
    if write.action is None:
        return PushFields(
            entity=write.entity,
            entity_id=write.entity_id,
            fields=write.fields,
            base_version=write.base_version,
            if_unchanged=write.if_unchanged,
        )
    return Push(
        entity=write.entity,
        entity_id=write.entity_id,
        action=write.action,
        data=write.data,
        base_version=write.base_version,
    )


def conflicts_of(
    write: Push | PushFields, conflicts: Iterable[FieldConflict]
) -> list[FieldConflict]:
    """The conflicts of one write; of several of a transaction, all of them are told."""
    if isinstance(write, Push):
        return []
    fields = {each.field for each in write.fields}
    return [
        each
        for each in conflicts
        if (each.entity, each.entity_id) == (write.entity, write.entity_id) and each.field in fields
    ]
