"""The nouns of the core.

Knows what a record, a commit and a mutation are. Must not know how any of them
is stored, sent or decided: it imports nothing of the server.

Times are microseconds since 1970-01-01T00:00Z (`int`), versions are positions
in an entity's log (1, 2, 3 …; 0 is before the first), and JSON values are
UTF-8 `bytes`, `None` for JSON `null`.

The nouns are structs without garbage collection: made in half a
dataclass's time, and the collector need not walk through the thousands of them
that a batch is made of. None of them is ever part of a cycle.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from rhtmx.errors import RhtmxError
from rhtmx.messages import ChangeAction, Push, PushFields, Transaction
from rhtmx.wire import ServerMessage

if TYPE_CHECKING:
    from rhtmx_server.access.grant import Grant
    from rhtmx_server.spans import Span

__all__ = [
    "DELETED",
    "NOWHERE",
    "THE_APP",
    "THE_TABLE",
    "ClientRow",
    "Clock",
    "Commit",
    "CommittedBatch",
    "Context",
    "Decision",
    "Departure",
    "Granularity",
    "Head",
    "HistoryEntry",
    "Key",
    "LogRow",
    "LostWrite",
    "Mutation",
    "MutationMessage",
    "Outcome",
    "PartRow",
    "Record",
    "Scope",
]

MutationMessage: TypeAlias = Push | PushFields | Transaction
"""What a client sends that writes something, as one mutation."""

Key: TypeAlias = tuple[str, str]
"""(entity, entity_id): one record."""


class Granularity(enum.IntFlag):
    """At which granularity a commit was written, or a subscriber wants to read."""

    RECORDS = 1
    FIELDS = 2
    BOTH = 3


DELETED = ""
"""Under this name a record's clocks keep its last delete: no field is called so.

What is older than the delete must lose also after the record was created anew,
and also in fields that it never had.
"""


_DELETE = ChangeAction.DELETE  # asked for several times at each write: to find it takes the longest


class Clock(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Who wrote a field last, and when.

    Args:
        version: the commit that wrote it.
        timestamp: when, as merged; microseconds.
        client_id: who, if known.
        deleted: the field is gone; the clock is its tombstone.
        items: of a set or an object that is changed by operations, for each element or
            key the version that wrote it last, and who; see `trackers.operations`.
        claimed: when its author says it was, where that is not `timestamp`; microseconds. By
            this a copy of the write is known again; see `trackers.merge`.
    """

    version: int
    timestamp: int
    client_id: str | None = None
    deleted: bool = False
    items: Mapping[str, tuple[int, str | None]] | None = None
    claimed: int | None = None


class Record(msgspec.Struct, gc=False):
    """The state of one record: one row of the store.

    Args:
        entity: the collection.
        entity_id: the record in it.
        version: the commit that wrote it last.
        action: what that commit did; `DELETE` makes this a tombstone.
        data: the whole value; `None` for JSON `null` and for a tombstone.
        client_id: who wrote it last, if known.
        time: when that was committed; microseconds.
        clocks: per top-level field, tombstones included; under `DELETED`
            that of the record's last delete. Empty where the entity is kept
            without fields.
        entered: the last commit by which it may have come before somebody who could not
            see it before. What was gone by then they know nothing of.
        hidden: the fields that never leave the server, as a JSON object; `data` has none of
            them. Whoever is told of a record is told its `data`: only the program of the
            server reads this, see `trackers.hidden`. A tombstone has none.
    """

    entity: str
    entity_id: str
    version: int
    action: ChangeAction
    data: bytes | None
    client_id: str | None
    time: int
    clocks: Mapping[str, Clock] = msgspec.field(default_factory=dict)
    entered: int = 0
    hidden: bytes | None = None

    @property
    def live(self) -> bool:
        """Whether the record exists, that is: is no tombstone."""
        return self.action is not _DELETE


Scope: TypeAlias = frozenset[str] | None
"""The parts of an entity that a reader reads, as `access.parts` spells them; `None` for all."""

NOWHERE: frozenset[str] = frozenset()
"""No part of an entity."""


class Commit(msgspec.Struct, gc=False):
    """One accepted write: what the hub delivers.

    Args:
        record: the record after the write.
        granularity: that in which it was written.
        changed: the fields that it set or removed, sorted by name.
        before: the parts of its entity that the record was in.
        after: those that it is in now; none where it was deleted.
        transaction: the id of the transaction that it is part of; empty for none.
        held: where it leaves a part and goes on elsewhere: the fields that it had there.
    """

    record: Record
    granularity: Granularity
    changed: Sequence[str] = ()
    before: frozenset[str] = NOWHERE
    after: frozenset[str] = NOWHERE
    transaction: str = ""
    held: Sequence[str] = ()


class PartRow(msgspec.Struct, gc=False):
    """That a record is in a part of its entity, or has left it.

    Args:
        entity: the collection.
        part: as `access.parts` spells it.
        entity_id: the record.
        version: the commit that wrote the record, or took it out of the part.
        time: when that was committed; microseconds.
        left: it was there, and is there no more.
    """

    entity: str
    part: str
    entity_id: str
    version: int
    time: int
    left: bool = False


