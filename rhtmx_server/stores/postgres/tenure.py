"""By what right a server uses a schema: alone, or as one node of several.

Knows what must be so before anything is written. Must not know statements of the store.

*Alone*: one connection serves nothing but a lock, which ends with it: by it one server alone
writes to a schema. It is asked every few seconds whether it is still there. Whoever finds out
sooner that another server has started says so (`give_up`): then it is void.

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

*Shared*: nothing is held. Each batch is written only if what it looked at is still so, so that any
number of nodes may write. Whether the database can be reached the server finds out by asking it
(`seen`, `lost`), every second or so.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from typing import Any, Protocol

from rhtmx.errors import RhtmxError
from rhtmx_server.postgres_url import PostgresOptions
from rhtmx_server.stores.postgres import leading, tables
from rhtmx_server.stores.postgres.connecting import connect, life_of, transaction
from rhtmx_server.stores.postgres.failures import FAILED, failed
from rhtmx_server.stores.postgres.session import Session

__all__ = ["SharedTenure", "SoleTenure", "Tenure"]

log = logging.getLogger("rhtmx_server")

_ASK_EVERY = 2.0
"""Seconds between two questions whether the database is there."""

# What the database has not noticed to be gone, such as after a cut of the network.
_END_FORMER = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = $1 AND pid <> pg_backend_pid()"""
_LOCK = "SELECT pg_try_advisory_lock(hashtext('rhtmx writer'), hashtext($1))"
_LOCK_FOR_NOW = "SELECT pg_try_advisory_xact_lock_shared(hashtext('rhtmx writer'), hashtext($1))"

_AWAY = "the server's database cannot be reached: nothing was written, send it again later"
_TAKEN = (
    "another rhtmx-server uses this schema of the database: stop it first, or give this one a "
    "schema of its own, with ?schema=… at the end of the URL; several servers can share one if "
    "each of them is started with --bus"
)
_LED = (
    "servers of a cluster use this schema of the database: stop them first (if they were killed, "
    "wait ten seconds), or start this one with --bus, too"
)
_VOID = (
    "while the server had lost its database somebody else has written there, or the database has "
    "become another one: the server has to be started again"
)
_ALONE_NOW = (
    "a server that is alone (without --bus) has been started on this schema of the database: "
    "stop it, and start this one again"
)


_OTHERWISE = (
    "a later version of the program divides an entity into other parts: this server writes no "
    "more, start it again with that version"
)
_BETWEEN_LIVES = (
    "the server's database has become another one: nothing was written, send it again later"
)
_WORDS = {"another server": _ALONE_NOW, "divided otherwise": _OTHERWISE}
"""What the database says to one node of several, and what that means."""


class Tenure(Protocol):
    """The right to use a schema."""

    @property
    def name(self) -> str:
        """By which the database knows who writes."""

    async def open(self) -> str:
        """Gain it; returns the epoch of the store.

        Raises:
            RhtmxError: `STORAGE_FAILED`, with what is wrong and what to do.
        """

    @property
    def failure(self) -> str | None:
        """Why nothing may be written now."""

    @property
    def void(self) -> bool:
        """Whether it is lost for good."""

    def give_up(self, why: str) -> RhtmxError:
        """Take note that nothing may be written for now, or any more; returns what to raise.

        Args:
            why: what the database says, see `writing`.
        """

    async def close(self) -> None:
        """Give it back. May be called twice."""


