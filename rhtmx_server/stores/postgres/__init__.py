"""The store on PostgreSQL.

Which imports which: `store` -> `database` -> `tables`; `store` -> `looking`, `writing`,
`reading`, `members`, `retention` -> `session`, `bodies`. Only `database` opens connections.
"""

from __future__ import annotations

from rhtmx_server.postgres_url import PostgresOptions
from rhtmx_server.stores.postgres.moving import PostgresMover
from rhtmx_server.stores.postgres.store import PostgresStore

__all__ = ["PostgresMover", "PostgresOptions", "PostgresStore"]
