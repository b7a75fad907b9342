"""What becomes of the conflict log of a record when that is written. Pure.

Knows conflicts as their authors are told them, and the records that they are kept in.
Must not know how a write is decided, nor the store: what is to be done to a log is
written like everything else, by the program, in the same batch.

What happens to the open conflicts of a record:

========================  ==========================================================
the record                its open conflicts
========================  ==========================================================
a field is in conflict    one more, under the version that its log gets by it. One of
                          the same field whose loser is the same client is no more;
                          the oldest go where there are too many, or too large ones
is answered by a client   the one that is named is no more
moves                     move with it; but if somebody may read it now who could not
                          before, they are no more, and this write opens none
is deleted                are no more: what comes too late for the delete is a new one
is created anew, where    are no more: they are of what others had, and may hold what
others read it            those who read it now may not see
========================  ==========================================================

A log of which nothing is open is deleted. What is no more open stays in the history of
the record, as every write does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

import msgspec

from rhtmx.messages import (
    ChangeAction,
    FieldAction,
    FieldConflict,
    FieldPushAck,
    FieldUpdate,
    Push,
    PushAck,
    PushFields,
)
from rhtmx_server.access.guard import Guard
from rhtmx_server.access.parts import Values
from rhtmx_server.conflict_log import RESERVED, base_of, field_of, is_conflict, log_of
from rhtmx_server.model import (
    DELETED,
    NOWHERE,
    THE_APP,
    Clock,
    Commit,
    Decision,
    Key,
    Mutation,
    Record,
)
from rhtmx_server.ports import Snapshot
from rhtmx_server.times import to_datetime, to_micros
from rhtmx_server.trackers import json_text as jsontext
from rhtmx_server.trackers.fields import MAX_RECORD
from rhtmx_server.trackers.merge import clamp
from rhtmx_server.trackers.state import fields_of, live
from rhtmx_server.writing.open_conflicts import (
    MOST_OPEN,
    concerns,
    conflict_json,
    crowded_out,
    outgrown,
)

__all__ = ["NO_LOGS", "ConflictLogs", "answers_first", "by_program"]

_DELETE = ChangeAction.DELETE

_values = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class ConflictLogs:
    """Which logs there are, and what is written into them.

    Args:
        guards: by the names of their entities, what judges who may write what; those of
            the logs, too.
        unlogged: the entities that have no log.
        most_bytes: of the record of a log, at most.
    """

    def __init__(
        self,
        guards: Mapping[str, Guard] = MappingProxyType({}),
        unlogged: Collection[str] = frozenset(),
        *,
        most_bytes: int = MAX_RECORD,
    ) -> None:
        self._guards = guards
        self._unlogged = frozenset(unlogged)
        self._most_bytes = min(most_bytes, MAX_RECORD)
        #: For each entity whose log is placed by values of its records: what reads these.
        self._places = {
            base: guard
            for name, guard in guards.items()
            if (base := base_of(name)) is not None and guard.judged
        }

    def needs(
        self, writes: Sequence[tuple[Key, Mutation]], records: Mapping[Key, Record], now: int
    ) -> tuple[dict[Key, Key], Collection[str]]:
        """What has to be at hand to decide some writes.

        Args:
            writes: single ones, in order, each with the record that it writes.
            records: as they are before.
            now: the server's clock; microseconds.

        Returns:
            For records whose logs may have to be written: the record of the log, which of one
            of a log is itself. And the clients whose writes may be in conflict with these.
        """
        shared = _shared(writes) if len(dict(writes)) < len(writes) else ()
        logged, rivals, places = dict[Key, Key](), set[str](), self._places
        for key, mutation in writes:
            write, entity = mutation.message, key[0]
            if entity.startswith(RESERVED):
                logged[key] = key
            # Not `isinstance`: for messages that is a call. Most writes of most batches end here.
            elif type(write) is Push:
                meets = write.action is _DELETE or entity in places
                if meets and entity not in self._unlogged:
                    logged[key] = log_of(entity), key[1]
            elif type(write) is PushFields and entity not in self._unlogged:
                record = records.get(key)
                by = mutation.client_id
                authors = None if record is None else _rivals(write, record, by, now)
                if authors is not None or key in shared or self._may_move(write, record):
                    rivals.update(authors or ())
                    logged[key] = log_of(entity), key[1]
        return logged, rivals

    def after(
        self,
        mutation: Mutation,
        decision: Decision,
        snapshot: Snapshot,
        next_version: Callable[[str], int],
    ) -> Iterator[Mutation]:
        """What is to be written after a write was decided, one after the other.

        Args:
            mutation: a single one; to a log, or to a record whose log is at hand.
            decision: what became of it. Its conflicts get their numbers.
            snapshot: what was written so far.
            next_version: that an entity gets now.
        """
        entity, entity_id = mutation.write.entity, mutation.write.entity_id
        commit = decision.commit
        if entity.startswith(RESERVED):
            if commit is not None and _is_settled(commit.record):
                yield by_program(_deletion(commit.record))
            return
        log = log_of(entity), entity_id
        if commit is not None:
            ends = not commit.record.live or self._is_shown_to_more(commit)
            follows = self._follow(commit, snapshot.records.get(log), ends=ends)
            if follows is not None:
                yield by_program(follows)
            if ends and commit.record.live:
                return
        *reply, ack = decision.reply
        assert isinstance(ack, PushAck | FieldPushAck)
        assert ack.server_time is not None
        conflicts = [each for each in reply if isinstance(each, FieldConflict)]
        # Of more than there is room for, the first would have to go for the last.
        for conflict in conflicts[-MOST_OPEN:]:
            number = next_version(log[0])
            opens = self._open(mutation, conflict, number, snapshot, ack.server_time)
            if opens is not None:
                yield by_program(opens)
                conflict.conflict = number

    def _may_move(self, write: PushFields, record: Record | None) -> bool:
        guard = self._places.get(write.entity)
        if guard is None:
            return False
        judged = guard.judged
        for update in write.fields:  # not `any`: that takes twice the time
            if update.field in judged:
                return True
        return record is None or record.action is _DELETE

    def _follow(
        self, commit: Commit, log: Record | None, *, ends: bool
    ) -> Push | PushFields | None:
        """What is to be done to a log because its record was written.

        Args:
            commit: what became of the record.
            log: the record of its log.
            ends: what is open is no more.
        """
        if live(log) is None:
            return None
        assert log is not None
        record, guard = commit.record, self._guards.get(commit.record.entity)
        if ends:
            return _deletion(log)
        placed = self._placed(record, log, to_datetime(record.time))
        anew = record.action is ChangeAction.CREATE and guard is not None and guard.closed
        return _deletion(log) if placed and anew else placed

    def _is_shown_to_more(self, commit: Commit) -> bool:
        """Whether a write lets somebody read its record to whom it was not there before.

        They get the record as it is, and not what others wrote into it and lost.
        """
        record, guard = commit.record, self._guards.get(commit.record.entity)
        if guard is None or record.action is not ChangeAction.UPDATE:
            return False
        return guard.opens(commit.before, guard.values_of(record.data))

    def realigned(self, record: Record, log: Record, at: datetime) -> Push | PushFields | None:
        """What is to be done to a log that may not have followed its record for some time.

        Other fields may place records now. But one that is elsewhere may also have been
        deleted meanwhile, and created anew.

        Args:
            record: as it is.
            log: the record of its log.
            at: the time.
        """
        placed = self._placed(record, log, at)
        if placed is None:
            return None
        guard = self._places[record.entity]
        values, then = guard.values_of(record.data), guard.values_of(log.data)
        strange = any(values.get(name) != spelt for name, spelt in then.items())
        return _deletion(log) if strange and self._guards[record.entity].closed else placed

    def told_no_more(self, entity: str, log: Record, at: datetime) -> PushFields | None:
        """What takes the conflicts out of a log that are of fields which are hidden by now.

        Args:
            entity: whose log it is.
            log: the record of the log.
            at: the time.
        """
        guard = self._guards.get(entity)
        fields = fields_of(log) if guard is not None and guard.hidden else {}
        gone = [
            name
            for name, text in fields.items()
            if guard is not None and is_conflict(name) and concerns(text) in guard.hidden
        ]
        return _into(log, list(_deletes(gone, at))) if gone else None

    def may_be_misplaced(self, entity: str) -> bool:
        """Whether the log of an entity depends on what is declared of that today."""
        guard = self._guards.get(entity)
        return entity in self._places or (guard is not None and bool(guard.hidden))

    def _placed(self, record: Record, log: Record, at: datetime) -> PushFields | None:
        """What has a log be where its record is; `None`: it is.

        Args:
            record: as it is.
            log: the record of its log.
            at: the time.
        """
        guard = self._places.get(record.entity)
        if guard is None:
            return None
        values, then = guard.values_of(record.data), guard.values_of(log.data)
        if values == then:
            return None
        moved = {name: spelt for name, spelt in values.items() if then.get(name) != spelt}
        left = then.keys() - values.keys()
        kept = {name: text for name, text in fields_of(log).items() if name not in left}
        kept |= {name: jsontext.raw(spelt.encode()) for name, spelt in moved.items()}
        # The write of the record is decided: what follows from it may not be too large.
        gone = [*left, *outgrown(kept, self._most_bytes)]
        return _into(log, [*_updates(moved, at), *_deletes(gone, at)])

    def _open(
        self,
        mutation: Mutation,
        conflict: FieldConflict,
        number: int,
        snapshot: Snapshot,
        at: datetime,
    ) -> PushFields | None:
        """What opens a conflict in the log of its record.

        Args:
            mutation: the field push that was in conflict.
            conflict: as its author is told.
            number: that it gets: the version that the log has then.
            snapshot: what was written so far.
            at: the time.

        Returns:
            `None` if it has values that are too large or too deep to be kept.
        """
        text = conflict_json(mutation, conflict, snapshot.clients)
        if text is None:
            return None
        key = mutation.write.entity, mutation.write.entity_id
        log = snapshot.records.get((log_of(key[0]), key[1]))
        fields = fields_of(log)
        left = snapshot.last_parts.get(key, NOWHERE)
        placed = {} if fields else self._first_place(snapshot.records[key], left)
        fields |= {each: jsontext.raw(spelt.encode()) for each, spelt in placed.items()}
        gone = crowded_out(fields, field_of(number), text, self._most_bytes)
        if gone is None:
            return None
        if log is None:
            log = Record(log_of(key[0]), key[1], 0, ChangeAction.DELETE, None, None, 0)
        opened = FieldUpdate(field_of(number), text, FieldAction.UPDATE, at)
        return _into(log, [*_updates(placed, at), *_deletes(gone, at), opened])

    def _first_place(self, record: Record, left: frozenset[str]) -> Values:
        """The values that place the first conflict of a record."""
        guard = self._places.get(record.entity)
        if guard is None:
            return {}
        if record.live:
            return guard.values_of(record.data)
        # Of one that is deleted only those are known by which its entity is divided.
        known = {
            name: bytes(text).decode()
            for part in left
            for name, text in _values(part.encode()).items()
        }
        return {name: spelt for name, spelt in known.items() if name in guard.judged}


NO_LOGS = ConflictLogs()
"""None, for who asks for none: nothing is ever at hand of it."""


def _shared(writes: Sequence[tuple[Key, Mutation]]) -> Collection[Key]:
    """The records that more than one client writes; whoever is not known is another each time."""
    writers: dict[Key, str | None] = {}
    found: set[Key] = set()
    for key, mutation in writes:
        by = mutation.client_id
        if key not in writers:
            writers[key] = by
        elif by is None or writers[key] != by:
            found.add(key)
    return found


def _rivals(
    push: PushFields, record: Record, client_id: str | None, now: int
) -> Collection[str] | None:
    """The authors of what a push may be in conflict with; `None` if with nothing.

    By the clocks alone: whether it is in conflict is decided by `merge`, and may not be so. But
    what this says of nobody is not.
    """
    base = push.base_version
    if base is not None and record.version <= base:
        return None
    if _all_own(push, record, client_id):
        return None
    found: set[str] | None = None
    whole = Clock(record.version, record.time, record.client_id)
    delete = record.clocks.get(DELETED) or (None if record.live else whole)
    for update in push.fields:
        clock = record.clocks.get(update.field, whole)
        if delete is not None and (clock is whole or clock.version < delete.version):
            clock = delete
        if _had_seen(update, clock, base, client_id, now):
            continue
        found = set() if found is None else found
        if clock.client_id:
            found.add(clock.client_id)
        tags = (clock.items or {}).values()
        found.update(by for version, by in tags if by and base is not None and version > base)
    return found


def _all_own(push: PushFields, record: Record, client_id: str | None) -> bool:
    """Whether an author's own writes are all that it meets, as usual: then it is quick to tell."""
    clocks = record.clocks
    for update in push.fields:
        clock = clocks.get(update.field)
        if clock is None or clock.client_id != client_id or clock.items is not None:
            return False
    return client_id is not None and DELETED not in clocks and record.action is not _DELETE