class Departure(msgspec.Struct, gc=False):
    """A record that has left all that its reader reads: it may still be there for others.

    Args:
        entity: the collection.
        entity_id: the record.
        version: the commit that took it out.
        time: when that was committed; microseconds.
    """

    entity: str
    entity_id: str
    version: int
    time: int

    @property
    def data(self) -> None:
        """Nothing: as of a tombstone."""
        return None


class LostWrite(msgspec.Struct, gc=False):
    """A field write that lost against the stored value; kept in the history.

    Args:
        field: the top-level key.
        value: the value that lost.
        timestamp: when it was written, as merged; microseconds.
        deleted: it would have removed the field.
    """

    field: str
    value: bytes | None
    timestamp: int
    deleted: bool = False


class Decision(msgspec.Struct, gc=False):
    """What a tracker makes of one mutation.

    Args:
        reply: the messages for the sender, in order; the acknowledgement last.
        commit: what to write; `None` if nothing changes.
        lost: the writes that lost.
    """

    reply: list[ServerMessage]
    commit: Commit | None = None
    lost: Sequence[LostWrite] = ()


class Context(msgspec.Struct, gc=False):
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


THE_APP = b""
"""In the place of a hash of a secret: the app itself writes. No secret has this hash."""

THE_TABLE = "the table"
"""The source of what is written because a row of the application's own tables says so."""


class Mutation(msgspec.Struct, gc=False):
    """One write on its way to the committer.

    Args:
        message: as it arrived.
        answer: is called once with the reply, after the commit.
        client_id: who writes, if it has introduced itself.
        subject: on whose behalf; empty without authentication.
        rejection: why it must not be written, where that is known already. It
            takes its place in the order all the same, and uses up its `seq`.
        secret: hash of the secret that its client presented; see `identity`.
        source: where it came from: its order is that of its source, and sources
            take turns.
        who: who writes, with what rights; `None` for the program of the server, which
            may do everything.
        reads: the parts of the entity that its author may read, where a function of the
            program says so.
        writes: of a transaction, its single writes, each with what it needs to be decided.
        sent: as it arrived, where `message` is what an older version of the schema means today:
            by its content it is known when it is sent again.
        sql_rows: of a write from an application's own SQL, its rows, which go when it is applied.
            What it says is the truth already: nothing judges or completes it.
        span: what traces it, if something does.
    """

    message: MutationMessage
    answer: Callable[[Sequence[ServerMessage]], None]
    client_id: str | None = None
    subject: str = ""
    rejection: RhtmxError | None = None
    secret: bytes | None = None
    source: Hashable = None
    who: Grant | None = None
    reads: Scope = NOWHERE
    writes: Sequence[Mutation] = ()
    sent: MutationMessage | None = None
    sql_rows: Sequence[int] = ()
    span: Span | None = None

    @property
    def write(self) -> Push | PushFields:
        """What a single write says: the message, of which a transaction consists."""
        message = self.message
        # Not `isinstance`: for messages that is a call, and this is asked at each write.
        assert type(message) is Push or type(message) is PushFields
        return message


class ClientRow(msgspec.Struct, gc=False):
    """What the store knows of a client.

    Args:
        client_id: its id.
        subject: to whom the id belongs; empty for nobody in particular.
        last_seq: the last mutation that took effect or was rejected; 0 for a
            client that numbers none.
        seen: when it wrote last, to the hour; microseconds.
        secret: hash of what gives the right to the id, where that is no subject.
    """

    client_id: str
    subject: str
    last_seq: int
    seen: int
    secret: bytes | None = None


class Outcome(msgspec.Struct, gc=False):
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


class LogRow(msgspec.Struct, gc=False):
    """What one batch wrote in one entity.

    Args:
        entity: the collection.
        base: the version after which it begins.
        upto: its last version.
        body: as `log_body` has packed it; `None` if that is not at hand.
        commits: it, where it was written here.
    """

    entity: str
    base: int
    upto: int
    body: bytes | None = None
    commits: Sequence[Commit] | None = None


CommittedBatch: TypeAlias = Sequence[LogRow]
"""What one batch wrote: at most one row for each entity."""


class HistoryEntry(msgspec.Struct, gc=False):
    """One commit, or one lost field write, as kept for audit.

    Args:
        record: the record after the commit (clocks left out). For a lost write
            its `data` is an object of the one field that lost, and its `action` is
            `DELETE` if it would have removed that.
        granularity: that in which it was written.
        lost: it was a write that lost.
        previous: of a commit, the version of the one of the same record that was before it;
            0 for none, `None` if that was not noted.
        commit: what has just been committed, as its live readers are told; not kept by every
            store.
    """

    record: Record
    granularity: Granularity
    lost: bool = False
    previous: int | None = None
    commit: Commit | None = None


class Head(msgspec.Struct, gc=False):
    """Where the log of an entity begins and ends.

    Args:
        version: the last version.
        floor: the lowest version that a client may resume from.
    """

    version: int = 0
    floor: int = 0
