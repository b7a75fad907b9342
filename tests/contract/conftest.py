"""Every store there is, for the tests of what all stores do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from pathlib import Path

import pytest

from rhtmx_server.ports import Store
from rhtmx_server.stores import MemoryStore, SqliteStore
from rhtmx_server.stores.postgres import PostgresStore
from rhtmx_server.stores.sqlite.placement import Placement
from tests.support.pgbouncer import PgBouncer
from tests.support.postgres import Postgres

Reopen = Callable[[], Awaitable[Store]]


def always_in_worker(path: Path) -> SqliteStore:
    """A store whose disk never proves quick: by its clock a commit takes a second."""
    return SqliteStore(path, clock=count().__next__, placement=Placement(1.0, 1_000_000))


@pytest.fixture(params=["memory", "sqlite", "sqlite-worker", "postgres", "pooled"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """Makes the store; a second call makes it again from what the first one left."""
    path = tmp_path / "app.db"
    match request.param:
        case "memory":
            kept = MemoryStore()
            return lambda: kept
        case "sqlite":
            return lambda: SqliteStore(path)
        case "postgres":
            server: Postgres = request.getfixturevalue("postgres")
            url = server.place()
            return lambda: PostgresStore(url)
        case "pooled":
            pooler: PgBouncer = request.getfixturevalue("pgbouncer")
            pooled = pooler.place()
            return lambda: PostgresStore(pooled, shared=True)
        case _:
            return lambda: always_in_worker(path)


@pytest.fixture
async def store(make: Callable[[], Store]) -> AsyncIterator[Store]:
    """An empty store, open."""
    made = make()
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def reopen(store: Store, make: Callable[[], Store]) -> AsyncIterator[Reopen]:
    """Closes the store and opens it again as another process would."""
    opened: list[Store] = []

    async def again() -> Store:
        await store.close()
        made = make()
        await made.open()
        opened.append(made)
        return made

    yield again
    for one in opened:
        await one.close()
