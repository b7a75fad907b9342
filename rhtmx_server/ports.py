"""The interfaces between the rooms of the core: deciding, and storing.

Knows what a store and a decider are asked. Must not know how they answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeAlias

from rhtmx.messages import Blame, BlameResult, History, HistoryResult, Push, PushFields
from rhtmx_server.horizon import StoredTimes
from rhtmx_server.model import (
    ClientRow,
    Context,
    Decision,
    Departure,
    Head,
    HistoryEntry,
    Key,
    Outcome,
    PartRow,
    Record,
    Scope,
)
from rhtmx_server.record_page import CommitPage, HistoryPage, HistoryPosition

__all__ = [
    "EVERY_VERSION",
    "KEEP_ANSWERS",
    "BatchNeeds",
    "BatchWrites",
    "Decide",
    "HistoryReader",
    "Moment",
    "MoreNeeds",
    "Snapshot",
    "Store",
]


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
            RhtmxError: the mutation is rejected; nothing is written.
        """


MoreNeeds: TypeAlias = tuple[Collection[Key], Collection[str]]
"""Records and clients, by their ids."""


class Moment(NamedTuple):
    """When a batch is decided, where many nodes write: by the store, which is one for all of them.

    Args:
        epoch: of the store.
        now: microseconds since 1970; later than what the batch looks at was written.
    """

    epoch: str
    now: int


@dataclass(slots=True)
class BatchNeeds:
    """What a batch of mutations has to see of the store.

    Args:
        records: the records that they write, in the order in which they are needed.
        clients: the ids of their clients.
        outcomes: (client_id, seq) of each numbered one.
        more: is given those of `records` that were read, and when, once, and says what else is
            wanted: other records, which need not be looked up where their entity was never
            written, and other clients.
        sql_rows: the rows of writes from an application's own SQL; see `sql_writes`.
    """

    records: Collection[Key] = ()
    clients: Collection[str] = ()
    outcomes: Collection[tuple[str, int]] = ()
    more: Callable[[Mapping[Key, Record], Moment | None], MoreNeeds] | None = None
    sql_rows: Collection[int] = ()


@dataclass(slots=True)
class Snapshot:
    """What was asked for in `BatchNeeds`, as it is inside the transaction.

    What does not exist has no key. `heads` has every entity of `records`.

    Args:
        records: those that were read.
        heads: of each entity of the records that were wanted.
        clients: those that are known.
        outcomes: those that are kept.
        known: how many clients there are in all, if one of `clients` is new.
        last_parts: for each tombstone of `records` that has any: the parts of its entity that
            its record was in when it was deleted. None where its departures were forgotten.
        unread: the last ones of the records that were wanted, where all of them
            together weigh more than about 1 MiB: to read them takes too long.
            The first one is always read. So it is once again with `BatchNeeds.more`.
        moment: when it is; `None` where the server's own clock says that.
        sql_rows: those of the wanted ones that nobody has applied.
    """

    records: dict[Key, Record] = field(default_factory=dict)
    heads: dict[str, Head] = field(default_factory=dict)
    clients: dict[str, ClientRow] = field(default_factory=dict)
    outcomes: dict[tuple[str, int], Outcome] = field(default_factory=dict)
    known: int = 0
    last_parts: dict[Key, frozenset[str]] = field(default_factory=dict)
    unread: AbstractSet[Key] = frozenset()
    moment: Moment | None = None
    sql_rows: AbstractSet[int] = frozenset()


