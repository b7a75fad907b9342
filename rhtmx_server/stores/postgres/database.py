"""The connections to one database, and that no other server writes there.

Knows connecting, and what tells one life of a database from another. Must not know statements of
the store.

One connection serves nothing but a lock, which ends with it: by it one server alone writes to a
schema. It is asked every few seconds whether it is still there. Whoever finds out sooner that
another server has started says so (`give_up`): then it is void.

========  ==================  =====================  ===================  =================
state     `open`              the lock's connection  it is there again    `close`
                              is gone
========  ==================  =====================  ===================  =================
closed    open                -                      -                    closed
open      open                lost                   -                    closed
lost      -                   -                      open; lost where the closed
                                                     lock is still taken;
                                                     void where somebody
                                                     else was there meanwhile
void      -                   -                      -                    closed
========  ==================  =====================  ===================  =================
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg

from rhtmx.errors import RhtmxError
from rhtmx_server.postgres_url import PostgresOptions
from rhtmx_server.stores.postgres import tables
from rhtmx_server.stores.postgres.failures import FAILED, failed, in_words
from rhtmx_server.stores.postgres.session import Session

__all__ = ["Database"]

log = logging.getLogger("rhtmx_server")

_ASK_EVERY = 2.0
"""Seconds between two questions whether the database is there."""

_CLOSING = 1.0
"""Seconds for what is still being read when it is closed."""

_SETTINGS = {
    "application_name": "rhtmx-server",
    # Each statement finds its rows by an index. Without statistics, as of a database that has just
    # been filled, the planner may take to reading whole tables, and keeps such a plan.
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
    "default_transaction_isolation": "read committed",
    "synchronous_commit": "on",
}
# A peer that is gone without a word keeps a connection for hours, and so the lock.
_SIGNS_OF_LIFE = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
# What the database has not noticed to be gone, such as after a cut of the network.
_END_FORMER = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = $1 AND pid <> pg_backend_pid()"""
_LOCK = "SELECT pg_try_advisory_lock(hashtext('rhtmx writer'), hashtext($1))"
# The timeline is asked of the log that is written now: what the last checkpoint says is older.
_LIFE = """
    SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8),
      CASE WHEN has_function_privilege('pg_control_system()', 'execute')
        THEN (SELECT system_identifier::text FROM pg_control_system()) ELSE '' END"""

_NOT_OPENED: tuple[type[Exception], ...] = (*FAILED, ValueError)
_AWAY = "the server's database cannot be reached: nothing was written, send it again later"
_TAKEN = (
    "another rhtmx-server uses this schema of the database: stop it first, or give this one a "
    "schema of its own, with ?schema=… at the end of the URL"
)
_VOID = (
    "while the server had lost its database somebody else has written there, or the database has "
    "become another one: the server has to be started again"
)


