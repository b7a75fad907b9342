"""One group of mutations: deduplicated, decided, turned into writes. Pure.

Knows the rules of exactly-once, and that whoever writes under an id has to own
it. Must not know the store, the loop, or how one kind of mutation is decided: it
gets a snapshot and a table of deciders.

The rules, for a client that numbers its mutations:

======================  ==================================================
`seq` is the next one   decided; the answer is kept with the number
`seq` was there before  the same answer again, marked as a duplicate
the same, other content error `seq_reused`, nothing written
`seq` leaves a gap      error `out_of_order`, nothing written
it is rejected          the number is used up and the answer kept, so that
                        a mutation that can never succeed blocks nothing
======================  ==================================================

Every door's writes come through here, so this is where an id is checked and
where it gets its owner (`identity` has the rules): in the transaction of the
first write under it, so that a write that fails claims nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    FieldConflict,
    FieldPushAck,
    Push,
    PushAck,
    PushFields,
    TransactionAck,
)
from rhtmx_server.access.guard import Guard
from rhtmx_server.access.parts import Values
from rhtmx_server.failures import error_message
from rhtmx_server.model import (
    THE_APP,
    ClientRow,
    Commit,
    Key,
    Mutation,
    Outcome,
    Record,
)
from rhtmx_server.ports import BatchNeeds, BatchWrites, Decide, Moment, MoreNeeds, Snapshot
from rhtmx_server.trackers.state import live
from rhtmx_server.writing.admit import Admit, anything
from rhtmx_server.writing.conflict_logs import NO_LOGS, ConflictLogs
from rhtmx_server.writing.decisions import (
    Reply,
    WriteDecisions,
    WriteRules,
    key_of,
    keys_of,
    singles,
)
from rhtmx_server.writing.entity_functions import EntityFunctions
from rhtmx_server.writing.identity import check_owner, check_right_to_number
from rhtmx_server.writing.judgement import (
    keeps_secret,
    shown_values,
    without_values,
)
from rhtmx_server.writing.outcomes import digest, pack, told_of, unpack
from rhtmx_server.writing.rejections import now_in, too_much

__all__ = ["MAX_SECONDS", "Batch"]

SEEN_TO = 3_600_000_000
"""Microseconds: how exactly it is kept when a client without numbers wrote last, to spare rows."""

MAX_SECONDS = 0.02
"""After so long no other mutation is begun: deciding holds everybody up. 512 usual ones take 5 ms
(10 on a busy machine), a single field of a record that has 3,000 takes 3 ms."""


class Batch:
    """Mutations that become one transaction.

    Args:
        mutations: in the order in which they arrived.
        deciders: the rule for each kind of mutation.
        epoch: the store's: a snapshot of another one is refused.
        now: the server's clock, unless the snapshot says the time; microseconds.
        confirmed: for each of these clients, the number up to which it needs no
            answers any more.
        most_clients: so many clients may be known.
        admit: whether there may be one more entity.
        guards: by the names of their entities, what judges who may write what.
        elapsed: seconds, of a clock that does not jump; by default time stands still.
        functions: calls the program's functions about writes.
        logs: the conflict logs; `None` for none.

    Attributes:
        replies: the answers to those that were decided: the first ones. The
            others belong into another batch.
        commits: what they write, in order.
    """

    def __init__(
        self,
        mutations: Sequence[Mutation],
        deciders: Mapping[type[Push | PushFields], Decide],
        epoch: str,
        now: int,
        *,
        confirmed: Mapping[str, int] | None = None,
        most_clients: int = sys.maxsize,
        admit: Admit = anything,
        guards: Mapping[str, Guard] = MappingProxyType({}),
        elapsed: Callable[[], float] = lambda: 0.0,
        functions: EntityFunctions | None = None,
        logs: ConflictLogs | None = None,
    ) -> None:
        self.mutations = mutations
        self._epoch = epoch
        self._now = now
        self._confirmed = confirmed or {}
        self._most_clients = most_clients
        self._guards = guards
        self._elapsed = elapsed
        self._logs = logs or NO_LOGS
        self._rules = WriteRules(
            deciders, admit, guards, functions or EntityFunctions(), self._logs
        )
        self._writes: Sequence[tuple[Key, Mutation]] = ()
        self._logged: dict[Key, Key] = {}
        self.replies: list[Reply] = []
        self.commits: Sequence[Commit] = ()

    def wanted(self) -> BatchNeeds:
        """What `decide` has to see."""
        numbered = [
            (mutation.client_id, mutation.message.seq)
            for mutation in self.mutations
            if mutation.client_id is not None and mutation.message.seq is not None
        ]
        self._writes = [(key_of(one), one) for m in self.mutations for one in singles(m)]
        return BatchNeeds(
            records=dict(self._writes),
            clients={m.client_id for m in self.mutations if m.client_id is not None},
            outcomes=set(numbered),
            more=None if self._logs is NO_LOGS else self._log_needs,
            sql_rows=[row for each in self.mutations for row in each.sql_rows],
        )

    def _log_needs(self, records: Mapping[Key, Record], moment: Moment | None) -> MoreNeeds:
        """What has to be at hand of conflict logs, and of those who wrote what is in conflict."""
        now = self._now if moment is None else moment.now
        self._logged, authors = self._logs.needs(self._writes, records, now)
        return [log for key, log in self._logged.items() if log != key], authors

    def decide(self, snapshot: Snapshot) -> BatchWrites:
        """Decide as many as time allows, each seeing what those before it wrote; all anew again."""
        if snapshot.moment is not None:
            self._now = now_in(self._epoch, snapshot.moment)
        self.replies, self._outcomes, self._touched = [], list[Outcome](), dict[str, ClientRow]()
        made = WriteDecisions(self._rules, snapshot, self._epoch, self._now, self._logged)
        self._decisions, self.commits = made, made.commits
        elapsed, unread = self._elapsed, snapshot.unread
        end = elapsed() + MAX_SECONDS
        takes_apart = False
        for mutation in self.mutations:
            # The store read no further: this one and all after it go into the next batch, in order.
            if unread and not unread.isdisjoint(keys_of(mutation, self._logged)):
                if self.replies or not mutation.writes:
                    break
                mutation.rejection = too_much(mutation)  # it would never be read as a whole
                takes_apart = bool(mutation.sql_rows)
            # At least one, however long it takes: else the queue would stand still.
            if self.replies and elapsed() >= end:
                break
            try:
                self.replies.append(self._answer(mutation, snapshot))
            except RhtmxError as error:
                self.replies.append([error_message(error, mutation.message)])
            if takes_apart:  # it is taken apart, and what follows waits for that
                break
        records = {(c.record.entity, c.record.entity_id): c.record for c in made.commits}
        return BatchWrites(
            records=records.values(),
            heads=made.versions,
            history=made.history,
            clients=self._touched.values(),
            outcomes=self._outcomes,
            confirmed=self._confirmed,
            parts=made.parts.values(),
            sql_rows=made.sql_rows,
        )

    def _answer(self, mutation: Mutation, snapshot: Snapshot) -> Reply:
        seq = mutation.message.seq
        # The program of the server writes in any name; on behalf of somebody only in theirs.
        of_program = mutation.secret == THE_APP and not mutation.subject
        if mutation.client_id is None or (seq is None and of_program):
            return self._as_it_comes(mutation, snapshot)
        client = snapshot.clients.get(mutation.client_id)
        # Before the number is looked at: what somebody else was answered is none of their business.
        check_owner(client, mutation.subject, mutation.secret)
        # Nothing is kept of it: sent twice, it is written twice, as its author has chosen.
        if seq is None:
            return self._unnumbered(client, snapshot, mutation)
        if seq < 1:
            raise mutation.rejection or RhtmxError(
                ErrorCode.BAD_MESSAGE, f"seq: a number from 1 on expected, got {seq}"
            )
        check_right_to_number(mutation.subject, mutation.secret)
        client = client or self._new(mutation.client_id, snapshot, mutation)
        # Also of one that is rejected: to send it again, with other content, is still a mistake.
        hashed = digest(mutation.sent or mutation.message)
        if seq <= client.last_seq:
            return self._repeat(client, seq, hashed, snapshot, mutation)
        # Not kept for later: what comes in between may be lost, and then this would wait for ever.
        if seq > client.last_seq + 1:
            raise RhtmxError(
                ErrorCode.OUT_OF_ORDER,
                f"seq {seq} leaves a gap: {client.last_seq + 1} comes next",
                details=b'{"last_seq":%d}' % client.last_seq,
            )
        return self._number(client, seq, hashed, snapshot, mutation)

    def _as_it_comes(self, mutation: Mutation, snapshot: Snapshot) -> Reply:
        """Decide what has no number; what has rows instead, unless another server was quicker."""
        if mutation.sql_rows and not snapshot.sql_rows >= {*mutation.sql_rows}:
            return ()
        return self._decisions.apply(mutation)

    def _unnumbered(
        self, client: ClientRow | None, snapshot: Snapshot, mutation: Mutation
    ) -> Reply:
        """Decide a mutation without a number; the id is the subject's from now on."""
        assert mutation.client_id is not None
        if client is None and mutation.subject:
            client = self._new(mutation.client_id, snapshot, mutation)
        reply = self._decisions.apply(mutation)
        if client is not None:
            # Only now, after `_apply`: a write that failed claims no id.
            is_new = client.client_id not in snapshot.clients
            if is_new or self._now - client.seen >= SEEN_TO:
                self._keep(client, client.last_seq, client.secret, snapshot)
        return reply

    def _new(self, client_id: str, snapshot: Snapshot, mutation: Mutation) -> ClientRow:
        if snapshot.known >= self._most_clients:
            raise RhtmxError(
                ErrorCode.TOO_MANY_REQUESTS,
                f"this server knows {snapshot.known} clients, as many as it may (its option "
                "`clients`), and this one is new: use an id that it knows, or try again later",
            )
        return ClientRow(client_id, mutation.subject, 0, self._now)

    def _keep(
        self, client: ClientRow, last_seq: int, secret: bytes | None, snapshot: Snapshot
    ) -> ClientRow:
        key = client.client_id
        kept = ClientRow(key, client.subject, last_seq, self._now, secret)
        # The snapshot is what the rest of the batch sees: it has to learn of each new client.
        snapshot.known += key not in snapshot.clients
        snapshot.clients[key] = self._touched[key] = kept
        return kept

    def _number(
        self, client: ClientRow, seq: int, hashed: bytes, snapshot: Snapshot, mutation: Mutation
    ) -> Reply:
        """Decide a mutation under its number, and keep what came of it."""
        rejected, writes = False, singles(mutation) if self._guards else ()
        before = [snapshot.records.get(key_of(each)) for each in writes] if writes else ()
        try:
            reply = self._decisions.apply(mutation)
        except RhtmxError as error:
            reply = [error_message(error, mutation.message)]
            rejected = True
        # Bound with the first number, not with `welcome`: one that got lost locks nobody out.
        secret = None if mutation.subject else mutation.secret  # once bound it is always this one
        moved = self._keep(client, seq, secret, snapshot)
        then: Sequence[Values | None] = ()
        if before and not _tells_nothing(reply):
            # What was filled in where there was no record, is told of the one that there is now.
            now = [snapshot.records.get(key_of(each)) for each in writes]
            told = [live(old) or new for old, new in zip(before, now, strict=True)]
            then = list(map(self._shown, writes, told))
        outcome = Outcome(moved.client_id, seq, hashed, pack(reply, then), rejected)
        snapshot.outcomes[moved.client_id, seq] = outcome
        self._outcomes.append(outcome)
        return reply

    def _repeat(
        self, client: ClientRow, seq: int, hashed: bytes, snapshot: Snapshot, mutation: Mutation
    ) -> Reply:
        outcome = snapshot.outcomes.get((client.client_id, seq))
        if outcome is None:
            raise RhtmxError(
                ErrorCode.OUT_OF_ORDER,
                f"seq {seq} was answered and confirmed: {client.last_seq + 1} comes next",
                details=b'{"last_seq":%d}' % client.last_seq,
            )
        if outcome.digest != hashed:
            raise RhtmxError(
                ErrorCode.SEQ_REUSED,
                f"seq {seq} was used for another mutation: nothing was written",
            )
        # What was kept leaves out what the mutation says itself; it is the same one, by its digest.
        reply = unpack(outcome.reply, mutation.message)
        # It was answered when it came first: since then its author may have lost the right.
        if self._guards and self._is_secret(mutation, snapshot, told_of(outcome.reply), reply):
            reply = without_values(reply, mutation)
        for message in reply:
            if isinstance(message, PushAck | FieldPushAck | TransactionAck):
                message.duplicate = True
            if not isinstance(message, FieldConflict):
                message.request_id = mutation.message.request_id
        return reply

    def _shown(self, write: Mutation, record: Record | None) -> Values | None:
        guard = self._guards.get(write.write.entity)
        return None if guard is None else shown_values(guard, write, record)

    def _is_secret(
        self, mutation: Mutation, snapshot: Snapshot, then: Sequence[Values | None], reply: Reply
    ) -> bool:
        """Whether the answer that was kept may tell of what its author may not see now."""
        for index, write in enumerate(singles(mutation)):
            guard = self._guards.get(write.write.entity)
            told = then[index] if then else None
            current = snapshot.records.get(key_of(write))
            if guard is not None and keeps_secret(guard, write, current, told, reply):
                return True
        return False


def _tells_nothing(reply: Reply) -> bool:
    """Whether nothing of the record is in an answer, as usual: then nothing has to be looked up."""
    return len(reply) == 1 and isinstance(reply[0], PushAck) and reply[0].prepared is None