def _had_seen(
    update: FieldUpdate, clock: Clock, base: int | None, client_id: str | None, now: int
) -> bool:
    """Whether an author had surely seen what a field has, so that there is no conflict."""
    if client_id and clock.client_id == client_id and clock.items is None:
        return True
    if base is not None:
        return clock.version <= base
    written = update.timestamp
    return written is None or clamp(to_micros(written), now) > clock.timestamp


def answers_first(writes: Sequence[Mutation]) -> list[tuple[int, Mutation]]:
    """The writes of a transaction in the order in which they are decided, each with its place.

    Answers to conflicts come before all others, whatever their place: what is written with an
    answer may move the record, or delete it, and so end what is open.
    """
    return sorted(enumerate(writes), key=lambda each: not each[1].write.entity.startswith(RESERVED))


def _updates(values: Values, at: datetime) -> list[FieldUpdate]:
    update = FieldAction.UPDATE
    return [FieldUpdate(name, spelt.encode(), update, at) for name, spelt in values.items()]


def _deletes(names: Iterable[str], at: datetime) -> list[FieldUpdate]:
    return [FieldUpdate(name, None, FieldAction.DELETE, at) for name in names]


def _into(log: Record, updates: list[FieldUpdate]) -> PushFields:
    # It has seen all that is there: nothing of it is in conflict, whatever the clocks say.
    return PushFields(
        entity=log.entity, entity_id=log.entity_id, fields=updates, base_version=log.version
    )


def by_program(write: Push | PushFields) -> Mutation:
    """A write of the server itself."""
    return Mutation(write, lambda reply: None, secret=THE_APP)


def _deletion(log: Record) -> Push:
    """What deletes the record of a log."""
    return Push(entity=log.entity, entity_id=log.entity_id, action=ChangeAction.DELETE)


def _is_settled(record: Record) -> bool:
    """Whether nothing is open in the record of a log, which is there."""
    return record.live and not any(map(is_conflict, fields_of(record)))