@dataclass(slots=True)
class BatchWrites:
    """What a batch writes, all of it in one transaction.

    Args:
        records: the last state of each record that changed.
        heads: the new last version of each entity that moved.
        history: one entry for each commit and each lost write.
        clients: the clients that are new, or of which something changed.
        outcomes: the answers to keep.
        confirmed: for each of these clients, the number up to which its answers
            are forgotten.
        parts: for each part of an entity that one of `records` was in before, in
            between or after: whether it is in it now. A row of a part that it is in
            has the version of the record.
        sql_rows: the rows of writes from an application's own SQL that are applied by it, and
            go with it; if one is gone already, the batch is decided anew.
    """

    records: Collection[Record] = ()
    heads: Mapping[str, int] = field(default_factory=dict)
    history: Sequence[HistoryEntry] = ()
    clients: Collection[ClientRow] = ()
    outcomes: Collection[Outcome] = ()
    confirmed: Mapping[str, int] = field(default_factory=dict)
    parts: Collection[PartRow] = ()
    sql_rows: Collection[int] = ()


EVERY_VERSION = 2**63 - 1
"""No version is above it."""

KEEP_ANSWERS = 100_000
"""Answers kept for a client that never confirms them: more than can be under way."""


class HistoryReader(Protocol):
    """Reads what has become of a record."""

    async def commits(self, asked: History, scope: Scope = None) -> HistoryResult:
        """The commits of a record, newest first, as far as they may be seen.

        Args:
            asked: which.
            scope: the parts of its entity that are read.

        Raises:
            RhtmxError: `NOT_FOUND`, there is no such record; `BAD_MESSAGE`.
        """

    async def blame(self, asked: Blame, scope: Scope = None) -> BlameResult:
        """Who wrote which field of a record; see `commits`."""


