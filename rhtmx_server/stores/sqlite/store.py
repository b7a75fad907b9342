"""The store on one SQLite file.

Knows the port, transactions and which thread runs what. Must not know SQL
beyond beginning and ending a transaction, nor what the records mean.

One connection writes, one at a time behind a lock. Another one reads, and sees
what is committed. Statements run on the event loop's thread: a batch is done
sooner than it could be handed over. COMMIT, which waits for the disk, moves to
a worker thread where the disk is slow (see `placement`). The history, which may
take long to search, is read by a thread and a connection of its own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import apsw
from msgspec.structs import replace

from rhtmx.errors import RhtmxError
from rhtmx_server.horizon import StoredTimes
from rhtmx_server.model import ClientRow, Departure, Head, HistoryEntry, Record
from rhtmx_server.ports import EVERY_VERSION, KEEP_ANSWERS, BatchNeeds, BatchWrites, Snapshot
from rhtmx_server.record_page import CommitPage, HistoryPage, HistoryPosition, place
from rhtmx_server.stores.epoch import random_epoch
from rhtmx_server.stores.half_copied import HALF_COPIED
from rhtmx_server.stores.pagecache import PageCache
from rhtmx_server.stores.sqlite import members, queries, retention, versions
from rhtmx_server.stores.sqlite.connections import Connections, open_all
from rhtmx_server.stores.sqlite.failures import failed, in_words
from rhtmx_server.stores.sqlite.file import DEFAULTS, FileOptions
from rhtmx_server.stores.sqlite.lock import InUseError
from rhtmx_server.stores.sqlite.placement import NOTHING_LEARNT, Placement
from rhtmx_server.stores.sqlite.view import SqliteView
from rhtmx_server.stores.sqlite.waiting import uninterrupted

__all__ = ["SqliteStore"]

_MOST_HEADS = 10_000
"""Heads that are kept: about 2 MB."""

T = TypeVar("T")
A = TypeVar("A")


class SqliteStore:
    """A `Store` on one SQLite file, which it has to itself.

    Args:
        path: the file; created if need be, its folder is not.
        options: how the file is treated.
        new_epoch: makes the id of a new store.
        clock: seconds that only go forward, to measure commits.
        placement: what is known of the disk; kept up to date.
        filling: it may be half of a copy: it is opened to be filled.

    Example:
        >>> store = SqliteStore("app.db")
        >>> await store.open()
    """

    def __init__(
        self,
        path: str | Path,
        options: FileOptions = DEFAULTS,
        *,
        new_epoch: Callable[[], str] = random_epoch,
        clock: Callable[[], float] = time.perf_counter,
        placement: Placement = NOTHING_LEARNT,
        filling: bool = False,
    ) -> None:
        self._path = Path(path)
        self._options = options
        self._new_epoch = new_epoch
        self._clock = clock
        self.placement = placement
        self._filling = filling
        # One writer: while COMMIT waits in its thread the loop goes on, and must not begin another.
        self._turn = asyncio.Lock()
        self._opened: Connections | None = None
        self._pages = PageCache()
        self._heads: dict[str, Head] = {}
        self._known = members.Known()
        self._stale = versions.Stale()
        self._marked = False
        self._unswept: versions.VersionKey | None = None

    def __repr__(self) -> str:
        return f"<SqliteStore {self._path}>"

    @property
    def path(self) -> Path:
        """Where the file is, or will be."""
        return self._path

    @property
    def epoch(self) -> str:
        """Random id made with the store, another one after `renew_epoch`."""
        return self._use().epoch

    @property
    def shared(self) -> bool:
        """Whether other processes write to it: never."""
        return False

    def counts(self, epoch: str | None, entity: str) -> int:
        """Up to which version a position of an epoch counts: all of this one, none of others."""
        return EVERY_VERSION if epoch == self.epoch else -1

    async def open(self) -> None:
        """Open the file; create it or bring it to today's format if need be.

        Raises:
            RhtmxError: `STORAGE_FAILED`, with what is wrong with the file and
                what to do.
        """
        if self._opened is not None:
            return
        self._opened = open_all(self._path, self._options, self._new_epoch)
        try:
            self._marked = await self.query(versions.is_marked)
            self._unswept = versions.BEGINNING if self._marked else None
            if not self._filling and await self.query(queries.read_copy_note) is not None:
                raise failed(HALF_COPIED)
        except BaseException:
            await self.close()
            raise

    @asynccontextmanager
    async def look(self) -> AsyncIterator[SqliteStore | SqliteView]:
        """Have the file open to be read; beside the server that has it, if one does.

        Raises:
            RhtmxError: `STORAGE_FAILED`, with what is wrong with the file and what to do.
        """
        opened: SqliteStore | SqliteView = self
        try:
            await self.open()
        except InUseError:
            opened = SqliteView(self._path, self._options)
            await opened.open()
        try:
            yield opened
        finally:
            await opened.close()

    def ready(self) -> bool:
        """Whether the file is open, and where it was when it was opened."""
        try:
            self._use().lock.check()
        except RhtmxError:
            return False
        return True

    async def close(self) -> None:
        """Finish what is under way and close. May be called twice."""
        async with self._turn:
            opened, self._opened = self._opened, None
            self._pages.clear()
            self._heads.clear()
            self._known = members.Known()  # while it is closed another copy may take its place
            if opened is not None:
                self._forget_stale(opened.writer)
                opened.close()

    def _forget_stale(self, writer: apsw.Connection) -> None:
        """Leave no stale rows behind; if that fails, the next server finds them."""
        stale, self._stale = self._stale, versions.Stale()
        if self._marked:
            with suppress(apsw.Error), writer:
                versions.forget(writer.cursor(), [row[:2] for row in sorted(stale)])
                if self._unswept is None:
                    versions.unmark(writer.cursor())

    async def commit(self, wanted: BatchNeeds, decide: Callable[[Snapshot], BatchWrites]) -> None:
        """Read what is wanted, decide, write, make it durable: one transaction."""
        known, stale, going = self._known, self._stale, list[versions.StaleRow]()
        records = 0

        def durable() -> None:
            self._marked = self._marked or bool(known.left)
            stale.add(known.left, records)
            going.clear()

        try:
            async with self._transaction(durable) as cursor:
                snapshot = queries.read_snapshot(cursor, wanted, known)
                queries.write(cursor, decide(snapshot), known)
                if known.left:
                    if not self._marked:
                        versions.mark(cursor)
                    records = versions.last_row(cursor)
                    # Twice as many as come at most: no batch pays for what others have left.
                    going = stale.take(records, most=2 * len(known.left))
                    versions.forget(cursor, [row[:2] for row in going])
        finally:
            stale.add(going, records)  # none of them are gone, unless it is durable

    async def kept(self) -> StoredTimes:
        """Read the horizon, and the times of the oldest rows that may go."""
        return await self._in_archive(retention.read_kept)

    async def note_horizon(self, horizon: int) -> None:
        """Remember up to when old rows were judged."""
        async with self._transaction() as cursor:
            retention.note_horizon(cursor, horizon)

    async def collect(
        self, *, history_before: int, tombstones_before: int, keep_answers: int = KEEP_ANSWERS
    ) -> None:
        """Delete history, tombstones, departures and clients older than these times.

        In many short transactions: commits and reads go on in between.
        """
        await self._repeat(retention.forget_history, history_before)
        await self._repeat(retention.forget_tombstones, tombstones_before)
        await self._repeat(retention.forget_departures, tombstones_before)
        await self._repeat(retention.forget_clients, tombstones_before)
        await self._repeat(retention.forget_answers, keep_answers)
        while self._unswept is not None:
            async with self._transaction() as cursor:
                swept = versions.sweep(cursor, self._unswept)
            self._unswept = swept  # once that is durable
            await asyncio.sleep(0)  # lets the event loop serve others

    async def renew_epoch(self) -> str:
        """Make every position that clients hold invalid; returns the new epoch.

        To be called once after the file was restored from a backup: clients may
        hold versions that the backup has not seen, and start anew.
        """
        epoch = self._new_epoch()
        async with self._transaction() as cursor:
            queries.write_epoch(cursor, epoch)
        self._use().epoch = epoch
        return epoch

    async def heads(self) -> dict[str, Head]:
        """Read the head of every entity that was ever written."""
        with self._reading() as cursor:
            return queries.read_heads(cursor)

    async def head(self, entity: str) -> Head:
        """Read the head of one entity; kept until somebody begins to write."""
        head = self._heads.get(entity)
        if head is None:
            with self._reading() as cursor:
                head = queries.read_head(cursor, entity)
            # Not while somebody writes: that may be durable before this loop hears of it, and
            # whoever has read a page after it must not be told a floor from before it.
            if not self._turn.locked() and len(self._heads) < _MOST_HEADS:
                self._heads[entity] = head
        return replace(head)

    async def since(
        self, entity: str, after: int, upto: int, limit: int, *, clocks: bool = True
    ) -> list[Record]:
        """At most `limit` records with `after < version <= upto`, in version order."""
        asked = (entity, after, upto, limit, clocks)
        page = self._pages.get(asked)
        if page is not None:
            return page
        query = queries.read_since if clocks else queries.read_since_plain
        with self._reading() as cursor:
            read = query(cursor, entity, after, upto, limit)
        return self._pages.put(asked, read)

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
        with self._reading() as cursor:
            # One view for all its statements: a commit may end in the other thread meanwhile.
            cursor.execute("BEGIN")
            try:
                return members.read_in(cursor, entity, parts, after, upto, limit, clocks=clocks)
            finally:
                if cursor.connection.in_transaction:  # it ends by itself where the disk fails
                    cursor.execute("COMMIT")

    async def divide(
        self, entity: str, declared: str, parts_of: Callable[[bytes | None], Collection[str]]
    ) -> None:
        """Make the parts of an entity what they are declared to be now.

        In many short transactions. One that was not finished begins anew.
        """
        with self._reading() as cursor:
            if members.declared_of(cursor, entity) == declared:
                return
        async with self._transaction() as cursor:
            members.begin_dividing(cursor, entity)
        await self._repeat(members.forget_some, entity)
        if declared:
            await self._divide(entity, parts_of)
        async with self._transaction() as cursor:
            members.end_dividing(cursor, entity, declared)

    async def _divide(
        self, entity: str, parts_of: Callable[[bytes | None], Collection[str]]
    ) -> None:
        done: int | None = 0
        while done is not None:
            async with self._transaction() as cursor:
                done = members.divide_some(cursor, entity, done, parts_of)
            await asyncio.sleep(0)  # lets the event loop serve others

    async def divided(self) -> Collection[str]:
        """Name the entities that are divided, or were being when the server stopped."""
        with self._reading() as cursor:
            return members.divided_entities(cursor)

    async def record(self, entity: str, entity_id: str) -> Record | None:
        """One record, or its tombstone, or `None`."""
        with self._reading() as cursor:
            return queries.read_record(cursor, entity, entity_id)

    async def client(self, client_id: str) -> ClientRow | None:
        """Read what is known of a client."""
        with self._reading() as cursor:
            return queries.read_client(cursor, client_id)

    async def history(
        self,
        entity: str,
        *,
        entity_id: str | None = None,
        after: int | HistoryPosition = 0,
        until: int | None = None,
        limit: int = 1000,
    ) -> HistoryPage[HistoryEntry]:
        """Read commits and lost writes after a place, oldest first.

        Read in a thread: to find one record's history may take a walk through
        all of the entity's.
        """
        asked = (entity, entity_id, place(after), until, limit)
        return await self._in_archive(lambda cursor: queries.read_history(cursor, *asked))

    async def commits(
        self,
        newest: Record,
        *,
        start: int | None = None,
        before: int | None = None,
        until: int | None = None,
        limit: int = 1000,
    ) -> CommitPage:
        """Read commits of one record, newest first: in a thread, since they may be many."""
        asked = (newest, start, before, until, limit)
        return await self._in_archive(lambda cursor: queries.read_commits(cursor, *asked))

    async def subjects(self, client_ids: Collection[str]) -> Mapping[str, str]:
        """Read whose these clients are."""
        return await self._in_archive(lambda cursor: queries.read_subjects(cursor, client_ids))

    async def query(self, query: Callable[[apsw.Cursor], T]) -> T:
        """Ask the file something, for what belongs to this store."""
        with self._reading() as cursor:
            return query(cursor)

    async def change(self, step: Callable[[apsw.Cursor], object]) -> None:
        """Change the file in one transaction, for what belongs to this store."""
        async with self._transaction() as cursor:
            step(cursor)

    async def _in_archive(self, query: Callable[[apsw.Cursor], T]) -> T:
        """Read what may take long, in a thread."""
        opened = self._use()

        def read() -> T:
            with in_words(opened.archive), closing(opened.archive.cursor()) as cursor:
                return query(cursor)

        return await asyncio.wrap_future(opened.historian.submit(read))

    def _use(self) -> Connections:
        if self._opened is None:
            raise failed("the server's database is closed")
        return self._opened

    @contextmanager
    def _reading(self) -> Iterator[apsw.Cursor]:
        reader = self._use().reader
        cursor = reader.cursor()
        with in_words(reader):
            try:
                yield cursor
            finally:
                cursor.close()  # or a statement that was not read to its end keeps the log

    @asynccontextmanager
    async def _transaction(
        self, durable: Callable[[], object] = lambda: None
    ) -> AsyncIterator[apsw.Cursor]:
        """Write while it is our turn: all of it durable at the end, or nothing.

        Args:
            durable: is called as soon as it is, also if this raises then: who waited for it was
                cancelled, or the file is not in its place any more.
        """
        async with self._turn:
            self._heads.clear()
            opened = self._use()
            # Seen once is enough: the file system is not asked before each transaction.
            if opened.lock.lost:
                opened.lock.check()
            writer = opened.writer
            with in_words(writer):
                try:
                    # IMMEDIATE takes the lock at once. DEFERRED would take it at the first write
                    # and fail there, if a backup tool has it, after everything was decided.
                    writer.execute("BEGIN IMMEDIATE")
                    yield writer.cursor()
                    await self._commit(opened, durable)
                except BaseException:
                    self._known.ids.clear()  # what was given out may be given out again
                    raise
                finally:
                    # Also after a rollback: it is cheaper than to find out whether anything was
                    # written.
                    self._pages.clear()
                    # SQLite ends the transaction itself after some failures (a full disk, for one).
                    if writer.in_transaction:
                        writer.execute("ROLLBACK")

    async def _commit(self, opened: Connections, durable: Callable[[], object]) -> None:
        started = self._clock()
        if self.placement.in_worker:
            # A cancelled task must not leave while its transaction is still being written.
            work: Future[object] = opened.committer.submit(opened.writer.execute, "COMMIT")
            try:
                await uninterrupted(work)
            finally:
                if work.exception() is None:
                    durable()
        else:
            opened.writer.execute("COMMIT")
            durable()
        ended = self._clock()
        self.placement = self.placement.after(ended - started)
        opened.lock.check(ended)  # or what was committed may be in a file that nobody will find

    async def _repeat(self, step: Callable[[apsw.Cursor, A], int], argument: A) -> None:
        while True:
            async with self._transaction() as cursor:
                done = step(cursor, argument)
                self._known.ids.clear()  # with what is forgotten there may go parts
            if done < retention.CHUNK:
                return
            await asyncio.sleep(0)  # lets the event loop serve others