class Database:
    """One schema of a PostgreSQL database, for one server.

    Args:
        url: as the driver takes it.
        options: how it is used.
        new_epoch: makes the id of a new store.

    Attributes:
        epoch: the store's.
        name: of this server, as long as it has the database open.
    """

    def __init__(self, url: str, options: PostgresOptions, new_epoch: Callable[[], str]) -> None:
        self._url = url
        self._options = options
        self._new_epoch = new_epoch
        self.name = secrets.token_hex(8)
        self._pool: Any = None
        self._lock: Any = None
        self._life: tuple[str, str] = ("", "")
        self._failure: str | None = None
        self._watching: asyncio.Task[None] | None = None
        self.epoch = ""

    def check(self) -> None:
        """Make sure that it is there, and ours alone, as far as is known.

        Raises:
            RhtmxError: `STORAGE_FAILED`.
        """
        if self._pool is None:
            raise failed("the server's database is closed")
        if self._failure is not None:
            raise failed(self._failure)

    def void(self) -> bool:
        """Whether it is lost for good: somebody else has written, or it was closed."""
        return self._pool is None or self._failure == _VOID

    def give_up(self) -> RhtmxError:
        """Be void, as another server has started; returns what to raise."""
        self._fail(_VOID)
        return failed(_VOID)

    async def open(self) -> None:
        """Connect, take the lock, and make the tables if need be.

        Raises:
            RhtmxError: `STORAGE_FAILED`, with what is wrong and what to do.
        """
        try:
            self._lock = await self._connect()
            await self._take_lock()
            self._life = await _life(self._lock)
            session = Session(self._lock, self._options.schema)
            async with self._lock.transaction():
                self.epoch = await tables.migrate(
                    session, self._options.schema, " ".join(self._life), self._new_epoch
                )
                await tables.write_meta(session, "writer", self.name)
            self._pool = await asyncpg.create_pool(
                self._url,
                min_size=0,  # it makes them when they are asked for, and reports no failure itself
                max_size=self._options.connections,
                command_timeout=self._options.timeout,
                timeout=self._options.timeout,
                server_settings={**_SETTINGS, **_SIGNS_OF_LIFE},
                reset=_leave_it,
            )
        except _NOT_OPENED as error:
            await self.close()
            raise _unreachable(error) from error
        except BaseException:
            await self.close()
            raise
        self._watching = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """Close all connections. May be called twice."""
        watching, self._watching = self._watching, None
        pool, self._pool = self._pool, None
        if watching is not None:
            watching.cancel()
            await asyncio.wait([watching])
        if pool is not None:
            with contextlib.suppress(*FAILED):
                await asyncio.wait_for(pool.close(), _CLOSING)
            pool.terminate()
        if self._lock is not None:
            self._lock.terminate()
            self._lock = None

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """Take one of the connections.

        Raises:
            RhtmxError: `STORAGE_FAILED`, there is none. Nothing was sent.
        """
        self.check()
        with in_words():
            connection = await self._pool.acquire(timeout=self._options.timeout)
        try:
            yield Session(connection, self._options.schema)
        finally:
            # What fails here ends the connection, and says nothing of what was done with it.
            with contextlib.suppress(*FAILED):
                await self._pool.release(connection, timeout=self._options.timeout)

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[Session]:
        """Take one of the connections, to read: what fails is put into words."""
        async with self.session() as session:
            with in_words():
                yield session

    @property
    def _lock_name(self) -> str:
        return f"rhtmx-server {self.name}"

    async def _connect(self) -> Any:
        """Make the connection that is to have the lock."""
        return await asyncpg.connect(
            self._url,
            timeout=self._options.timeout,
            command_timeout=self._options.timeout,
            server_settings={**_SETTINGS, **_SIGNS_OF_LIFE, "application_name": self._lock_name},
        )

    async def _take_lock(self) -> None:
        """Take the lock.

        Raises:
            RhtmxError: another server has it.
        """
        # One that has just been stopped may need a moment.
        for _ in range(20):
            if await self._lock.fetchval(_LOCK, self._options.schema):
                return
            await asyncio.sleep(0.1)
        raise failed(_TAKEN)

    async def _watch(self) -> None:
        while self._failure != _VOID:
            await asyncio.sleep(_ASK_EVERY)
            try:
                if self._failure is None:
                    await self._lock.fetchval("SELECT 1", timeout=_ASK_EVERY * 2)
                else:
                    await self._regain()
            except RhtmxError:  # it is a standby by now
                self._fail(_VOID)
            except FAILED:
                self._lock.terminate()
                self._fail(_AWAY)

    async def _regain(self) -> None:
        """Take the lock again, if nobody had it meanwhile."""
        self._lock.terminate()
        self._lock = await self._connect()
        is_ours = await self._lock.fetchval(_LOCK, self._options.schema)
        session = Session(self._lock, self._options.schema)
        same = await tables.read_meta(session, "writer") == self.name
        if not same or await _life(self._lock) != self._life:
            self._fail(_VOID)
        elif is_ours:
            self._failure = None
            log.info("the database is there again")
        else:  # by a former connection of our own, or by somebody who has yet to say so
            await self._lock.fetch(_END_FORMER, self._lock_name)

    def _fail(self, words: str) -> None:
        if self._failure != words:
            log.error("%s", words)
        self._failure = words


async def _leave_it(connection: object) -> None:
    """Nothing is left behind on a connection: to clean it would be a round trip for each use."""


async def _life(connection: Any) -> tuple[str, str]:
    """What tells this life of the database from another one."""
    if await connection.fetchval("SELECT pg_is_in_recovery()"):
        raise failed(
            "this database is a standby, which can only be read: give the URL of the primary, or "
            "several hosts and target_session_attrs=read-write"
        )
    timeline, system = await connection.fetchrow(_LIFE)
    return timeline, system


def _unreachable(error: BaseException) -> RhtmxError:
    """Say why a server cannot start, in the driver's words: they are for whoever starts it."""
    words = str(error) or type(error).__name__
    return failed(f"the database cannot be used: {words}")