class Store(Protocol):
    """Where records live. One process at a time writes to it, or several, where it is `shared`.

    Every method may raise `RhtmxError` with `STORAGE_FULL` (nothing was
    written, reading goes on) or `STORAGE_FAILED`.
    """

    @property
    def epoch(self) -> str:
        """Random id made with the store, another one after a restore."""

    @property
    def shared(self) -> bool:
        """Whether other processes write to it, too: then it is a `sharing.SharedStore`."""

    def counts(self, epoch: str | None, entity: str) -> int:
        """Up to which version a position of an epoch counts in this one.

        Those of this epoch do, all of them. A standby that took over may lack what the last epoch
        ended with, and no more: then those of before do, up to there.

        Args:
            epoch: of the position; `None` if that is not known.
            entity: the collection.

        Returns:
            The version; -1 if no position of that epoch counts.
        """

    async def open(self) -> None:
        """Open it, and create it if need be.

        Raises:
            RhtmxError: `STORAGE_FAILED`, with what is wrong with the file and
                what to do: in use, read-only, not a database, a newer format.
        """

    def ready(self) -> bool:
        """Whether it is there to be written to, as far as that shows without writing.

        Once it is not, every write is refused until it is opened again.
        """

    async def close(self) -> None:
        """Finish what is under way and close. May be called twice."""

    async def renew_epoch(self) -> str:
        """Make every position that clients hold invalid; returns the new epoch.

        To be called once after a backup was restored: clients may hold versions that it
        has not seen, and start anew.
        """

    async def commit(self, wanted: BatchNeeds, decide: Callable[[Snapshot], BatchWrites]) -> None:
        """Read what is wanted, decide, write, make it durable: one transaction.

        Calls are served one after the other. When this returns, the writes
        survive a power loss. `decide` must not block; if it raises, nothing is
        written and the exception passes through. It is called once more, with a
        newer snapshot, where another process has written what it had seen.
        """

    async def heads(self) -> dict[str, Head]:
        """The head of every entity that was ever written."""

    async def head(self, entity: str) -> Head:
        """The head of one entity; that of an empty log if it was never written."""

    async def since(
        self, entity: str, after: int, upto: int, limit: int, *, clocks: bool = True
    ) -> list[Record]:
        """At most `limit` records with `after < version <= upto`, in version order.

        Tombstones included. A page may be cut before `limit` to stay within
        about 256 KiB of data: only an empty one says that there are no more.

        Args:
            entity: the collection.
            after: the last version that is not wanted.
            upto: the last version that is wanted.
            limit: at most so many.
            clocks: whether their clocks are wanted too; they take most of the time.
        """

    async def since_in(
        self,
        entity: str,
        parts: Collection[str],
        after: int,
        upto: int,
        limit: int,
        *,
        clocks: bool = True,
    ) -> list[Record | Departure]:
        """At most `limit` of what happened to these parts of an entity, in version order.

        The records that are in one of the parts now, tombstones of those that were;
        and departures of those that were in one and are in none of them now. Each
        record once. Otherwise like `since`.

        Args:
            entity: the collection; one that is divided into parts.
            parts: as `access.parts` spells them.
            after: the last version that is not wanted.
            upto: the last version that is wanted.
            limit: at most so many.
            clocks: whether their clocks are wanted too.
        """

    async def divide(
        self, entity: str, declared: str, parts_of: Callable[[bytes | None], Collection[str]]
    ) -> None:
        """Make the parts of an entity what they are declared to be now.

        Does nothing if the last call said the same. Else departures of before are
        forgotten, and those of meanwhile were never kept. So when it is divided the floor
        rises to the head: it may have been divided in this way once before, and a position
        in one of its parts, kept since then, must not be resumed.

        Args:
            entity: the collection.
            declared: how it is divided, spelt always the same; empty for not at all.
            parts_of: the parts of a record, by its data.
        """

    async def divided(self) -> Collection[str]:
        """Name the entities that are divided, or were being when the server stopped.

        One of them that is not declared any more has to be made whole (`divide` with an
        empty declaration) before it is written: what is written without parts would be
        missing from them.
        """

    async def record(self, entity: str, entity_id: str) -> Record | None:
        """One record, or its tombstone, or `None`."""

    async def client(self, client_id: str) -> ClientRow | None:
        """What is known of a client."""

    async def history(
        self,
        entity: str,
        *,
        entity_id: str | None = None,
        after: int | HistoryPosition = 0,
        until: int | None = None,
        limit: int = 1000,
    ) -> HistoryPage[HistoryEntry]:
        """Commits and lost writes after a place, oldest first.

        One version may have many entries: its commit, and every write that lost
        against it. A page may be cut before `limit` to stay within about 1 MiB
        of data: only an empty one says that there are no more.

        Args:
            entity: the collection.
            entity_id: only this record.
            after: the last version that is not wanted, or the `end` of the page
                before.
            until: the last moment that is wanted; microseconds.
            limit: at most so many.
        """

    async def commits(
        self,
        newest: Record,
        *,
        start: int | None = None,
        before: int | None = None,
        until: int | None = None,
        limit: int = 1000,
    ) -> CommitPage:
        """The commits of one record that are kept, newest first, by what each says of the last.

        The newest one always is: it is the record. A page may be cut before `limit`, to stay
        within about 256 KiB of data, or because many have been skipped: whether there are
        more, its `next` says.

        Args:
            newest: the record as it is, maybe a tombstone.
            start: the `next` of the page before; `None` to begin.
            before: only those before this version.
            until: the last moment that is wanted; microseconds.
            limit: at most so many.
        """

    async def subjects(self, client_ids: Collection[str]) -> Mapping[str, str]:
        """Whose these clients are, as far as it is known and they are anybody's."""

    async def kept(self) -> StoredTimes:
        """Read the horizon that was noted, and the times of the oldest rows that may go."""

    async def note_horizon(self, horizon: int) -> None:
        """Keep the time by which old rows were judged; microseconds."""

    async def collect(
        self, *, history_before: int, tombstones_before: int, keep_answers: int = KEEP_ANSWERS
    ) -> None:
        """Delete history, tombstones and departures older than these times (microseconds).

        Departures go with the tombstones. Raises each entity's floor to the highest
        version of those that it removes, in the same transaction. Clients last seen
        before `tombstones_before` are forgotten, with all their outcomes; of the others,
        accepted outcomes further back than the last `keep_answers` numbers.
        """
