"""How a connection to the database is made, and what tells one life of a database from another.

Knows the driver's settings. Must not know what a connection is for.

A pooler in transaction mode has a connection to the database for each transaction, and may have
another one for the next: nothing that was set for a session lasts, and no statement may be named.
So there everything is in a transaction (`pooled_transaction`), and the settings come with each, in
the message that begins it: else a commit might not be on the disk, and a table be read whole.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import asyncpg

from rhtmx_server.postgres_url import PostgresOptions
from rhtmx_server.stores.postgres.failures import FAILED, failed

__all__ = ["connect", "life_of", "make_pool", "pooled_transaction", "transaction"]

_NAME = "rhtmx-server"
_ROLLING_BACK = 1.0
"""Seconds that undoing may take."""

_SETTINGS = {
    # Each statement finds its rows by an index. Without statistics, as of a database that has just
    # been filled, the planner may take to reading whole tables, and keeps such a plan.
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
    "synchronous_commit": "on",
}
_OF_A_SESSION = {"default_transaction_isolation": "read committed"}
_BEGIN = "; ".join(
    [
        "BEGIN ISOLATION LEVEL READ COMMITTED",
        *(f"SET LOCAL {name} TO {value}" for name, value in _SETTINGS.items()),
    ]
)
# A peer that is gone without a word keeps a connection for hours, and so the lock.
_SIGNS_OF_LIFE = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
# The timeline is asked of the log that is written now: what the last checkpoint says is older.
_LIFE = """
    SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8),
      CASE WHEN has_function_privilege('pg_control_system()', 'execute')
        THEN (SELECT system_identifier::text FROM pg_control_system()) ELSE '' END"""


async def connect(url: str, options: PostgresOptions, name: str) -> Any:
    """Make one connection, by a name under which the database lists it."""
    return await asyncpg.connect(
        url,
        timeout=options.timeout,
        command_timeout=options.timeout,
        **_of_session(options, name),
    )


async def make_pool(url: str, options: PostgresOptions, connections: int) -> Any:
    """Make a pool of so many at most, which connects when it is asked for a connection."""
    return await asyncpg.create_pool(
        url,
        min_size=0,  # it makes them when they are asked for, and reports no failure itself
        max_size=connections,
        command_timeout=options.timeout,
        timeout=options.timeout,
        reset=_leave_it,
        **_of_session(options, _NAME),
    )


def transaction(connection: Any, options: PostgresOptions) -> AbstractAsyncContextManager[object]:
    """Make one transaction of the statements within."""
    made: AbstractAsyncContextManager[object] = (
        pooled_transaction(connection) if options.pooler else connection.transaction()
    )
    return made


@contextlib.asynccontextmanager
async def pooled_transaction(connection: Any) -> AsyncIterator[None]:
    """Make one transaction of the statements within, with the settings that a session else has.

    A connection that does not roll back at once is closed: then the pooler ends the transaction.
    """
    try:
        await connection.execute(_BEGIN)
        yield
        await connection.execute("COMMIT")
    except BaseException:
        await _roll_back(connection)
        raise


async def life_of(connection: Any) -> tuple[str, str]:
    """What tells this life of the database from another one: its timeline, and the cluster's id.

    Raises:
        RhtmxError: `STORAGE_FAILED`, it is a standby.
    """
    if await connection.fetchval("SELECT pg_is_in_recovery()"):
        raise failed(
            "this database is a standby, which can only be read: give the URL of the primary, or "
            "several hosts and target_session_attrs=read-write"
        )
    timeline, system = await connection.fetchrow(_LIFE)
    return timeline, system


async def _roll_back(connection: Any) -> None:
    is_done = False
    try:
        # Not the driver's own limit of time: it does not count what is waited for before, which is
        # the end of a statement that somebody has stopped waiting for.
        with contextlib.suppress(*FAILED):
            async with asyncio.timeout(_ROLLING_BACK):
                await connection.execute("ROLLBACK")
                is_done = True
    finally:
        if not is_done:
            connection.terminate()


def _of_session(options: PostgresOptions, name: str) -> dict[str, Any]:
    """What the driver is told of all that a connection is used for."""
    if options.pooler:  # which refuses what it does not know, and knows names
        return {"server_settings": {"application_name": name}, "statement_cache_size": 0}
    settings = {**_SETTINGS, **_OF_A_SESSION, **_SIGNS_OF_LIFE, "application_name": name}
    return {"server_settings": settings}


async def _leave_it(connection: object) -> None:
    """Nothing is left behind on a connection: to clean it would be a round trip for each use."""
