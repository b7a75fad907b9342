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
from rhtmx_server.mirror.triggers import outbox_statements
from tests.support.postgres import Postgres
from tests.support.shop import Shop, on_postgres, on_sqlite, shown, sqlalchemy
from tests.support.waiting import eventually, eventually_found

NAMES = count()

MISSING = "or those of a table that inherits from it, are missing, or switched off"


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


async def rested(app: App) -> None:
    """Wait until nothing is read: what changes now is noticed by itself or not at all."""
    await eventually(lambda: not any(each.busy for each in app.mirror))


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
        await eventually(lambda: MISSING in caplog.text)
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
        await eventually(lambda: MISSING in caplog.text)


async def test_an_outbox_that_is_missing_is_named(
    shop: Shop, app: App, caplog: pytest.LogCaptureFixture
) -> None:
    shop.mirror(app, triggers=False)
    shop.run("DROP TABLE rhtmx_outbox")
    async with app:
        await eventually(lambda: "is tried again" in caplog.text)
    assert "rhtmx_outbox" in caplog.text


async def test_columns_come_and_go(shop: Shop, app: App) -> None:
    def most(row: Mapping[str, Any]) -> Any:
        return {name: value for name, value in row.items() if name not in ("id", "cost")}

    found: list[Reconciled] = []
    mirror = shop.mirror(app, fields=most)
    mirror.on_reconciled(found.append)

    async def until_compared(times: int) -> None:
        await eventually(lambda: len(found) >= times)
        await rested(app)

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


async def test_rows_of_partitions_come_and_go(pg_shop: Shop, app: App) -> None:
    """Also with a whole partition, and from one to another."""
    pg_shop.run(
        "CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id)",
        "CREATE TABLE low PARTITION OF parted FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE high PARTITION OF parted FOR VALUES FROM (10) TO (20)",
        "CREATE TABLE free (id int PRIMARY KEY)",
        "INSERT INTO free VALUES (20)",
    )
    app.mirror("orders", table="parted", fields=["id"], source=pg_shop.engine)
    app.mirror.install()
    async with app:
        for statement, expected in {
            "INSERT INTO parted VALUES (1), (2), (11)": (1, 2, 11),
            "INSERT INTO low VALUES (3)": (1, 2, 3, 11),
            "UPDATE parted SET id = 12 WHERE id = 1": (2, 3, 11, 12),
            "ALTER TABLE parted ATTACH PARTITION free DEFAULT": (2, 3, 11, 12, 20),
            "ALTER TABLE parted DETACH PARTITION high": (2, 3, 20),
            "TRUNCATE low": (20,),
            "DROP TABLE free": (),
        }.items():
            pg_shop.run(statement)
            await until_there_are(app, {str(each): {"id": each} for each in expected})
            await rested(app)


async def test_a_partition_whose_triggers_are_switched_off_is_said(
    pg_shop: Shop, app: App, caplog: pytest.LogCaptureFixture
) -> None:
    pg_shop.run(
        "CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id)",
        "CREATE TABLE low PARTITION OF parted FOR VALUES FROM (0) TO (10)",
    )
    app.mirror("orders", table="parted", fields=["id"], source=pg_shop.engine)
    app.mirror.install()
    async with app:
        pg_shop.run("ALTER TABLE low DISABLE TRIGGER ALL", "INSERT INTO low VALUES (1)")
        await eventually(lambda: MISSING in caplog.text)
        pg_shop.run("ALTER TABLE low ENABLE TRIGGER ALL")
        await until_there_are(app, {"1": {"id": 1}})


async def test_a_table_that_inherits_needs_the_triggers_too(
    pg_shop: Shop, app: App, caplog: pytest.LogCaptureFixture
) -> None:
    """Its rows are rows of the table that is mirrored."""
    pg_shop.run("CREATE TABLE special_orders (extra text) INHERITS (shop_orders)")
    pg_shop.mirror(app, fields=["title"])
    async with app:
        await eventually(lambda: MISSING in caplog.text)
        pg_shop.run(
            "CREATE TRIGGER t AFTER INSERT OR UPDATE OR DELETE ON special_orders "
            "FOR EACH ROW EXECUTE FUNCTION rhtmx_outbox_shop_orders()"
        )
        await rested(app)
        pg_shop.run("INSERT INTO special_orders (id, title) VALUES (1, 'tea')")
        await until_there_are(app, {"1": {"title": "tea"}})


async def test_the_labels_of_an_enum_change(pg_shop: Shop, app: App) -> None:
    """By which no row of the table is written, whether the label is a value or the key."""
    pg_shop.run(
        "CREATE TYPE mood AS ENUM ('calm', 'wild')",
        "CREATE TABLE moods (id mood PRIMARY KEY, v mood, vs mood[])",
        "INSERT INTO moods VALUES ('calm', 'calm', '{calm,wild}')",
    )
    app.mirror("orders", table="moods", fields=["v", "vs"], source=pg_shop.engine)
    app.mirror.install()
    async with app:
        await until_there_are(app, {"calm": {"v": "calm", "vs": ["calm", "wild"]}})
        await rested(app)
        pg_shop.run("ALTER TYPE mood RENAME VALUE 'calm' TO 'still'")
        await until_there_are(app, {"still": {"v": "still", "vs": ["still", "wild"]}})
        await rested(app)
        pg_shop.run("ALTER TYPE mood ADD VALUE 'odd'")
        pg_shop.run("UPDATE moods SET v = 'odd'")
        await until_there_are(app, {"still": {"v": "odd", "vs": ["still", "wild"]}})


