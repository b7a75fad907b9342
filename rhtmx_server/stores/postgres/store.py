"""The store on PostgreSQL.

Knows the port. Must not know SQL, nor how a batch becomes one transaction (`batches`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from typing import TypeVar
from uuid import UUID, uuid4

from rhtmx.errors import RhtmxError
from rhtmx_server.horizon import StoredTimes, wall_clock
from rhtmx_server.model import (
    ClientRow,
    CommittedBatch,
    Departure,
    Head,
    HistoryEntry,
    Record,
)
from rhtmx_server.ports import EVERY_VERSION, KEEP_ANSWERS, BatchNeeds, BatchWrites, Snapshot
from rhtmx_server.postgres_url import PostgresOptions, read_url
from rhtmx_server.record_page import CommitPage, HistoryPage, HistoryPosition, RecordPage, place
from rhtmx_server.sharing import SubjectNotice
from rhtmx_server.sql_writes import SqlLook, SqlMark, SqlPage
from rhtmx_server.stores.chain import steps_back, walk_afar
from rhtmx_server.stores.epoch import random_epoch
from rhtmx_server.stores.half_copied import HALF_COPIED
from rhtmx_server.stores.pagecache import PageCache
from rhtmx_server.stores.postgres import (
    leading,
    members,
    notices,
    outbox,
    reading,
    retention,
    tables,
)
from rhtmx_server.stores.postgres.batches import BatchWriter
from rhtmx_server.stores.postgres.database import Database
from rhtmx_server.stores.postgres.failures import FAILED, failed, storage_error
from rhtmx_server.stores.postgres.session import Session
from rhtmx_server.stores.postgres.tenure import SharedTenure

__all__ = ["PostgresStore"]

_AN_ANSWER = 2.0
"""Seconds after which a database that does not answer is not there."""

_LOCKS = (
    "pooler=true: a server alone, and a copy, hold a lock of a session, which a pooler does not "
    "keep: give the URL of the database itself, or start every server with --bus"
)
_NOT_KNOWN: tuple[type[Exception], ...] = (RhtmxError, *FAILED)

T = TypeVar("T")


class PostgresStore:
    """A `Store` in one schema of a PostgreSQL database, which it has to itself.

    Args:
        url: of the database, as libpq reads it.
        options: how it is used; by default what the URL says.
        new_epoch: makes the id of a new store.
        new_batch: makes the name of a batch, never the same twice.
        filling: it may be half of a copy: it is opened to be filled.
        shared: other servers write to it, too: the nodes of a cluster.

    Attributes:
        node: the name of this one.
        cluster: by what the nodes that share the schema know each other.
        ahead: microseconds by which the clock of the database is ahead of this machine's.

    Raises:
        ValueError: the URL names no database, or its options make no sense.

    Example:
        >>> PostgresStore("postgresql://app@localhost/app?schema=shop")
        <PostgresStore schema shop>
    """

    def __init__(
        self,
        url: str,
        options: PostgresOptions | None = None,
        *,
        new_epoch: Callable[[], str] = random_epoch,
        new_batch: Callable[[], UUID] = uuid4,
        filling: bool = False,
        shared: bool = False,
    ) -> None:
        plain, given = read_url(url)
        self._url = plain
        self._options = options or given
        if self._options.pooler and not shared:
            raise ValueError(_LOCKS)
        self._new_epoch = new_epoch
        self._new_batch = new_batch
        self._filling = filling
        self._shared = shared
        self.node = uuid4().hex
        self.cluster = ""
        self.ahead = 0
        self._noticed = 0
        self._notices: set[int] = set()
        self._former: Mapping[tuple[str, str], int] = {}
        self._database: Database | None = None
        self._writer: BatchWriter | None = None
        self._turn = asyncio.Lock()
        self._pages = PageCache()
        self._moves = 0

    def __repr__(self) -> str:
        return f"<PostgresStore schema {self._options.schema}>"

    @property
    def epoch(self) -> str:
        """Random id made with the store; another one after `renew_epoch`, or in another life."""
        return self._use().epoch

    @property
    def shared(self) -> bool:
        """Whether other servers write to it, too."""
        return self._shared

    @property
    def void(self) -> bool:
        """Whether it will never be written to again by this server."""
        return self._use().void()

    def counts(self, epoch: str | None, entity: str) -> int:
        """Up to which version a position of an epoch counts: of one before, up to a failover."""
        if epoch is None or epoch == self.epoch:
            return -1 if epoch is None else EVERY_VERSION
        return self._former.get((epoch, entity), -1)

    async def open(self) -> None:
        """Connect; make the schema or bring it to today's format if need be.

        Raises:
            RhtmxError: `STORAGE_FAILED`, with what is wrong and what to do.
        """
        if self._database is None:
            database = Database(self._url, self._options, self._new_epoch, shared=self._shared)
            await database.open()
            self._database = database
            self._writer = BatchWriter(
                database,
                self._options.schema,
                self._new_batch,
                shared=self._shared,
                moved=self.moved,
            )
            try:
                if not self._filling and await self.query(tables.read_copy_note) is not None:
                    raise failed(HALF_COPIED)
                self._former = await self.query(tables.read_former)
                self.cluster = await self.query(tables.read_cluster)
                if self._shared:
                    await self.look_up(())
                await self._count_clients()
            except BaseException:
                await self.close()
                raise

    def ready(self) -> bool:
        """Whether the database is there, as far as is known, and nobody else writes to it."""
        try:
            self._use().check()
        except RhtmxError:
            return False
        return True

    async def close(self) -> None:
        """Finish what is under way and close. May be called twice."""
        if self._writer is not None:
            self._writer.closing = True
        async with self._turn:
            database, self._database = self._database, None
            self.moved()
            if database is not None:
                await database.close()

    async def commit(self, wanted: BatchNeeds, decide: Callable[[Snapshot], BatchWrites]) -> None:
        """Read what is wanted, decide, write, make it durable: one transaction."""
        async with self._turn:
            self._use()
            assert self._writer is not None
            await self._writer.commit(wanted, decide)

    def turn(self, waiting: Callable[[], Iterable[str]]) -> AbstractAsyncContextManager[None]:
        """Wait for one's turn to write; see `SharedStore`."""
        return nullcontext() if self._writer is None else self._writer.turn(waiting)

    async def kept(self) -> StoredTimes:
        """Read the horizon, and the times of the oldest rows that may go."""
        return await self.query(retention.read_kept)

    async def note_horizon(self, horizon: int) -> None:
        """Remember up to when old rows were judged."""
        await self.query(lambda session: retention.note_horizon(session, horizon))

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
        await self._count_clients()

    async def renew_epoch(self) -> str:
        """Make every position that clients hold invalid; returns the new epoch."""
        epoch = self._new_epoch()
        await self.query(lambda session: tables.write_epoch(session, epoch))
        self._use().epoch = epoch
        self._former = {}
        return epoch

    async def look_up(self, entities: Collection[str]) -> Mapping[str, Head]:
        """Where these logs begin and end now; and whether the database is there. See the port."""
        database = self._use()
        tenure = database.tenure
        assert isinstance(tenure, SharedTenure)
        try:
            async with asyncio.timeout(_AN_ANSWER), database.asking() as session:
                heads = await reading.read_heads_of(session, entities)
                epoch, is_same_life, now = await tables.read_life(session)
                self.ahead = now - wall_clock()
            if not is_same_life:
                epoch = await tenure.renew()
            if epoch != database.epoch:
                async with database.asking() as session:  # it may have been lost until now
                    former = await tables.read_former(session)
                # From here to the return no `await`: who asked is the first to know.
                self._former, database.epoch = former, epoch
                self.moved()
        except _NOT_KNOWN as error:
            tenure.lost()
            raise error if isinstance(error, RhtmxError) else storage_error(error) from error
        tenure.seen()
        return heads

    async def log_after(self, positions: Mapping[str, int]) -> Sequence[CommittedBatch] | None:
        """What was committed in some entities after a version. See the port."""
        return await self.query(lambda session: reading.read_log(session, positions))

    async def lead(self, seconds: float) -> bool:
        """Lead for so long, unless another node does. See the port."""
        micros = round(seconds * 1e6)
        return await self._ask(lambda session: leading.lead(session, self.node, micros))

    async def count_nodes(self, seconds: float) -> int:
        """How many nodes there are. See the port."""
        micros = round(seconds * 1e6)
        return await self._ask(lambda session: leading.count_nodes(session, self.node, micros))

    async def resign(self) -> None:
        """Lead no more. See the port."""
        await self._ask(lambda session: leading.resign(session, self.node))

    async def begin_telling(self, entities: Collection[str] | None) -> Mapping[str, int]:
        """Up to where hooks have been told. See the port."""
        return await self._ask(lambda session: leading.begin_telling(session, entities))

    async def note_told(self, entity: str, version: int) -> None:
        """Note up to where hooks have been told. See the port."""
        epoch = self.epoch
        await self._ask(lambda session: leading.note_told(session, entity, version, epoch))

    async def note(self, notice: SubjectNotice) -> None:
        """Tell the other nodes something of a subject. See the port."""
        subject, ends = notice
        await self._ask(lambda session: notices.note(session, self.node, subject, ends=ends))

    async def notices(self) -> Sequence[SubjectNotice]:
        """What other nodes have told of subjects. See the port."""
        since, is_first = self._noticed, not self._noticed
        self._noticed, rows = await self._ask(lambda session: notices.read_notices(session, since))
        news = [row for row in rows if row[0] not in self._notices]
        self._notices = {row[0] for row in rows}
        if is_first:
            return ()
        return [SubjectNotice(*row[2:]) for row in news if row[1] != self.node]

    async def sql_look(self, since: SqlMark) -> SqlLook:
        """Which transactions of an application have writes that wait. See the port."""
        return await self.query(lambda session: outbox.look(session, since))

    async def sql_page(self, transactions: Sequence[str], most: int) -> SqlPage:
        """The first writes of some of these transactions. See the port."""
        return await self.query(lambda session: outbox.read_page(session, transactions, most))

    async def sql_reject(self, reasons: Mapping[int, str]) -> None:
        """Keep such writes aside. See the port."""
        await self.query(lambda session: outbox.reject(session, reasons))

    def moved(self) -> None:
        """Take note that others have written: pages that were kept are void."""
        self._moves += 1
        self._pages.clear()

    async def heads(self) -> dict[str, Head]:
        """Read the head of every entity that was ever written."""
        return await self.query(reading.read_heads)

    async def head(self, entity: str) -> Head:
        """Read the head of one entity."""
        found = await self.query(lambda session: reading.read_heads(session, entity))
        return found.get(entity, Head())

    async def since(
        self, entity: str, after: int, upto: int, limit: int, *, clocks: bool = True
    ) -> list[Record]:
        """At most `limit` records with `after < version <= upto`, in version order."""
        asked = (entity, after, upto, limit, clocks)
        page = self._pages.get(asked)
        if page is not None:
            return page
        moves = self._moves
        read = await self.query(
            lambda session: reading.read_since(session, *asked[:4], clocks=clocks)
        )
        # What was read while somebody wrote may be older than what they wrote.
        return self._pages.put(asked, read) if moves == self._moves else RecordPage(read)

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
        asked = (entity, parts, after, upto, limit)
        return await self.query(lambda session: members.read_in(session, *asked, clocks=clocks))

    async def divide(
        self, entity: str, declared: str, parts_of: Callable[[bytes | None], Collection[str]]
    ) -> None:
        """Make the parts of an entity what they are declared to be now.

        In many short transactions. One that was not finished begins anew.
        """
        if await self.query(lambda session: members.declared_of(session, entity)) != declared:
            # From here on who divides it otherwise writes no more.
            await self.query(lambda session: members.begin_dividing(session, entity, declared))
            while await self.query(lambda session: members.forget_some(session, entity)):
                pass
            done: int | None = 0 if declared else None
            while done is not None:
                step = partial(members.divide_some, entity=entity, after=done, parts_of=parts_of)
                done = await self.query(step)
            await self.query(lambda session: members.end_dividing(session, entity, declared))
        if self._writer is not None:
            self._writer.divided[entity] = declared

    async def divided(self) -> Collection[str]:
        """Name the entities that are divided, or were being when the server stopped."""
        return await self.query(members.divided_entities)

    async def record(self, entity: str, entity_id: str) -> Record | None:
        """One record, or its tombstone, or `None`."""
        return await self.query(lambda session: reading.read_record(session, entity, entity_id))

    async def client(self, client_id: str) -> ClientRow | None:
        """Read what is known of a client."""
        return await self.query(lambda session: reading.read_client(session, client_id))

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
        asked = (entity, entity_id, place(after), until, limit)
        return await self.query(lambda session: reading.read_history(session, *asked))

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
        steps = steps_back(newest, start=start, before=before, until=until, limit=limit)
        async with self._use().reading() as session:
            return await walk_afar(
                lambda version: reading.read_commit(session, newest, version), steps
            )

    async def subjects(self, client_ids: Collection[str]) -> Mapping[str, str]:
        """Read whose these clients are."""
        return await self.query(lambda session: reading.read_subjects(session, client_ids))

    def _use(self) -> Database:
        if self._database is None:
            raise failed("the server's database is closed")
        return self._database

    async def _ask(self, query: Callable[[Session], Awaitable[T]]) -> T:
        """Ask the database something that has to be answered while all others wait."""
        async with self._use().asking() as session:
            return await query(session)

    async def query(self, query: Callable[[Session], Awaitable[T]]) -> T:
        """Ask the database something, for what belongs to this store."""
        async with self._use().reading() as session:
            return await query(session)

    async def _repeat(self, step: Callable[[Session, int], Awaitable[int]], argument: int) -> None:
        more = True
        while more:
            async with self._turn:  # what was forgotten must not be told from a page of before
                try:
                    done = await self.query(lambda session: step(session, argument))
                    more = done >= retention.CHUNK
                finally:  # also where it is not known whether anything was forgotten
                    self.moved()

    async def _count_clients(self) -> None:
        if self._writer is not None:
            self._writer.clients = await self.query(reading.count_clients)
