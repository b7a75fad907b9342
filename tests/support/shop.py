"""An application with tables of its own, written by SQLAlchemy or Django, on either database.

Its table `shop_orders` has an id, a title, a state and a cost.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rhtmx_server import App
from rhtmx_server.mirror.mirrors import Mirror
from rhtmx_server.mirror.triggers import outbox_statements, trigger_statements
from tests.support.postgres import Postgres
from tests.support.waiting import eventually_found

sqlalchemy = pytest.importorskip("sqlalchemy")
pytest.importorskip("psycopg")

__all__ = ["FIELDS", "Shop", "gone", "on_postgres", "on_sqlite", "shown"]

FIELDS = ["title", "state", "cost"]


@dataclass
class Shop:
    """The application: its database, and what it does there.

    Args:
        url: of the database, for SQLAlchemy.
    """

    url: str
    engine: Any = field(init=False)

    def __post_init__(self) -> None:
        self.engine = sqlalchemy.create_engine(self.url)
        self.run(
            "CREATE TABLE shop_orders (id INTEGER PRIMARY KEY, title TEXT NOT NULL, "
            "state TEXT NOT NULL DEFAULT 'new', cost NUMERIC(10, 2))"
        )

    def mirror(self, app: App, **settings: Any) -> Mirror:
        """Have an app mirror the table, with its triggers installed."""
        asked = {"table": "shop_orders", "fields": FIELDS, "source": self.engine, **settings}
        made = app.mirror("orders", **asked)
        app.mirror.install()
        return made

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """A connection, and a transaction around what is within."""
        with self.engine.begin() as connection:
            yield connection

    def run(self, *statements: str, **values: object) -> None:
        """Run statements in one transaction."""
        with self.transaction() as connection:
            for each in statements:
                connection.execute(sqlalchemy.text(each), values)

    def add(self, number: int, title: str = "tea") -> None:
        """Insert a row."""
        self.run("INSERT INTO shop_orders (id, title) VALUES (:id, :title)", id=number, title=title)

    def put(self, number: int, title: str) -> None:
        """Insert a row, or change it."""
        self.run(
            "INSERT INTO shop_orders (id, title) VALUES (:id, :title) "
            "ON CONFLICT (id) DO UPDATE SET title = :title",
            id=number,
            title=title,
        )

    def install(self) -> None:
        """Have triggers fill the outbox."""
        dialect = self.engine.dialect.name
        with self.engine.begin() as connection:
            for each in (
                *outbox_statements(dialect),
                *trigger_statements(dialect, "shop_orders", "id"),
            ):
                connection.exec_driver_sql(each, execution_options={"no_parameters": True})

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a statement."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sqlalchemy.text(statement))]

    def waiting(self) -> int:
        """How many rows the outbox has."""
        found: int = self.rows("SELECT count(*) FROM rhtmx_outbox")[0][0]
        return found


async def shown(app: App, entity: str, name: str) -> None:
    """Wait until there is a record."""

    async def look() -> bool:
        return await app.changes.get(entity, name) is not None

    await eventually_found(look)


async def gone(app: App, entity: str, name: str) -> None:
    """Wait until there is no such record."""

    async def look() -> bool:
        return await app.changes.get(entity, name) is None

    await eventually_found(look)


def on_sqlite(folder: Path) -> Shop:
    """A shop with a file of its own."""
    return Shop(f"sqlite:///{folder / 'shop.db'}")


def on_postgres(postgres: Postgres, name: str) -> Shop:
    """A shop with a schema of its own in a database."""
    postgres.sql(f"CREATE SCHEMA {name}")
    path = f"-csearch_path%3D{name}"
    return Shop(f"postgresql+psycopg://app@/postgres?host={postgres.folder}&options={path}")
