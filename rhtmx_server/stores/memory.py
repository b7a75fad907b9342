"""A store in plain Python objects: the reference for what a store does.

Knows the port. Must not know files or SQL. Nothing survives the process, so
it is for tests and demonstrations.

Nothing here awaits, so every method is one step of the event loop: that is its
transaction.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import chain, count, islice

from msgspec.structs import replace

from rhtmx_server.horizon import StoredTimes
from rhtmx_server.model import (
    ClientRow,
    Departure,
    Head,
    HistoryEntry,
    Key,
    Outcome,
    PartRow,
    Record,
)
from rhtmx_server.ports import EVERY_VERSION, KEEP_ANSWERS, BatchNeeds, BatchWrites, Snapshot
from rhtmx_server.record_page import CommitPage, HistoryPage, HistoryPosition, place
from rhtmx_server.stores.chain import steps_back, walk
from rhtmx_server.stores.epoch import random_epoch
from rhtmx_server.stores.paging import BATCH_BYTES, cut, cut_history

__all__ = ["MemoryStore"]


_CLOCK = 40
"""About what a clock weighs where it is written down."""


class _Log:
    """The latest state of each record of one entity, in version order.

    A record that is written again leaves its old version behind in the list;
    these are swept out when they are the greater part of it.
    """

    def __init__(self) -> None:
        self._versions: list[int] = []
        self._records: dict[int, Record] = {}

    def put(self, record: Record, replaced: Record | None) -> None:
        """Add a record under its new, highest version."""
        if replaced is not None:
            self.remove(replaced)
        self._versions.append(record.version)
        self._records[record.version] = record

    def remove(self, record: Record) -> None:
        """Take a record out."""
        del self._records[record.version]
        # To sweep at each removal would look through all of them; like this each is looked at
        # twice.
        if len(self._versions) > 2 * len(self._records) + 64:
            self._versions = [version for version in self._versions if version in self._records]

    def between(self, after: int, upto: int) -> Iterator[Record]:
        """Find the records with `after < version <= upto`, in version order."""
        # Versions only grow, so the list is sorted as it is.
        for version in islice(self._versions, bisect_right(self._versions, after), None):
            if version > upto:
                return
            if version in self._records:
                yield self._records[version]


class MemoryStore:
    """A `Store` that keeps everything in memory.

    Args:
        new_epoch: makes the id of the store.

    Example:
        >>> store = MemoryStore()
        >>> await store.open()
        >>> await store.heads()
        {}
    """

    def __init__(self, *, new_epoch: Callable[[], str] = random_epoch) -> None:
        self._new_epoch = new_epoch
        self._epoch = new_epoch()
        self._heads: dict[str, Head] = {}
        self._records: dict[Key, Record] = {}
        self._logs: defaultdict[str, _Log] = defaultdict(_Log)
        self._history: defaultdict[str, list[tuple[HistoryPosition, HistoryEntry]]] = defaultdict(
            list
        )
        self._rows = count(1)
        self._clients: dict[str, ClientRow] = {}
        self._outcomes: dict[tuple[str, int], Outcome] = {}
        self._horizon: int | None = None
        self._declared: dict[str, str] = {}
        self._parts: defaultdict[str, dict[str, dict[str, PartRow]]] = defaultdict(dict)

    @property
    def epoch(self) -> str:
        """Random id made with the store."""
        return self._epoch

    @property
    def shared(self) -> bool:
        """Whether other processes write to it: never."""
        return False

    def counts(self, epoch: str | None, entity: str) -> int:
        """Up to which version a position of an epoch counts: all of this one, none of others."""
        return EVERY_VERSION if epoch == self.epoch else -1

    async def open(self) -> None:
        """Nothing to do: it was made empty, and keeps what it has."""

    def ready(self) -> bool:
        """Whether it can be written to: always."""
        return True

    async def close(self) -> None:
        """Keep everything: a program may open it again."""

    async def renew_epoch(self) -> str:
        """Make every position that clients hold invalid; returns the new epoch."""
        self._epoch = self._new_epoch()
        return self._epoch

    async def commit(self, wanted: BatchNeeds, decide: Callable[[Snapshot], BatchWrites]) -> None:
        """Read what is wanted, decide, write."""
        writes = decide(self._snapshot(wanted))
        for entity, version in writes.heads.items():
            self._heads[entity] = Head(version, self._heads.get(entity, Head()).floor)
        # The log is kept by appending: its order has to be that of the versions.
        for record in sorted(writes.records, key=_version):
            self._put(_copy(record))
        for entry in writes.history:
            plain = replace(entry.record, clocks={}, entered=0, hidden=None)
            kept = replace(entry, record=plain, commit=None)
            row = HistoryPosition(entry.record.version, next(self._rows))
            insort(self._history[entry.record.entity], (row, kept), key=_place)
        for part in writes.parts:
            self._keep_part(replace(part))
        for client in writes.clients:
            self._clients[client.client_id] = replace(client)
        for outcome in writes.outcomes:
            self._outcomes[outcome.client_id, outcome.seq] = replace(outcome)
        if upto := writes.confirmed:
            self._outcomes = {
                key: one for key, one in self._outcomes.items() if key[1] > upto.get(key[0], 0)
            }

    async def heads(self) -> dict[str, Head]:
        """Read the head of every entity that was ever written."""
        return {entity: replace(head) for entity, head in self._heads.items()}

    async def head(self, entity: str) -> Head:
        """Read the head of one entity."""
        return replace(self._heads.get(entity) or Head())

    async def since(
        self, entity: str, after: int, upto: int, limit: int, *, clocks: bool = True
    ) -> list[Record]:
        """At most `limit` records with `after < version <= upto`, in version order."""
        if entity not in self._logs:
            return []
        found = self._logs[entity].between(after, upto)
        copy = _told if clocks else _without_clocks
        return cut(copy(record) for record in islice(found, limit))

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
        """At most `limit` of what happened to these parts of an entity, in version order."""
        of_entity = self._parts.get(entity, {})
        rows = [row for part in set(parts) for row in of_entity.get(part, {}).values()]
        inside = {row.entity_id for row in rows if not row.left}
        # A record may have left several parts, at several times: the last one counts.
        last: dict[str, PartRow] = {}
        for row in rows:
            if row.left and row.entity_id in inside:
                continue
            if row.entity_id not in last or last[row.entity_id].version < row.version:
                last[row.entity_id] = row
        wanted = (row for row in last.values() if after < row.version <= upto)
        copy = _told if clocks else _without_clocks
        found: list[Record | Departure] = []
        for row in islice(sorted(wanted, key=lambda row: row.version), limit):
            record = self._records.get((entity, row.entity_id))
            if record is not None and record.version == row.version and row.left != record.live:
                found.append(copy(record))
            else:
                found.append(Departure(entity, row.entity_id, row.version, row.time))
        return cut(found)

    async def divide(
        self, entity: str, declared: str, parts_of: Callable[[bytes | None], Collection[str]]
    ) -> None:
        """Make the parts of an entity what they are declared to be now."""
        if self._declared.get(entity, "") == declared:
            return
        # All of them before the first is kept: `parts_of` may fail.
        rows = [
            PartRow(entity, part, entity_id, record.version, record.time)
            for (of, entity_id), record in self._records.items()
            if declared and of == entity and record.live
            for part in parts_of(record.data)
        ]
        self._parts.pop(entity, None)
        self._declared[entity] = declared
        for row in rows:
            self._keep_part(row)
        if declared and entity in self._heads:
            head = self._heads[entity]
            head.floor = head.version

    async def divided(self) -> Collection[str]:
        """Name the entities that are divided."""
        return {entity for entity, declared in self._declared.items() if declared}

    async def record(self, entity: str, entity_id: str) -> Record | None:
        """One record, or its tombstone, or `None`."""
        record = self._records.get((entity, entity_id))
        return None if record is None else _copy(record)

    async def client(self, client_id: str) -> ClientRow | None:
        """Read what is known of a client."""
        client = self._clients.get(client_id)
        return None if client is None else replace(client)

    async def history(
        self,
        entity: str,
        *,
        entity_id: str | None = None,
        after: int | HistoryPosition = 0,
        until: int | None = None,
        limit: int = 1000,
    ) -> HistoryPage[HistoryEntry]:
        """Read commits and lost writes after a place, oldest first."""
        entries = self._history.get(entity, [])
        start = bisect_right(entries, place(after), key=_place)
        found = (
            (row, replace(entry, record=_copy(entry.record)))
            for (_, row), entry in islice(entries, start, None)
            if entity_id in (None, entry.record.entity_id)
            and (until is None or entry.record.time <= until)
        )
        return cut_history(islice(found, limit), place(after))

    async def commits(
        self,
        newest: Record,
        *,
        start: int | None = None,
        before: int | None = None,
        until: int | None = None,
        limit: int = 1000,
    ) -> CommitPage:
        """Read commits of one record, newest first."""
        entries = self._history.get(newest.entity, [])

        def find(version: int) -> HistoryEntry | None:
            at = bisect_right(entries, HistoryPosition(version, 0), key=_place)
            entry = entries[at][1] if at < len(entries) else None
            if entry is None or entry.record.version != version or entry.lost:
                return None
            if entry.record.entity_id != newest.entity_id:
                return None
            return replace(entry, record=_copy(entry.record))

        steps = steps_back(_copy(newest), start=start, before=before, until=until, limit=limit)
        return walk(find, steps)

    async def subjects(self, client_ids: Collection[str]) -> Mapping[str, str]:
        """Read whose these clients are."""
        known = (self._clients.get(each) for each in client_ids)
        return {each.client_id: each.subject for each in known if each is not None and each.subject}

    async def kept(self) -> StoredTimes:
        """Read the horizon, and the times of the oldest rows that may go."""
        history = (entry.record.time for each in self._history.values() for _, entry in each)
        tombstones = (record.time for record in self._records.values() if not record.live)
        seen = (client.seen for client in self._clients.values())
        departures = (row.time for row in self._part_rows() if row.left)
        others = chain(tombstones, departures, seen)
        return StoredTimes(self._horizon, min(history, default=None), min(others, default=None))

    async def note_horizon(self, horizon: int) -> None:
        """Remember up to when old rows were judged."""
        self._horizon = horizon

    async def collect(
        self, *, history_before: int, tombstones_before: int, keep_answers: int = KEEP_ANSWERS
    ) -> None:
        """Delete history, tombstones, departures and clients older than these times."""
        for entity, entries in self._history.items():
            self._history[entity] = [
                kept for kept in entries if kept[1].record.time >= history_before
            ]
        for record in list(self._records.values()):
            if not record.live and record.time < tombstones_before:
                self._bury(record)
        for row in list(self._part_rows()):
            if row.left and row.time < tombstones_before:
                del self._parts[row.entity][row.part][row.entity_id]
                self._raise_floor(row)
        gone = {one.client_id for one in self._clients.values() if one.seen < tombstones_before}
        self._clients = {key: one for key, one in self._clients.items() if key not in gone}
        self._outcomes = {
            key: one
            for key, one in self._outcomes.items()
            if (client := self._clients.get(key[0])) is not None
            and (one.rejected or one.seq > client.last_seq - keep_answers)
        }

    def _snapshot(self, wanted: BatchNeeds) -> Snapshot:
        unread: set[Key] = set()
        records, asked, clients = self._weighed(wanted.records, unread), wanted.records, set[str]()
        if wanted.more is not None:
            others, authors = wanted.more(records, None)
            records |= self._weighed(others, unread)
            asked, clients = (*asked, *others), set(authors)
        # As the file does: how many clients there are is only asked for where one may be added.
        one_is_new = not self._clients.keys() >= set(wanted.clients)
        clients |= set(wanted.clients)
        outcomes = self._outcomes
        return Snapshot(
            records=records,
            unread=unread,
            heads={entity: replace(self._heads.get(entity, Head())) for entity, _ in asked},
            clients={key: replace(self._clients[key]) for key in clients if key in self._clients},
            outcomes={key: replace(outcomes[key]) for key in wanted.outcomes if key in outcomes},
            known=len(self._clients) if one_is_new else 0,
            last_parts={
                key: left
                for key, record in records.items()
                if not record.live and (left := self._left_at(record))
            },
        )

    def _weighed(self, keys: Collection[Key], unread: set[Key]) -> dict[Key, Record]:
        """Copies of records, until they weigh enough; the others are noted."""
        weight = 0
        records: dict[Key, Record] = {}
        for key in keys:
            if weight > BATCH_BYTES:
                unread.add(key)
            elif key in self._records:
                records[key] = _copy(self._records[key])
                weight += _weight(records[key])
        return records

    def _left_at(self, record: Record) -> frozenset[str]:
        """The parts of which the commit that made this of a record took it out."""
        return frozenset(
            part
            for part, rows in self._parts.get(record.entity, {}).items()
            if (row := rows.get(record.entity_id)) is not None
            and row.left
            and row.version == record.version
        )

    def _put(self, record: Record) -> None:
        key = (record.entity, record.entity_id)
        self._logs[record.entity].put(record, self._records.get(key))
        self._records[key] = record

    def _keep_part(self, row: PartRow) -> None:
        self._parts[row.entity].setdefault(row.part, {})[row.entity_id] = row

    def _part_rows(self) -> Iterator[PartRow]:
        of_entities = (part for parts in self._parts.values() for part in parts.values())
        return chain.from_iterable(part.values() for part in of_entities)

    def _bury(self, tombstone: Record) -> None:
        """Forget a tombstone: whoever has not seen it must start anew."""
        del self._records[tombstone.entity, tombstone.entity_id]
        self._logs[tombstone.entity].remove(tombstone)
        self._raise_floor(tombstone)

    def _raise_floor(self, gone: Record | PartRow) -> None:
        # With the delete itself: whoever stands below it can never learn of it any more.
        head = self._heads[gone.entity]
        head.floor = max(head.floor, gone.version)


def _copy(record: Record) -> Record:
    """Callers may change what they get or gave; the store's own must not change with it."""
    return replace(record, clocks=dict(record.clocks))


def _told(record: Record) -> Record:
    """A copy for pages, which are read for those who are told of records."""
    return replace(record, clocks=dict(record.clocks), hidden=None)


def _without_clocks(record: Record) -> Record:
    return replace(record, clocks={}, hidden=None)


def _weight(record: Record) -> int:
    return len(record.data or b"") + _CLOCK * len(record.clocks) + len(record.hidden or b"")


def _version(record: Record) -> int:
    return record.version


def _place(kept: tuple[HistoryPosition, HistoryEntry]) -> HistoryPosition:
    return kept[0]
