"""How a batch becomes one transaction of PostgreSQL.

Knows the order of things: looked, decided, written, found out. Must not know SQL.

A batch looks (one statement), decides, and writes (one statement, see `writing`), and holds nothing
between the two. Where somebody else was quicker it begins anew, by a newer look. Where the
connection breaks while it is being written nobody knows whether it was: so the database is asked,
as long as it takes. A row of `log` names the batch that wrote it; a batch that moved no entity
moved a client's number, or may be written once more without harm.

Where several nodes write one entity all the time, each of them would begin anew most of the time.
So an entity that another node wrote last is locked first, and looked at then, in one transaction:
each waits for its turn, and none decides in vain. The lock is only about that: what keeps it right
is what `writing` checks. Who gathers batches waits for the turn before it takes one (`turn`), so
that what comes meanwhile goes along: a turn costs as much as a hundred writes.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
)
from contextlib import AsyncExitStack
from dataclasses import fields
from functools import partial
from itertools import islice
from typing import Any
from uuid import UUID

import asyncpg

from rhtmx.errors import RhtmxError
from rhtmx_server.ports import BatchNeeds, BatchWrites, Snapshot
from rhtmx_server.stores.postgres import looking, outbox, reading, tables, writing
from rhtmx_server.stores.postgres.database import Database
from rhtmx_server.stores.postgres.failures import FAILED, LOST, Overtaken, failed, storage_error
from rhtmx_server.stores.postgres.looking import Look
from rhtmx_server.stores.postgres.session import Session

__all__ = ["BatchWriter"]

_AGAIN = 0.2
"""Seconds between two questions whether a batch was written."""

_MOST_TRIES = 50
"""So often a batch begins anew."""

_CALM = 3
"""After so many looks at an entity that nobody else has written, it is not locked any more."""

_NOBODY_KNOWS = (
    "the server has lost its database or stops, and it is not known whether this was written: "
    "send it again"
)
_NOT_KNOWN: tuple[type[Exception], ...] = (RhtmxError, *FAILED)


class _Turn:
    """A transaction that has locked what it is about to write.

    Args:
        session: to be used in it.
        ending: what ends it.
    """

    def __init__(self, session: Session, ending: AsyncExitStack) -> None:
        self.session = session
        self.ending = ending


class BatchWriter:
    """Writes batches, one at a time.

    Args:
        database: which.
        schema: of the database.
        new_batch: makes the name of a batch, never the same twice.
        shared: other servers write there, too.
        moved: is called before and after something is written: what somebody reads meanwhile may
            lack it.

    Attributes:
        clients: how many are known.
        divided: how entities are divided, as whoever decides assumes.
        closing: a batch of which nobody knows whether it was written waits no longer.
    """

    def __init__(
        self,
        database: Database,
        schema: str,
        new_batch: Callable[[], UUID],
        *,
        shared: bool,
        moved: Callable[[], None],
    ) -> None:
        self._database = database
        self._schema = schema
        self._new_batch = new_batch
        self._shared = shared
        self._moved = moved
        self._written: dict[str, int] = {}
        self._contended: dict[str, int] = {}
        self._held: _Turn | None = None
        self.clients = 0
        self.divided: dict[str, str] = {}
        self.closing = False

    @contextlib.asynccontextmanager
    async def turn(self, waiting: Callable[[], Iterable[str]]) -> AsyncIterator[None]:
        """Wait for one's turn, and have it for the next batch; see `SharedStore.turn`."""
        # Whatever is wrong here, the batch meets it, too, and says so.
        if self._contended:
            with contextlib.suppress(Overtaken, *_NOT_KNOWN), _understood(self._database):
                await self._hold(waiting())
        try:
            yield
        finally:
            await self._let_go()

    async def commit(self, wanted: BatchNeeds, decide: Callable[[Snapshot], BatchWrites]) -> None:
        """Read what is wanted, decide, write; see `Store.commit`."""
        for _ in range(_MOST_TRIES):
            with contextlib.suppress(Overtaken):
                if self._held is not None or not self._contended.keys().isdisjoint(
                    entity for entity, _ in wanted.records
                ):
                    await self._take_turn(wanted, decide)
                else:
                    await self._race(wanted, decide)
                return
        raise failed("something else writes to the server's database all the time: send it again")

    async def _race(self, wanted: BatchNeeds, decide: Callable[[Snapshot], BatchWrites]) -> None:
        """Look, decide and write, and be there first.

        Raises:
            Overtaken: somebody else was.
            RhtmxError: it was not written; or nobody will ever know.
        """
        async with self._database.reading() as session:
            look = await self._look(session, wanted)
        writes = decide(look.snapshot)
        if _says_something(writes):
            batch = self._new_batch()
            asked = self._arguments(batch, writes, look)
            # Before and after: what somebody reads meanwhile may lack it.
            self._moved()
            try:
                if not await self._try_to_write(asked):
                    await self._decide_doubt(batch, asked, writes, look)
            except Overtaken:
                self._contended |= dict.fromkeys(writes.heads, _CALM)
                raise
            finally:
                self._moved()
            self._written |= writes.heads

    async def _take_turn(
        self, wanted: BatchNeeds, decide: Callable[[Snapshot], BatchWrites]
    ) -> None:
        """Lock the entities, and then look, decide and write; see `_race` for what is raised."""
        writes, look = BatchWrites(), Look()
        batch, asked = self._new_batch(), list[Any]()
        self._moved()
        try:
            with _understood(self._database):
                if self._held is None:
                    await self._hold(entity for entity, _ in wanted.records)
                turn, self._held = self._held, None
                assert turn is not None
                async with turn.ending:
                    look = await self._look(turn.session, wanted)
                    writes = decide(look.snapshot)
                    if _says_something(writes):
                        asked = self._arguments(batch, writes, look)
                        self.clients += await turn.session.value(writing.PUT, *asked)
        except LOST as error:
            if not asked:
                raise storage_error(error) from error
            await self._decide_doubt(batch, asked, writes, look)
        finally:
            self._moved()
        self._written |= writes.heads

    async def _hold(self, entities: Iterable[str]) -> None:
        """Begin a transaction that locks those of these entities that others write, too."""
        contended = sorted(self._contended.keys() & set(entities))
        if contended:
            async with AsyncExitStack() as stack:
                session = await stack.enter_async_context(self._database.session())
                await stack.enter_async_context(session.transaction())
                await session.run(writing.LIMIT)
                await session.run(writing.LOCK, self._schema, contended)
                self._held = _Turn(session, stack.pop_all())

    async def _let_go(self) -> None:
        """End a transaction in which no batch was written."""
        turn, self._held = self._held, None
        if turn is not None:
            with contextlib.suppress(*_NOT_KNOWN):
                await turn.ending.aclose()

    async def _look(self, session: Session, wanted: BatchNeeds) -> Look:
        look = Look()
        asked = looking.arguments(wanted.records, wanted.clients, wanted.outcomes)
        found = look.take(await session.rows(looking.LOOK, *asked), wanted.records)
        if self._shared:
            look.snapshot.moment = look.moment
            self._note_rivals(look.heads)
        if wanted.more is not None:
            others, authors = wanted.more(found, look.snapshot.moment)
            if others or authors:
                asked = looking.arguments(others, authors)
                look.take(await session.rows(looking.LOOK, *asked), others)
        if wanted.sql_rows:
            look.snapshot.sql_rows = await outbox.still_there(session, list(wanted.sql_rows))
        look.take_clients(wanted)
        if -1 in look.last_seqs.values():
            look.snapshot.known = self.clients
        return look

    def _note_rivals(self, heads: Mapping[str, int]) -> None:
        """Note which entities other nodes write: those that are not where this one left them."""
        for entity, head in heads.items():
            if self._written.get(entity, head) != head:
                self._contended[entity] = _CALM
                self._written[entity] = head
            elif entity in self._contended:
                self._contended[entity] -= 1
                if not self._contended[entity]:
                    del self._contended[entity]

    def _arguments(self, batch: UUID, writes: BatchWrites, look: Look) -> list[Any]:
        epoch = look.moment.epoch if self._shared else self._database.epoch
        writer = self._database.tenure.name, epoch
        return writing.arguments(batch, writer, writes, look.heads, look.last_seqs, self.divided)

    async def _try_to_write(self, asked: Collection[Any]) -> bool:
        """Write a batch; `False` if it is not known whether it was."""
        try:
            with _understood(self._database):
                async with self._database.session() as session:
                    new = await session.value(writing.PUT, *asked)
        except LOST:
            return False
        self.clients += new
        return True

    async def _decide_doubt(
        self, batch: UUID, asked: Collection[Any], writes: BatchWrites, look: Look
    ) -> None:
        """See to it that a batch is written of which nobody knows whether it was.

        Raises:
            Overtaken: it was not, and it has to be decided anew.
            RhtmxError: nobody will ever know.
        """
        found_out = partial(self._found_out, batch, writes, look)
        while not await found_out():
            if await self._once_more(asked, found_out):
                break
            await asyncio.sleep(_AGAIN)

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
        while not self.closing and not self._database.void():
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
            # One node of several has nobody who tells it that the database is there again.
            ask = self._database.asking if self._shared else self._database.session
            async with ask() as session:
                found = await _shows(session, batch, writes, look)
                if found:
                    # It shows before a standby has it, as nobody waits for that any more. What
                    # is committed after it is durable after it.
                    await tables.write_meta(session, "found", str(batch))
                return found
        return None


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


@contextlib.contextmanager
def _understood(database: Database) -> Iterator[None]:
    """Raise what a batch cannot be written for as what that means; `LOST` passes through."""
    try:
        yield
    except LOST:
        raise
    except (
        asyncpg.SerializationError,
        asyncpg.UniqueViolationError,
        asyncpg.DeadlockDetectedError,
        asyncpg.LockNotAvailableError,
    ) as error:
        raise Overtaken from error
    except asyncpg.ObjectNotInPrerequisiteStateError as error:
        raise database.tenure.give_up(str(error)) from error
    except asyncpg.PostgresError as error:
        raise storage_error(error) from error


def _says_something(writes: BatchWrites) -> bool:
    return any(getattr(writes, each.name) for each in fields(writes))
