"""Stores a batch as well as the store lets it. No loop, no clock.

Knows what matters more: a write is refused rather than lost, and what can be
read again from the server may wait. Must not know stores, nor what is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from rhtmx.core.pending_ops import OpBatch
from rhtmx.core.storage_ops import Add, Op, Store
from rhtmx.errors import ErrorCode, RhtmxError

__all__ = ["BatchOutcome", "keep"]


@dataclass(slots=True)
class BatchOutcome:
    """What came of a batch.

    Args:
        added: the new writes that are stored, with their numbers.
        refused: those that could not be.
        stored: the ops that were applied.
        failed: those that were not; they are to be tried again.
        error: why, if anything failed.
    """

    added: list[tuple[Add, int]] = field(default_factory=list)
    refused: list[tuple[Add, RhtmxError]] = field(default_factory=list)
    stored: list[Op] = field(default_factory=list)
    failed: list[Op] = field(default_factory=list)
    error: RhtmxError | None = None


def keep(store: Store, batch: OpBatch) -> BatchOutcome:
    """Store a batch: all of it in one transaction, or else what matters most of it."""
    outcome = BatchOutcome()
    if not _try(store, batch.adds, batch.ops.values(), outcome):
        _keep_what_matters(store, batch, outcome)
    return outcome


def _keep_what_matters(store: Store, batch: OpBatch, outcome: BatchOutcome) -> None:
    vital = batch.vital
    done = _try(store, [], vital, outcome)
    rest = [op for op in batch.ops.values() if op not in vital]
    outcome.failed = rest if done else list(batch.ops.values())
    for each in batch.adds:
        # Numbers are only right on top of what was put down about numbers.
        if not done or not _try(store, [each], [], outcome):
            assert outcome.error is not None
            outcome.refused.append((each, outcome.error))


def _try(store: Store, adds: list[Add], ops: Iterable[Op], outcome: BatchOutcome) -> bool:
    ops = list(ops)
    try:
        numbers = store.add(adds, ops) if adds else []
        if ops and not adds:
            store.apply(ops)
    except RhtmxError as error:
        outcome.error = error
        return False
    except Exception as error:  # a bug must not lose what the user wrote
        outcome.error = RhtmxError(ErrorCode.STORAGE_FAILED, f"the store failed: {error!r}")
        return False
    outcome.added += zip(adds, numbers, strict=True)
    outcome.stored += ops
    return True