@pytest.mark.parametrize("how", ["TRUNCATE rhtmx_outbox", "DROP TABLE rhtmx_outbox"])
async def test_notes_that_are_lost_with_the_outbox_are_made_up_for(
    pg_shop: Shop, app: App, how: str
) -> None:
    pg_shop.mirror(app, fields=["title"])
    async with app:
        await rested(app)
        pg_shop.run(
            "INSERT INTO shop_orders (id, title) VALUES (1, 'tea')",
            how,
            *outbox_statements("postgresql"),
        )
        await until_there_are(app, {"1": {"title": "tea"}})


async def test_an_outbox_whose_rows_may_be_hidden_is_said(
    pg_shop: Shop, app: App, caplog: pytest.LogCaptureFixture
) -> None:
    """Where notes cannot be seen, nothing would ever come, and nothing fail."""
    pg_shop.install()
    schema = pg_shop.rows("SELECT current_schema()")[0][0]
    pg_shop.run(
        "CREATE ROLE narrow LOGIN",
        f"GRANT USAGE ON SCHEMA {schema} TO narrow",
        "GRANT SELECT, DELETE ON rhtmx_outbox, shop_orders TO narrow",
        "ALTER TABLE rhtmx_outbox ENABLE ROW LEVEL SECURITY",
    )
    engine = sqlalchemy.create_engine(pg_shop.url.replace("app@", "narrow@"))
    app.mirror("orders", table="shop_orders", fields=["title"], source=engine)
    async with app:
        await eventually(lambda: "row-level security may hide rows" in caplog.text)
        pg_shop.add(1)
        pg_shop.run("ALTER TABLE rhtmx_outbox DISABLE ROW LEVEL SECURITY")
        await until_there_are(app, {"1": {"title": "tea"}})
    engine.dispose()
    pg_shop.run("DROP OWNED BY narrow", "DROP ROLE narrow")


async def test_a_table_that_a_replication_writes_needs_triggers_that_run_for_it(
    pg_shop: Shop, app: App, caplog: pytest.LogCaptureFixture
) -> None:
    pg_shop.mirror(app, fields=["title"])
    name = pg_shop.rows("SELECT 'sub_' || current_schema()")[0][0]
    pg_shop.run(
        f"CREATE SUBSCRIPTION {name} CONNECTION 'host=nowhere' PUBLICATION p WITH (connect = false)"
    )
    try:
        async with app:
            # As REFRESH PUBLICATION does, for which there would have to be a publisher.
            pg_shop.run(
                "INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate) "
                "SELECT oid, 'shop_orders'::regclass, 'r' FROM pg_subscription "
                f"WHERE subname = '{name}'"
            )
            await eventually(lambda: "what a logical replication changes" in caplog.text)
            pg_shop.run(
                "ALTER TABLE shop_orders ENABLE ALWAYS TRIGGER rhtmx_outbox_shop_orders_insert",
                "ALTER TABLE shop_orders ENABLE ALWAYS TRIGGER rhtmx_outbox_shop_orders_truncate",
            )
            await rested(app)
            pg_shop.run(
                "SET LOCAL session_replication_role = replica",  # as its worker has it
                "INSERT INTO shop_orders (id, title) VALUES (1, 'tea')",
            )
            await until_there_are(app, {"1": {"title": "tea"}})
    finally:
        pg_shop.run(f"ALTER SUBSCRIPTION {name} SET (slot_name = NONE)")
        pg_shop.run(f"DROP SUBSCRIPTION {name}")


async def test_whoever_writes_may_look_up_names_elsewhere(pg_shop: Shop, app: App) -> None:
    """As the worker of a logical replication does, and a program of another schema."""
    pg_shop.mirror(app, fields=["title"])
    schema = pg_shop.rows("SELECT current_schema()")[0][0]
    pg_shop.run(f"CREATE SCHEMA {schema}_other")
    async with app:
        await rested(app)
        pg_shop.run(
            f"CREATE TABLE {schema}_other.rhtmx_outbox (LIKE rhtmx_outbox INCLUDING ALL)",
            f"SET LOCAL search_path = {schema}_other",
            f"INSERT INTO {schema}.shop_orders (id, title) VALUES (1, 'tea')",
        )
        await until_there_are(app, {"1": {"title": "tea"}})


async def test_notes_that_no_mirror_reads_are_said(
    shop: Shop, app: App, caplog: pytest.LogCaptureFixture
) -> None:
    """A program that fills the outbox may call the table otherwise."""
    shop.mirror(app, fields=["title"])
    said = "'rhtmx_outbox' has rows for 'public.shop_orders', which no mirror of it calls so"
    async with app:
        for number in (1, 2):
            shop.run("INSERT INTO rhtmx_outbox (table_name) VALUES ('public.shop_orders')")
            await eventually(lambda: said in caplog.text)
            shop.add(number)
            await shown(app, "orders", str(number))
    assert caplog.text.count(said) == 1


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
