"""The interfaces between the rooms of the core: deciding, storing, and telling other nodes.

Knows what a store, a decider and a bus are asked. Must not know how they answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

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
    "KEEP_ANSWERS",
    "BatchNeeds",
    "BatchWrites",
    "Bus",
    "Decide",
    "HistoryReader",
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


@dataclass(slots=True)
class BatchNeeds:
    """What a batch of mutations has to see of the store.

    Args:
        records: the records that they write, in the order in which they are needed.
        clients: the ids of their clients.
        outcomes: (client_id, seq) of each numbered one.
        more: is given those of `records` that were read, once, and says what else is wanted:
            other records, which need not be looked up where their entity was never written,
            and other clients.
    """

    records: Collection[Key] = ()
    clients: Collection[str] = ()
    outcomes: Collection[tuple[str, int]] = ()
    more: Callable[[Mapping[Key, Record]], MoreNeeds] | None = None


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
    """

    records: dict[Key, Record] = field(default_factory=dict)
    heads: dict[str, Head] = field(default_factory=dict)
    clients: dict[str, ClientRow] = field(default_factory=dict)
    outcomes: dict[tuple[str, int], Outcome] = field(default_factory=dict)
    known: int = 0
    last_parts: dict[Key, frozenset[str]] = field(default_factory=dict)
    unread: AbstractSet[Key] = frozenset()


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
    """

    records: Collection[Record] = ()
    heads: Mapping[str, int] = field(default_factory=dict)
    history: Sequence[HistoryEntry] = ()
    clients: Collection[ClientRow] = ()
    outcomes: Collection[Outcome] = ()
    confirmed: Mapping[str, int] = field(default_factory=dict)
    parts: Collection[PartRow] = ()


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


class Bus(Protocol):
    """Tells the other nodes of a cluster what this one has committed.

    It may lose, delay, repeat or reorder messages: they are only hints, and what is true is in
    the store. Nothing that it does or fails to do holds up a commit, or fails one.

    All calls are made on the event loop on which it was opened.
    """

    @property
    def most_bytes(self) -> int:
        """The largest message that it carries now: at least 1 kB.

        It may change with each connection, as each server has its own limit.
        """

    @property
    def dropped(self) -> int:
        """How many messages have been dropped here since it was made, of those announced."""

    async def open(
        self, cluster: str, node: str, heard: Callable[[bytes], None], missed: Callable[[], None]
    ) -> None:
        """Connect, and listen to the other nodes of a cluster.

        A bus that cannot be reached is no error: it is tried again, with growing, random pauses.

        Args:
            cluster: which one: the nodes of two clusters never hear each other, on whatever
                server they meet. 1 to 64 letters, digits, `_` and `-`.
            node: which of its nodes this is; spelt in the same way, and another for each node.
            heard: is called with each message of another node, and never with one's own.
            missed: is called whenever messages may have been lost on their way to this node:
                it is connected again, or was too slow. Maybe more often than that.

        Raises:
            ValueError: a name that is not spelt so.
            RhtmxError: `STORAGE_FAILED`, for what no other try will mend, with what to do:
                credentials are refused, a certificate is not trusted, a file is not there.
        """

    def announce(self, message: bytes) -> None:
        """Send a message to all other nodes, now or never. Never waits, and never raises.

        It is dropped, and counted, if the bus is not connected, if it is larger than
        `most_bytes`, or if too much waits to be sent already.
        """

    def ready(self) -> bool:
        """Whether it is connected, as far as is known.

        A server that has stopped without a word is noticed within some seconds.
        """

    async def close(self) -> None:
        """Disconnect, within seconds. Nothing is heard any more. May be called twice."""
