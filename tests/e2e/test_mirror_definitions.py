"""Tables, triggers and databases that become others while a server runs are noticed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from rhtmx_server import App, Config
from rhtmx_server.mirror import feed
from rhtmx_server.mirror.host import MirrorSetupError
from rhtmx_server.mirror.outcomes import Reconciled
from tests.support.postgres import Postgres
from tests.support.shop import Shop, on_postgres, on_sqlite, sqlalchemy
from tests.support.waiting import eventually, eventually_found

NAMES = count()


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    if request.param == "sqlite":
        made = on_sqlite(tmp_path)
    else:
        made = on_postgres(request.getfixturevalue("postgres"), f"defined{next(NAMES)}")
    yield made
    made.engine.dispose()


@pytest.fixture
def pg_shop(postgres: Postgres) -> Iterator[Shop]:
    made = on_postgres(postgres, f"defined{next(NAMES)}")
    yield made
    made.engine.dispose()


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> App:
    monkeypatch.setattr(feed, "CHECK", 0.02)
    return App(store="memory://", config=Config(port=0))


async def until_there_are(app: App, expected: Mapping[str, Any]) -> None:
    async def look() -> bool:
        return {each.id: each.data for each in await app.collection("orders").all()} == expected

    await eventually_found(look)


async def test_a_table_that_is_made_anew_is_compared_once_its_triggers_are_back(
    shop: Shop, app: App, caplog: pytest.LogCaptureFixture
) -> None:
    """As migrations do it on SQLite, and a restore of one table."""
    shop.mirror(app, fields=["title"])
    async with app:
        shop.add(1)
        await until_there_are(app, {"1": {"title": "tea"}})
        shop.run(
            "CREATE TABLE other (id INTEGER PRIMARY KEY, title TEXT, state TEXT DEFAULT 'new')",
            "INSERT INTO other (id, title) SELECT id, title FROM shop_orders",
            "DROP TABLE shop_orders",
            "ALTER TABLE other RENAME TO shop_orders",
        )
        shop.add(2, "written without triggers")
        await eventually(lambda: "its triggers are missing" in caplog.text)
        app.mirror.install()
        await until_there_are(
            app, {"1": {"title": "tea"}, "2": {"title": "written without triggers"}}
        )


async def test_triggers_that_were_away_between_two_looks_are_noticed(shop: Shop, app: App) -> None:
    found: list[Reconciled] = []
    shop.mirror(app, fields=["title"]).on_reconciled(found.append)
    async with app:
        await eventually(lambda: bool(found))
        with shop.transaction() as connection:
            if shop.engine.dialect.name == "postgresql":
                around = [
                    f"ALTER TABLE shop_orders {each} TRIGGER ALL" for each in ("DISABLE", "ENABLE")
                ]
            else:
                trigger = shop.rows(
                    "SELECT sql FROM sqlite_master WHERE name = 'rhtmx_outbox_shop_orders_insert'"
                )[0][0]
                around = ["DROP TRIGGER rhtmx_outbox_shop_orders_insert", trigger]
            connection.exec_driver_sql(around[0])
            connection.exec_driver_sql("INSERT INTO shop_orders (id, title) VALUES (1, 'quiet')")
            connection.exec_driver_sql(around[1])
        await until_there_are(app, {"1": {"title": "quiet"}})


async def test_triggers_that_are_switched_off_are_said(
    pg_shop: Shop, app: App, caplog: pytest.LogCaptureFixture
) -> None:
    pg_shop.mirror(app)
    pg_shop.run("ALTER TABLE shop_orders DISABLE TRIGGER ALL")
    async with app:
        await eventually(lambda: "its triggers are missing, or switched off" in caplog.text)


async def test_columns_come_and_go(shop: Shop, app: App) -> None:
    def shown(row: Mapping[str, Any]) -> Any:
        return {name: value for name, value in row.items() if name not in ("id", "cost")}

    found: list[Reconciled] = []
    mirror = shop.mirror(app, fields=shown)
    mirror.on_reconciled(found.append)

    async def until_compared(times: int) -> None:
        """Nothing is read from then on: what fails then would be noticed by that."""
        await eventually(lambda: len(found) >= times)
        await eventually(lambda: not any(each.busy for each in app.mirror))

    async with app:
        shop.add(1)
        await until_there_are(app, {"1": {"title": "tea", "state": "new"}})
        await until_compared(1)
        shop.run("ALTER TABLE shop_orders ADD COLUMN size TEXT DEFAULT 'small'")
        await until_there_are(app, {"1": {"title": "tea", "state": "new", "size": "small"}})
        await until_compared(2)
        shop.run("ALTER TABLE shop_orders DROP COLUMN state")
        await until_there_are(app, {"1": {"title": "tea", "size": "small"}})
        await until_compared(3)
        shop.run("ALTER TABLE shop_orders RENAME COLUMN size TO width")
        await until_there_are(app, {"1": {"title": "tea", "width": "small"}})
        shop.run("ALTER TABLE shop_orders RENAME COLUMN width TO size")
        await until_there_are(app, {"1": {"title": "tea", "size": "small"}})
        shop.run("INSERT INTO shop_orders (id, title) VALUES (2, 'milk')")
        both = {"1": {"title": "tea", "size": "small"}, "2": {"title": "milk", "size": "small"}}
        await until_there_are(app, both)


async def test_a_database_in_memory_is_left_alone(tmp_path: Path, app: App) -> None:
    """Its one connection has the transactions of the program in it."""
    engine = sqlalchemy.create_engine(
        "sqlite://",
        poolclass=sqlalchemy.pool.StaticPool,
        connect_args={"check_same_thread": False},
    )
    app.mirror("orders", table="orders", fields=["title"], source=engine)
    with pytest.raises(MirrorSetupError, match="in memory cannot be mirrored"):
        app.mirror.install()
    engine.dispose()
