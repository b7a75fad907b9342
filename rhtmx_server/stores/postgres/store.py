"""The store on PostgreSQL.

Knows the port, and how a batch becomes one transaction. Must not know SQL.

A batch looks (one statement), decides, and writes (one statement, see `writing`), and holds nothing
between the two. Where somebody else was quicker it begins anew, by a newer look. Where the
connection breaks while it is being written nobody knows whether it was: so the database is asked,
as long as it takes. A row of `log` names the batch that wrote it; a batch that moved no entity
moved a client's number, or may be written once more without harm.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import fields
from functools import partial
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID, uuid4

import asyncpg

from rhtmx.errors import RhtmxError
from rhtmx_server.horizon import StoredTimes
from rhtmx_server.model import ClientRow, Departure, Head, HistoryEntry, Record
from rhtmx_server.ports import KEEP_ANSWERS, BatchNeeds, BatchWrites, Snapshot
from rhtmx_server.postgres_url import PostgresOptions, read_url
from rhtmx_server.record_page import CommitPage, HistoryPage, HistoryPosition, RecordPage, place
from rhtmx_server.stores.chain import steps_back, walk_afar
from rhtmx_server.stores.epoch import random_epoch
from rhtmx_server.stores.half_copied import HALF_COPIED
from rhtmx_server.stores.pagecache import PageCache
from rhtmx_server.stores.postgres import looking, members, reading, retention, tables, writing
from rhtmx_server.stores.postgres.database import Database
from rhtmx_server.stores.postgres.failures import FAILED, LOST, Overtaken, failed, storage_error
from rhtmx_server.stores.postgres.looking import Look
from rhtmx_server.stores.postgres.session import Session

__all__ = ["PostgresStore"]

_AGAIN = 0.2
"""Seconds between two questions whether a batch was written."""

_MOST_TRIES = 50
"""So often a batch begins anew."""

_NOBODY_KNOWS = (
    "the server has lost its database or stops, and it is not known whether this was written: "
    "send it again"
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
    ) -> None:
        plain, given = read_url(url)
        self._url = plain
        self._options = options or given
        self._new_epoch = new_epoch
        self._new_batch = new_batch
        self._filling = filling
        self._database: Database | None = None
        self._closing = False
        self._turn = asyncio.Lock()
        self._pages = PageCache()
        self._moves = 0
        self._clients = 0

    def __repr__(self) -> str:
        return f"<PostgresStore schema {self._options.schema}>"

    @property
    def epoch(self) -> str:
        """Random id made with the store; another one after `renew_epoch`, or in another life."""
        return self._use().epoch

    async def open(self) -> None:
        """Connect; make the schema or bring it to today's format if need be.

        Raises:
            RhtmxError: `STORAGE_FAILED`, with what is wrong and what to do.
        """
        if self._database is None:
            database = Database(self._url, self._options, self._new_epoch)
            await database.open()
            self._database, self._closing = database, False
            try:
                if not self._filling and await self.query(tables.read_copy_note) is not None:
                    raise failed(HALF_COPIED)
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
        self._closing = True  # a batch that waits for the database to say, waits no longer
        async with self._turn:
            database, self._database = self._database, None
            self._moved()
            if database is not None:
                await database.close()

    async def commit(self, wanted: BatchNeeds, decide: Callable[[Snapshot], BatchWrites]) -> None:
        """Read what is wanted, decide, write, make it durable: one transaction."""
        async with self._turn:
            for _ in range(_MOST_TRIES):
                look = await self._look(wanted)
                writes = decide(look.snapshot)
                if not _says_something(writes):
                    return
                with contextlib.suppress(Overtaken):
                    await self._write(writes, look)
                    return
            raise failed(
                "something else writes to the server's database all the time: send it again"
            )

    async def _look(self, wanted: BatchNeeds) -> Look:
        look = Look()
        async with self._use().reading() as session:
            asked = looking.arguments(wanted.records, wanted.clients, wanted.outcomes)
            found = look.take(await session.rows(looking.LOOK, *asked), wanted.records)
            if wanted.more is not None:
                others, authors = wanted.more(found)
                if others or authors:
                    asked = looking.arguments(others, authors)
                    look.take(await session.rows(looking.LOOK, *asked), others)
        look.take_clients(wanted)
        if -1 in look.last_seqs.values():
            look.snapshot.known = self._clients
        return look

    async def _write(self, writes: BatchWrites, look: Look) -> None:
        """Write what a batch has decided.

        Raises:
            Overtaken: it has to be decided anew.
            RhtmxError: it was not written; or nobody will ever know.
        """
        batch = self._new_batch()
        asked = writing.arguments(batch, self._use().name, writes, look.heads, look.last_seqs)
        # Before and after: what somebody reads meanwhile may lack it.
        self._moved()
        try:
            if not await self._try_to_write(asked):
                found_out = partial(self._found_out, batch, writes, look)
                while not await found_out():
                    if await self._once_more(asked, found_out):
                        break
                    await asyncio.sleep(_AGAIN)
        finally:
            self._moved()

    async def _try_to_write(self, asked: Collection[Any]) -> bool:
        """Write a batch; `False` if it is not known whether it was."""
        async with self._use().session() as session:
            try:
                new = await session.value(writing.PUT, *asked)
                self._clients += new
            except LOST:
                return False
            except (
                asyncpg.SerializationError,
                asyncpg.UniqueViolationError,
                asyncpg.DeadlockDetectedError,
            ) as error:
                raise Overtaken from error
            except asyncpg.ObjectNotInPrerequisiteStateError as error:
                raise self._use().give_up() from error
            except asyncpg.PostgresError as error:
                raise storage_error(error) from error
        return True

    async def _once_more(
        self, asked: Collection[Any], found_out: Callable[[], Awaitable[bool]]
    ) -> bool:
        """Write a batch that may be under way still; `False` if that is not known either."""
        try:
            return await self._try_to_write(asked)
        except RhtmxError:
            return False  # this time it was not written: which says nothing of the first time
        except Overtaken:
            if await found_out():  # by itself
                return True
            raise

    async def _found_out(self, batch: UUID, writes: BatchWrites, look: Look) -> bool:
        """Find out whether a batch was written, as long as it takes; see `_is_written`."""
        while not self._closing and not self._use().void():
            found = await self._is_written(batch, writes, look)
            if found is not None:
                return found
            await asyncio.sleep(_AGAIN)
        raise failed(_NOBODY_KNOWS)

    async def _is_written(self, batch: UUID, writes: BatchWrites, look: Look) -> bool | None:
        """Whether a batch was written; `None` if it cannot be found out now.

        Raises:
            Overtaken: it was not, and it cannot be any more.
        """
        with contextlib.suppress(*_NOT_KNOWN):
            async with self._use().session() as session:
                found = await _shows(session, batch, writes, look)
                if found:
                    # It shows before a standby has it, as nobody waits for that any more. What
                    # is committed after it is durable after it.
                    await tables.write_meta(session, "found", str(batch))
                return found
        return None

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
        return epoch

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
        async with self._use().reading() as session:
            if await members.declared_of(session, entity) == declared:
                return
            await members.begin_dividing(session, entity)
            while await members.forget_some(session, entity):
                pass
            done: int | None = 0 if declared else None
            while done is not None:
                done = await members.divide_some(session, entity, done, parts_of)
            await members.end_dividing(session, entity, declared)

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
                    self._moved()

    async def _count_clients(self) -> None:
        self._clients = await self.query(reading.count_clients)

    def _moved(self) -> None:
        self._moves += 1
        self._pages.clear()


async def _shows(session: Session, batch: UUID, writes: BatchWrites, look: Look) -> bool:
    """Whether there is what a batch has written, if it has written that; or raise `Overtaken`."""
    for entity, upto in islice(writes.heads.items(), 1):  # all of them, or none
        writer: UUID | None = await session.value(writing.WRITER, entity, upto)
        if writer not in (None, batch):
            raise Overtaken
        return writer == batch
    for client in writes.clients:
        if look.last_seqs.get(client.client_id, client.last_seq) != client.last_seq:
            known = await reading.read_client(session, client.client_id)
            return known is not None and known.last_seq >= client.last_seq
    return False


def _says_something(writes: BatchWrites) -> bool:
    return any(getattr(writes, each.name) for each in fields(writes))
