"""One write of a client on its way, as the queue holds it. Pure.

Knows what a write says, and what it is based on. Must not know the queue, whose table
(`write_queue`) says when it is in which state.
"""

from __future__ import annotations

import copy
import enum
from dataclasses import dataclass, field

from rhtmx.core.storage_ops import Mutation, Settled, StoredWrite, Write
from rhtmx.core.transactions import without_base
from rhtmx.errors import RhtmxError
from rhtmx.messages import Push, PushFields, Transaction
from rhtmx.values.operations import OPERATIONS
from rhtmx.values.transaction_writes import writes_of

__all__ = ["QueuedWrite", "WriteState"]


class WriteState(enum.Enum):
    """Where a write is on its way; see the table above."""

    NEW = enum.auto()
    """The store has not given it a number yet."""

    UNSENT = enum.auto()
    """It is to be sent on this connection, for the first time or again."""

    SENT = enum.auto()
    """It was sent on this connection, and has no answer."""

    SETTLED = enum.auto()
    """It is answered, and its change has not arrived."""

    GONE = enum.auto()
    """It is in the queue no more."""


@dataclass(slots=True, eq=False)
class QueuedWrite:
    """One write, or a transaction of several that wait together.

    Attributes:
        id: its request id.
        message: what it says, without a number.
        seq: its number; 0 while the store has not given it one.
        epoch: that of its base version.
        since: when it was made, in seconds since 1970.
        settled: the answer, while its change has not arrived.
        builds_on: the id of an own write that its author saw beneath it. While that one is ahead,
            this one waits: what that becomes is the version that this one is based on. If that
            is rejected, it is based on what that was based on.
        stored: the store has it as it is here.
        renewed: it has been stored before, and only needs another number.
        not_kept: why the store could not take it, where it could not: it is `GONE` since then.
        place: in the queue: it rises along that.
        state: where it is on its way.
        writes: what it writes: itself, or the writes of the transaction.
        records: what it is about, each record once.
        operates: it has an operation, which comes to something else on top of itself.
    """

    id: str
    message: Mutation
    seq: int = 0
    epoch: str | None = None
    since: float = 0.0
    settled: Settled | None = None
    builds_on: str | None = None
    stored: bool = False
    renewed: bool = False
    not_kept: RhtmxError | None = None
    place: int = 0
    state: WriteState = WriteState.NEW
    writes: tuple[Write, ...] = field(init=False)
    records: tuple[tuple[str, str], ...] = field(init=False)
    operates: bool = field(init=False)

    def __post_init__(self) -> None:
        message = self.message
        if isinstance(message, Transaction):
            self.writes = writes_of(message)
            self.records = tuple(dict.fromkeys((e.entity, e.entity_id) for e in self.writes))
        else:
            self.writes, self.records = (message,), ((message.entity, message.entity_id),)
        pushes = [each for each in self.writes if isinstance(each, PushFields)]
        self.operates = any(each.action in OPERATIONS for push in pushes for each in push.fields)

    @property
    def survives(self) -> bool:
        """Whether the store has it, if there is one; maybe under another number than here."""
        return self.renewed or self.seq > 0

    @property
    def bases(self) -> list[str]:
        """The entities of whose versions it says one."""
        return [each.entity for each in self.writes if each.base_version is not None]

    def numbered(self) -> Mutation:
        """It, as it is sent."""
        # betterproto2 0.10 (`Message.__copy__`) leaves unknown fields out. There are none:
        # the wire reads none, and a store that holds any is not opened.
        message = copy.copy(self.message)
        message.request_id, message.seq = self.id, self.seq
        return message

    def rebase(self) -> None:
        """Its base versions are of a store that is no more."""
        self.message = without_base(self.message)
        self.writes, self.epoch = writes_of(self.message), None

    def inherit(self, version: int | None, epoch: str | None) -> None:
        """What it builds on has been answered, or is gone: that is what it is based on now."""
        message = copy.copy(self.message)
        assert isinstance(message, Push)  # else it builds on nothing
        message.base_version = version
        self.message, self.writes, self.epoch = message, (message,), epoch

    def kept(self) -> StoredWrite:
        """It, as it is stored."""
        return StoredWrite(
            self.id,
            self.seq,
            self.message,
            self.epoch,
            self.since,
            self.settled,
            self.builds_on,
        )
