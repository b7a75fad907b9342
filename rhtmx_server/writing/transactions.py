"""The id of a transaction, and its answer. Pure.

Knows what is told of all of its writes together. Must not know how one of them is decided.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import msgspec

from rhtmx.errors import RhtmxError
from rhtmx.messages import (
    FieldPushAck,
    Push,
    PushAck,
    PushFields,
    Transaction,
    TransactionAck,
    WriteResult,
)
from rhtmx.messages.tables import ERRORS
from rhtmx_server.model import Context
from rhtmx_server.times import to_datetime

__all__ = ["acknowledgement", "rejection", "transaction_id"]


def transaction_id(epoch: str, entity: str, version: int) -> str:
    """The id of a transaction, by its first commit.

    It says nothing of that: whoever reads another change of the transaction may not see it.
    """
    first = msgspec.msgpack.encode((epoch, entity, version))
    return hashlib.blake2b(first, digest_size=12).hexdigest()


def acknowledgement(
    transaction: Transaction, name: str, answers: Iterable[PushAck | FieldPushAck], context: Context
) -> TransactionAck:
    """The answer to a transaction that was written.

    Args:
        transaction: the mutation.
        name: its id.
        answers: the acknowledgement of each write.
        context: the epoch and the time.
    """
    return TransactionAck(
        transaction=name,
        results=[_result_of(each) for each in answers],
        request_id=transaction.request_id,
        seq=transaction.seq,
        epoch=context.epoch,
        server_time=to_datetime(context.now),
    )


def _result_of(answer: PushAck | FieldPushAck) -> WriteResult:
    result = WriteResult(
        entity=answer.entity,
        entity_id=answer.entity_id,
        version=answer.version,
        prepared=answer.prepared,
    )
    if isinstance(answer, FieldPushAck):
        result.applied, result.conflicts = answer.applied, answer.conflicts
        result.clamped = answer.clamped
    return result


def rejection(
    writes: Sequence[Push | PushFields], faults: Sequence[tuple[int, RhtmxError]]
) -> RhtmxError:
    """Why a transaction was not written.

    Args:
        writes: all of its writes.
        faults: which of them are rejected, and why.
    """
    index, first = faults[0]
    write = writes[index]
    more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
    return RhtmxError(
        first.code,
        f"transaction.writes[{index}] ({write.entity[:40]}/{write.entity_id[:40]}){more}: "
        f"{first.message}; nothing of the transaction was written",
        details=msgspec.json.encode({"writes": [_fault(*each) for each in faults]}),
    )


def _fault(index: int, error: RhtmxError) -> dict[str, object]:
    told: dict[str, object] = {
        "index": index,
        "code": ERRORS[error.code].spelling,
        "message": error.message,
    }
    if error.details is not None:
        told["details"] = msgspec.Raw(error.details)
    return told
