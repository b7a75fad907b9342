"""A store as all those see it who are told of records: without what never leaves the server.

Knows the port, and which fields are hidden. Must not know who reads, nor what a store is.

What is written today has nothing hidden in its data. But a field may be hidden since
yesterday: then old records have it among the others, and so has the history. Here they are
read as if it had always been hidden, at every door, without a look at who asks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from operator import is_
from typing import TypeVar

from msgspec.structs import replace

from rhtmx_server.horizon import StoredTimes
from rhtmx_server.model import ClientRow, Commit, Departure, Head, HistoryEntry, Record
from rhtmx_server.ports import KEEP_ANSWERS, BatchNeeds, BatchWrites, Snapshot, Store
from rhtmx_server.record_page import CommitPage, HistoryPage, HistoryPosition
from rhtmx_server.trackers.hidden import apart

__all__ = ["UntoldStore", "plain_commits", "untold"]

E = TypeVar("E", Record, Record | Departure)


def untold(store: Store, hides: Mapping[str, Collection[str]]) -> Store:
    """The store to tell from; the same one, if nothing is hidden.

    Args:
        store: where everything is.
        hides: the keys of the hidden fields, by entity; of the entities that have some.
    """
    return UntoldStore(store, hides) if hides else store


class UntoldStore:
    """A `Store` that tells nothing of hidden fields: see above.

    Args:
        store: where everything is.
        hides: the keys of the hidden fields, by entity.
    """

    def __init__(self, store: Store, hides: Mapping[str, Collection[str]]) -> None:
        self._store = store
        self._hides = hides

    @property
    def epoch(self) -> str:
        """See `Store`."""
        return self._store.epoch

    @property
    def shared(self) -> bool:
        """See `Store`."""
        return self._store.shared

    def counts(self, epoch: str | None, entity: str) -> int:
        """See `Store`."""
        return self._store.counts(epoch, entity)

    async def open(self) -> None:
        """See `Store`."""
        await self._store.open()

    def ready(self) -> bool:
        """See `Store`."""
        return self._store.ready()

    async def close(self) -> None:
        """See `Store`."""
        await self._store.close()

    async def renew_epoch(self) -> str:
        """See `Store`."""
        return await self._store.renew_epoch()

    async def commit(self, wanted: BatchNeeds, decide: Callable[[Snapshot], BatchWrites]) -> None:
        """See `Store`. Whoever decides about a write sees all of a record."""
        await self._store.commit(wanted, decide)

    async def heads(self) -> dict[str, Head]:
        """See `Store`."""
        return await self._store.heads()

    async def head(self, entity: str) -> Head:
        """See `Store`."""
        return await self._store.head(entity)

    async def since(
        self, entity: str, after: int, upto: int, limit: int, *, clocks: bool = True
    ) -> list[Record]:
        """See `Store`."""
        page = await self._store.since(entity, after, upto, limit, clocks=clocks)
        hides = self._hides.get(entity)
        return _page(page, hides) if hides else page

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
        """See `Store`."""
        page = await self._store.since_in(entity, parts, after, upto, limit, clocks=clocks)
        hides = self._hides.get(entity)
        return _page(page, hides) if hides else page

    async def divide(
        self, entity: str, declared: str, parts_of: Callable[[bytes | None], Collection[str]]
    ) -> None:
        """See `Store`."""
        await self._store.divide(entity, declared, parts_of)

    async def divided(self) -> Collection[str]:
        """See `Store`."""
        return await self._store.divided()

    async def record(self, entity: str, entity_id: str) -> Record | None:
        """See `Store`. What is hidden is with it, apart: for the program of the server."""
        record = await self._store.record(entity, entity_id)
        hides = self._hides.get(entity)
        return apart(record, hides) if record is not None and hides else record

    async def client(self, client_id: str) -> ClientRow | None:
        """See `Store`."""
        return await self._store.client(client_id)

    async def history(
        self,
        entity: str,
        *,
        entity_id: str | None = None,
        after: int | HistoryPosition = 0,
        until: int | None = None,
        limit: int = 1000,
    ) -> HistoryPage[HistoryEntry]:
        """See `Store`. A hidden field that lost is an object without it."""
        page = await self._store.history(
            entity, entity_id=entity_id, after=after, until=until, limit=limit
        )
        hides = self._hides.get(entity)
        return page.map(lambda entry: _entry(entry, hides)) if hides else page

    async def commits(
        self,
        newest: Record,
        *,
        start: int | None = None,
        before: int | None = None,
        until: int | None = None,
        limit: int = 1000,
    ) -> CommitPage:
        """See `Store`."""
        page = await self._store.commits(
            newest, start=start, before=before, until=until, limit=limit
        )
        hides = self._hides.get(newest.entity)
        if hides:
            page[:] = [_entry(entry, hides) for entry in page]
        return page

    async def subjects(self, client_ids: Collection[str]) -> Mapping[str, str]:
        """See `Store`."""
        return await self._store.subjects(client_ids)

    async def kept(self) -> StoredTimes:
        """See `Store`."""
        return await self._store.kept()

    async def note_horizon(self, horizon: int) -> None:
        """See `Store`."""
        await self._store.note_horizon(horizon)

    async def collect(
        self, *, history_before: int, tombstones_before: int, keep_answers: int = KEEP_ANSWERS
    ) -> None:
        """See `Store`."""
        await self._store.collect(
            history_before=history_before,
            tombstones_before=tombstones_before,
            keep_answers=keep_answers,
        )


def plain_commits(commits: Sequence[Commit], hides: Collection[str]) -> Sequence[Commit]:
    """Commits of another node, which may not know yet what is hidden, as they may be told.

    Args:
        commits: of one entity.
        hides: the keys of its hidden fields.
    """
    return [replace(each, record=_plain(each.record, hides)) for each in commits]


def _page(page: list[E], hides: Collection[str]) -> list[E]:
    told = [each if isinstance(each, Departure) else _plain(each, hides) for each in page]
    # Mostly nothing was hidden since: the page itself may have been encoded for others.
    return page if all(map(is_, told, page)) else told


def _plain(record: Record, hides: Collection[str]) -> Record:
    told = apart(record, hides)
    return told if told.hidden is None else replace(told, hidden=None)


def _entry(entry: HistoryEntry, hides: Collection[str]) -> HistoryEntry:
    told = _plain(entry.record, hides)
    return entry if told is entry.record else replace(entry, record=told)
