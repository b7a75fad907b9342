"""The nouns of the core and the interfaces between its rooms.

Knows what a record, a commit and a store are. Must not know how any of them
is stored, sent or decided: it imports nothing of the server.

Times are microseconds since 1970-01-01T00:00Z (`int`), versions are positions
in an entity's log (1, 2, 3 …; 0 is before the first), and JSON values are
UTF-8 `bytes`, `None` for JSON `null`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import msgspec
from rhtmx.errors import RhtmxError
from rhtmx.messages import ChangeAction, Push, PushFields
from rhtmx.wire import ServerMessage

__all__ = [
    "Client",
    "Clock",
    "Commit",
    "Context",
    "Decide",
    "Decision",
    "Granularity",
    "Head",
    "HistoryEntry",
    "Key",
    "Lost",
    "Mutation",
    "Outcome",
    "Record",
    "Snapshot",
    "Store",
    "Wanted",
    "Writes",
]

Key: TypeAlias = tuple[str, str]
"""(entity, entity_id): one record."""


class Granularity(enum.IntFlag):
    """At which grain a commit was written, or a subscriber wants to read."""

    RECORDS = 1
    FIELDS = 2
    BOTH = 3


class Clock(msgspec.Struct, array_like=True, frozen=True):
    """Who wrote a field last, and when.

    Args:
        version: the commit that wrote it.
        timestamp: when, as merged; microseconds.
        client_id: who, if known.
        deleted: the field is gone; the clock is its tombstone.
    """

    version: int
    timestamp: int
    client_id: str | None = None
    deleted: bool = False


@dataclass(slots=True)
class Record:
    """The state of one record: one row of the store.

    Args:
        entity: the collection.
        entity_id: the record in it.
        version: the commit that wrote it last.
        action: what that commit did; `DELETE` makes this a tombstone.
        data: the whole value; `None` for JSON `null` and for a tombstone.
        client_id: who wrote it last, if known.
        time: when that was committed; microseconds.
        clocks: per top-level field, tombstones included. Empty where the
            entity is kept without fields.
    """

    entity: str
    entity_id: str
    version: int
    action: ChangeAction
    data: bytes | None
    client_id: str | None
    time: int
    clocks: Mapping[str, Clock] = field(default_factory=dict)

    @property
    def live(self) -> bool:
        """Whether the record exists, that is: is no tombstone."""
        return self.action is not ChangeAction.DELETE


@dataclass(slots=True)
class Commit:
    """One accepted write: what the hub delivers.

    Args:
        record: the record after the write.
        form: the grain in which it was written.
        changed: the fields that it set or removed, sorted by name.
    """

    record: Record
    form: Granularity
    changed: Sequence[str] = ()


@dataclass(slots=True)
class Lost:
    """A field write that lost against the stored value; kept in the history.

    Args:
        field: the top-level key.
        value: the value that lost.
        timestamp: when it was written, as merged; microseconds.
    """

    field: str
    value: bytes | None
    timestamp: int


@dataclass(slots=True)
class Decision:
    """What a tracker makes of one mutation.

    Args:
        reply: the messages for the sender, in order; the acknowledgement last.
        commit: what to write; `None` if nothing changes.
        lost: the writes that lost.
    """

    reply: list[ServerMessage]
    commit: Commit | None = None
    lost: Sequence[Lost] = ()


@dataclass(slots=True)
class Context:
    """What a decision may depend on besides the mutation and the record.

    Args:
        epoch: the store's epoch.
        version: the version that the write gets if it is accepted.
        now: the server's clock; microseconds.
        client_id: who writes, if known.
    """

    epoch: str
    version: int
    now: int
    client_id: str | None


@dataclass(slots=True)
class Mutation:
    """One write on its way to the committer.

    Args:
        message: the `Push` or `PushFields` as it arrived.
        answer: is called once with the reply, after the commit.
        client_id: who writes, if it has introduced itself.
        subject: on whose behalf; empty without authentication.
        refusal: why it must not be written, where that is known already. It
            takes its place in the order all the same, and uses up its `seq`.
    """

    message: Push | PushFields
    answer: Callable[[Sequence[ServerMessage]], None]
    client_id: str | None = None
    subject: str = ""
    refusal: RhtmxError | None = None


class Decide(Protocol):
    """A tracker's pure rule for one kind of mutation."""

    def __call__(
        self, message: Push | PushFields, current: Record | None, context: Context
    ) -> Decision:
        """Decide what becomes of `message`.

        Args:
            message: the mutation.
            current: the record as it is, a tombstone, or `None`.
            context: version, time and author.

        Raises:
            RhtmxError: the mutation is refused; nothing is written.
        """


@dataclass(slots=True)
class Client:
    """What the store knows of a client that numbers its mutations.

    Args:
        client_id: its id.
        subject: to whom the id belongs.
        last_seq: the last mutation that took effect or was rejected.
        seen: when that was; microseconds.
    """

    client_id: str
    subject: str
    last_seq: int
    seen: int


