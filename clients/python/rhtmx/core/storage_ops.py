"""What a client keeps, and what changes of it: the words between core and store. Pure.

Knows records, positions, queued writes and rejected ones; which op replaces which; and
what matters more where a store is full: a write is refused rather than lost, and what can
be read again from the server may wait. Must not know where things are kept, nor when.

An op says what *is* from now on, so applying one twice, or only the last of several about
the same thing, gives the same. State and event → state, of the ops with one key:

=========  ==============  =============  ===============  ===================
state      `put`           `take`         stored           `give_back`
=========  ==============  =============  ===============  ===================
none       waits
waits      waits, the new  under way
           one alone
under way  waits, beside   both under     gone             waits, unless a new
           this one        way                             one does: then gone
=========  ==============  =============  ===============  ===================
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import msgspec

from rhtmx.core.granularity import Granularity
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Position, Push, PushFields, Transaction

__all__ = [
    "AddWrite",
    "BatchOutcome",
    "DropRecord",
    "DropRejection",
    "DropWrite",
    "HeldRecord",
    "Image",
    "Mutation",
    "Op",
    "OpBatch",
    "PendingOps",
    "PutRecord",
    "PutRejection",
    "PutWrite",
    "SetIdentity",
    "SetLast",
    "SetPosition",
    "Settled",
    "Store",
    "StoredEntity",
    "StoredRejection",
    "StoredWrite",
    "Vital",
    "Write",
    "keep",
]

Write: TypeAlias = Push | PushFields
"""What is written of one record."""

Mutation: TypeAlias = Write | Transaction
"""What is sent under one number, without that. It is never changed, only replaced."""


# There may be 100,000 of them: without a header for the collector of garbage, which they need not.
class HeldRecord(msgspec.Struct, frozen=True, gc=False):
    """A record as the server has it: its version and its JSON text (`None`: JSON null)."""

    version: int
    data: bytes | None


@dataclass(frozen=True, slots=True)
class Settled:
    """What the server answered to a write whose change has not arrived yet.

    Args:
        version: the one that the record got by it.
        epoch: of that version.
        lost: the fields that lost, each with the value that won (`None`: a deletion).
        prepared: the fields that are kept otherwise than written, as a JSON object.
    """

    version: int
    epoch: str
    lost: Mapping[str, bytes | None] = field(default_factory=dict)
    prepared: bytes | None = None


@dataclass(frozen=True, slots=True)
class StoredWrite:
    """One write of the queue as it is stored.

    Args:
        id: its request id.
        seq: its number; 0 while a renewed one has none.
        message: what it says.
        epoch: that of its base version, where it has one.
        since: when it was made, in seconds since 1970.
        settled: the answer, while its change has not arrived.
        builds_on: the id of the own write that its author saw beneath it.
    """

    id: str
    seq: int
    message: Mutation
    epoch: str | None = None
    since: float = 0.0
    settled: Settled | None = None
    builds_on: str | None = None


@dataclass(frozen=True, slots=True)
class StoredRejection:
    """A write that was rejected: kept until someone tries it again or gives it up.

    Args:
        id: its request id.
        message: what it says.
        code: why.
        text: why, in words.
        details: what the code adds, as JSON.
        since: when the write was made, in seconds since 1970.
        epoch: that of its base version, where it has one.
    """

    id: str
    message: Mutation
    code: ErrorCode
    text: str
    details: bytes | None = None
    since: float = 0.0
    epoch: str | None = None


@dataclass(frozen=True, slots=True)
class PutRecord:
    """A record is so now."""

    entity: str
    id: str
    held: HeldRecord

    @property
    def key(self) -> tuple[str, ...]:
        """What it is about."""
        return ("record", self.entity, self.id)


@dataclass(frozen=True, slots=True)
class DropRecord:
    """There is no such record now."""

    entity: str
    id: str

    @property
    def key(self) -> tuple[str, ...]:
        """What it is about."""
        return ("record", self.entity, self.id)


@dataclass(frozen=True, slots=True)
class SetPosition:
    """Where to resume an entity, or a part of it (`Where.text`), and how it is read."""

    entity: str
    position: Position
    granularity: Granularity
    where: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """What it is about."""
        return ("position", self.entity, self.where)


@dataclass(frozen=True, slots=True)
class PutWrite:
    """A write of the queue is so now."""

    row: StoredWrite

    @property
    def key(self) -> tuple[str, ...]:
        """What it is about."""
        return ("row", self.row.id)


@dataclass(frozen=True, slots=True)
class DropWrite:
    """There is no such write now."""

    id: str

    @property
    def key(self) -> tuple[str, ...]:
        """What it is about."""
        return ("row", self.id)


@dataclass(frozen=True, slots=True)
class PutRejection:
    """A write is kept as rejected."""

    rejection: StoredRejection

    @property
    def key(self) -> tuple[str, ...]:
        """What it is about."""
        return ("rejected", self.rejection.id)


@dataclass(frozen=True, slots=True)
class DropRejection:
    """No such write is kept as rejected."""

    id: str

    @property
    def key(self) -> tuple[str, ...]:
        """What it is about."""
        return ("rejected", self.id)


@dataclass(frozen=True, slots=True)
class SetLast:
    """The last number that was given to a write."""

    last: int

    @property
    def key(self) -> tuple[str, ...]:
        """What it is about."""
        return ("last",)


@dataclass(frozen=True, slots=True)
class SetIdentity:
    """Who this client is to the server."""

    client_id: str
    secret: str | None = field(repr=False)

    @property
    def key(self) -> tuple[str, ...]:
        """What it is about."""
        return ("identity",)


Vital: TypeAlias = PutWrite | DropWrite | PutRejection | DropRejection | SetLast | SetIdentity
"""About writes and whose they are: without these numbers go wrong, the rest can be read again."""

Op: TypeAlias = PutRecord | DropRecord | SetPosition | Vital


@dataclass(frozen=True, slots=True)
class AddWrite:
    """A write to be numbered and stored, in one transaction.

    Args:
        row: the write; its number does not count.
        instead: the rejected write whose place it takes.
    """

    row: StoredWrite
    instead: str | None = None


@dataclass(slots=True)
class StoredEntity:
    """What is kept of one entity.

    Args:
        position: where to resume all of it.
        granularity: at which it was read there.
        records: what is held of it.
        parts: the same two for each part of it that was read, by `Where.text`.
    """

    position: Position
    granularity: Granularity
    records: dict[str, HeldRecord] = field(default_factory=dict)
    parts: dict[str, tuple[Position, Granularity]] = field(default_factory=dict)

    @property
    def epoch(self) -> str | None:
        """That of the versions that are held."""
        places = (self.position, *(place for place, _ in self.parts.values()))
        return next((each.epoch for each in places if each.epoch), None)

    def place(self, where: str) -> tuple[Position, Granularity]:
        """Where to resume a part, or all of it (an empty text), and how that was read."""
        nowhere = (Position(epoch="", version=0), self.granularity)
        return self.parts.get(where, nowhere) if where else (self.position, self.granularity)

    def set_place(self, where: str, position: Position, granularity: Granularity) -> None:
        """Where to resume a part, or all of it (an empty text), and how it is read, from now on."""
        if where:
            self.parts[where] = (position, granularity)
        else:
            self.position, self.granularity = position, granularity


@dataclass(slots=True)
class Image:
    """Everything that is kept.

    Args:
        client_id: made with the store.
        last: the last number that was given to a write.
        rows: the queue: what is settled first, then what waits, in the order of numbers.
        rejected: the rejected writes, oldest first.
        entities: what is held of each.
        secret: what gives the right to number under the id.
    """

    client_id: str
    last: int = 0
    rows: list[StoredWrite] = field(default_factory=list)
    rejected: list[StoredRejection] = field(default_factory=list)
    entities: dict[str, StoredEntity] = field(default_factory=dict)
    secret: str | None = field(default=None, repr=False)


class Store(Protocol):
    """Where a client keeps everything. One process has it at a time.

    Every method either does all of its work, durably, or raises `RhtmxError`
    (`STORAGE_FULL`, `STORAGE_FAILED`) and does none.
    """

    def load(self) -> Image:
        """Open it, and read everything."""

    def add(self, adds: Sequence[AddWrite], ops: Sequence[Op] = ()) -> list[int]:
        """Apply ops, then number and store new writes, in one transaction.

        Returns:
            Their numbers: those that follow the last one given.
        """

    def close(self) -> None:
        """Let go of it."""


@dataclass(slots=True)
class OpBatch:
    """What is to be stored in one transaction.

    Args:
        adds: new writes, to be numbered in this order.
        ops: everything else, by what it is about.
    """

    adds: list[AddWrite] = field(default_factory=list)
    ops: dict[tuple[str, ...], Op] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.adds or self.ops)

    @property
    def vital(self) -> list[Op]:
        """The ops that must not wait."""
        return [op for op in self.ops.values() if isinstance(op, Vital)]


class PendingOps:
    """Collects ops: of several about the same thing the last one counts.

    Attributes:
        durable: whether there is a store at all; without one nothing is collected.
    """

    def __init__(self) -> None:
        self.durable = False
        self._batch = OpBatch()

    def put(self, op: Op) -> None:
        """Put down what is so from now on."""
        if self.durable:
            self._batch.ops[op.key] = op

    def add(self, add: AddWrite) -> None:
        """A new write."""
        self._batch.adds.append(add)

    def take(self) -> OpBatch:
        """Everything since the last call."""
        batch, self._batch = self._batch, OpBatch()
        return batch

    def give_back(self, ops: Iterable[Op]) -> None:
        """These could not be stored: try again, beneath what has come since."""
        self._batch.ops = {**{op.key: op for op in ops}, **self._batch.ops}

    def __bool__(self) -> bool:
        return bool(self._batch)


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

    added: list[tuple[AddWrite, int]] = field(default_factory=list)
    refused: list[tuple[AddWrite, RhtmxError]] = field(default_factory=list)
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
    failed = (op for op in batch.ops.values() if not (done and isinstance(op, Vital)))
    outcome.failed = list(failed)
    for each in batch.adds:
        # Numbers are only right on top of what was put down about numbers.
        if not done or not _try(store, [each], [], outcome):
            assert outcome.error is not None
            outcome.refused.append((each, outcome.error))


def _try(store: Store, adds: list[AddWrite], ops: Iterable[Op], outcome: BatchOutcome) -> bool:
    ops = list(ops)
    try:
        numbers = store.add(adds, ops) if adds or ops else []
    except RhtmxError as error:
        outcome.error = error
        return False
    except Exception as error:  # a bug must not lose what the user wrote
        outcome.error = RhtmxError(ErrorCode.STORAGE_FAILED, f"the store failed: {error!r}")
        return False
    outcome.added += zip(adds, numbers, strict=True)
    outcome.stored += ops
    return True
