"""How a connection to the database is made, and what tells one life of a database from another.

Knows the driver's settings. Must not know what a connection is for.
"""

from __future__ import annotations

from typing import Any

import asyncpg

from rhtmx_server.postgres_url import PostgresOptions
from rhtmx_server.stores.postgres.failures import failed

__all__ = ["connect", "life_of", "make_pool"]

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
        server_settings={**_SETTINGS, **_SIGNS_OF_LIFE, "application_name": name},
    )


async def make_pool(url: str, options: PostgresOptions, connections: int) -> Any:
    """Make a pool of so many at most, which connects when it is asked for a connection."""
    return await asyncpg.create_pool(
        url,
        min_size=0,  # it makes them when they are asked for, and reports no failure itself
        max_size=connections,
        command_timeout=options.timeout,
        timeout=options.timeout,
        server_settings={**_SETTINGS, **_SIGNS_OF_LIFE},
        reset=_leave_it,
    )


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


async def _leave_it(connection: object) -> None:
    """Nothing is left behind on a connection: to clean it would be a round trip for each use."""