@dataclass(slots=True)
class Outcome:
    """The answer to one numbered mutation, kept until the client confirms it.

    Args:
        client_id: who sent it.
        seq: its number.
        digest: hash of its content; another one under the same number is an error.
        reply: the answer, encoded by the committer.
        rejected: it was refused.
    """

    client_id: str
    seq: int
    digest: bytes
    reply: bytes
    rejected: bool = False


@dataclass(slots=True)
class HistoryEntry:
    """One commit, or one lost field write, as kept for audit.

    Args:
        record: the record after the commit (clocks left out). For a lost write
            its `data` is an object of the one field that lost.
        form: the grain in which it was written.
        lost: it was a write that lost.
    """

    record: Record
    form: Granularity
    lost: bool = False


@dataclass(slots=True)
class Head:
    """Where the log of an entity begins and ends.

    Args:
        version: the last version.
        floor: the lowest version that a client may resume from.
    """

    version: int = 0
    floor: int = 0


@dataclass(slots=True)
class Wanted:
    """What a batch of mutations has to see of the store.

    Args:
        records: the records that they write.
        clients: the ids of their clients.
        outcomes: (client_id, seq) of each numbered one.
    """

    records: Collection[Key] = ()
    clients: Collection[str] = ()
    outcomes: Collection[tuple[str, int]] = ()


@dataclass(slots=True)
class Snapshot:
    """What was asked for in `Wanted`, as it is inside the transaction.

    What does not exist has no key. `heads` has every entity of `records`.
    """

    records: dict[Key, Record] = field(default_factory=dict)
    heads: dict[str, Head] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)
    outcomes: dict[tuple[str, int], Outcome] = field(default_factory=dict)


@dataclass(slots=True)
class Writes:
    """What a batch writes, all of it in one transaction.

    Args:
        records: the last state of each record that changed.
        heads: the new last version of each entity that moved.
        history: one entry for each commit and each lost write.
        clients: the clients whose last number moved.
        outcomes: the answers to keep.
    """

    records: Collection[Record] = ()
    heads: Mapping[str, int] = field(default_factory=dict)
    history: Sequence[HistoryEntry] = ()
    clients: Collection[Client] = ()
    outcomes: Collection[Outcome] = ()


class Store(Protocol):
    """Where records live. One process at a time writes to it.

    Every method may raise `RhtmxError` with `STORAGE_FULL` (nothing was
    written, reading goes on) or `STORAGE_FAILED`.
    """

    @property
    def epoch(self) -> str:
        """Random id made with the store, another one after a restore."""

    async def open(self) -> None:
        """Open it, and create it if need be.

        Raises:
            RhtmxError: `STORAGE_FAILED`, with what is wrong with the file and
                what to do: in use, read-only, not a database, a newer format.
        """

    async def close(self) -> None:
        """Finish what is under way and close. May be called twice."""

    async def commit(self, wanted: Wanted, decide: Callable[[Snapshot], Writes]) -> None:
        """Read what is wanted, decide, write, make it durable: one transaction.

        Calls are served one after the other. When this returns, the writes
        survive a power loss. `decide` is called once and must not block; if it
        raises, nothing is written and the exception passes through.
        """

    async def heads(self) -> dict[str, Head]:
        """The head of every entity that was ever written."""

    async def head(self, entity: str) -> Head:
        """The head of one entity; that of an empty log if it was never written."""

    async def since(self, entity: str, after: int, upto: int, limit: int) -> list[Record]:
        """At most `limit` records with `after < version <= upto`, in version order.

        Tombstones included. A page may be cut before `limit` to stay within
        about 1 MiB of data: only an empty one says that there are no more.
        """

    async def record(self, entity: str, entity_id: str) -> Record | None:
        """One record, or its tombstone, or `None`."""

    async def client(self, client_id: str) -> Client | None:
        """What is known of a client."""

    async def confirm(self, client_id: str, seq: int) -> None:
        """Forget the client's outcomes up to and including `seq`."""

    async def history(
        self,
        entity: str,
        *,
        entity_id: str | None = None,
        after: int = 0,
        until: int | None = None,
        limit: int = 1000,
    ) -> list[HistoryEntry]:
        """Commits and lost writes with `version > after`, oldest first.

        Args:
            entity: the collection.
            entity_id: only this record.
            after: the last version that is not wanted.
            until: the last moment that is wanted; microseconds.
            limit: at most so many.
        """

    async def collect(self, *, history_before: int, tombstones_before: int) -> None:
        """Delete history and tombstones older than these times (microseconds).

        Raises each entity's floor to the highest tombstone version it removes,
        in the same transaction. Clients last seen before `tombstones_before`
        are forgotten, with all their outcomes.
        """
