"""What becomes of writes, one after the other, each seeing what those before it wrote. Pure.

Knows single writes and transactions, their guards, and the conflict logs that follow them. Must
not know who is answered what, nor numbers of clients: that is the batch's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from rhtmx.errors import RhtmxError
from rhtmx.messages import FieldConflict, FieldPushAck, Push, PushAck, PushFields, Transaction
from rhtmx.wire import ServerMessage
from rhtmx_server.access.guard import Guard
from rhtmx_server.conflict_log import RESERVED
from rhtmx_server.failures import error_message, unexpected
from rhtmx_server.model import (
    NOWHERE,
    Commit,
    Context,
    Decision,
    HistoryEntry,
    Key,
    Mutation,
    PartRow,
)
from rhtmx_server.ports import Decide, Snapshot
from rhtmx_server.writing.admit import Admit
from rhtmx_server.writing.conflict_logs import ConflictLogs, answers_first
from rhtmx_server.writing.entity_functions import EntityFunctions
from rhtmx_server.writing.judgement import decide_judged
from rhtmx_server.writing.kept_rows import lost_entry, part_rows
from rhtmx_server.writing.transactions import acknowledgement, rejection, transaction_id

__all__ = ["Reply", "WriteDecisions", "WriteRules", "key_of", "keys_of", "singles"]

_OPEN = Guard()
Reply: TypeAlias = Sequence[ServerMessage]
"""What the author of a mutation is told."""

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class WriteRules:
    """By what writes are decided.

    Args:
        deciders: the rule for each kind of mutation.
        admit: whether there may be one more entity.
        guards: by the names of their entities, what judges who may write what.
        functions: calls the program's functions about writes.
        logs: the conflict logs.
    """

    deciders: Mapping[type[Push | PushFields], Decide]
    admit: Admit
    guards: Mapping[str, Guard]
    functions: EntityFunctions
    logs: ConflictLogs


class WriteDecisions:
    """What the mutations of a batch write.

    Args:
        rules: by what they are decided.
        snapshot: the store as it was before; learns of each write, so that the next one sees it.
        epoch: the store's epoch.
        now: the time; microseconds.
        logged: for the records whose conflict logs are at hand: the record of the log.

    Attributes:
        commits: those of all mutations, in order.
        history: the entries that are kept of them.
        versions: the new last version of each entity that moved.
        parts: the rows of the parts that changed, by entity, record and part.
        sql_rows: of writes from an application's own SQL, the rows that are applied.
    """

    def __init__(
        self,
        rules: WriteRules,
        snapshot: Snapshot,
        epoch: str,
        now: int,
        logged: Mapping[Key, Key],
    ) -> None:
        self._rules = rules
        self._snapshot = snapshot
        self._epoch = epoch
        self._now = now
        self._logged = logged
        self._made = 0
        self._entries: list[HistoryEntry] = []
        self.commits: list[Commit] = []
        self.versions: dict[str, int] = {}
        self.parts: dict[tuple[str, str, str], PartRow] = {}
        self.sql_rows: list[int] = []

    @property
    def history(self) -> Sequence[HistoryEntry]:
        """The entries that are kept of them."""
        if not self._logged:
            return self._entries
        # Nothing of conflict logs: the history of their records has it all.
        return [each for each in self._entries if not each.record.entity.startswith(RESERVED)]

    def apply(self, mutation: Mutation) -> Reply:
        """Decide a mutation; returns what its author is told.

        Raises:
            RhtmxError: it is rejected, and nothing of it is left.
        """
        if mutation.rejection is not None:
            raise mutation.rejection
        if mutation.sql_rows:
            return self._apply_rows(mutation)
        if type(mutation.message) is Transaction:
            return self._transact(mutation.message, mutation.writes)
        return self._write(mutation)

    def _apply_rows(self, mutation: Mutation) -> Reply:
        """Decide what an application has written by its own SQL: each write that can be applied.

        Its author has committed all of it: what cannot be applied makes the rest no less true.
        """
        first, told = len(self.commits), list[ServerMessage]()
        faults: list[tuple[int, RhtmxError]] = []
        if not mutation.writes:
            return self._apply_row(mutation)
        for index, write in enumerate(mutation.writes):
            try:
                if write.rejection is not None:
                    raise write.rejection
                told += self._apply_row(write)
            except RhtmxError as error:
                faults.append((index, error))
        self._name(first)
        if faults:
            told.append(error_message(rejection([each.write for each in mutation.writes], faults)))
        return told

    def _apply_row(self, write: Mutation) -> Reply:
        message = write.message
        if type(message) is PushFields:
            # By a clock it might be older than what it follows, which its author has seen.
            current = self._snapshot.records.get(key_of(write))
            message.base_version = 0 if current is None else current.version
        reply = self._write(write)
        self.sql_rows += write.sql_rows
        return reply

    def _transact(self, message: Transaction, writes: Sequence[Mutation]) -> Reply:
        """Decide a transaction: all of its writes, or none.

        Raises:
            RhtmxError: some are rejected; nothing of the others is left.
        """
        first, undo = len(self.commits), self._savepoint(writes)
        conflicts: list[ServerMessage] = []
        answers: dict[int, PushAck | FieldPushAck] = {}
        faults: list[tuple[int, RhtmxError]] = []
        for index, write in answers_first(writes):
            try:
                reply = self._write(write)
            except RhtmxError as error:
                faults.append((index, error))
                continue
            for each in reply:
                if isinstance(each, PushAck | FieldPushAck):
                    answers[index] = each
                elif isinstance(each, FieldConflict):
                    each.seq = message.seq
                    conflicts.append(each)
        if faults:
            undo()
            faults.sort(key=lambda fault: fault[0])
            raise rejection([each.write for each in writes], faults)
        context = Context(self._epoch, 0, self._now, None)
        told = map(answers.__getitem__, range(len(writes)))
        return [*conflicts, acknowledgement(message, self._name(first), told, context)]

    def _name(self, first: int) -> str:
        """Have the commits from a place on be one transaction; returns its id, empty for none."""
        commits = self.commits[first:]
        record = commits[0].record if commits else None
        name = transaction_id(self._epoch, *(record.entity, record.version)) if record else ""
        for commit in commits:
            commit.transaction = name
        return name

    def _savepoint(self, writes: Sequence[Mutation]) -> Callable[[], None]:
        """What takes back all that is decided from here on about these."""
        commits, history, made = len(self.commits), len(self._entries), self._made
        keys = [key for write in writes for key in keys_of(write, self._logged)]
        versions = {entity: self.versions.get(entity) for entity, _ in keys}
        records = {key: self._snapshot.records.get(key) for key in keys}
        last_parts = {key: self._snapshot.last_parts.get(key) for key in records}
        parts = dict(self.parts)

        def undo() -> None:
            del self.commits[commits:], self._entries[history:]
            self._made, self.parts = made, parts
            _restore(self.versions, versions)
            _restore(self._snapshot.records, records)
            _restore(self._snapshot.last_parts, last_parts)

        return undo

    def _write(self, mutation: Mutation) -> Reply:
        message: Push | PushFields = mutation.message  # type: ignore[assignment]  # taken apart
        key = message.entity, message.entity_id
        # What this batch wrote comes first: the snapshot is from before it.
        version = self.versions.get(message.entity) or self._snapshot.heads[message.entity].version
        if not version:
            self._rules.admit(message.entity, self._made)
        context = Context(self._epoch, version + 1, self._now, mutation.client_id)
        current = self._snapshot.records.get(key)
        decide, guard = self._rules.deciders[type(message)], self._guard(mutation, message.entity)
        try:
            if guard is None and (current is None or current.hidden is None):
                decision = decide(message, current, context)
            else:  # also without a guard: what was hidden once is not to be lost
                left = self._snapshot.last_parts.get(key, NOWHERE)
                decision = decide_judged(
                    guard or _OPEN, decide, mutation, current, left, context, self._rules.functions
                )
        except RhtmxError:
            raise
        except (Exception, SystemExit) as failure:  # of the program: it does not end the server
            # It costs this mutation only, and uses up its number: the other 511 are written.
            raise unexpected(failure, "deciding a mutation") from failure
        commit = decision.commit
        log = self._logged.get(key) if self._logged else None
        # Mostly nothing was in conflict, and nothing is open.
        follows = log is not None and (log in self._snapshot.records or len(decision.reply) > 1)
        undo = self._savepoint((mutation,)) if follows else None
        if commit is not None:
            record = commit.record
            self.commits.append(commit)
            previous = 0 if current is None else current.version
            self._entries.append(HistoryEntry(record, commit.granularity, False, previous, commit))
            for row in part_rows(commit) if commit.before or commit.after else ():
                self.parts[row.entity, row.entity_id, row.part] = row
            self.versions[message.entity] = version = record.version
            # A first version is a new entity: `admit` has to count those of this batch, too.
            self._made += version == 1 and not message.entity.startswith(RESERVED)
            self._snapshot.records[key] = record
            if guard is not None:
                self._snapshot.last_parts[key] = commit.before  # counts if this was a delete
        for lost in decision.lost:
            self._entries.append(lost_entry(lost, message, version, context))
        if undo is not None:
            self._write_log(mutation, decision, undo)
        return decision.reply

    def _guard(self, mutation: Mutation, entity: str) -> Guard | None:
        """What judges a single write."""
        guard = self._rules.guards.get(entity)
        return guard.unjudged if guard is not None and mutation.sql_rows else guard

    def _write_log(self, mutation: Mutation, decision: Decision, undo: Callable[[], None]) -> None:
        """Write what follows for a conflict log; if that fails, nothing is written of either."""

        def next_version(entity: str) -> int:
            return (self.versions.get(entity) or self._snapshot.heads[entity].version) + 1

        try:
            for each in self._rules.logs.after(mutation, decision, self._snapshot, next_version):
                self._write(each)
        except Exception as failure:
            undo()
            if isinstance(failure, RhtmxError):
                raise
            raise unexpected(failure, "writing a conflict log") from failure


def singles(mutation: Mutation) -> Sequence[Mutation]:
    """What it writes: itself, or those of the transaction, none if it could not be read."""
    # Not `isinstance`: for messages that is a call, and this is asked several times for each push.
    return mutation.writes if type(mutation.message) is Transaction else (mutation,)


def key_of(mutation: Mutation) -> Key:
    """The record that a single write is about."""
    write: Push | PushFields = mutation.message  # type: ignore[assignment]  # taken apart
    return write.entity, write.entity_id


def keys_of(mutation: Mutation, logged: Mapping[Key, Key]) -> Sequence[Key]:
    """The records that have to be at hand for a mutation.

    Args:
        mutation: the mutation.
        logged: see `WriteDecisions`.
    """
    keys = [key_of(each) for each in singles(mutation)]
    if logged:
        keys += [logged[key] for key in keys if key in logged]
    return keys


def _restore(current: dict[K, V], before: Mapping[K, V | None]) -> None:
    for key, value in before.items():
        if value is None:
            current.pop(key, None)
        else:
            current[key] = value