class SoleTenure:
    """One server alone.

    Args:
        url: as the driver takes it.
        options: how the database is used.
        new_epoch: makes the id of a new store.
    """

    def __init__(self, url: str, options: PostgresOptions, new_epoch: Callable[[], str]) -> None:
        self._url = url
        self._options = options
        self._new_epoch = new_epoch
        self.name = secrets.token_hex(8)
        self.failure: str | None = None
        self._lock: Any = None
        self._life: tuple[str, str] = ("", "")
        self._watching: asyncio.Task[None] | None = None

    @property
    def void(self) -> bool:
        """Whether somebody else has written, or the database has become another one."""
        return self.failure == _VOID

    def give_up(self, why: str) -> RhtmxError:
        """Be void; see `Tenure`."""
        self._fail(_VOID)
        return failed(_VOID)

    async def open(self) -> str:
        """Take the lock, and make the tables if need be; see `Tenure`."""
        self._lock = await connect(self._url, self._options, self._lock_name)
        await self._take_lock()
        self._life = await life_of(self._lock)
        session = Session(self._lock, self._options.schema)
        async with self._lock.transaction():
            epoch = await tables.migrate(
                session, self._options.schema, " ".join(self._life), self._new_epoch
            )
            if await leading.is_led(session):
                raise failed(_LED)
            await tables.write_meta(session, tables.WRITER, self.name)
        self._watching = asyncio.create_task(self._watch())
        return epoch

    async def close(self) -> None:
        """Give the lock back; see `Tenure`."""
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()
            await asyncio.wait([watching])
        if self._lock is not None:
            self._lock.terminate()
            self._lock = None

    @property
    def _lock_name(self) -> str:
        return f"rhtmx-server {self.name}"

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
        while self.failure != _VOID:
            await asyncio.sleep(_ASK_EVERY)
            try:
                if self.failure is None:
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
        self._lock = await connect(self._url, self._options, self._lock_name)
        is_ours = await self._lock.fetchval(_LOCK, self._options.schema)
        session = Session(self._lock, self._options.schema)
        same = await tables.read_meta(session, tables.WRITER) == self.name
        if not same or await life_of(self._lock) != self._life:
            self._fail(_VOID)
        elif is_ours:
            self.failure = None
            log.info("the database is there again")
        else:  # by a former connection of our own, or by somebody who has yet to say so
            await self._lock.fetch(_END_FORMER, self._lock_name)

    def _fail(self, words: str) -> None:
        if self.failure != words:
            log.error("%s", words)
        self.failure = words


class SharedTenure:
    """One node of several.

    Args:
        url: as the driver takes it.
        options: how the database is used.
        new_epoch: makes the id of a new store.
    """

    def __init__(self, url: str, options: PostgresOptions, new_epoch: Callable[[], str]) -> None:
        self._url = url
        self._options = options
        self._new_epoch = new_epoch
        self.name = tables.ANY_WRITER
        self.failure: str | None = None
        self.void = False

    async def open(self) -> str:
        """Make the tables if need be, unless somebody is alone there; see `Tenure`."""
        connection = await connect(self._url, self._options, "rhtmx-server")
        try:
            session = Session(connection, self._options.schema)
            async with transaction(connection, self._options):
                life = " ".join(await life_of(connection))
                epoch = await tables.migrate(session, self._options.schema, life, self._new_epoch)
                if not await connection.fetchval(_LOCK_FOR_NOW, self._options.schema):
                    raise failed(_TAKEN)
                await tables.write_meta(session, tables.WRITER, self.name)
            return epoch
        finally:
            connection.terminate()

    async def renew(self) -> str:
        """Find out whether the database lives another life now, and by which epoch.

        Raises:
            RhtmxError: `STORAGE_FAILED`, it is a standby, or another program's.
        """
        return await self.open()

    def seen(self) -> None:
        """Note that the database has answered."""
        if self.failure is not None and not self.void:
            self.failure = None
            log.info("the database is there again")

    def lost(self) -> None:
        """Note that it has not."""
        self._fail(_AWAY)

    def give_up(self, why: str) -> RhtmxError:
        """Wait for another epoch, or be void; see `Tenure`."""
        words = _WORDS.get(why, _BETWEEN_LIVES)
        self.void = self.void or words is not _BETWEEN_LIVES
        self._fail(words)
        return failed(words)

    async def close(self) -> None:
        """Nothing is held; see `Tenure`."""

    def _fail(self, words: str) -> None:
        if self.failure != words:
            log.error("%s", words)
        self.failure = words
